//! Who may come in, where rooms are opened by tokens.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

mod common;

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::{Client, PRIVATE_KEY, PUBLIC_KEY, Running, server, server_with};
use duologue_protocol::{ErrorCode, Name, Rights, Role, RoomId, Welcome, to_json};
use duologue_server::{
    Config, Invitation, InvitationKey, Secret, Server, StartError, TokenConfig, TokenError,
};

const SECRET: &str = "a secret of no fewer bytes than thirty-two";
const HOUR: Duration = Duration::from_secs(3600);

fn key() -> InvitationKey {
    InvitationKey::of_secret(&Secret::from(SECRET.to_owned())).unwrap()
}

fn invitation(room: &str) -> Invitation {
    let room = RoomId::new(room).unwrap();
    Invitation { room, name: None, rights: Rights::USUAL, expires: SystemTime::now() + HOUR }
}

fn with_secret(config: &mut Config) {
    config.tokens.secret = Some(Secret::from(SECRET.to_owned()));
}

async fn opened_by_tokens() -> Running {
    server_with(4, with_secret).await
}

fn join(room: &str, token: &str) -> String {
    format!(r#"{{"type":"join","room":"{room}","name":"Mallory","protocol":1,"token":"{token}"}}"#)
}

async fn enter(server: &Running, room: &str, token: &str) -> (Client, Welcome) {
    let mut client = server.connect().await;
    client.send(join(room, token)).await;
    let welcome = client.welcomed().await;
    (client, welcome)
}

/// A token of other parts than ours.
fn forged(header: &str, claims: &str, signature: &str) -> String {
    let encoded = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{signature}", encoded(header), encoded(claims))
}

#[tokio::test]
async fn an_invitation_opens_its_room() {
    let server = opened_by_tokens().await;
    let (_, welcome) = enter(&server, "board", &invitation("board").token(&key()).unwrap()).await;
    assert_eq!(welcome.rights, Rights::USUAL);
}

#[tokio::test]
async fn nothing_else_opens_it_and_every_room_answers_alike() {
    let server = opened_by_tokens().await;
    let token = invitation("board").token(&key()).unwrap();
    let (_inside, _) = enter(&server, "board", &token).await;
    let (head, signature) = token.rsplit_once('.').unwrap();
    let claims = r#"{"room":"board","exp":4102444800}"#;
    let other_key = InvitationKey::of_secret(&Secret::from("x".repeat(40))).unwrap();
    let wrong = [
        String::new(),
        "no token".to_owned(),
        head.to_owned(),
        format!("{head}."),
        format!("{head}.{}", signature.chars().rev().collect::<String>()),
        forged(r#"{"alg":"none","typ":"JWT"}"#, claims, ""),
        forged(r#"{"alg":"HS256","typ":"JWT"}"#, claims, ""),
        forged(r#"{"alg":"EdDSA","typ":"JWT"}"#, claims, signature),
        invitation("board").token(&other_key).unwrap(),
        invitation("another").token(&key()).unwrap(),
        "e".repeat(4096),
    ];
    let mut client = server.connect().await;
    let mut words = Vec::new();
    for room in ["board", "there is no such room"] {
        for token in &wrong {
            words.push(client.refused(join(room, token), ErrorCode::TokenInvalid).await);
        }
        words.push(client.refused(common::join(room), ErrorCode::TokenInvalid).await);
    }
    words.dedup();
    assert_eq!(words.len(), 1, "whoever guesses learns nothing: {words:?}");
    assert_eq!(server.rooms.count(), 1, "nobody opens a room by guessing");
}

#[tokio::test]
async fn a_token_whose_time_is_over_says_so_and_one_who_is_inside_stays() {
    let server = opened_by_tokens().await;
    // As far back as clocks may be apart, and further.
    let late = Invitation { expires: SystemTime::now() - Duration::from_secs(20), ..invitation("board") };
    let (mut inside, _) = enter(&server, "board", &late.token(&key()).unwrap()).await;
    let over = Invitation { expires: SystemTime::now() - Duration::from_secs(40), ..invitation("board") };
    let mut client = server.connect().await;
    let words = client.refused(join("board", &over.token(&key()).unwrap()), ErrorCode::TokenExpired).await;
    assert!(words.contains("ask whoever invited you for a new one"), "{words}");
    inside.is_usable().await;
    // What is expired and not signed is not signed.
    let other_key = InvitationKey::of_secret(&Secret::from("x".repeat(40))).unwrap();
    client.refused(join("board", &over.token(&other_key).unwrap()), ErrorCode::TokenInvalid).await;
}

#[tokio::test]
async fn the_name_and_the_rights_of_a_token_are_what_the_others_see() {
    let server = opened_by_tokens().await;
    let (mut ada, _) = enter(&server, "board", &invitation("board").token(&key()).unwrap()).await;
    let rights = Rights::of(["join"]);
    let bob = Invitation { name: Some(Name::new("Bob").unwrap()), rights, ..invitation("board") };
    let (mut bob, welcome) = enter(&server, "board", &bob.token(&key()).unwrap()).await;
    assert_eq!(welcome.rights, rights);
    let seen = ada.ready(Role::Caller).await;
    assert_eq!((seen.name, seen.speaks), (Some(Name::new("Bob").unwrap()), false));
    let seen = bob.ready(Role::Callee).await;
    assert_eq!(
        (seen.name, seen.speaks),
        (Some(Name::new("Mallory").unwrap()), true),
        "who may choose a name, does"
    );
}

#[tokio::test]
async fn whoever_has_only_the_public_key_can_check_and_not_invite() {
    let key = InvitationKey::of_private_key(PRIVATE_KEY).unwrap();
    let server = server_with(2, |config| config.tokens.public_key = Some(PUBLIC_KEY.to_owned())).await;
    enter(&server, "board", &invitation("board").token(&key).unwrap()).await;
    let mut client = server.connect().await;
    // The public key, taken for a secret (RFC 8725, section 2.1).
    let confused = InvitationKey::of_secret(&Secret::from(PUBLIC_KEY.to_owned())).unwrap();
    client
        .refused(join("board", &invitation("board").token(&confused).unwrap()), ErrorCode::TokenInvalid)
        .await;
    client
        .refused(join("board", &invitation("board").token(&self::key()).unwrap()), ErrorCode::TokenInvalid)
        .await;
}

#[tokio::test]
async fn keys_that_are_none_keep_the_server_from_starting_and_say_what_to_write() {
    let problem = |tokens: TokenConfig| async {
        let mut config = Config::new(2);
        config.listen = "127.0.0.1:0".parse().unwrap();
        config.tokens = tokens;
        match Server::bind(config).await {
            Err(StartError::Token(problem)) => problem,
            other => panic!("it starts: {other:?}"),
        }
    };
    let short = TokenConfig { secret: Some(Secret::from("hunter2".to_owned())), public_key: None };
    assert_eq!(problem(short).await, TokenError::ShortSecret(7));
    for pem in ["", "no key", PRIVATE_KEY] {
        let tokens = TokenConfig { secret: None, public_key: Some(pem.to_owned()) };
        assert_eq!(problem(tokens).await, TokenError::PublicKey, "{pem:?}");
    }
    assert_eq!(InvitationKey::of_private_key("no key").unwrap_err(), TokenError::PrivateKey);
}

#[tokio::test]
async fn an_invitation_that_no_join_could_carry_is_not_made() {
    let long = Invitation {
        name: Some(Name::new("\u{1F600}".repeat(64)).unwrap()),
        ..invitation(&"\u{1F600}".repeat(128))
    };
    let token = long.token(&key()).unwrap();
    assert!(token.len() <= 4096, "{}", token.len());
    let server = opened_by_tokens().await;
    enter(&server, &"\u{1F600}".repeat(128), &token).await;
}

#[tokio::test]
async fn where_no_key_is_known_a_token_is_of_no_consequence() {
    let server = server().await;
    let (_, welcome) = enter(&server, "board", "any").await;
    assert_eq!(welcome.rights, Rights::USUAL);
    assert!(!to_json(&duologue_protocol::ServerMessage::Welcome(welcome)).contains("rights"));
}
