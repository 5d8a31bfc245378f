&[
    ("GraphView-WKZpakue.js", include_bytes!("assets/GraphView-WKZpakue.js")),
    ("GraphView-x5qM2CnG.css", include_bytes!("assets/GraphView-x5qM2CnG.css")),
    ("flow-CiPf9KUm.js", include_bytes!("assets/flow-CiPf9KUm.js")),
    ("icon-BnCOnhZm.svg", include_bytes!("assets/icon-BnCOnhZm.svg")),
    ("index-B4fGJW3m.js", include_bytes!("assets/index-B4fGJW3m.js")),
    ("index-BcWdGDJg.css", include_bytes!("assets/index-BcWdGDJg.css")),
    ("layout.worker-BsLnlJlc.js", include_bytes!("assets/layout.worker-BsLnlJlc.js")),
]
