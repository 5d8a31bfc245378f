//! A call of a named query: who may, which method, which parameters.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest as _, Path, Request, State},
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse as _, Response},
};

use super::{cached, faults, run};
#[cfg(feature = "arrow")]
use crate::arrow::{Column, Declared};
use crate::{
    http::{
        access_log::note_code,
        authenticated::Authenticated,
        base_url::CameBy,
        body_memory::Hold,
        caller::Caller,
        exchange::Exchange,
        gateway::Gateway,
        keyed,
        media::{self, Format, Layout, Offer, Records, Unfit},
        methods::Methods,
        refusal::Refusal,
        request::{coding, read},
        verdict::report_refusal,
    },
    idempotency::Key,
    json::{View, input::encoding},
    named::{Fault, Query, RunAs, Shape, Unreadable},
    query::{Error, Kind, OFFLOAD_ABOVE, offload},
    value_path::shortened,
};

/// The longest name that a message repeats, in characters. No query has a longer one.
const LONGEST_NAME: usize = 64;

/// Calls a named query, or says that there is none.
pub(in crate::http::routes) async fn call(
    State(gateway): State<Arc<Gateway>>,
    Path((database, name)): Path<(String, String)>,
    request: Request,
) -> Response {
    let answered = answer(&gateway, database, &name, request).await;
    cached::complete(answered.unwrap_or_else(Refusal::into_response))
}

async fn answer(gateway: &Arc<Gateway>, database: String, name: &str, request: Request) -> Result<Response, Refusal> {
    let query = gateway.named.find(name, &database).map(Arc::clone);
    let Authenticated { exchange, body } = match query.as_ref().filter(|query| query.is_open()) {
        Some(_) => open(gateway, request)?,
        None => Authenticated::from_request(request, gateway).await?,
    };
    let statuses = exchange.statuses;
    let mut hold = Hold::new(&gateway.body_memory);
    // A coding that is not supported is refused later, together with everything else in the head.
    let packed = coding(&exchange.parts.headers).ok().flatten();
    let bytes = read(body, packed, &gateway.limits, &mut hold, &exchange).await;
    let bytes = bytes.map_err(|refusal| refusal.with(statuses))?;
    let Some(query) = query.filter(|query| query.allow.allow(&exchange.caller)) else {
        // If the database cannot judge the caller, the answer is the same as for a query that exists.
        let known = gateway.engine.verify(&exchange.caller).await;
        known.map_err(|error| exchange.refusal(error))?;
        return Err(not_found(name).with(statuses));
    };
    let call = Call { exchange, query, database };
    match keyed::key(&call.exchange.parts.headers) {
        Ok(Some(key)) if call.exchange.parts.method == Method::POST => once(call, bytes, key, hold).await,
        Ok(_) => Ok(call.carry_out(bytes, hold).await),
        Err(error) => Err(call.exchange.login_first(Refusal::of(error, Format::plain())).await),
    }
}

/// A request for a query that anybody may call: its credentials are ignored.
fn open(gateway: &Arc<Gateway>, request: Request) -> Result<Authenticated, Refusal> {
    let (mut parts, body) = request.into_parts();
    let Caller { call: caller, statuses } = Caller::anybody(gateway, &mut parts)?;
    let (gateway, came_by) = (Arc::clone(gateway), CameBy::of(&parts));
    Ok(Authenticated { exchange: Exchange { gateway, caller, parts, statuses, came_by, limit: None }, body })
}

/// The answer for a query that is unknown, forbidden, or not for this database: the same for all, but for the name.
fn not_found(name: &str) -> Refusal {
    let message = format!("There is no query {}.", shortened(name, LONGEST_NAME));
    Refusal::stated(StatusCode::NOT_FOUND, Error::new(Kind::BadRequest, "Neo.ClientError.Request.NotFound", message))
}

/// Answers a request that must not take effect twice.
async fn once(mut call: Call, bytes: Bytes, key: Key, hold: Hold) -> Result<Response, Refusal> {
    let gateway = Arc::clone(&call.exchange.gateway);
    // A stored answer is only for a caller that the database still accepts.
    let known = gateway.engine.verify(&call.exchange.caller).await;
    known.map_err(|error| call.exchange.refusal(error))?;
    let fingerprint = keyed::fingerprint(&call.exchange.parts, &bytes).await;
    let owner = call.exchange.caller.owner();
    call.exchange.limit = Some(gateway.idempotency.max_answer());
    let work = move || async move {
        let (record, observer) = (Arc::clone(&call.exchange.caller.record), Arc::clone(&call.exchange.gateway));
        let response = call.carry_out(bytes, hold).await;
        // What is stored of the answer has neither the code nor the limit.
        note_code(&record, &response);
        report_refusal(&response, &**observer.engine.observer());
        response
    };
    keyed::once(&gateway.idempotency, owner, key, fingerprint, work).await
}

/// A call of a query by a caller who may call it, provided that the database accepts its login.
pub(super) struct Call {
    pub(super) exchange: Exchange,
    pub(super) query: Arc<Query>,
    pub(super) database: String,
}

