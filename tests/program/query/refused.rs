//! Exit statuses, and what it says when something is wrong.

use std::{fs, net::SocketAddr};

use super::{
    ended, query,
    stand_in::{answer, broken, whole},
};
use crate::support::process::{Process, boltgate};

#[test]
fn says_which_refusal_it_was_by_its_exit_status() {
    let error = |code: &str| format!("{{\"errors\":[{{\"code\":\"{code}\",\"message\":\"m\\u001b\"}}]}}");
    for (status, code, exit) in [
        ("400 Bad Request", "Neo.ClientError.Statement.SyntaxError", 1),
        ("403 Forbidden", "Neo.ClientError.Security.Forbidden", 1),
        ("401 Unauthorized", "Neo.ClientError.Security.Unauthorized", 3),
        ("503 Service Unavailable", "Neo.TransientError.General.DatabaseUnavailable", 3),
    ] {
        let (address, served) = answer(&[&whole(status, "application/json", error(code).as_bytes())]);
        let (found, rows, said) = ended(&mut query(&address, &["RETURN 1"]));
        assert_eq!((found, rows.as_str()), (Some(exit), ""), "{said}");
        assert!(said.starts_with(&format!("boltgate: {code}: m\\u001b")), "{said}");
        served.join().expect("is asked");
    }
}

#[test]
fn says_why_in_every_format() {
    let gateway = Process::embedded(&[]);
    for format in ["table", "csv", "json", "jsonl", "ndjson", "typed"] {
        let (status, rows, said) = ended(&mut query(&gateway.address(), &["RETRN 1", "--format", format]));
        assert_eq!((status, rows.as_str()), (Some(1), ""), "{said}");
        assert!(said.starts_with("boltgate: Neo.ClientError.Statement.SyntaxError: "), "{format}: {said}");
    }
}

#[test]
fn tells_what_is_no_gateway() {
    for (reply, exit, expected) in [
        (whole("200 OK", "text/html", b"<html>"), 3, "answered with text/html instead of text/csv; is it a Boltgate?"),
        (
            whole("404 Not Found", "text/html", b"<html>"),
            3,
            "answered 404 Not Found without a reason; is it a Boltgate?",
        ),
        (
            b"HTTP/1.1 301 Moved\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n".to_vec(),
            3,
            "sends to /x; name the gateway's own",
        ),
        (b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(), 3, "does not speak HTTP/1; is the port right?"),
        (Vec::new(), 4, "it is unknown whether the statement took effect"),
        (whole("406 Not Acceptable", "application/json", b"{}"), 2, "--format csv: "),
    ] {
        let (address, served) = answer(&[&reply]);
        let (found, rows, said) = ended(&mut query(&address, &["RETURN 1"]));
        assert_eq!((found, rows.as_str()), (Some(exit), ""), "{said}");
        assert!(said.starts_with("boltgate: ") && said.contains(expected), "{said}");
        served.join().expect("is asked");
    }
}

#[test]
fn says_what_to_try_when_nobody_listens() {
    // Bound, so that nobody else gets it, and without a listener.
    let socket = tokio::net::TcpSocket::new_v4().expect("there is a socket");
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("there is a port");
    let address = socket.local_addr().expect("it is bound").to_string();
    let (status, _, said) = ended(&mut query(&address, &["RETURN 1"]));
    assert_eq!(status, Some(3));
    assert!(said.contains(&format!("cannot connect to http://{address}/: ")), "{said}");
    assert!(said.contains("; is the gateway running, and the address right?"), "{said}");
    let (status, _, said) =
        ended(&mut boltgate(&["query", "RETURN 1", "--database-uri", &format!("bolt://{address}")]));
    assert_eq!(status, Some(3));
    assert!(said.contains("check that the database runs"), "{said}");
}

