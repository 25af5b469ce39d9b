//! The `duologue-server` command: flags in, one plain line out, and a clean end.

mod flags;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use duologue_server::Server;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use flags::Flags;

fn main() -> ExitCode {
    let flags = Flags::parse();
    // Only what this program says itself: libraries may log what passes through them.
    let ours = Targets::new().with_target("duologue_server", flags.log);
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr))
        .with(ours)
        .init();

    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            return refuse(&format!("cannot start any threads: {error}; free some memory and try again"));
        }
    };
    match runtime.block_on(run(flags)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => refuse(&problem),
    }
}

async fn run(flags: Flags) -> Result<(), String> {
    let config = flags.config()?;
    // Before anything is announced, so that a signal that comes at once is not missed.
    let shutdown = Signals::new().map_err(|error| format!("cannot watch for Ctrl-C: {error}; try again"))?;
    let server = Server::bind(config).await.map_err(|error| error.to_string())?;
    // Whoever started this may have closed its output; that is no reason to stop.
    let _ = writeln!(std::io::stdout(), "duologue-server is live at {}", server.url());
    server.serve(shutdown.first()).await;
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

    async fn first(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        tracing::info!("shutting down");
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

    async fn first(self) {
        if let Err(error) = tokio::signal::ctrl_c().await {
            // Without the signal there is no way to ask; go on serving.
            tracing::warn!(%error, "cannot watch for Ctrl-C");
            std::future::pending::<()>().await;
        }
        tracing::info!("shutting down");
    }
}
