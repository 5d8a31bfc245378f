//! Requests that are dropped while a login is queued, under way, or just through: the next request on the
//! connection is who it says.

use std::{sync::Arc, time::Duration};

use boltgate::{
    auth::{Authenticator, CredentialHeaders},
    bolt::Columns,
    pool,
    query::{
        Call, Error, Flow, Kind as Fault, Options, Progress, Retry, RowRefused, RowSink, StartedStatement, Statement,
    },
    telemetry::event_log::EventLog,
};

use super::stand::{Fake, Kind, POOL, Polled, Stand, everything_passed_on};
use crate::support::bolt::{control::User, value::Value};

/// A few polls for each message, on each side.
const NARROW: usize = 7;
/// Several messages at a time.
const WIDE: usize = 64 * 1024;

/// Every request logs in, and each takes the connection over from the one before.
const ALWAYS: pool::Settings = pool::Settings { max: 1, share: 1, login_age: Duration::ZERO, ..POOL };
/// Only a request after another user's logs in.
const ON_CHANGE: pool::Settings = pool::Settings { max: 1, share: 1, ..POOL };

/// The first cell of the first row.
#[derive(Default)]
struct FirstCell(Option<Value>);

impl RowSink for FirstCell {
    fn open(&mut self, _: &Columns) {}

    fn row(&mut self, fields: &[u8], _columns: usize) -> Result<Flow, RowRefused> {
        let row = Value::decode(fields).unwrap();
        self.0 = self.0.take().or_else(|| row.as_list()?.first().cloned());
        Ok(Flow::Continue)
    }

    fn has_replaced_values(&self) -> bool {
        false
    }

    fn restart(&mut self) {
        self.0 = None;
    }
}

struct Callers {
    fake: Arc<Fake>,
    alice: Call,
    bob: Call,
}

impl Callers {
    async fn new(kind: Kind) -> Self {
        let fake = Fake::start(kind).await;
        if kind == Kind::Memgraph {
            for name in ["alice", "bob"] {
                fake.control().set_user(name, User { password: "pw".into(), ..User::default() });
            }
        }
        let authenticator = Authenticator::new(everything_passed_on(), Arc::new(EventLog)).unwrap();
        let identify = async |header: &'static [u8]| {
            let presented = CredentialHeaders { authorization: Some(header), ..CredentialHeaders::default() };
            Call::new(authenticator.identify(&presented).await.unwrap(), Arc::default())
        };
        Self { fake, alice: identify(b"Basic YWxpY2U6cHc=").await, bob: identify(b"Basic Ym9iOnB3").await }
    }

    /// Whom the database sees in a request of `caller`.
    async fn who(&self, stand: &Stand, caller: &Call) -> Result<Value, Error> {
        let statement = Statement { text: "WHOAMI".into(), parameters: vec![0xA0].into() };
        let options = Options::default();
        let mut cell = FirstCell::default();
        let run = stand.engine.run(caller, self.fake.database(), &statement, &options, Retry::NEVER, &mut cell).await;
        let StartedStatement { mut rows, first } = run.outcome?;
        let mut progress = first?;
        while let Progress::Paused = progress {
            progress = rows.advance(&mut cell).await?;
        }
        Ok(cell.0.expect("there is a row"))
    }

    async fn is_right(&self, stand: &Stand, caller: &Call, name: &str, what: &str) {
        assert_eq!(self.who(stand, caller).await.unwrap().as_str(), Some(name), "{what}");
    }

    /// Drops bob's request after 1, 2, 3, … polls, on a connection that alice has used before.
    async fn drop_everywhere(&self, width: usize, pool: pool::Settings) {
        for polls in 1.. {
            let what = format!("{width} bytes, login age {:?}, {polls} polls", pool.login_age);
            let stand = Stand::new(&self.fake, width, pool);
            self.is_right(&stand, &self.alice, "alice", &what).await;
            let completed = Polled::new(self.who(&stand, &self.bob), polls).await;
            // The next request, and the one after it.
            let order = [(&self.alice, "alice"), (&self.bob, "bob")];
            let [(first, its_name), (second, second_name)] = if polls % 2 == 0 { order } else { [order[1], order[0]] };
            self.is_right(&stand, first, its_name, &what).await;
            self.is_right(&stand, first, its_name, &what).await;
            self.is_right(&stand, second, second_name, &what).await;
            stand.quiet(&what).await;
            let control = self.fake.control();
            control.wait_for(&what, |counts| counts.transactions == 0 && counts.running == 0).await;
            assert_eq!(control.violations(), [""; 0], "{what}");
            assert!(stand.engine.pool_status().open <= 1, "{what}");
            if let Some(name) = completed {
                assert_eq!(name.unwrap().as_str(), Some("bob"), "{what}");
                assert!(polls > if width == WIDE { 1 } else { 4 }, "{what}: that was no test");
                return;
            }
        }
    }
}

