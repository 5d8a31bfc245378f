//! `GET /pools`: the connections to the database, and who has them.

use axum::{extract::State, http::StatusCode, response::Response};
use serde::Serialize;

use super::{Admin, answer::respond};
use crate::pool::{CallerFigures, Figures};

#[derive(Serialize)]
struct Pools {
    pool: Pool,
    callers: Vec<Caller>,
}

#[derive(Serialize)]
struct Pool {
    max: usize,
    open: usize,
    idle: usize,
    in_use: usize,
    recovering: usize,
    waiting: usize,
}

#[derive(Serialize)]
struct Caller {
    caller: String,
    user: Option<String>,
    open: usize,
    idle: usize,
    in_use: usize,
    waiting: usize,
}

/// Answers with the figures of the pool.
pub(super) async fn list(State(admin): State<Admin>) -> Response {
    let Figures { max, open, idle, in_use, recovering, waiting, callers } = admin.parts.engine.pool().figures();
    let pool = Pool { max, open, idle, in_use, recovering, waiting };
    respond(StatusCode::OK, &Pools { pool, callers: callers.into_iter().map(Caller::of).collect() })
}

impl Caller {
    fn of(figures: CallerFigures) -> Self {
        let open = figures.open();
        let CallerFigures { caller, user, idle, in_use, waiting, .. } = figures;
        Self { caller: caller.to_string(), user, open, idle, in_use, waiting }
    }
}
