//! The real servers serve one suite at a time.
//!
//! Suites look at what a whole server does: its list of transactions, its users, the processor time it takes. Tests of
//! one suite know how to live with each other, those of another would be in their way.

use std::{
    cell::RefCell,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

/// The suite that has the servers, and the number of its tests that hold on to them.
static HOLDER: Mutex<(String, usize)> = Mutex::new((String::new(), 0));
static RELEASED: Condvar = Condvar::new();

thread_local! {
    static HELD: RefCell<Option<Hold>> = const { RefCell::new(None) };
}

/// A test's hold on the servers, for its suite.
struct Hold(String);

/// Waits until no other suite has the servers, and holds them until the test's thread ends.
///
/// Call it from the test's own thread: its name tells the suite.
pub fn enter() {
    let thread = thread::current();
    let test = thread.name().unwrap_or_default();
    let suite = test.split("::").next().unwrap_or(test);
    HELD.with_borrow_mut(|held| {
        if held.as_ref().is_none_or(|hold| hold.0 != suite) {
            // With one thread for all tests, the last one's is let go of here.
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
