//! Idle connections that a load balancer has forgotten: nothing comes back on them, and no end either. Time passes by
//! itself as soon as all wait.

use std::{sync::Arc, time::Duration};

use boltgate::pool;
use serde_json::json;
use tokio::time::{Instant, advance};

use super::in_memory::{Fake, Kind, POOL, Stand};
use crate::support::bolt::control::Fault;

const IDLE: usize = 6;
const ALL: pool::Settings = pool::Settings { max: IDLE, share: IDLE, ..POOL };

/// A gateway whose idle connections have been frozen for longer than `liveness_after`.
async fn frozen(fake: &Arc<Fake>, settings: pool::Settings) -> Stand {
    let stand = Stand::new(fake, 64 * 1024, settings);
    let held = leave_idle(&stand, IDLE).await;
    assert_eq!(fake.control().counts().open, held);
    advance(settings.liveness_after + Duration::from_secs(3)).await;
    for _ in 0..IDLE {
        for message in ["RESET", "LOGOFF"] {
            fake.control().on_next(message, Fault::Hang);
        }
    }
    stand
}

/// Opens this number of connections at a time, and leaves them idle.
async fn leave_idle(stand: &Stand, count: usize) -> usize {
    let requests: Vec<_> =
        (0..count).map(|_| tokio::spawn(stand.send("POST", "", &json!({ "statement": "SLEEP 100" })))).collect();
    for request in requests {
        request.await.unwrap().values();
    }
    count
}

#[tokio::test(start_paused = true)]
async fn discards_all_connections_as_old_as_a_dead_one() {
    for login_age in [Duration::from_secs(3600), Duration::from_secs(20)] {
        let fake = Fake::start(Kind::Neo4j).await;
        let stand = frozen(&fake, pool::Settings { login_age, ..ALL }).await;
        let begun = Instant::now();
        assert_eq!(stand.run("", "ECHO 7").await.values(), &json!([[7]]), "login age {login_age:?}");
        let patience = ALL.liveness_timeout + Duration::from_millis(500);
        assert!(begun.elapsed() < patience, "login age {login_age:?}: after {:?}", begun.elapsed());
        assert_eq!(fake.control().count("RESET"), 1, "login age {login_age:?}: one was asked");
        assert_eq!(stand.engine.pool_status().open, 1, "login age {login_age:?}");
    }
}
