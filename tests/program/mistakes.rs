//! What a newcomer gets wrong with flags, settings, files and addresses, and what the program says: a table.
//!
//! Each answer says what was wrong, where, and what to do. Texts are exact but for `{dir}`, the folder of the test's files,
//! `{port}`, a port that is taken, and `{…}`, the system's own words.
#![cfg(all(feature = "embedded", unix))]

use std::{fs, net::TcpListener, path::Path};

use crate::support::process::{boltgate, texts};

/// The whole command line, with `NAME=VALUE` of the environment before it; the content of `b.toml`; the exit code; the
/// text.
type Mistake = (&'static str, &'static str, i32, &'static str);

/// Checks the file.
const FILE: &str = "check-config {dir}/b.toml";

const MISTAKES: &[Mistake] = &[
    // Files.
    (
        "check-config {dir}/nope.toml",
        "",
        1,
        "boltgate: cannot read the configuration file {dir}/nope.toml: No such file or directory (os error 2); \
         `boltgate --example-config` prints one to begin with",
    ),
    (
        "check-config {dir}",
        "",
        1,
        "boltgate: cannot read the configuration file {dir}: Is a directory (os error 21); \
         `boltgate --example-config` prints one to begin with",
    ),
    (FILE, "[log]\nformat = 'json'\nformat = 'pretty'", 1, "boltgate: {dir}/b.toml:3: not valid TOML: duplicate key"),
    (FILE, "[server", 1, "boltgate: {dir}/b.toml:1: not valid TOML: unclosed table, expected `]`"),
    (
        FILE,
        "[server]\nlisen = 'x'",
        1,
        "boltgate: file {dir}/b.toml:2: there is no setting `server.lisen`; did you mean `server.listen`?",
    ),
    (FILE, "[sever]", 1, "boltgate: file {dir}/b.toml:1: there is no setting `sever`; did you mean `server`?"),
    // Values.
    (
        FILE,
        "[server]\nidle_timeout = '30'",
        1,
        "boltgate: file {dir}/b.toml:2: server.idle_timeout: `30` is not a time span; write a whole number and a unit (ms, s, \
         m, h), such as \"500ms\", \"30s\" or \"1h\"",
    ),
    (
        FILE,
        "[limits]\nbody = '64MB'",
        1,
        "boltgate: file {dir}/b.toml:2: limits.body: `64MB` is not a size; write bytes, or a whole number and a unit (KiB, \
         MiB, GiB), such as \"64KiB\" or \"1MiB\"",
    ),
    (
        FILE,
        "[transactions]\nmax = '5'",
        1,
        "boltgate: file {dir}/b.toml:2: transactions.max: expected a whole number, found a string in quotes",
    ),
    (
        FILE,
        "[log]\nformat = 'xml'",
        1,
        "boltgate: file {dir}/b.toml:2: log.format: `xml` is not one of its values; write `pretty` or `json`",
    ),
    (
        "serve --embedded --log-filter inof",
        "",
        1,
        "boltgate: flag --log-filter: log.filter: `inof` is not a level (off, error, warn, info, debug, trace); if it is a \
         module, add its level, such as \"inof=debug\"",
    ),
    // Contradictions, and several mistakes.
    (
        FILE,
        "[database]\nmax_connections = 1",
        1,
        "boltgate: database.max_connections = 1 (file {dir}/b.toml:2) must be at least 2: every open transaction holds a \
         connection, and other statements need one too",
    ),
    (
        "BOLTGATE_LOG__FORMAT=xml serve --config {dir}/b.toml --listen :80",
        "[log]\naccess = 'some'\n[cors]\ncredentials = true\nallowed_origins = ['*']\n[server.tls]\ncertificate = 'c.pem'",
        1,
        "boltgate: the settings have 5 mistakes:\n  \
         file {dir}/b.toml:2: log.access: `some` is not one of its values; write one of `failures`, `all`, `off`\n  \
         env BOLTGATE_LOG__FORMAT: log.format: `xml` is not one of its values; write `pretty` or `json`\n  \
         flag --listen: server.listen: `:80` has no host; write \"127.0.0.1:80\" for clients on this machine, or \
         \"0.0.0.0:80\" (or \"[::]:80\") for those on every network\n  \
         server.tls.certificate = \"c.pem\" (file {dir}/b.toml:7) has no effect without server.tls.key; set both or neither\n  \
         cors.credentials = true (file {dir}/b.toml:4) cannot be used with cors.allowed_origins = [\"*\"] (file \
         {dir}/b.toml:5): any web page could act as the user of the browser; list the origins",
    ),
    // The environment.
    (
        "BOLTGATE_SERVER__LISTEM=x check-config",
        "",
        1,
        "boltgate: env BOLTGATE_SERVER__LISTEM: there is no setting `BOLTGATE_SERVER__LISTEM`; did you mean \
         `BOLTGATE_SERVER__LISTEN`?",
    ),
    (
        "BOLTGATE_ADMIN__TOKEN_FILE={dir}/nope check-config",
        "",
        1,
        "boltgate: env BOLTGATE_ADMIN__TOKEN_FILE: admin.token: cannot read {dir}/nope: No such file or directory (os error \
         2)",
    ),
    (
        "BOLTGATE_LOG__FILTER=info BOLTGATE_LOG__FILTER_FILE={dir}/text check-config",
        "",
        1,
        "boltgate: environment variables BOLTGATE_LOG__FILTER and BOLTGATE_LOG__FILTER_FILE are both set; unset one of them",
    ),
    // Addresses.
    (
        "serve --embedded --log-filter off --listen 127.0.0.1:{port}",
        "",
        1,
        "boltgate: cannot listen on 127.0.0.1:{port} (server.listen): Address already in use (os error 98); stop the \
         process that uses it, or choose another address with --listen",
    ),
    (
        "serve --embedded --log-filter off --listen localhost:{port}",
        "",
        1,
        "boltgate: cannot listen on 127.0.0.1:{port} (server.listen): Address already in use (os error 98); stop the \
         process that uses it, or choose another address with --listen",
    ),
    (
        "serve --embedded --log-filter off --listen no-such-name.invalid:80",
        "",
        1,
        "boltgate: cannot listen on no-such-name.invalid:80 (server.listen): cannot look up the name: {…}; write an IP \
         address instead, such as 127.0.0.1",
    ),
    (
        "serve --embedded --log-filter off --listen 192.0.2.1:80",
        "",
        1,
        "boltgate: cannot listen on 192.0.2.1:80 (server.listen): Cannot assign requested address (os error 99); no network \
         of this machine has this address: choose one with --listen that it has, or 0.0.0.0 for all",
    ),
    (
        "serve --embedded --listen localhost",
        "",
        1,
        "boltgate: flag --listen: server.listen: `localhost` has no port; write HOST:PORT, such as \"127.0.0.1:7474\" or \
         \"localhost:7474\", or unix:PATH",
    ),
    (
        "serve --embedded --listen http://localhost:80",
        "",
        1,
        "boltgate: flag --listen: server.listen: `http://localhost:80` is a URL, not an address to listen on; write \
         HOST:PORT, such as \"127.0.0.1:7474\" or \"localhost:7474\", or unix:PATH",
    ),
    (
        "serve --embedded --log-filter off --listen unix:{dir}/text",
        "",
        1,
        "boltgate: cannot listen on unix:{dir}/text (server.listen): there is a file that is not a socket; remove the file, \
         or choose another path with --listen",
    ),
    (
        "serve --embedded --log-filter off --listen unix:{dir}/no/s",
        "",
        1,
        "boltgate: cannot listen on unix:{dir}/no/s (server.listen): No such file or directory (os error 2); create the \
         folder first",
    ),
    // TLS.
    (
        "serve --embedded --tls-certificate {dir}/nope --tls-key {dir}/text",
        "",
        1,
        "boltgate: the settings have 2 mistakes:\n  \
         flag --tls-certificate: cannot read {dir}/nope (server.tls.certificate): No such file or directory (os error 2)\n  \
         flag --tls-key: {dir}/text (server.tls.key) contains no private key in PEM format (PKCS#8, PKCS#1 or SEC1)",
    ),
    (
        "serve --embedded --tls-certificate {dir}/certificate.der --tls-key {dir}/encrypted.pem",
        "",
        1,
        "boltgate: the settings have 2 mistakes:\n  \
         flag --tls-certificate: {dir}/certificate.der (server.tls.certificate) is not PEM text, which begins with \
         -----BEGIN; convert it with `openssl x509 -inform der -in {dir}/certificate.der -out FILE`\n  \
         flag --tls-key: {dir}/encrypted.pem (server.tls.key) is encrypted with a passphrase; write the key without one with \
         `openssl pkey -in {dir}/encrypted.pem -out FILE`",
    ),
    (
        "serve --embedded --tls-certificate {dir}/certificate.pem --tls-key {dir}/other.pem",
        "",
        1,
        "boltgate: flag --tls-key: the key in {dir}/other.pem (server.tls.key) does not belong to the certificate in \
         {dir}/certificate.pem (server.tls.certificate)",
    ),
    // The database.
    (
        "serve --database-uri http://db",
        "",
        1,
        "boltgate: flag --database-uri: database.uri: scheme `http` is HTTP, but the database must speak Bolt; write \
         bolt://HOST:7687",
    ),
    (
        "serve --database-uri neo4j+s://db",
        "",
        1,
        "boltgate: flag --database-uri: database.uri: scheme `neo4j+s` asks for routing, which is not supported yet; name one \
         server with bolt+s instead",
    ),
    (
        "serve --database-uri bolt://neo4j:s3cret@db",
        "",
        1,
        "boltgate: flag --database-uri: database.uri: must not hold a user name or password; callers send their own",
    ),
    (
        "serve --embedded --database-uri bolt://db",
        "",
        2,
        "error: the argument '--embedded [<FILE>]' cannot be used with '--database-uri <URI>'\n\nUsage: boltgate serve \
         --embedded [<FILE>]\n\nFor more information, try '--help'.",
    ),
    (
        "serve --log-filter off --embedded {dir}/text",
        "",
        1,
        "boltgate: cannot open the embedded database {dir}/text: {…}; name a file that it made, or a new one in a folder that \
         exists",
    ),
    // The command line, and the health check.
    ("start", "", 2, "error: unrecognized subcommand 'start'{…}"),
    (
        "serve --lisen x",
        "",
        2,
        "error: unexpected argument '--lisen' found\n\n  tip: a similar argument exists: '--listen'{…}",
    ),
    (
        "healthcheck --url http://127.0.0.1:1/",
        "",
        1,
        "boltgate: cannot connect to http://127.0.0.1:1/: Connection refused (os error 111); is the gateway running?",
    ),
    // Statements at a shell.
    (
        "query RETURN --url http://127.0.0.1:1",
        "",
        3,
        "boltgate: cannot connect to http://127.0.0.1:1/: Connection refused (os error 111); is the gateway running, and the \
         address right?",
    ),
    (
        "query RETURN --url bolt://127.0.0.1:1",
        "",
        2,
        "boltgate: --url: it does not begin with https:// or http://; write one such as http://127.0.0.1:7474, https://HOST or \
         unix:PATH; a database's address, bolt://…, takes --database-uri",
    ),
    ("query RETURN --database-uri http://127.0.0.1:1", "", 2, "boltgate: flag --database-uri: database.uri: {…}"),
    (
        "query RETURN --user ada",
        "",
        2,
        "boltgate: there is no password for ada, and no terminal to ask for it; set BOLTGATE_PASSWORD, or \
         BOLTGATE_PASSWORD_FILE to the name of a file",
    ),
    (
        "BOLTGATE_PASSWORD=s3cret query RETURN",
        "",
        2,
        "boltgate: BOLTGATE_PASSWORD is set, but there is no user; name one with --user or BOLTGATE_USER",
    ),
    ("query RETURN --pasword x", "", 2, "error: unexpected argument '--pasword' found{…}"),
    ("query RETURN --embedded {dir}/text", "", 3, "boltgate: cannot open the embedded database {dir}/text: {…}"),
    ("query RETURN --output {dir}", "", 2, "boltgate: --output: cannot write {dir}: is a directory"),
    ("completions tcsh", "", 2, "error: invalid value 'tcsh' for '<SHELL>'{…}"),
];

#[test]
fn each_mistake_is_answered_with_what_was_wrong_where_and_what_to_do() {
    let folder = tempfile::tempdir().expect("there is room for files");
    write_files(folder.path());
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("it is bound").port().to_string();
    let dir = folder.path().to_str().expect("UTF-8");
    let fill = |text: &str| text.replace("{dir}", dir).replace("{port}", &port);
    let mut wrong = Vec::new();
    for (line, file, code, expected) in MISTAKES {
        fs::write(folder.path().join("b.toml"), file).expect("there is room for a file");
        let line = fill(line);
        let is_variable = |word: &&str| word.starts_with("BOLTGATE_");
        let arguments: Vec<&str> = line.split(' ').skip_while(is_variable).collect();
        let variables = line.split(' ').take_while(is_variable).filter_map(|word| word.split_once('='));
        let output = boltgate(&arguments).envs(variables).output().expect("the program starts");
        let (printed, said) = texts(&output);
        let expected = fill(expected);
        let fits = match expected.split_once("{…}") {
            Some((start, end)) => said.starts_with(start) && said.trim_end().ends_with(end),
            None => said.trim_end() == expected,
        };
        if !fits || output.status.code() != Some(*code) || !printed.is_empty() {
            wrong.push(format!("{line}\n  {:?} {said}\n  instead of {code} {expected}", output.status.code()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// What the lines of the table name, besides `b.toml`.
fn write_files(folder: &Path) {
    let rcgen::CertifiedKey { cert, .. } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let other = rcgen::KeyPair::generate().expect("a key");
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    for (name, content) in [
        ("text", b"notes".as_slice()),
        ("certificate.pem", cert.pem().as_bytes()),
        ("certificate.der", cert.der()),
        ("other.pem", other.serialize_pem().as_bytes()),
        ("encrypted.pem", encrypted.as_bytes()),
    ] {
        fs::write(folder.join(name), content).expect("there is room for a file");
    }
}
