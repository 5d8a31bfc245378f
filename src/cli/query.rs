//! The flags of `boltgate query`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use crate::config::TimeSpan;

/// What follows the flags in the help of `boltgate query`.
pub(super) const QUERY_HELP: &str = "\
Examples:
  boltgate query 'MATCH (f:Film) RETURN f.title, f.released'
  boltgate query 'MATCH (n:Person {name: $name}) RETURN n' --param name=Ada
  boltgate query --file report.cypher --format csv --output report.csv
  boltgate query 'MATCH (n) RETURN n' --format ndjson | jq .n.labels
  echo 'RETURN 1' | boltgate query --url https://graph.example
  boltgate query --database-uri bolt+s://db.example 'RETURN 1' --user neo4j
  boltgate query 'RETURN 1' --embedded        a database of its own

Credentials come from the environment, never from a flag: BOLTGATE_USER with
BOLTGATE_PASSWORD, or BOLTGATE_TOKEN; BOLTGATE_PASSWORD_FILE and
BOLTGATE_TOKEN_FILE name a file instead. On a terminal, the command prompts
for what is missing.

Rows go to standard output; progress, the summary and errors go to standard
error. Ctrl-C cancels the statement in the database.

Exit codes:
  0    success, or the reader of the rows closed the pipe
  1    the statement was refused, or failed before its first row
  2    a mistake on the command line
  3    the gateway or the database cannot be reached, or refuses the login
  4    the result broke off; with --output, the file was not written
  130  interrupted by Ctrl-C";

/// The arguments of `boltgate query`.
#[derive(Debug, Args)]
pub struct QueryArgs {
    /// The statement; otherwise from --file or standard input
    #[arg(value_name = "STATEMENT", conflicts_with = "file")]
    pub statement: Option<String>,
    /// Read the statement from this file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// Send it to this gateway: http://…, https://… or unix:PATH
    /// [default: http://127.0.0.1:7474]
    // Kept as text: clap would repeat a faulty one, with the password that it may hold.
    #[arg(verbatim_doc_comment, long, value_name = "URL", group = "target", value_hint = ValueHint::Url)]
    pub url: Option<String>,
    /// Send it to this database, without a gateway:
    /// bolt://HOST:PORT, bolt+s://… or bolt+ssc://…
    #[arg(verbatim_doc_comment, long, value_name = "URI", group = "target", value_hint = ValueHint::Url)]
    pub database_uri: Option<String>,
    /// Send it to an embedded database, stored in FILE or discarded at the end
    #[arg(long, value_name = "FILE", group = "target", value_hint = ValueHint::FilePath)]
    pub embedded: Option<Option<PathBuf>>,
    /// The name of the database [default: neo4j;
    /// with --database-uri, the user's own]
    #[arg(verbatim_doc_comment, long, value_name = "DB")]
    pub database: Option<String>,
    /// Log in as this user
    /// [env: BOLTGATE_USER]
    #[arg(verbatim_doc_comment, long, value_name = "USER", value_hint = ValueHint::Username)]
    pub user: Option<String>,
    /// Set the parameter $NAME, to JSON if VALUE is JSON, otherwise to text; may be given several times
    #[arg(long = "param", value_name = "NAME=VALUE")]
    pub parameters: Vec<String>,
    /// Set all parameters in a JSON object; --param takes precedence
    #[arg(long = "params", value_name = "JSON|@FILE")]
    pub parameter_object: Option<String>,
    /// Run in read mode, in which the database refuses writes
    #[arg(long)]
    pub read: bool,
    /// Write rows as auto (a table on a terminal, otherwise csv), table, csv, json, jsonl, ndjson, typed, arrow or
    /// graph
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "auto", hide_possible_values = true)]
    pub format: Format,
    /// Write the rows to this file, which is replaced when the result is complete
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// Let the statement run no longer than this, such as 500ms, 30s or 5m
    #[arg(long, value_name = "TIME")]
    pub timeout: Option<TimeSpan>,
    /// Write neither progress nor a summary
    #[arg(long)]
    pub quiet: bool,
}

/// The formats of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A table on a terminal, otherwise CSV
    Auto,
    /// Columns for people
    Table,
    /// Comma-separated values (RFC 4180)
    Csv,
    /// One JSON document
    Json,
    /// JSON Lines: events, one on each line
    Jsonl,
    /// Newline-delimited JSON: an object for each row
    Ndjson,
    /// One JSON document with the types of all values
    Typed,
    /// An Arrow stream
    Arrow,
    /// Nodes and relationships as JSON
    Graph,
}
