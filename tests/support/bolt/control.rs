//! The test's hold on a running fake: what it has seen, whom it lets in, what it does wrong next.
//!
//! Owns: counters, the journal of messages, users, one-shot faults, canned answers.
//! Promises: waiting for a condition never polls, and ends after 10 s with the counts it saw last.
//! May not know: which database is being faked.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::accounts::{Credential, credential};
pub use super::accounts::{Logons, Token, User};
use super::directive::Program;
use super::host::Connections;
use super::message;
pub use super::orders::When;
use super::orders::{self, Order};
use super::value::Value;

/// How long [`Control::wait_for`] waits before it gives up.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What a fake has counted so far.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// Connections accepted since the start.
    pub accepted: usize,
    /// Connections open now.
    pub open: usize,
    /// Transactions open now, those of unfinished automatic results included.
    pub transactions: usize,
    /// Statements being executed now (not: waiting for a PULL).
    pub running: usize,
    /// RESETs that were answered with SUCCESS.
    pub resets: usize,
    /// Logins that succeeded, and that failed.
    pub logons: usize,
    pub failed_logons: usize,
    /// LOGONs being processed now, those that wait for their turn included.
    pub logging_in: usize,
    pub commits: usize,
    pub rollbacks: usize,
    /// Most bytes ever waiting to be read by one client.
    pub peak_unread: usize,
    /// Messages by name (`"RUN"`, `"PULL"`, …), ignored ones included.
    pub messages: BTreeMap<&'static str, usize>,
}

/// Something that is going on, counted while the guard lives.
#[derive(Debug, Clone, Copy)]
pub enum Gauge {
    Open,
    Transaction,
    Running,
    LoggingIn,
}

/// One message that arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Number of the connection, from 0.
    pub connection: u64,
    pub message: Value,
}

impl Seen {
    pub fn name(&self) -> &'static str {
        match &self.message {
            Value::Struct { tag, .. } => message::name(*tag),
            _ => "?",
        }
    }

    /// Field `i` of the message.
    pub fn field(&self, i: usize) -> Option<&Value> {
        match &self.message {
            Value::Struct { fields, .. } => fields.get(i),
            _ => None,
        }
    }
}

/// Counters and journal, shared by the sessions of a fake.
pub struct Ledger {
    counts: watch::Sender<Counts>,
    journal: Mutex<Vec<Seen>>,
    logons: Mutex<BTreeMap<Credential, Logons>>,
}

impl Default for Ledger {
    fn default() -> Self {
        let counts = watch::Sender::new(Counts::default());
        Ledger { counts, journal: Mutex::default(), logons: Mutex::default() }
    }
}

impl Ledger {
    pub fn note(&self, change: impl FnOnce(&mut Counts)) {
        self.counts.send_modify(change);
    }

    pub fn arrived(&self, connection: u64, message: &Value) {
        let seen = Seen { connection, message: message.clone() };
        let name = seen.name();
        self.journal.lock().unwrap().push(seen);
        self.note(|counts| *counts.messages.entry(name).or_default() += 1);
    }

    /// Counts a login, as a whole and for its credential.
    pub fn login(&self, auth: &Value, accepted: bool) {
        let mut logons = self.logons.lock().unwrap();
        let of_credential = logons.entry(credential(auth)).or_default();
        let count = if accepted { &mut of_credential.accepted } else { &mut of_credential.refused };
        *count += 1;
        drop(logons);
        self.note(|counts| *(if accepted { &mut counts.logons } else { &mut counts.failed_logons }) += 1);
    }

    /// Counts `gauge` up, and down again when the guard is dropped.
    pub fn hold(self: &Arc<Self>, gauge: Gauge) -> Holding {
        self.note(|counts| *gauge.of(counts) += 1);
        Holding { ledger: Arc::clone(self), gauge }
    }
}

impl Gauge {
    fn of(self, counts: &mut Counts) -> &mut usize {
        match self {
            Gauge::Open => &mut counts.open,
            Gauge::Transaction => &mut counts.transactions,
            Gauge::Running => &mut counts.running,
            Gauge::LoggingIn => &mut counts.logging_in,
        }
    }
}

pub struct Holding {
    ledger: Arc<Ledger>,
    gauge: Gauge,
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.ledger.note(|counts| *self.gauge.of(counts) -= 1);
    }
}

