//! TLS towards the database: whom the gateway trusts, and what it says when it does not.

use std::{net::SocketAddr, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};
use serde_json::json;
use tempfile::NamedTempFile;
use tokio::{
    io::{copy, split},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use crate::support::{
    bolt::{
        control::Fault,
        fake_neo4j::{FakeNeo4j, Options},
    },
    gateway::{self, Gateway},
    query::{Refused, refused, values},
};

/// Who vouches for servers.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key.
struct Certified {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    /// The authority's own certificate in a file, as an operator has it.
    fn file(&self) -> NamedTempFile {
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), self.issuer.pem()).unwrap();
        file
    }

    fn certify(&self, name: &str) -> Certified {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        Certified { chain: vec![certificate.der().clone()], key: secret(&key) }
    }
}

fn secret(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(key.serialize_der()).into()
}

fn self_signed(name: &str) -> Certified {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([name.to_owned()]).unwrap().self_signed(&key).unwrap();
    Certified { chain: vec![certificate.der().clone()], key: secret(&key) }
}

/// A database behind TLS. Ends when it is dropped.
struct Server {
    address: SocketAddr,
    fake: Arc<FakeNeo4j>,
    serving: JoinHandle<()>,
}

impl Server {
    async fn start(certified: Certified) -> Self {
        let fake = Arc::new(FakeNeo4j::start_with(Options::default().without_auth()).await);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(certified.chain, certified.key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let database = Arc::clone(&fake);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(relay(acceptor.clone(), stream, Arc::clone(&database)));
            }
        });
        Self { address, fake, serving }
    }

    /// Clients know it as `host`.
    fn uri(&self, scheme: &str, host: &str) -> String {
        format!("{scheme}://{host}:{}", self.address.port())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Ends without a TLS good-bye when the database ends the connection, as many servers do.
async fn relay(acceptor: TlsAcceptor, stream: TcpStream, fake: Arc<FakeNeo4j>) {
    let Ok(near) = acceptor.accept(stream).await else { return };
    let (mut from_client, mut to_client) = split(near);
    let (mut from_database, mut to_database) = split(fake.connect());
    // Whichever ends first; `copy` does not shut its writer down.
    tokio::select! {
        _ = copy(&mut from_client, &mut to_database) => {}
        _ = copy(&mut from_database, &mut to_client) => {}
    }
}

async fn answers(gateway: &Gateway) {
    assert_eq!(values(&gateway.query("ECHO 7").await), json!([[7]]));
}

async fn refusal(uri: &str, ca_file: Option<&NamedTempFile>) -> Refused {
    let path = ca_file.map(|file| file.path().to_str().unwrap());
    let changes: Vec<_> = path.map(|path| ("database.ca_file", path)).into_iter().collect();
    let gateway = gateway::start_for_with(uri, &changes).await;
    let error = refused(&gateway.query("RETURN 1").await);
    assert!([502, 503].contains(&error.status), "{error:?}");
    assert!(error.message.contains(&uri.replace("bolt://", "")), "it names the address: {error:?}");
    assert!(!error.message.contains(['{', '(']) || uri.starts_with("bolt://"), "in plain words: {error:?}");
    error
}

#[tokio::test]
async fn trusts_issuers_in_the_ca_file() {
    let authority = Authority::new("ours");
    let ca_file = authority.file();
    let changes = [("database.ca_file", ca_file.path().to_str().unwrap())];
    for name in ["localhost", "127.0.0.1"] {
        let server = Server::start(authority.certify(name)).await;
        let gateway = gateway::start_for_with(&server.uri("bolt+s", name), &changes).await;
        answers(&gateway).await;
        let wide = gateway.query("WIDE 1000000").await;
        assert_eq!(values(&wide)[0][0].as_str().map(str::len), Some(1_000_000));
        assert_eq!(server.fake.control.counts().accepted, 1);
    }
}

#[tokio::test]
async fn accepts_several_authorities_in_the_ca_file() {
    let (one, other) = (Authority::new("one"), Authority::new("other"));
    let ca_file = NamedTempFile::new().unwrap();
    std::fs::write(ca_file.path(), format!("{}\n# comment\n{}", one.issuer.pem(), other.issuer.pem())).unwrap();
    let changes = [("database.ca_file", ca_file.path().to_str().unwrap())];
    for authority in [one, other] {
        let server = Server::start(authority.certify("localhost")).await;
        let gateway = gateway::start_for_with(&server.uri("bolt+s", "localhost"), &changes).await;
        answers(&gateway).await;
    }
}

#[tokio::test]
async fn rejects_an_unknown_issuer_with_advice() {
    let server = Server::start(Authority::new("ours").certify("localhost")).await;
    let (other, successor) = (Authority::new("other").file(), Authority::new("ours").file());
    for ca_file in [None, Some(&other), Some(&successor)] {
        let error = refusal(&server.uri("bolt+s", "localhost"), ca_file).await;
        assert!(error.message.contains("database.ca_file"), "{error:?}");
        assert!(error.message.contains("bolt+ssc://"), "{error:?}");
        assert_eq!(server.fake.control.count("HELLO"), 0, "no credential was sent");
    }
}

#[tokio::test]
async fn rejects_a_self_signed_certificate_by_default() {
    let server = Server::start(self_signed("localhost")).await;
    let error = refusal(&server.uri("bolt+s", "localhost"), None).await;
    assert!(error.message.contains("bolt+ssc://"), "{error:?}");
    assert_eq!(server.fake.control.count("HELLO"), 0);
    answers(&gateway::start_for(&server.uri("bolt+ssc", "localhost")).await).await;
    // Its name does not matter then.
    answers(&gateway::start_for(&server.uri("bolt+ssc", "127.0.0.1")).await).await;
}

#[tokio::test]
async fn trusts_a_self_signed_certificate_in_the_ca_file() {
    let certified = self_signed("localhost");
    let ca_file = NamedTempFile::new().unwrap();
    let pem = STANDARD.encode(&certified.chain[0]);
    std::fs::write(ca_file.path(), format!("-----BEGIN CERTIFICATE-----\n{pem}\n-----END CERTIFICATE-----\n")).unwrap();
    let server = Server::start(certified).await;
    let changes = [("database.ca_file", ca_file.path().to_str().unwrap())];
    answers(&gateway::start_for_with(&server.uri("bolt+s", "localhost"), &changes).await).await;
}

#[tokio::test]
async fn rejects_another_servers_certificate() {
    let authority = Authority::new("ours");
    let ca_file = authority.file();
    let server = Server::start(authority.certify("db.example.com")).await;
    let error = refusal(&server.uri("bolt+s", "localhost"), Some(&ca_file)).await;
    assert!(error.message.contains("not valid for name"), "{error:?}");
    assert_eq!(server.fake.control.count("HELLO"), 0);
}

#[tokio::test]
async fn rejects_an_expired_certificate() {
    let authority = Authority::new("ours");
    let ca_file = authority.file();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2020, 2, 1);
    let certificate = params.signed_by(&key, &authority.issuer).unwrap();
    let server = Server::start(Certified { chain: vec![certificate.der().clone()], key: secret(&key) }).await;
    let error = refusal(&server.uri("bolt+s", "localhost"), Some(&ca_file)).await;
    assert!(error.message.contains("expired"), "{error:?}");
    assert_eq!(server.fake.control.count("HELLO"), 0);
}

