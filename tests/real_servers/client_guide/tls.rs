//! TLS in front of a fake, with a certificate that vouches for itself.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{CertificateParams, KeyPair};
use rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivatePkcs8KeyDer};
use tempfile::NamedTempFile;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

/// Serves until it is dropped.
pub(crate) struct Tls {
    pub(crate) port: u16,
    /// The certificate, as an operator has it.
    pub(crate) ca_file: NamedTempFile,
    serving: JoinHandle<()>,
}

impl Tls {
    /// As `localhost`, in front of the server at `address`.
    pub(crate) async fn before(address: std::net::SocketAddr) -> Self {
        let key = KeyPair::generate().expect("a key can be made");
        let certificate = CertificateParams::new(["localhost".to_owned()]).and_then(|names| names.self_signed(&key));
        let certificate = certificate.expect("a certificate can be made").der().clone();
        let ca_file = NamedTempFile::new().expect("a temporary file can be made");
        let pem =
            format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(&certificate));
        std::fs::write(ca_file.path(), pem).expect("it can be written");
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has them")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
            .expect("key and certificate belong together");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a port");
        let port = listener.local_addr().expect("it is bound").port();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let serving = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    if let (Ok(mut near), Ok(mut far)) =
                        tokio::join!(acceptor.accept(near), TcpStream::connect(address))
                    {
                        // Either side may go first.
                        let _ = copy_bidirectional(&mut near, &mut far).await;
                    }
                });
            }
        });
        Self { port, ca_file, serving }
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
