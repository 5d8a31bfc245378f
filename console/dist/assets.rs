&[
    ("GraphView-B_ZvrGgq.js", include_bytes!("assets/GraphView-B_ZvrGgq.js")),
    ("GraphView-x5qM2CnG.css", include_bytes!("assets/GraphView-x5qM2CnG.css")),
    ("flow-CiPf9KUm.js", include_bytes!("assets/flow-CiPf9KUm.js")),
    ("icon-BnCOnhZm.svg", include_bytes!("assets/icon-BnCOnhZm.svg")),
    ("index-CBZtpw8V.js", include_bytes!("assets/index-CBZtpw8V.js")),
    ("index-CbNpRwDv.css", include_bytes!("assets/index-CbNpRwDv.css")),
    ("layout.worker-B5fCsb95.js", include_bytes!("assets/layout.worker-B5fCsb95.js")),
]
