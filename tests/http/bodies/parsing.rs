//! Large bodies are parsed away from the thread that serves.

use std::{sync::mpsc, thread::available_parallelism};

use boltgate::query::{OFFLOAD_ABOVE, offload};

use super::*;

#[tokio::test]
async fn serves_others_while_a_large_body_waits_to_be_parsed() {
    let (_fake, gateway) = stand(&[]).await;
    is_served(&gateway, 2 * OFFLOAD_ABOVE).await;
    // All who could parse it are busy until they are told.
    let mut busy = Vec::new();
    for _ in 0..available_parallelism().unwrap().get() {
        let (tell, told) = mpsc::channel::<()>();
        let (begin, begun) = tokio::sync::oneshot::channel();
        let work = tokio::spawn(offload(move || {
            let _ = begin.send(());
            told.recv().is_err()
        }));
        begun.await.unwrap();
        busy.push((tell, work));
    }
    let address = gateway.address().to_owned();
    let large = tokio::spawn(async move { post(&address, GOOD, &of_size(2 * OFFLOAD_ABOVE)).await });
    for _ in 0..20 {
        is_served(&gateway, OFFLOAD_ABOVE).await;
    }
    assert!(!large.is_finished(), "it has been parsed by the thread that serves");
    drop(busy);
    let answer = large.await.unwrap();
    assert_eq!(answer.status, 202, "{answer}");
}
