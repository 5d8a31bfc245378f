//! One of many who transfer tokens, and who go away in the middle now and then.
//!
//! A customer sends an order again only when it was told that nothing was done, or under the key of the first time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::{
    bank::{ACCOUNTS, Bank, Order},
    desk::Desk,
    report::Report,
};
use crate::support::{
    chance::{below, between, percent},
    client::{BATCH, Client, QUERY, Said, TX, transaction},
};

/// Of a hundred requests, those whose client does not wait for the answer.
const LEFT: u32 = 8;
/// The share of requests under a key, whose client comes back.
const LEFT_FOR_NOW: u32 = 25;
/// It is gone no later than after this time.
const IMPATIENCE: Duration = Duration::from_millis(30);
/// The share of explicit transactions that are abandoned, in percent.
const ABANDONED: u32 = 3;
/// The number of attempts before an order is given up.
const ATTEMPTS: u32 = 300;
const UNAVAILABLE: &str = "Neo.TransientError.General.DatabaseUnavailable";
const IN_PROGRESS: &str = "Boltgate.ClientError.Idempotency.RequestInProgress";

/// How an order is carried out.
#[derive(Debug, Clone, Copy)]
pub enum Way {
    /// As the client guide does it: look, move, commit or roll back.
    Explicit,
    /// One statement.
    Automatic,
    /// Two statements in one request.
    Batch,
}

pub struct Customer {
    bank: Arc<Bank>,
    desk: Arc<Desk>,
    number: usize,
    report: Report,
}

/// One try at an order, with one process of the gateway.
struct Attempt<'a> {
    order: &'a Order,
    number: u32,
    keyed: bool,
    client: Client,
    generation: u64,
}

/// Why an attempt gave no result.
enum Broken {
    /// Nothing was done, and nothing will be.
    Undone,
    /// It may have been carried out.
    Unknown,
}

/// What a request of an attempt may do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// Nothing that stays.
    Passing,
    /// If it is carried out, the order is.
    Lasting,
}

impl Customer {
    pub fn new(bank: Arc<Bank>, desk: Arc<Desk>, number: usize) -> Self {
        Self { bank, desk, number, report: Report::default() }
    }

    /// Executes this number of orders, half of them under keys.
    pub async fn transfer(mut self, orders: usize, ways: &'static [Way], finished: Arc<AtomicUsize>) -> Report {
        for number in 0..orders {
            let from = below(ACCOUNTS as u32) as usize;
            let to = (from + 1 + below(ACCOUNTS as u32 - 1) as usize) % ACCOUNTS;
            let id = format!("{}-{number}", self.number);
            let order = Order { id, from, to, amount: i64::from(1 + below(100)) };
            let turn = self.number + number;
            self.carry_out(order, ways[turn / 2 % ways.len()], turn.is_multiple_of(2)).await;
            finished.fetch_add(1, Ordering::Relaxed);
        }
        self.report
    }

    async fn carry_out(&mut self, order: Order, way: Way, keyed: bool) {
        for number in 0..ATTEMPTS {
            let generation = self.desk.generation();
            let client = self.desk.client().await;
            let attempt = Attempt { order: &order, number, keyed, client, generation };
            let tried = match way {
                Way::Explicit => self.explicit(&attempt).await,
                Way::Automatic => self.automatic(&attempt).await,
                Way::Batch => self.batch(&attempt).await,
            };
            match tried {
                Ok(true) => return self.report.done.push(order),
                Ok(false) => return self.report.declined.push(order.id),
                Err(Broken::Unknown) => return self.report.unknown.push(order.id),
                Err(Broken::Undone) => {}
            }
            sleep(between(Duration::from_millis(2), Duration::from_millis(100))).await;
        }
        self.report.given_up.push(order.id);
    }

