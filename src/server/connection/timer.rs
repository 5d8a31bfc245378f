//! The timer of one connection: header timeout, idle timeout and maximum age.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

use super::activity::{Activity, Stage};

/// The spread of the maximum age, as a part of it in both directions, so that connections which were opened together do
/// not end together.
const AGE_SPREAD: f64 = 0.1;

/// The limits that the timer watches.
#[derive(Debug, Clone, Copy)]
pub(in crate::server) struct TimerLimits {
    /// From the first byte of a request head to its last, and from the opening of a connection to its first request.
    pub(in crate::server) head: Duration,
    /// From an answer to the next request.
    pub(in crate::server) idle: Duration,
    /// The age from which on the next answer is the last one. Zero: never.
    pub(in crate::server) age: Duration,
}

/// What has become due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// A head did not arrive in time.
    Head,
    /// No request came for too long.
    Idle,
    /// The connection has reached its maximum age.
    Age,
    /// The time for an orderly end has passed.
    End,
}

/// The timer. It consists of one sleep, which is reset only when something becomes due before the sleep ends: a request
/// on a kept connection does not touch it.
#[derive(Debug)]
pub(super) struct ConnectionTimer {
    limits: TimerLimits,
    sleep: Pin<Box<Sleep>>,
    old_at: Option<Instant>,
    end_at: Option<Instant>,
}

impl ConnectionTimer {
    /// Starts the timer of a connection. `chance` is a random number from 0 to 1.
    pub(super) fn new(limits: TimerLimits, opened: Instant, chance: f64) -> Self {
        let age = limits.age.mul_f64(1.0 + AGE_SPREAD * (2.0 * chance - 1.0));
        Self {
            limits,
            sleep: Box::pin(sleep_until(opened + limits.head)),
            old_at: (!limits.age.is_zero()).then(|| opened + age),
            end_at: None,
        }
    }

    /// Ends the connection after `time`, whatever it is doing then.
    pub(super) fn end_within(&mut self, time: Duration) {
        self.end_at = Some(Instant::now() + time);
    }

    /// Waits for what becomes due next. Must be polled after the connection itself, each step of which may bring it
    /// forward.
    pub(super) fn poll(&mut self, activity: &Activity, cx: &mut Context<'_>) -> Poll<Due> {
        loop {
            let next = self.next(activity);
            if let Some((at, _)) = next
                && at < self.sleep.deadline()
            {
                self.sleep.as_mut().reset(at);
            }
            ready!(self.sleep.as_mut().poll(cx));
            let now = Instant::now();
            match next {
                Some((at, due)) if at <= now => {
                    if due == Due::Age {
                        self.old_at = None;
                    }
                    return Poll::Ready(due);
                }
                _ => {
                    // Requests of HTTP/2 end in tasks of their own, so the timer also looks before the next deadline.
                    let look = now + self.limits.idle.min(self.limits.head);
                    self.sleep.as_mut().reset(next.map_or(look, |(at, _)| at.min(look)));
                }
            }
        }
    }

