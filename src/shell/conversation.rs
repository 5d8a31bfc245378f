//! One statement: its request, its answer, and the rows on their way from one to the other.

use std::time::Duration;

use clap::ValueEnum as _;
use http_body_util::{BodyExt as _, Limited};
use hyper::{
    Response,
    body::{Bytes, Incoming},
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, USER_AGENT},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::{
    credentials::Credentials,
    failure::{Failure, Told},
    input, json,
    output::Output,
    progress::{EVERY, Progress},
    prompt,
    rows::Rows,
    summary::Summary,
    target::{Gateway, database},
};
use crate::cli::{Format, QueryArgs};

/// The longest answer that is an error, in bytes.
const MAX_ERROR: usize = 1024 * 1024;
/// Errors say what they are by their status.
const STATUSES: (HeaderName, HeaderValue) =
    (HeaderName::from_static("boltgate-statuses"), HeaderValue::from_static("precise"));
/// What a segment of a path may not hold as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What is asked, and the form of the answer.
pub(super) struct Wanted {
    format: Format,
    /// Begins with a slash.
    path: String,
    body: Bytes,
}

impl Wanted {
    /// # Errors
    /// [`Failure::Usage`] if statement or parameters cannot be read.
    pub(super) fn new(args: &QueryArgs, format: Format) -> Result<Self, Failure> {
        let parameters = input::parameters(args)?;
        let statement = input::statement(args)?;
        let mut body = format!("{{\"statement\":{},\"parameters\":{parameters}", json::string(&statement));
        if args.read {
            body.push_str(",\"accessMode\":\"READ\"");
        }
        if let Some(timeout) = args.timeout {
            body.push_str(&format!(",\"maxExecutionTime\":{}", seconds(timeout.get())));
        }
        if format == Format::Table {
            body.push_str(",\"includeCounters\":true");
        }
        body.push('}');
        let path = format!("/db/{}/query/v2", utf8_percent_encode(database(args), SEGMENT));
        Ok(Self { format, path, body: body.into() })
    }

    fn headers(&self, authorization: Option<&HeaderValue>) -> Vec<(HeaderName, HeaderValue)> {
        let mut headers = vec![
            STATUSES,
            (ACCEPT, HeaderValue::from_static(media_type(self.format))),
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (USER_AGENT, HeaderValue::from_static(concat!("boltgate-query/", env!("CARGO_PKG_VERSION")))),
        ];
        headers.extend(authorization.map(|value| (AUTHORIZATION, value.clone())));
        headers
    }
}

/// A time span in seconds, as a JSON number.
fn seconds(span: Duration) -> String {
    format!("{}.{:03}", span.as_secs(), span.subsec_millis())
}

/// The media type of a format.
fn media_type(format: Format) -> &'static str {
    match format {
        Format::Auto | Format::Csv => "text/csv",
        Format::Table | Format::Jsonl => "application/jsonl",
        Format::Json => "application/json",
        Format::Ndjson => "application/x-ndjson",
        Format::Typed => "application/vnd.neo4j.query.v1.2",
        Format::Arrow => "application/vnd.apache.arrow.stream",
        Format::Graph => "application/vnd.boltgate.graph+json",
    }
}

/// A statement under way.
pub(super) struct Conversation<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) wanted: &'a Wanted,
    pub(super) output: &'a mut Output,
    pub(super) progress: Progress,
}

