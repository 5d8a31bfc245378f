&[
    ("GraphView-DqspMwj1.js", include_bytes!("assets/GraphView-DqspMwj1.js")),
    ("GraphView-x5qM2CnG.css", include_bytes!("assets/GraphView-x5qM2CnG.css")),
    ("flow-CiPf9KUm.js", include_bytes!("assets/flow-CiPf9KUm.js")),
    ("icon-BnCOnhZm.svg", include_bytes!("assets/icon-BnCOnhZm.svg")),
    ("index-CbNpRwDv.css", include_bytes!("assets/index-CbNpRwDv.css")),
    ("index-Dva3fwg5.js", include_bytes!("assets/index-Dva3fwg5.js")),
    ("layout.worker-B5fCsb95.js", include_bytes!("assets/layout.worker-B5fCsb95.js")),
]
