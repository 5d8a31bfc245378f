//! A Unix socket instead of a port.
#![cfg(all(feature = "embedded", unix))]

use std::{fs, os::unix::fs::PermissionsExt};

use tempfile::TempDir;
use tokio::net::UnixStream;

use crate::support::{
    gateway::{Gateway, start_embedded},
    tls::{ask, rest},
};

/// A gateway that listens at `gateway.sock` in a folder.
async fn start(settings: &[(&'static str, &str)]) -> (TempDir, Gateway) {
    let folder = tempfile::tempdir().unwrap();
    let listen = format!("unix:{}", folder.path().join("gateway.sock").display());
    let gateway = start_embedded(&[&[("server.listen", listen.as_str())], settings].concat()).await;
    assert_eq!(gateway.address(), listen);
    (folder, gateway)
}

async fn get(folder: &TempDir, path: &str) -> String {
    let mut stream = UnixStream::connect(folder.path().join("gateway.sock")).await.unwrap();
    ask(&mut stream, path).await.unwrap();
    rest(&mut stream).await.unwrap()
}

#[tokio::test]
async fn serves_at_a_path_and_calls_itself_by_the_host_that_was_named() {
    let (folder, gateway) = start(&[]).await;
    let mode = fs::metadata(folder.path().join("gateway.sock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    let answer = get(&folder, "/").await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"http://localhost/db/"), "{answer}");
    gateway.shutdown().await;
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "the file is removed");
}

#[tokio::test]
async fn answers_to_local_names_only_and_trusts_nobody_as_a_proxy() {
    let (folder, _gateway) = start(&[("server.trusted_proxies", "0.0.0.0/0,::/0")]).await;
    let ask = async |headers: &str| {
        use tokio::io::AsyncWriteExt;
        let mut stream = UnixStream::connect(folder.path().join("gateway.sock")).await.unwrap();
        let request = format!("GET / HTTP/1.1\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        rest(&mut stream).await.unwrap()
    };
    assert!(ask("Host: evil.example\r\n").await.starts_with("HTTP/1.1 421 "));
    let answer = ask("Host: localhost\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: https\r\n").await;
    assert!(answer.contains("\"http://localhost/db/"), "{answer}");
}

#[tokio::test]
async fn gives_the_file_the_mode_that_was_asked_for() {
    let (folder, _gateway) = start(&[("server.socket_mode", "0600")]).await;
    let mode = fs::metadata(folder.path().join("gateway.sock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
