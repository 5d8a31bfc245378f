//! Where keys are fetched from: over TLS unless told otherwise, from the very address, and with nothing but a GET.

use std::{io::Write, net::SocketAddr, path::PathBuf, sync::Arc};

use boltgate::auth::token::{IssuerSettings, KeySource};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivatePkcs8KeyDer};
use tempfile::NamedTempFile;

use super::{claims, issuer, refused, set_up, signer::Signer, verifier, verifier_at};
use crate::support::identity_provider::{Answer, Asked, IdentityProvider};

/// A provider for `host` behind TLS, and the file with the authority that vouches for it.
async fn behind_tls(host: &str) -> (IdentityProvider, NamedTempFile) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([host.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
        .unwrap();
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(authority.pem().as_bytes()).unwrap();
    (IdentityProvider::start_tls(config, host).await, file)
}

fn secure(issuer_name: &str, keys: KeySource, ca_file: PathBuf) -> IssuerSettings {
    IssuerSettings { ca_file: Some(ca_file), allow_http: false, ..issuer(issuer_name, keys) }
}

#[tokio::test]
async fn fetches_keys_over_tls_from_trusted_servers() {
    let (provider, ca) = behind_tls("localhost").await;
    let signer = Signer::p256("k");
    provider.publish(&[signer.jwk()]);
    let token = signer.sign(&claims(provider.issuer()));
    for keys in [KeySource::Discovery, KeySource::Url(provider.keys_url())] {
        let verifier = verifier(vec![secure(provider.issuer(), keys, ca.path().into())]);
        assert!(verifier.verify(&token).await.is_ok());
    }
    assert_eq!(provider.asked(), Asked { discovery: 1, keys: 2 });

    let (_stranger, other_ca) = behind_tls("localhost").await;
    for ca_file in [Some(other_ca.path().into()), None] {
        let settings = secure(provider.issuer(), KeySource::Discovery, ca.path().into());
        let verifier = verifier(vec![IssuerSettings { ca_file, ..settings }]);
        assert!(refused(verifier.verify(&token).await).is_unavailable());
    }
    assert_eq!(provider.asked(), Asked { discovery: 1, keys: 2 }, "nothing was said to it");
}

#[tokio::test]
async fn rejects_a_certificate_for_another_name() {
    let (provider, ca) = behind_tls("localhost").await;
    let signer = Signer::p256("k");
    provider.publish(&[signer.jwk()]);
    let elsewhere = format!("https://127.0.0.1:{}/keys", provider.address().port());
    let verifier = verifier(vec![secure(provider.issuer(), KeySource::Url(elsewhere), ca.path().into())]);
    assert!(refused(verifier.verify(&signer.sign(&claims(provider.issuer()))).await).is_unavailable());
    assert_eq!(provider.asked().keys, 0);
}

/// Otherwise the author of the discovery document could move the keys out of TLS.
#[tokio::test]
async fn rejects_plain_http_keys_from_tls_discovery() {
    let (provider, ca) = behind_tls("localhost").await;
    let plain = IdentityProvider::start().await;
    let signer = Signer::p256("k");
    plain.publish(&[signer.jwk()]);
    provider.describe(provider.issuer(), &plain.keys_url());
    let verifier = verifier(vec![secure(provider.issuer(), KeySource::Discovery, ca.path().into())]);
    assert!(refused(verifier.verify(&signer.sign(&claims(provider.issuer()))).await).is_unavailable());
    assert_eq!((provider.asked().discovery, plain.asked()), (1, Asked::default()));
}

#[test]
fn rejects_unsafe_addresses_at_start() {
    for (url, allow_http) in [
        ("http://id.example/keys", false),
        ("https://user:password@id.example/keys", false),
        ("https://user@id.example/keys", false),
        ("https://id.example:99999/keys", false),
        ("ftp://id.example/keys", true),
        ("file:///etc/passwd", true),
        ("https:///keys", true),
        ("id.example/keys", true),
        ("/keys", true),
        ("", true),
        ("https://id example/", true),
    ] {
        for keys in [KeySource::Url(url.into()), KeySource::Discovery] {
            // For discovery the issuer's name is the address.
            let settings = IssuerSettings { allow_http, ..issuer(url, keys) };
            let problem = set_up(vec![settings]).expect_err(url).to_string();
            assert!(problem.contains("auth.issuers.corp"), "{problem}");
            assert!(!problem.contains("password"), "{problem}");
        }
    }
    let no_file = set_up(vec![secure("https://id.example", KeySource::Discovery, "/no/such/file".into())]);
    assert!(no_file.expect_err("no authorities").to_string().contains("auth.issuers.corp"));
}

#[tokio::test]
async fn accepts_ipv6_addresses() {
    let loopback: SocketAddr = "[::1]:0".parse().unwrap();
    let provider = IdentityProvider::start_at(loopback).await;
    let signer = Signer::p256("k");
    provider.publish(&[signer.jwk()]);
    assert!(provider.issuer().starts_with("http://[::1]:"));
    let verifier = verifier(vec![issuer(provider.issuer(), KeySource::Discovery)]);
    assert!(verifier.verify(&signer.sign(&claims(provider.issuer()))).await.is_ok());
    assert_eq!(provider.asked(), Asked { discovery: 1, keys: 1 });
}

#[tokio::test]
async fn sends_a_plain_get() {
    let provider = IdentityProvider::start().await;
    let signer = Signer::p256("k");
    provider.publish(&[signer.jwk()]);
    let token = signer.sign(&claims(provider.issuer()));
    assert!(verifier_at(&provider).verify(&token).await.is_ok());
    let (method, uri, headers) = provider.request();
    assert_eq!((method.as_str(), uri.to_string().as_str()), ("GET", "/keys"));
    assert_eq!(headers["host"], provider.address().to_string());
    assert_eq!(headers["accept"], "application/json");
    for secret in ["authorization", "cookie", "referer", "proxy-authorization"] {
        assert!(!headers.contains_key(secret), "{secret}");
    }
    let with_query = format!("{}?tenant=a%20b", provider.keys_url());
    let verifier = verifier(vec![issuer(provider.issuer(), KeySource::Url(with_query))]);
    assert!(verifier.verify(&token).await.is_ok());
    assert_eq!(provider.request().1, "/keys?tenant=a%20b");
}

#[tokio::test]
async fn finds_discovery_below_the_issuer_with_or_without_a_slash() {
    let provider = IdentityProvider::start().await;
    let signer = Signer::p256("k");
    provider.publish(&[signer.jwk()]);
    let origin = provider.issuer().to_owned();
    for path in ["", "/", "/realms/one", "/realms/one/"] {
        let name = format!("{origin}{path}");
        provider.describe(&name, &provider.keys_url());
        let verifier = verifier(vec![issuer(&name, KeySource::Discovery)]);
        assert!(verifier.verify(&signer.sign(&claims(&name))).await.is_ok(), "{name}");
    }
    assert_eq!(provider.asked(), Asked { discovery: 4, keys: 4 });
}

#[tokio::test]
async fn follows_no_redirects() {
    let (provider, target) = (IdentityProvider::start().await, IdentityProvider::start().await);
    let signer = Signer::p256("k");
    [&provider, &target].iter().for_each(|provider| provider.publish(&[signer.jwk()]));
    let token = signer.sign(&claims(provider.issuer()));
    provider.answer_keys(Answer::Redirect(target.keys_url()));
    assert!(refused(verifier_at(&provider).verify(&token).await).is_unavailable());
    provider.answer_discovery(Answer::Redirect(format!("{}/.well-known/openid-configuration", target.issuer())));
    let discovering = verifier(vec![issuer(provider.issuer(), KeySource::Discovery)]);
    assert!(refused(discovering.verify(&token).await).is_unavailable());
    assert_eq!((provider.asked(), target.asked()), (Asked { discovery: 1, keys: 1 }, Asked::default()));
}
