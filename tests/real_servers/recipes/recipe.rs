//! A recipe, as it stands in the document: settings, and a request as a line of curl.

use std::process::Command;

use serde_json::Value;
use tempfile::NamedTempFile;
use toml::Table;

use crate::support::process::{Process, boltgate};

const DOCUMENT: &str = include_str!("../../../docs/authentication.md");

/// One section of the document's part "Recipes".
pub(crate) struct Recipe {
    settings: Table,
    curl: String,
}

/// A gateway with the settings of a recipe.
pub(crate) struct Served {
    process: Process,
    curl: String,
    _settings: NamedTempFile,
}

fn sections() -> impl Iterator<Item = (&'static str, &'static str)> {
    let recipes = DOCUMENT.split_once("\n# Recipes\n").expect("there are recipes").1;
    let recipes = recipes.split_once("\n# ").expect("there is a part behind them").0;
    recipes.split("\n## ").skip(1).map(|section| section.split_once('\n').expect("a section has a title"))
}

/// The blocks of code in this language.
fn blocks<'a>(section: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("\n```{language}\n");
    section.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap_or(rest)).collect()
}

impl Recipe {
    /// The titles of all recipes, in order.
    pub(crate) fn titles() -> Vec<&'static str> {
        sections().map(|(title, _)| title).collect()
    }

    pub(crate) fn find(title: &str) -> Self {
        let (_, section) = sections().find(|(found, _)| *found == title).expect("the recipe is there");
        let [settings] = blocks(section, "toml")[..] else { panic!("{title}: not one block of settings") };
        let shell = blocks(section, "sh");
        let curl: Vec<_> = shell.iter().filter(|block| block.starts_with("curl ")).collect();
        let [curl] = curl[..] else { panic!("{title}: not one request") };
        Self { settings: settings.parse().expect("settings are TOML"), curl: (*curl).to_owned() }
    }

    /// Starts a gateway with these settings in front of `uri`, the issuers' addresses being `issuer`.
    pub(crate) fn serve(mut self, uri: &str, issuer: Option<&str>, environment: &[(&str, &str)]) -> Served {
        let database = self.settings["database"].as_table_mut().expect("the database is named");
        database.insert("uri".to_owned(), uri.into());
        let issuers = self.settings.get_mut("auth").and_then(|auth| auth.get_mut("issuers"));
        for (_, settings) in issuers.and_then(|issuers| issuers.as_table_mut()).into_iter().flatten() {
            let settings = settings.as_table_mut().expect("an issuer is a section");
            settings.insert("issuer".to_owned(), issuer.expect("the test has an issuer").into());
            settings.insert("allow_http".to_owned(), true.into());
        }
        let file = NamedTempFile::new().expect("a temporary file can be made");
        std::fs::write(file.path(), self.settings.to_string()).expect("it can be written");
        let path = file.path().to_str().expect("the path is UTF-8");
        let mut command = boltgate(&["serve", "--log-format=json", "--config", path]);
        command.envs(environment.iter().copied());
        Served { process: Process::serve(command), curl: self.curl, _settings: file }
    }
}

impl Served {
    /// Runs the recipe's request with these variables in the shell, and gives the answer; `None` without curl.
    pub(crate) fn curl(&self, variables: &[(&str, &str)]) -> Option<Value> {
        self.curl_with(str::to_owned, variables)
    }

    /// Runs the line after changing it.
    pub(crate) fn curl_with(&self, change: impl FnOnce(&str) -> String, variables: &[(&str, &str)]) -> Option<Value> {
        if Command::new("curl").arg("--version").output().is_err() {
            assert_ne!(std::env::var("BOLTGATE_TEST_REQUIRE_SERVERS").as_deref(), Ok("1"), "curl is not there");
            println!("SKIPPED: this test needs curl");
            return None;
        }
        let line = change(&self.curl);
        let line = line.replace("http://127.0.0.1:7474", &format!("http://{}", self.process.address()));
        let mut command = Command::new("sh");
        command.args(["-c", &line.replacen("curl ", "curl --silent --show-error ", 1)]);
        let output = command.envs(variables.iter().copied()).output().expect("there is a shell");
        let complaint = String::from_utf8_lossy(&output.stderr);
        let answer = String::from_utf8_lossy(&output.stdout);
        Some(serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}{complaint}\n{line}")))
    }
}
