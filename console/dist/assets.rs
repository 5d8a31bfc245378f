&[
    ("GraphView-pxR6K4s6.js", include_bytes!("assets/GraphView-pxR6K4s6.js")),
    ("GraphView-x5qM2CnG.css", include_bytes!("assets/GraphView-x5qM2CnG.css")),
    ("flow-CiPf9KUm.js", include_bytes!("assets/flow-CiPf9KUm.js")),
    ("icon-BnCOnhZm.svg", include_bytes!("assets/icon-BnCOnhZm.svg")),
    ("index-DuWcfx1B.js", include_bytes!("assets/index-DuWcfx1B.js")),
    ("index-qjBRWnSU.css", include_bytes!("assets/index-qjBRWnSU.css")),
    ("layout.worker-BzLzMfSU.js", include_bytes!("assets/layout.worker-BzLzMfSU.js")),
]
