//! The flags that say what clients may do.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use clap::Args;
use duologue_server::{Config, IpNet, Limits, QueueLimits, Rate};

/// What clients may do, whose address is whose, and where it is counted.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitFlags {
    /// How many connections the server takes, those that only fetch the page among them. What is more is answered with
    /// 503
    #[arg(long, env = "DUOLOGUE_MAX_CONNECTIONS", value_name = "N", default_value_t = 10_000)]
    max_connections: usize,

    /// How many WebSockets one address may have, a network of IPv6 (/64) counting as one. What is more is answered with
    /// 429
    #[arg(long, env = "DUOLOGUE_MAX_CONNECTIONS_PER_ADDRESS", value_name = "N", default_value_t = 1000)]
    max_connections_per_address: usize,

    /// How many of them may be in no room yet. What is more is answered with 429. An office whose people share one
    /// address and all open the page before a meeting may need more
    #[arg(long, env = "DUOLOGUE_MAX_LOBBY_PER_ADDRESS", value_name = "N", default_value_t = 20)]
    max_lobby_per_address: usize,

    /// How long a client may say nothing after it has connected
    #[arg(long, env = "DUOLOGUE_FIRST_MESSAGE_TIME", value_name = "SECONDS", default_value_t = 5)]
    first_message_time: u64,

    /// How long a client may be in no room. Pages that wait in the lobby connect again after that
    #[arg(long, env = "DUOLOGUE_LOBBY_TIME", value_name = "SECONDS", default_value_t = 3600)]
    lobby_time: u64,

    /// How many rooms there may be
    #[arg(long, env = "DUOLOGUE_MAX_ROOMS", value_name = "N", default_value_t = 10_000)]
    max_rooms: usize,

    /// How large a message may be: 1024 to 65536, and 512 more than a session description
    #[arg(long, env = "DUOLOGUE_MAX_MESSAGE", value_name = "BYTES", default_value_t = sizes().message)]
    max_message: u32,

    /// How large a session description may be: 512 to 32768
    #[arg(long, env = "DUOLOGUE_MAX_SDP", value_name = "BYTES", default_value_t = sizes().sdp)]
    max_sdp: u32,

    /// How large a candidate may be: 128 to 512
    #[arg(long, env = "DUOLOGUE_MAX_CANDIDATE", value_name = "BYTES", default_value_t = sizes().candidate)]
    max_candidate: u32,

    /// How long the name of a person may be: 1 to 64
    #[arg(long, env = "DUOLOGUE_MAX_NAME", value_name = "CHARACTERS", default_value_t = sizes().name)]
    max_name: u32,

    /// How long the name of a room may be: 1 to 128
    #[arg(long, env = "DUOLOGUE_MAX_ROOM_NAME", value_name = "CHARACTERS", default_value_t = sizes().room)]
    max_room_name: u32,

    /// How many objects and arrays may be inside of each other in a message: 4 to 64
    #[arg(long, env = "DUOLOGUE_MAX_JSON_DEPTH", value_name = "N", default_value_t = 16)]
    max_json_depth: usize,

    /// How many messages a second a client may send in the long run. One that sends more is read more slowly
    #[arg(long, env = "DUOLOGUE_MESSAGE_RATE", value_name = "N", default_value_t = 30)]
    message_rate: u32,

    /// How many messages a client may send at once. Like the other bursts this grows with --room-size by itself, so that
    /// a client can call everybody in the room at once
    #[arg(long, env = "DUOLOGUE_MESSAGE_BURST", value_name = "N", default_value_t = 60)]
    message_burst: u32,

    /// How many offers and answers a second a client may send in the long run
    #[arg(long, env = "DUOLOGUE_OFFER_RATE", value_name = "N", default_value_t = 5)]
    offer_rate: u32,

    /// How many offers and answers a client may send at once
    #[arg(long, env = "DUOLOGUE_OFFER_BURST", value_name = "N", default_value_t = 10)]
    offer_burst: u32,

    /// How many candidates a second a client may send in the long run
    #[arg(long, env = "DUOLOGUE_CANDIDATE_RATE", value_name = "N", default_value_t = 20)]
    candidate_rate: u32,

    /// How many candidates a client may send at once
    #[arg(long, env = "DUOLOGUE_CANDIDATE_BURST", value_name = "N", default_value_t = 40)]
    candidate_burst: u32,

    /// A client that had to be read more slowly for so long without a break is let go
    #[arg(long, env = "DUOLOGUE_FLOOD_TIME", value_name = "SECONDS", default_value_t = 10)]
    flood_time: u64,

    /// How many messages may wait for a client before it is let go as too slow
    #[arg(long, env = "DUOLOGUE_QUEUE_MESSAGES", value_name = "N", default_value_t = 64)]
    queue_messages: usize,

    /// How many bytes may wait for a client before it is let go as too slow: at least twice --max-message
    #[arg(long, env = "DUOLOGUE_QUEUE_BYTES", value_name = "BYTES", default_value_t = 262_144)]
    queue_bytes: usize,

    /// A network of proxies of your own, such as 10.0.0.0/8 or 127.0.0.1. Only of what comes from there does the header
    /// Forwarded or X-Forwarded-For say whose connection it is. May be given several times, and may hold several with
    /// commas between them
    #[arg(long, env = "DUOLOGUE_TRUSTED_PROXY", value_name = "NETWORK", value_delimiter = ',', value_parser = network)]
    trusted_proxy: Vec<IpNet>,

    /// Where to serve metrics for Prometheus, at /metrics. Whoever reaches this address reads them: keep it to yourself.
    /// Left out, there are none
    #[arg(long, env = "DUOLOGUE_METRICS_LISTEN", value_name = "ADDR:PORT")]
    metrics_listen: Option<SocketAddr>,
}

