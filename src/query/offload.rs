//! Long work, away from the threads that serve.
//!
//! A thread serves many connections, and all of them would wait. As many pieces of long work go on at a time as there are
//! processors, so that they take no more than half of the machine from those threads; the others wait for a turn.

use std::{panic::resume_unwind, sync::LazyLock, thread::available_parallelism};

use tokio::{sync::Semaphore, task::spawn_blocking};

/// Whatever is done to so many bytes is long work. To parse them takes about a millisecond, which is what a batch of rows
/// takes; to hand them over takes a fiftieth of that.
pub const OFFLOAD_ABOVE: usize = 256 * 1024;

static TURNS: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(available_parallelism().map_or(1, std::num::NonZero::get)));

/// Does `work` on another thread, when it is its turn. Once begun it goes on to its end, also when nobody waits for it any
/// more; what it needs to be counted for goes along.
pub async fn offload<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    // An error would say that the semaphore is closed, which it never is.
    let turn = TURNS.acquire().await.ok();
    let done = spawn_blocking(move || {
        let result = work();
        drop(turn);
        result
    });
    match done.await.map_err(tokio::task::JoinError::try_into_panic) {
        Ok(result) => result,
        Err(Ok(panic)) => resume_unwind(panic),
        // The runtime is at its end, and so is whoever waits.
        Err(Err(_)) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn the_thread_goes_on_meanwhile() {
        let (tell, told) = mpsc::channel();
        let work = tokio::spawn(offload(move || told.recv().is_ok()));
        // Were it done on this thread, this would never be reached.
        tokio::task::yield_now().await;
        tell.send(()).unwrap();
        assert!(work.await.unwrap());
    }

    #[tokio::test]
    async fn a_panic_is_the_callers_own() {
        let work = tokio::spawn(offload(|| unreachable!("as if it had a bug")));
        assert!(work.await.unwrap_err().is_panic());
        assert_eq!(offload(|| 1).await, 1, "the turn came back");
    }
}