#[test]
fn breaks_off_with_a_status_of_its_own_and_leaves_the_file_as_it_was() {
    let folder = tempfile::tempdir().expect("there is room for a file");
    let file = folder.path().join("rows");
    fs::write(&file, "old").expect("there is room for a file");
    let error = r#"{"code":"A.B","message":"m"}"#;
    let header = r#"{"$event":"Header","_body":{"fields":["n"]}}"#;
    let record = r#"{"$event":"Record","_body":[1]}"#;
    for (format, media, body, is_whole) in [
        ("csv", "text/csv", "n\r\n1\r\n".to_owned(), false),
        ("ndjson", "application/x-ndjson", format!("{{\"n\":1}}\n{{\"$error\":{error}}}\n"), false),
        ("arrow", "application/vnd.apache.arrow.stream", "x".to_owned(), false),
        (
            "jsonl",
            "application/jsonl",
            format!("{header}\n{record}\n{{\"$event\":\"Error\",\"_body\":[{error}]}}\n"),
            true,
        ),
        ("table", "application/jsonl", format!("{header}\n{record}\n"), false),
        (
            "json",
            "application/json",
            format!("{{\"data\":{{\"fields\":[\"n\"],\"values\":[[1]]}},\"errors\":[{error}]}}"),
            true,
        ),
    ] {
        let reply =
            if is_whole { whole("202 Accepted", media, body.as_bytes()) } else { broken(media, body.as_bytes()) };
        let (address, served) = answer(&[&reply, &reply]);
        let (status, rows, said) = ended(&mut query(&address, &["RETURN 1", "--format", format]));
        assert_eq!(status, Some(4), "{format}: {said}");
        assert!(!rows.is_empty(), "{format}");
        assert_eq!(said.contains("A.B: m"), body.contains("A.B"), "{format}: {said}");
        let output = file.to_str().expect("is text");
        let (status, rows, _) = ended(&mut query(&address, &["RETURN 1", "--format", format, "--output", output]));
        assert_eq!((status, rows.as_str()), (Some(4), ""), "{format}");
        assert_eq!(fs::read_to_string(&file).expect("is there"), "old");
        assert_eq!(fs::read_dir(folder.path()).expect("is there").count(), 1, "nothing is left over");
        served.join().expect("is asked");
    }
}

#[test]
fn writes_a_file_when_the_result_is_complete() {
    let gateway = Process::embedded(&[]);
    let folder = tempfile::tempdir().expect("there is room for a file");
    let file = folder.path().join("rows.csv");
    let output = file.to_str().expect("is text");
    let (status, rows, said) = ended(&mut query(&gateway.address(), &["RETURN 1 AS n", "--output", output]));
    assert_eq!((status, rows.as_str()), (Some(0), ""), "{said}");
    assert_eq!(fs::read_to_string(&file).expect("is there"), "n\r\n1\r\n");
    let (status, _, _) = ended(&mut query(&gateway.address(), &["RETRN 1", "--output", output]));
    assert_eq!((status, fs::read_to_string(&file).expect("is there").as_str()), (Some(1), "n\r\n1\r\n"));
}

#[test]
fn refuses_a_wrong_command_line_before_anything_is_sent() {
    let nowhere = "http://127.0.0.1:1";
    for (arguments, environment, expected) in [
        (&["RETURN 1", "--url", "http://u:s3cret@h"][..], None, "set BOLTGATE_USER and BOLTGATE_PASSWORD"),
        (&["RETURN 1", "--url", "h:80"], None, "--url: it does not begin with https:// or http://; write one such as"),
        (&["RETURN 1", "--url", nowhere, "--embedded"], None, "cannot be used with"),
        (&["RETURN 1", "--file", "f"], None, "cannot be used with"),
        (&["--file", "/nowhere"], None, "--file: cannot read /nowhere: "),
        (&[" "], None, "the statement is empty; write one after the command"),
        (&[], None, "standard input is empty; write one after the command"),
        (&["--embedded", "RETURN 1"], None, "write the statement first: boltgate query 'RETURN 1' --embedded"),
        (&["RETURN 1", "--param", "n"], None, "--param `n`: it has no `=`; write NAME=VALUE, such as n=5"),
        (&["RETURN 1", "--params", "[]"], None, "--params: its value is not a JSON object"),
        (&["RETURN 1", "--timeout", "5"], None, "write a whole number and a unit (ms, s, m, h)"),
        (&["RETURN 1", "--format", "xml"], None, "possible values: auto, table, csv"),
        (&["RETURN 1", "--output", "/nowhere/f"], None, "--output: cannot write /nowhere/f: "),
        (&["RETURN 1", "--database-uri", "http://h"], None, "database.uri: "),
        (
            &["RETURN 1"],
            Some(("BOLTGATE_PASSWORD", "s3cret")),
            "there is no user; name one with --user or BOLTGATE_USER",
        ),
    ] {
        let mut command = boltgate(&[&["query"], arguments].concat());
        let (status, rows, said) = ended(command.envs(environment));
        assert_eq!((status, rows.as_str()), (Some(2), ""), "{arguments:?}: {said}");
        assert!(said.contains(expected) && !said.contains("s3cret"), "{arguments:?}: {said}");
    }
}
