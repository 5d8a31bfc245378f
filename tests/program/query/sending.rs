//! What it sends: the statement, parameters, options, credentials.

use std::{fs, io::Write as _, process::Stdio};

use serde_json::{Value, json};

use super::{
    ended, query,
    stand_in::{Request, answer, whole},
};
use crate::support::{
    process::{Process, boltgate},
    tls::{Authority, Mounted},
};

/// What it sends with these arguments and this environment.
fn sent(arguments: &[&str], environment: &[(&str, &str)]) -> Request {
    let (address, served) = answer(&[&whole("200 OK", "text/csv", b"")]);
    let (status, _, said) = ended(query(&address, arguments).envs(environment.iter().copied()));
    assert_eq!(status, Some(0), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
    served.join().expect("is asked").remove(0)
}

fn body(request: &Request) -> Value {
    serde_json::from_str(&request.body).expect("is JSON")
}

#[test]
fn sends_statement_parameters_and_options() {
    let arguments = [
        "RETURN \"$n\"",
        "--database=my db",
        "--params={\"n\": 1, \"m\": [1.5]}",
        "--param=n=5",
        "--param=t=text",
        "--read",
        "--timeout=1500ms",
    ];
    let request = sent(&arguments, &[]);
    assert!(request.head.starts_with("POST /db/my%20db/query/v2 HTTP/1.1\r\n"), "{}", request.head);
    let expected = json!({
        "statement": "RETURN \"$n\"",
        "parameters": {"n": 5, "m": [1.5], "t": "text"},
        "accessMode": "READ",
        "maxExecutionTime": 1.5,
    });
    assert_eq!(body(&request), expected);
    assert_eq!((request.field("content-type"), request.field("authorization")), (Some("application/json"), None));
    assert!(sent(&["RETURN 1"], &[]).head.starts_with("POST /db/neo4j/query/v2 "));
}

#[test]
fn takes_the_statement_from_a_file_or_from_standard_input() {
    let folder = tempfile::tempdir().expect("there is room for a file");
    let file = folder.path().join("s.cypher");
    fs::write(&file, "\u{feff}RETURN 'é'\n").expect("there is room for a file");
    let file = file.to_str().expect("is text");
    assert_eq!(body(&sent(&["--file", file], &[]))["statement"], "RETURN 'é'\n");
    let parameters = folder.path().join("p.json");
    fs::write(&parameters, "{\"n\": 12345678901234567890}\n").expect("there is room for a file");
    let request = sent(&["x", "--params", &format!("@{}", parameters.display())], &[]);
    assert!(request.body.contains("\"n\":12345678901234567890"), "no number is rounded: {}", request.body);

    let (address, served) = answer(&[&whole("200 OK", "text/csv", b"")]);
    let mut child = query(&address, &[]).stdin(Stdio::piped()).spawn().expect("the program starts");
    child.stdin.take().expect("it was piped").write_all(b"RETURN 2").expect("it reads");
    assert!(child.wait().expect("it ends").success());
    assert_eq!(body(&served.join().expect("is asked")[0])["statement"], "RETURN 2");
}

#[test]
fn sends_credentials_of_the_environment_and_of_files() {
    let folder = tempfile::tempdir().expect("there is room for a file");
    let file = folder.path().join("secret");
    fs::write(&file, "s3cret\n").expect("there is room for a file");
    let file = file.to_str().expect("is text");
    let alice = Some("Basic YWxpY2U6czNjcmV0"); // alice:s3cret
    let of = |arguments: &[&str], environment: &[(&str, &str)]| {
        sent(&[&["RETURN 1"], arguments].concat(), environment).field("authorization").map(str::to_owned)
    };
    assert_eq!(of(&["--user=alice"], &[("BOLTGATE_PASSWORD", "s3cret")]).as_deref(), alice);
    assert_eq!(of(&[], &[("BOLTGATE_USER", "alice"), ("BOLTGATE_PASSWORD_FILE", file)]).as_deref(), alice);
    assert_eq!(of(&[], &[("BOLTGATE_TOKEN", "s3cret")]).as_deref(), Some("Bearer s3cret"));
    assert_eq!(of(&[], &[("BOLTGATE_TOKEN_FILE", file)]).as_deref(), Some("Bearer s3cret"));
}

#[test]
fn reaches_a_gateway_below_a_path_and_at_a_unix_socket() {
    let (address, served) = answer(&[&whole("200 OK", "text/csv", b"n\r\n1\r\n")]);
    let url = format!("http://{address}/graph/");
    let (status, rows, _) = ended(&mut boltgate(&["query", "RETURN 1", "--url", &url]));
    assert_eq!((status, rows.as_str()), (Some(0), "n\r\n1\r\n"));
    assert!(served.join().expect("is asked")[0].head.starts_with("POST /graph/db/neo4j/query/v2 "));

    let folder = tempfile::tempdir().expect("there is room for a socket");
    let socket = format!("unix:{}", folder.path().join("b.sock").display());
    let serve = boltgate(&["serve", "--embedded", "--log-format=json", "--listen", &socket]);
    let _gateway = Process::start(serve);
    let (status, rows, said) = ended(&mut boltgate(&["query", "RETURN 1 AS n", "--url", &socket]));
    assert_eq!((status, rows.as_str()), (Some(0), "n\r\n1\r\n"), "{said}");
}

#[test]
fn verifies_certificates_and_takes_authorities_from_a_file() {
    let authority = Authority::new("the test's authority");
    let files = Mounted::new(&authority.certify());
    let serve = boltgate(&[
        "serve",
        "--embedded",
        "--log-format=json",
        "--tls-certificate",
        &files.text("certificate.pem"),
        "--tls-key",
        &files.text("key.pem"),
    ]);
    let gateway = Process::serve(serve);
    let url = format!("https://localhost:{}", gateway.address().rsplit(':').next().expect("has a port"));
    let mut asked = boltgate(&["query", "RETURN 1 AS n", "--url", &url]);
    let (status, _, said) = ended(&mut asked);
    assert_eq!(status, Some(3), "{said}");
    assert!(said.contains("set SSL_CERT_FILE to its PEM file"), "{said}");
    let (status, rows, said) = ended(asked.env("SSL_CERT_FILE", files.write("ca.crt", &authority.pem())));
    assert_eq!((status, rows.as_str()), (Some(0), "n\r\n1\r\n"), "{said}");
}
