//! The server as the protocol sees it: what it can do, the list of its tools, and calls of them.

use std::{borrow::Cow, panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt as _;
use http::request::Parts;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, Implementation, ListToolsResult,
        PaginatedRequestParams, ProtocolVersion, ServerCapabilities, ServerConfig, Tool,
    },
    service::RequestContext,
};

use super::{
    arguments::{Cypher, Refused, Schema},
    asked::{Asked, Terms},
    named,
    outcome::{refused, rows_of_cypher, shown},
    schema,
    state::State,
    table::{Room, Table},
    tools::Kind,
};
use crate::{
    http::exchange::Exchange,
    named::Query,
    query::{AccessMode, Denied, Error, OFFLOAD_ABOVE, Options, Statement, hides_characters, offload},
    value_path::shortened,
};

/// The revisions of the protocol, oldest first.
const VERSIONS: &[ProtocolVersion] = &[
    ProtocolVersion::V_2025_03_26,
    ProtocolVersion::V_2025_06_18,
    ProtocolVersion::V_2025_11_25,
    ProtocolVersion::V_2026_07_28,
];
/// The longest name that a message repeats, in characters.
const LONGEST_NAME: usize = 64;
/// How long a list of tools may be kept, in milliseconds.
const FRESH: u64 = 60_000;
const INSTRUCTIONS: &str = "Tools for a graph database that speaks Cypher. Call get_schema first; then read_cypher with \
                            parameters, and ask for few columns and rows.";

/// Serves one message.
#[derive(Clone)]
pub(super) struct Server(pub(super) Arc<State>);

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("boltgate", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(VERSIONS)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.0.tools.find(name).map(|(_, tool)| tool.clone())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let Exchange { gateway, caller, .. } = &asked(&context)?.exchange;
        let mut tools = self.0.tools.list();
        tools.extend(gateway.named.tools(caller).map(|query| named::describe(query)));
        let mut list = ListToolsResult::with_all_items(tools).with_ttl_ms(FRESH);
        list.cache_scope = Some(CacheScope::Private);
        Ok(list)
    }

    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let asked = asked(&context)?;
        // A panic would leave the client without an answer, since this runs in a task of the protocol's.
        let carried_out = AssertUnwindSafe(self.carry_out(&call.name, &asked)).catch_unwind();
        // The statement is cancelled in the database when the client has left: its future is dropped.
        let result = tokio::select! {
            biased;
            () = context.ct.cancelled() => Err(Refusal::Gone),
            result = carried_out => result.unwrap_or(Err(Refusal::Bug)),
        };
        match result {
            Ok(result) => Ok(result.into()),
            Err(Refusal::Tool(error)) => {
                asked.exchange.caller.record.fail(&error.code);
                Ok(refused(&error).into())
            }
            Err(Refusal::Arguments(message)) => Err(ErrorData::invalid_params(message, None)),
            Err(Refusal::Bug) => Err(ErrorData::internal_error("The gateway failed; its log says more.", None)),
            Err(Refusal::Gone) => Err(ErrorData::internal_error("The request was cancelled.", None)),
        }
    }
}

/// The message that is being answered.
fn asked(context: &RequestContext<RoleServer>) -> Result<Arc<Asked>, ErrorData> {
    let parts = context.extensions.get::<Parts>();
    let asked = parts.and_then(|parts| parts.extensions.get::<Arc<Asked>>()).map(Arc::clone);
    asked.ok_or_else(|| ErrorData::internal_error("The request was lost.", None))
}

/// Why a call has no result.
enum Refusal {
    /// An error that the agent is shown.
    Tool(Error),
    /// Its arguments break the schema.
    Arguments(String),
    /// The client has left.
    Gone,
    /// The gateway has failed.
    Bug,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Tool(error)
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Schema(message) => Self::Arguments(message),
            Refused::Value(error) => Self::Tool(error),
        }
    }
}

/// A tool that the caller may call.
enum Chosen {
    Own(Kind),
    Named(Arc<Query>),
}

/// A call whose arguments were understood.
enum Wanted {
    Schema(Schema),
    Read(Cypher),
    Write(Cypher),
    Named(Arc<Query>, named::Arguments),
}

