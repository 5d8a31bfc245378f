&[
    ("GraphView-CgftQzoB.css", include_bytes!("assets/GraphView-CgftQzoB.css")),
    ("GraphView-DNQjBpe1.js", include_bytes!("assets/GraphView-DNQjBpe1.js")),
    ("flow-CiPf9KUm.js", include_bytes!("assets/flow-CiPf9KUm.js")),
    ("icon-BnCOnhZm.svg", include_bytes!("assets/icon-BnCOnhZm.svg")),
    ("index-BuKT32Lt.css", include_bytes!("assets/index-BuKT32Lt.css")),
    ("index-lnNLlKQV.js", include_bytes!("assets/index-lnNLlKQV.js")),
    ("layout.worker-BzLzMfSU.js", include_bytes!("assets/layout.worker-BzLzMfSU.js")),
]
