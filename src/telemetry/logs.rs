//! Owns the log: its destination, its format, and its filter, which can change while the gateway runs.
//!
//! Promises to write every line to standard error, which keeps standard output free for results. Does not know what is
//! logged.

use std::{
    fmt,
    io::{self, IsTerminal},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tracing::Subscriber;
use tracing_subscriber::{
    Registry,
    filter::{EnvFilter, LevelFilter, ParseError},
    fmt::MakeWriter,
    layer::SubscriberExt,
    reload,
    util::{SubscriberInitExt, TryInitError},
};

use super::lines::Lines;
use crate::{
    config::{AccessLog, Log, LogFormat},
    live::Live,
};

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
    /// The log has ended.
    #[error("the log cannot be changed any more: {0}")]
    Gone(#[from] reload::Error),
}

/// What is logged, and how: the settings of `[log]` in force. Clones share it.
#[derive(Clone)]
pub struct LogControl {
    settings: Live<Log>,
    /// Held while the settings change, so that changes do not mix.
    output: Arc<Mutex<Option<Output>>>,
}

/// The part of the log that is told about changes.
struct Output {
    filter: reload::Handle<EnvFilter, Registry>,
    is_json: Arc<AtomicBool>,
}

impl LogControl {
    /// Holds the settings for a process whose log is set up by somebody else.
    #[must_use]
    pub fn detached(settings: Log) -> Self {
        Self { settings: Live::new(settings), output: Arc::default() }
    }

    /// Which requests get a line.
    #[must_use]
    pub fn access(&self) -> AccessLog {
        self.settings.get().access
    }

    /// The time from which on a statement gets a line; `None` if none does.
    #[must_use]
    pub fn slow_query(&self) -> Option<Duration> {
        let time = self.settings.get().slow_query.get();
        (!time.is_zero()).then_some(time)
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> Arc<Log> {
        self.settings.snapshot()
    }

    /// Puts `change`d settings into force, until the next change, and returns them.
    ///
    /// # Errors
    ///
    /// Returns a [`LogsError`] if the filter is not valid. Then nothing changes.
    pub fn change(&self, change: impl FnOnce(&mut Log)) -> Result<Arc<Log>, LogsError> {
        let output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        let mut settings = Log::clone(&self.settings.get());
        change(&mut settings);
        let filter = parse_filter(&settings.filter)?;
        if let Some(output) = &*output {
            output.filter.reload(filter)?;
            output.is_json.store(settings.format == LogFormat::Json, Ordering::Relaxed);
        }
        self.settings.set(settings);
        Ok(self.settings.snapshot())
    }
}

impl fmt::Debug for LogControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.fmt(f)
    }
}

/// Sends the log of this process to standard error, in colour if that is a terminal.
///
/// # Errors
///
/// Returns a [`LogsError`] if the filter is not valid or a log is already set up.
pub fn init(settings: &Log) -> Result<LogControl, LogsError> {
    let colour = io::stderr().is_terminal();
    let (subscriber, control) = subscriber(settings, io::stderr, colour)?;
    subscriber.try_init()?;
    Ok(control)
}

/// What is not logged unless the filter names it: a library that writes down whole requests.
const QUIET: &str = "rmcp=off";

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
    let parsed = EnvFilter::builder().parse(format!("{QUIET},{filter}"));
    parsed.map_err(|source| LogsError::Filter { filter: filter.to_owned(), source })
}

fn subscriber<W>(
    settings: &Log,
    writer: W,
    colour: bool,
) -> Result<(impl Subscriber + Send + Sync + use<W>, LogControl), LogsError>
where
    W: for<'a> MakeWriter<'a> + Clone + Send + Sync + 'static,
{
    let (filter, handle) = reload::Layer::new(parse_filter(&settings.filter)?);
    let is_json = Arc::new(AtomicBool::new(settings.format == LogFormat::Json));
    let lines = Lines::new(writer, colour, Arc::clone(&is_json));
    let output = Arc::new(Mutex::new(Some(Output { filter: handle, is_json })));
    let control = LogControl { settings: Live::new(settings.clone()), output };
    Ok((tracing_subscriber::registry().with(filter).with(lines), control))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::kept::Kept;

    fn settings(format: LogFormat, filter: &str) -> Log {
        Log { format, filter: filter.to_owned(), ..crate::config::Settings::default().log }
    }

    fn logged(format: LogFormat, filter: &str) -> String {
        let kept = Kept::default();
        let writer = kept.clone();
        let settings = settings(format, filter);
        let (subscriber, _) = subscriber(&settings, move || writer.clone(), false).expect("is set up");
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!("request", request_id = "r1");
            let _entered = span.enter();
            tracing::info!(rows = 3, "done");
            tracing::debug!("detail");
        });
        kept.take()
    }

    #[test]
    fn filter_and_format_change_while_the_log_is_in_use() {
        let kept = Kept::default();
        let writer = kept.clone();
        let settings = settings(LogFormat::Pretty, "info");
        let (subscriber, control) = subscriber(&settings, move || writer.clone(), false).expect("is set up");
        tracing::subscriber::with_default(subscriber, || {
            let _entered = tracing::info_span!("request", request_id = "r1").entered();
            tracing::debug!("one");
            control.change(|log| log.filter = "debug".to_owned()).expect("is a filter");
            tracing::debug!("two");
            control.change(|log| log.format = LogFormat::Json).expect("is a format");
            tracing::debug!("three");
            let _entered = tracing::info_span!("request", request_id = "r2").entered();
            tracing::debug!("four");
            let refused = control.change(|log| (log.filter, log.format) = ("inof".to_owned(), LogFormat::Pretty));
            assert!(refused.expect_err("is no filter").to_string().contains("`inof`"));
            tracing::debug!("five");
        });
        assert_eq!(control.settings().filter, "debug");
        let text = kept.take();
        let [two, three, four, five] = &text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
        assert!(two.ends_with(" two"), "{two}");
        let [three, four, five] = [three, four, five].map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).expect(line);
            (line["message"].clone(), line["request_id"].clone())
        });
        assert_eq!((three.0, four, five.0), ("three".into(), ("four".into(), "r2".into()), "five".into()));
    }

    #[test]
    fn what_is_logged_about_requests_and_statements_can_change_without_a_log() {
        let control = LogControl::detached(crate::config::Settings::default().log);
        assert_eq!((control.access(), control.slow_query()), (AccessLog::Failures, None));
        let change = |log: &mut Log| {
            log.access = AccessLog::All;
            log.slow_query = "2s".parse().expect("is a time span");
        };
        control.change(change).expect("is good");
        assert_eq!((control.access(), control.slow_query()), (AccessLog::All, Some(Duration::from_secs(2))));
    }

    #[test]
    fn pretty_is_one_line_per_event() {
        let text = logged(LogFormat::Pretty, "info");
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains("INFO request{request_id=\"r1\"}: "), "{text}");
        assert!(text.ends_with("done rows=3\n"), "{text}");
    }

    #[test]
    fn json_is_one_flat_object_per_event() {
        let text = logged(LogFormat::Json, "debug");
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        let [done, detail] = &lines[..] else { panic!("{text}") };
        assert_eq!(done["message"], "done");
        assert_eq!(done["rows"], 3);
        assert_eq!(done["request_id"], "r1");
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
