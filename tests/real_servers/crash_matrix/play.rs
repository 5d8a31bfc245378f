//! Plays the matrix against one database, cell by cell, and collects what differs from what is promised.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    stand::Stand,
    table::{Cell, Mode, POINTS, Route, Told, Write},
    verdict::{Expected, differs},
};
use crate::support::{cut::Point, http::Response, query::body};

/// How the answer to one cell was asked for, and where it came from.
struct Spot<'a> {
    stand: &'a Stand,
    mode: &'a Mode,
    row: usize,
    point: Point,
    cell: Cell,
    key: String,
    precise: bool,
}

/// What came of the matrix.
#[derive(Default)]
pub struct Played {
    /// How often each cell's write was found: by mode, row and point.
    pub found: BTreeMap<(&'static str, usize, usize), Vec<i64>>,
    /// What is not as promised.
    pub differences: Vec<String>,
}

/// Plays every cell that the database has, with each spelling of statuses in `precise`. Ends where the gateway has lost
/// something for good.
pub async fn play(stand: &Stand, precise: &[bool]) -> Played {
    let mut played = Played::default();
    stand.clean().await;
    // Opens the first connection.
    played.differences.extend(stand.lacks().await);
    for mode in &stand.modes {
        played.differences.extend(rehearse(stand, mode).await);
    }
    let spots = spots(stand, precise);
    for spot in &spots {
        let (count, differences) = spot.play().await;
        played.differences.extend(differences);
        let cell = (spot.mode.name, spot.row, POINTS.iter().position(|point| *point == spot.point).unwrap_or_default());
        played.found.entry(cell).or_default().push(count);
        if let Some(lack) = stand.lacks().await {
            played.differences.push(spot.at(&lack));
            return played;
        }
    }
    // What came late must not be more than was promised either.
    for spot in &spots {
        played.differences.extend(spot.counts_differ(stand.count(&spot.key).await).map(|what| spot.at(&what)));
    }
    stand.clean().await;
    played
}

/// What keys begin with.
fn key_of(mode: &Mode) -> String {
    mode.name.replace(|c: char| !c.is_ascii_alphanumeric(), "")
}

fn spots<'a>(stand: &'a Stand, precise: &[bool]) -> Vec<Spot<'a>> {
    let mut spots = Vec::new();
    for mode in stand.modes.iter().copied() {
        for (row, (_, cells)) in mode.rows.iter().enumerate() {
            for (point, cell) in POINTS.into_iter().zip(*cells) {
                for precise in precise.iter().copied() {
                    let key = format!("{}{}", key_of(mode), spots.len());
                    spots.push(Spot { stand, mode, row, point, cell, key, precise });
                }
            }
        }
    }
    spots
}

/// Without a cut the mode does its work once, with exactly the requests that the table has.
async fn rehearse(stand: &Stand, mode: &Mode) -> Vec<String> {
    let key = &key_of(mode);
    let path = stand.prepare(mode, key).await;
    stand.cutter.watch();
    let answer = stand.request(mode, path.as_deref(), key, false).await;
    let seen = stand.cutter.seen();
    let requests: Vec<_> = mode.rows.iter().map(|(request, _)| *request).collect();
    let mut differences = Vec::new();
    if seen != requests {
        differences.push(format!("{} / {}: the table has {requests:?}, sent was {seen:?}", stand.name, mode.name));
    }
    if let Some(path) = stand.open_path(mode, path.as_deref(), &answer) {
        stand.send("POST", &format!("{path}/commit"), &[], "{}").await;
    }
    let wanted = if mode.route == Route::RollBack { 0 } else { stand.unit(mode) };
    let count = stand.count(key).await;
    if count != wanted {
        differences.push(format!("{} / {}: written {count} times, not {wanted}:\n{answer}", stand.name, mode.name));
    }
    differences
}

impl Stand {
    /// How much is written when a mode does its work once.
    fn unit(&self, mode: &Mode) -> i64 {
        let statements = match mode.route {
            Route::Batch => 2,
            Route::Load => 3,
            _ => 1,
        };
        let own = mode.writes.map_or(0, |write| statements * self.size(write));
        own + mode.before.map_or(0, |write| self.size(write))
    }

    /// What has to be there before the request: the path of an open transaction, or no connection.
    async fn prepare(&self, mode: &Mode, key: &str) -> Option<String> {
        self.cutter.watch();
        if mode.anew {
            self.cutter.end_all().await;
        }
        if !matches!(mode.route, Route::Inside | Route::Commit | Route::RollBack) {
            return None;
        }
        let mut request = (mode.members)();
        if let Some(write) = mode.before {
            request["statement"] = self.statement(write, key).into();
        }
        let answer = self.send("POST", &self.path("/tx"), &[], &request.to_string()).await;
        let id = transaction(&answer).unwrap_or_else(|| panic!("{} / {}: {answer}", self.name, mode.name));
        Some(self.path(&format!("/tx/{id}")))
    }

