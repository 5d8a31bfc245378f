//! The settings of `[auth]`: sections that the operator names, lists, and what contradicts itself.

use std::time::Duration;

use super::{DOCUMENTED, env, file, refusal};
use crate::config::*;

pub(super) const ISSUER: &str = "[auth.issuers.entra]\nissuer = 'https://idp.example'\naudience = ['graph']\n";
pub(super) const SECRET: &str = "correct-horse-battery-staple-0123456789";

pub(super) fn load(text: &str) -> Settings {
    Settings::load(&file(text)).expect("loads")
}

/// The example issuer of the documented file, without its `#`.
fn documented_issuer() -> String {
    let example = DOCUMENTED.lines().skip_while(|line| *line != "#   [auth.issuers.NAME]");
    let lines = example.map_while(|line| line.strip_prefix('#')).map(str::trim_start);
    lines.collect::<Vec<_>>().join("\n").replace("NAME", "name")
}

#[test]
fn the_documented_issuer_has_every_key_with_its_default() {
    let text = documented_issuer();
    let has_to_be_set = [("issuer = \"\"", "issuer = \"https://i\""), ("audience = []", "audience = [\"*\"]")];
    let text = has_to_be_set.iter().fold(text, |text, (default, value)| text.replace(default, value));
    let expected = Issuer { issuer: "https://i".to_owned(), audience: vec!["*".to_owned()], ..Issuer::default() };
    let effective = Effective::load(&file(&text)).expect("loads");
    assert_eq!(effective.settings.auth.issuers, [("name".to_owned(), expected)].into());
    let printed = effective.to_string();
    let section = printed.split("\n\n").find(|section| section.contains("[auth.issuers.name]")).expect("is printed");
    assert!(!section.contains("# default"), "keys missing from the file:\n{section}");
}

#[test]
fn issuers_come_from_the_environment_too() {
    let settings = Settings::load(&env([
        ("BOLTGATE_AUTH__ISSUERS__MY_IDP__ISSUER", "https://idp.example"),
        ("BOLTGATE_AUTH__ISSUERS__MY_IDP__AUDIENCE", "graph, other"),
        ("BOLTGATE_AUTH__ISSUERS__MY_IDP__ALGORITHMS", "[\"ES256\", \"EdDSA\"]"),
        ("BOLTGATE_AUTH__REQUEST_SCHEMES", "oidc-okta,saml-okta"),
        ("BOLTGATE_AUTH__IMPERSONATION_LIST", ""),
    ]))
    .expect("loads");
    let issuer = &settings.auth.issuers["my_idp"];
    assert_eq!(issuer.issuer, "https://idp.example");
    assert_eq!(issuer.audience, ["graph", "other"]);
    assert_eq!(issuer.algorithms, [Algorithm::ES256, Algorithm::EdDSA]);
    let schemes: Vec<_> = settings.auth.request_schemes.iter().map(Scheme::as_str).collect();
    assert_eq!(schemes, ["oidc-okta", "saml-okta"]);
}

#[test]
fn unknown_keys_of_an_issuer_are_named() {
    for (sources, message) in [
        (
            file("[auth.issuers.a]\naudiense = []"),
            "file b.toml:2: there is no setting `auth.issuers.a.audiense`; did you mean `auth.issuers.a.audience`?",
        ),
        (
            env([("BOLTGATE_AUTH__ISSUERS__A__ISUER", "x")]),
            "env BOLTGATE_AUTH__ISSUERS__A__ISUER: there is no setting `BOLTGATE_AUTH__ISSUERS__A__ISUER`; \
             did you mean `BOLTGATE_AUTH__ISSUERS__A__ISSUER`?",
        ),
        (
            file("[auth.issuers.Entra]\nissuer = 'x'"),
            "file b.toml:1: auth.issuers.Entra: is not a name for a section; write up to 32 of a-z, 0-9, - and _",
        ),
        (
            file("[auth.issuers.'*']\nissuer = 'x'"),
            "file b.toml:1: auth.issuers.*: is not a name for a section; write up to 32 of a-z, 0-9, - and _",
        ),
        (
            env([("BOLTGATE_AUTH__ISSUERS__*__ISSUER", "x")]),
            "env BOLTGATE_AUTH__ISSUERS__*__ISSUER: there is no setting `BOLTGATE_AUTH__ISSUERS__*__ISSUER`; \
             did you mean `BOLTGATE_AUTH__ISSUERS__NAME__ISSUER`?",
        ),
    ] {
        assert_eq!(refusal(&sources), message);
    }
}

#[test]
fn an_issuer_without_keys_is_not_left_out_in_silence() {
    for text in ["[auth.issuers.entra]", "[auth.issuers]\nentra = {}"] {
        let refusal = refusal(&file(text));
        assert!(refusal.contains("auth.issuers.entra: is an empty section; write its keys"), "{refusal}");
    }
    assert_eq!(load("[auth.issuers]"), Settings::default());
}

