//! Understanding a request: path, method, `Content-Type`, `Accept` and body, checked in Neo4j's order.

use std::time::Duration;

use axum::{
    body::{Body, Bytes, HttpBody as _},
    http::{HeaderMap, Method, StatusCode, request::Parts},
};
use http_body_util::BodyExt as _;
use tokio::time::timeout;

#[cfg(feature = "arrow")]
use super::media::Layout;
use super::{
    body::{self, BodyError, BodyKind, BodyLimits, QueryBody},
    body_memory::{Hold, Sender},
    coded,
    media::{self, Format, Offer, Unfit},
    path::Path,
    refusal::Refusal,
};
use crate::{
    json::View,
    query::{Error, OFFLOAD_ABOVE, offload},
    telemetry::observer::RefusalReason,
    unpack::Coding,
};

/// The limits of a request before it reaches the database.
#[derive(Debug, Clone)]
pub(super) struct RequestLimits {
    /// The most requests in flight.
    pub(super) requests: usize,
    /// The most requests of one caller in flight.
    pub(super) caller_requests: usize,
    /// The longest body, in bytes.
    pub(super) body: usize,
    /// The longest body once it is unpacked, in bytes.
    pub(super) decompressed_body: usize,
    /// The time within which the whole body has to arrive.
    pub(super) body_timeout: Duration,
    /// The longest line of a body that is read line by line, in bytes.
    pub(super) line: usize,
    /// The limits of what a body contains.
    pub(super) content: BodyLimits,
    /// The most rows of the transactional API that wait for nodes, in bytes.
    pub(super) graph: usize,
    /// The most nodes and relationships of a graph document.
    pub(super) graph_elements: usize,
}

/// A request that has been understood.
#[derive(Debug)]
pub(super) struct Understood<'a> {
    pub(super) path: Path<'a>,
    /// Whether the method is DELETE; otherwise it is POST.
    pub(super) delete: bool,
    pub(super) format: Format,
    pub(super) body: QueryBody,
}

/// What the head alone says about a request.
struct Head<'a> {
    path: Path<'a>,
    delete: bool,
    content: View,
    format: Format,
}

impl<'a> Head<'a> {
    /// Checks a head. `empty` says that no body follows.
    fn of(parts: &'a Parts, empty: bool) -> Result<Self, Refusal> {
        let path = Path::parse(parts.uri.path()).ok_or_else(|| Refusal::not_found(parts.uri.path()))?;
        let delete = parts.method == Method::DELETE;
        coding(&parts.headers)?;
        let content = match media::content(&parts.headers) {
            Ok(Some(view)) => view,
            // An empty body needs no type.
            Ok(None) if empty => View::Plain,
            Ok(None) | Err(Unfit::Unsupported) => {
                return Err(Refusal::unsupported_media_type(&media::bodies(matches!(path, Path::Batch { .. }))));
            }
            Err(Unfit::Malformed(detail)) => return Err(Refusal::bad_header(detail)),
        };
        let shows_rows = matches!(path, Path::Query { .. } | Path::Transaction { .. }) && !delete;
        let offer = if shows_rows { Offer::Rows } else { Offer::Events };
        let format = match Format::accepted(&parts.headers, offer) {
            Ok(format) => format,
            Err(Unfit::Unsupported) => return Err(Refusal::not_acceptable(&offer.names())),
            Err(Unfit::Malformed(detail)) => return Err(Refusal::bad_header(detail)),
        };
        Ok(Self { path, delete, content, format })
    }
}

/// Checks the head of a request, as [`understand`] does together with its body. At least `length` bytes of a body
/// follow.
pub(super) fn check_head(parts: &Parts, length: u64) -> Result<(), Refusal> {
    Head::of(parts, length == 0).map(drop)
}

/// Checks the announced length of a body against the limit, so that a client need not send what is refused anyway.
pub(super) fn fits(length: u64, limits: &RequestLimits) -> Result<usize, Refusal> {
    usize::try_from(length).ok().filter(|length| *length <= limits.body).ok_or_else(|| too_long(limits))
}

