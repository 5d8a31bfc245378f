//! Clients that ask and break off, and what they make of the answers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{sync::Semaphore, task::JoinSet, time::sleep};

use super::{
    client::{Answer, Client, Request},
    people::Person,
    random::Random,
};
use crate::support::{bolt::control::Control, gateway::Gateway};

/// Clients at a time.
const CLIENTS: usize = 64;
/// Of these, in a transaction.
const IN_TRANSACTIONS: usize = 7;
/// After this a transaction that was left to itself has ended.
const FORGOTTEN: Duration = Duration::from_millis(450);
/// Requests after which the fake forgets its journal.
const CHAPTER: usize = 2000;

/// Who asks, and where.
pub struct World {
    pub people: Vec<Person>,
    /// Nobody may be served as one of them.
    pub strangers: Vec<Person>,
    pub databases: &'static [&'static str],
}

/// What came of the requests.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    /// Answers that said whom the database saw, rightly.
    pub verified: usize,
    /// Of these, as another user.
    pub impersonated: usize,
    pub committed: usize,
    pub rolled_back: usize,
    pub broken_off: usize,
    /// Statements that failed as they should.
    pub failed: usize,
    /// Requests of unknown users, forbidden impersonations, and requests to other callers' transactions.
    pub turned_away: usize,
    /// Transactions for which there was no room, or that had been idle for too long.
    pub out_of_luck: usize,
}

impl Tally {
    fn add(self, other: Self) -> Self {
        Self {
            verified: self.verified + other.verified,
            impersonated: self.impersonated + other.impersonated,
            committed: self.committed + other.committed,
            rolled_back: self.rolled_back + other.rolled_back,
            broken_off: self.broken_off + other.broken_off,
            failed: self.failed + other.failed,
            turned_away: self.turned_away + other.turned_away,
            out_of_luck: self.out_of_luck + other.out_of_luck,
        }
    }
}

/// Sends this number of requests.
pub async fn run(world: World, gateway: &Gateway, control: &Control, requests: usize, seed: u64) -> Tally {
    let (world, made) = (Arc::new(world), Arc::new(AtomicUsize::new(0)));
    let places = Arc::new(Semaphore::new(IN_TRANSACTIONS));
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let mut visitor = Visitor {
            world: Arc::clone(&world),
            client: Client::new(gateway.address()),
            random: Random::new(seed, u64::try_from(number).unwrap()),
            made: Arc::clone(&made),
            places: Arc::clone(&places),
            control: control.clone(),
            tally: Tally::default(),
        };
        clients.spawn(async move {
            while visitor.made.load(Ordering::Relaxed) < requests {
                visitor.visit().await;
            }
            visitor.tally
        });
    }
    let mut tally = Tally::default();
    while let Some(ended) = clients.join_next().await {
        match ended {
            Ok(part) => tally = tally.add(part),
            Err(error) => panic!("with BOLTGATE_TEST_SEED={seed}: {error}"),
        }
    }
    tally
}

/// One of the clients.
struct Visitor {
    world: Arc<World>,
    client: Client,
    random: Random,
    made: Arc<AtomicUsize>,
    /// To be in a transaction.
    places: Arc<Semaphore>,
    control: Control,
    tally: Tally,
}

/// On whose behalf a request is made.
struct Errand {
    person: Person,
    database: &'static str,
    /// The user to act as.
    whom: Option<String>,
    /// It is named in a header, not in the body.
    in_header: bool,
}

impl Errand {
    fn request(&self, method: &'static str, path: &str, statement: Option<&str>) -> Request {
        let mut headers = String::new();
        if let Some(authorization) = &self.person.authorization {
            headers.push_str(&format!("Authorization: {authorization}\r\n"));
        }
        let mut body = serde_json::Map::new();
        body.extend(statement.map(|text| ("statement".to_owned(), json!(text))));
        let opens = path.is_empty() || path == "/tx";
        match &self.whom {
            Some(whom) if self.in_header => headers.push_str(&format!("Boltgate-Impersonated-User: {whom}\r\n")),
            Some(whom) if opens => body.extend([("impersonatedUser".to_owned(), json!(whom))]),
            _ => {}
        }
        let path = format!("/db/{}/query/v2{path}", self.database);
        Request { method, path, headers, body: Value::Object(body).to_string() }
    }

    /// Whether the answer says that the database saw exactly this.
    fn is_seen_in(&self, answer: &Answer) -> bool {
        let row = &answer.body["data"]["values"][0];
        let seen = [&row[0], &row[1], &row[2]];
        seen == [&self.person.principal, &json!(self.whom), &json!(self.database)]
    }
}

impl Visitor {
    async fn visit(&mut self) {
        match self.random.below(100) {
            0..3 if !self.world.strangers.is_empty() => self.is_turned_away().await,
            0..6 => self.fails().await,
            6..30 => match Arc::clone(&self.places).try_acquire_owned() {
                Ok(place) => {
                    if !self.transacts().await {
                        tokio::spawn(async move {
                            sleep(FORGOTTEN).await;
                            drop(place);
                        });
                    }
                }
                Err(_) => self.asks().await,
            },
            _ => self.asks().await,
        }
    }

    async fn asks(&mut self) {
        let errand = self.errand();
        if let Some(answer) = self.send(&errand.request("POST", "", Some("WHOAMI"))).await {
            self.verify(&errand, &answer);
        }
    }

