//! Running a section: its gateway, its requests one after another, and what differs from the page.

use std::{
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::NamedTempFile;
use toml::Table;

use super::{
    document::{Section, Step},
    pattern,
    shell::Shell,
};
use crate::support::process::{Process, boltgate};

/// The longest wait for an expected answer.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

/// A gateway with the settings of the page.
pub(crate) struct Gateway {
    process: Process,
    _settings: NamedTempFile,
}

impl Gateway {
    /// `database` is an address, or nothing for an embedded one.
    pub(crate) fn serve(mut settings: Table, database: Option<&str>) -> Self {
        if let Some(uri) = database {
            let section = settings.entry("database").or_insert_with(|| Table::new().into());
            section.as_table_mut().expect("it is a section").insert("uri".to_owned(), uri.into());
        }
        let file = NamedTempFile::new().expect("a temporary file can be made");
        fs::write(file.path(), settings.to_string()).expect("it can be written");
        let path = file.path().to_str().expect("the path is UTF-8");
        let mut command = boltgate(&["serve", "--log-format=json", "--config", path]);
        if database.is_none() {
            command.arg("--embedded");
        }
        Self { process: Process::serve(command), _settings: file }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> String {
        self.process.address()
    }
}

/// What runs a section.
pub(crate) struct Stand<'a> {
    pub(crate) database: &'a str,
    pub(crate) gateway: &'a Gateway,
    /// Name and password that requests come with unless they say otherwise.
    pub(crate) user: Option<&'a str>,
    /// The shell's variables.
    pub(crate) variables: &'a [(&'a str, &'a str)],
}

/// Runs a section, and says what differs from the page. `before` is told the number of each request, from 0, before
/// it is sent.
pub(crate) fn play(section: &Section, stand: &Stand<'_>, before: impl Fn(usize)) -> Result<(), String> {
    let Stand { database, gateway, user, variables } = stand;
    let mut shell = Shell::start(&gateway.address(), *user, variables);
    for (at, step) in section.steps.iter().enumerate() {
        before(at);
        run(&mut shell, step, database)
            .map_err(|why| format!("== {}, {database}: {why}\n{}", section.title, step.script))?;
    }
    Ok(())
}

fn run(shell: &mut Shell, step: &Step, database: &str) -> Result<(), String> {
    let deadline = Instant::now() + PATIENCE;
    let kept = loop {
        match attempt(shell, step, database) {
            // What only asks may be too early.
            Err(_) if step.only_asks() && Instant::now() < deadline => sleep(PAUSE),
            done => break done?,
        }
    };
    for (name, value) in kept {
        shell.set(&name, &value);
    }
    Ok(())
}

fn attempt(shell: &mut Shell, step: &Step, database: &str) -> Result<pattern::Kept, String> {
    let expected = step.expected(database);
    let shown = shell.run(step.script);
    let all = format!("\nstatus {:?}: {}{}", shown.status, shown.printed, shown.complaints);
    if expected.status.is_some() && shown.status != expected.status {
        return Err(format!("the status is not {:?}{all}", expected.status));
    }
    pattern::compare(expected, &shown.printed).map_err(|why| format!("{why}{all}"))
}
