//! Runs long computations away from the threads that serve connections.
//!
//! A thread serves many connections, which would all wait for a long computation. As many computations run at a time as
//! there are processors, so that they take at most half of the machine from the serving threads; others wait for a
//! permit.

use std::{panic::resume_unwind, sync::LazyLock, thread::available_parallelism};

use tokio::{sync::Semaphore, task::spawn_blocking};

/// Inputs of more bytes than this are processed on another thread. Parsing this many takes about a millisecond, as long
/// as a batch of rows; handing the work over takes a fiftieth of that.
pub const OFFLOAD_ABOVE: usize = 256 * 1024;

static PERMITS: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(available_parallelism().map_or(1, std::num::NonZero::get)));

/// Runs `work` on another thread, once there is a permit for it. Work that has started runs to its end even if the
/// returned future is dropped, so `work` must own what accounts for its memory.
pub async fn offload<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    // `acquire` fails only on a closed semaphore, and this one is never closed.
    let permit = PERMITS.acquire().await.ok();
    let done = spawn_blocking(move || {
        let result = work();
        drop(permit);
        result
    });
    match done.await.map_err(tokio::task::JoinError::try_into_panic) {
        Ok(result) => result,
        Err(Ok(panic)) => resume_unwind(panic),
        // The runtime is shutting down, and so is the task that waits.
        Err(Err(_)) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn the_calling_thread_is_not_blocked() {
        let (tell, told) = mpsc::channel();
        let work = tokio::spawn(offload(move || told.recv().is_ok()));
        // If the work ran on this thread, this line would never be reached.
        tokio::task::yield_now().await;
        tell.send(()).unwrap();
        assert!(work.await.unwrap());
    }

    #[tokio::test]
    async fn a_panic_reaches_the_caller() {
        let work = tokio::spawn(offload(|| unreachable!("as if it had a bug")));
        assert!(work.await.unwrap_err().is_panic());
        assert_eq!(offload(|| 1).await, 1, "the permit was released");
    }
}
