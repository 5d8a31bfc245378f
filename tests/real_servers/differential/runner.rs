//! Plays a case against one side at a time: owns placeholders, setup, teardown and clean-up.
//!
//! Promises that nothing of a case outlives it, neither data nor open transactions. Judges nothing
//! but the reference's status and the texts a case wants to see in its answers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::case::{Body, Case, Step};
use super::normalise::Names;
use crate::support::{
    http::{Response, try_request},
    json::Json,
    servers::PATIENCE,
};

/// Where one conversation goes.
#[derive(Debug, Clone)]
pub struct Side {
    /// Replaces `{side}`: a text that no other side and no other run has, because a locked-out user
    /// stays locked out even when it is dropped and created again.
    pub name: String,
    /// Base URL of the server under test.
    pub base: String,
    /// Base URL of the database's own Query API, for setup and teardown.
    pub database: String,
    /// Credentials for setup and teardown, if the database needs them.
    pub administrator: Option<&'static str>,
}

/// One finished request of a case.
#[derive(Debug)]
pub struct Exchange {
    pub step: Step,
    pub response: Response,
}

/// A case as one side answered it.
#[derive(Debug)]
pub struct Conversation {
    pub exchanges: Vec<Exchange>,
    pub names: Names,
}

/// Setup, steps, clean-up, teardown. The error is a case that could not be played.
pub async fn play(case: &Case, side: &Side) -> Result<Conversation, String> {
    let mut player = Player::new(side);
    for statement in &case.setup {
        player.administer(statement).await?;
    }
    let mut outcome = Ok(());
    for step in &case.steps {
        outcome = player.play(step).await;
        if outcome.is_err() {
            break;
        }
    }
    player.close_transactions(case).await?;
    for statement in &case.teardown {
        player.administer(statement).await?;
    }
    outcome?;
    let host = crate::support::http::host_and_port(&side.base).to_owned();
    let names = Names { host, transactions: player.transactions, side: side.name.clone() };
    Ok(Conversation { exchanges: player.exchanges, names })
}

struct Player<'a> {
    side: &'a Side,
    exchanges: Vec<Exchange>,
    /// Placeholder name and value, the latest first found last.
    values: Vec<(String, String)>,
    /// Transaction ids with the name under which they were captured.
    transactions: Vec<(String, String)>,
}

impl<'a> Player<'a> {
    fn new(side: &'a Side) -> Self {
        let values = vec![
            ("side".to_owned(), side.name.clone()),
            ("host".to_owned(), crate::support::http::host_and_port(&side.base).to_owned()),
        ];
        Self { side, exchanges: Vec::new(), values, transactions: Vec::new() }
    }

    async fn play(&mut self, step: &Step) -> Result<(), String> {
        let sent = self.send(step);
        let (response, other) = match (&step.meanwhile, &step.when) {
            (Some(other), Some(marker)) => {
                let second = async {
                    self.wait_until_running(marker).await?;
                    self.send(other).await
                };
                let (first, second) = tokio::join!(sent, second);
                (first?, Some(((**other).clone(), second?)))
            }
            _ => (sent.await?, None),
        };
        self.remember(step, &response);
        self.exchanges.push(Exchange { step: step.clone(), response });
        if let Some((step, response)) = other {
            self.exchanges.push(Exchange { step, response });
        }
        Ok(())
    }

    async fn send(&self, step: &Step) -> Result<Response, String> {
        let path = self.fill(&step.path)?;
        let mut headers = Vec::new();
        for (name, value) in &step.headers {
            headers.push((name.as_str(), self.fill(value)?));
        }
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let body = match &step.body {
            Body::Text(text) => self.fill(text)?.into_bytes(),
            Body::Bytes(bytes) => bytes.clone(),
        };
        try_request(&self.side.base, &step.method, &path, &headers, &body)
            .await
            .map_err(|error| format!("{} {path} on {}: {error}", step.method, self.side.base))
    }

