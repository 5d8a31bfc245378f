//! Named queries as tools: what they say of themselves, their arguments, and their calls.
//!
//! Promises that a query which reads is rolled back, as a statement of the agent's own is, that one which writes is carried
//! out to its end, and that both run on the account that the file names. What agents may not use does not concern them, since
//! the operator has written them.

use rmcp::model::{CallToolResult, Tool};
use serde_json::{Value, json};

use super::{
    arguments::Refused,
    asked::{Asked, Terms},
    outcome,
    table::{Room, Table},
    tools::{complete, object, rows_output},
};
use crate::{
    http::{
        BodyLimits,
        exchange::Exchange,
        routes::named::{options, told_of},
    },
    json::View,
    named::{Query, RunAs, Unreadable},
    query::{Call, Error},
};

/// The argument that chooses among the databases of a query.
const DATABASE: &str = "database";
/// What helps an agent to see the rows that were left out.
const ADVICE: &str = "Change the arguments so that the result is shorter to see what is missing.";

/// The arguments of a call.
pub(super) struct Arguments {
    /// A PackStream map.
    parameters: Vec<u8>,
    /// The database. Empty: the caller's default.
    database: String,
}

/// The query as a tool.
pub(super) fn describe(query: &Query) -> Tool {
    let title = if query.summary.is_empty() { &query.name } else { &query.summary };
    let deprecated = if query.deprecated { "Deprecated: use another tool if possible." } else { "" };
    let texts: Vec<_> =
        [title.as_str(), &query.description, deprecated].into_iter().filter(|text| !text.is_empty()).collect();
    let mut input = json!(query.parameters_schema());
    if let (Some(databases), Some(Value::Object(properties))) = (choice(query), input.get_mut("properties")) {
        let schema = json!({
            "type": "string", "enum": databases, "default": databases.first(), "description": "The database.",
        });
        properties.insert(DATABASE.to_owned(), schema);
    }
    let tool = Tool::new(query.tool_name(), texts.join("\n\n"), object(input));
    complete(tool, title, rows_output(), query.is_read())
}

/// The databases that a call chooses among: those of the file, if there are several and no parameter has the argument's name.
fn choice(query: &Query) -> Option<&[String]> {
    let databases = query.databases.as_deref().filter(|databases| databases.len() > 1);
    databases.filter(|_| query.each_parameter().all(|(name, ..)| name != DATABASE))
}

impl Arguments {
    /// Reads the text of a JSON object. What a call leaves out has its default; the database is then the first of the file.
    pub(super) fn read(query: &Query, text: &str, limits: &BodyLimits) -> Result<Self, Refused> {
        let mut chosen = None;
        let of_choice = |name: &str, value: &str| {
            let is_choice = name == DATABASE && choice(query).is_some();
            if is_choice {
                chosen = Some(serde_json::from_str::<String>(value).unwrap_or_default());
            }
            is_choice
        };
        let parameters = query.parameters_among(text, View::Plain, limits.of_json(), of_choice).map_err(refuse)?;
        if let (Some(database), Some(databases)) = (&chosen, choice(query))
            && !query.is_in(database)
        {
            return Err(Refused::Schema(format!("`{DATABASE}` has to be one of {}.", databases.join(", "))));
        }
        let first = || query.databases.as_ref().and_then(|databases| databases.first().cloned()).unwrap_or_default();
        Ok(Self { parameters, database: chosen.unwrap_or_else(first) })
    }
}

fn refuse(unreadable: Unreadable) -> Refused {
    match unreadable {
        Unreadable::Faults(faults) => {
            let messages: Vec<_> = faults.iter().map(|fault| fault.message.as_str()).collect();
            Refused::Schema(messages.join(" "))
        }
        other => Refused::Value(Error::bad_request(&other.to_string())),
    }
}

/// Runs a query for a caller whom the database has accepted.
///
/// # Errors
/// Why it failed.
pub(super) async fn run(asked: &Asked, query: &Query, arguments: Arguments) -> Result<CallToolResult, Error> {
    let Exchange { gateway, caller, parts, .. } = &asked.exchange;
    let mut caller: Call = caller.clone();
    if query.run_as == RunAs::Service {
        caller.identity = gateway.authenticator.on_own_account(&caller);
    }
    let options = options(gateway, &caller, &parts.headers, query)?;
    let terms = Terms { caller: &caller, options: &options };
    let (database, statement) = (&arguments.database, query.statement(arguments.parameters));
    let room = Room { to_the_end: !query.is_read(), ..asked.room() };
    let mut table = Table::new(room).at_most(options.max_rows.filter(|_| query.is_read()));
    let done = if query.is_read() {
        let rows = options.max_rows.map_or(room.rows, |most| most.min(room.rows));
        Box::pin(asked.excerpt_of(&terms, database, &statement, rows, &mut table)).await.map(drop)
    } else {
        // The engine counts the rows of what it commits.
        asked.run(&terms, database, &statement, &mut table).await.map(drop)
    };
    done.map_err(|error| told_of(query, error))?;
    Ok(outcome::rows(&table, ADVICE, |_| {}))
}
