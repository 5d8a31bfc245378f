//! The scripted peer notices what it should.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{
    bolt::message::*,
    bolt::peer::{Handshake, Peer, Script, Step},
    bolt::raw::{RawClient, Reply},
    bolt::value::*,
};

#[tokio::test]
async fn follows_a_script_over_tcp_and_in_memory() {
    let script = || {
        Script::new()
            .login((5, 4), "Neo4j/5.13.0")
            .allow(reset())
            .expect(run("RETURN 1", map([]), map([("db", v("a")), ("mode", v("r"))])))
            .expect_bytes(pull(-1).encode())
            .step(Step::Chunks(1))
            .step(Step::SendSplit(1))
            .step(Step::Noop)
            .send(success(map([("fields", strings(&["1"]))])))
            .send(record([v(1)]))
            .send(success(map([])))
    };
    let conversation = [reset(), reset(), run("RETURN 1", map([]), map([("mode", v("r")), ("db", v("a"))])), pull(-1)];
    let auth = || map([("scheme", v("none"))]);

    let peer = Peer::listen([script(), script()]).await;
    for _ in 0..2 {
        let stream = TcpStream::connect(peer.addr()).await.unwrap();
        let mut client = RawClient::login(stream, (5, 4), auth()).await;
        client.send(&conversation).await;
        assert_eq!(client.briefs(2).await, ["SUCCESS", "RECORD [1]", "SUCCESS"]);
        client.send(&[goodbye()]).await;
    }
    peer.join().await;

    let (stream, peer) = Peer::in_memory(script());
    let mut client = RawClient::login(stream, (5, 4), auth()).await;
    client.send(&conversation).await;
    assert_eq!(client.briefs(2).await, ["SUCCESS", "RECORD [1]", "SUCCESS"]);
    peer.join().await;
}

/// What `join` says after the client sent `messages` to a peer that plays `script`.
async fn complaint(script: Script, messages: &[Value]) -> String {
    let (stream, peer) = Peer::in_memory(script);
    let mut client = RawClient::new(stream);
    client.send(messages).await;
    let outcome = peer.try_join().await;
    outcome.expect_err("the peer found nothing wrong")
}

#[tokio::test]
async fn reports_differences_with_both_sides() {
    let other = complaint(Script::new().expect(commit()), &[rollback()]).await;
    assert_eq!(other, "connection 0, step 1: expected COMMIT, came: ROLLBACK = B013");
    let bytes = complaint(Script::new().expect_bytes(commit().encode()), &[rollback()]).await;
    assert!(bytes.contains("expected B012 = COMMIT, came: ROLLBACK"), "{bytes}");
    let more = complaint(Script::new().expect(commit()), &[commit(), rollback()]).await;
    assert!(more.contains("after the script: expected the end, came: ROLLBACK"), "{more}");
    let silence = Script::new().step(Step::AssertNoMoreFor(Duration::from_millis(50)));
    let loud = complaint(silence, &[reset()]).await;
    assert!(loud.contains("expected silence, came: RESET"), "{loud}");
    let stays = Script::new().expect_that("a RUN of two", |m| m.same(&run_plain("2")));
    let wrong = complaint(stays, &[run_plain("1")]).await;
    assert!(wrong.contains("expected a RUN of two, came: RUN \"1\" {} {}"), "{wrong}");
}

#[tokio::test]
async fn notices_a_client_that_ends_early_or_never_connects() {
    let (stream, peer) = Peer::in_memory(Script::new().expect(commit()));
    drop(stream);
    let ended = peer.try_join().await.unwrap_err();
    assert!(ended.contains("expected COMMIT, came: the end of the connection"), "{ended}");

    let peer = Peer::listen([Script::new()]).await;
    assert_eq!(peer.try_join().await.unwrap_err(), "connection 0 was never opened");

    let peer = Peer::listen([]).await;
    let mut extra = TcpStream::connect(peer.addr()).await.unwrap();
    assert_eq!(extra.read(&mut [0]).await.unwrap(), 0);
    let refused = peer.try_join().await.unwrap_err();
    assert_eq!(refused, "a connection more than there are scripts");
}

#[tokio::test]
async fn distinguishes_close_from_reset() {
    let ending = |step| Script::new().expect_any().step(step);
    let peer = Peer::listen([ending(Step::Close), ending(Step::ResetConnection)]).await;
    let mut ends = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(peer.addr()).await.unwrap();
        stream.write_all(&hex("0002B00F0000")).await.unwrap();
        ends.push(stream.read(&mut [0; 8]).await.map_err(|error| error.kind()));
    }
    assert_eq!(ends, [Ok(0), Err(std::io::ErrorKind::ConnectionReset)]);
    peer.join().await;
}

#[tokio::test]
async fn plays_manifest_and_raw_handshakes() {
    let manifest = Handshake::Manifest { entries: vec![[0, 2, 8, 5]], choice: (5, 8) };
    let raw = Handshake::Raw(b"HTTP".to_vec());
    let scripts = [manifest, raw].map(|reply| Script::new().step(Step::Handshake(reply)));
    let (mut streams, peer) = Peer::in_memory_each(scripts);
    let offer = [[0, 0, 1, 0xFF], [0; 4], [0; 4], [0; 4]];
    let (mut first, answer) = RawClient::shake(streams.remove(0), offer).await;
    assert_eq!(answer, [0, 0, 1, 0xFF]);
    assert_eq!(first.bytes(6).await, hex("01 00020805 00"));
    first.send_raw(&hex("00000805 00")).await;
    let (_second, answer) = RawClient::shake(streams.remove(0), offer).await;
    assert_eq!(answer, b"HTTP");
    peer.join().await;
}

#[tokio::test]
async fn accepts_only_a_goodbye_at_the_end() {
    let script = || Script::new().step(Step::ExpectEnd);
    for (last, fine) in [(goodbye(), true), (reset(), false)] {
        let (stream, peer) = Peer::in_memory(script());
        let mut client = RawClient::new(stream);
        client.send(&[last]).await;
        drop(client);
        assert_eq!(peer.try_join().await.is_ok(), fine);
    }
    let (stream, peer) = Peer::in_memory(Script::new().close());
    assert_eq!(RawClient::new(stream).reply().await, Reply::End);
    peer.join().await;
}
