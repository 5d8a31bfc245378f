//! The files of `[server.tls]`, and how they are replaced.

use std::{
    fs,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, PKCS_ECDSA_P256_SHA256,
    PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256, SignatureAlgorithm,
};
use rustls::{
    ClientConfig, HandshakeKind,
    client::Resumption,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName},
};
use simple_asn1::ASN1Block;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;

/// Writes down what it is told.
#[derive(Default)]
struct Notes {
    expires: Mutex<Vec<Option<i64>>>,
    succeeded: AtomicUsize,
    failed: AtomicUsize,
}

impl Observer for Notes {
    fn certificate_in_force(&self, expires: Option<i64>) {
        self.expires.lock().unwrap().push(expires);
    }

    fn reloaded(&self, of: Reloaded, succeeded: bool) {
        assert_eq!(of, Reloaded::Certificates);
        if succeeded { &self.succeeded } else { &self.failed }.fetch_add(1, Relaxed);
    }
}

/// A folder with the files of a gateway.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).unwrap();
    }

    /// A certificate with a key of its own, which expires in `year`.
    fn certify(&self, year: i32) {
        let key = KeyPair::generate().unwrap();
        self.write("certificate", &certificate(&key, year));
        self.write("key", &key.serialize_pem());
    }

    fn settings(&self) -> TlsSettings {
        let path = |name: &str| self.0.path().join(name);
        TlsSettings {
            certificate: path("certificate"),
            key: path("key"),
            client_ca: path("authorities").exists().then(|| path("authorities")),
            client_certificate_required: true,
            handshake_timeout: Duration::from_secs(10),
            reload: Duration::from_secs(10),
        }
    }

    fn refusal(&self) -> String {
        Prepared::read(self.settings()).err().expect("it is refused").to_string()
    }
}

fn certificate(key: &KeyPair, year: i32) -> String {
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(year, 1, 1);
    params.self_signed(key).unwrap().pem()
}

/// The key that is inside of PKCS#8: PKCS#1 for RSA, SEC1 for curves.
fn inner(key: &KeyPair, label: &str) -> String {
    let der = key.serialize_der();
    let Some(ASN1Block::Sequence(_, parts)) = simple_asn1::from_der(&der).unwrap().into_iter().next() else { panic!() };
    let Some(ASN1Block::OctetString(_, inner)) = parts.into_iter().nth(2) else { panic!() };
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(inner))
}

#[test]
fn keys_are_read_in_all_their_forms() {
    let folder = Folder::new();
    let of = |algorithm: &'static SignatureAlgorithm| KeyPair::generate_for(algorithm).unwrap();
    for (key, label) in [
        (of(&PKCS_RSA_SHA256), "RSA PRIVATE KEY"),
        (of(&PKCS_ECDSA_P256_SHA256), "EC PRIVATE KEY"),
        (of(&PKCS_ECDSA_P384_SHA384), "EC PRIVATE KEY"),
    ] {
        folder.write("certificate", &certificate(&key, 2040));
        for pem in [key.serialize_pem(), inner(&key, label)] {
            folder.write("key", &pem);
            let prepared = Prepared::read(folder.settings()).unwrap();
            assert_eq!(prepared.material.expires, Some(2_208_988_800), "{label}");
        }
    }
}