impl Conversation<'_> {
    /// Asks, and writes the rows. Dropping this future cancels the statement.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub(super) async fn hold(&mut self, credentials: Credentials) -> Result<Summary, Failure> {
        let name = self.gateway.name();
        let may_ask = matches!(credentials, Credentials::Nobody) && prompt::is_possible();
        let authorization = credentials.authorization(&name).await?;
        self.progress.restart();
        let answer = match self.ask(authorization.as_ref()).await {
            // A caller that is not let in has done nothing yet.
            Ok(answer) if answer.status() == 401 && may_ask => {
                self.progress.clear();
                let authorization = Credentials::ask(&name).await?;
                self.progress.restart();
                self.ask(Some(&authorization)).await?
            }
            answer => answer?,
        };
        let answer = self.accepted(answer, authorization.is_none()).await?;
        self.write(answer.into_body()).await
    }

    /// Sends the request, and shows that it takes time.
    async fn ask(&mut self, authorization: Option<&HeaderValue>) -> Result<Response<Incoming>, Failure> {
        let headers = self.wanted.headers(authorization);
        let asked = self.gateway.post(&self.wanted.path, headers, self.wanted.body.clone());
        let mut asked = std::pin::pin!(asked);
        let mut ticks = ticks();
        loop {
            tokio::select! {
                biased;
                answer = &mut asked => return answer,
                _ = ticks.tick() => self.progress.show("waiting for the first row"),
            }
        }
    }

    /// Makes sure that an answer is what was asked for.
    async fn accepted(
        &mut self,
        answer: Response<Incoming>,
        is_anonymous: bool,
    ) -> Result<Response<Incoming>, Failure> {
        let status = answer.status();
        let name = self.gateway.name();
        let media = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = media.split(';').next().unwrap_or_default().trim();
        if status.is_success() && essence == media_type(self.wanted.format) {
            return Ok(answer);
        }
        if status.is_success() {
            let essence = if essence.is_empty() { "something without a type" } else { essence };
            return Err(Failure::Unreachable(format!(
                "{name} answered with {essence} instead of {}; is it a Boltgate?",
                media_type(self.wanted.format)
            )));
        }
        if status.is_redirection() {
            let to = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or("nowhere");
            return Err(Failure::Unreachable(format!(
                "{name} answered {status} and sends to {to}; name the gateway's own address with --url"
            )));
        }
        if status == 406 {
            let format = self.wanted.format.to_possible_value();
            let format = format.as_ref().map_or("auto", |format| format.get_name());
            return Err(Failure::Usage(format!(
                "--format {format}: {name} does not offer this format; choose another one"
            )));
        }
        let body = Limited::new(answer.into_body(), MAX_ERROR).collect().await;
        let told = body.ok().and_then(|body| told(&body.to_bytes()));
        let Some(told) = told else {
            return Err(Failure::Unreachable(format!("{name} answered {status} without a reason; is it a Boltgate?")));
        };
        match Failure::of(status.as_u16(), told) {
            Failure::Unreachable(said) if status == 401 && is_anonymous => Err(Failure::Unreachable(format!(
                "{said} Name the user with --user or BOLTGATE_USER, and set BOLTGATE_PASSWORD; or set BOLTGATE_TOKEN"
            ))),
            failure => Err(failure),
        }
    }

    /// Writes the rows as they arrive.
    async fn write(&mut self, mut body: Incoming) -> Result<Summary, Failure> {
        let mut rows = Rows::new(self.wanted.format, self.output.columns());
        let mut ticks = ticks();
        let mut is_idle = false;
        loop {
            let frame = tokio::select! {
                biased;
                frame = body.frame() => frame,
                _ = ticks.tick() => {
                    if std::mem::replace(&mut is_idle, true) {
                        // Nothing has come for a while: what there is should not wait for the rest.
                        self.put(rows.flush()).await?;
                    }
                    self.progress.show(&rows.tally().to_string());
                    continue;
                }
            };
            is_idle = false;
            match frame {
                None => break,
                Some(Err(_)) => {
                    self.put(rows.flush()).await?;
                    return Err(rows.broken());
                }
                Some(Ok(frame)) => {
                    let Ok(bytes) = frame.into_data() else { continue };
                    let text = rows.take(bytes)?;
                    self.put(text).await?;
                }
            }
        }
        self.put(rows.end()?).await?;
        self.progress.clear();
        if self.output.is_terminal() && !rows.ends_line() {
            // What follows should not stand behind the result.
            self.put(Bytes::from_static(b"\n")).await?;
        }
        match rows.failure() {
            None => Ok(Summary { tally: rows.tally(), elapsed: self.progress.elapsed(), changes: rows.changes() }),
            Some(failure) => Err(failure),
        }
    }

    async fn put(&mut self, text: Bytes) -> Result<(), Failure> {
        if text.is_empty() {
            return Ok(());
        }
        if self.output.is_terminal() {
            self.progress.clear();
        }
        self.output.write(text).await
    }
}

fn ticks() -> tokio::time::Interval {
    let mut ticks = interval_at(Instant::now() + EVERY, EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// The first error of an answer that is an error: a document, or an event of JSON Lines.
fn told(body: &[u8]) -> Option<Told> {
    #[derive(Deserialize)]
    struct Document {
        #[serde(alias = "_body")]
        errors: Vec<Told>,
    }
    let document: Document = serde_json::from_slice(body).ok()?;
    document.errors.into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_sent_in_seconds() {
        assert_eq!(seconds(Duration::from_millis(1)), "0.001");
        assert_eq!(seconds(Duration::from_secs(90)), "90.000");
    }

    #[test]
    fn an_error_document_tells_its_first_error() {
        let body = br#"{"errors":[{"code":"A.B","message":"m","retryable":true},{"code":"C","message":"n"}]}"#;
        let first = Some(Told { code: "A.B".to_owned(), message: "m".to_owned() });
        assert_eq!(told(body), first);
        assert_eq!(told(b"{\"$event\":\"Error\",\"_body\":[{\"code\":\"A.B\",\"message\":\"m\"}]}\n"), first);
        for other in ["", "<html>", "{}", r#"{"errors":[]}"#, r#"{"errors":[1]}"#] {
            assert_eq!(told(other.as_bytes()), None, "{other}");
        }
    }
}
