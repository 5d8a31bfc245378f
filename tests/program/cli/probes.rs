//! What keeps an eye on the program: `healthcheck`, and the operator's listener.

use std::{
    net::{SocketAddr, TcpListener},
    time::{Duration, Instant},
};

use tokio::{net::TcpSocket, task::JoinSet, time::sleep};

use super::{config, printed, refused};
use crate::support::{
    bolt::{
        control::PATIENCE,
        fake_neo4j::{FakeNeo4j, Options},
    },
    http::{Response, request},
    process::{Process, boltgate, run},
};

/// An address where nobody listens, as long as the socket that is bound to it lives.
fn nowhere() -> (TcpSocket, String) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
    let address = socket.local_addr().expect("it is bound").to_string();
    (socket, address)
}

async fn get(address: &str, path: &str) -> Response {
    request(address, "GET", path, &[], b"").await
}

#[test]
fn distinguishes_a_running_gateway_in_healthcheck() {
    let process = Process::embedded(&["--admin-listen=127.0.0.1:0"]);
    for (address, path) in [(process.address(), "/"), (process.admin_address(), "/ready")] {
        let url = format!("http://{address}{path}");
        assert_eq!(printed(&run(&["healthcheck", "--url", &url])), format!("{url} answered 200\n"));
    }
    let url = format!("http://{}/nothing", process.address());
    assert!(refused(&run(&["healthcheck", "--url", &url])).ends_with("answered 404"));

    let (_bound, nowhere) = nowhere();
    let reason = refused(&run(&["healthcheck", "--url", &format!("http://{nowhere}/")]));
    assert!(reason.contains(&nowhere) && reason.contains("running"), "{reason}");
}

#[test]
fn finds_the_address_for_healthcheck_in_the_settings() {
    let process = Process::embedded(&[]);
    let address = process.address();
    let port = address.rsplit(':').next().expect("it has a port");
    // An address that stands for all is asked for on this machine.
    for listen in [address.clone(), format!("0.0.0.0:{port}")] {
        let (_folder, file) = config(&format!("[server]\nlisten = \"{listen}\""));
        let said = printed(&run(&["healthcheck", "--config", file.to_str().expect("UTF-8")]));
        assert_eq!(said, format!("http://{address}/ answered 200\n"), "{listen}");
    }
    // It asks by a name that the gateway answers to.
    for listed in ["graph.example", "*.graph.example", "10.0.0.7", "::1", "*"] {
        let process = Process::embedded_with(&[("BOLTGATE_SERVER__ALLOWED_HOSTS", listed)], &[]);
        let address = process.address();
        let (_folder, file) = config(&format!("[server]\nlisten = \"{address}\"\nallowed_hosts = [\"{listed}\"]"));
        let said = printed(&run(&["healthcheck", "--config", file.to_str().expect("UTF-8")]));
        assert_eq!(said, format!("http://{address}/ answered 200\n"), "{listed}");
    }
    // Operators are answered whatever clients have to show.
    let process = Process::embedded(&["--admin-listen=127.0.0.1:0"]);
    let admin = process.admin_address();
    let (_bound, nowhere) = nowhere();
    let (_folder, file) = config(&format!("[server]\nlisten = \"{nowhere}\"\n[admin]\nlisten = \"{admin}\""));
    let said = printed(&run(&["healthcheck", "--config", file.to_str().expect("UTF-8")]));
    assert_eq!(said, format!("http://{admin}/live answered 200\n"));
    let mut command = boltgate(&["healthcheck"]);
    command.env("BOLTGATE_SERVER__LISTEN", nowhere);
    refused(&command.output().expect("the program starts"));
}

#[tokio::test]
async fn reports_what_works_to_operators() {
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
async fn is_alive_but_not_ready_without_its_database() {
    let (_bound, away) = nowhere();
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
async fn follows_the_database_with_readiness() {
    let fake = FakeNeo4j::start_with(Options::default().without_auth()).await;
    let uri = format!("--database-uri={}", fake.uri());
    let process = Process::serve(boltgate(&["serve", "--admin-listen=127.0.0.1:0", &uri]));
    let admin = process.admin_address();
    becomes(&admin, 200).await;
    fake.control.refuse_new(true);
    fake.control.close_all();
    becomes(&admin, 503).await;
    fake.control.refuse_new(false);
    becomes(&admin, 200).await;
}

/// Asks until `/ready` says so: what it says may be two seconds old.
async fn becomes(admin: &str, status: u16) {
    let deadline = Instant::now() + PATIENCE;
    while get(admin, "/ready").await.status != status {
        assert!(Instant::now() < deadline, "/ready never becomes {status}");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_the_database_once_for_many_readiness_requests() {
    let fake = FakeNeo4j::start_with(Options::default().without_auth()).await;
    let uri = format!("--database-uri={}", fake.uri());
    let process = Process::serve(boltgate(&["serve", "--admin-listen=127.0.0.1:0", &uri]));
    let admin = process.admin_address();
    let begun = Instant::now();
    let mut asking = JoinSet::new();
    for _ in 0..20 {
        let admin = admin.clone();
        asking.spawn(async move { get(&admin, "/ready").await.status });
    }
    // A probe has 800 ms, which may be too little for a busy machine.
    let statuses = asking.join_all().await;
    assert!(statuses.iter().all(|status| [200, 503].contains(status)), "{statuses:?}");
    // One at startup, and one for every two seconds that it has taken.
    let (asked, most) = (fake.control.counts().accepted, 2 + begun.elapsed().as_secs() as usize / 2);
    assert!(asked <= most, "{asked} questions");
}

#[tokio::test(flavor = "multi_thread")]
async fn does_not_wait_for_a_hanging_database() {
    // Takes connections, and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let uri = format!("--database-uri=bolt://{}", listener.local_addr().expect("it is bound"));
    let process = Process::serve(boltgate(&["serve", "--admin-listen=127.0.0.1:0", &uri]));
    let ready = get(&process.admin_address(), "/ready").await;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.text(), "not ready: the database did not answer within 800ms\n", "not after its connect_timeout");
}