#[test]
fn files_that_cannot_be_used_are_named_with_their_setting() {
    let folder = Folder::new();
    let named = |refusal: &str, file: &str, setting: &str| {
        let path = folder.0.path().join(file);
        assert!(refusal.contains(&format!("{} (server.tls.{setting})", path.display())), "{refusal}");
    };
    named(&folder.refusal(), "certificate", "certificate");
    folder.certify(2040);
    let good = fs::read_to_string(folder.0.path().join("key")).unwrap();

    folder.write("key", &KeyPair::generate().unwrap().serialize_pem());
    let refusal = folder.refusal();
    named(&refusal, "key", "key");
    named(&refusal, "certificate", "certificate");
    assert!(refusal.contains("does not belong to"), "{refusal}");

    for (text, why) in [
        ("", "contains no private key"),
        (
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
            "is encrypted with a passphrase",
        ),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "cannot be used"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n", "cannot be used"),
    ] {
        folder.write("key", text);
        let refusal = folder.refusal();
        named(&refusal, "key", "key");
        assert!(refusal.contains(why), "{refusal}");
    }
    folder.write("key", &good);

    for (text, why) in [
        ("", "contains no certificate"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be used"),
    ] {
        for setting in ["client_ca", "certificate"] {
            let file = if setting == "client_ca" { "authorities" } else { setting };
            let before = fs::read_to_string(folder.0.path().join(file)).unwrap_or_default();
            folder.write(file, text);
            let refusal = folder.refusal();
            named(&refusal, file, setting);
            assert!(refusal.contains(why), "{refusal}");
            match before.is_empty() {
                true => fs::remove_file(folder.0.path().join(file)).unwrap(),
                false => folder.write(file, &before),
            }
        }
    }
    assert!(Prepared::read(folder.settings()).is_ok());
}

#[tokio::test]
async fn other_contents_are_taken_over_and_faults_change_nothing() {
    let (folder, notes) = (Folder::new(), Arc::<Notes>::default());
    folder.certify(2030);
    let tls = Tls::new(Some(Prepared::read(folder.settings()).unwrap()), Arc::clone(&notes) as Arc<dyn Observer>);
    let expires = || notes.expires.lock().unwrap().last().copied().flatten();
    let config = || tls.current().unwrap().0;
    let counted = || (notes.succeeded.load(Relaxed), notes.failed.load(Relaxed));
    assert_eq!((expires(), counted()), (Some(1_893_456_000), (0, 0)));

    let first = config();
    tls.look().await;
    assert!(Arc::ptr_eq(&first, &config()), "nothing has changed");
    folder.certify(2031);
    tls.look().await;
    let second = config();
    assert!(!Arc::ptr_eq(&first, &second));
    assert_eq!((expires(), counted()), (Some(1_924_992_000), (2, 0)));

    // The certificate is replaced before its key.
    let key = KeyPair::generate().unwrap();
    folder.write("certificate", &certificate(&key, 2032));
    let fault = || tls.0.fault.lock().unwrap().clone();
    tls.look().await;
    let mismatch = fault();
    assert!(mismatch.as_ref().is_some_and(|(_, text)| text.contains("does not belong to")), "{mismatch:?}");
    assert!(!tls.set_fault(mismatch), "the same one is said once");
    tls.look().await;
    assert!(Arc::ptr_eq(&second, &config()));
    fs::remove_file(folder.0.path().join("key")).unwrap();
    tls.look().await;
    assert!(fault().is_some_and(|(_, text)| text.contains("cannot read")), "{:?}", fault());
    assert_eq!(counted(), (2, 3));
    folder.write("key", &key.serialize_pem());
    tls.look().await;
    assert_eq!((expires(), counted(), fault()), (Some(1_956_528_000), (3, 3), None));

    tls.install(None);
    tls.look().await;
    assert!(tls.current().is_none() && !tls.is_on());
    assert_eq!((expires(), counted()), (None, (3, 3)));
}

/// Shakes hands over memory, and returns the kind of handshake, or the error that the client gets in the end.
async fn shake(tls: &Tls, client: &Arc<ClientConfig>) -> Result<HandshakeKind, String> {
    let (near, far) = duplex(64 * 1024);
    let acceptor = TlsAcceptor::from(tls.current().unwrap().0);
    tokio::spawn(async move {
        let mut stream = acceptor.accept(far).await?;
        stream.write_all(b"!").await?;
        stream.shutdown().await
    });
    let connecting = TlsConnector::from(Arc::clone(client)).connect(ServerName::try_from("localhost").unwrap(), near);
    let mut stream = connecting.await.map_err(|error| error.to_string())?;
    // Tickets come with the first data, and so does a refusal in TLS 1.3.
    stream.read_to_end(&mut Vec::new()).await.map_err(|error| error.to_string())?;
    Ok(stream.get_ref().1.handshake_kind().unwrap())
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A client that trusts the certificate in `file`, and has one of `issuer`.
fn client(
    file: &Path,
    issuer: &CertifiedIssuer<'static, KeyPair>,
    version: &'static rustls::SupportedProtocolVersion,
) -> Arc<ClientConfig> {
    let key = KeyPair::generate().unwrap();
    let shown = CertificateParams::new(["client".to_owned()]).unwrap().signed_by(&key, issuer).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    use rustls::pki_types::pem::PemObject as _;
    roots.add(CertificateDer::from_pem_file(file).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(
            vec![shown.der().clone()],
            PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
        .unwrap();
    config.resumption = Resumption::in_memory_sessions(8);
    Arc::new(config)
}

#[tokio::test]
async fn a_session_is_resumed_but_never_under_other_authorities() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let folder = Folder::new();
        folder.certify(2040);
        let (ours, theirs) = (authority("ours"), authority("theirs"));
        folder.write("authorities", &ours.pem());
        let tls = Tls::new(Some(Prepared::read(folder.settings()).unwrap()), Arc::new(Notes::default()));
        let client = client(&folder.settings().certificate, &ours, version);
        assert_eq!(shake(&tls, &client).await, Ok(HandshakeKind::Full), "{version:?}");
        assert_eq!(shake(&tls, &client).await, Ok(HandshakeKind::Resumed), "{version:?}");

        folder.write("authorities", &theirs.pem());
        tls.look().await;
        let refused = shake(&tls, &client).await;
        assert!(refused.as_ref().is_err_and(|error| error.contains("UnknownCA")), "{version:?}: {refused:?}");
    }
}
