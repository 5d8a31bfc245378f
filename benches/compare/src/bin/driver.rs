//! The same statements through a native driver directly on Bolt, decoded into `serde_json` values: the cost for an
//! application that needs no HTTP.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use boltgate_compare::{driver, figures::Tally};
use clap::Parser;
use neo4rs::{BoltType, Graph, Query};
use serde_json::{Map, Value};

/// A load generator on neo4rs.
#[derive(Parser)]
struct Arguments {
    /// Address of the server: HOST:PORT.
    address: String,
    /// Statement to run.
    #[arg(long)]
    statement: String,
    /// File with the parameters: a JSON object.
    #[arg(long)]
    parameters: PathBuf,
    /// User name.
    #[arg(long, default_value = "neo4j")]
    user: String,
    /// Password.
    #[arg(long, default_value = "password")]
    password: String,
    /// Number of tasks, each of which runs one statement at a time. The driver's pool has 100 connections.
    #[arg(long, default_value_t = 1)]
    connections: usize,
    /// Duration of the measured part in seconds.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Duration of the warm-up in seconds. It begins when every task has received a response.
    #[arg(long, default_value_t = 0.5)]
    warm_up: f64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let graph = driver::connect(&arguments.address, &arguments.user, &arguments.password)?;
    let file = std::fs::read(&arguments.parameters).with_context(|| arguments.parameters.display().to_string())?;
    let mut query = neo4rs::query(&arguments.statement);
    for (name, value) in serde_json::from_slice::<Map<String, Value>>(&file)? {
        query = query.param(&name, BoltType::try_from(value)?);
    }
    let opening: Vec<_> = (0..arguments.connections)
        .map(|_| {
            let (graph, query) = (graph.clone(), query.clone());
            tokio::spawn(async move { once(&graph, query).await })
        })
        .collect();
    let mut expected = 0;
    for task in opening {
        expected = task.await??.0;
    }
    let start = Instant::now() + Duration::from_secs_f64(arguments.warm_up);
    let end = start + Duration::from_secs_f64(arguments.seconds);
    let tally = Arc::new(Mutex::new(Tally::new()?));
    let tasks: Vec<_> = (0..arguments.connections)
        .map(|_| tokio::spawn(repeat(graph.clone(), query.clone(), expected, (start, end), Arc::clone(&tally))))
        .collect();
    for task in tasks {
        if let Err(error) = task.await? {
            tally.lock().unwrap_or_else(PoisonError::into_inner).failed(format!("{error:#}"));
        }
    }
    let tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    tally.print()?;
    ensure!(!tally.has_failed(), "there were errors");
    Ok(())
}

/// Runs the statement until the time is up.
async fn repeat(
    graph: Graph,
    query: Query,
    expected: u64,
    (start, end): (Instant, Instant),
    tally: Arc<Mutex<Tally>>,
) -> Result<()> {
    let tally = || tally.lock().unwrap_or_else(PoisonError::into_inner);
    let mut measured = 0;
    loop {
        let sent = Instant::now();
        if sent >= end && measured > 0 {
            return Ok(());
        }
        let (rows, first_row) = once(&graph, query.clone()).await?;
        ensure!(rows == expected, "an answer had {rows} rows instead of {expected}");
        if sent < start {
            tally().warm_up();
        } else {
            measured += 1;
            tally().answered(sent, first_row, sent.elapsed(), 0, rows);
        }
    }
}

/// Runs the statement once. Returns the number of rows and the time to the first of them.
async fn once(graph: &Graph, query: Query) -> Result<(u64, Duration)> {
    let sent = Instant::now();
    let mut stream = graph.execute(query).await?;
    let (mut rows, mut first) = (0, None);
    while let Some(row) = stream.next().await? {
        first.get_or_insert_with(|| sent.elapsed());
        std::hint::black_box(row.to_strict::<Value>()?);
        rows += 1;
    }
    Ok((rows, first.unwrap_or_else(|| sent.elapsed())))
}
