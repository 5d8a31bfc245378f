&[
    ("GraphView-CgftQzoB.css", include_bytes!("assets/GraphView-CgftQzoB.css")),
    ("GraphView-DoY84zPm.js", include_bytes!("assets/GraphView-DoY84zPm.js")),
    ("flow-CiPf9KUm.js", include_bytes!("assets/flow-CiPf9KUm.js")),
    ("icon-BnCOnhZm.svg", include_bytes!("assets/icon-BnCOnhZm.svg")),
    ("index-Bg7h8Xer.js", include_bytes!("assets/index-Bg7h8Xer.js")),
    ("index-DtLZb1DC.css", include_bytes!("assets/index-DtLZb1DC.css")),
    ("layout.worker-BzLzMfSU.js", include_bytes!("assets/layout.worker-BzLzMfSU.js")),
]
