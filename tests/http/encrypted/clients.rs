//! Clients' certificates.

use super::start;
use crate::support::tls::{Authority, Client, Mounted};

/// Returns the beginning of the answer that a client gets, or why the client gets no answer.
async fn greeting(client: &Client, address: &str) -> String {
    match client.get(address, "/").await {
        Ok(answer) => answer.chars().take(12).collect(),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn wants_a_certificate_of_its_authorities_where_there_are_some() {
    let (authority, clients, others) = (Authority::new("ours"), Authority::new("clients"), Authority::new("others"));
    let mounted = Mounted::new(&authority.certify());
    let file = mounted.write("clients.pem", &format!("{}{}", Authority::new("further").pem(), clients.pem()));
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let client = Client::trusting(&authority).version(version);
        let (known, unknown) = (client.clone().showing(clients.certify()), client.clone().showing(others.certify()));
        for (auth, without) in [("require", false), ("request", true)] {
            let settings = [("server.tls.client_ca", file.as_str()), ("server.tls.client_auth", auth)];
            let gateway = start(&mounted, &settings).await;
            assert_eq!(greeting(&known, gateway.address()).await, "HTTP/1.1 200");
            let said = greeting(&client, gateway.address()).await;
            assert_eq!(said == "HTTP/1.1 200", without, "{said}");
            // In TLS 1.2 it has no name of its own.
            let reason = if *version == rustls::version::TLS13 { "CertificateRequired" } else { "alert" };
            assert!(without || said.contains(reason), "the client learns why: {said}");
            let said = greeting(&unknown, gateway.address()).await;
            assert!(said.contains("UnknownCA"), "{auth}: {said}");
        }
        // Without authorities nobody is asked.
        let gateway = start(&mounted, &[]).await;
        assert_eq!(greeting(&unknown, gateway.address()).await, "HTTP/1.1 200");
    }
}
