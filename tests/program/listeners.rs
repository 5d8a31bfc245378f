//! What the program listens on: TLS and Unix sockets.
#![cfg(all(feature = "embedded", unix))]

use std::{
    fs,
    os::unix::{fs::PermissionsExt, net::UnixStream},
    path::Path,
    process::Command,
};

use tokio::net::UnixStream as Stream;

use crate::support::{
    process::{Process, boltgate, run, texts},
    tls::{Authority, Certified, Client, Mounted, ask, rest},
};

/// `boltgate serve` with the files in `mounted`.
fn encrypted(mounted: &Mounted) -> Command {
    let (certificate, key) = (mounted.text("certificate.pem"), mounted.text("key.pem"));
    boltgate(&["serve", "--embedded", "--log-format=json", "--tls-certificate", &certificate, "--tls-key", &key])
}

/// What a command says that fails.
fn refusal(mut command: Command) -> String {
    let output = command.output().expect("the program starts");
    let (_, said) = texts(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    said
}

#[tokio::test]
async fn speaks_tls_with_the_files_that_flags_name() {
    let authority = Authority::new("ours");
    let mounted = Mounted::new(&authority.certify());
    let process = Process::serve(encrypted(&mounted));
    assert!(process.wait_for_line("serving ").contains("serving https://"));
    let address = process.address();
    let answer = Client::trusting(&authority).get(&address, "/").await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");

    // The check is about whether it runs, so any certificate is good.
    let url = format!("https://{address}/");
    let (said, _) = texts(&run(&["healthcheck", "--url", &url]));
    assert_eq!(said, format!("{url} answered 200\n"));
    let mut check = boltgate(&["healthcheck"]);
    check.env("BOLTGATE_SERVER__LISTEN", &address);
    check.env("BOLTGATE_SERVER__TLS__CERTIFICATE", mounted.path("certificate.pem"));
    check.env("BOLTGATE_SERVER__TLS__KEY", mounted.path("key.pem"));
    let (said, _) = texts(&check.output().expect("the program starts"));
    assert_eq!(said, format!("{url} answered 200\n"), "the settings say that it is TLS");
}

#[test]
fn refuses_to_start_with_files_that_it_cannot_use() {
    let authority = Authority::new("ours");
    let mut mounted = Mounted::new(&authority.certify());
    mounted.swap(&authority.certify().certificate.pem(), &authority.certify().key.serialize_pem());
    let mut serve = encrypted(&mounted);
    serve.args(["--listen", "127.0.0.1:0"]);
    let said = refusal(serve);
    for named in ["server.tls.certificate", "server.tls.key", &mounted.text("key.pem"), "does not belong to"] {
        assert!(said.contains(named), "{named}: {said}");
    }
    let mut check = boltgate(&["check-config"]);
    check.env("BOLTGATE_SERVER__TLS__CERTIFICATE", mounted.path("certificate.pem"));
    check.env("BOLTGATE_SERVER__TLS__KEY", mounted.path("missing.pem"));
    let said = refusal(check);
    assert!(said.contains(&mounted.text("missing.pem")) && said.contains("server.tls.key"), "{said}");
    for (one, other) in [("CERTIFICATE", "key"), ("KEY", "certificate"), ("CLIENT_CA", "certificate")] {
        let mut check = boltgate(&["check-config"]);
        check.env(format!("BOLTGATE_SERVER__TLS__{one}"), mounted.path("key.pem"));
        let said = refusal(check);
        assert!(said.contains(&format!("has no effect without server.tls.{other}")), "{said}");
    }
}

#[tokio::test]
async fn keeps_its_certificate_until_it_can_use_another_one() {
    let authority = Authority::new("ours");
    let first = authority.certify();
    let mut mounted = Mounted::new(&first);
    let mut command = encrypted(&mounted);
    command.env("BOLTGATE_SERVER__TLS__RELOAD", "20ms");
    let process = Process::serve(command);
    let (address, client) = (process.address(), Client::trusting(&authority));
    let shown = async || {
        let stream = client.connect(&address).await.expect("no handshake fails");
        stream.get_ref().1.peer_certificates().expect("there is one")[0].to_vec()
    };
    let Certified { certificate, key } = authority.certify();
    mounted.swap(&certificate.pem(), &first.key.serialize_pem());
    process.wait_for_line("certificates for clients cannot be used");
    assert_eq!(shown().await, first.certificate.der().as_ref());
    mounted.swap(&certificate.pem(), "no key at all");
    process.wait_for_line("contains no private key");
    assert_eq!(shown().await, first.certificate.der().as_ref());
    mounted.swap(&certificate.pem(), &key.serialize_pem());
    process.wait_for_line("using new certificates");
    assert_eq!(shown().await, certificate.der().as_ref());
    let warnings = process.log().iter().filter(|line| line.contains("certificates for clients cannot be used")).count();
    assert_eq!(warnings, 2, "each fault is said once");
    assert!(process.log().iter().all(|line| !line.contains("PRIVATE KEY")));
}

/// `boltgate serve` at two sockets in `folder`.
fn at_sockets(folder: &Path) -> Command {
    let listen = |name: &str| format!("unix:{}", folder.join(name).display());
    let mut command = boltgate(&["serve", "--embedded", "--log-format=json", "--listen", &listen("http.sock")]);
    command.args(["--admin-listen", &listen("admin.sock")]);
    command
}

async fn get(path: &Path, target: &str) -> String {
    let mut stream = Stream::connect(path).await.unwrap();
    ask(&mut stream, target).await.unwrap();
    rest(&mut stream).await.unwrap()
}

#[tokio::test]
async fn serves_clients_and_operators_at_sockets() {
    let folder = tempfile::tempdir().unwrap();
    let (http, admin) = (folder.path().join("http.sock"), folder.path().join("admin.sock"));
    let mut process = Process::start(at_sockets(folder.path()));
    for (path, mode, target) in [(&http, 0o660, "/"), (&admin, 0o600, "/live")] {
        assert!(get(path, target).await.starts_with("HTTP/1.1 200 "), "{}", path.display());
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, mode);
    }
    let listen = format!("unix:{}", http.display());
    let (said, _) = texts(&run(&["healthcheck", "--url", &listen]));
    assert_eq!(said, format!("{listen} answered 200\n"));
    let mut check = boltgate(&["healthcheck"]);
    check.env("BOLTGATE_SERVER__LISTEN", &listen);
    let (said, _) = texts(&check.output().expect("the program starts"));
    assert_eq!(said, format!("{listen} answered 200\n"));

    // Another one does not take its place.
    let said = refusal(at_sockets(folder.path()));
    assert!(said.contains("another process serves this socket") && said.contains("server.listen"), "{said}");
    assert!(get(&http, "/").await.starts_with("HTTP/1.1 200 "));

    process.signal("TERM");
    assert_eq!(process.exit().code(), Some(0));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "the files are removed");
    let mut check = boltgate(&["healthcheck", "--url", &listen]);
    assert_eq!(check.output().expect("the program starts").status.code(), Some(1));
}

#[tokio::test]
async fn replaces_the_socket_of_a_process_that_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut killed = Process::start(at_sockets(folder.path()));
    killed.signal("KILL");
    killed.exit();
    let http = folder.path().join("http.sock");
    assert!(http.exists() && UnixStream::connect(&http).is_err());
    let _process = Process::start(at_sockets(folder.path()));
    assert!(get(&http, "/").await.starts_with("HTTP/1.1 200 "));
}
