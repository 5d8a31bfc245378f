//! A handler that reads the body and returns a constant: the lowest possible cost of a gateway on axum.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::Context;
use axum::{
    Router,
    body::Bytes,
    http::{StatusCode, header},
    routing::post,
    serve::ListenerExt,
};
use clap::Parser;
use tokio::net::TcpListener;

/// A web server that returns prepared responses.
#[derive(Parser)]
struct Arguments {
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Files with the responses: the first is served at /0, the second at /1, and so on.
    answers: Vec<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut router = Router::new();
    for (number, file) in arguments.answers.iter().enumerate() {
        let answer = Bytes::from(std::fs::read(file).with_context(|| file.display().to_string())?);
        let handler = post(move |body: Bytes| async move {
            drop(body);
            (StatusCode::ACCEPTED, [(header::CONTENT_TYPE, "application/json;charset=utf-8")], answer)
        });
        router = router.route(&format!("/{number}"), handler);
    }
    let listener = TcpListener::bind(arguments.listen).await.with_context(|| arguments.listen.to_string())?;
    println!("listening on {}", listener.local_addr()?);
    let listener = listener.tap_io(|socket| {
        // Otherwise a response in two pieces would wait for an acknowledgement.
        let _ = socket.set_nodelay(true);
    });
    Ok(axum::serve(listener, router).await?)
}
