//! Everything goes wrong at once: between the gateway and the database, and between clients and the gateway.
//!
//! 64 clients read, write, stream and give up while connections are refused, delayed, cut, reset, truncated, swallowed and
//! filled with garbage, and while the database is away. No answer is wrong, no write happens twice, none that was
//! confirmed is lost, none that was refused is there; and when the faults end, the gateway recovers alone and holds
//! nothing. `BOLTGATE_CHAOS_SECONDS` sets how long each of the three storms lasts (4 by default).

mod audit;
mod customer;

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use crate::support::{
    client::{Client, QUERY, Said},
    fault::{FAULTS, Fault, FaultProxy, Weather},
    gateway::{Gateway, start_for_with},
    servers::{PATIENCE, Server},
};
use audit::{Audit, Tally};
use customer::{Customer, Network};

const CUSTOMERS: usize = 64;
/// More than any machine needs to notice that something hangs.
const HANG: Duration = Duration::from_secs(300);

/// Time limits that are short enough for a storm; they are what every request has at most.
const SETTINGS: [(&str, &str); 10] = [
    ("database.max_connections", "24"),
    ("database.connect_timeout", "2s"),
    ("database.acquire_timeout", "3s"),
    ("database.max_execution_time", "3s"),
    ("database.termination_grace", "2s"),
    ("database.liveness_after", "1s"),
    // Faults meet new connections.
    ("database.max_lifetime", "500ms"),
    ("transactions.max", "8"),
    ("transactions.idle_timeout", "5s"),
    ("retry.max_time", "2s"),
];

/// Neo4j takes no new connections, and the old ones are gone.
const AWAY: Weather = Weather { faults: &[Fault::Refuse], percent: 100 };
const STORM: Weather = Weather { faults: &FAULTS, percent: 40 };

/// How long a storm lasts.
fn storm() -> Duration {
    let seconds = std::env::var("BOLTGATE_CHAOS_SECONDS").ok();
    Duration::from_secs(seconds.map_or(4, |text| text.parse().expect("a number of seconds")))
}

struct Stand {
    gateway: Gateway,
    database: FaultProxy,
    clients: FaultProxy,
    audit: Audit,
}

impl Stand {
    async fn new(server: Server) -> Self {
        let database = FaultProxy::start(server.bolt.trim_start_matches("bolt://")).await;
        let gateway = start_for_with(&format!("bolt://{}", database.address()), &SETTINGS).await;
        let clients = FaultProxy::start(gateway.address()).await;
        Self { gateway, database, clients, audit: Audit::of(server) }
    }

    /// Lets all customers loose until the storm is over.
    async fn weather(&self, name: &str, network: Network, storm: impl AsyncFnOnce(&Self)) -> Tally {
        let address = match network {
            Network::Reliable => self.gateway.address(),
            Network::Unreliable => self.clients.address(),
        };
        let stop = tokio_util::sync::CancellationToken::new();
        let mut customers = JoinSet::new();
        for number in 0..CUSTOMERS {
            let client = Client { address: address.to_owned(), authorization: None };
            let name = format!("{name}-{number}");
            customers.spawn(Customer::new(client, network, self.audit.run(), name).work(stop.clone()));
        }
        storm(self).await;
        self.database.calm();
        self.clients.calm();
        stop.cancel();
        let mut all = Tally::default();
        let ended = async {
            while let Some(tally) = customers.join_next().await {
                all.add(tally.expect("no customer fails"));
            }
        };
        timeout(HANG, ended).await.expect("every request comes to an end");
        println!("{name}: {all}");
        all
    }

    /// Waits until the gateway serves everybody again and holds nothing.
    async fn has_recovered(&self) {
        let began = Instant::now();
        let client = Client { address: self.gateway.address().to_owned(), authorization: None };
        loop {
            let ask = async |n: usize| {
                client.try_send("POST", QUERY, &[], &json!({ "statement": format!("RETURN {n}") })).await
            };
            let all = (0..CUSTOMERS).map(ask);
            let answers = futures_util::future::join_all(all).await;
            if answers.iter().all(|answer| answer.as_ref().is_ok_and(|answer| matches!(Said::by(answer), Said::Yes(_))))
            {
                break;
            }
            assert!(began.elapsed() < PATIENCE, "it does not recover: {answers:?}");
        }
        let engine = self.gateway.engine();
        while engine.pool_status().in_use > 0 || engine.open_transactions() > 0 {
            let (status, open) = (engine.pool_status(), engine.open_transactions());
            assert!(began.elapsed() < PATIENCE, "it holds something: {status:?}, {open} transactions");
            sleep(Duration::from_millis(5)).await;
        }
        println!("recovered after {:.1?}", began.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn neo4j() {
    let Some(server) = Server::neo4j() else { return };
    let stand = Arc::new(Stand::new(server).await);
    stand.audit.prepare().await;
    let mut tally = Tally::default();

    tally.add(
        stand
            .weather("database", Network::Reliable, async |stand| {
                stand.database.set(STORM);
                sleep(storm()).await;
            })
            .await,
    );
    stand.has_recovered().await;

    tally.add(
        stand
            .weather("restart", Network::Reliable, async |stand| {
                // Away and back several times, as if it were restarted under load.
                for _ in 0..3 {
                    stand.database.set(Weather { faults: &[Fault::Cut], percent: 100 });
                    sleep(storm() / 6).await;
                    stand.database.set(AWAY);
                    sleep(storm() / 6).await;
                    stand.database.calm();
                }
            })
            .await,
    );
    stand.has_recovered().await;

    tally.add(
        stand
            .weather("clients", Network::Unreliable, async |stand| {
                stand.clients.set(STORM);
                stand.database.set(Weather { percent: 10, ..STORM });
                sleep(storm()).await;
            })
            .await,
    );
    stand.has_recovered().await;

    println!("in all: {tally}; {:?} to the database, {:?} to clients", stand.database.struck(), stand.clients.struck());
    stand.audit.agrees_with(&tally).await;
    assert!(tally.done.len() > CUSTOMERS, "hardly anything got through: {tally}");
    assert!(tally.refused.len() + tally.unknown.len() > 0, "there was no storm: {tally}");
}
