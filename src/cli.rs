//! Owns the command line: its commands, flags and help, completions for shells, and the manual page.
//!
//! Promises parsing only. Flags that are settings become [`Override`]s, whose values are validated with the settings.
//! Does not know how a command is carried out.

mod generate;
mod query;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueHint};
pub use clap_complete::Shell;

use self::query::QUERY_HELP;
pub use self::{
    generate::{completions, man},
    query::{Format, QueryArgs},
};
use crate::config::Override;
use crate::healthcheck::Target;

/// What the exit codes mean, at the end of the help of every command.
const EXIT_CODES: &str = "\
Exit codes:
  0   success; `serve` was told to stop and finished its requests
  1   failure: the settings have mistakes, the address is taken, the gateway is
      unhealthy, or a second signal stopped `serve` at once
  2   a mistake on the command line
  78  named queries have mistakes, or the database does not accept them";

const EXAMPLES: &str = "\
Examples:
  boltgate serve --embedded --sample      try it, with its own database
  boltgate serve --database-uri bolt://db.example:7687
  boltgate query 'MATCH (n) RETURN n'     query it, or any other gateway
  boltgate --example-config > boltgate.toml
  boltgate check-config boltgate.toml
  boltgate help serve                     the flags of a command

Every setting has a key in the configuration file and an environment variable:
BOLTGATE_, the section, two underscores, the key (BOLTGATE_SERVER__LISTEN).
Flags override the environment, and the environment overrides the file.";

const SERVE_EXAMPLES: &str = "\
Examples:
  boltgate serve --embedded --sample
  boltgate serve --embedded graph.db --listen localhost:8080
  boltgate serve --database-uri bolt+s://db.example --listen 0.0.0.0:443 \\
      --tls-certificate chain.pem --tls-key key.pem
  BOLTGATE_DATABASE__URI=bolt://db:7687 boltgate serve --config boltgate.toml

A flag overrides the environment variable named beside it, which overrides the
file. SIGHUP reads everything again; SIGTERM stops after the requests in
flight; a second SIGTERM stops at once.";

const CHECK_EXAMPLES: &str = "\
Examples:
  boltgate check-config boltgate.toml
  BOLTGATE_LOG__FILTER=debug boltgate check-config

Checks the file, the environment and the files that settings name (certificates,
keys), and lists all mistakes. `serve` and SIGHUP check the same.";

const PRINT_EXAMPLES: &str = "\
Examples:
  boltgate print-config --config boltgate.toml
  boltgate print-config | grep derived    defaults that adapt to other settings";

const HEALTHCHECK_EXAMPLES: &str = "\
Examples:
  boltgate healthcheck                    the address in the settings
  boltgate healthcheck --url http://127.0.0.1:7474/
  boltgate healthcheck --url unix:/run/boltgate/http.sock";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  source <(boltgate completions bash)     for this shell; or, for all of them:
  boltgate completions bash > ~/.local/share/bash-completion/completions/boltgate
  boltgate completions zsh > \"${fpath[1]}/_boltgate\"
  boltgate completions fish > ~/.config/fish/completions/boltgate.fish";

const MAN_EXAMPLES: &str = "\
Examples:
  boltgate man | man -l -
  boltgate man > /usr/local/share/man/man1/boltgate.1";

/// The widest line of help.
const COLUMNS: usize = 80;

fn help(examples: &str) -> String {
    format!("{examples}\n\n{EXIT_CODES}")
}

/// An HTTP/JSON gateway in front of Bolt databases.
#[derive(Debug, Parser)]
#[command(
    name = "boltgate",
    version,
    about,
    arg_required_else_help = true,
    args_conflicts_with_subcommands = true,
    max_term_width = COLUMNS,
    after_help = help(EXAMPLES)
)]
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
    #[command(after_help = help(SERVE_EXAMPLES), next_line_help = true)]
    Serve(ServeArgs),
    /// Check the configuration, and list all mistakes in it
    #[command(after_help = help(CHECK_EXAMPLES))]
    CheckConfig(CheckArgs),
    /// Print the effective settings as TOML, with the origin of each value
    #[command(after_help = help(PRINT_EXAMPLES))]
    PrintConfig(ConfigArgs),
    /// Print the JSON Schema of the configuration file
    #[command(after_help = EXIT_CODES)]
    ConfigSchema,
    /// Check that a running gateway responds; exit with 0 if it does, otherwise with 1
    #[command(after_help = help(HEALTHCHECK_EXAMPLES))]
    Healthcheck(HealthcheckArgs),
    /// Print the OpenAPI 3.1 description of the HTTP interface as JSON; with --config, with its named queries too
    #[command(after_help = EXIT_CODES)]
    Openapi(ConfigArgs),
    /// Send one statement to a gateway or a database, and print the rows
    #[command(after_help = QUERY_HELP)]
    Query(QueryArgs),
    /// Print the script with which a shell completes commands and flags
    #[command(after_help = help(COMPLETIONS_EXAMPLES))]
    Completions(CompletionsArgs),
    /// Print the manual page
    #[command(after_help = help(MAN_EXAMPLES))]
    Man,
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
    /// Read settings from this TOML file
    /// [env: BOLTGATE_CONFIG] [default: none]
    #[arg(verbatim_doc_comment, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// The location of the settings to check.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Read settings from this TOML file
    #[arg(value_name = "FILE", conflicts_with = "config")]
    file: Option<PathBuf>,
    /// The location of the settings.
    #[command(flatten)]
    config: ConfigArgs,
}