#[test]
fn an_issuer_may_stand_in_the_file_and_the_environment_and_is_printed_with_both() {
    let mut sources = env([
        ("BOLTGATE_AUTH__ISSUERS__ENTRA__AUDIENCE", "a,b"),
        ("BOLTGATE_AUTH__ISSUERS__NAME__ISSUER", "https://other.example"),
        ("BOLTGATE_AUTH__ISSUERS__NAME__AUDIENCE", "[\"c,\\n\\\"d\\\"\"]"),
    ]);
    sources.file = file(&format!("{ISSUER}scheme = 'oidc-entra-id'")).file;
    let effective = Effective::load(&sources).expect("loads");
    assert_eq!(effective.settings.auth.issuers["name"].audience, ["c,\n\"d\""]);
    let printed = effective.to_string();
    for line in [
        "[auth.issuers.entra]",
        "issuer = \"https://idp.example\"  # file b.toml:2",
        "audience = [\"a\", \"b\"]  # env BOLTGATE_AUTH__ISSUERS__ENTRA__AUDIENCE",
        "scheme = \"oidc-entra-id\"  # file b.toml:4",
        "[auth.issuers.name]",
        "issuer = \"https://other.example\"  # env BOLTGATE_AUTH__ISSUERS__NAME__ISSUER",
        "user_claim = \"\"  # default",
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{line} is missing:\n{printed}");
    }
    assert_eq!(load(&printed), effective.settings);
}

#[test]
fn lists_in_the_environment_are_in_brackets_or_have_commas() {
    for (text, expected) in
        [("", &[][..]), (" , ", &[]), ("a", &["a"]), (" a , b-2,", &["a", "b-2"]), ("['a']", &["a"])]
    {
        let mut sources = env([("BOLTGATE_AUTH__REQUEST_SCHEMES", text)]);
        sources.file = file("[auth]\nrequest_schemes = ['file']").file;
        let settings = Settings::load(&sources).expect(text);
        let schemes: Vec<_> = settings.auth.request_schemes.iter().map(Scheme::as_str).collect();
        assert_eq!(schemes, expected, "{text:?}");
    }
    for (sources, part) in [
        (env([("BOLTGATE_AUTH__REQUEST_SCHEMES", "[a]")]), "expected a list in brackets, found `[a]`"),
        (file("[auth]\nrequest_schemes = 'a'"), "expected a list in brackets, found a string in quotes"),
    ] {
        let refusal = refusal(&sources);
        assert!(refusal.contains(part), "{refusal}");
    }
}

#[test]
fn values_are_refused_with_what_to_write_instead() {
    for (text, part) in [
        ("[auth]\nbearer_scheme = 'basic'", "`basic` is not a scheme for tokens"),
        ("[auth]\nbearer_scheme = 'a b'", "is not a login scheme"),
        ("[auth]\nrequest_schemes = ['oidc-okta', 'none']", "`none` is not a scheme for tokens"),
        ("[auth.issuers.a]\nscheme = 'basic'", "`basic` is not a scheme for tokens"),
        ("[auth.issuers.a]\nalgorithms = ['none']", "`none` is not one of its values"),
        ("[auth]\nid_token_header = 'a b'", "is not the name of a header"),
        ("[auth]\nid_token_header = ''", "is not the name of a header"),
        ("[auth]\nimpersonation_list = ['alice']", "is not a rule; write \"who -> whom\""),
        ("[auth]\nimpersonation = 'all'", "`all` is not one of its values"),
        ("[database]\ncaller_share = 0", "from 1 to 100"),
        ("[database]\ncaller_share = 101", "from 1 to 100"),
        ("[database]\nlogin_age = '0'", "is not a time span"),
        ("[database]\nlogin_age = '-1s'", "is not a time span"),
    ] {
        let refusal = refusal(&file(text));
        assert!(refusal.contains(part), "{text}: {refusal}");
    }
}

#[test]
fn headers_that_have_a_meaning_are_not_free() {
    let names = ["Authorization", "ACCEPT", "content-type", "Host", "Realm", "Cookie", "Connection", "X-Request-Id"];
    for name in names.into_iter().chain(["Boltgate-Statuses", "Idempotency-Key"]) {
        let refusal = refusal(&file(&format!("[auth]\nid_token_header = '{name}'")));
        assert!(refusal.contains(&format!("`{name}` has a meaning of its own")), "{refusal}");
    }
    let longest = "X".repeat(64);
    let text = |name: &str| format!("[auth]\nid_token_header = '{name}'");
    assert_eq!(load(&text(&longest)).auth.id_token_header.as_str(), longest);
    assert!(refusal(&file(&text(&format!("{longest}X")))).contains("up to 64"));
}