fn sizes() -> duologue_protocol::Limits {
    duologue_protocol::Limits::default()
}

/// A network in CIDR notation (RFC 4632), or a single address.
fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    text.parse().or_else(|_| text.parse().map(|ip: IpAddr| IpNet::from(ip))).map_err(|_| {
        "write a network such as 10.0.0.0/8 or fd00::/8, or a single address such as 127.0.0.1".to_owned()
    })
}

impl LimitFlags {
    /// Puts what was asked for into the configuration.
    pub(crate) fn apply(self, config: &mut Config) {
        let mut limits = Limits::default();
        limits.connections = self.max_connections;
        limits.connections_per_address = self.max_connections_per_address;
        limits.lobby_per_address = self.max_lobby_per_address;
        limits.first_message = Duration::from_secs(self.first_message_time);
        limits.lobby = Duration::from_secs(self.lobby_time);
        limits.rooms = self.max_rooms;
        limits.sizes = duologue_protocol::Limits {
            message: self.max_message,
            sdp: self.max_sdp,
            candidate: self.max_candidate,
            name: self.max_name,
            room: self.max_room_name,
        };
        limits.json_depth = self.max_json_depth;
        limits.messages = Rate { per_second: self.message_rate, burst: self.message_burst };
        limits.offers = Rate { per_second: self.offer_rate, burst: self.offer_burst };
        limits.candidates = Rate { per_second: self.candidate_rate, burst: self.candidate_burst };
        limits.flood = Duration::from_secs(self.flood_time);
        config.limits = limits;
        config.queue = QueueLimits { messages: self.queue_messages, bytes: self.queue_bytes };
        config.trusted_proxies = self.trusted_proxy;
        config.metrics_listen = self.metrics_listen;
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        limits: LimitFlags,
    }

    fn config(arguments: &[&str]) -> Config {
        let mut config = Config::new(2);
        Command::parse_from([&["it"], arguments].concat()).limits.apply(&mut config);
        config
    }

    #[test]
    fn the_defaults_of_the_command_are_those_of_the_library() {
        let config = config(&[]);
        assert_eq!(config.limits, Limits::default());
        assert_eq!(config.queue, QueueLimits::default());
        assert!(config.trusted_proxies.is_empty());
        assert_eq!(config.metrics_listen, None);
    }

    #[test]
    fn the_table_in_the_docs_has_every_limit_with_its_default() {
        let docs = include_str!("../../../docs/server.md");
        let (_, docs) = docs.split_once("\n## Limits\n").unwrap();
        let mut rows = 0;
        for flag in Command::command().get_arguments() {
            let (Some(name), [default]) = (flag.get_long(), flag.get_default_values()) else { continue };
            let row = format!("| `--{name}` | {} |", default.display());
            assert!(docs.contains(&row), "{row}");
            rows += 1;
        }
        // That of the size of a room is not one of these.
        assert_eq!(docs.lines().filter(|line| line.starts_with("| `--")).count(), rows + 1);
    }

    #[test]
    fn every_flag_sets_what_it_says() {
        let flags = "--max-connections=1 --max-connections-per-address=2 --max-lobby-per-address=3 --max-rooms=4 \
                     --first-message-time=5 --lobby-time=6 --max-message=7 --max-sdp=8 --max-candidate=9 \
                     --max-name=10 --max-room-name=11 --max-json-depth=12 --message-rate=13 --message-burst=14 \
                     --offer-rate=15 --offer-burst=16 --candidate-rate=17 --candidate-burst=18 --flood-time=19 \
                     --queue-messages=20 --queue-bytes=21 --metrics-listen=127.0.0.1:9464 \
                     --trusted-proxy=10.0.0.0/8,::1 --trusted-proxy=192.0.2.7";
        let config = config(&flags.split_whitespace().collect::<Vec<_>>());
        let limits = config.limits;
        let counts =
            [limits.connections, limits.connections_per_address, limits.lobby_per_address, limits.rooms];
        assert_eq!(counts, [1, 2, 3, 4]);
        assert_eq!([limits.first_message, limits.lobby, limits.flood].map(|it| it.as_secs()), [5, 6, 19]);
        let sizes = limits.sizes;
        let sizes = [sizes.message, sizes.sdp, sizes.candidate, sizes.name, sizes.room];
        assert_eq!((sizes, limits.json_depth), ([7, 8, 9, 10, 11], 12));
        let rates = [limits.messages, limits.offers, limits.candidates];
        assert_eq!(rates.map(|rate| (rate.per_second, rate.burst)), [(13, 14), (15, 16), (17, 18)]);
        assert_eq!(config.queue, QueueLimits { messages: 20, bytes: 21 });
        assert_eq!(config.metrics_listen, Some("127.0.0.1:9464".parse().unwrap()));
        let networks: Vec<String> = config.trusted_proxies.iter().map(IpNet::to_string).collect();
        assert_eq!(networks, ["10.0.0.0/8", "::1/128", "192.0.2.7/32"]);
    }

    #[test]
    fn what_is_no_network_is_refused_with_an_example() {
        for text in ["10.0.0.0/33", "example.org", "*", ""] {
            let Err(error) = Command::try_parse_from(["it", "--trusted-proxy", text]) else {
                panic!("{text}")
            };
            assert!(error.to_string().contains("10.0.0.0/8"), "{error}");
        }
    }
}