/// What goes wrong with a message.
#[derive(Debug, Clone)]
pub enum Fault {
    /// FAILURE instead of processing it.
    Fail { code: String, message: String },
    /// The connection ends; the message is not processed.
    CloseBefore,
    /// The message is processed in full, nothing is answered, the connection ends.
    CloseAfter,
    /// It is processed this much later.
    Delay(Duration),
    /// It is never answered; the connection stays open.
    Hang,
}

/// Rows for a statement text the directive language does not know.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    pub fields: Vec<String>,
    pub rows: Vec<Vec<Value>>,
    /// Keys added to the summary, replacing what the fake would send.
    pub summary: Vec<(String, Value)>,
    /// How long PULL takes; it can be interrupted as `SLEEP` can.
    pub sleep: Option<Duration>,
}

impl Answer {
    pub fn rows<const N: usize>(fields: &[&str], rows: [Vec<Value>; N]) -> Answer {
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        Answer { fields, rows: rows.into(), ..Answer::default() }
    }
}

/// State that tests change while the fake runs.
#[derive(Default)]
pub struct Knobs {
    pub users: Mutex<BTreeMap<String, User>>,
    /// Credentials of other schemes than `basic`, by scheme and text.
    pub tokens: Mutex<BTreeMap<(String, String), Token>>,
    /// How often what the server had remembered of its users' rights was thrown away.
    authorizations_expired: AtomicU64,
    answers: Mutex<BTreeMap<String, Answer>>,
    /// By a part of the text, for those that have no answer of their own.
    partial_answers: Mutex<Vec<(String, Answer)>>,
    faults: Mutex<VecDeque<(String, Fault)>>,
    orders: Mutex<Vec<Order>>,
    /// How often each self-counting directive has run, by its text.
    attempts: Mutex<BTreeMap<String, u64>>,
    pub violations: Mutex<Vec<String>>,
}

impl Knobs {
    /// The fault for this message, if the test ordered one.
    pub fn fault_for(&self, name: &str) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        let at = faults.iter().position(|(kind, _)| kind == name)?;
        faults.remove(at).map(|(_, fault)| fault)
    }

    /// What the test wants `text` to be answered with.
    pub fn answer_for(&self, text: &str) -> Option<Answer> {
        if let Some(answer) = self.answers.lock().unwrap().get(text) {
            return Some(answer.clone());
        }
        let partial = self.partial_answers.lock().unwrap();
        partial.iter().find(|(part, _)| text.contains(part)).map(|(_, answer)| answer.clone())
    }

    /// Lets the statement fail if the test ordered it.
    pub fn carry_out_orders(&self, text: &str, program: &mut Program) {
        orders::carry_out(&mut self.orders.lock().unwrap(), text, program);
    }

    pub fn token(&self, scheme: &str, credentials: &str) -> Option<Token> {
        self.tokens.lock().unwrap().get(&(scheme.to_owned(), credentials.to_owned())).cloned()
    }

    /// Names the time between two of [`Control::expire_authorization`]: a login of another one has to be renewed.
    pub fn authorization_epoch(&self) -> u64 {
        self.authorizations_expired.load(Ordering::SeqCst)
    }

    /// Counts one more execution of `text` and says how many there were before.
    pub fn attempt(&self, text: &str) -> u64 {
        let mut attempts = self.attempts.lock().unwrap();
        let count = attempts.entry(text.to_owned()).or_default();
        *count += 1;
        *count - 1
    }

    pub fn violation(&self, what: impl Into<String>) {
        self.violations.lock().unwrap().push(what.into());
    }
}

/// The handle a test holds. Clones share everything.
#[derive(Clone)]
pub struct Control {
    pub(super) ledger: Arc<Ledger>,
    pub(super) knobs: Arc<Knobs>,
    pub(super) connections: Arc<Connections>,
}

impl Control {
    pub fn counts(&self) -> Counts {
        self.ledger.counts.borrow().clone()
    }

    /// How many messages of this name have arrived.
    pub fn count(&self, name: &str) -> usize {
        self.ledger.counts.borrow().messages.get(name).copied().unwrap_or(0)
    }

    /// Every message that has arrived, in order.
    pub fn seen(&self) -> Vec<Seen> {
        self.ledger.journal.lock().unwrap().clone()
    }

