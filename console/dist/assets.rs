&[
    ("GraphView-g6bl5Dw4.js", include_bytes!("assets/GraphView-g6bl5Dw4.js")),
    ("GraphView-x5qM2CnG.css", include_bytes!("assets/GraphView-x5qM2CnG.css")),
    ("flow-CiPf9KUm.js", include_bytes!("assets/flow-CiPf9KUm.js")),
    ("icon-BnCOnhZm.svg", include_bytes!("assets/icon-BnCOnhZm.svg")),
    ("index-BcWdGDJg.css", include_bytes!("assets/index-BcWdGDJg.css")),
    ("index-xNBrw6tl.js", include_bytes!("assets/index-xNBrw6tl.js")),
    ("layout.worker-BsLnlJlc.js", include_bytes!("assets/layout.worker-BsLnlJlc.js")),
]
