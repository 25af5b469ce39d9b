//! The flags of the command, and the configuration they make.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use duologue_server::{ClusterConfig, Config, IceConfig, Secret, TlsConfig};
use tracing::level_filters::LevelFilter;

use crate::access_flags::AccessFlags;
use crate::invite::Invite;
use crate::limit_flags::LimitFlags;
use crate::secret_file::secret;
use crate::token_flags::TokenFlags;

/// Brings people together for a Duologue call, and serves the page they call from.
///
/// The calls themselves go straight from browser to browser: this server relays only what they need to find each
/// other, and keeps nothing on disk.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub(crate) struct Flags {
    #[command(subcommand)]
    pub(crate) other: Option<Other>,

    /// A file in TOML form with settings: the long names of these flags, such as room-size = 4. What is said here or in
    /// the environment goes before it
    #[arg(long, env = "DUOLOGUE_CONFIG", value_name = "FILE", help_heading = SETTINGS, global = true)]
    pub(crate) config: Option<PathBuf>,

    /// Prints the settings as they are, with their explanations, as a file for --config, and ends. Secrets are left out
    #[arg(long, help_heading = SETTINGS)]
    pub(crate) print_config: bool,

    /// Asks the server that runs on this machine with the same settings whether it lives, and ends: well if it does, with
    /// a word and code 1 if not. For containers, which have no other program to ask with
    #[arg(long, help_heading = SETTINGS)]
    pub(crate) check_health: bool,

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

    /// The certificate for HTTPS, with those that lead to it: a PEM file, as certbot and acme.sh keep it (fullchain.pem).
    /// When it is renewed, the new one is taken by itself
    #[arg(long, env = "DUOLOGUE_TLS_CERT", value_name = "FILE", help_heading = TLS)]
    tls_cert: Option<PathBuf>,

    /// The private key of that certificate: a PEM file (privkey.pem)
    #[arg(long, env = "DUOLOGUE_TLS_KEY", value_name = "FILE", help_heading = TLS)]
    tls_key: Option<PathBuf>,

    /// HTTPS for a local network: makes a certificate for the names and addresses of this machine, keeps it in this
    /// folder, and says which addresses to open. Browsers warn of it once
    #[arg(long, env = "DUOLOGUE_TLS_SELF_SIGNED", value_name = "DIR", help_heading = TLS)]
    tls_self_signed: Option<PathBuf>,

    /// A STUN server to tell clients of, such as stun:stun.example.org:3478. May be given several times, and may hold
    /// several, with blanks or commas between them
    #[arg(long, env = "DUOLOGUE_STUN_URL", value_name = "URL", help_heading = ICE)]
    stun_url: Vec<String>,

    /// A TURN server to tell clients of, such as turn:turn.example.org:3478?transport=udp. May be given several times,
    /// and may hold several, with blanks or commas between them. All of them know the same secret
    #[arg(long, env = "DUOLOGUE_TURN_URL", value_name = "URL", help_heading = ICE)]
    turn_url: Vec<String>,

    /// The secret from which credentials for TURN are made: the TURN server has it as well (coturn: use-auth-secret and
    /// static-auth-secret). Whoever uses this machine can see it here: better is --turn-secret-file, or the environment
    #[arg(long, env = "DUOLOGUE_TURN_SECRET", value_name = "SECRET", help_heading = ICE, hide_env_values = true)]
    turn_secret: Option<Secret>,

    /// The file that holds the secret for TURN and nothing else
    #[arg(long, env = "DUOLOGUE_TURN_SECRET_FILE", value_name = "FILE", help_heading = ICE)]
    turn_secret_file: Option<PathBuf>,

    /// For how long credentials for TURN last. What was set up with them goes on, and clients ask for new ones
    #[arg(long, env = "DUOLOGUE_TURN_TTL", value_name = "SECONDS", help_heading = ICE, default_value_t = 1800,
          value_parser = clap::value_parser!(u64).range(300..=86_400))]
    turn_ttl: u64,

    /// How long to go on serving after Ctrl-C or SIGTERM, while /readyz already says no: as long as a load balancer takes
    /// to see that, for example 15. After it, clients are let go one after the other; 0 lets them go at once. A second
    /// signal ends the wait
    #[arg(long, env = "DUOLOGUE_DRAIN", value_name = "SECONDS", default_value_t = 0, help_heading = ENDING,
          value_parser = clap::value_parser!(u64).range(..=3600))]
    drain: u64,

    /// A Redis through which several servers are one: any load balancer may send anybody to any of them. All are given the
    /// same. redis://HOST:PORT, or redis://USER:PASSWORD@HOST:PORT/0: whoever uses this machine can see it here, better is
    /// the environment. rediss:// for one that speaks TLS. Left out, this server is alone
    #[arg(long, env = "DUOLOGUE_REDIS", value_name = "URL", help_heading = NODES, hide_env_values = true)]
    redis: Option<String>,

    /// The certificates of those who may have signed that of Redis, in PEM form, for rediss://. Left out, those whom the system
    /// trusts
    #[arg(long, env = "DUOLOGUE_REDIS_CA", value_name = "FILE", help_heading = NODES)]
    redis_ca: Option<PathBuf>,

    /// What all keys in Redis begin with. Servers of the same prefix are one, those of another have nothing to do with them
    #[arg(long, env = "DUOLOGUE_REDIS_PREFIX", value_name = "PREFIX", help_heading = NODES, default_value = "duologue:")]
    redis_prefix: String,

    /// How much to log, to standard error: off, error, warn, info, debug or trace. Names of rooms and what people
    /// send are in no log
    #[arg(long, env = "DUOLOGUE_LOG", value_name = "LEVEL", help_heading = LOGS, default_value = "info")]
    pub(crate) log: LevelFilter,

    /// How the log is written: lines for people, or JSON for programs
    #[arg(long, env = "DUOLOGUE_LOG_FORMAT", value_name = "FORMAT", default_value = "text", help_heading = LOGS)]
    pub(crate) log_format: LogFormat,

    #[command(flatten)]
    access: AccessFlags,

    #[command(flatten)]
    pub(crate) tokens: TokenFlags,

    #[command(flatten)]
    limits: LimitFlags,
}

