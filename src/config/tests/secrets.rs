//! Secrets among the settings: where they may come from, and that nothing shows them.

use super::auth::{ISSUER, SECRET, load};
use super::{env, file, refusal};
use crate::config::*;

#[test]
fn secrets_are_shown_by_nothing() {
    let service = format!("[auth]\nanonymous = 'service'\n[auth.service_account]\nuser = 'u'\npassword = '{SECRET}'\n");
    let text = format!("{service}{ISSUER}secret = '{SECRET}'\n");
    let effective = Effective::load(&file(&text)).expect("loads");
    assert_eq!(effective.settings.auth.service_account.password.expose(), SECRET);
    assert_eq!(effective.settings.auth.issuers["entra"].secret.expose(), SECRET);
    let printed = effective.to_string();
    assert!(printed.contains("password = \"(hidden)\"  # file b.toml:5"), "{printed}");
    for shown in [printed, format!("{effective:?}"), format!("{:#?}", effective.settings)] {
        assert!(!shown.contains(SECRET), "{shown}");
    }
    for wrong in [
        format!("[auth.service_account]\npassword = '{SECRET}'"),
        format!("[auth.service_account]\npassword = ['{SECRET}']"),
        format!("[auth.service_account]\npassword = {{ x = '{SECRET}' }}"),
        format!("[auth.service_account]\nread_only = false\npassword = '{SECRET}"),
        format!("[auth.service_account]\npassword = {SECRET}"),
        format!("[auth.service_account]\npassword = \"{SECRET}\\q\""),
        format!("[auth.service_account]\npassword = 'x' {SECRET}"),
        format!("[auth]\nservice_account = '{SECRET}'"),
        format!("[auth.issuers]\nsecret = '{SECRET}'"),
        format!("{ISSUER}secret = '{SECRET}'\nalgorithms = ['RS256']"),
        format!("{ISSUER}secret = '{}'", &SECRET[..8]),
        format!("{ISSUER}secret = '{SECRET}'\njwks_url = 'https://x'"),
    ] {
        let refusal = refusal(&file(&wrong));
        assert!(!refusal.contains(&SECRET[..8]), "{refusal}");
    }
    for variable in [
        "BOLTGATE_AUTH__SERVICE_ACCOUNT__PASSWORD",
        "BOLTGATE_AUTH__ISSUERS__A__SECRET",
        "BOLTGATE_AUTH__SERVICE_ACCOUNT",
    ] {
        let refusal = refusal(&env([(variable, SECRET)]));
        assert!(refusal.contains(variable) || refusal.contains("auth.issuers.a."), "{refusal}");
        assert!(!refusal.contains(SECRET), "{refusal}");
    }
    // Too large for TOML's numbers, one way or another.
    for number in ["9223372036854775808", "-9223372036854775809", "123456789012345678901234567890123456789012"] {
        let refusal = refusal(&file(&format!("[auth.service_account]\npassword = {number}")));
        assert!(refusal.starts_with("file b.toml:2: auth.service_account.password: contains a number"), "{refusal}");
        assert!(!refusal.contains(number), "{refusal}");
    }
    let number = load("[auth]\nanonymous = 'service'\n[auth.service_account]\nuser = 'u'\npassword = 12345");
    assert_eq!(number.auth.service_account.password.expose(), "12345");
}

#[test]
fn secrets_may_come_from_files_of_their_own() {
    let effective = Effective::load(&env([
        ("BOLTGATE_AUTH__BASIC", "service"),
        ("BOLTGATE_AUTH__ANONYMOUS", "service"),
        ("BOLTGATE_AUTH__SERVICE_ACCOUNT__USER", "gateway"),
        ("BOLTGATE_AUTH__SERVICE_ACCOUNT__PASSWORD_FILE", "/secret/key"),
        ("BOLTGATE_AUTH__ISSUERS__A__ISSUER", "me"),
        ("BOLTGATE_AUTH__ISSUERS__A__AUDIENCE", "*"),
        ("BOLTGATE_AUTH__ISSUERS__A__SECRET_FILE", "/secret/key"),
    ]))
    .expect("loads");
    assert_eq!(effective.settings.auth.service_account.password.expose(), SECRET);
    assert_eq!(effective.settings.auth.issuers["a"].secret.expose(), SECRET);
    let printed = effective.to_string();
    for line in [
        "password = \"(hidden)\"  # env BOLTGATE_AUTH__SERVICE_ACCOUNT__PASSWORD_FILE",
        "secret = \"(hidden)\"  # env BOLTGATE_AUTH__ISSUERS__A__SECRET_FILE",
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{line} is missing:\n{printed}");
    }
    // A key file is no secret's file.
    let settings = Settings::load(&env([
        ("BOLTGATE_AUTH__ISSUERS__A__ISSUER", "me"),
        ("BOLTGATE_AUTH__ISSUERS__A__AUDIENCE", "*"),
        ("BOLTGATE_AUTH__ISSUERS__A__KEY_FILE", "/secret/key"),
    ]))
    .expect("loads");
    assert_eq!(settings.auth.issuers["a"].key_file, Some("/secret/key".into()));
}

#[test]
fn what_was_printed_in_place_of_a_secret_is_no_secret() {
    let service = format!("[auth]\nanonymous = 'service'\n[auth.service_account]\nuser = 'u'\npassword = '{SECRET}'\n");
    let printed = Effective::load(&file(&service)).expect("loads").to_string();
    let line = 1 + printed.lines().position(|line| line.starts_with("password = ")).expect("is printed");
    assert_eq!(
        refusal(&file(&printed)),
        format!(
            "file b.toml:{line}: auth.service_account.password: \
             is what print-config prints in place of a secret; write the secret itself"
        )
    );
}