impl Server {
    async fn carry_out(&self, name: &str, asked: &Arc<Asked>) -> Result<CallToolResult, Refusal> {
        let (chosen, owned) = (self.choose(name, asked)?, Arc::clone(asked));
        let understand = move || understand(chosen, &owned);
        let wanted = if asked.arguments.len() > OFFLOAD_ABOVE { offload(understand).await } else { understand() };
        if let Some(error) = asked.unverified.clone() {
            return Err(error.into());
        }
        let room = |cypher: &Cypher| Room { rows: cypher.limit.min(asked.room().rows), ..asked.room() };
        Ok(match wanted? {
            Wanted::Schema(wanted) => shown(&Box::pin(schema::get(asked, &wanted, &self.0.schemas)).await?, None),
            Wanted::Read(cypher) => read(asked, room(&cypher), cypher).await?,
            Wanted::Write(cypher) => write(asked, room(&cypher), cypher).await?,
            Wanted::Named(query, arguments) => named::run(asked, &query, arguments).await?,
        })
    }

    /// The tool of this name. One that the caller may not call is none.
    fn choose(&self, name: &str, asked: &Asked) -> Result<Chosen, Refusal> {
        if let Some((kind, _)) = self.0.tools.find(name) {
            return Ok(Chosen::Own(*kind));
        }
        // The database decides who the caller is, and the available tools depend on that.
        if let Some(error) = asked.unverified.clone() {
            return Err(error.into());
        }
        let Exchange { gateway, caller, .. } = &asked.exchange;
        let query = gateway.named.tools(caller).find(|query| query.tool_name() == name);
        let unknown = || Refusal::Arguments(format!("There is no tool {}.", shortened(name, LONGEST_NAME)));
        query.map(|query| Chosen::Named(Arc::clone(query))).ok_or_else(unknown)
    }
}

/// Reads the arguments of a tool, and refuses a statement that may not be sent.
fn understand(chosen: Chosen, asked: &Asked) -> Result<Wanted, Refusal> {
    let limits = &asked.exchange.gateway.limits.content;
    // The whole message was checked to be UTF-8.
    let arguments = str::from_utf8(&asked.arguments).unwrap_or_default();
    let kind = match chosen {
        Chosen::Own(Kind::GetSchema) => return Ok(Wanted::Schema(Schema::read(arguments, limits)?)),
        Chosen::Own(kind) => kind,
        Chosen::Named(query) => {
            let arguments = named::Arguments::read(&query, arguments, limits)?;
            return Ok(Wanted::Named(query, arguments));
        }
    };
    let cypher = Cypher::read(arguments, limits, asked.state.settings.max_rows)?;
    if !asked.exchange.may_send_cypher() {
        return Err(Error::forbidden("This caller may not send statements of its own (cypher.allow).").into());
    }
    admit(&asked.state.settings.denied, &cypher.query)?;
    Ok(if kind == Kind::ReadCypher { Wanted::Read(cypher) } else { Wanted::Write(cypher) })
}

/// Refuses a statement that calls what the operator does not allow, or that may hide such a call.
fn admit(denied: &Denied, query: &str) -> Result<(), Error> {
    if let Some(pattern) = denied.find(query) {
        return Err(Error::forbidden(&format!(
            "The statement was not executed: agents may not use {pattern} (mcp.deny)."
        )));
    }
    if hides_characters(query) {
        return Err(Error::invalid(
            "The statement was not executed: write characters themselves in place of their Unicode escapes (\\u…), or \
             pass the text as a parameter.",
        ));
    }
    Ok(())
}

async fn read(asked: &Asked, room: Room, cypher: Cypher) -> Result<CallToolResult, Error> {
    let Cypher { query, parameters, database, .. } = cypher;
    let statement = Statement { text: query.into(), parameters: parameters.into() };
    let mut table = Table::new(room);
    let excerpt = Box::pin(asked.excerpt_of(&asked.terms(), &database, &statement, room.rows, &mut table)).await?;
    Ok(rows_of_cypher(&table, excerpt.summary.as_ref(), false))
}

async fn write(asked: &Asked, room: Room, cypher: Cypher) -> Result<CallToolResult, Error> {
    let Cypher { query, parameters, database, .. } = cypher;
    let statement = Statement { text: query.into(), parameters: parameters.into() };
    let mut table = Table::new(Room { to_the_end: true, ..room });
    let access_mode = if asked.exchange.caller.is_read_only() { AccessMode::Read } else { AccessMode::Write };
    let options = Options { access_mode, ..asked.options.clone() };
    let terms = Terms { options: &options, ..asked.terms() };
    let end = asked.run(&terms, &database, &statement, &mut table).await?;
    Ok(rows_of_cypher(&table, Some(&end.summary), true))
}
