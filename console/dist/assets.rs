&[
    ("GraphView-SAggK2g3.js", include_bytes!("assets/GraphView-SAggK2g3.js")),
    ("GraphView-x5qM2CnG.css", include_bytes!("assets/GraphView-x5qM2CnG.css")),
    ("flow-CiPf9KUm.js", include_bytes!("assets/flow-CiPf9KUm.js")),
    ("icon-BnCOnhZm.svg", include_bytes!("assets/icon-BnCOnhZm.svg")),
    ("index-CpE9-u0m.css", include_bytes!("assets/index-CpE9-u0m.css")),
    ("index-LvU4iit0.js", include_bytes!("assets/index-LvU4iit0.js")),
    ("layout.worker-BzLzMfSU.js", include_bytes!("assets/layout.worker-BzLzMfSU.js")),
]