#[tokio::test]
async fn recovers_on_a_connection_that_changes_users() {
    for kind in [Kind::Neo4j, Kind::Memgraph] {
        let callers = Callers::new(kind).await;
        for width in [NARROW, 40, WIDE] {
            callers.drop_everywhere(width, ON_CHANGE).await;
        }
    }
}

#[tokio::test]
async fn recovers_on_a_connection_that_re_authenticates_every_request() {
    for kind in [Kind::Neo4j, Kind::Memgraph] {
        let callers = Callers::new(kind).await;
        for width in [NARROW, 40, WIDE] {
            callers.drop_everywhere(width, ALWAYS).await;
        }
    }
}

/// A parameter that is nested deeper than any database takes.
fn too_deep() -> Statement {
    let parameters = [&[0xA1, 0x81, b'd'][..], &[0x91; 1500], &[0x01]].concat();
    Statement { text: "RETURN $d".into(), parameters: parameters.into() }
}

#[tokio::test]
async fn recovers_before_anything_is_sent() {
    for kind in [Kind::Neo4j, Kind::Memgraph] {
        let callers = Callers::new(kind).await;
        let database = callers.fake.database();
        for pool in [ON_CHANGE, ALWAYS] {
            let stand = Stand::new(&callers.fake, WIDE, pool);
            let what = format!("{kind:?}, login age {:?}", pool.login_age);
            callers.is_right(&stand, &callers.alice, "alice", &what).await;
            for begins in [false, true] {
                // Only on the connection it shows that the request cannot be sent.
                let (options, statement) = (Options::default(), too_deep());
                let outcome = if begins {
                    stand.engine.begin_with(&callers.bob, database, &statement, &options).await.map(drop)
                } else {
                    let mut cell = FirstCell::default();
                    let once = Retry::NEVER;
                    let run = stand.engine.run(&callers.bob, database, &statement, &options, once, &mut cell).await;
                    run.outcome.map(drop)
                };
                assert_eq!(outcome.err().map(|error| error.kind), Some(Fault::BadRequest), "{what}");
                stand.quiet(&what).await;
                callers.is_right(&stand, &callers.bob, "bob", &what).await;
                callers.is_right(&stand, &callers.alice, "alice", &what).await;
            }
            assert_eq!(callers.fake.control().violations(), [""; 0], "{what}");
        }
    }
}

#[tokio::test]
async fn recovers_amid_a_refused_login() {
    // Not for the password's sake, which would be remembered.
    let code = "Neo.TransientError.General.DatabaseUnavailable";
    // Or the end of the connection alone: the narrow way ends on both sides as soon as the database does not read.
    let is_refusal =
        |error: &Error| [code, "Boltgate.DatabaseError.Transaction.OutcomeUnknown"].contains(&error.code.as_str());
    for kind in [Kind::Neo4j, Kind::Memgraph] {
        let callers = Callers::new(kind).await;
        for polls in 1.. {
            let what = format!("{kind:?}, {polls} polls");
            let stand = Stand::new(&callers.fake, NARROW, ALWAYS);
            callers.is_right(&stand, &callers.alice, "alice", &what).await;
            callers.fake.control().fail_next("LOGON", code, "no");
            let completed = Polled::new(callers.who(&stand, &callers.bob), polls).await;
            // Where bob's login never got to the database, the refusal is for alice's.
            match callers.who(&stand, &callers.alice).await {
                Ok(name) => assert_eq!(name.as_str(), Some("alice"), "{what}"),
                Err(error) => assert!(is_refusal(&error) && completed.is_none(), "{what}: {error}"),
            }
            callers.is_right(&stand, &callers.alice, "alice", &what).await;
            callers.is_right(&stand, &callers.bob, "bob", &what).await;
            stand.quiet(&what).await;
            if let Some(outcome) = completed {
                assert!(is_refusal(&outcome.unwrap_err()), "{what}");
                break;
            }
        }
    }
}
