//! Certificates that are replaced while the gateway runs.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use super::start;
use crate::support::{
    http::DEADLINE,
    tls::{Authority, Certified, Client, Mounted},
};

/// The certificate that a new connection is shown, after a request on it has succeeded.
async fn shown(client: &Client, address: &str) -> Vec<u8> {
    let mut stream = client.connect(address).await.expect("no handshake fails");
    let shown = stream.get_ref().1.peer_certificates().expect("there is one")[0].to_vec();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.expect("no request fails");
    assert_eq!(&status, b"HTTP/1.1 200");
    shown
}

#[tokio::test]
async fn takes_over_a_swapped_secret_without_failing_a_request() {
    let authority = Authority::new("ours");
    let mut mounted = Mounted::new(&authority.certify());
    let gateway = start(&mounted, &[("server.tls.reload", "20ms")]).await;
    let client = Client::trusting(&authority);
    let mut kept = client.connect(gateway.address()).await.unwrap();
    for _ in 0..3 {
        let Certified { certificate, key } = authority.certify();
        mounted.swap(&certificate.pem(), &key.serialize_pem());
        let taken = async { while shown(&client, gateway.address()).await != certificate.der().as_ref() {} };
        timeout(DEADLINE, taken).await.expect("it is taken over");
    }
    // What was connected before goes on.
    kept.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut status = [0; 12];
    kept.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 200");
}
