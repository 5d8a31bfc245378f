//! Settings from every source: the order, the refusals and their words.

mod auth;
mod change;
mod console;
mod otel;
mod reference;
mod schema;
mod secrets;
mod sections;
mod websocket;

use std::ffi::OsString;
use std::io;
use std::path::Path;

use super::*;

pub(super) const DOCUMENTED: &str = include_str!("../../../config/boltgate.toml");

fn sources() -> Sources {
    fn read_file(path: &Path) -> io::Result<String> {
        match path.to_str() {
            Some("/secret/uri") => Ok("bolt://from-file\n".to_owned()),
            Some("/secret/crlf") => Ok("bolt://from-file\r\n".to_owned()),
            Some("/secret/key") => Ok(format!("{}\n", auth::SECRET)),
            _ => Err(io::Error::from(io::ErrorKind::NotFound)),
        }
    }
    Sources { file: None, env: Vec::new(), flags: Vec::new(), read_file }
}

pub(super) fn file(text: &str) -> Sources {
    let file = ConfigFile { path: "b.toml".to_owned(), text: text.to_owned() };
    Sources { file: Some(file), ..sources() }
}

pub(super) fn env<const N: usize>(variables: [(&str, &str); N]) -> Sources {
    let env = variables.map(|(name, value)| (OsString::from(name), OsString::from(value)));
    Sources { env: env.into(), ..sources() }
}

pub(super) fn refusal(sources: &Sources) -> String {
    Settings::load(sources).expect_err("must be refused").to_string()
}

#[test]
fn without_sources_the_defaults_hold_and_satisfy_every_rule() {
    assert_eq!(Settings::load(&sources()).expect("loads"), Settings::default());
}

#[test]
fn the_documented_file_sets_every_key_to_its_default() {
    let effective = Effective::load(&file(DOCUMENTED)).expect("loads");
    assert_eq!(effective.settings, Settings::default());
    let printed = effective.to_string();
    assert!(printed.lines().count() > 30, "{printed}");
    assert!(!printed.contains("# default"), "keys missing from the file:\n{printed}");
}

#[test]
fn the_documented_file_writes_defaults_as_the_gateway_prints_them() {
    let settings = |text: &str| -> Vec<String> {
        let is_setting = |line: &&str| !line.is_empty() && !line.starts_with('#');
        let lines = text.lines().filter(is_setting);
        lines.map(|line| line.split("  # ").next().unwrap_or(line).to_owned()).collect()
    };
    let printed = Effective::load(&sources()).expect("loads").to_string();
    assert_eq!(settings(DOCUMENTED), settings(&printed));
}

#[test]
fn the_documented_file_explains_every_key() {
    let lines: Vec<&str> = DOCUMENTED.lines().collect();
    for pair in lines.windows(2) {
        let [above, line] = pair else { continue };
        assert!(!line.contains(" = ") || line.starts_with('#') || above.starts_with('#'), "{line}");
    }
}

#[test]
fn flags_win_over_the_environment_and_the_environment_over_the_file() {
    let mut sources = env([("BOLTGATE_SERVER__LISTEN", "127.0.0.1:2"), ("BOLTGATE_LOG__FILTER", "warn")]);
    sources.file = file("[server]\nlisten = '127.0.0.1:1'\n[log]\nfilter = 'x'\nformat = 'json'").file;
    let value = "127.0.0.1:3".to_owned();
    sources.flags = vec![Override { key: "server.listen", flag: "--listen", value }];
    let effective = Effective::load(&sources).expect("loads");
    assert_eq!(effective.settings.server.listen.to_string(), "127.0.0.1:3");
    assert_eq!(effective.settings.log.filter, "warn");
    assert_eq!(effective.settings.log.format, LogFormat::Json);
    for (key, origin) in [
        ("server.listen", "flag --listen"),
        ("log.filter", "env BOLTGATE_LOG__FILTER"),
        ("log.format", "file b.toml:5"),
        ("database.uri", "default"),
    ] {
        assert_eq!(effective.origin(key).to_string(), origin);
    }
}

#[test]
fn what_is_printed_can_be_loaded_again() {
    let text = "[admin]\nlisten = '[::1]:9'\n[limits]\nbody = 3072\n[log]\nfilter = \"a='b',\\n\\\"c\\\"\"";
    let effective = Effective::load(&file(text)).expect("loads");
    let printed = effective.to_string();
    assert!(printed.contains("listen = \"[::1]:9\"  # file b.toml:2\n"), "{printed}");
    assert!(printed.contains("body = \"3KiB\"  # file b.toml:4\n"), "{printed}");
    assert_eq!(Settings::load(&file(&printed)).expect("loads"), effective.settings);
}