    /// Replaces `{name}`, `{repeat COUNT TEXT}` and `{base64 TEXT}`, in this order.
    fn fill(&self, template: &str) -> Result<String, String> {
        let mut text = template.to_owned();
        for (name, value) in &self.values {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text = replace_calls(&text, "{repeat ", |argument| {
            let (count, unit) = argument.split_once(' ')?;
            Some(unit.repeat(count.parse().ok()?))
        })?;
        replace_calls(&text, "{base64 ", |argument| Some(STANDARD.encode(argument)))
    }

    fn remember(&mut self, step: &Step, response: &Response) {
        let text = response.text();
        let last_line = text.trim_end().rsplit('\n').next().unwrap_or_default();
        let Ok(document) = Json::parse(last_line) else {
            return;
        };
        let summary = document.get("_body").unwrap_or(&document);
        if let Some(id) = transaction_id(summary) {
            let name = step.capture.as_deref().unwrap_or("tx");
            if !self.transactions.iter().any(|(known, _)| *known == id) {
                self.transactions.push((id.clone(), name.to_owned()));
            }
            self.set("tx", &id);
            self.set(name, &id);
        }
        let bookmarks = summary.get("bookmarks").or_else(|| summary.get("lastBookmarks"));
        if let Some(bookmark) = bookmarks.and_then(|list| list.items().first()).and_then(Json::as_str) {
            self.set("bookmark", bookmark);
        }
    }

    fn set(&mut self, name: &str, value: &str) {
        self.values.retain(|(known, _)| known != name);
        self.values.push((name.to_owned(), value.to_owned()));
    }

    /// Rolls back whatever a case has left open, with the credentials of the step that used it.
    async fn close_transactions(&self, case: &Case) -> Result<(), String> {
        for (id, name) in &self.transactions {
            for exchange in &self.exchanges {
                let step = &exchange.step;
                let begins = exchange.response.text().contains(id.as_str());
                if !begins || (step.capture.as_deref().unwrap_or("tx") != name) {
                    continue;
                }
                let (collection, _) = step.path.split_once("/tx").unwrap_or((&step.path, ""));
                let path = format!("{collection}/tx/{id}");
                let mut headers = Vec::new();
                for (name, value) in &step.headers {
                    if name.eq_ignore_ascii_case("Authorization") {
                        headers.push(("Authorization", self.fill(value)?));
                    }
                }
                let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
                try_request(&self.side.base, "DELETE", &path, &headers, b"")
                    .await
                    .map_err(|error| format!("{}: clean-up of {path}: {error}", case.name))?;
                break;
            }
        }
        Ok(())
    }

    /// Runs a statement on the database itself, past the server under test.
    async fn administer(&self, statement: &str) -> Result<Json, String> {
        let (database, statement) = match statement.strip_prefix("system: ") {
            Some(statement) => ("system", statement),
            None => ("neo4j", statement),
        };
        self.administer_with(database, &self.fill(statement)?, Json::Object(Vec::new())).await
    }

    async fn administer_with(&self, database: &str, statement: &str, parameters: Json) -> Result<Json, String> {
        let body = Json::Object(vec![
            ("statement".to_owned(), Json::string(statement)),
            ("parameters".to_owned(), parameters),
        ]);
        let authorization = self.side.administrator.map(|user| format!("Basic {}", STANDARD.encode(user)));
        let mut headers = vec![("Content-Type", "application/json")];
        headers.extend(authorization.as_deref().map(|value| ("Authorization", value)));
        let path = format!("/db/{database}/query/v2");
        let body = body.to_string();
        let response = try_request(&self.side.database, "POST", &path, &headers, body.as_bytes()).await?;
        let answer = Json::parse(&response.text())?;
        if response.status == 202 && answer.get("errors").is_none() {
            return Ok(answer);
        }
        Err(format!("setup or teardown failed: {statement}\n{response}"))
    }

    /// Waits until a statement that contains the marker runs in the database.
    async fn wait_until_running(&self, marker: &str) -> Result<(), String> {
        const STATEMENT: &str = "SHOW TRANSACTIONS YIELD currentQuery \
            WHERE currentQuery CONTAINS $marker RETURN count(*) AS running";
        let parameters = Json::Object(vec![("marker".to_owned(), Json::string(marker))]);
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while tokio::time::Instant::now() < deadline {
            let answer = self.administer_with("neo4j", STATEMENT, parameters.clone()).await?;
            if answer.to_string().contains("\"values\":[[1]]") {
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        Err(format!("no statement containing {marker:?} was seen running"))
    }
}

/// Of the Query API (`id`) or of the older API (end of the `commit` URL).
fn transaction_id(summary: &Json) -> Option<String> {
    let transaction = summary.get("transaction")?;
    if let Some(id) = transaction.get("id").and_then(Json::as_str) {
        return Some(id.to_owned());
    }
    let url = summary.get("commit")?.as_str()?.strip_suffix("/commit")?;
    url.rsplit('/').next().map(str::to_owned)
}

fn replace_calls(text: &str, opening: &str, value: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut parts = text.split(opening);
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let bad = || format!("bad placeholder after {opening:?}");
        let (argument, rest) = part.split_once('}').ok_or_else(bad)?;
        filled.push_str(&value(argument).ok_or_else(bad)?);
        filled.push_str(rest);
    }
    Ok(filled)
}
