&[
    ("GraphView-CH4qabjR.js", include_bytes!("assets/GraphView-CH4qabjR.js")),
    ("GraphView-CgftQzoB.css", include_bytes!("assets/GraphView-CgftQzoB.css")),
    ("flow-CiPf9KUm.js", include_bytes!("assets/flow-CiPf9KUm.js")),
    ("icon-BnCOnhZm.svg", include_bytes!("assets/icon-BnCOnhZm.svg")),
    ("index-BuKT32Lt.css", include_bytes!("assets/index-BuKT32Lt.css")),
    ("index-DglrJmMx.js", include_bytes!("assets/index-DglrJmMx.js")),
    ("layout.worker-BzLzMfSU.js", include_bytes!("assets/layout.worker-BzLzMfSU.js")),
]