#[test]
fn every_key_can_be_set_by_its_variable() {
    let effective = Effective::load(&sources()).expect("loads");
    let table: toml::Table = toml::from_str(&effective.to_string()).expect("is TOML");
    let mut variables = Vec::new();
    for (key, value) in keys::leaves(&table) {
        let name = format!("BOLTGATE_{}", key.replace('.', "__").to_uppercase());
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        variables.push((OsString::from(name), OsString::from(text)));
    }
    assert!(variables.len() > 25);
    let printed = Effective::load(&Sources { env: variables, ..sources() }).expect("loads");
    assert_eq!(printed.settings, Settings::default());
    assert!(!printed.to_string().contains("# default"), "{printed}");
}

#[test]
fn a_value_can_come_from_a_file_that_a_variable_names() {
    for path in ["/secret/uri", "/secret/crlf"] {
        let settings = Settings::load(&env([("BOLTGATE_DATABASE__URI_FILE", path)])).expect(path);
        assert_eq!(settings.database.uri.to_string(), "bolt://from-file:7687");
    }
    let missing = refusal(&env([("BOLTGATE_DATABASE__URI_FILE", "/nope")]));
    assert!(missing.contains("BOLTGATE_DATABASE__URI_FILE: database.uri: cannot read /nope"), "{missing}");
    let twice = env([("BOLTGATE_DATABASE__URI", "bolt://db"), ("BOLTGATE_DATABASE__URI_FILE", "/secret/uri")]);
    let twice = refusal(&twice);
    assert!(twice.contains("BOLTGATE_DATABASE__URI and BOLTGATE_DATABASE__URI_FILE"), "{twice}");
}

#[test]
fn a_key_that_itself_ends_in_file_is_not_taken_for_a_file_variant() {
    let variables = [("BOLTGATE_DATABASE__URI", "bolt+s://db"), ("BOLTGATE_DATABASE__CA_FILE", "/etc/ca.pem")];
    let settings = Settings::load(&env(variables)).expect("loads");
    assert_eq!(settings.database.ca_file.as_deref(), Some(Path::new("/etc/ca.pem")));
}

#[test]
fn variables_that_are_no_settings_are_named_and_have_no_effect() {
    let Reading { effective, mistakes, ignored } = Effective::read(&env([
        ("BOLTGATE_SECRET_NAME", "s3cret"),
        ("BOLTGATE_COMPRESSION", "false"),
        ("BOLTGATE_DATABASE_URI", "bolt://db"),
        ("BOLTGATE_LISTEN", "0.0.0.0:80"),
        ("BOLTGATE_COLOUR", "red"),
    ]));
    assert!(mistakes.is_empty(), "{mistakes:?}");
    assert_eq!(effective.settings, Settings::default());
    let ignored: Vec<String> = ignored.iter().map(ToString::to_string).collect();
    assert_eq!(
        ignored,
        [
            "the environment variable BOLTGATE_SECRET_NAME is not a setting and has no effect",
            "the environment variable BOLTGATE_COMPRESSION is not a setting and has no effect; \
             did you mean `BOLTGATE_HTTP__COMPRESSION`?",
            "the environment variable BOLTGATE_DATABASE_URI is not a setting and has no effect; \
             did you mean `BOLTGATE_DATABASE__URI`?",
            "the environment variable BOLTGATE_LISTEN is not a setting and has no effect; \
             did you mean `BOLTGATE_SERVER__LISTEN`?",
            "the environment variable BOLTGATE_COLOUR is not a setting and has no effect",
        ]
    );
}

#[test]
fn variables_of_other_programs_are_not_mentioned() {
    let variables = [
        ("PATH", "/bin"),
        ("BOLTGATE_URL", "http://127.0.0.1:1"),
        ("BOLTGATE_DATABASE", "neo4j"),
        ("BOLTGATE_USER", "neo4j"),
        ("BOLTGATE_PASSWORD", "s3cret"),
        ("BOLTGATE_PASSWORD_FILE", "/run/password"),
        ("BOLTGATE_TOKEN", "s3cret"),
        ("BOLTGATE_TOKEN_FILE", "/run/token"),
        ("BOLTGATE_CONFIG", "elsewhere.toml"),
        ("BOLTGATE_SERVICE_HOST", "10.0.0.1"),
        ("BOLTGATE_SERVICE_PORT", "7474"),
        ("BOLTGATE_SERVICE_PORT_HTTP", "7474"),
        ("BOLTGATE_PORT", "tcp://10.0.0.1:7474"),
        ("BOLTGATE_PORT_7474_TCP", "tcp://10.0.0.1:7474"),
        ("BOLTGATE_PORT_7474_TCP_PROTO", "tcp"),
        ("BOLTGATE_ADMIN_PORT_7475_TCP_ADDR", "10.0.0.1"),
    ];
    let Reading { effective, mistakes, ignored } = Effective::read(&env(variables));
    assert_eq!(effective.settings, Settings::default());
    assert!(mistakes.is_empty() && ignored.is_empty(), "{mistakes:?} {ignored:?}");
}

