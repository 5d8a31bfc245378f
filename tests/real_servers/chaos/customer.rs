//! One of many clients, and what it was told.

use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpStream, time::Instant};
use tokio_util::sync::CancellationToken;

use super::audit::Tally;
use crate::support::{
    chance::below,
    client::{BATCH, Client, QUERY, Said, TX},
    http::Response,
};

/// How often a client sends a request with a key before it gives up.
const ATTEMPTS: usize = 10;

/// What lies between the client and the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Every answer arrives, and has to be right.
    Reliable,
    /// Answers are lost, cut off and mangled.
    Unreliable,
}

pub struct Customer {
    client: Client,
    network: Network,
    run: String,
    name: String,
    number: usize,
    tally: Tally,
}

impl Customer {
    pub fn new(client: Client, network: Network, run: &str, name: String) -> Self {
        Self { client, network, run: run.to_owned(), name, number: 0, tally: Tally::default() }
    }

    /// Sends requests of all kinds, one after another, until `stop`.
    pub async fn work(mut self, stop: CancellationToken) -> Tally {
        while !stop.is_cancelled() {
            match below(8) {
                0 | 1 => self.read().await,
                2 => self.stream().await,
                3 => self.write().await,
                4 => self.write_with_key().await,
                5 => self.write_two().await,
                6 => self.write_in_transaction().await,
                _ => self.give_up().await,
            }
        }
        self.tally
    }

    fn key(&mut self) -> String {
        self.number += 1;
        format!("{}-{}", self.name, self.number)
    }

    fn statement(&self, statement: &str, parameters: &Value) -> Value {
        json!({ "statement": statement, "parameters": parameters, "txMetadata": { "test": self.run } })
    }

    fn create(&self, key: &str) -> Value {
        self.statement("CREATE (:Chaos {run: $run, key: $key})", &json!({ "run": self.run, "key": key }))
    }

    async fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Said {
        let began = Instant::now();
        let answer = self.client.try_send(method, path, headers, body).await;
        self.tally.requests += 1;
        // A network that swallows answers makes any server slow.
        if self.network == Network::Reliable {
            self.tally.longest = self.tally.longest.max(began.elapsed());
        }
        match answer {
            Ok(answer) if self.network == Network::Reliable || is_whole(&answer) => Said::by(&answer),
            Ok(_) => Said::Unknown("the answer is not JSON".to_owned()),
            Err(reason) => {
                assert!(self.network == Network::Unreliable, "{method} {path}: {reason}");
                Said::Unknown(reason)
            }
        }
    }

    fn book(&mut self, key: String, said: &Said) {
        match said {
            Said::Yes(_) => self.tally.done.push(key),
            Said::No(_) => self.tally.refused.push(key),
            Said::Unknown(_) => self.tally.unknown.push(key),
        }
    }

    async fn read(&mut self) {
        let key = self.key();
        let request = self.statement("RETURN $key AS key, size($key) AS size", &json!({ "key": key }));
        if let Said::Yes(body) = self.send("POST", QUERY, &[], &request).await {
            assert_eq!(body["data"]["values"], json!([[key, key.len()]]), "a wrong answer");
            self.tally.read += 1;
        }
    }

    async fn stream(&mut self) {
        let rows = 1 + below(5000);
        let request = self.statement("UNWIND range(1, $rows) AS row RETURN row", &json!({ "rows": rows }));
        if let Said::Yes(body) = self.send("POST", QUERY, &[], &request).await {
            let values = body["data"]["values"].as_array().expect("rows");
            assert!(values.iter().zip(1..=rows).all(|(value, row)| *value == json!([row])), "a wrong answer");
            assert_eq!(values.len(), rows as usize, "an answer without an error is whole");
            self.tally.read += 1;
        }
    }

    async fn write(&mut self) {
        let key = self.key();
        let request = self.create(&key);
        let said = self.send("POST", QUERY, &[], &request).await;
        self.book(key, &said);
    }

    /// Sends the same request again until it is known what became of it.
    async fn write_with_key(&mut self) {
        let key = self.key();
        let (request, quoted) = (self.create(&key), format!("\"{}-{key}\"", self.run));
        for _ in 1..ATTEMPTS {
            match self.send("POST", QUERY, &[("Idempotency-Key", &quoted)], &request).await {
                // Both the first attempt's answer, and a first attempt that still runs.
                Said::Unknown(_) => {}
                Said::No(refusal) if refusal.status == 409 || refusal.retryable => {}
                said => return self.book(key, &said),
            }
        }
        self.tally.unknown.push(key);
    }

    async fn write_two(&mut self) {
        let keys = [self.key(), self.key()];
        let statements = keys.each_ref().map(|key| {
            json!({
                "statement": "CREATE (:Chaos {run: $run, key: $key})",
                "parameters": { "run": self.run, "key": key },
            })
        });
        let request = json!({ "statements": statements, "txMetadata": { "test": self.run } });
        let said = self.send("POST", BATCH, &[], &request).await;
        for key in keys {
            self.book(key, &said);
        }
    }

    async fn write_in_transaction(&mut self) {
        let key = self.key();
        let begin = json!({ "txMetadata": { "test": self.run } });
        let begun = self.send("POST", TX, &[], &begin).await;
        let Said::Yes(body) = begun else {
            return self.tally.refused.push(key);
        };
        let path = format!("{TX}/{}", body["transaction"]["id"].as_str().expect("a handle"));
        let create = json!({
            "statement": "CREATE (:Chaos {run: $run, key: $key})",
            "parameters": { "run": self.run, "key": key },
        });
        // Whatever becomes of the statement, without COMMIT nothing stays.
        let Said::Yes(_) = self.send("POST", &path, &[], &create).await else {
            return self.tally.refused.push(key);
        };
        if below(4) == 0 {
            self.send("DELETE", &path, &[], &json!({})).await;
            return self.tally.refused.push(key);
        }
        let said = self.send("POST", &format!("{path}/commit"), &[], &json!({})).await;
        self.book(key, &said);
    }

    /// Leaves before the answer is there.
    async fn give_up(&mut self) {
        let key = self.key();
        let body = self.create(&key).to_string();
        self.tally.requests += 1;
        let Ok(mut stream) = TcpStream::connect(&self.client.address).await else {
            return self.tally.refused.push(key);
        };
        let head = format!(
            "POST {QUERY} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.client.address,
            body.len()
        );
        // It may be refused before all of it is sent.
        let _ = stream.write_all((head + &body).as_bytes()).await;
        self.tally.unknown.push(key);
    }
}

/// Whether an answer that came through an unreliable network can be what the gateway sent.
fn is_whole(answer: &Response) -> bool {
    serde_json::from_slice::<Value>(&answer.body).is_ok_and(|body| body.is_object())
}
