//! The STUN and TURN servers that clients are told of, and the credentials that let them use TURN.
//!
//! TURN relays whole calls, so nobody may use it for free: the TURN server and this one share a secret, and from it
//! this one makes credentials that end by themselves. The TURN server checks them without asking anyone. It is the
//! scheme that coturn calls `use-auth-secret` (draft-uberti-behave-turn-rest-00, section 2.2).

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use duologue_protocol::{IceServer, IceServers, PeerId};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::config::IceConfig;
use crate::ice_url;

/// How long credentials may last, in seconds: not for ever. The command also asks for enough to set a call up.
const TTL: std::ops::RangeInclusive<u64> = 1..=86_400;

/// What is wrong with the STUN and TURN servers in a configuration. The message says what to write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IceError {
    /// No address of a STUN server.
    #[error(
        "--stun-url {0:?} is not the address of a STUN server: write stun:HOST, stun:HOST:PORT or stuns:HOST:PORT, \
         for example stun:stun.example.org:3478"
    )]
    StunUrl(String),
    /// No address of a TURN server.
    #[error(
        "--turn-url {0:?} is not the address of a TURN server: write turn:HOST:PORT or turns:HOST:PORT, with \
         ?transport=udp or ?transport=tcp after it or without, for example turn:turn.example.org:3478?transport=udp"
    )]
    TurnUrl(String),
    /// A TURN server, and no secret to make credentials for it.
    #[error(
        "--turn-url needs the secret that the TURN server has as well (coturn's static-auth-secret): give it with \
         --turn-secret-file FILE or in DUOLOGUE_TURN_SECRET"
    )]
    NoSecret,
    /// A secret, and no TURN server that it is for.
    #[error(
        "there is a TURN secret and no TURN server: name it with --turn-url turn:HOST:PORT, or leave the secret out"
    )]
    NoTurnUrl,
    /// Credentials that would end too early or too late.
    #[error(
        "--turn-ttl {0} is not a time that credentials may last: write a number of seconds from {from} to {to}",
        from = TTL.start(), to = TTL.end()
    )]
    Ttl(u64),
}

/// The STUN and TURN servers of a configuration that was checked.
#[derive(Debug)]
pub(crate) struct Ice {
    stun: Vec<String>,
    turn: Option<Turn>,
}

struct Turn {
    urls: Vec<String>,
    /// The secret, ready to sign with.
    key: Hmac<Sha1>,
    ttl_seconds: u32,
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the key.
        f.debug_struct("Turn").field("urls", &self.urls).finish_non_exhaustive()
    }
}

impl Ice {
    /// Takes the configuration if clients can be told of it.
    ///
    /// # Errors
    /// Says what to write instead.
    pub(crate) fn new(config: &IceConfig) -> Result<Self, IceError> {
        if let Some(url) = config.stun_urls.iter().find(|url| !ice_url::is_stun(url)) {
            return Err(IceError::StunUrl(url.clone()));
        }
        if let Some(url) = config.turn_urls.iter().find(|url| !ice_url::is_turn(url)) {
            return Err(IceError::TurnUrl(url.clone()));
        }
        let secret = config.turn_secret.as_ref().map(Secret::bytes).filter(|secret| !secret.is_empty());
        let turn = match (config.turn_urls.is_empty(), secret) {
            (true, None) => None,
            (true, Some(_)) => return Err(IceError::NoTurnUrl),
            (false, None) => return Err(IceError::NoSecret),
            (false, Some(secret)) => Some(Turn {
                urls: config.turn_urls.clone(),
                // A key of any length will do (RFC 2104, section 3).
                key: Hmac::new_from_slice(secret).map_err(|_| IceError::NoSecret)?,
                ttl_seconds: ttl_seconds(config.turn_ttl)?,
            }),
        };
        Ok(Self { stun: config.stun_urls.clone(), turn })
    }

    /// What the client `peer` is told at the time `now`.
    pub(crate) fn servers_for(&self, peer: &PeerId, now: SystemTime) -> IceServers {
        let mut ice_servers = Vec::new();
        if !self.stun.is_empty() {
            ice_servers.push(IceServer { urls: self.stun.clone(), username: None, credential: None });
        }
        if let Some(turn) = &self.turn {
            let (username, credential) = turn.credentials(peer, now);
            ice_servers.push(IceServer {
                urls: turn.urls.clone(),
                username: Some(username),
                credential: Some(credential),
            });
        }
        IceServers { ice_servers, ttl: self.turn.as_ref().map(|turn| turn.ttl_seconds) }
    }
}