#[test]
fn all_mistakes_are_found_at_once() {
    let mut sources = env([("BOLTGATE_DATABASE__URI_FILE", "/nope"), ("BOLTGATE_LOG__FORMAT", "xml")]);
    let text = "[server]\nlisen = 'x'\nbody_timeout = 30\n[limits]\nbody = '2GiB'";
    sources.file = file(text).file;
    let said = refusal(&sources);
    let mistakes: Vec<&str> = said.lines().collect();
    assert_eq!(mistakes.len(), 5 + 1, "{said}");
    assert_eq!(mistakes[0], "the settings have 5 mistakes:");
    for (mistake, place) in mistakes[1..].iter().zip([
        "  file b.toml:2: there is no setting `server.lisen`",
        "  file b.toml:3: server.body_timeout: `30`",
        "  env BOLTGATE_DATABASE__URI_FILE: database.uri: cannot read /nope",
        "  env BOLTGATE_LOG__FORMAT: log.format",
        "  limits.body = \"2GiB\" (file b.toml:5) must not exceed 1GiB",
    ]) {
        assert!(mistake.starts_with(place), "{place}: {said}");
    }
}

#[test]
fn a_contradiction_is_found_beside_mistakes_unless_its_values_are_in_doubt() {
    let contradiction = "[transactions]\nmax = 9\n[database]\nmax_connections = 9\n";
    for (beside, count) in [
        ("[log]\nformat = 'xml'", 2),
        // Perhaps the other number was meant to be larger.
        ("caller_share = 0", 2),
        ("max_conections = 20", 1),
    ] {
        let said = refusal(&file(&format!("{contradiction}{beside}")));
        assert_eq!(said.lines().count(), if count == 1 { 1 } else { count + 1 }, "{beside}: {said}");
    }
    let wrong = refusal(&file("[transactions]\nmax = 200\n[database]\nmax_connections = 0"));
    assert!(wrong.starts_with("file b.toml:4: database.max_connections: 0 is out of range"), "{wrong}");
}

#[test]
fn a_default_gives_way_to_a_value_that_was_set() {
    for (text, key, value, from) in [
        ("database.max_connections = 20", "transactions.max", "10", "database.max_connections"),
        ("database.max_connections = 2", "transactions.max", "1", "database.max_connections"),
        ("transactions.max = 100", "database.max_connections", "200", "transactions.max"),
        ("transactions.idle_timeout = '11m'", "transactions.max_lifetime", "\"11m\"", "transactions.idle_timeout"),
        ("transactions.max_lifetime = '30s'", "transactions.idle_timeout", "\"30s\"", "transactions.max_lifetime"),
        ("idempotency.capacity = '1023KiB'", "idempotency.max_answer", "\"1023KiB\"", "idempotency.capacity"),
        ("idempotency.max_answer = '1GiB'", "idempotency.capacity", "\"1GiB\"", "idempotency.max_answer"),
        ("limits.body_memory = '63MiB'", "limits.body", "\"63MiB\"", "limits.body_memory"),
        ("limits.body_memory = '1KiB'", "limits.line", "\"1KiB\"", "limits.body_memory"),
        ("limits.body = '1GiB'", "limits.body_memory", "\"1GiB\"", "limits.body"),
        ("limits.line = '1GiB'", "limits.body_memory", "\"1GiB\"", "limits.line"),
    ] {
        let effective = Effective::load(&file(text)).expect(text);
        let (_, name) = key.rsplit_once('.').expect("it is in a section");
        let line = format!("{name} = {value}  # derived from {from}\n");
        assert!(effective.to_string().contains(&line), "{text}: {line} is missing:\n{effective}");
    }
    // A suitable default stays one.
    let effective = Effective::load(&file("database.max_connections = 51")).expect("loads");
    assert_eq!(effective.origin("transactions.max"), &Origin::Default);
}

