//! The HTTP client of the exporter: the gateway's own, in the form that OpenTelemetry expects.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use http::{HeaderName, HeaderValue, header};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use rustls::ClientConfig;
use tokio::time::Instant;

use super::{OtlpError, Settings};
use crate::{
    http_client::{self, Url},
    tls,
};

/// The longest answer that is read, in bytes. Those of collectors are short.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Posts to one collector.
#[derive(Debug)]
pub(super) struct Client {
    url: Url,
    tls: Option<Arc<ClientConfig>>,
    headers: Vec<(HeaderName, HeaderValue)>,
    timeout: Duration,
}

impl Client {
    pub(super) fn new(settings: &Settings) -> Result<Self, OtlpError> {
        let failed = |error: &dyn std::fmt::Display| OtlpError::Exporter(error.to_string());
        let url: Url = settings.url.parse().map_err(|error| failed(&error))?;
        let tls = if url.is_https() { Some(tls::verified(None).map_err(|error| failed(&error))?) } else { None };
        let agent = HeaderValue::from_static(concat!("boltgate/", env!("CARGO_PKG_VERSION")));
        let mut headers = vec![(header::USER_AGENT, agent)];
        headers.extend(settings.headers.iter().cloned());
        Ok(Self { url, tls, headers, timeout: settings.timeout })
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        // Only these of the exporter's headers: it adds some of its own from the environment.
        let of_body = [header::CONTENT_TYPE, header::CONTENT_ENCODING];
        let of_body = of_body.into_iter().filter_map(|name| Some((name.clone(), parts.headers.get(&name)?.clone())));
        let headers: Vec<_> = self.headers.iter().cloned().chain(of_body).collect();
        let deadline = Instant::now() + self.timeout;
        let answer = http_client::post(&self.url, self.tls.as_ref(), &headers, body, deadline).await?;
        let (status, retry_after) = (answer.status(), answer.headers().get(header::RETRY_AFTER).cloned());
        let mut response = Response::new(answer.read(LONGEST_ANSWER).await?);
        *response.status_mut() = status;
        if let Some(value) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        Ok(response)
    }
}
