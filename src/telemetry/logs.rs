//! Owns the log: its destination, its format, and its filter.
//!
//! Promises to write every line to standard error, which keeps standard output free for results. Does not know what is
//! logged.

use std::io::{self, IsTerminal};

use tracing::Subscriber;
use tracing_subscriber::filter::{EnvFilter, LevelFilter, ParseError};
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use crate::config::{Log, LogFormat};

/// The reasons why the log cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogsError {
    /// `log.filter` is not a filter.
    #[error(
        "log.filter: `{filter}` is not a filter ({source}); write a level, or levels per module, \
         such as \"info\" or \"info,boltgate::pool=debug\""
    )]
    Filter {
        /// The value of `log.filter`.
        filter: String,
        /// The error of the parser.
        source: ParseError,
    },
    /// A word in `log.filter` is not a level. On its own it would silence everything else.
    #[error(
        "log.filter: `{word}` is not a level (off, error, warn, info, debug, trace); if it is a \
         module, add its level, such as \"{word}=debug\""
    )]
    Word {
        /// The word that is not a level.
        word: String,
    },
    /// The process already has a log.
    #[error("the log is already set up: {0}")]
    Twice(#[from] TryInitError),
}

/// Sends the log of this process to standard error, in colour if that is a terminal.
///
/// # Errors
///
/// Returns a [`LogsError`] if the filter is not valid or a log is already set up.
pub fn init(settings: &Log) -> Result<(), LogsError> {
    let colour = io::stderr().is_terminal();
    Ok(subscriber(settings, io::stderr, colour)?.try_init()?)
}

/// Parses `log.filter`: `info`, `boltgate::pool=debug`, or several of these, separated by commas.
///
/// # Errors
///
/// Returns [`LogsError::Filter`] or [`LogsError::Word`] if it is not valid.
pub fn parse_filter(filter: &str) -> Result<EnvFilter, LogsError> {
    // The parser would take a mistyped level for the name of a module. Brackets may contain commas.
    let words = filter.split(',').map(str::trim).filter(|_| !filter.contains('['));
    for word in words.filter(|word| !word.contains(['=', ':'])) {
        if word.parse::<LevelFilter>().is_err() {
            return Err(LogsError::Word { word: word.to_owned() });
        }
    }
    EnvFilter::builder().parse(filter).map_err(|source| LogsError::Filter { filter: filter.to_owned(), source })
}

fn subscriber<W>(settings: &Log, writer: W, colour: bool) -> Result<impl Subscriber + Send + Sync, LogsError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = parse_filter(&settings.filter)?;
    let lines = fmt::layer().with_writer(writer).with_ansi(colour);
    let lines = match settings.format {
        LogFormat::Pretty => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    };
    Ok(tracing_subscriber::registry().with(filter).with(lines))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A writer that stores what is written.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("not poisoned").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, filter: &str) -> String {
        let kept = Kept::default();
        let writer = kept.clone();
        let settings = Log { format, filter: filter.to_owned(), ..crate::config::Settings::default().log };
        let subscriber = subscriber(&settings, move || writer.clone(), false).expect("is set up");
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!("request", id = "r1");
            let _entered = span.enter();
            tracing::info!(rows = 3, "done");
            tracing::debug!("detail");
        });
        let bytes = kept.0.lock().expect("not poisoned").clone();
        String::from_utf8(bytes).expect("is text")
    }

    #[test]
    fn pretty_is_one_line_per_event() {
        let text = logged(LogFormat::Pretty, "info");
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains("INFO request{id=\"r1\"}: "), "{text}");
        assert!(text.ends_with("done rows=3\n"), "{text}");
    }

    #[test]
    fn json_is_one_flat_object_per_event() {
        let text = logged(LogFormat::Json, "debug");
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        let [done, detail] = &lines[..] else { panic!("{text}") };
        assert_eq!(done["message"], "done");
        assert_eq!(done["rows"], 3);
        assert_eq!(done["span"]["id"], "r1");
        assert_eq!(detail["level"], "DEBUG");
    }

    #[test]
    fn the_filter_decides_per_module() {
        assert_eq!(logged(LogFormat::Pretty, "warn"), "");
        assert_eq!(logged(LogFormat::Pretty, "elsewhere=trace"), "");
        let module = module_path!();
        assert_eq!(logged(LogFormat::Pretty, &format!("warn,{module}=trace")).lines().count(), 2);
    }

    #[test]
    fn an_invalid_filter_is_reported_with_its_key() {
        for filter in ["boltgate=loud", "a=b=c", "[unclosed"] {
            let refusal = parse_filter(filter).expect_err(filter).to_string();
            assert!(refusal.starts_with(&format!("log.filter: `{filter}`")), "{refusal}");
        }
    }

    #[test]
    fn a_mistyped_level_is_not_taken_for_a_module() {
        for (filter, word) in [("inof", "inof"), ("info, dbug", "dbug"), ("hyper,info", "hyper")] {
            let refusal = parse_filter(filter).expect_err(filter).to_string();
            assert!(refusal.starts_with(&format!("log.filter: `{word}` is not a level")), "{refusal}");
        }
        for filter in ["WARN", "off", "boltgate::pool,info", "boltgate[request{id=a1}]=debug"] {
            assert!(parse_filter(filter).is_ok(), "{filter}");
        }
    }
}