    fn next(&self, activity: &Activity) -> Option<(Instant, Due)> {
        if let Some(end) = self.end_at {
            return Some((end, Due::End));
        }
        let limit = match activity.stage() {
            Stage::Fresh(since) | Stage::Head(since) => Some((since + self.limits.head, Due::Head)),
            Stage::Idle(since) => Some((since + self.limits.idle, Due::Idle)),
            Stage::Busy => None,
        };
        let age = self.old_at.map(|at| (at, Due::Age));
        match (limit, age) {
            (Some(limit), Some(age)) if age.0 < limit.0 => Some(age),
            (limit, age) => limit.or(age),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, sync::Arc};

    use tokio::time::sleep;

    use super::*;
    use crate::server::connection::activity::Open;

    const LIMITS: TimerLimits =
        TimerLimits { head: Duration::from_secs(30), idle: Duration::from_secs(75), age: Duration::from_secs(3600) };

    /// A connection without a socket.
    struct Connection {
        activity: Arc<Activity>,
        timer: ConnectionTimer,
        opened: Instant,
    }

    impl Connection {
        fn new(limits: TimerLimits) -> Self {
            let opened = Instant::now();
            Self { activity: Arc::default(), timer: ConnectionTimer::new(limits, opened, 0.5), opened }
        }

        /// Returns what becomes due next, and how many seconds after the opening.
        async fn due(&mut self) -> (Due, u64) {
            let due = poll_fn(|cx| self.timer.poll(&self.activity, cx)).await;
            (due, self.opened.elapsed().as_secs())
        }

        /// Lets time pass while the timer is polled.
        async fn pass(&mut self, seconds: u64) {
            tokio::select! {
                biased;
                due = self.due() => panic!("{due:?}"),
                () = sleep(Duration::from_secs(seconds)) => {}
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_fresh_connection_has_to_ask_soon() {
        assert_eq!(Connection::new(LIMITS).due().await, (Due::Head, 30));
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_counts_from_its_first_byte() {
        let mut connection = Connection::new(LIMITS);
        connection.pass(20).await;
        connection.activity.received(b"G");
        connection.pass(10).await;
        // Further bytes do not extend it.
        connection.activity.received(b"G");
        assert_eq!(connection.due().await, (Due::Head, 50));
    }

    #[tokio::test(start_paused = true)]
    async fn idleness_counts_from_the_last_answer_and_a_head_from_its_first_byte() {
        let mut connection = Connection::new(LIMITS);
        let open = Open::new(&connection.activity);
        connection.pass(500).await;
        drop(open);
        connection.pass(70).await;
        connection.activity.received(b"G");
        let open = Open::new(&connection.activity);
        connection.pass(7).await;
        drop(open);
        connection.pass(70).await;
        connection.activity.received(b"G");
        assert_eq!(connection.due().await, (Due::Head, 500 + 70 + 7 + 70 + 30));
        let mut connection = Connection::new(LIMITS);
        drop(Open::new(&connection.activity));
        assert_eq!(connection.due().await, (Due::Idle, 75));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_waits_for_the_client_is_not_idle() {
        let mut connection = Connection::new(LIMITS);
        connection.activity.set_writing(true);
        drop(Open::new(&connection.activity));
        connection.pass(300).await;
        connection.activity.set_writing(false);
        assert_eq!(connection.due().await, (Due::Idle, 375));
    }

    #[tokio::test(start_paused = true)]
    async fn idleness_is_found_when_the_last_request_ends_in_another_task() {
        let mut connection = Connection::new(LIMITS);
        let open = Open::new(&connection.activity);
        connection.pass(100).await;
        // In another task, while this one sleeps.
        tokio::spawn(async move {
            sleep(Duration::from_secs(5)).await;
            drop(open);
        });
        assert_eq!(connection.due().await, (Due::Idle, 180));
    }

    #[tokio::test(start_paused = true)]
    async fn age_is_due_once_busy_or_not_within_a_tenth() {
        let mut connection = Connection::new(LIMITS);
        let open = Open::new(&connection.activity);
        assert_eq!(connection.due().await, (Due::Age, 3600));
        connection.pass(100).await;
        drop(open);
        assert_eq!(connection.due().await, (Due::Idle, 3775));
        for (chance, at) in [(0.0, 3240), (1.0, 3960)] {
            let mut connection = Connection::new(LIMITS);
            connection.timer = ConnectionTimer::new(LIMITS, connection.opened, chance);
            let _open = Open::new(&connection.activity);
            assert_eq!(connection.due().await, (Due::Age, at));
        }
        let mut ageless = Connection::new(TimerLimits { age: Duration::ZERO, ..LIMITS });
        let _open = Open::new(&ageless.activity);
        ageless.pass(1_000_000).await;
    }

    #[tokio::test(start_paused = true)]
    async fn an_end_that_was_set_applies_to_a_busy_connection_too() {
        let mut connection = Connection::new(LIMITS);
        let _open = Open::new(&connection.activity);
        connection.pass(10).await;
        connection.timer.end_within(Duration::from_secs(5));
        assert_eq!(connection.due().await, (Due::End, 15));
    }
}
