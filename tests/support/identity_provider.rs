//! An identity provider in this process, for what no real one does on demand: it hangs, lies, breaks off and rotates keys.
//!
//! Owns the two documents, the answers in their place, and the count of who asked. Signs nothing, and judges nobody.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    serve::Listener,
};
use futures_util::{StreamExt, stream};
use rustls::ServerConfig;
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// The longest wait for a request.
const PATIENCE: Duration = Duration::from_secs(60);
const DISCOVERY: &str = "/.well-known/openid-configuration";
const KEYS: &str = "/keys";

/// A provider. Nobody listens any more once it is dropped.
pub struct IdentityProvider {
    address: SocketAddr,
    origin: String,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

/// How one of the documents is answered.
#[derive(Debug, Clone, Default)]
pub enum Answer {
    /// With the document.
    #[default]
    Document,
    /// With this status.
    Status(u16),
    /// With a redirect to this address.
    Redirect(String),
    /// With status 200 and this body.
    Body(Vec<u8>),
    /// With a body that has no end.
    Endless,
    /// Never.
    Never,
    /// With the beginning of the document.
    Beginning,
}

/// How often the documents were asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    pub discovery: usize,
    pub keys: usize,
}

struct Shared {
    says: Mutex<Says>,
    asked: watch::Sender<Asked>,
    open: watch::Sender<bool>,
}

#[derive(Default)]
struct Says {
    /// Members of the discovery document.
    issuer: String,
    jwks_uri: String,
    keys: Vec<Value>,
    cache_control: Option<Vec<u8>>,
    to_discovery: Answer,
    to_keys: Answer,
    /// The last request that came.
    request: Option<(Method, Uri, HeaderMap)>,
}

impl IdentityProvider {
    /// At an address of its own, over plain HTTP.
    pub async fn start() -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap()).await
    }

    /// At this address, over plain HTTP.
    pub async fn start_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        Self::serve(listener, address, format!("http://{address}"))
    }

    /// On a socket that is bound and does not listen yet, over plain HTTP.
    pub fn start_on(socket: TcpSocket) -> Self {
        let listener = socket.listen(64).unwrap();
        let address = listener.local_addr().unwrap();
        Self::serve(listener, address, format!("http://{address}"))
    }

    /// Over TLS, under the name `host`.
    pub async fn start_tls(config: ServerConfig, host: &str) -> Self {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = tcp.local_addr().unwrap();
        let listener = TlsListener { tcp, acceptor: TlsAcceptor::from(Arc::new(config)) };
        Self::serve(listener, address, format!("https://{host}:{}", address.port()))
    }

    fn serve<L: Listener<Addr: std::fmt::Debug>>(listener: L, address: SocketAddr, origin: String) -> Self {
        let says = Says { issuer: origin.clone(), jwks_uri: format!("{origin}{KEYS}"), ..Says::default() };
        let shared = Arc::new(Shared {
            says: Mutex::new(says),
            asked: watch::Sender::new(Asked::default()),
            open: watch::Sender::new(true),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, origin, shared, serving }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The `iss` of its tokens.
    pub fn issuer(&self) -> &str {
        &self.origin
    }

    pub fn keys_url(&self) -> String {
        format!("{}{KEYS}", self.origin)
    }

    /// From now on these are its keys.
    pub fn publish(&self, keys: &[Value]) {
        self.says().keys = keys.to_vec();
    }

    /// What its discovery document says.
    pub fn describe(&self, issuer: &str, jwks_uri: &str) {
        let mut says = self.says();
        (says.issuer, says.jwks_uri) = (issuer.to_owned(), jwks_uri.to_owned());
    }

    /// The header `Cache-Control` of the keys.
    pub fn cache_control(&self, value: &[u8]) {
        self.says().cache_control = Some(value.to_vec());
    }

    pub fn answer_keys(&self, answer: Answer) {
        self.says().to_keys = answer;
    }

    pub fn answer_discovery(&self, answer: Answer) {
        self.says().to_discovery = answer;
    }

    /// Requests are counted, and wait, until [`IdentityProvider::release`].
    pub fn hold(&self) {
        self.shared.open.send_replace(false);
    }

    pub fn release(&self) {
        self.shared.open.send_replace(true);
    }

    pub fn asked(&self) -> Asked {
        *self.shared.asked.borrow()
    }

    /// Waits until the keys have been asked for that often in all.
    pub async fn asked_for_keys(&self, times: usize) {
        let mut asked = self.shared.asked.subscribe();
        let enough = asked.wait_for(|asked| asked.keys >= times);
        tokio::time::timeout(PATIENCE, enough).await.expect("the keys are asked for").unwrap();
    }

    /// The last request that came.
    pub fn request(&self) -> (Method, Uri, HeaderMap) {
        self.says().request.clone().expect("somebody has asked")
    }

    fn says(&self) -> MutexGuard<'_, Says> {
        self.shared.says.lock().unwrap()
    }
}

impl Drop for IdentityProvider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(State(shared): State<Arc<Shared>>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let is_discovery = uri.path().ends_with(DISCOVERY);
    if !is_discovery && uri.path() != KEYS {
        return StatusCode::NOT_FOUND.into_response();
    }
    shared.says.lock().unwrap().request = Some((method, uri, headers));
    shared.asked.send_modify(|asked| if is_discovery { asked.discovery += 1 } else { asked.keys += 1 });
    let mut open = shared.open.subscribe();
    open.wait_for(|&open| open).await.unwrap();
    let (how, document, cache_control) = {
        let says = shared.says.lock().unwrap();
        if is_discovery {
            let document = json!({ "issuer": says.issuer, "jwks_uri": says.jwks_uri });
            (says.to_discovery.clone(), document, None)
        } else {
            (says.to_keys.clone(), json!({ "keys": says.keys }), says.cache_control.clone())
        }
    };
    let mut response = respond(how, document.to_string()).await;
    if let Some(value) = cache_control {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_bytes(&value).unwrap());
    }
    response
}

async fn respond(how: Answer, document: String) -> Response {
    match how {
        Answer::Document => ([(header::CONTENT_TYPE, "application/json")], document).into_response(),
        Answer::Status(status) => (StatusCode::from_u16(status).unwrap(), document).into_response(),
        Answer::Redirect(to) => (StatusCode::FOUND, [(header::LOCATION, to)], document).into_response(),
        Answer::Body(body) => body.into_response(),
        Answer::Endless => {
            let spaces = Bytes::from_static(&[b' '; 8192]);
            Body::from_stream(stream::repeat(Ok::<_, Infallible>(spaces))).into_response()
        }
        Answer::Never => std::future::pending().await,
        Answer::Beginning => {
            let beginning = Bytes::from(document[..document.len() / 2].to_owned());
            let beginning = stream::iter([Ok::<_, Infallible>(beginning)]);
            Body::from_stream(beginning.chain(stream::pending())).into_response()
        }
    }
}

/// Takes clients one after the other; those who do not trust it are let go.
struct TlsListener {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = self.tcp.accept().await.unwrap();
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}