/// Reads the whole body, within the limits and counted by `hold`, and unpacks it if it has a `coding`.
pub(super) async fn read(
    mut body: Body,
    coding: Option<Coding>,
    limits: &RequestLimits,
    hold: &mut Hold,
    sender: &impl Sender,
) -> Result<Bytes, Refusal> {
    let announced = fits(body.size_hint().lower(), limits)?;
    if let Some(coding) = coding {
        // On the heap, since few bodies are packed.
        return Box::pin(in_time(limits, coded::read(body, coding, limits, hold, sender))).await;
    }
    if !hold.try_reserve(announced) {
        Box::pin(hold.reserve(announced, sender)).await.map_err(no_room)?;
    }
    let reading = async {
        let Some(first) = next(&mut body).await? else { return Ok(Bytes::new()) };
        if first.len() >= announced && body.is_end_stream() && announced > 0 {
            return Ok(first);
        }
        // On the heap, since nearly all bodies arrive in one piece.
        Box::pin(collect(first, body, limits, hold, sender)).await
    };
    in_time(limits, reading).await
}

/// Waits for a body, as long as it may take to arrive.
async fn in_time<T>(limits: &RequestLimits, reading: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
    timeout(limits.body_timeout, reading).await.unwrap_or_else(|_| {
        Err(Refusal::plain(
            StatusCode::REQUEST_TIMEOUT,
            &format!("The request body did not arrive within {:?} (server.body_timeout).", limits.body_timeout),
        ))
    })
}

/// Reads the rest of a body whose first piece has arrived. Pieces are joined as they arrive: a list of small pieces
/// would take more memory than the pieces themselves.
async fn collect(
    first: Bytes,
    mut body: Body,
    limits: &RequestLimits,
    hold: &mut Hold,
    sender: &impl Sender,
) -> Result<Bytes, Refusal> {
    let mut whole = Vec::new();
    // No more than the announced length, which has been counted.
    whole.reserve_exact(first.len() + usize::try_from(body.size_hint().lower()).unwrap_or(0));
    let mut piece = Some(first);
    while let Some(data) = piece {
        let length = whole.len() + data.len();
        if length > limits.body {
            return Err(too_long(limits));
        }
        hold.reserve(length, sender).await.map_err(no_room)?;
        whole.extend_from_slice(&data);
        piece = next(&mut body).await?;
    }
    Ok(whole.into())
}

/// The next piece of a body.
pub(super) async fn next(body: &mut Body) -> Result<Option<Bytes>, Refusal> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::bad_header("the request body broke off"))?;
        // Trailers have no meaning here.
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

pub(super) fn too_long(limits: &RequestLimits) -> Refusal {
    let message = format!("The request body is longer than {} bytes (limits.body).", limits.body);
    Refusal::plain(StatusCode::PAYLOAD_TOO_LARGE, &message).by_limit(RefusalReason::Body)
}

pub(super) fn no_room(error: Error) -> Refusal {
    Refusal::of(error, Format::plain())
}

/// Understands everything about a request that does not need the database.
pub(super) async fn understand<'a>(
    parts: &'a Parts,
    bytes: Bytes,
    limits: &RequestLimits,
    hold: &mut Hold,
) -> Result<Understood<'a>, Refusal> {
    #[cfg_attr(not(feature = "arrow"), expect(unused_mut, reason = "only Arrow changes them"))]
    let Head { path, delete, content, mut format } = Head::of(parts, bytes.is_empty())?;
    let kind = kind(&path);
    let body = if bytes.len() <= OFFLOAD_ABOVE {
        parse(kind, bytes, content, &limits.content)
    } else {
        // On the heap, since few bodies are that large.
        Box::pin(parse_elsewhere(kind, bytes, content, limits.content, hold)).await
    };
    match body {
        // The answer to a request that keeps a transaction alive has more than rows.
        Ok(body) if body.statement.is_none() && format.layout.is_rows_alone() => {
            Err(Refusal::not_acceptable(&Offer::Events.names()))
        }
        #[cfg_attr(not(feature = "arrow"), expect(unused_mut, reason = "only Arrow takes from it"))]
        Ok(mut body) => {
            #[cfg(feature = "arrow")]
            if let Err(error) = declare(&mut body, &mut format) {
                return Err(Refusal::of(error, format));
            }
            Ok(Understood { path, delete, format, body })
        }
        Err(error) => Err(Refusal::of(error, format)),
    }
}

