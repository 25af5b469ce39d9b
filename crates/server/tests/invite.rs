//! The command that invites: its links open rooms of the program, and nothing else does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

mod common;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Output;

use common::*;
use duologue_protocol::{ErrorCode, Rights};
use tokio::net::TcpStream;
use tokio::process::Child;
use tokio::time::timeout;

const SECRET: &str = "a secret of no fewer bytes than thirty-two";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path: PathBuf = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

async fn invited(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = program();
    command.args(arguments).envs(environment.iter().copied());
    timeout(PATIENCE, command.output()).await.expect("it ends").unwrap()
}

/// The link that is printed, and nothing but it.
async fn link(arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let output = invited(arguments, environment).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    text.trim_end().to_owned()
}

fn token(link: &str) -> &str {
    link.rsplit_once("?invitation=").expect("an invitation").1
}

/// The program, live.
struct Live(SocketAddr, #[expect(dead_code, reason = "dropping it ends it")] Child);

impl Live {
    async fn with(arguments: &[&str]) -> Self {
        let (child, address) = live_at(arguments, &[]).await;
        Self(address, child)
    }

    async fn connect(&self) -> Client {
        Client::over(TcpStream::connect(self.0).await.unwrap(), self.0).await
    }
}

async fn rights(live: &Live, room: &str, token: &str) -> Rights {
    let mut client = live.connect().await;
    client.send(format!(r#"{{"type":"join","room":"{room}","protocol":1,"token":"{token}"}}"#)).await;
    client.welcomed().await.rights
}

async fn refused(live: &Live, room: &str) -> ErrorCode {
    let mut client = live.connect().await;
    client.send(format!(r#"{{"type":"join","room":"{room}","protocol":1}}"#)).await;
    client.refusal().await.code
}

#[tokio::test]
async fn a_link_opens_its_room_with_the_rights_it_says() {
    let folder = Folder::new();
    let secret = folder.file("token.secret", &format!("{SECRET}\n"));
    let live = Live::with(&["--token-secret-file", &secret]).await;
    assert_eq!(refused(&live, "board").await, ErrorCode::TokenInvalid);

    let guest = link(&["invite", "board", "--token-secret-file", &secret], &[]).await;
    assert!(guest.starts_with("http://localhost:8080/#board?invitation="), "{guest}");
    assert_eq!(rights(&live, "board", token(&guest)).await, Rights::USUAL);

    let host = ["invite", "board", "--may", "join,speak,admin", "--url", "https://call.example.org"];
    let host = link(&host, &[("DUOLOGUE_TOKEN_SECRET", SECRET)]).await;
    assert!(host.starts_with("https://call.example.org/#board?invitation="), "{host}");
    assert!(rights(&live, "board", token(&host)).await.admin);
}

#[tokio::test]
async fn the_secret_may_stand_in_the_settings_of_the_server() {
    let folder = Folder::new();
    let settings = folder.file("duologue.toml", &format!("token-secret = '{SECRET}'\n"));
    let live = Live::with(&["--config", &settings]).await;
    for arguments in [
        ["--config", settings.as_str(), "invite", "a & b"],
        ["invite", "a & b", "--config", settings.as_str()],
    ] {
        let link = link(&arguments, &[]).await;
        assert!(link.contains("/#a%20%26%20b?invitation="), "{link}");
        assert_eq!(rights(&live, "a & b", token(&link)).await, Rights::USUAL);
    }
}

#[tokio::test]
async fn who_has_the_private_key_invites_and_the_server_needs_only_the_public_one() {
    let folder = Folder::new();
    let (private, public) = (folder.file("private.pem", PRIVATE_KEY), folder.file("public.pem", PUBLIC_KEY));
    let live = Live::with(&["--token-public-key", &public]).await;
    assert_eq!(refused(&live, "board").await, ErrorCode::TokenInvalid);
    let listener = link(&["invite", "board", "--may", "join", "--token-private-key", &private], &[]).await;
    let rights = rights(&live, "board", token(&listener)).await;
    assert_eq!(rights, Rights { join: true, speak: false, admin: false });
}

#[tokio::test]
async fn what_is_wrong_is_said_with_what_to_do() {
    let folder = Folder::new();
    let missing = folder.0.path().join("missing").to_str().unwrap().to_owned();
    let (short, empty) = (folder.file("short", "north"), folder.file("empty", "\n"));
    for (arguments, words) in [
        (vec!["invite", "board"], "--token-secret-file"),
        (vec!["invite", "board", "--token-secret-file", &missing], "cannot read the secret for tokens"),
        (vec!["invite", "board", "--token-secret-file", &empty], "is empty: write the secret for tokens"),
        (vec!["invite", "board", "--token-secret-file", &short], "openssl rand -base64 48"),
        (vec!["invite", "board", "--token-private-key", &short], "openssl genpkey"),
        (vec!["invite", "", "--token-secret", SECRET], "room"),
        (vec!["invite", "board", "--token-secret", SECRET, "--may", "jump"], "join, speak, admin"),
        (vec!["invite", "board", "--token-secret", SECRET, "--valid", "soon"], "90m, 24h or 7d"),
        (
            vec!["invite", "board", "--token-secret", SECRET, "--url", "call.example.org"],
            "https://call.example.org/",
        ),
        (vec!["--token-secret", SECRET, "--token-secret-file", &short], "there are two secrets for tokens"),
        (vec!["--token-secret", "north"], "at least 32"),
        (vec!["--token-public-key", &short], "no Ed25519 key"),
    ] {
        let output = invited(&arguments, &[]).await;
        let problem = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && problem.contains(words), "{arguments:?}: {problem}");
        assert!(!problem.contains(SECRET), "{problem}");
    }
    assert!(!Path::new(&missing).exists());
}
