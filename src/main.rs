//! The program: parses the command line and runs the command.

use std::{
    fmt::Display,
    hint::black_box,
    io::{self, Write as _},
    path::Path,
    process::ExitCode,
    sync::LazyLock,
    time::Duration,
};

use boltgate::{
    bolt::{Endpoint, zone},
    cli::{self, Cli, Command, ConfigArgs, EngineArgs, HealthcheckArgs, QueryArgs, ServeArgs},
    config::{
        self, AllowedHost, EXAMPLE, Effective, Ignored, InstanceName, ListenAddr, Mistakes, Origin, Reading, Settings,
        Sources,
    },
    healthcheck::{HealthcheckError, Target},
    http,
    server::{self, ServerHandle, StartError, Workers},
    service_manager, shell,
    telemetry::{self, logs::LogControl},
};
use clap::{CommandFactory as _, FromArgMatches as _};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::MissedTickBehavior,
};

// A request allocates a few dozen times. With the system's allocator, a seventh of its instructions go into that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Includes the version of the tz database, which determines local times.
static VERSION: LazyLock<String> =
    LazyLock::new(|| format!("{}\ntz database {}", env!("CARGO_PKG_VERSION"), zone::version()));

/// The status by which `sysexits.h` says that a configuration cannot be used: a supervisor need not start it again.
const EX_CONFIG: u8 = 78;

/// The size in bytes from which the allocator gives a block pages of its own.
const LARGE_BLOCK: usize = 4 * 1024 * 1024;

/// Makes the allocator return memory to the system after a peak. It does so a second after memory was freed, but only
/// when a thread frees a large block, which may not happen for a long time after a peak.
async fn return_memory() {
    let mut ticks = tokio::time::interval(Duration::from_secs(2));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // Never written to, so it uses no memory.
        drop(black_box(Vec::<u8>::with_capacity(LARGE_BLOCK)));
    }
}

fn main() -> ExitCode {
    let arguments = Cli::command().long_version(VERSION.as_str()).get_matches();
    let cli = Cli::from_arg_matches(&arguments).unwrap_or_else(|error| error.exit());
    let done = match cli.command {
        Some(command) => run(command),
        None => print(EXAMPLE).map(|()| ExitCode::SUCCESS).map_err(anyhow::Error::from),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            // Every error includes its cause in its message.
            eprintln!("boltgate: {error}");
            status(&error)
        }
    }
}

/// The exit status after an error.
fn status(error: &anyhow::Error) -> ExitCode {
    let of_start = error.downcast_ref().is_some_and(StartError::is_of_named_queries);
    if of_start || error.is::<NamedQueries>() { ExitCode::from(EX_CONFIG) } else { ExitCode::FAILURE }
}

/// Named queries that cannot be used, among whatever else is wrong.
#[derive(Debug)]
struct NamedQueries(Mistakes);

impl std::error::Error for NamedQueries {}

impl Display for NamedQueries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(args) if args.example_config => print(EXAMPLE)?,
        Command::Serve(args) => return serve(&args),
        Command::CheckConfig(args) => check_config(&args.location())?,
        Command::PrintConfig(args) => print(effective(&args)?)?,
        Command::ConfigSchema => print(format_args!("{:#}\n", config::schema()))?,
        Command::Healthcheck(args) => healthcheck(args)?,
        Command::Openapi(args) if args.config.is_none() => print(http::openapi())?,
        Command::Openapi(args) => {
            print(http::openapi_with(&server::named_queries(&effective(&args)?.settings)?))?;
        }
        Command::Query(args) => return Ok(query(args)),
        Command::Completions(args) => write(&cli::completions(args.shell))?,
        Command::Man => write(&cli::man()?)?,
        Command::EmbeddedEngine(args) => embedded_engine(&args)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints a command's output.
fn print(text: impl Display) -> io::Result<()> {
    write(text.to_string().as_bytes())
}

