&[
    ("GraphView-D7JzLswj.js", include_bytes!("assets/GraphView-D7JzLswj.js")),
    ("GraphView-x5qM2CnG.css", include_bytes!("assets/GraphView-x5qM2CnG.css")),
    ("flow-CiPf9KUm.js", include_bytes!("assets/flow-CiPf9KUm.js")),
    ("icon-BnCOnhZm.svg", include_bytes!("assets/icon-BnCOnhZm.svg")),
    ("index--6Mw504r.css", include_bytes!("assets/index--6Mw504r.css")),
    ("index-DmPQq76L.js", include_bytes!("assets/index-DmPQq76L.js")),
    ("layout.worker-CdM-qDzk.js", include_bytes!("assets/layout.worker-CdM-qDzk.js")),
]
