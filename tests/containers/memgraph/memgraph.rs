//! A stand-in for Memgraph in a container: Bolt 5.2 as Memgraph speaks it, with three statements instead of a database.
//!
//! Owns: the handshake, the session's states, the answers. Promises: what Memgraph answers to a message in a state, this
//! answers too; a statement that it does not know is a FAILURE, never a made-up row.
//! `RETURN <integer or $parameter> AS <name>` gives one row; `SHOW VERSION` too; [`HELD`] gives three rows once its gate is open.
//! Called as `mgconsole` it is the console instead (see `console`).
//!
//! Gates are files that the test makes (`docker exec … touch`): `/gates/listen` lets the server open its port,
//! `/gates/finish` lets held statements end; `/gates/holding` is made here when a statement is being held.

mod console;
mod packstream;

use packstream::{Map, Value, read_message, write_message};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

const ADDRESS: (&str, u16) = ("0.0.0.0", 7687);
const SERVER: &str = "Neo4j/v5.11.0 compatible graph database server - Memgraph";
const HELD: &str = "UNWIND range(1, 3) AS held RETURN held";

/// Names the instance in every summary.
const RUN_ID: &str = "00000000-0000-4000-8000-000000000000";

const CLIENT_ERROR: &str = "Memgraph.ClientError.MemgraphError.MemgraphError";

const SUCCESS: u8 = 0x70;
const RECORD: u8 = 0x71;
const IGNORED: u8 = 0x7E;
const FAILURE: u8 = 0x7F;