#[test]
fn unknown_names_are_refused_with_their_place_and_the_nearest_name() {
    for (sources, message) in [
        (
            file("[server]\n\nlisen = 'x'"),
            "file b.toml:3: there is no setting `server.lisen`; did you mean `server.listen`?",
        ),
        (file("[sever]\nlisten = 'x'"), "file b.toml:1: there is no setting `sever`; did you mean `server`?"),
        (
            file("[log]\nformat = 'json'\ncolour = 1"),
            "file b.toml:3: there is no setting `log.colour`; config/boltgate.toml lists all settings",
        ),
        (
            env([("BOLTGATE_SERVER__LISTEM", "0.0.0.0:80")]),
            "env BOLTGATE_SERVER__LISTEM: there is no setting `BOLTGATE_SERVER__LISTEM`; \
             did you mean `BOLTGATE_SERVER__LISTEN`?",
        ),
        (
            env([("BOLTGATE_CACHE__SIZE", "1")]),
            "env BOLTGATE_CACHE__SIZE: there is no setting `BOLTGATE_CACHE__SIZE`; \
             config/boltgate.toml lists all settings",
        ),
    ] {
        assert_eq!(refusal(&sources), message);
    }
}

#[test]
fn wrong_types_and_ranges_are_refused_with_their_place() {
    for (sources, message) in [
        (
            file("[transactions]\nmax = '5'"),
            "file b.toml:2: transactions.max: expected a whole number, found a string in quotes",
        ),
        (file("[log]\nfilter = true"), "file b.toml:2: log.filter: expected a string in quotes, found true or false"),
        (file("server = 1"), "file b.toml:1: server: is a section; write its keys below [server]"),
        (
            env([("BOLTGATE_TRANSACTIONS__MAX", "many")]),
            "env BOLTGATE_TRANSACTIONS__MAX: transactions.max: \
             expected a whole number, found `many`",
        ),
        (
            env([("BOLTGATE_TRANSACTIONS__MAX", "0")]),
            "env BOLTGATE_TRANSACTIONS__MAX: transactions.max: \
             0 is out of range; write a whole number from 1 to 4294967295",
        ),
        (
            file("[log]\nformat = 'xml'"),
            "file b.toml:2: log.format: `xml` is not one of its values; write `pretty` or `json`",
        ),
        (
            file("[server]\nheader_timeout = 30"),
            "file b.toml:2: server.header_timeout: `30` is not a time span; \
             write a whole number and a unit (ms, s, m, h), such as \"500ms\", \"30s\" or \"1h\"",
        ),
        (file("[limits]\nbody = 0"), "file b.toml:2: limits.body: must be more than zero bytes"),
        (
            file("[limits]\nbody = 99999999999999999999"),
            "file b.toml:2: limits.body: contains a number that is too large; \
             write a smaller number, or a text in quotes",
        ),
        (
            file("[server]\nallowed_hosts = ['h:80']"),
            "file b.toml:2: server.allowed_hosts: `h:80` is not a host; write a name or an IP address without a port, \
             such as \"graph.example.com\", \"*.example.com\" for all names below, or \"*\" for any",
        ),
        (
            env([("BOLTGATE_CORS__ALLOWED_ORIGINS", "https://a.example,null")]),
            "env BOLTGATE_CORS__ALLOWED_ORIGINS: cors.allowed_origins: \"null\" cannot be allowed, \
             because every sandboxed page and every local file has this origin; remove it",
        ),
        (file("[log]\nx = = 1"), "b.toml:2: not valid TOML: extra `=`, expected nothing"),
    ] {
        assert_eq!(refusal(&sources), message);
    }
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    for (sources, message) in [
        (
            file("[database]\nmax_connections = 50\n[transactions]\nmax = 50"),
            "transactions.max = 50 (file b.toml:4) must be less than \
             database.max_connections = 50 (file b.toml:2): \
             every open transaction holds a connection, and other statements need some too",
        ),
        (
            file("[database]\nmax_connections = 1"),
            "database.max_connections = 1 (file b.toml:2) must be at least 2: \
             every open transaction holds a connection, and other statements need one too",
        ),
        (
            env([("BOLTGATE_TRANSACTIONS__IDLE_TIMEOUT", "11m"), ("BOLTGATE_TRANSACTIONS__MAX_LIFETIME", "10m")]),
            "transactions.idle_timeout = \"11m\" (env BOLTGATE_TRANSACTIONS__IDLE_TIMEOUT) \
             must not exceed transactions.max_lifetime = \"10m\" (env BOLTGATE_TRANSACTIONS__MAX_LIFETIME): \
             a transaction would reach its maximum lifetime first",
        ),
        (
            file("database = { uri = 'bolt+ssc://db', ca_file = 'ca.pem' }"),
            "database.ca_file = \"ca.pem\" (file b.toml:1) has no effect with \
             database.uri = \"bolt+ssc://db\" (file b.toml:1): \
             only bolt+s:// verifies a certificate; change the scheme or remove ca_file",
        ),
        (
            file("[admin]\nlisten = '127.0.0.1:7474'"),
            "admin.listen = \"127.0.0.1:7474\" (file b.toml:2) must differ from \
             server.listen = \"127.0.0.1:7474\" (default): each listener needs an address of its own",
        ),
        (
            file("[cypher]\nallow = ['user:alice', 'claim:roles=analyst']"),
            "cypher.allow = [\"user:alice\", \"claim:roles=analyst\"] (file b.toml:2) names a claim, but no token is \
             verified; add the issuer of the tokens in [auth.issuers.NAME]",
        ),
        (
            file("[cors]\nallowed_origins = ['*']\ncredentials = true"),
            "cors.credentials = true (file b.toml:3) cannot be used with \
             cors.allowed_origins = [\"*\"] (file b.toml:2): \
             any web page could act as the user of the browser; list the origins",
        ),
        (
            file("[server.tls]\ncertificate = 'c.pem'"),
            "server.tls.certificate = \"c.pem\" (file b.toml:2) has no effect without server.tls.key; set both or neither",
        ),
        (
            env([("BOLTGATE_SERVER__TLS__KEY", "k.pem")]),
            "server.tls.key = \"k.pem\" (env BOLTGATE_SERVER__TLS__KEY) has no effect without server.tls.certificate; \
             set both or neither",
        ),
        (
            file("[server.tls]\nclient_ca = 'ca.pem'"),
            "server.tls.client_ca = \"ca.pem\" (file b.toml:2) has no effect without server.tls.certificate; set both or \
             neither",
        ),
        (
            file("[server.tls]\ncertificate = 'c.pem'\nkey = 'k.pem'\nclient_auth = 'request'"),
            "server.tls.client_auth = \"request\" (file b.toml:4) has no effect without server.tls.client_ca; set both or \
             neither",
        ),
        (
            file("[admin]\ntoken = 'two words'"),
            "admin.token = \"(hidden)\" (file b.toml:2) must consist of visible ASCII characters, because it is sent in a \
             header",
        ),
        (
            file("[limits]\nbody_memory = '63MiB'\nbody = '64MiB'"),
            "limits.body_memory = \"63MiB\" (file b.toml:2) must be at least limits.body = \"64MiB\" (file b.toml:3): \
             the largest body would never fit",
        ),
        (
            file("[limits]\nline = '1GiB'\nbody_memory = '512MiB'"),
            "limits.body_memory = \"512MiB\" (file b.toml:3) must be at least limits.line = \"1GiB\" (file b.toml:2): \
             the longest line would never fit",
        ),
        (
            file("[limits]\nbody = '1025MiB'\nbody_memory = '2GiB'"),
            "limits.body = \"1025MiB\" (file b.toml:2) must not exceed 1GiB: \
             send more data as a bulk load, which has no limit in total",
        ),
        (
            file("[retry]\ninitial_delay = '4ms'"),
            "retry.initial_delay = \"4ms\" (file b.toml:2) must be at least 5ms: \
             attempts without a pause only add to the load",
        ),
        (
            file("[limits]\ndepth = 1001"),
            "limits.depth = 1001 (file b.toml:2) must not exceed 1000: \
             deeper nesting could exhaust a thread's stack",
        ),
    ] {
        assert_eq!(refusal(&sources), message);
    }
}

#[test]
fn bytes_that_are_not_text_are_refused_by_the_variables_name() {
    use std::os::unix::ffi::OsStringExt;

    let bytes = || OsString::from_vec(vec![0xff]);
    let mut sources = env([]);
    sources.env.push(("BOLTGATE_CONFIG".into(), bytes()));
    sources.env.push(("PATH".into(), bytes()));
    assert!(Settings::load(&sources).is_ok(), "neither is a setting");
    sources.env.push(("BOLTGATE_LOG__FILTER".into(), bytes()));
    assert_eq!(refusal(&sources), "environment variable BOLTGATE_LOG__FILTER is not UTF-8 text");
}