    /// Says whether there were enough tokens.
    async fn explicit(&mut self, attempt: &Attempt<'_>) -> Result<bool, Broken> {
        let (bank, order) = (Arc::clone(&self.bank), attempt.order);
        let mut begin = bank.lock(order);
        begin["txMetadata"] = bank.metadata();
        let begun = self.ask(attempt, TX, "begin", &begin, Effect::Passing).await?;
        let path = format!("{TX}/{}", transaction(&begun));
        self.may_walk_away()?;
        let looked = self.ask(attempt, &path, "look", &bank.balance(order), Effect::Passing).await?;
        let balance = looked["data"]["values"][0][0].as_i64().unwrap_or_else(|| panic!("no balance: {looked}"));
        if balance < order.amount {
            // Whatever comes of this, nobody will commit.
            let _ = attempt.client.try_send("DELETE", &path, &[], &Value::Null).await;
            return Ok(false);
        }
        self.may_walk_away()?;
        let commit = format!("{path}/commit");
        if percent(50) {
            self.ask(attempt, &commit, "commit", &bank.move_tokens(order), Effect::Lasting).await?;
        } else {
            self.ask(attempt, &path, "move", &bank.move_tokens(order), Effect::Passing).await?;
            self.may_walk_away()?;
            self.ask(attempt, &commit, "commit", &json!({}), Effect::Lasting).await?;
        }
        Ok(true)
    }

    async fn automatic(&mut self, attempt: &Attempt<'_>) -> Result<bool, Broken> {
        let mut request = self.bank.lock_and_move(attempt.order);
        request["txMetadata"] = self.bank.metadata();
        let body = self.ask(attempt, QUERY, "only", &request, Effect::Lasting).await?;
        Ok(has_row(&body))
    }

    async fn batch(&mut self, attempt: &Attempt<'_>) -> Result<bool, Broken> {
        let statements = [self.bank.lock(attempt.order), self.bank.move_tokens_if_enough(attempt.order)];
        let request = json!({ "statements": statements, "txMetadata": self.bank.metadata() });
        let body = self.ask(attempt, BATCH, "only", &request, Effect::Lasting).await?;
        Ok(has_row(&body["results"][1]))
    }

    fn may_walk_away(&mut self) -> Result<(), Broken> {
        if percent(ABANDONED) {
            self.report.abandoned += 1;
            return Err(Broken::Undone);
        }
        Ok(())
    }

    /// Sends one request of an attempt: once, or under a key until there is an answer.
    async fn ask(
        &mut self,
        attempt: &Attempt<'_>,
        path: &str,
        step: &str,
        body: &Value,
        effect: Effect,
    ) -> Result<Value, Broken> {
        let key = format!("{}-{}-{step}", attempt.order.id, attempt.number);
        let key = [("Idempotency-Key", key.as_str())];
        let headers = if attempt.keyed { &key[..] } else { &[] };
        loop {
            let mut sent = Box::pin(attempt.client.try_send("POST", path, headers, body));
            let answer = if percent(if attempt.keyed { LEFT_FOR_NOW } else { LEFT }) {
                let answer = timeout(between(Duration::ZERO, IMPATIENCE), &mut sent).await;
                self.report.dropped += usize::from(answer.is_err());
                answer.unwrap_or_else(|_| Err("nobody waited".to_owned()))
            } else {
                sent.await
            };
            let Ok(answer) = answer else {
                // A key holds as long as the process.
                if attempt.keyed && self.desk.generation() == attempt.generation {
                    sleep(between(Duration::ZERO, IMPATIENCE)).await;
                    continue;
                }
                return Err(if effect == Effect::Lasting { Broken::Unknown } else { Broken::Undone });
            };
            self.report.replayed += usize::from(answer.header("Idempotency-Replayed").is_some());
            match Said::by(&answer) {
                Said::Yes(body) => return Ok(body),
                Said::No(refusal) if refusal.code == IN_PROGRESS => {
                    sleep(between(Duration::ZERO, IMPATIENCE)).await;
                }
                Said::No(refusal) => {
                    // Without the transaction or the database nothing was done, although the same request is no use then
                    // or the gateway takes the port for a wrong one.
                    let was_absent = refusal.status == 404 || refusal.code == UNAVAILABLE;
                    assert!(refusal.retryable || was_absent, "{step} of {:?}: {refusal:?}", attempt.order);
                    *self.report.refusals.entry(refusal.code).or_default() += 1;
                    return Err(Broken::Undone);
                }
                Said::Unknown(_) if effect == Effect::Lasting => return Err(Broken::Unknown),
                Said::Unknown(reason) => panic!("{step} commits nothing, so its outcome is known: {reason}"),
            }
        }
    }
}

fn has_row(result: &Value) -> bool {
    let rows = result["data"]["values"].as_array().unwrap_or_else(|| panic!("no rows: {result}"));
    !rows.is_empty()
}