/// Has an Arrow stream's format take over what the body says of its schema.
#[cfg(feature = "arrow")]
fn declare(body: &mut QueryBody, format: &mut Format) -> Result<(), Error> {
    if format.layout == Layout::Arrow
        && let Some(declared) = body.arrow.take()
    {
        format.declare((*declared).map_err(in_body)?);
    }
    Ok(())
}

/// The coding of the body, if it has one.
///
/// # Errors
/// When it is not supported.
pub(super) fn coding(headers: &HeaderMap) -> Result<Option<Coding>, Refusal> {
    media::coding(headers).map_err(|coding| Refusal::unsupported_coding(&coding))
}

fn kind(path: &Path<'_>) -> BodyKind {
    match path {
        Path::Query { .. } => BodyKind::Query,
        Path::Batch { .. } => BodyKind::Batch,
        Path::Begin { .. } => BodyKind::Opening,
        Path::Transaction { .. } | Path::Commit { .. } => BodyKind::Inside,
    }
}

/// Calls [`parse`] for a large body, which takes long. The body stays counted until that has finished, even if its
/// client has left.
async fn parse_elsewhere(
    kind: BodyKind,
    bytes: Bytes,
    content: View,
    limits: BodyLimits,
    hold: &mut Hold,
) -> Result<QueryBody, Error> {
    let held = hold.take();
    let (body, held) = offload(move || (parse(kind, bytes, content, &limits), held)).await;
    *hold = held;
    body
}

fn parse(kind: BodyKind, bytes: Bytes, content: View, limits: &BodyLimits) -> Result<QueryBody, Error> {
    let typed = match content {
        View::Plain => None,
        View::Typed(version) => Some(version),
    };
    let body = body::parse(bytes, typed, kind, limits).map_err(in_body)?;
    if body.statement.is_none() && kind == BodyKind::Query {
        return Err(missing_statement());
    }
    if body.statements.is_empty() && kind == BodyKind::Batch {
        return Err(Error::invalid("statements cannot be null or empty"));
    }
    Ok(body)
}

/// The error for a body that cannot be read.
pub(super) fn in_body(error: BodyError) -> Error {
    match error {
        BodyError::Malformed(detail) => Error::bad_request(&detail),
        BodyError::TooDeep(detail) => Error::bad_request(&detail).by_limit(RefusalReason::Depth),
        BodyError::StatementTooLong { .. } => Error::invalid(&error.to_string()).by_limit(RefusalReason::Statement),
        BodyError::UnsupportedType(_) => Error::invalid(&error.to_string()),
    }
}

/// The error for a missing statement on the one route that requires one.
pub(super) fn missing_statement() -> Error {
    Error::invalid("statement cannot be null or empty")
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, sync::Arc};

    use futures_util::stream;

    use super::{super::body_memory::BodyMemory, *};
    use crate::http::body_memory::Unverified;

    const LIMITS: RequestLimits = RequestLimits {
        requests: 1,
        caller_requests: 1,
        body: 1 << 20,
        decompressed_body: 1 << 20,
        body_timeout: Duration::from_secs(60),
        line: 1,
        content: BodyLimits { statement: 1, depth: 1, packed: 1 },
        graph: 1,
        graph_elements: 1,
    };

    #[test]
    fn a_body_in_small_pieces_takes_little_more_than_its_size() {
        let size = 500_000;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let measured = allocation_counter::measure(|| {
            let pieces = stream::iter((0..size).map(|_| Ok::<_, Infallible>(Bytes::from_static(b"x"))));
            let mut hold = Hold::new(&Arc::new(BodyMemory::new(1 << 20)));
            let body = runtime.block_on(read(Body::from_stream(pieces), None, &LIMITS, &mut hold, &Unverified));
            assert_eq!(body.unwrap().len(), size);
        });
        assert!(measured.bytes_max < 4 * 500_000, "{measured:?}");
    }
}
