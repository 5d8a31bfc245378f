//! What keeps an eye on the program: `healthcheck`, and the operator's listener.

use std::net::TcpListener;

use crate::{
    config, printed, refused,
    support::{
        bolt::fake_neo4j::{FakeNeo4j, Options},
        http::{Response, request},
        process::{Process, boltgate, run},
    },
};

/// An address where nobody listens.
fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound").to_string()
}

async fn get(address: &str, path: &str) -> Response {
    request(address, "GET", path, &[], b"").await
}

#[test]
fn healthcheck_tells_a_running_gateway_from_none() {
    let process = Process::embedded(&["--admin-listen=127.0.0.1:0"]);
    for (address, path) in [(process.address(), "/"), (process.admin_address(), "/ready")] {
        let url = format!("http://{address}{path}");
        assert_eq!(printed(&run(&["healthcheck", "--url", &url])), format!("{url} answered 200\n"));
    }
    let url = format!("http://{}/nothing", process.address());
    assert!(refused(&run(&["healthcheck", "--url", &url])).ends_with("answered 404"));

    let nowhere = nowhere();
    let reason = refused(&run(&["healthcheck", "--url", &format!("http://{nowhere}/")]));
    assert!(reason.contains(&nowhere) && reason.contains("running"), "{reason}");
}

#[test]
fn healthcheck_finds_the_address_in_the_settings() {
    let process = Process::embedded(&[]);
    let address = process.address();
    let port = address.rsplit(':').next().expect("it has a port");
    // An address that stands for all is asked for on this machine.
    for listen in [address.clone(), format!("0.0.0.0:{port}")] {
        let (_folder, file) = config(&format!("[server]\nlisten = \"{listen}\""));
        let said = printed(&run(&["healthcheck", "--config", file.to_str().expect("UTF-8")]));
        assert_eq!(said, format!("http://{address}/ answered 200\n"), "{listen}");
    }
    let mut command = boltgate(&["healthcheck"]);
    command.env("BOLTGATE_SERVER__LISTEN", nowhere());
    refused(&command.output().expect("the program starts"));
}

#[tokio::test]
async fn operators_are_told_what_works() {
    let process = Process::embedded(&["--admin-listen=127.0.0.1:0"]);
    let admin = process.admin_address();
    for (path, text) in [("/live", "alive\n"), ("/ready", "ready\n")] {
        let response = get(&admin, path).await;
        assert_eq!((response.status, response.text().as_str()), (200, text), "{path}");
        assert_eq!(get(&process.address(), path).await.status, 404, "clients have no business with {path}");
    }
    assert_eq!(get(&admin, "/db/neo4j/query/v2").await.status, 404, "and operators none with queries");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_without_its_database_is_alive_and_not_ready() {
    let away = nowhere();
    let uri = format!("--database-uri=bolt://{away}");
    let process = Process::serve(boltgate(&["serve", "--admin-listen=127.0.0.1:0", &uri]));
    let admin = process.admin_address();
    assert_eq!(get(&admin, "/live").await.status, 200);
    let ready = get(&admin, "/ready").await;
    assert_eq!(ready.status, 503);
    let text = ready.text();
    assert!(text.starts_with("not ready: ") && text.contains(&away), "{text}");
    let reason = refused(&run(&["healthcheck", "--url", &format!("http://{admin}/ready")]));
    assert!(reason.ends_with("answered 503"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ready_follows_the_database() {
    let fake = FakeNeo4j::start_with(Options::default().without_auth()).await;
    let uri = format!("--database-uri={}", fake.uri());
    let process = Process::serve(boltgate(&["serve", "--admin-listen=127.0.0.1:0", &uri]));
    let admin = process.admin_address();
    assert_eq!(get(&admin, "/ready").await.status, 200);
    fake.control.refuse_new(true);
    fake.control.close_all();
    let ready = get(&admin, "/ready").await;
    assert_eq!(ready.status, 503, "{ready}");
    fake.control.refuse_new(false);
    assert_eq!(get(&admin, "/ready").await.status, 200);
}
