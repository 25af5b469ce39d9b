//! The `duologue-server` command: flags in, one plain line out, and a clean end.

mod access_flags;
mod announce;
mod flags;
mod health;
mod invite;
mod limit_flags;
mod secret_file;
mod settings;
mod token_flags;

use std::io::Write;
use std::process::ExitCode;

use duologue_server::Server;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use flags::{Flags, LogFormat, Other};
use settings::Settings;
use tokio_util::sync::CancellationToken;

/// After many have come and left, the system's own allocator keeps nearly all that they took: what is free lies between what
/// is not. This one returns it within some ten seconds, by a thread of its own.
#[cfg(all(feature = "jemalloc", unix))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let mut flags = match settings::read() {
        Ok(Settings::Serve(flags)) => flags,
        Ok(Settings::Print(text)) => {
            let _ = write!(std::io::stdout(), "{text}");
            return ExitCode::SUCCESS;
        }
        Err(problem) => return refuse(&problem),
    };
    if let Some(Other::Invite(invite)) = flags.other.take() {
        return match invite.run(*flags) {
            Ok(()) => ExitCode::SUCCESS,
            Err(problem) => refuse(&problem),
        };
    }
    if flags.check_health {
        return match flags.config().and_then(|config| health::check(&config)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(problem) => refuse(&problem),
        };
    }
    log(&flags);

    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            return refuse(&format!("cannot start any threads: {error}; free some memory and try again"));
        }
    };
    match runtime.block_on(run(*flags)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => refuse(&problem),
    }
}

/// Logs to standard error what this program says itself, and nothing else: libraries may log what passes through them.
fn log(flags: &Flags) {
    let ours = Targets::new().with_target("duologue_server", flags.log);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(ours);
    match flags.log_format {
        LogFormat::Text => registry.with(lines).init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).init(),
    }
}

async fn run(flags: Flags) -> Result<(), String> {
    let config = flags.config()?;
    // Before anything is announced, so that a signal that comes at once is not missed.
    let signals = Signals::new().map_err(|error| format!("cannot watch for Ctrl-C: {error}; try again"))?;
    let server = Server::bind(config).await.map_err(|error| error.to_string())?;
    if let Some(address) = server.metrics_address() {
        tracing::info!("metrics are at http://{address}/metrics");
    }
    // Whoever started this may have closed its output; that is no reason to stop.
    let _ = announce::announce(&server);
    let (asked, urged) = (CancellationToken::new(), CancellationToken::new());
    let (shutdown, now) = (asked.clone(), urged.clone());
    let watching = async move {
        let mut signals = signals;
        signals.next().await;
        tracing::info!("shutting down");
        asked.cancel();
        signals.next().await;
        tracing::info!("asked again, so there is no more waiting");
        urged.cancel();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = server.serve_until(shutdown.cancelled_owned(), now.cancelled_owned()) => {}
        () = watching => {}
    }
    tracing::info!("ended");
    Ok(())
}

fn refuse(problem: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "duologue-server: {problem}");
    ExitCode::FAILURE
}

/// The signals that ask the server to end.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// The signals that ask the server to end.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if let Err(error) = tokio::signal::ctrl_c().await {
            // Without the signal there is no way to ask; go on serving.
            tracing::warn!(%error, "cannot watch for Ctrl-C");
            std::future::pending::<()>().await;
        }
    }
}
