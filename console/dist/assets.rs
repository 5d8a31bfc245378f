&[
    ("GraphView-DF6ypsJO.js", include_bytes!("assets/GraphView-DF6ypsJO.js")),
    ("GraphView-x5qM2CnG.css", include_bytes!("assets/GraphView-x5qM2CnG.css")),
    ("flow-CiPf9KUm.js", include_bytes!("assets/flow-CiPf9KUm.js")),
    ("icon-BnCOnhZm.svg", include_bytes!("assets/icon-BnCOnhZm.svg")),
    ("index-Bn3CFjLz.js", include_bytes!("assets/index-Bn3CFjLz.js")),
    ("index-CbNpRwDv.css", include_bytes!("assets/index-CbNpRwDv.css")),
    ("layout.worker-B5fCsb95.js", include_bytes!("assets/layout.worker-B5fCsb95.js")),
]
