//! What Bolt over WebSocket would get around.

use super::{auth::ISSUER, file, refusal};
use crate::config::*;

const ON: &str = "[websocket]\nenabled = true\n";

#[test]
fn it_can_be_turned_on_where_the_database_decides_alone() {
    for text in ["", "[auth]\nimpersonation = 'any'", "[database]\nuri = 'bolt+s://db'"] {
        let settings = Settings::load(&file(&format!("{ON}{text}"))).expect("loads");
        assert!(settings.websocket.enabled);
    }
}

#[test]
fn every_setting_that_would_be_got_around_is_named() {
    for (text, named) in [
        ("[auth]\nbasic = 'refuse'", &["auth.basic = \"refuse\" (file b.toml:4)"][..]),
        ("[auth]\nanonymous = 'service'", &["auth.anonymous = \"service\""]),
        ("[auth]\nimpersonation = 'off'", &["auth.impersonation = \"off\""]),
        (ISSUER, &["auth.issuers.entra"]),
        ("[cypher]\nallow = []", &["cypher.allow = []"]),
        (
            "[auth]\nanonymous = 'refuse'\nbasic = 'refuse'\nbearer = 'refuse'",
            &["auth.anonymous = \"refuse\"", "auth.basic = \"refuse\"", "auth.bearer = \"refuse\""],
        ),
    ] {
        let refused = refusal(&file(&format!("{ON}{text}")));
        assert_eq!(refused.matches("cannot be used with").count(), named.len(), "{refused}");
        for named in named {
            let start = format!("websocket.enabled = true (file b.toml:2) cannot be used with {named}");
            assert!(refused.contains(&start), "{refused}");
        }
        assert!(Settings::load(&file(text)).is_ok(), "without it, they are good: {text}");
    }
}
