//! Accounts with tokens, a ledger of transfers, and the statements that both are kept with.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::support::{
    client::{Client, QUERY, Said},
    servers::{Brand, Server},
};

pub const ACCOUNTS: usize = 8;
/// In each account at the beginning: few enough that transfers are declined now and then.
pub const TOKENS: i64 = 400;

/// What somebody wants to be carried out once.
#[derive(Debug, Clone)]
pub struct Order {
    pub id: String,
    pub from: usize,
    pub to: usize,
    pub amount: i64,
}

pub struct Bank {
    pub name: &'static str,
    label: String,
    server: Option<Server>,
}

/// What is in the books, at one point in time.
pub struct Audit {
    /// By account.
    pub balances: BTreeMap<i64, i64>,
    /// Account, account, tokens, by the transfer's id, as often as it is there.
    pub ledger: Vec<(String, i64, i64, i64)>,
}

impl Bank {
    pub fn of(server: Server) -> Self {
        let name = match server.brand {
            Brand::Neo4j => "Neo4j",
            Brand::ArcadeDb => "ArcadeDB",
        };
        Self { name, label: format!("Account{}", std::process::id()), server: Some(server) }
    }

    #[cfg(feature = "embedded")]
    pub fn embedded() -> Self {
        Self { name: "embedded", label: "Account".to_owned(), server: None }
    }

    /// By this transactions are known in the database's list.
    pub fn metadata(&self) -> Value {
        json!({ "test": self.label })
    }

    fn statement(&self, text: &str, order: &Order) -> Value {
        let Order { id, from, to, amount } = order;
        let (text, ledger) = (text.replace("Account", &self.label), format!("Ledger{}", &self.label));
        json!({
            "statement": text.replace("Ledger", &ledger),
            "parameters": { "id": id, "from": from, "to": to, "amount": amount },
        })
    }

    /// Makes others wait, or come too late, until the transaction has ended.
    pub fn lock(&self, order: &Order) -> Value {
        self.statement(
            "MATCH (a:Account {number: $from}), (b:Account {number: $to}) SET a.turn = $id, b.turn = $id",
            order,
        )
    }

    pub fn balance(&self, order: &Order) -> Value {
        self.statement("MATCH (a:Account {number: $from}) RETURN a.tokens AS tokens", order)
    }

    /// Carries the order out.
    pub fn move_tokens(&self, order: &Order) -> Value {
        let text = "MATCH (a:Account {number: $from}), (b:Account {number: $to}) \
                    SET a.tokens = a.tokens - $amount, b.tokens = b.tokens + $amount \
                    CREATE (:Ledger {id: $id, source: $from, target: $to, amount: $amount})";
        self.statement(text, order)
    }

    /// Moves tokens if there are enough, after [`Bank::lock`]; a row says that there were.
    pub fn move_tokens_if_enough(&self, order: &Order) -> Value {
        let text = "MATCH (a:Account {number: $from}), (b:Account {number: $to}) WHERE a.tokens >= $amount \
                    SET a.tokens = a.tokens - $amount, b.tokens = b.tokens + $amount \
                    CREATE (t:Ledger {id: $id, source: $from, target: $to, amount: $amount}) RETURN t.id AS id";
        self.statement(text, order)
    }

    /// Both at once.
    pub fn lock_and_move(&self, order: &Order) -> Value {
        let text = "MATCH (a:Account {number: $from}), (b:Account {number: $to}) SET a.turn = $id, b.turn = $id \
                    WITH a, b WHERE a.tokens >= $amount \
                    SET a.tokens = a.tokens - $amount, b.tokens = b.tokens + $amount \
                    CREATE (t:Ledger {id: $id, source: $from, target: $to, amount: $amount}) RETURN t.id AS id";
        self.statement(text, order)
    }

    /// Opens all accounts.
    pub async fn open(&self, client: &Client) {
        let any = Order { id: "none".to_owned(), from: 0, to: 1, amount: TOKENS };
        for from in 0..ACCOUNTS {
            let text = "CREATE (:Account {number: $from, tokens: $amount, turn: ''})";
            let request = self.statement(text, &Order { from, ..any.clone() });
            Said::by(&client.post(QUERY, &request).await).yes();
        }
        // The first entry of a ledger has its databases make room for such.
        for text in ["CREATE (:Ledger {id: $id, source: 0, target: 0, amount: 0})", "MATCH (t:Ledger) DELETE t"] {
            Said::by(&client.post(QUERY, &self.statement(text, &any)).await).yes();
        }
    }

    /// Waits until the database has no transaction left, as far as it says.
    pub async fn is_left_alone(&self) {
        if let Some(server) = self.server.as_ref().filter(|server| server.brand == Brand::Neo4j) {
            server.until("the last transaction", &self.label, <[_]>::is_empty).await;
        }
    }

    /// What the books say, past the gateway where that is possible.
    ///
    /// Not every database reads everything as of one moment. The ledger only grows: where it is the same after the
    /// balances as before, nothing has come between.
    pub async fn audit(&self, client: Option<&Client>) -> Audit {
        let mut ledger = self.ledger(client).await;
        loop {
            let rows = self.rows(client, "MATCH (a:Account) RETURN a.number AS number, a.tokens AS tokens").await;
            let balances = rows.iter().map(|row| (number(row, "number"), number(row, "tokens"))).collect();
            let again = self.ledger(client).await;
            if again == ledger {
                return Audit { balances, ledger };
            }
            ledger = again;
        }
    }

    async fn ledger(&self, client: Option<&Client>) -> Vec<(String, i64, i64, i64)> {
        let text = "MATCH (t:Ledger) RETURN t.id AS id, t.source AS source, t.target AS target, t.amount AS amount";
        let rows = self.rows(client, text).await;
        let id = |row: &Map<String, Value>| row["id"].as_str().expect("an id is text").to_owned();
        let entry = |row| (id(row), number(row, "source"), number(row, "target"), number(row, "amount"));
        let mut ledger: Vec<_> = rows.iter().map(entry).collect();
        ledger.sort();
        ledger
    }

    /// Takes everything away.
    pub async fn close(&self) {
        self.rows(None, "MATCH (n:Account) DELETE n").await;
        self.rows(None, "MATCH (n:Ledger) DELETE n").await;
    }

    async fn rows(&self, client: Option<&Client>, text: &str) -> Vec<Map<String, Value>> {
        let request = self.statement(text, &Order { id: String::new(), from: 0, to: 0, amount: 0 });
        let text = request["statement"].as_str().expect("it is text");
        if let Some(server) = &self.server {
            return server.rows(text, json!({})).await;
        }
        let answer = client.expect("somebody has to ask").post(QUERY, &json!({ "statement": text })).await;
        let body = Said::by(&answer).yes();
        let list = |value: &Value| value.as_array().expect("it is a list").clone();
        let names: Vec<_> =
            list(&body["data"]["fields"]).iter().map(|name| name.as_str().unwrap().to_owned()).collect();
        list(&body["data"]["values"]).iter().map(|row| names.iter().cloned().zip(list(row)).collect()).collect()
    }
}

fn number(row: &Map<String, Value>, name: &str) -> i64 {
    row[name].as_i64().unwrap_or_else(|| panic!("{name} is no number: {row:?}"))
}
