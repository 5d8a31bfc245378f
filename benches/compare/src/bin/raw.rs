//! The same statements straight over Bolt, by a client that only finds the ends of messages: the limit for everybody.
//!
//! It also fills databases: `--once` runs one statement and prints its rows' number.

use std::{
    cell::RefCell,
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use boltgate_compare::{
    bolt::{Client, Login, Statement},
    figures::Tally,
};
use clap::Parser;
use serde_json::Value;
use tokio::task::LocalSet;

/// A Bolt client that reads answers without looking at them.
#[derive(Parser)]
struct Arguments {
    /// The server: HOST:PORT.
    address: String,
    /// The statement.
    #[arg(long)]
    statement: String,
    /// Its parameters: a JSON object.
    #[arg(long, default_value = "{}")]
    parameters: String,
    /// The user; without one nobody logs in.
    #[arg(long)]
    user: Option<String>,
    /// The password.
    #[arg(long, default_value = "")]
    password: String,
    /// Connections, one statement at a time on each.
    #[arg(long, default_value_t = 1)]
    connections: usize,
    /// Length of the measured part, in seconds.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Every connection runs at least so many statements within it.
    #[arg(long, default_value_t = 1)]
    at_least: u64,
    /// Length of the part before it, in seconds; every connection runs at least one statement there.
    #[arg(long, default_value_t = 0.5)]
    warm_up: f64,
    /// Run the statement once, measure nothing.
    #[arg(long)]
    once: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments = Rc::new(Arguments::parse());
    let parameters: Value = serde_json::from_str(&arguments.parameters)?;
    let statement = Rc::new(Statement::new(&arguments.statement, &parameters, &serde_json::json!({"db": "neo4j"})));
    let login = Login { user: arguments.user.clone(), password: arguments.password.clone() };
    if arguments.once {
        let answer = Client::connect(&arguments.address, &login).await?.run(&statement).await?;
        println!("{} rows", answer.rows);
        return Ok(());
    }
    let start = Instant::now() + Duration::from_secs_f64(arguments.warm_up);
    let tally = Rc::new(RefCell::new(Tally::new()?));
    let local = LocalSet::new();
    for _ in 0..arguments.connections {
        let (arguments, statement, login) = (Rc::clone(&arguments), Rc::clone(&statement), login.clone());
        let tally = Rc::clone(&tally);
        local.spawn_local(async move {
            if let Err(error) = connection(&arguments, &login, &statement, start, &tally).await {
                tally.borrow_mut().failed(format!("{error:#}"));
            }
        });
    }
    local.await;
    let tally = tally.borrow();
    tally.print()?;
    ensure!(!tally.has_failed(), "there were errors");
    Ok(())
}

/// Runs the statement over one connection until the time is over.
async fn connection(
    arguments: &Arguments,
    login: &Login,
    statement: &Statement,
    start: Instant,
    tally: &RefCell<Tally>,
) -> Result<()> {
    let mut client = Client::connect(&arguments.address, login).await?;
    let first = client.run(statement).await?;
    tally.borrow_mut().warm_up();
    let end = start + Duration::from_secs_f64(arguments.seconds);
    let mut measured = 0;
    loop {
        let sent = Instant::now();
        if sent >= end && measured >= arguments.at_least {
            return Ok(());
        }
        let answer = client.run(statement).await?;
        ensure!(answer.rows == first.rows, "an answer had {} rows instead of {}", answer.rows, first.rows);
        if sent < start {
            tally.borrow_mut().warm_up();
        } else {
            measured += 1;
            tally.borrow_mut().answered(sent, answer.first_byte, answer.whole, answer.bytes, answer.rows);
        }
    }
}