#[test]
fn spans_that_may_be_zero_and_shares() {
    for zero in ["0s", "0ms", "0h", "00m"] {
        let settings = load(&format!("[auth]\nleeway = '{zero}'"));
        assert!(settings.auth.leeway.get().is_zero() && settings.auth.leeway.to_string() == "0s", "{zero}");
    }
    let settings = load("[database]\nlogin_age = '0s'\ncaller_share = 1\n[auth]\nleeway = '1500ms'");
    assert!(settings.database.login_age.get().is_zero());
    assert_eq!(settings.auth.leeway.get(), Duration::from_millis(1500));
    let share = settings.database.caller_share;
    assert_eq!([share.of(1), share.of(100), share.of(101)], [1, 1, 2]);
    assert_eq!(Settings::default().database.caller_share.of(100), 80);
}

#[test]
fn rules_of_impersonation() {
    let text = "[auth]\nimpersonation = 'list'\nimpersonation_list = ['support->alice', '* -> reader', 'root -> *']";
    let rule = |who: Option<&str>, whom: Option<&str>| ImpersonationRule {
        who: who.map(Into::into),
        whom: whom.map(Into::into),
    };
    let expected = [rule(Some("support"), Some("alice")), rule(None, Some("reader")), rule(Some("root"), None)];
    assert_eq!(load(text).auth.impersonation_list, expected);
}

#[test]
fn policies_that_contradict_themselves_are_refused() {
    for (text, key, part) in [
        ("[auth]\nbasic = 'service'".to_owned(), "auth.basic", "nobody checks the password"),
        ("[auth]\nbearer = 'service'".to_owned(), "auth.bearer", "nobody checks the token"),
        (format!("[auth]\nbearer = 'refuse'\n{ISSUER}"), "auth.bearer", "has no effect"),
        ("[auth.service_account]\nuser = 'u'".to_owned(), "auth.service_account.user", "has no effect"),
        ("[auth.service_account]\nread_only = true".to_owned(), "auth.service_account.read_only", "has no effect"),
        ("[auth]\nimpersonation = 'list'".to_owned(), "auth.impersonation", "needs rules"),
        ("[auth]\nimpersonation_list = ['a -> b']".to_owned(), "auth.impersonation_list", "has no effect"),
        ("[auth.issuers.a]\naudience = ['x']".to_owned(), "auth.issuers.a.issuer", "must be set"),
        ("[auth.issuers.a]\nissuer = 'https://i'".to_owned(), "auth.issuers.a.audience", "must be set"),
        (ISSUER.replace("graph", ""), "auth.issuers.entra.audience", "contains an empty text"),
        (
            format!("{ISSUER}jwks_url = 'https://x'\nkey_file = 'k'"),
            "auth.issuers.entra.issuer",
            "more than one source",
        ),
        (format!("{ISSUER}key_file = 'k'\nallow_http = true"), "auth.issuers.entra.allow_http", "has no effect"),
        (format!("{ISSUER}secret = '{}'", &SECRET[..31]), "auth.issuers.entra.secret", "shorter than 32 bytes"),
        (
            format!("{ISSUER}secret = '{SECRET}'\nalgorithms = ['HS256', 'RS256']"),
            "auth.issuers.entra.algorithms",
            "which has only HS256, HS384 and HS512",
        ),
        (
            "[auth.service_account]\npassword = 'p'".to_owned(),
            "auth.service_account.password",
            "auth.service_account.user is empty",
        ),
        (ISSUER.replace("https", "http"), "auth.issuers.entra.issuer", "set allow_http"),
        (format!("{ISSUER}jwks_url = 'http://x'"), "auth.issuers.entra.jwks_url", "does not begin with https://"),
        (format!("{ISSUER}algorithms = ['HS256']"), "auth.issuers.entra.algorithms", "need `secret`"),
        (format!("{ISSUER}key_file = 'k.pem'\nca_file = 'c.pem'"), "auth.issuers.entra.ca_file", "has no effect"),
        (format!("{ISSUER}user_claim = '/a~b'"), "auth.issuers.entra.user_claim", "is not a JSON pointer"),
        (format!("{ISSUER}{}", ISSUER.replace("entra", "other")), "auth.issuers.entra.issuer", "remove one of them"),
    ] {
        let refusal = refusal(&file(&text));
        let is_it = |line: &str| line.trim_start().starts_with(&format!("{key} = ")) && line.contains(part);
        assert!(refusal.lines().any(is_it), "{text}: {refusal}");
    }
    for good in [
        "[auth]\nanonymous = 'service'\nbasic = 'service'\nbearer = 'service'".to_owned(),
        format!("[auth]\nbearer = 'service'\n{ISSUER}user_claim = '/realm/user'"),
        format!("{ISSUER}algorithms = ['HS512']\nsecret = '{SECRET}'").replace("https://idp.example", "me"),
        format!("{ISSUER}secret = '{}'", &SECRET[..32]),
        format!("{ISSUER}allow_http = true\nca_file = 'c.pem'").replace("https", "http"),
        format!("{ISSUER}jwks_url = 'http://x'\nallow_http = true").replace("https://idp.example", "me"),
        // The connection ends first.
        "[database]\nlogin_age = '1h'\nmax_lifetime = '1s'".to_owned(),
    ] {
        load(&good);
    }
}
