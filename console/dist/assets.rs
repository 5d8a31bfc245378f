&[
    ("GraphView-2z2I87ot.js", include_bytes!("assets/GraphView-2z2I87ot.js")),
    ("GraphView-CgftQzoB.css", include_bytes!("assets/GraphView-CgftQzoB.css")),
    ("flow-CiPf9KUm.js", include_bytes!("assets/flow-CiPf9KUm.js")),
    ("icon-BnCOnhZm.svg", include_bytes!("assets/icon-BnCOnhZm.svg")),
    ("index-BuKT32Lt.css", include_bytes!("assets/index-BuKT32Lt.css")),
    ("index-qWdx0WAz.js", include_bytes!("assets/index-qWdx0WAz.js")),
    ("layout.worker-BzLzMfSU.js", include_bytes!("assets/layout.worker-BzLzMfSU.js")),
]
