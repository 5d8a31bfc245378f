//! The gateway that a user would write in Rust: axum, the driver neo4rs, and `serde_json` values in between.
//!
//! POST /query takes `{"statement", "parameters"}`, POST /transaction `{"statements": [...]}`. The size of the pool and
//! of a fetch are those of Boltgate and of the official drivers.

use std::net::SocketAddr;

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
    serve::ListenerExt,
};
use boltgate_compare::driver;
use clap::Parser;
use neo4rs::{BoltType, Graph, Query};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

/// A gateway on axum and neo4rs.
#[derive(Parser)]
struct Arguments {
    /// Address of the database: HOST:PORT.
    database: String,
    /// User name.
    #[arg(long, default_value = "neo4j")]
    user: String,
    /// Password.
    #[arg(long, default_value = "password")]
    password: String,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

#[derive(Deserialize)]
struct Statement {
    statement: String,
    #[serde(default)]
    parameters: Map<String, Value>,
}

#[derive(Deserialize)]
struct Statements {
    statements: Vec<Statement>,
}

/// An error, as the response.
struct Failure(neo4rs::Error);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let graph = driver::connect(&arguments.database, &arguments.user, &arguments.password)?;
    let router = Router::new()
        .route("/query", post(run_statement))
        .route("/transaction", post(run_transaction))
        .with_state(graph);
    let listener = TcpListener::bind(arguments.listen).await?;
    println!("listening on {}", listener.local_addr()?);
    let listener = listener.tap_io(|socket| {
        // Otherwise a response in two pieces would wait for an acknowledgement.
        let _ = socket.set_nodelay(true);
    });
    Ok(axum::serve(listener, router).await?)
}

async fn run_statement(State(graph): State<Graph>, Json(statement): Json<Statement>) -> Result<Json<Value>, Failure> {
    let mut stream = graph.execute(statement.into_query()?).await?;
    let mut rows = Vec::new();
    while let Some(row) = stream.next().await? {
        rows.push(row.to_strict::<Value>().map_err(neo4rs::Error::DeserializationError)?);
    }
    Ok(Json(json!({ "rows": rows })))
}

async fn run_transaction(State(graph): State<Graph>, Json(body): Json<Statements>) -> Result<Json<Value>, Failure> {
    let mut transaction = graph.start_txn().await?;
    let mut results = Vec::new();
    for statement in body.statements {
        let mut stream = transaction.execute(statement.into_query()?).await?;
        let mut rows = Vec::new();
        while let Some(row) = stream.next(transaction.handle()).await? {
            rows.push(row.to_strict::<Value>().map_err(neo4rs::Error::DeserializationError)?);
        }
        results.push(json!({ "rows": rows }));
    }
    transaction.commit().await?;
    Ok(Json(json!({ "results": results })))
}

impl Statement {
    fn into_query(self) -> Result<Query, Failure> {
        let mut query = neo4rs::query(&self.statement);
        for (name, value) in self.parameters {
            query = query.param(&name, BoltType::try_from(value)?);
        }
        Ok(query)
    }
}

impl From<neo4rs::Error> for Failure {
    fn from(error: neo4rs::Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, Json(json!({ "error": self.0.to_string() }))).into_response()
    }
}