    /// The names of the messages that have arrived on one connection, in order.
    pub fn names(&self, connection: u64) -> Vec<&'static str> {
        let journal = self.ledger.journal.lock().unwrap();
        journal.iter().filter(|s| s.connection == connection).map(Seen::name).collect()
    }

    /// How many statements have arrived whose text contains `part`.
    pub fn statements(&self, part: &str) -> usize {
        let journal = self.ledger.journal.lock().unwrap();
        let texts = journal.iter().filter_map(|seen| seen.field(0).and_then(Value::as_str));
        texts.filter(|text| text.contains(part)).count()
    }

    /// Forgets the journal and the message counts; gauges and totals stay.
    pub fn forget_messages(&self) {
        self.ledger.journal.lock().unwrap().clear();
        self.ledger.note(|counts| counts.messages.clear());
    }

    /// Waits until `reached` holds.
    ///
    /// # Panics
    /// After [`PATIENCE`], naming `what` and the last counts.
    pub async fn wait_for(&self, what: &str, reached: impl Fn(&Counts) -> bool) -> Counts {
        let mut counts = self.ledger.counts.subscribe();
        let waited = tokio::time::timeout(PATIENCE, counts.wait_for(|c| reached(c))).await;
        match waited {
            Ok(Ok(now)) => now.clone(),
            _ => panic!("never came: {what}; the fake counts {:?}", self.counts()),
        }
    }

    /// Ends every connection at once.
    pub fn close_all(&self) {
        self.connections.close_all();
    }

    /// While true, new connections are reset as soon as they are accepted.
    pub fn refuse_new(&self, refuse: bool) {
        self.connections.refuse_new(refuse);
    }

    /// The next message of this name, on any connection, meets `fault`. Orders queue up. Messages of
    /// `SHOW TRANSACTIONS` and `TERMINATE TRANSACTIONS` all have the name `TRANSACTIONS`.
    pub fn on_next(&self, name: &str, fault: Fault) {
        self.knobs.faults.lock().unwrap().push_back((name.to_owned(), fault));
    }

    pub fn fail_next(&self, name: &str, code: &str, message: &str) {
        let fault = Fault::Fail { code: code.to_owned(), message: message.to_owned() };
        self.on_next(name, fault);
    }

    /// The next `times` statements whose text contains `part` fail at this point; then they go well.
    pub fn fail_statements(&self, part: &str, times: usize, when: When, code: &str, message: &str) {
        self.knobs.orders.lock().unwrap().push(Order::new(part, times, when, code, message));
    }

    /// From now on the statement `text` gives these rows.
    pub fn answer(&self, text: &str, answer: Answer) {
        self.knobs.answers.lock().unwrap().insert(text.to_owned(), answer);
    }

    /// The same for every statement whose text contains `part`; those that were named first come first.
    pub fn answer_any(&self, part: &str, answer: Answer) {
        self.knobs.partial_answers.lock().unwrap().push((part.to_owned(), answer));
    }

    pub fn set_user(&self, name: &str, user: User) {
        self.knobs.users.lock().unwrap().insert(name.to_owned(), user);
    }

    pub fn set_password(&self, name: &str, password: &str) {
        let mut users = self.knobs.users.lock().unwrap();
        users.entry(name.to_owned()).or_default().password = password.to_owned();
    }

    pub fn drop_user(&self, name: &str) {
        self.knobs.users.lock().unwrap().remove(name);
    }

    /// Lets `credentials` in under `scheme` (`bearer`, `saml-okta`, …) as `principal`.
    pub fn set_token(&self, scheme: &str, credentials: &str, principal: &str) {
        self.insert_token(scheme, credentials, Token { principal: principal.to_owned(), until: None });
    }

    /// The same until then. Afterwards Neo4j lets nothing run on connections that are logged in with it either.
    pub fn set_token_until(&self, scheme: &str, credentials: &str, principal: &str, until: Instant) {
        self.insert_token(scheme, credentials, Token { principal: principal.to_owned(), until: Some(until) });
    }

    fn insert_token(&self, scheme: &str, credentials: &str, token: Token) {
        let key = (scheme.to_owned(), credentials.to_owned());
        self.knobs.tokens.lock().unwrap().insert(key, token);
    }

    /// Neo4j forgets what it had remembered of its users' rights: whoever is logged in has to log in again.
    pub fn expire_authorization(&self) {
        self.knobs.authorizations_expired.fetch_add(1, Ordering::SeqCst);
    }

    /// How often the credential in this auth map was tried.
    pub fn logons(&self, auth: &Value) -> Logons {
        self.ledger.logons.lock().unwrap().get(&credential(auth)).copied().unwrap_or_default()
    }

    /// What a client did that a correct one never does. Tests assert that it is empty.
    pub fn violations(&self) -> Vec<String> {
        self.knobs.violations.lock().unwrap().clone()
    }
}
