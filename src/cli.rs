//! Owns the command line: its commands, flags and help.
//!
//! Promises parsing only. Flags that are settings become [`Override`]s, whose values are validated with the settings.
//! Does not know how a command is carried out.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::Override;
use crate::healthcheck::Target;

/// An HTTP/JSON gateway in front of Bolt databases.
#[derive(Debug, Parser)]
#[command(name = "boltgate", version, about, arg_required_else_help = true, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// Print a commented configuration file with every setting, and exit
    #[arg(long)]
    pub example_config: bool,
    /// The command to run. There is one unless `example_config` is set.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands of the program.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve HTTP until SIGTERM
    Serve(ServeArgs),
    /// Check the configuration
    CheckConfig(ConfigArgs),
    /// Print the effective settings as TOML, with the origin of each value
    PrintConfig(ConfigArgs),
    /// Print the JSON Schema of the configuration file
    ConfigSchema,
    /// Check that a running gateway responds; exit with 0 if it does, else with 1
    Healthcheck(HealthcheckArgs),
    /// Print the OpenAPI 3.1 description of the HTTP interface as JSON
    Openapi,
    /// Run the engine of the embedded database for the process that started this one
    #[command(hide = true)]
    EmbeddedEngine(EngineArgs),
}

/// The arguments of `boltgate embedded-engine`, which only `boltgate serve --embedded` uses.
#[derive(Debug, Args)]
pub struct EngineArgs {
    /// The file will be deleted at the end
    #[arg(long)]
    pub temporary: bool,
    /// The file of the database
    pub file: PathBuf,
}

/// The location of the settings.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// Read settings from this TOML file [default: the one named by BOLTGATE_CONFIG, else none]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// The arguments of `boltgate serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The location of the settings.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Print a commented configuration file with every setting, and exit
    #[arg(long, exclusive = true)]
    pub example_config: bool,
    /// Listen for clients on this IP:PORT or unix:PATH [default: 127.0.0.1:7474]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Listen for operators (/live, /ready, /metrics and more) on this IP:PORT or unix:PATH [default: off]
    #[arg(long, value_name = "ADDR")]
    admin_listen: Option<String>,
    /// Speak TLS with clients: a PEM file with the certificate chain, leaf first; needs --tls-key [default: off]
    #[arg(long, value_name = "FILE")]
    tls_certificate: Option<String>,
    /// The PEM file with the key of the certificate
    #[arg(long, value_name = "FILE")]
    tls_key: Option<String>,
    /// Connect to this database: bolt://, bolt+s:// or bolt+ssc:// HOST[:PORT] [default: bolt://127.0.0.1:7687]
    #[arg(long, value_name = "URI", conflicts_with = "embedded")]
    database_uri: Option<String>,
    /// Use a database inside this process, stored in FILE or discarded on exit; for development and tests
    #[arg(long, value_name = "FILE")]
    pub embedded: Option<Option<PathBuf>>,
    /// Load a small graph (people, films, a ledger of tokens) into the embedded database if it is empty
    #[arg(long, requires = "embedded")]
    pub sample: bool,
    /// Write log lines in this format: pretty or json [default: pretty]
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
    /// Write only these log lines, such as info or info,boltgate::pool=debug [default: info]
    #[arg(long, value_name = "FILTER")]
    log_filter: Option<String>,
}

impl ServeArgs {
    /// Returns the flags that are settings.
    pub fn overrides(&self) -> Vec<Override> {
        let flags = [
            ("server.listen", "--listen", &self.listen),
            ("admin.listen", "--admin-listen", &self.admin_listen),
            ("server.tls.certificate", "--tls-certificate", &self.tls_certificate),
            ("server.tls.key", "--tls-key", &self.tls_key),
            ("database.uri", "--database-uri", &self.database_uri),
            ("log.format", "--log-format", &self.log_format),
            ("log.filter", "--log-filter", &self.log_filter),
        ];
        let given =
            |(key, flag, value): (_, _, &Option<String>)| value.clone().map(|value| Override { key, flag, value });
        flags.into_iter().filter_map(given).collect()
    }
}

/// The arguments of `boltgate healthcheck`.
#[derive(Debug, Args)]
pub struct HealthcheckArgs {
    /// Check this URL, such as http://127.0.0.1:7474/, https://… (any certificate) or unix:PATH [default: the address the
    /// settings listen on]
    #[arg(long, value_name = "URL", conflicts_with = "config")]
    pub url: Option<Target>,
    /// The location of the settings.
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
        Cli::try_parse_from(args).map(|cli| cli.command.expect("there is a command"))
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
            "--tls-certificate=chain.pem",
            "--tls-key=key.pem",
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
        assert_eq!(settings.server.tls.certificate.as_deref(), Some("chain.pem".as_ref()));
        assert_eq!(settings.server.tls.key.as_deref(), Some("key.pem".as_ref()));
        assert_eq!(settings.database.uri.to_string(), "bolt+s://db:7687");
        assert_eq!(settings.log.format, crate::config::LogFormat::Json);
        assert_eq!(settings.log.filter, "debug");
    }

    #[test]
    fn absent_flags_override_nothing() {
        assert_eq!(serve(["serve"]).overrides(), []);
    }

    #[test]
    fn embedded_has_an_optional_file_and_excludes_a_database_uri() {
        assert_eq!(serve(["serve"]).embedded, None);
        assert_eq!(serve(["serve", "--embedded"]).embedded, Some(None));
        let kept = serve(["serve", "--embedded", "graph.db"]).embedded;
        assert_eq!(kept, Some(Some(PathBuf::from("graph.db"))));
        assert!(parse(["serve", "--embedded", "--database-uri=bolt://db"]).is_err());
    }

    #[test]
    fn the_sample_needs_the_embedded_database() {
        assert!(serve(["serve", "--embedded", "--sample"]).sample);
        assert!(!serve(["serve", "--embedded"]).sample);
        let refused = parse(["serve", "--sample"]).expect_err("is refused").to_string();
        assert!(refused.contains("--embedded"), "{refused}");
    }

    #[test]
    fn the_other_commands_parse() {
        assert!(matches!(parse(["check-config", "--config", "b"]), Ok(Command::CheckConfig(_))));
        assert!(matches!(parse(["print-config"]), Ok(Command::PrintConfig(_))));
        assert!(matches!(parse(["openapi"]), Ok(Command::Openapi)));
        assert!(matches!(parse(["config-schema"]), Ok(Command::ConfigSchema)));
        assert!(serve(["serve", "--example-config"]).example_config);
        assert!(Cli::try_parse_from(["boltgate", "--example-config"]).is_ok_and(|cli| cli.example_config));
        assert!(Cli::try_parse_from(["boltgate", "--example-config", "serve"]).is_err());
        let url = parse(["healthcheck", "--url", "http://db:1/live"]).expect("parses");
        let Command::Healthcheck(HealthcheckArgs { url: Some(url), .. }) = url else { panic!() };
        assert_eq!(url.to_string(), "http://db:1/live");
        for url in ["https://db", "unix:/run/boltgate.sock"] {
            assert!(parse(["healthcheck", "--url", url]).is_ok(), "{url}");
        }
        assert!(parse(["healthcheck", "--url", "ftp://db"]).is_err());
        assert!(parse(["healthcheck", "--url", "http://db", "--config", "b"]).is_err());
        assert!(parse([]).is_err());
    }
}
