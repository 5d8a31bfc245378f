//! The same statements directly over Bolt, by a client that only finds the ends of messages: the lowest cost for any
//! client.
//!
//! It also fills databases: `--once` runs one statement and prints the number of its rows.

use std::{
    cell::RefCell,
    path::PathBuf,
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use boltgate_compare::{
    bolt::{Client, Login, Statement},
    figures::Tally,
};
use clap::Parser;
use serde_json::Value;
use tokio::task::{JoinSet, LocalSet};

/// A Bolt client that receives responses without decoding them.
#[derive(Parser)]
struct Arguments {
    /// Address of the server: HOST:PORT.
    address: String,
    /// Statement to run.
    #[arg(long)]
    statement: String,
    /// File with the parameters: a JSON object.
    #[arg(long)]
    parameters: Option<PathBuf>,
    /// User name. Without it, the client logs in without credentials.
    #[arg(long)]
    user: Option<String>,
    /// Password.
    #[arg(long, default_value = "")]
    password: String,
    /// Number of connections, each of which runs one statement at a time.
    #[arg(long, default_value_t = 1)]
    connections: usize,
    /// Duration of the measured part in seconds.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Minimum number of statements that every connection runs in that time.
    #[arg(long, default_value_t = 1)]
    at_least: u64,
    /// Duration of the warm-up in seconds. It begins when every connection has received a response.
    #[arg(long, default_value_t = 0.5)]
    warm_up: f64,
    /// Run the statement once and measure nothing.
    #[arg(long)]
    once: bool,
}

/// What all connections share.
struct Run {
    arguments: Arguments,
    statement: Statement,
    login: Login,
    tally: RefCell<Tally>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let parameters: Value = match &arguments.parameters {
        Some(file) => serde_json::from_slice(&std::fs::read(file).with_context(|| file.display().to_string())?)?,
        None => serde_json::json!({}),
    };
    let statement = Statement::new(&arguments.statement, &parameters, &serde_json::json!({"db": "neo4j"}));
    let login = Login { user: arguments.user.clone(), password: arguments.password.clone() };
    if arguments.once {
        let answer = Client::connect(&arguments.address, &login).await?.run(&statement).await?;
        println!("{} rows", answer.rows);
        return Ok(());
    }
    let run = Rc::new(Run { arguments, statement, login, tally: RefCell::new(Tally::new()?) });
    LocalSet::new().run_until(Rc::clone(&run).all()).await?;
    let tally = run.tally.borrow();
    tally.print()?;
    ensure!(!tally.has_failed(), "there were errors");
    Ok(())
}

impl Run {
    /// Opens all connections and, once each of them has received a response, runs the statement over them.
    async fn all(self: Rc<Self>) -> Result<()> {
        let mut opening = JoinSet::new();
        for _ in 0..self.arguments.connections {
            opening.spawn_local(Rc::clone(&self).open());
        }
        let mut clients = Vec::new();
        while let Some(opened) = opening.join_next().await {
            clients.push(opened??);
        }
        let start = Instant::now() + Duration::from_secs_f64(self.arguments.warm_up);
        let mut running = JoinSet::new();
        for (client, rows) in clients {
            running.spawn_local(Rc::clone(&self).repeat(client, rows, start));
        }
        while let Some(ran) = running.join_next().await {
            if let Err(error) = ran? {
                self.tally.borrow_mut().failed(format!("{error:#}"));
            }
        }
        Ok(())
    }

    /// A connection that works, and the number of rows in one response.
    async fn open(self: Rc<Self>) -> Result<(Client, u64)> {
        let mut client = Client::connect(&self.arguments.address, &self.login).await?;
        let rows = client.run(&self.statement).await?.rows;
        self.tally.borrow_mut().warm_up();
        Ok((client, rows))
    }

    /// Runs the statement until the time is up.
    async fn repeat(self: Rc<Self>, mut client: Client, rows: u64, start: Instant) -> Result<()> {
        let end = start + Duration::from_secs_f64(self.arguments.seconds);
        let mut measured = 0;
        loop {
            let sent = Instant::now();
            if sent >= end && measured >= self.arguments.at_least {
                return Ok(());
            }
            let answer = client.run(&self.statement).await?;
            ensure!(answer.rows == rows, "an answer had {} rows instead of {rows}", answer.rows);
            if sent < start {
                self.tally.borrow_mut().warm_up();
            } else {
                measured += 1;
                self.tally.borrow_mut().answered(sent, answer.first_byte, answer.whole, answer.bytes, answer.rows);
            }
        }
    }
}
