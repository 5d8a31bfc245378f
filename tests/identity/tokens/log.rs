//! Everything that the tests of tokens log.
//!
//! There is one log per process: a subscriber per thread occasionally misses an event that another thread was first to
//! send. Events of threads that have not called [`record`] are dropped.

use std::{
    cell::Cell,
    io,
    sync::{LazyLock, Mutex},
};

use tracing_subscriber::{
    Layer, filter::dynamic_filter_fn, fmt, layer::SubscriberExt, registry, util::SubscriberInitExt,
};

pub(crate) static LOG: LazyLock<Log> = LazyLock::new(|| {
    let lines = fmt::layer().with_ansi(false).with_writer(|| Writer);
    registry().with(lines.with_filter(dynamic_filter_fn(|_, _| RECORDS.get()))).init();
    Log(Mutex::default())
});

thread_local! {
    static RECORDS: Cell<bool> = const { Cell::new(false) };
}

/// Puts all further events of this thread into the log.
pub(crate) fn record() {
    LazyLock::force(&LOG);
    RECORDS.set(true);
}

pub(crate) struct Log(Mutex<Vec<u8>>);

impl Log {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The lines with `word` in them.
    pub(crate) fn lines(&self, word: &str) -> Vec<String> {
        self.text().lines().filter(|line| line.contains(word)).map(str::to_owned).collect()
    }
}

struct Writer;

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