impl Turn {
    /// A user name, which is when it ends (in seconds since 1970) and whose it is, and the password that goes with it.
    fn credentials(&self, peer: &PeerId, now: SystemTime) -> (String, String) {
        let end = now + Duration::from_secs(u64::from(self.ttl_seconds));
        let end = end.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let username = format!("{end}:{peer}");
        let mut mac = self.key.clone();
        mac.update(username.as_bytes());
        let credential = STANDARD.encode(mac.finalize().into_bytes());
        (username, credential)
    }
}

fn ttl_seconds(ttl: Duration) -> Result<u32, IceError> {
    let seconds = ttl.as_secs();
    if !TTL.contains(&seconds) {
        return Err(IceError::Ttl(seconds));
    }
    u32::try_from(seconds).map_err(|_| IceError::Ttl(seconds))
}

/// A secret. What prints it for people who look for faults does not show it.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Self(secret)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> IceConfig {
        IceConfig {
            stun_urls: vec!["stun:stun.example.org".to_owned()],
            turn_urls: vec!["turn:turn.example.org:3478?transport=udp".to_owned()],
            turn_secret: Some(Secret::from("north".to_owned())),
            turn_ttl: Duration::from_secs(600),
        }
    }

    #[test]
    fn credentials_are_what_openssl_makes_of_the_same_name_and_secret() {
        let now = UNIX_EPOCH + Duration::from_secs(1_735_689_000);
        let told = Ice::new(&config()).unwrap().servers_for(&PeerId::new("k9Wm4").unwrap(), now);
        // printf '1735689600:k9Wm4' | openssl dgst -sha1 -hmac north -binary | base64
        let expected = IceServers {
            ice_servers: vec![
                IceServer {
                    urls: vec!["stun:stun.example.org".to_owned()],
                    username: None,
                    credential: None,
                },
                IceServer {
                    urls: vec!["turn:turn.example.org:3478?transport=udp".to_owned()],
                    username: Some("1735689600:k9Wm4".to_owned()),
                    credential: Some("2trkcvxje3DdUH9vKZvykQNjzxg=".to_owned()),
                },
            ],
            ttl: Some(600),
        };
        assert_eq!(told, expected);
    }

    #[test]
    fn without_turn_there_are_no_credentials_that_end() {
        let peer = PeerId::new("p").unwrap();
        let nothing = Ice::new(&IceConfig::default()).unwrap();
        assert_eq!(nothing.servers_for(&peer, UNIX_EPOCH), IceServers::default());
        let config = IceConfig { turn_urls: Vec::new(), turn_secret: None, ..config() };
        let told = Ice::new(&config).unwrap().servers_for(&peer, UNIX_EPOCH);
        assert_eq!((told.ice_servers.len(), told.ttl), (1, None));
    }

    #[test]
    fn what_is_wrong_is_said_with_what_to_write() {
        let wrong = |change: fn(&mut IceConfig)| {
            let mut config = config();
            change(&mut config);
            Ice::new(&config).unwrap_err().to_string()
        };
        for (words, problem) in [
            ("stun:HOST", wrong(|config| config.stun_urls.push("http://stun.example.org".to_owned()))),
            ("turn:HOST:PORT", wrong(|config| config.turn_urls.push("stun:stun.example.org".to_owned()))),
            ("--turn-secret-file", wrong(|config| config.turn_secret = None)),
            ("--turn-secret-file", wrong(|config| config.turn_secret = Some(Secret::from(String::new())))),
            ("--turn-url turn:HOST:PORT", wrong(|config| config.turn_urls.clear())),
            ("1 to 86400", wrong(|config| config.turn_ttl = Duration::from_millis(999))),
            ("1 to 86400", wrong(|config| config.turn_ttl = Duration::from_secs(86_401))),
        ] {
            assert!(problem.contains(words), "{problem}");
        }
    }

    #[test]
    fn nothing_that_is_printed_shows_the_secret() {
        let config = config();
        let printed = format!("{config:?} {:?}", Ice::new(&config).unwrap());
        assert!(!printed.contains("north"), "{printed}");
        assert!(printed.contains("turn.example.org"), "{printed}");
    }
}
