//! The client guide's example, tokens that go from one account to another, with everything breaking all the time:
//! clients that go away, connections to the database that are cut, and a gateway that is killed.
//!
//! No token is lost or made, no balance is negative, and the ledger has each transfer that was answered with success,
//! none that was refused, and none twice. Against Neo4j and ArcadeDB where the environment names them
//! (`eval "$(tests/servers/all start)"`), and against the embedded database, which is killed with its gateway.
#![cfg(unix)]

mod bank;
mod customer;
mod desk;
mod report;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::support::{chance::between, proxy::Proxy, servers::Server};
use bank::Bank;
use customer::{Customer, Way};
use desk::Desk;
use report::Report;

/// Who makes how many transfers, and how.
#[derive(Clone, Copy)]
struct Crowd {
    customers: usize,
    transfers: usize,
    ways: &'static [Way],
}

/// More than any machine needs.
const PATIENCE: Duration = Duration::from_secs(300);

const ALL_WAYS: &[Way] = &[Way::Explicit, Way::Automatic, Way::Explicit, Way::Batch];
/// Outside of transactions ArcadeDB keeps some of a statement that it refuses, so it makes tokens by itself.
const TRANSACTIONS_ONLY: &[Way] = &[Way::Explicit, Way::Explicit, Way::Batch];

/// Every customer makes this number of transfers; half-way the gateway is killed.
async fn storm(bank: &Arc<Bank>, desk: &Arc<Desk>, proxy: Option<Arc<Proxy>>, crowd: Crowd) -> Report {
    let Crowd { customers: count, transfers, ways } = crowd;
    let finished = Arc::new(AtomicUsize::new(0));
    let mut customers = JoinSet::new();
    for number in 0..count {
        let customer = Customer::new(Arc::clone(bank), Arc::clone(desk), number);
        customers.spawn(customer.transfer(transfers, ways, Arc::clone(&finished)));
    }
    let cutting = proxy.map(|proxy| {
        tokio::spawn(async move {
            loop {
                sleep(between(Duration::from_millis(20), Duration::from_millis(100))).await;
                proxy.cut_any();
            }
        })
    });
    let half = count * transfers / 2;
    let everything = async {
        let mut report = Report::default();
        while finished.load(Ordering::Relaxed) < half {
            sleep(Duration::from_millis(5)).await;
            while let Some(one) = customers.try_join_next() {
                report.add(one.expect("no customer fails"));
            }
        }
        desk.kill_and_restart().await;
        while let Some(one) = customers.join_next().await {
            report.add(one.expect("no customer fails"));
        }
        report
    };
    let report = timeout(PATIENCE, everything).await.expect("all customers come to an end");
    if let Some(cutting) = cutting {
        cutting.abort();
    }
    report
}

/// The whole of it, in front of a real database.
async fn in_front_of(server: Server, crowd: Crowd) {
    let began = Instant::now();
    let proxy = Arc::new(Proxy::start(&server.bolt).await);
    let desk = Arc::new(Desk::in_front_of(proxy.uri(), server.authorization()));
    let bank = Arc::new(Bank::of(server));
    bank.open(&desk.client().await).await;
    let report = storm(&bank, &desk, Some(Arc::clone(&proxy)), crowd).await;
    desk.stop().await;
    bank.is_left_alone().await;
    println!("{}: {report}; {} connections to the database cut; {:.1?}", bank.name, proxy.cuts(), began.elapsed());
    report.agrees_with(&bank.audit(None).await);
    report.saw_a_storm();
    assert!(proxy.cuts() > 0, "no connection was cut");
    assert!(!report.refusals.is_empty(), "transfers never got in each other's way: {report}");
    bank.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn neo4j() {
    let Some(server) = Server::neo4j() else { return };
    in_front_of(server, Crowd { customers: 64, transfers: 4, ways: ALL_WAYS }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn arcadedb() {
    let Some(server) = Server::arcadedb() else { return };
    in_front_of(server, Crowd { customers: 64, transfers: 8, ways: TRANSACTIONS_ONLY }).await;
}

mod without_servers {
    use super::*;

    #[cfg(feature = "embedded")]
    #[tokio::test(flavor = "multi_thread")]
    async fn embedded() {
        let began = Instant::now();
        let folder = tempfile::tempdir().unwrap();
        let desk = Arc::new(Desk::embedded(folder.path().join("graph.db")));
        let bank = Arc::new(Bank::embedded());
        bank.open(&desk.client().await).await;
        let report = storm(&bank, &desk, None, Crowd { customers: 16, transfers: 8, ways: ALL_WAYS }).await;
        println!("{}: {report}; {:.1?}", bank.name, began.elapsed());
        // What is told is what is in the file, not what the process remembers.
        desk.kill_and_restart().await;
        let audit = bank.audit(Some(&desk.client().await)).await;
        report.agrees_with(&audit);
        report.saw_a_storm();
    }
}