impl Call {
    async fn carry_out(mut self, bytes: Bytes, hold: Hold) -> Response {
        let (format, parameters) = match self.understood(bytes).await {
            Ok(understood) => understood,
            Err(Wrong::Refusal(refusal)) => return self.exchange.login_first(*refusal).await.into_response(),
            Err(Wrong::Faults(faults)) => {
                return match self.exchange.gateway.engine.verify(&self.exchange.caller).await {
                    Ok(()) => faults::response(&faults, self.exchange.statuses),
                    Err(error) => self.exchange.refusal(error).into_response(),
                };
            }
        };
        if self.query.run_as == RunAs::Service
            && let Err(error) = self.on_own_account().await
        {
            return self.exchange.refusal(error).into_response();
        }
        let Exchange { gateway, caller, parts, .. } = &self.exchange;
        let options = match run::options(gateway, caller, &parts.headers, &self.query) {
            Ok(options) => options,
            Err(error) => {
                let refusal = Refusal::of(error, format);
                return self.exchange.login_first(refusal).await.into_response();
            }
        };
        // The parameters are needed until the answer has been sent.
        run::run(&self, parameters, &options, &format).await.map(|body: Body| hold.until_sent(body))
    }

    /// Has the statement run on the gateway's own account, once the database has accepted the caller.
    async fn on_own_account(&mut self) -> Result<(), Error> {
        let Exchange { gateway, caller, .. } = &mut self.exchange;
        if !self.query.is_open() {
            gateway.engine.verify(caller).await?;
            caller.identity = gateway.authenticator.on_own_account(caller);
        }
        Ok(())
    }

    /// Everything about the request that does not need the database: the format of the answer, and the parameters.
    async fn understood(&self, bytes: Bytes) -> Result<(Format, Vec<u8>), Wrong> {
        let Self { exchange, query, .. } = self;
        let (parts, is_read) = (&exchange.parts, query.is_read());
        let asks = matches!(parts.method, Method::GET | Method::HEAD);
        if !(parts.method == Method::POST || is_read && asks) {
            let methods = if is_read { Methods::GetAndPost } else { Methods::Post };
            return Err(Refusal::method_not_allowed(methods).into());
        }
        coding(&parts.headers)?;
        let format = self.format()?;
        let parameters = if asks {
            query.parameters_from_query_string(parts.uri.query().unwrap_or_default()).map_err(Wrong::Faults)?
        } else {
            let view = content(&parts.headers, bytes.is_empty())?;
            self.in_body(bytes, view).await?
        };
        Ok((format, parameters))
    }

    fn format(&self) -> Result<Format, Refusal> {
        let Exchange { gateway, parts, statuses, .. } = &self.exchange;
        let format = Format::accepted(&parts.headers, Offer::Rows);
        let mut format = format.map_err(|unfit| match unfit {
            Unfit::Unsupported => Refusal::not_acceptable(&Offer::Rows.names()),
            Unfit::Malformed(detail) => Refusal::bad_header(detail),
        })?;
        format.statuses = *statuses;
        format.set_formulas(gateway.csv_formulas);
        #[cfg(feature = "arrow")]
        if format.layout == Layout::Arrow {
            format.declare(declared(&self.query));
        }
        if format.is_plain() {
            format.layout = match self.query.result {
                Shape::Document => Layout::Document,
                Shape::Records => Layout::Records(Records::All),
                Shape::Record => Layout::Records(Records::Only),
                Shape::Value => Layout::Records(Records::Value),
            };
        }
        Ok(format)
    }

    /// Reads the parameters in a body. A large one takes long, so another thread does.
    async fn in_body(&self, bytes: Bytes, view: View) -> Result<Vec<u8>, Wrong> {
        let is_small = bytes.len() <= OFFLOAD_ABOVE;
        let (query, limits) = (Arc::clone(&self.query), self.exchange.gateway.limits.content.of_json());
        let parse = move || {
            let text =
                if bytes.is_empty() { "{}".into() } else { encoding::decode(&bytes).map_err(|e| e.to_string())? };
            Ok(query.parameters_from_json(&text, view, limits))
        };
        let parsed: Result<_, String> = if is_small { parse() } else { Box::pin(offload(parse)).await };
        let refuse = |detail: &str| Refusal::of(Error::bad_request(detail), Format::plain());
        parsed.map_err(|detail| refuse(&detail))?.map_err(|unreadable| match unreadable {
            Unreadable::Faults(faults) => Wrong::Faults(faults),
            other => refuse(&other.to_string()).into(),
        })
    }
}

/// What is wrong with a request.
enum Wrong {
    Refusal(Box<Refusal>),
    Faults(Vec<Fault>),
}

impl From<Refusal> for Wrong {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(Box::new(refusal))
    }
}

/// The view of values in the body. An empty one needs no type.
fn content(headers: &HeaderMap, is_empty: bool) -> Result<View, Refusal> {
    match media::content(headers) {
        Ok(Some(view)) => Ok(view),
        Ok(None) if is_empty => Ok(View::Plain),
        Ok(None) | Err(Unfit::Unsupported) => Err(Refusal::unsupported_media_type(&media::bodies(false))),
        Err(Unfit::Malformed(detail)) => Err(Refusal::bad_header(detail)),
    }
}

/// The types that the query's file declares for columns of an Arrow stream.
#[cfg(feature = "arrow")]
fn declared(query: &Query) -> Declared {
    let columns = query.returns().filter_map(|(name, kind)| Some((name.to_owned(), Column::declared(kind)?)));
    Declared { columns: columns.collect(), ..Declared::default() }
}