    /// Somebody, somewhere, and perhaps as somebody else.
    fn errand(&mut self) -> Errand {
        let person = self.random.pick(&self.world.people).clone();
        let database = *self.random.pick(self.world.databases);
        let whom = (person.admin && self.random.percent(50)).then(|| self.other_than(&person));
        Errand { person, database, whom, in_header: self.random.percent(50) }
    }

    /// The name of somebody else whom the database knows as a user.
    fn other_than(&mut self, person: &Person) -> String {
        loop {
            let other = self.random.pick(&self.world.people);
            if let Some(name) = other.principal.as_str()
                && name.starts_with("user")
                && other.principal != person.principal
            {
                return name.to_owned();
            }
        }
    }

    /// The answer, unless the client broke off.
    async fn send(&mut self, request: &Request) -> Option<Answer> {
        if self.made.fetch_add(1, Ordering::Relaxed).is_multiple_of(CHAPTER) {
            self.control.forget_messages();
        }
        if self.random.percent(4) {
            self.client.break_off(request, &mut self.random).await;
            self.tally.broken_off += 1;
            return None;
        }
        Some(self.client.send(request).await)
    }

    fn verify(&mut self, errand: &Errand, answer: &Answer) {
        let Errand { person, database, whom, .. } = errand;
        assert!(
            answer.status == 202 && answer.body.get("errors").is_none() && errand.is_seen_in(answer),
            "asked by {} as {whom:?} on {database}: {answer:?}",
            person.principal
        );
        self.tally.verified += 1;
        self.tally.impersonated += usize::from(whom.is_some());
    }

    async fn fails(&mut self) {
        let errand = self.errand();
        if let Some(answer) = self.send(&errand.request("POST", "", Some("NONSENSE"))).await {
            assert_eq!(answer.status, 400, "{answer:?}");
            self.tally.failed += 1;
        }
    }

    /// A user who does not exist, or may not do what it asks for.
    async fn is_turned_away(&mut self) {
        let mut errand = self.errand();
        let may_not = !errand.person.admin && errand.person.principal.as_str() != Some("") && self.random.percent(50);
        if may_not {
            errand.whom = Some(self.other_than(&errand.person.clone()));
        } else {
            errand.person = self.random.pick(&self.world.strangers).clone();
            errand.whom = None;
        }
        let path = *self.random.pick(&["", "/tx"]);
        if let Some(answer) = self.send(&errand.request("POST", path, Some("WHOAMI"))).await {
            if may_not && answer.status == 503 {
                self.tally.out_of_luck += 1;
                return;
            }
            let expected: &[u16] = if may_not { &[400, 403] } else { &[401, 429] };
            assert!(expected.contains(&answer.status), "{} {:?}: {answer:?}", errand.person.principal, errand.whom);
            assert!(answer.body.get("data").is_none(), "{answer:?}");
            self.tally.turned_away += 1;
        }
    }

    /// A transaction from its beginning to one of its ends. False when it may still be open.
    async fn transacts(&mut self) -> bool {
        let errand = self.errand();
        let first = self.random.percent(50).then_some("WHOAMI");
        let Some(opened) = self.send(&errand.request("POST", "/tx", first)).await else {
            return false;
        };
        if opened.status == 503 {
            self.tally.out_of_luck += 1;
            return true;
        }
        if first.is_some() {
            self.verify(&errand, &opened);
        }
        let id = opened.body["transaction"]["id"].as_str().unwrap_or_else(|| panic!("{opened:?}"));
        let path = format!("/tx/{id}");
        for _ in 0..self.random.below(3) {
            let statement = self.random.percent(80).then_some("WHOAMI");
            if !self.goes_on(&errand, "POST", &path, statement, 202).await {
                return false;
            }
            if self.random.percent(20) {
                self.is_not_found_by_others(&errand, &path).await;
            }
        }
        match self.random.below(20) {
            0..9 => {
                let statement = self.random.percent(50).then_some("WHOAMI");
                let done = self.goes_on(&errand, "POST", &format!("{path}/commit"), statement, 202).await;
                self.tally.committed += usize::from(done);
                done
            }
            9..19 => {
                let done = self.goes_on(&errand, "DELETE", &path, None, 200).await;
                self.tally.rolled_back += usize::from(done);
                done
            }
            // It is left to itself.
            _ => false,
        }
    }

    /// Whether one more request in a transaction was answered as wanted. Otherwise the transaction has ended.
    async fn goes_on(
        &mut self,
        errand: &Errand,
        method: &'static str,
        path: &str,
        statement: Option<&str>,
        status: u16,
    ) -> bool {
        let Some(answer) = self.send(&errand.request(method, path, statement)).await else {
            return false;
        };
        if answer.status == 404 {
            self.tally.out_of_luck += 1;
            return false;
        }
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        if statement.is_some() {
            self.verify(errand, &answer);
        }
        true
    }

    async fn is_not_found_by_others(&mut self, errand: &Errand, path: &str) {
        let mut other = self.errand();
        if other.person.authorization == errand.person.authorization {
            return;
        }
        (other.database, other.whom) = (errand.database, None);
        if let Some(answer) = self.send(&other.request("POST", path, Some("WHOAMI"))).await {
            assert_eq!(
                answer.status, 404,
                "{} found what {} has opened: {answer:?}",
                other.person.principal, errand.person.principal
            );
            self.tally.turned_away += 1;
        }
    }
}
