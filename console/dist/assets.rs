&[
    ("GraphView-DA7ah3sv.js", include_bytes!("assets/GraphView-DA7ah3sv.js")),
    ("GraphView-x5qM2CnG.css", include_bytes!("assets/GraphView-x5qM2CnG.css")),
    ("flow-CiPf9KUm.js", include_bytes!("assets/flow-CiPf9KUm.js")),
    ("icon-BnCOnhZm.svg", include_bytes!("assets/icon-BnCOnhZm.svg")),
    ("index-B93Of-1w.css", include_bytes!("assets/index-B93Of-1w.css")),
    ("index-w5GkuJtv.js", include_bytes!("assets/index-w5GkuJtv.js")),
    ("layout.worker-B5fCsb95.js", include_bytes!("assets/layout.worker-B5fCsb95.js")),
]
