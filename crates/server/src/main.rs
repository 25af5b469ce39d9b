//! The `duologue-server` command: flags in, one plain line out, and a clean end.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use duologue_server::{Config, Server};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Brings people together for a Duologue call, and serves the page they call from.
///
/// The calls themselves go straight from browser to browser: this server relays only what they need to find each
/// other, and keeps nothing on disk.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
struct Flags {
    /// Where to listen. 127.0.0.1 is for this machine only, 0.0.0.0 for everyone who can reach it; port 0 takes any
    /// port that is free
    #[arg(long, env = "DUOLOGUE_LISTEN", value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// The folder with the built page (the one with index.html). It is read once, at the start: restart after a new
    /// build. Files with a .br or .gz beside them are served compressed. Left out, there is signaling only
    #[arg(long, env = "DUOLOGUE_APP", value_name = "DIR")]
    app: Option<PathBuf>,

    /// How many people a room holds
    #[arg(long, env = "DUOLOGUE_ROOM_SIZE", value_name = "N", default_value_t = 2,
          value_parser = clap::value_parser!(u16).range(2..))]
    room_size: u16,

    /// How much to log, to standard error: off, error, warn, info, debug or trace. Names of rooms and what people
    /// send are in no log
    #[arg(long, env = "DUOLOGUE_LOG", value_name = "LEVEL", default_value = "info")]
    log: LevelFilter,
}

const EXAMPLES: &str = "\
Examples:
  duologue-server --app dist                          the page and signaling, on http://127.0.0.1:8080/
  duologue-server --app dist --listen 0.0.0.0:8080    the same for the whole network
  duologue-server --room-size 6                       signaling only, at ws://127.0.0.1:8080/ws

Browsers give a page the camera and the microphone only on localhost and over HTTPS: for everyone else, put a proxy
that speaks TLS in front, and let it pass WebSockets and the Host header on.

Signaling is at /ws, and /healthz answers \"ok\". Ctrl-C or SIGTERM ends the server within five seconds.";

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
    let mut config = Config::new(usize::from(flags.room_size));
    config.listen = flags.listen;
    config.app = flags.app;
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