/// Writes a command's output. A reader that closes the pipe, such as `head`, has read enough: that is no error.
fn write(bytes: &[u8]) -> io::Result<()> {
    let mut output = io::stdout().lock();
    match output.write_all(bytes).and_then(|()| output.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

fn effective(args: &ConfigArgs) -> anyhow::Result<Effective> {
    Ok(Effective::load(&Sources::from_process(args.config.clone(), Vec::new())?)?)
}

/// Reads settings and the files that they name. Also returns the variables that look like settings.
///
/// # Errors
/// All mistakes in all of them.
fn checked(sources: &Sources) -> anyhow::Result<(Effective, Vec<Ignored>)> {
    let Reading { effective, mistakes, ignored } = Effective::read(sources);
    let mut texts: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    texts.extend(server::check(&effective));
    let named = server::check_named(&effective);
    let is_named = !named.is_empty();
    texts.extend(named);
    if let Err(mistakes) = Mistakes::refuse(texts) {
        return Err(if is_named { NamedQueries(mistakes).into() } else { mistakes.into() });
    }
    Ok((effective, ignored))
}

fn check_config(args: &ConfigArgs) -> anyhow::Result<()> {
    let sources = Sources::from_process(args.config.clone(), Vec::new())?;
    let (effective, ignored) = checked(&sources)?;
    for warning in ignored {
        eprintln!("boltgate: warning: {warning}");
    }
    print(format_args!("{}\n", summary(&sources, &effective)))?;
    Ok(())
}

/// What was checked, in a sentence.
fn summary(sources: &Sources, effective: &Effective) -> String {
    let entries = effective.entries();
    let is_set = |key: &str| !matches!(effective.origin(key), Origin::Default | Origin::Derived(_));
    let set = entries.iter().filter(|entry| is_set(&entry.key)).count();
    let file = sources.file.as_ref().map_or("no configuration file".to_owned(), |file| file.path.clone());
    format!(
        "The configuration is valid: {file} and the environment set {set} of {} settings, and the files that they name \
         can be used.",
        entries.len()
    )
}

/// The name of the gateway, if the older HTTP API needs a number in it and there is none.
fn without_number(settings: &Settings) -> Option<&InstanceName> {
    settings.server.instance.as_ref().filter(|instance| settings.http.transactional && instance.number().is_none())
}

fn serve(args: &ServeArgs) -> anyhow::Result<ExitCode> {
    let sources = || Sources::from_process(args.config.config.clone(), args.overrides());
    let read = || Effective::load(&sources()?);
    let (effective, ignored) = checked(&sources()?)?;
    let log = telemetry::logs::init(&effective.settings.log)?;
    for warning in ignored {
        tracing::warn!("{warning}");
    }
    if let Some(instance) = without_number(&effective.settings) {
        tracing::warn!(
            "server.instance is \"{instance}\", without a number from 0 to {} at its end: numbers of transactions of the older \
             HTTP API do not say that this gateway has them; name it like \"gw-0\", or set http.transactional to false if \
             no client uses that API",
            InstanceName::MAX_NUMBER
        );
    }
    if let Err(shortage) = server::provide_descriptors(&effective.settings) {
        tracing::warn!("{shortage}");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let endpoint = match &args.embedded {
        Some(file) => embedded(file.as_deref(), args.sample)?,
        None => server::network_endpoint(&effective.settings.database)?,
    };
    let served = runtime.block_on(async {
        let mut signals = Signals::new()?;
        let running = start(&effective, log, endpoint).await?;
        if args.embedded.is_some() && !running.is_local() {
            tracing::warn!(
                "the embedded database accepts every name and password, so everybody who can reach {} can read and change \
                 it; listen on 127.0.0.1, or use a database that checks passwords",
                running.address()
            );
        }
        tokio::spawn(running.probe_database());
        serve_until_stopped(running, &mut signals, read).await
    });
    // Work on other threads, such as a commit of the embedded database, must not delay the exit for long.
    runtime.shutdown_timeout(Duration::from_millis(500));
    served
}

#[cfg(feature = "embedded")]
fn embedded(file: Option<&Path>, sample: bool) -> anyhow::Result<Endpoint> {
    let program = boltgate::embedded::this_program()?;
    let opened = boltgate::embedded::Embedded::open_in_processes(file, program);
    let database = opened.map_err(|error| match file {
        Some(_) => anyhow::anyhow!("{error}; name a file that it made, or a new one in a folder that exists"),
        None => error.into(),
    })?;
    if sample && database.load_sample()? {
        tracing::info!(
            "loaded the sample graph into the embedded database; docs/embedded.md has queries to begin with"
        );
    } else if sample {
        tracing::info!("did not load the sample graph: the embedded database already has data");
    }
    Ok(Endpoint::Memory(std::sync::Arc::new(move || database.connect())))
}

#[cfg(feature = "embedded")]
fn embedded_engine(args: &EngineArgs) -> anyhow::Result<()> {
    Ok(boltgate::embedded::serve_engine(&args.file, args.temporary)?)
}

#[cfg(not(feature = "embedded"))]
fn embedded_engine(_args: &EngineArgs) -> anyhow::Result<()> {
    embedded(None, false).map(drop)
}

#[cfg(not(feature = "embedded"))]
fn embedded(_file: Option<&Path>, _sample: bool) -> anyhow::Result<Endpoint> {
    anyhow::bail!(
        "this boltgate was built without the embedded database; connect to a server with --database-uri instead"
    )
}

async fn start(effective: &Effective, log: LogControl, endpoint: Endpoint) -> anyhow::Result<ServerHandle> {
    let database = endpoint.to_string();
    let running = server::start(effective, log, endpoint, Workers::per_processor()?).await?;
    tokio::spawn(return_memory());
    tracing::info!(version = env!("CARGO_PKG_VERSION"), database, "serving {}", running.greeting());
    match running.admin_address() {
        Some(address @ (ListenAddr::Tcp(_) | ListenAddr::Name { .. })) => {
            tracing::info!("serving operators at http://{address}/ready");
        }
        Some(address @ ListenAddr::Unix(_)) => tracing::info!("serving operators at {address}"),
        None => {}
    }
    service_manager::ready(&format!("Serving {}", running.address()));
    if let Some(every) = service_manager::heartbeat() {
        running.beat(every, service_manager::alive);
    }
    Ok(running)
}

/// Serves until a signal to stop. `read` reads the settings again.
async fn serve_until_stopped(
    running: ServerHandle,
    signals: &mut Signals,
    read: impl Fn() -> Result<Effective, Mistakes>,
) -> anyhow::Result<ExitCode> {
    let reload = || {
        service_manager::reloading();
        let failed = if running.reloader().reload(read()) { "" } else { "; the last reload failed, see the log" };
        service_manager::ready(&format!("Serving {}{failed}", running.address()));
    };
    let signal = signals.stop(reload).await;
    service_manager::stopping();
    tracing::info!(
        signal,
        "stopping: finishing requests and rolling back open transactions; send the signal again to stop at once"
    );
    tokio::select! {
        () = running.shutdown() => {
            tracing::info!("stopped");
            Ok(ExitCode::SUCCESS)
        }
        signal = signals.stop(|| tracing::info!("the settings are not reloaded while the gateway stops")) => {
            tracing::warn!(signal, "stopped at once: running requests were aborted");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// The signals sent to the process. While this exists, none of them terminates it.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    /// Signals that the process ignores. (SIGPIPE is ignored by every Rust program.)
    _ignored: [Signal; 2],
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            _ignored: [signal(SignalKind::user_defined1())?, signal(SignalKind::user_defined2())?],
        })
    }

    /// Waits for a signal to stop, and returns its name. SIGHUP reloads the settings.
    async fn stop(&mut self, reload: impl Fn()) -> &'static str {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return "SIGTERM",
                _ = self.interrupt.recv() => return "SIGINT",
                _ = self.hang_up.recv() => reload(),
            }
        }
    }
}