/// What the command does instead of serving.
#[derive(Debug, Subcommand)]
pub(crate) enum Other {
    Invite(Box<Invite>),
}

/// What is only a flag: a setting in a file would make no sense.
pub(crate) const FLAGS_ONLY: [&str; 3] = ["config", "print-config", "check-health"];

const SETTINGS: &str = "Settings";
const TLS: &str = "HTTPS";
const ICE: &str = "STUN and TURN";
const ENDING: &str = "Ending";
const NODES: &str = "More than one server";
const LOGS: &str = "Logs";

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object on each line.
    Json,
}

const EXAMPLES: &str = "\
Examples:
  duologue-server --app dist                          the page and signaling, on http://127.0.0.1:8080/
  duologue-server --app dist --listen 0.0.0.0:8080    the same for the whole network
  duologue-server --app dist --listen 0.0.0.0:8443 --tls-self-signed tls
                                                      the same over HTTPS, which cameras need on other devices
  duologue-server --app dist --listen 0.0.0.0:443 \\
      --tls-cert /etc/letsencrypt/live/call.example.org/fullchain.pem \\
      --tls-key /etc/letsencrypt/live/call.example.org/privkey.pem
                                                      for everyone, at https://call.example.org/
  duologue-server --room-size 6                       signaling only, at ws://127.0.0.1:8080/ws
  duologue-server --app dist --stun-url stun:stun.example.org:3478 \\
      --turn-url turn:turn.example.org:3478 --turn-secret-file turn.secret
                                                      calls across the internet
  DUOLOGUE_REDIS=redis://10.0.0.5:6379 duologue-server --app dist --listen 0.0.0.0:8080
                                                      one of several servers behind a load balancer

  duologue-server --app dist --token-secret-file token.secret
                                                      rooms by invitation, which comes from
  duologue-server invite board --token-secret-file token.secret

  duologue-server --print-config > duologue.toml      every setting, explained, in a file for
  duologue-server --config duologue.toml

A flag goes before the environment, the environment before the file, and the file before the default.

Browsers give a page the camera and the microphone only on localhost and over HTTPS: for everyone else, give the server
a certificate, or put a proxy that speaks TLS in front and let it pass WebSockets and the Host header on. Tell the
server of a proxy: by which name it is asked, --allow-host call.example.org; and, or everybody has the address of the
proxy and the limits of one, where it is, --trusted-proxy 127.0.0.1 for one on this machine.

Signaling is at /ws. /healthz answers \"ok\" while the server lives, /readyz \"ready\" while it wants clients. Ctrl-C or
SIGTERM ends the server within five seconds after --drain; calls go on without it.";

impl Flags {
    /// The configuration that was asked for. Fails with a sentence that says what to do.
    pub(crate) fn config(self) -> Result<Config, String> {
        let mut config = Config::new(usize::from(self.room_size));
        config.listen = self.listen;
        config.app = self.app;
        config.tls = tls(self.tls_cert, self.tls_key, self.tls_self_signed)?;
        config.timing.drain = Duration::from_secs(self.drain);
        config.ice = IceConfig {
            stun_urls: each(&self.stun_url),
            turn_urls: each(&self.turn_url),
            turn_secret: secret("TURN", "turn-secret", self.turn_secret, self.turn_secret_file)?,
            turn_ttl: Duration::from_secs(self.turn_ttl),
        };
        if self.redis.is_none() && self.redis_ca.is_some() {
            return Err("--redis-ca is for a Redis, and there is none: name it with --redis rediss://HOST:PORT, or leave --redis-ca \
                        out"
            .to_owned());
        }
        config.cluster = self.redis.map(|url| {
            let mut cluster = ClusterConfig::new(url);
            cluster.prefix = self.redis_prefix;
            cluster.authority = self.redis_ca;
            cluster
        });
        self.access.apply(&mut config);
        config.tokens = self.tokens.config()?;
        self.limits.apply(&mut config);
        Ok(config)
    }
}

/// A list that may have been given in one piece, as a variable of the environment must be.
fn each(lists: &[String]) -> Vec<String> {
    let urls = lists.iter().flat_map(|list| list.split([',', ' ', '\t', '\n']));
    urls.filter(|url| !url.is_empty()).map(str::to_owned).collect()
}

fn tls(
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
    folder: Option<PathBuf>,
) -> Result<Option<TlsConfig>, String> {
    match (cert, key, folder) {
        (None, None, None) => Ok(None),
        (Some(cert), Some(key), None) => Ok(Some(TlsConfig::Files { cert, key })),
        (None, None, Some(folder)) => Ok(Some(TlsConfig::SelfSigned { folder })),
        (Some(_), None, None) => {
            Err("--tls-cert needs the private key as well: name its file with --tls-key".to_owned())
        }
        (None, Some(_), None) => {
            Err("--tls-key needs the certificate as well: name its file with --tls-cert".to_owned())
        }
        (_, _, Some(_)) => Err(
            "there are two certificates for HTTPS: give --tls-cert and --tls-key, or --tls-self-signed, and not both \
             (DUOLOGUE_TLS_CERT, DUOLOGUE_TLS_KEY and DUOLOGUE_TLS_SELF_SIGNED count as well)"
                .to_owned(),
        ),
    }
}
