//! The settings of `[auth]`: sections that the operator names, lists, secrets, and what contradicts itself.

use super::tests::{DOCUMENTED, env, file, refusal};
use super::*;

const ISSUER: &str = "[auth.issuers.entra]\nissuer = 'https://idp.example'\naudience = ['graph']\n";
const SECRET: &str = "correct-horse-battery-staple-0123456789";

fn load(text: &str) -> Settings {
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
            "file b.toml:1: auth.issuers.Entra: is no name for a section; write up to 32 of a-z, 0-9, - and _",
        ),
    ] {
        assert_eq!(refusal(&sources), message);
    }
}

#[test]
fn values_are_refused_with_what_to_write_instead() {
    for (text, part) in [
        ("[auth]\nbearer_scheme = 'basic'", "`basic` is no scheme for tokens"),
        ("[auth]\nbearer_scheme = 'a b'", "is not a login scheme"),
        ("[auth]\nid_token_header = 'Authorization'", "has a meaning of its own"),
        ("[auth]\nid_token_header = 'a b'", "is not the name of a header"),
        ("[auth]\nimpersonation_list = ['alice']", "is not a rule; write \"who -> whom\""),
        ("[auth]\nimpersonation = 'all'", "unknown variant `all`"),
        ("[database]\ncaller_share = 0", "from 1 to 100"),
        ("[database]\nlogin_age = '-1s'", "is not a time span"),
    ] {
        let refusal = refusal(&file(text));
        assert!(refusal.contains(part), "{text}: {refusal}");
    }
}

#[test]
fn spans_that_may_be_zero_and_shares() {
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
        format!("{ISSUER}secret = '{SECRET}'\nalgorithms = ['RS256']"),
        format!("{ISSUER}secret = '{}'", &SECRET[..8]),
        format!("{ISSUER}secret = '{SECRET}'\njwks_url = 'https://x'"),
    ] {
        let refusal = refusal(&file(&wrong));
        assert!(!refusal.contains(&SECRET[..8]), "{refusal}");
    }
    assert!(!refusal(&env([("BOLTGATE_AUTH__SERVICE_ACCOUNT__PASSWORD", SECRET)])).contains(SECRET));
    let number = load("[auth]\nanonymous = 'service'\n[auth.service_account]\nuser = 'u'\npassword = 12345");
    assert_eq!(number.auth.service_account.password.expose(), "12345");
}

#[test]
fn what_was_printed_in_place_of_a_secret_is_no_secret() {
    let refusal = refusal(&file("[auth.service_account]\npassword = '(hidden)'"));
    assert!(refusal.contains("put the secret itself back"), "{refusal}");
}

#[test]
fn policies_that_contradict_themselves_are_refused() {
    for (text, key, part) in [
        ("[auth]\nbasic = 'service'".to_owned(), "auth.basic", "nobody checks the password"),
        ("[auth]\nbearer = 'service'".to_owned(), "auth.bearer", "nobody checks the token"),
        (format!("[auth]\nbearer = 'refuse'\n{ISSUER}"), "auth.bearer", "without effect"),
        ("[auth.service_account]\nuser = 'u'".to_owned(), "auth.service_account.user", "without effect"),
        ("[auth.service_account]\nread_only = true".to_owned(), "auth.service_account.read_only", "without effect"),
        ("[auth]\nimpersonation = 'list'".to_owned(), "auth.impersonation", "needs rules"),
        ("[auth]\nimpersonation_list = ['a -> b']".to_owned(), "auth.impersonation_list", "without effect"),
        ("[auth.issuers.a]\naudience = ['x']".to_owned(), "auth.issuers.a.issuer", "has to be set"),
        ("[auth.issuers.a]\nissuer = 'https://i'".to_owned(), "auth.issuers.a.audience", "has to be set"),
        (ISSUER.replace("https", "http"), "auth.issuers.entra.issuer", "set allow_http"),
        (format!("{ISSUER}jwks_url = 'http://x'"), "auth.issuers.entra.jwks_url", "does not begin with https://"),
        (format!("{ISSUER}algorithms = ['HS256']"), "auth.issuers.entra.algorithms", "need `secret`"),
        (format!("{ISSUER}key_file = 'k.pem'\nca_file = 'c.pem'"), "auth.issuers.entra.ca_file", "without effect"),
        (format!("{ISSUER}user_claim = '/a~b'"), "auth.issuers.entra.user_claim", "no JSON pointer"),
        (format!("{ISSUER}{}", ISSUER.replace("entra", "other")), "auth.issuers.entra.issuer", "keep one of them"),
    ] {
        let refusal = refusal(&file(&text));
        assert!(refusal.starts_with(&format!("{key} = ")) && refusal.contains(part), "{text}: {refusal}");
    }
    for good in [
        "[auth]\nanonymous = 'service'\nbasic = 'service'\nbearer = 'service'".to_owned(),
        format!("[auth]\nbearer = 'service'\n{ISSUER}user_claim = '/realm/user'"),
        format!("{ISSUER}algorithms = ['HS512']\nsecret = '{SECRET}'").replace("https://idp.example", "me"),
    ] {
        load(&good);
    }
}
