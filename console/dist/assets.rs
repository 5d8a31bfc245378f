&[
    ("GraphView-CSYrhxxu.js", include_bytes!("assets/GraphView-CSYrhxxu.js")),
    ("GraphView-x5qM2CnG.css", include_bytes!("assets/GraphView-x5qM2CnG.css")),
    ("flow-CiPf9KUm.js", include_bytes!("assets/flow-CiPf9KUm.js")),
    ("icon-BnCOnhZm.svg", include_bytes!("assets/icon-BnCOnhZm.svg")),
    ("index-BcWdGDJg.css", include_bytes!("assets/index-BcWdGDJg.css")),
    ("index-rB6wXxWE.js", include_bytes!("assets/index-rB6wXxWE.js")),
    ("layout.worker-B5fCsb95.js", include_bytes!("assets/layout.worker-B5fCsb95.js")),
]
