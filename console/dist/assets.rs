&[
    ("GraphView-CgftQzoB.css", include_bytes!("assets/GraphView-CgftQzoB.css")),
    ("GraphView-J8zIKBsK.js", include_bytes!("assets/GraphView-J8zIKBsK.js")),
    ("flow-CiPf9KUm.js", include_bytes!("assets/flow-CiPf9KUm.js")),
    ("icon-BnCOnhZm.svg", include_bytes!("assets/icon-BnCOnhZm.svg")),
    ("index-BuKT32Lt.css", include_bytes!("assets/index-BuKT32Lt.css")),
    ("index-C9-MgapO.js", include_bytes!("assets/index-C9-MgapO.js")),
    ("layout.worker-BzLzMfSU.js", include_bytes!("assets/layout.worker-BzLzMfSU.js")),
]
