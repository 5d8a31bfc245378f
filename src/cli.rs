//! Owns the command line: its commands, flags and help.
//!
//! Promises parsing only; flags that are settings become [`Override`]s, whose values the settings
//! judge. May not know how a command is carried out.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::Override;
use crate::healthcheck::Target;

/// An HTTP/JSON gateway in front of Bolt databases.
#[derive(Debug, Parser)]
#[command(name = "boltgate", version, about, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve HTTP until SIGTERM
    Serve(ServeArgs),
    /// Say whether the settings are good
    CheckConfig(ConfigArgs),
    /// Print the settings in force, as TOML, with the origin of each value
    PrintConfig(ConfigArgs),
    /// Ask a running gateway for a sign of life; exit 0 if it answers, else 1
    Healthcheck(HealthcheckArgs),
    /// Print the description of the HTTP interface (OpenAPI 3.1, JSON)
    Openapi,
}

/// Where the settings are.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// TOML file with settings [default: the one named by BOLTGATE_CONFIG, else none]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// `boltgate serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where the settings are.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Serve clients at this IP:PORT [default: 127.0.0.1:7474]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Serve operators (/live, /ready) at this IP:PORT [default: off]
    #[arg(long, value_name = "ADDR")]
    admin_listen: Option<String>,
    /// The database: bolt://, bolt+s:// or bolt+ssc:// HOST[:PORT] [default: bolt://127.0.0.1:7687]
    #[arg(long, value_name = "URI", conflicts_with = "embedded")]
    database_uri: Option<String>,
    /// Use a database inside this process, kept in FILE or thrown away at the end; for trying out and tests
    #[arg(long, value_name = "FILE")]
    pub embedded: Option<Option<PathBuf>>,
    /// How log lines look: pretty or json [default: pretty]
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
    /// What is logged, such as info or info,boltgate::pool=debug [default: info]
    #[arg(long, value_name = "FILTER")]
    log_filter: Option<String>,
}

impl ServeArgs {
    /// The flags that are settings.
    pub fn overrides(&self) -> Vec<Override> {
        let flags = [
            ("server.listen", "--listen", &self.listen),
            ("admin.listen", "--admin-listen", &self.admin_listen),
            ("database.uri", "--database-uri", &self.database_uri),
            ("log.format", "--log-format", &self.log_format),
            ("log.filter", "--log-filter", &self.log_filter),
        ];
        let given =
            |(key, flag, value): (_, _, &Option<String>)| value.clone().map(|value| Override { key, flag, value });
        flags.into_iter().filter_map(given).collect()
    }
}

/// `boltgate healthcheck`.
#[derive(Debug, Args)]
pub struct HealthcheckArgs {
    /// What to ask, such as http://127.0.0.1:7474/ [default: the address the settings listen on]
    #[arg(long, value_name = "URL", conflicts_with = "config")]
    pub url: Option<Target>,
    /// Where the settings are.
    #[command(flatten)]
    pub config: ConfigArgs,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::config::{Settings, Sources};

    fn parse<const N: usize>(args: [&str; N]) -> Result<Command, clap::Error> {
        let args = std::iter::once("boltgate").chain(args);
        Cli::try_parse_from(args).map(|cli| cli.command)
    }

    fn serve<const N: usize>(args: [&str; N]) -> ServeArgs {
        match parse(args).expect("parses") {
            Command::Serve(args) => args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_of_serve_become_settings() {
        let args = serve([
            "serve",
            "--config=b.toml",
            "--listen=0.0.0.0:80",
            "--admin-listen=127.0.0.1:81",
            "--database-uri=bolt+s://db",
            "--log-format=json",
            "--log-filter=debug",
        ]);
        assert_eq!(args.config.config.as_deref(), Some("b.toml".as_ref()));
        let flags = args.overrides();
        let read_file = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
        let sources = Sources { file: None, env: Vec::new(), flags, read_file };
        let settings = Settings::load(&sources).expect("loads");
        assert_eq!(settings.server.listen.to_string(), "0.0.0.0:80");
        assert_eq!(settings.admin.listen.map(|l| l.to_string()).as_deref(), Some("127.0.0.1:81"));
        assert_eq!(settings.database.uri.to_string(), "bolt+s://db:7687");
        assert_eq!(settings.log.format, crate::config::LogFormat::Json);
        assert_eq!(settings.log.filter, "debug");
    }

    #[test]
    fn a_flag_not_given_overrides_nothing() {
        assert_eq!(serve(["serve"]).overrides(), []);
    }

    #[test]
    fn embedded_takes_a_file_or_none_and_excludes_a_database_elsewhere() {
        assert_eq!(serve(["serve"]).embedded, None);
        assert_eq!(serve(["serve", "--embedded"]).embedded, Some(None));
        let kept = serve(["serve", "--embedded", "graph.db"]).embedded;
        assert_eq!(kept, Some(Some(PathBuf::from("graph.db"))));
        assert!(parse(["serve", "--embedded", "--database-uri=bolt://db"]).is_err());
    }

    #[test]
    fn the_other_commands_parse() {
        assert!(matches!(parse(["check-config", "--config", "b"]), Ok(Command::CheckConfig(_))));
        assert!(matches!(parse(["print-config"]), Ok(Command::PrintConfig(_))));
        assert!(matches!(parse(["openapi"]), Ok(Command::Openapi)));
        let url = parse(["healthcheck", "--url", "http://db:1/live"]).expect("parses");
        let Command::Healthcheck(HealthcheckArgs { url: Some(url), .. }) = url else { panic!() };
        assert_eq!(url.to_string(), "http://db:1/live");
        assert!(parse(["healthcheck", "--url", "https://db"]).is_err());
        assert!(parse(["healthcheck", "--url", "http://db", "--config", "b"]).is_err());
        assert!(parse([]).is_err());
    }
}