fn query(args: QueryArgs) -> ExitCode {
    shell::run(args, |file| embedded(file, false).map_err(|error| error.to_string()))
}

fn healthcheck(args: HealthcheckArgs) -> anyhow::Result<()> {
    let target = match args.url {
        Some(target) => target,
        None => listening(&effective(&args.config)?.settings)?,
    };
    print(format_args!("{}\n", target.check(Duration::from_secs(5))?))?;
    Ok(())
}

/// Where the settings listen: for operators if they do, since clients may be asked for certificates; else for clients.
fn listening(settings: &Settings) -> Result<Target, HealthcheckError> {
    let at = |listen: &ListenAddr, encrypted| match listen.reachable() {
        ListenAddr::Tcp(address) => Ok(Target::at(address, encrypted)),
        ListenAddr::Name { host, port } => {
            let scheme = if encrypted { "https" } else { "http" };
            format!("{scheme}://{host}:{port}/").parse()
        }
        ListenAddr::Unix(path) => Ok(Target::at_socket(path, encrypted)),
    };
    if let Some(admin) = &settings.admin.listen {
        return Ok(at(admin, false)?.with_path("/live"));
    }
    let target = at(&settings.server.listen, settings.server.tls.certificate.is_some())?;
    // Any allowed name will do.
    match settings.server.allowed_hosts.first().and_then(AllowedHost::example) {
        Some(host) => target.with_host(&host),
        None => Ok(target),
    }
}