    async fn request(&self, mode: &Mode, transaction: Option<&str>, key: &str, precise: bool) -> Response {
        let mut headers = Vec::new();
        if precise {
            headers.push(("Boltgate-Statuses", "precise"));
        }
        let transaction = transaction.unwrap_or_default();
        let mut request = if transaction.is_empty() { (mode.members)() } else { json!({}) };
        let statement = mode.writes.map(|write| self.statement(write, key));
        let mut method = "POST";
        let path = match mode.route {
            Route::Query => self.path(""),
            Route::Batch | Route::Load => self.path("/batch"),
            Route::Begin => self.path("/tx"),
            Route::Inside => transaction.to_owned(),
            Route::Commit => format!("{transaction}/commit"),
            Route::RollBack => {
                method = "DELETE";
                transaction.to_owned()
            }
        };
        match (mode.route, statement) {
            (Route::Batch, Some(statement)) => {
                request["statements"] = json!([{ "statement": statement }, { "statement": statement }]);
            }
            (_, Some(statement)) => request["statement"] = statement.into(),
            _ => {}
        }
        let mut text = request.to_string();
        match mode.route {
            Route::Load => {
                request["transactionSize"] = 2.into();
                text = format!("{request}\n{{}}\n{{}}\n{{}}\n");
                headers.push(("Content-Type", "application/x-ndjson"));
            }
            Route::RollBack => text.clear(),
            _ => {}
        }
        self.send(method, &path, &headers, &text).await
    }

    /// The path of the transaction that is open behind an answer, if there is one.
    fn open_path(&self, mode: &Mode, path: Option<&str>, answer: &Response) -> Option<String> {
        match mode.route {
            Route::Begin => transaction(answer).map(|id| self.path(&format!("/tx/{id}"))),
            Route::Inside => path.map(str::to_owned),
            _ => None,
        }
    }
}

fn transaction(answer: &Response) -> Option<String> {
    body(answer)["transaction"]["id"].as_str().map(str::to_owned)
}

impl Spot<'_> {
    async fn play(&self) -> (i64, Vec<String>) {
        let Self { stand, mode, .. } = self;
        let path = stand.prepare(mode, &self.key).await;
        stand.cutter.cut_at(self.row, self.point);
        let answer = stand.request(mode, path.as_deref(), &self.key, self.precise).await;
        if !stand.cutter.until_cut().await {
            let seen = stand.cutter.seen();
            return (0, vec![self.at(&format!("never came that far, sent was {seen:?}:\n{answer}"))]);
        }
        let count = stand.count(&self.key).await;
        let mut differences: Vec<_> = [
            differs(&answer, &self.expected()),
            self.counts_differ(count),
            self.account_differs(&answer, count),
            self.goes_on(path.as_deref(), &answer).await,
        ]
        .into_iter()
        .flatten()
        .map(|what| self.at(&what))
        .collect();
        if !differences.is_empty() {
            differences.push(format!("{answer}\n"));
        }
        (count, differences)
    }

    fn at(&self, what: &str) -> String {
        let request = self.mode.rows[self.row].0;
        let statuses = if self.precise { "precise" } else { "query-api" };
        let Self { stand, mode, row, point, .. } = self;
        format!("{} / {} / {row} {request} / {point:?} / {statuses}: {what}", stand.name, mode.name)
    }

    fn expected(&self) -> Expected {
        Expected {
            told: self.cell.told,
            route: self.mode.route,
            precise: self.precise,
            columns_are_known: self.mode.columns_are_known(self.row, self.point),
            rows_have_left: self.mode.rows_have_left(self.row, self.point),
        }
    }

    /// How often the write may be there.
    fn counts_differ(&self, count: i64) -> Option<String> {
        let unit = if self.mode.route == Route::Load { 1 } else { self.stand.unit(self.mode) };
        let commits_early = self.mode.writes == Some(Write::InBatches) && self.cell.told == Told::Open;
        let may_be = match self.cell.told {
            Told::Statement if !self.stand.is_exact() => (0..=unit).collect(),
            _ if commits_early && !self.stand.is_exact() => (0..=unit).collect(),
            _ => self.cell.times.iter().map(|times| times * unit).collect::<Vec<_>>(),
        };
        (!may_be.contains(&count)).then(|| format!("written {count} times, and not {may_be:?}"))
    }

    /// A load says what is there, up to the transaction whose outcome is not known.
    fn account_differs(&self, answer: &Response, count: i64) -> Option<String> {
        if self.mode.route != Route::Load {
            return None;
        }
        let body = body(answer);
        let committed = body["committed"]["rows"].as_i64();
        let lines = match &body["errors"][0]["lines"] {
            Value::Null => 0,
            lines => lines[1].as_i64()? - lines[0].as_i64()? + 1,
        };
        let is_right = committed.is_some_and(|rows| count == rows || count == rows + lines);
        (!is_right).then(|| format!("{count} rows are there"))
    }

    /// A client that continues the transaction is told the truth, without any effect.
    async fn goes_on(&self, path: Option<&str>, answer: &Response) -> Option<String> {
        let Self { stand, mode, .. } = self;
        let is_open = self.cell.told == Told::Open;
        let path = if is_open { stand.open_path(mode, path, answer) } else { path.map(str::to_owned) };
        let Some(path) = path else {
            return is_open.then(|| "no transaction is named".to_owned());
        };
        let answer = stand.send("POST", &format!("{path}/commit"), &[], "{}").await;
        let body = body(&answer);
        let (code, message) = (&body["errors"][0]["code"], body["errors"][0]["message"].as_str().unwrap_or_default());
        let is_right = if is_open {
            answer.status == 502 && message.ends_with("it is unknown whether the transaction was committed")
        } else {
            answer.status == 404 && code == "Neo.ClientError.Request.Invalid"
        };
        (!is_right).then(|| format!("then COMMIT is answered with\n{answer}"))
    }
}
