//! What clients are told of STUN and TURN servers, and how the program is told.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::*;
use duologue_protocol::{ErrorCode, IceServer, IceServers, PeerId, ServerMessage, Welcome};
use duologue_server::{Config, IceError, Secret, Server, StartError};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use tokio::process::Child;
use tokio::time::timeout;

const STUN: &str = "stun:stun.example.org:3478";
const TURN: &str = "turn:turn.example.org:3478?transport=udp";

async fn with_turn() -> Running {
    server_with(2, |config| {
        config.ice.stun_urls = vec![STUN.to_owned()];
        config.ice.turn_urls = vec![TURN.to_owned()];
        config.ice.turn_secret = Some(Secret::from("shared".to_owned()));
        config.ice.turn_ttl = Duration::from_secs(900);
    })
    .await
}

fn seconds_since_1970() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Checks credentials as a TURN server does, and that they last for `ttl` seconds from about now.
fn verify(server: &IceServer, secret: &str, peer: &PeerId, ttl: u64) {
    let (username, credential) = (server.username.as_ref().unwrap(), server.credential.as_ref().unwrap());
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(username.as_bytes());
    mac.verify_slice(&STANDARD.decode(credential).unwrap()).expect("the credential is that of the name");
    let (end, name) = username.split_once(':').unwrap();
    assert_eq!(name, peer.as_str());
    let lasts = end.parse::<u64>().unwrap() - seconds_since_1970();
    assert!((ttl - 30..=ttl).contains(&lasts), "{lasts} s");
}

fn announced(told: &IceServers) -> (&IceServer, &IceServer) {
    let [stun, turn] = told.ice_servers.as_slice() else { panic!("not two: {told:?}") };
    (stun, turn)
}

#[tokio::test]
async fn whoever_joins_is_told_the_servers_with_credentials_of_their_own() {
    let server = with_turn().await;
    let (_ada, a) = server.join("r").await;
    let (_bob, b) = server.join("r").await;
    for welcome in [&a, &b] {
        let (stun, turn) = announced(&welcome.ice);
        assert_eq!(*stun, IceServer { urls: vec![STUN.to_owned()], username: None, credential: None });
        assert_eq!(turn.urls, [TURN]);
        verify(turn, "shared", &welcome.id, 900);
        assert_eq!(welcome.ice.ttl, Some(900));
    }
    assert_ne!(announced(&a.ice).1.credential, announced(&b.ice).1.credential);
}

