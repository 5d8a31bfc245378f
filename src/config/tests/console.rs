//! The settings of `[console]`: a sign-in that lacks something.

use super::{auth::ISSUER, file, refusal};
use crate::config::Settings;

#[test]
fn a_sign_in_has_an_issuer_that_is_known_and_a_client() {
    for (text, message) in [
        (
            "[console]\noidc_client_id = 'c'",
            "console.oidc_client_id = \"c\" (file b.toml:2) has no effect without console.oidc_issuer; set both or neither",
        ),
        (
            "[console]\noidc_issuer = 'entra'",
            "console.oidc_issuer = \"entra\" (file b.toml:2) needs console.oidc_client_id, the console's name at that issuer",
        ),
        (
            "[console]\noidc_issuer = 'entra'\noidc_client_id = 'c'",
            "console.oidc_issuer = \"entra\" (file b.toml:2) must be the NAME of a section [auth.issuers.NAME], and there is \
             none",
        ),
        (
            &format!("[console]\noidc_issuer = 'https://idp.example'\noidc_client_id = 'c'\n{ISSUER}"),
            "console.oidc_issuer = \"https://idp.example\" (file b.toml:2) must be the NAME of a section \
             [auth.issuers.NAME], and there is entra",
        ),
    ] {
        assert_eq!(refusal(&file(text)), message, "{text}");
    }
    let whole = format!("[console]\noidc_issuer = 'entra'\noidc_client_id = 'c'\n{ISSUER}");
    assert!(Settings::load(&file(&whole)).is_ok());
}
