//! The flags of the command, and the configuration they make.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use duologue_server::{Config, IceConfig, Secret};
use tracing::level_filters::LevelFilter;

/// Brings people together for a Duologue call, and serves the page they call from.
///
/// The calls themselves go straight from browser to browser: this server relays only what they need to find each
/// other, and keeps nothing on disk.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub(crate) struct Flags {
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

    /// A STUN server to tell clients of, such as stun:stun.example.org:3478. May be given several times, and may hold
    /// several, with blanks or commas between them
    #[arg(long, env = "DUOLOGUE_STUN_URL", value_name = "URL")]
    stun_url: Vec<String>,

    /// A TURN server to tell clients of, such as turn:turn.example.org:3478?transport=udp. May be given several times,
    /// and may hold several, with blanks or commas between them. All of them know the same secret
    #[arg(long, env = "DUOLOGUE_TURN_URL", value_name = "URL")]
    turn_url: Vec<String>,

    /// The secret from which credentials for TURN are made: the TURN server has it as well (coturn: use-auth-secret and
    /// static-auth-secret). Whoever uses this machine can see it here: better is --turn-secret-file, or the environment
    #[arg(long, env = "DUOLOGUE_TURN_SECRET", value_name = "SECRET", hide_env_values = true)]
    turn_secret: Option<Secret>,

    /// The file that holds the secret for TURN and nothing else
    #[arg(long, env = "DUOLOGUE_TURN_SECRET_FILE", value_name = "FILE")]
    turn_secret_file: Option<PathBuf>,

    /// For how long credentials for TURN last. What was set up with them goes on, and clients ask for new ones
    #[arg(long, env = "DUOLOGUE_TURN_TTL", value_name = "SECONDS", default_value_t = 1800,
          value_parser = clap::value_parser!(u64).range(300..=86_400))]
    turn_ttl: u64,

    /// How much to log, to standard error: off, error, warn, info, debug or trace. Names of rooms and what people
    /// send are in no log
    #[arg(long, env = "DUOLOGUE_LOG", value_name = "LEVEL", default_value = "info")]
    pub(crate) log: LevelFilter,
}

const EXAMPLES: &str = "\
Examples:
  duologue-server --app dist                          the page and signaling, on http://127.0.0.1:8080/
  duologue-server --app dist --listen 0.0.0.0:8080    the same for the whole network
  duologue-server --room-size 6                       signaling only, at ws://127.0.0.1:8080/ws
  duologue-server --app dist --stun-url stun:stun.example.org:3478 \\
      --turn-url turn:turn.example.org:3478 --turn-secret-file turn.secret
                                                      calls across the internet

Browsers give a page the camera and the microphone only on localhost and over HTTPS: for everyone else, put a proxy
that speaks TLS in front, and let it pass WebSockets and the Host header on.

Signaling is at /ws, and /healthz answers \"ok\". Ctrl-C or SIGTERM ends the server within five seconds.";

impl Flags {
    /// The configuration that was asked for. Fails with a sentence that says what to do.
    pub(crate) fn config(self) -> Result<Config, String> {
        let mut config = Config::new(usize::from(self.room_size));
        config.listen = self.listen;
        config.app = self.app;
        config.ice = IceConfig {
            stun_urls: each(&self.stun_url),
            turn_urls: each(&self.turn_url),
            turn_secret: secret(self.turn_secret, self.turn_secret_file)?,
            turn_ttl: Duration::from_secs(self.turn_ttl),
        };
        Ok(config)
    }
}

/// A list that may have been given in one piece, as a variable of the environment must be.
fn each(lists: &[String]) -> Vec<String> {
    let urls = lists.iter().flat_map(|list| list.split([',', ' ', '\t', '\n']));
    urls.filter(|url| !url.is_empty()).map(str::to_owned).collect()
}

fn secret(given: Option<Secret>, file: Option<PathBuf>) -> Result<Option<Secret>, String> {
    let Some(file) = file else { return Ok(given) };
    if given.is_some() {
        return Err(
            "there are two secrets for TURN: give --turn-secret-file or --turn-secret, and not both \
                    (DUOLOGUE_TURN_SECRET counts as well)"
                .to_owned(),
        );
    }
    let place = file.display();
    let text = fs::read_to_string(&file).map_err(|error| {
        format!("cannot read the secret for TURN from {place}: {error}; name a file that this user may read")
    })?;
    // Editors end a file with a line break.
    match text.trim() {
        "" => Err(format!("{place} is empty: write the secret of the TURN server into it")),
        secret => Ok(Some(Secret::from(secret.to_owned()))),
    }
}