impl CheckArgs {
    /// Returns the location of the settings, however it was given.
    #[must_use]
    pub fn location(self) -> ConfigArgs {
        ConfigArgs { config: self.file.or(self.config.config) }
    }
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
    /// Listen for clients on this HOST:PORT or unix:PATH; a name stands for
    /// all of its addresses
    /// [env: BOLTGATE_SERVER__LISTEN] [default: 127.0.0.1:7474]
    #[arg(verbatim_doc_comment, long, value_name = "ADDR")]
    listen: Option<String>,
    /// Listen for operators (/live, /ready, /metrics and more) on this
    /// HOST:PORT or unix:PATH
    /// [env: BOLTGATE_ADMIN__LISTEN] [default: off]
    #[arg(verbatim_doc_comment, long, value_name = "ADDR")]
    admin_listen: Option<String>,
    /// Speak TLS with clients: a PEM file with the certificate chain, leaf
    /// first; needs --tls-key
    /// [env: BOLTGATE_SERVER__TLS__CERTIFICATE] [default: off]
    #[arg(verbatim_doc_comment, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    tls_certificate: Option<String>,
    /// The PEM file with the key of the certificate
    /// [env: BOLTGATE_SERVER__TLS__KEY]
    #[arg(verbatim_doc_comment, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    tls_key: Option<String>,
    /// Connect to this database: bolt://, bolt+s:// or bolt+ssc://
    /// HOST[:PORT]
    /// [env: BOLTGATE_DATABASE__URI] [default: bolt://127.0.0.1:7687]
    #[arg(verbatim_doc_comment, long, value_name = "URI", conflicts_with = "embedded")]
    database_uri: Option<String>,
    /// Use a database inside this process, stored in FILE or discarded on exit; for development and tests
    #[arg(long, value_name = "FILE")]
    pub embedded: Option<Option<PathBuf>>,
    /// Load a small graph (people, films, a ledger of tokens) into the embedded database if it is empty
    #[arg(long, requires = "embedded")]
    pub sample: bool,
    /// Write log lines in this format: pretty or json
    /// [env: BOLTGATE_LOG__FORMAT] [default: pretty]
    #[arg(verbatim_doc_comment, long, value_name = "FORMAT")]
    log_format: Option<String>,
    /// Write only these log lines, such as info or info,boltgate::pool=debug
    /// [env: BOLTGATE_LOG__FILTER] [default: info]
    #[arg(verbatim_doc_comment, long, value_name = "FILTER")]
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

/// The arguments of `boltgate completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
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

    fn parse(args: impl AsRef<[&'static str]>) -> Result<Command, clap::Error> {
        let args = std::iter::once("boltgate").chain(args.as_ref().iter().copied());
        Cli::try_parse_from(args).map(|cli| cli.command.expect("there is a command"))
    }

    fn serve<const N: usize>(args: [&'static str; N]) -> ServeArgs {
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
    fn help_fits_in_80_columns_and_names_the_variables_of_flags() {
        let mut cli = Cli::command();
        let shown = cli.get_subcommands().filter(|command| !command.is_hide_set());
        let names: Vec<String> = shown.map(|command| command.get_name().to_owned()).collect();
        let mut texts = vec![cli.render_help().to_string()];
        texts.extend(names.iter().filter_map(|name| {
            let help = Cli::try_parse_from(["boltgate", "help", name]).expect_err("help is no command").to_string();
            (name != "help").then_some(help)
        }));
        for text in &texts {
            let longest = text.lines().max_by_key(|line| line.chars().count()).unwrap_or_default();
            assert!(longest.chars().count() <= COLUMNS, "{longest:?}");
            assert!(text.contains("Exit codes:"), "{text}");
        }
        let flags =
            serve(["serve", "--listen=a", "--admin-listen=a", "--tls-certificate=a", "--tls-key=a"]).overrides();
        assert_eq!(flags.len(), 4);
        let help = texts.concat();
        for Override { key, .. } in flags {
            let variable = format!("[env: BOLTGATE_{}]", key.replace('.', "__").to_uppercase());
            assert!(help.contains(&variable), "{variable}: {help}");
        }
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
        for given in [&["check-config", "--config", "b"][..], &["check-config", "b"]] {
            let Ok(Command::CheckConfig(args)) = parse(given) else { panic!("{given:?}") };
            assert_eq!(args.location().config.as_deref(), Some("b".as_ref()));
        }
        assert!(parse(["check-config", "b", "--config", "c"]).is_err());
        assert!(matches!(parse(["print-config"]), Ok(Command::PrintConfig(_))));
        assert!(matches!(parse(["openapi"]), Ok(Command::Openapi(_))));
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