fn main() -> ExitCode {
    let called = std::env::args().next().unwrap_or_default();
    let outcome = if called.ends_with("mgconsole") {
        console::run()
    } else {
        serve()
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{called}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> io::Result<()> {
    wait_for("/gates/listen");
    let listener = TcpListener::bind(ADDRESS)?;
    println!("listening on {}:{}", ADDRESS.0, ADDRESS.1);
    for stream in listener.incoming() {
        let mut session = Session {
            stream: stream?,
            state: State::Init,
            in_transaction: false,
        };
        std::thread::spawn(move || {
            if let Err(error) = session.run() {
                println!("a connection ended: {error}");
            }
        });
    }
    Ok(())
}

fn wait_for(gate: &str) {
    while !Path::new(gate).exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
}

enum State {
    Init,
    Idle,
    Result(Vec<Value>),
    Failed,
}

struct Session {
    stream: TcpStream,
    state: State,
    in_transaction: bool,
}

impl Session {
    fn run(&mut self) -> io::Result<()> {
        self.stream.set_nodelay(true)?;
        if !self.shake_hands()? {
            return self.close();
        }
        loop {
            let (tag, fields) = match read_message(&mut self.stream) {
                Ok(Value::Struct(tag, fields)) => (tag, fields),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                _ => return self.close(),
            };
            if !self.answer(tag, &fields)? {
                return self.close();
            }
        }
    }

    /// Takes 5.2 and nothing else; the client's first match wins.
    fn shake_hands(&mut self) -> io::Result<bool> {
        let mut offer = [0; 20];
        self.stream.read_exact(&mut offer)?;
        let spoken = offer[4..]
            .chunks(4)
            .take_while(|slot| slot != &[0; 4])
            .any(|slot| {
                let [_, range, minor, major] = *slot else {
                    return false;
                };
                major == 5 && minor >= 2 && minor.saturating_sub(range) <= 2
            });
        if !offer.starts_with(&[0x60, 0x60, 0xB0, 0x17]) || !spoken {
            return Ok(false);
        }
        self.stream.write_all(&[0, 0, 2, 5])?;
        Ok(true)
    }

    /// What Memgraph does with bytes or messages that do not fit: one FAILURE, whatever they were, and the end.
    fn close(&mut self) -> io::Result<()> {
        self.fail(
            "Memgraph.ExecutionException",
            "Something went wrong while executing the query! Check the server logs for more details.",
        )
    }

    /// One message in the current state; `false` when Memgraph would close the connection.
    fn answer(&mut self, tag: u8, fields: &[Value]) -> io::Result<bool> {
        match (&self.state, tag, fields) {
            (State::Init, 0x01, [Value::Map(extra)]) if is_string(extra, "user_agent") => {
                self.succeed(identification())?;
            }
            (State::Init, 0x6A, [Value::Map(_)]) => {
                self.state = State::Idle;
                self.succeed(identification())?;
            }
            (State::Init, _, _) => return Ok(false),
            (_, 0x0F, []) => {
                self.state = State::Idle;
                self.in_transaction = false;
                self.succeed(Map::new())?;
            }
            (State::Failed, _, _) => write_message(&mut self.stream, IGNORED, Vec::new())?,
            (_, 0x6B, []) => {
                self.state = State::Init;
                self.in_transaction = false;
                self.succeed(Map::new())?;
            }
            (State::Idle, 0x10, [Value::String(text), Value::Map(parameters), Value::Map(_)]) => {
                self.prepare(text, parameters)?;
            }
            (State::Idle, 0x11, [Value::Map(_)]) => match self.in_transaction {
                true => self.fail(CLIENT_ERROR, "Nested transactions are not supported.")?,
                false => {
                    self.in_transaction = true;
                    self.succeed(Map::new())?;
                }
            },
            (State::Idle, 0x12 | 0x13, []) if !self.in_transaction => {
                let end = if tag == 0x12 { "commit" } else { "rollback" };
                self.fail(CLIENT_ERROR, &format!("No current transaction to {end}."))?;
            }
            (State::Idle, 0x12 | 0x13, []) => {
                self.in_transaction = false;
                self.succeed(Map::new())?;
            }
            (State::Result(_), 0x3F | 0x2F, [Value::Map(extra)]) => {
                let extra = extra.clone();
                return self.pull(&extra, tag == 0x3F);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn prepare(&mut self, text: &str, parameters: &Map) -> io::Result<()> {
        let Some((field, rows)) = evaluate(text, parameters) else {
            let message = format!("This stand-in for Memgraph does not know the statement: {text}");
            return self.fail(CLIENT_ERROR, &message);
        };
        let mut meta = Map::from([("fields".to_owned(), Value::List(vec![Value::from(field)]))]);
        if self.in_transaction {
            meta.insert("qid".to_owned(), Value::Int(0));
        }
        if text == HELD {
            std::fs::write("/gates/holding", "")?;
            wait_for("/gates/finish");
        }
        self.state = State::Result(rows);
        self.succeed(meta)
    }

    /// PULL, or DISCARD when the rows are not wanted; a `qid` outside of a transaction ends a Memgraph, so it ends the connection here.
    fn pull(&mut self, extra: &Map, wanted: bool) -> io::Result<bool> {
        let qid = extra.get("qid").unwrap_or(&Value::Int(-1));
        if !self.in_transaction && *qid != Value::Int(-1) {
            return Ok(false);
        }
        let State::Result(rows) = std::mem::replace(&mut self.state, State::Idle) else {
            return Ok(false);
        };
        let count = match extra.get("n") {
            None | Some(Value::Int(-1)) => rows.len(),
            Some(Value::Int(n @ 1..)) => rows.len().min(*n as usize),
            _ => return Ok(false),
        };
        let (now, later) = rows.split_at(count);
        for row in now.iter().filter(|_| wanted) {
            write_message(
                &mut self.stream,
                RECORD,
                vec![Value::List(vec![row.clone()])],
            )?;
        }
        if later.is_empty() {
            self.succeed(summary())?;
        } else {
            self.state = State::Result(later.to_vec());
            let run_id = ("run_id".to_owned(), Value::from(RUN_ID));
            self.succeed(Map::from([("has_more".to_owned(), Value::Bool(true)), run_id]))?;
        }
        Ok(true)
    }

    fn succeed(&mut self, meta: Map) -> io::Result<()> {
        write_message(&mut self.stream, SUCCESS, vec![Value::Map(meta)])
    }

    fn fail(&mut self, code: &str, message: &str) -> io::Result<()> {
        self.state = State::Failed;
        let meta = [("code", code), ("message", message)];
        let meta = meta.map(|(key, text)| (key.to_owned(), Value::from(text)));
        write_message(&mut self.stream, FAILURE, vec![Value::Map(Map::from(meta))])
    }
}

fn is_string(map: &Map, key: &str) -> bool {
    matches!(map.get(key), Some(Value::String(_)))
}

fn identification() -> Map {
    let meta = [("connection_id", "bolt-1"), ("server", SERVER)];
    Map::from(meta.map(|(key, text)| (key.to_owned(), Value::from(text))))
}

fn summary() -> Map {
    let meta = [
        ("cost_estimate", Value::Float(1.0)),
        ("db", Value::from("memgraph")),
        ("has_more", Value::Bool(false)),
        ("number_of_hops", Value::Int(0)),
        ("parsing_time", Value::Float(0.000_1)),
        ("plan_execution_time", Value::Float(0.000_1)),
        ("planning_time", Value::Float(0.000_1)),
        ("run_id", Value::from(RUN_ID)),
        ("type", Value::from("r")),
    ];
    Map::from(meta.map(|(key, value)| (key.to_owned(), value)))
}

/// The one column and its rows, for the statements that are known.
fn evaluate<'a>(text: &'a str, parameters: &Map) -> Option<(&'a str, Vec<Value>)> {
    let words: Vec<&str> = text.trim_end_matches(';').split_whitespace().collect();
    match *words {
        _ if text == HELD => Some(("held", (1..=3).map(Value::Int).collect())),
        ["SHOW", "VERSION"] => Some(("version", vec![Value::from("3.12.0")])),
        ["RETURN", what] => Some((what, vec![scalar(what, parameters)?])),
        ["RETURN", what, "AS", name] => Some((name, vec![scalar(what, parameters)?])),
        _ => None,
    }
}

fn scalar(what: &str, parameters: &Map) -> Option<Value> {
    match what.strip_prefix('$') {
        Some(name) => parameters.get(name).cloned(),
        None => what.parse().ok().map(Value::Int),
    }
}
