//! The command `query`: sends one statement to a gateway, and writes the rows as they arrive.
//!
//! Owns what a person or a script at the other end needs: where the statement and the credentials come from, tables,
//! progress, files, exit statuses. Promises that standard output holds only rows, that an abandoned statement is
//! cancelled, and that no credential appears in a message. Speaks HTTP only: a database is asked through a gateway in
//! this process. Knows nothing of Cypher or Bolt.

mod conversation;
mod credentials;
mod failure;
mod input;
mod interrupts;
mod json;
mod output;
mod progress;
mod prompt;
mod rows;
mod summary;
mod target;
mod text;

use std::{
    env,
    io::{self, IsTerminal as _},
    process::ExitCode,
    time::Duration,
};

use tokio::runtime::Builder;

pub use self::target::OpenEmbedded;
use self::{
    conversation::{Conversation, Wanted},
    credentials::Credentials,
    failure::Failure,
    interrupts::Interrupts,
    output::Output,
    progress::Progress,
    summary::Summary,
    target::Target,
};
use crate::cli::{Format, QueryArgs};

/// How long work that cannot be cancelled, such as a write to a pipe that is not read, may delay the end.
const LINGER: Duration = Duration::from_millis(200);

/// Runs the command, and returns its exit status. `open` opens the embedded database.
pub fn run(args: QueryArgs, open: OpenEmbedded) -> ExitCode {
    let quiet = args.quiet;
    match execute(args, open) {
        Ok(summary) => {
            if !quiet {
                eprintln!("{summary}");
            }
            ExitCode::SUCCESS
        }
        // `head` has read enough.
        Err(Failure::ReaderLeft) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("boltgate: {}", text::harmless_lines(&failure.to_string()));
            ExitCode::from(failure.status())
        }
    }
}

fn execute(args: QueryArgs, open: OpenEmbedded) -> Result<Summary, Failure> {
    let format = format(&args)?;
    let target = Target::new(&args)?;
    let credentials = match target.needs_credentials() {
        true => Credentials::given(args.user.clone(), |name| env::var_os(name))?,
        false => Credentials::Nobody,
    };
    let wanted = Wanted::new(&args, format)?;
    let mut output = Output::open(args.output.as_deref())?;
    let progress = Progress::new(!args.quiet && io::stderr().is_terminal());
    let runtime = Builder::new_current_thread().enable_all().build().map_err(Failure::system)?;
    // Opened outside of the runtime, since it blocks.
    let endpoint = target.endpoint(open)?;
    let done = runtime.block_on(async {
        let mut interrupts = Interrupts::new().map_err(Failure::system)?;
        let gateway = target.gateway(endpoint)?;
        let mut conversation = Conversation { gateway: &gateway, wanted: &wanted, output: &mut output, progress };
        let done = tokio::select! {
            biased;
            signal = interrupts.next() => Err(Failure::Interrupted(signal)),
            done = conversation.hold(credentials) => done,
        };
        conversation.progress.clear();
        // A second signal ends it at once.
        tokio::select! {
            _ = interrupts.next() => {}
            () = gateway.close() => {}
        }
        done
    });
    runtime.shutdown_timeout(LINGER);
    // Only now, so that a result that broke off leaves the file as it was.
    let summary = done?;
    output.finish()?;
    Ok(summary)
}

/// The format to write: `auto` depends on where the rows go.
fn format(args: &QueryArgs) -> Result<Format, Failure> {
    let on_terminal = args.output.is_none() && io::stdout().is_terminal();
    match args.format {
        Format::Auto if on_terminal => Ok(Format::Table),
        Format::Auto => Ok(Format::Csv),
        Format::Arrow if on_terminal => Err(Failure::Usage(
            "--format arrow: a terminal cannot show Arrow; name a file with --output, or use a pipe".to_owned(),
        )),
        format => Ok(format),
    }
}
