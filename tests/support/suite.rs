//! Lets one suite at a time use the real servers.
//!
//! Suites look at a server as a whole: its transactions, its users, the processor time that it takes. Tests of one suite
//! are written to run concurrently, but not together with those of another.

use std::{
    cell::RefCell,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

/// The suite that uses the servers, and the number of its tests that do.
static HOLDER: Mutex<(String, usize)> = Mutex::new((String::new(), 0));
static RELEASED: Condvar = Condvar::new();

thread_local! {
    static HELD: RefCell<Option<Hold>> = const { RefCell::new(None) };
}

/// One test's use of the servers, on behalf of its suite.
struct Hold(String);

/// Waits until no other suite uses the servers, and reserves them until the test's thread ends.
///
/// Must be called on the test's own thread, whose name begins with that of the suite.
pub fn enter() {
    let thread = thread::current();
    let test = thread.name().unwrap_or_default();
    let suite = test.split("::").next().unwrap_or(test);
    HELD.with_borrow_mut(|held| {
        if held.as_ref().is_none_or(|hold| hold.0 != suite) {
            // With a single thread for all tests, this releases the previous test's.
            drop(held.take());
            *held = Some(Hold::take(suite));
        }
    });
}

impl Hold {
    fn take(suite: &str) -> Self {
        let mut holder = RELEASED
            .wait_while(lock(), |(holder, tests)| *tests > 0 && holder != suite)
            .unwrap_or_else(PoisonError::into_inner);
        *holder = (suite.to_owned(), if holder.0 == suite { holder.1 } else { 0 } + 1);
        Self(suite.to_owned())
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        lock().1 -= 1;
        RELEASED.notify_all();
    }
}

fn lock() -> MutexGuard<'static, (String, usize)> {
    HOLDER.lock().unwrap_or_else(PoisonError::into_inner)
}