#[tokio::test]
async fn advises_tls_for_a_tls_port() {
    let server = Server::start(self_signed("localhost")).await;
    let error = refusal(&server.uri("bolt", "localhost"), None).await;
    assert!(error.message.contains("bolt+s://"), "{error:?}");
}

#[tokio::test]
async fn names_a_port_without_tls() {
    let fake = FakeNeo4j::start().await;
    let uri = fake.uri().replace("bolt://", "bolt+ssc://");
    let error = refusal(&uri, None).await;
    assert!(error.message.starts_with(&format!("TLS with {uri} failed: ")), "{error:?}");
    assert!(error.message.ends_with("try bolt://"), "{error:?}");
    assert_eq!((error.status, error.code.as_str()), (502, "Boltgate.DatabaseError.Connection.NoTls"));
}

#[tokio::test]
async fn treats_an_end_without_close_notify_as_an_end() {
    let server = Server::start(self_signed("localhost")).await;
    let gateway = gateway::start_for(&server.uri("bolt+ssc", "localhost")).await;
    answers(&gateway).await;
    server.fake.control.on_next("RUN", Fault::CloseBefore);
    let error = refused(&gateway.query("RETURN 1").await);
    assert_eq!(error.status, 502);
    assert!(error.message.starts_with("the database closed the connection; "), "{error:?}");
    answers(&gateway).await;
}

#[tokio::test]
async fn gives_up_on_a_hanging_handshake() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("bolt+ssc://{}", listener.local_addr().unwrap());
    let gateway = gateway::start_for_with(&uri, &[("database.connect_timeout", "200ms")]).await;
    let (hanging, answer) = tokio::join!(listener.accept(), gateway.query("RETURN 1"));
    let error = refused(&answer);
    assert_eq!(error.status, 503);
    assert!(error.message.starts_with("the database did not answer within "), "{error:?}");
    drop(hanging);
}