#[tokio::test]
async fn in_a_room_the_servers_can_be_asked_for_again() {
    let server = with_turn().await;
    let mut client = server.connect().await;
    let ask = r#"{"type":"ice-servers"}"#;
    client.refused(ask, ErrorCode::NotJoined).await;
    let welcome = client.join("r").await;
    client.send(ask).await;
    let ServerMessage::IceServers(told) = client.next().await else { panic!("no servers") };
    verify(announced(&told).1, "shared", &welcome.id, 900);
    assert_eq!(told.ttl, Some(900));
    client.send(r#"{"type":"leave"}"#).await;
    client.refused(ask, ErrorCode::NotJoined).await;
}

#[tokio::test]
async fn a_server_that_was_told_of_none_tells_of_none() {
    let server = server().await;
    let (mut client, welcome) = server.join("r").await;
    assert_eq!(welcome.ice, IceServers::default());
    client.send(r#"{"type":"ice-servers"}"#).await;
    assert_eq!(client.next().await, ServerMessage::IceServers(IceServers::default()));
}

#[tokio::test]
async fn servers_that_make_no_sense_are_refused_before_anything_is_bound() {
    let mut config = Config::new(2);
    config.listen = "127.0.0.1:0".parse().unwrap();
    config.ice.turn_urls = vec![TURN.to_owned()];
    assert!(matches!(Server::bind(config).await.unwrap_err(), StartError::Ice(IceError::NoSecret)));
}

/// Starts the program on a free port and joins a room.
async fn welcome_of(arguments: &[&str], variables: &[(&str, &str)]) -> (Child, Welcome) {
    let (child, mut client) = live(arguments, variables).await;
    let welcome = client.join("r").await;
    (child, welcome)
}

#[tokio::test]
async fn flags_and_the_environment_tell_the_program_and_no_log_tells_the_secret() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("turn.secret");
    fs::write(&file, "shared\n").unwrap();
    let file = file.to_str().unwrap();
    let more = "turns:turn.example.org:5349?transport=tcp";
    let flags =
        ["--stun-url", STUN, "--turn-url", TURN, "--turn-url", more, "--turn-ttl", "900", "--log", "trace"];
    let (blanks, commas) = (format!("{TURN} {more}"), format!("{TURN}, {more}"));
    let stun = ("DUOLOGUE_STUN_URL", STUN);
    let secret = ("DUOLOGUE_TURN_SECRET", "shared");
    let ttl = ("DUOLOGUE_TURN_TTL", "900");
    for (arguments, variables) in [
        ([&flags[..], &["--turn-secret", "shared"]].concat(), vec![]),
        ([&flags[..], &["--turn-secret-file", file]].concat(), vec![]),
        (flags.to_vec(), vec![secret]),
        (vec![], vec![stun, ("DUOLOGUE_TURN_URL", &blanks), secret, ttl]),
        (vec![], vec![stun, ("DUOLOGUE_TURN_URL", &commas), ("DUOLOGUE_TURN_SECRET_FILE", file), ttl]),
    ] {
        let (mut child, welcome) = welcome_of(&arguments, &variables).await;
        let (stun, turn) = announced(&welcome.ice);
        assert_eq!(
            (&stun.urls[..], &turn.urls[..]),
            (&[STUN.to_owned()][..], &[TURN, more].map(str::to_owned)[..])
        );
        verify(turn, "shared", &welcome.id, 900);
        child.start_kill().unwrap();
        let output = timeout(PATIENCE, child.wait_with_output()).await.expect("it ends").unwrap();
        let log = String::from_utf8(output.stderr).unwrap();
        assert!(!log.contains("shared"), "{log}");
    }
}

#[tokio::test]
async fn flags_that_do_not_fit_keep_it_from_starting_and_say_why_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    fs::write(&empty, "\n").unwrap();
    let empty = empty.to_str().unwrap();
    for (arguments, word) in [
        (vec!["--stun-url", "stun.example.org"], "stun:HOST:PORT"),
        (vec!["--turn-url", "https://turn.example.org", "--turn-secret", "s"], "turn:HOST:PORT"),
        (vec!["--turn-url", TURN], "--turn-secret-file FILE"),
        (vec!["--turn-secret", "s"], "--turn-url turn:HOST:PORT"),
        (vec!["--turn-url", TURN, "--turn-secret-file", "/no/such/file"], "may read"),
        (vec!["--turn-url", TURN, "--turn-secret-file", empty], "is empty"),
        (vec!["--turn-url", TURN, "--turn-secret-file", empty, "--turn-secret", "s"], "not both"),
    ] {
        let output = outcome(&[&["--listen", "127.0.0.1:0"], &arguments[..]].concat()).await;
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{words}");
        assert!(words.contains(word), "{words}");
        assert_eq!(words.lines().count(), 1, "{words}");
    }
    for ttl in ["299", "86401"] {
        let output = outcome(&["--turn-ttl", ttl]).await;
        assert!(String::from_utf8(output.stderr).unwrap().contains("300..=86400"));
    }
}

#[tokio::test]
async fn help_names_the_flags_and_keeps_the_secret() {
    let mut program = program();
    program.arg("--help").env("DUOLOGUE_TURN_SECRET", "shared with nobody");
    let output = timeout(PATIENCE, program.output()).await.expect("it ends").unwrap();
    let words = String::from_utf8(output.stdout).unwrap();
    for word in [
        "--stun-url",
        "--turn-url",
        "--turn-secret",
        "--turn-secret-file",
        "--turn-ttl",
        "DUOLOGUE_TURN_SECRET",
    ] {
        assert!(words.contains(word), "{word} is not in:\n{words}");
    }
    assert!(!words.contains("shared with nobody"), "{words}");
}
