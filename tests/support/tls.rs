//! Clients and certificates for a gateway that speaks TLS.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::http::DEADLINE;

/// Who vouches for others.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key.
pub struct Certified {
    pub certificate: rcgen::Certificate,
    pub key: KeyPair,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Certifies a key for this machine.
    pub fn certify(&self) -> Certified {
        let key = KeyPair::generate().unwrap();
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &self.0).unwrap();
        Certified { certificate, key }
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }
}

/// A folder with the files of a gateway, laid out as Kubernetes mounts a secret: the files are links into a folder that is
/// itself a link, and a change swaps that one.
pub struct Mounted {
    folder: TempDir,
    version: usize,
}

impl Mounted {
    /// A folder with `certificate.pem` and `key.pem`.
    pub fn new(pair: &Certified) -> Self {
        let mut mounted = Self { folder: tempfile::tempdir().unwrap(), version: 0 };
        mounted.swap(&pair.certificate.pem(), &pair.key.serialize_pem());
        for name in ["certificate.pem", "key.pem"] {
            std::os::unix::fs::symlink(Path::new("..data").join(name), mounted.path(name)).unwrap();
        }
        mounted
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The path as a setting has it.
    pub fn text(&self, name: &str) -> String {
        self.path(name).to_str().expect("the test's path is UTF-8").to_owned()
    }

    /// Adds a file beside them.
    pub fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.path(name), text).unwrap();
        self.text(name)
    }

    /// Puts other files in place at once.
    pub fn swap(&mut self, certificate: &str, key: &str) {
        self.version += 1;
        let version = format!("..{}", self.version);
        fs::create_dir(self.path(&version)).unwrap();
        fs::write(self.path(&version).join("certificate.pem"), certificate).unwrap();
        fs::write(self.path(&version).join("key.pem"), key).unwrap();
        std::os::unix::fs::symlink(&version, self.path("..next")).unwrap();
        fs::rename(self.path("..next"), self.path("..data")).unwrap();
    }
}

/// How a client speaks TLS.
#[derive(Clone)]
pub struct Client {
    roots: RootCertStore,
    versions: Vec<&'static SupportedProtocolVersion>,
    protocols: Vec<Vec<u8>>,
    shown: Option<Arc<Certified>>,
}

impl Client {
    /// A client that trusts an authority, and speaks every version.
    pub fn trusting(authority: &Authority) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(authority.0.der().clone()).unwrap();
        Self { roots, versions: rustls::ALL_VERSIONS.to_vec(), protocols: Vec::new(), shown: None }
    }

    pub fn version(mut self, version: &'static SupportedProtocolVersion) -> Self {
        self.versions = vec![version];
        self
    }

    /// Offers protocols by ALPN.
    pub fn offering(mut self, protocols: &[&str]) -> Self {
        self.protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        self
    }

    /// Shows a certificate when it is asked for one.
    pub fn showing(mut self, certified: Certified) -> Self {
        self.shown = Some(Arc::new(certified));
        self
    }

    /// Connects to `HOST:PORT` with a full handshake.
    pub async fn connect(&self, address: &str) -> io::Result<TlsStream<TcpStream>> {
        let config = Arc::new(self.config());
        let work = async {
            let stream = TcpStream::connect(address).await?;
            TlsConnector::from(config).connect(ServerName::try_from("localhost").unwrap(), stream).await
        };
        timeout(DEADLINE, work).await.expect("the handshake ends")
    }

    /// The first message of a handshake.
    pub fn hello(&self) -> Vec<u8> {
        let name = ServerName::try_from("localhost").unwrap();
        let mut connection = rustls::ClientConnection::new(Arc::new(self.config()), name).unwrap();
        let mut hello = Vec::new();
        connection.write_tls(&mut hello).unwrap();
        hello
    }

    fn config(&self) -> ClientConfig {
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&self.versions)
            .unwrap()
            .with_root_certificates(self.roots.clone());
        let mut config = match self.shown.as_deref() {
            None => builder.with_no_client_auth(),
            Some(Certified { certificate, key }) => {
                let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
                builder.with_client_auth_cert(vec![certificate.der().clone()], key).unwrap()
            }
        };
        config.alpn_protocols.clone_from(&self.protocols);
        config
    }

    /// Sends a request on a connection of its own, and returns the whole answer.
    pub async fn get(&self, address: &str, path: &str) -> io::Result<String> {
        let mut stream = self.connect(address).await?;
        ask(&mut stream, path).await?;
        rest(&mut stream).await
    }
}

/// Sends a request after which the connection closes.
pub async fn ask(stream: &mut (impl AsyncWriteExt + Unpin), path: &str) -> io::Result<()> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await
}

/// Reads to the end of a connection, which has to end as its protocol says.
pub async fn rest(stream: &mut (impl AsyncReadExt + Unpin)) -> io::Result<String> {
    let mut bytes = Vec::new();
    timeout(DEADLINE, stream.read_to_end(&mut bytes)).await.expect("the connection ends")?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
