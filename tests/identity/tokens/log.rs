//! Everything that is logged, by all tests.
//!
//! One for the whole process: one for each thread would now and then miss a line that another thread was first to write.

use std::{
    io,
    sync::{LazyLock, Mutex},
};

use tracing::Level;

pub(crate) static LOG: LazyLock<Log> = LazyLock::new(|| {
    let logging = tracing_subscriber::fmt().with_max_level(Level::TRACE).with_ansi(false);
    logging.with_writer(|| Writer).init();
    Log(Mutex::default())
});

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
