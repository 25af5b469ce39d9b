//! What the program is told by flags, the environment and a file, and how it logs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use common::*;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::timeout;

fn file(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("duologue.toml");
    fs::write(&path, text).unwrap();
    (folder, path)
}

/// What the program prints of its settings, and what it complains of.
async fn printed(arguments: &[&str], environment: &[(&str, &str)]) -> (String, String) {
    let mut command = program();
    command.args(arguments).arg("--print-config").envs(environment.iter().copied());
    let output = timeout(PATIENCE, command.output()).await.expect("it ends").unwrap();
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[tokio::test]
async fn a_flag_goes_before_the_environment_that_before_the_file_and_that_before_the_default() {
    let (_folder, path) = file("room-size = 3\nlog = 'warn'\nturn-ttl = 400\n");
    let path = path.to_str().unwrap();
    let environment = [("DUOLOGUE_ROOM_SIZE", "4"), ("DUOLOGUE_LOG", "error")];
    let (text, _) = printed(&["--config", path, "--room-size", "5"], &environment).await;
    for line in ["room-size = 5", "log = \"error\"", "turn-ttl = 400", "# listen = \"127.0.0.1:8080\""] {
        assert!(text.lines().any(|it| it == line), "{line} is not in:\n{text}");
    }
    // The file may be named in the environment, too.
    let (text, _) = printed(&[], &[("DUOLOGUE_CONFIG", path)]).await;
    assert!(text.lines().any(|it| it == "room-size = 3"), "{text}");
}

#[tokio::test]
async fn what_is_printed_is_a_file_that_says_the_same() {
    let (first, _) = printed(
        &["--listen", "0.0.0.0:8443", "--app", "a \"page\"", "--stun-url", "stun:a", "--stun-url", "stun:b"],
        &[("DUOLOGUE_ROOM_SIZE", "6")],
    )
    .await;
    let (_folder, path) = file(&first);
    let (second, problem) = printed(&["--config", path.to_str().unwrap()], &[]).await;
    assert_eq!(second, first, "{problem}");
    assert!(first.contains("stun-url = [\"stun:a\", \"stun:b\"]"), "{first}");
}

#[tokio::test]
async fn secrets_are_not_printed() {
    let (_folder, path) = file("turn-secret = 'north'\n");
    for (arguments, environment) in [
        (vec!["--config", path.to_str().unwrap()], vec![]),
        (vec![], vec![("DUOLOGUE_TURN_SECRET", "north")]),
        (vec!["--turn-secret", "north"], vec![]),
    ] {
        let (text, _) = printed(&arguments, &environment).await;
        assert!(!text.contains("north"), "{text}");
        assert!(text.contains("turn-secret is set"), "{text}");
    }
}

#[tokio::test]
async fn a_mistake_in_the_file_is_one_line_that_says_where_and_what_to_write() {
    for (text, words) in [
        (
            "# rooms\nroom-sice = 4\n",
            "duologue.toml, line 2: there is no setting room-sice: did you mean room-size?",
        ),
        ("room-size = 'four'\n", "duologue.toml, line 1: room-size takes a whole number"),
        ("[server]\n", "line 1: there are no sections"),
    ] {
        let (_folder, path) = file(text);
        let output = outcome(&["--config", path.to_str().unwrap()]).await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
        assert!(said.contains(words), "{said}");
    }
    let output = outcome(&["--config", "/no/such/file"]).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("cannot read the settings in /no/such/file"), "{said}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_log_of_json_has_an_object_on_each_line_and_says_what_is_on() {
    let mut child = program()
        .args(["--listen", "127.0.0.1:0", "--log-format", "json", "--stun-url", "stun:example.org"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut live = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut live).await.unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = timeout(PATIENCE, log.next_line()).await.expect("a line").unwrap().unwrap();
    for part in [
        "\"message\":\"serving\"",
        "\"tls\":\"off\"",
        "\"page\":\"off\"",
        "\"stun\":\"on\"",
        "\"turn\":\"off\"",
    ] {
        assert!(first.contains(part), "{part} is not in {first}");
    }
    let pid = child.id().unwrap().to_string();
    assert!(tokio::process::Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    let mut last = first;
    while let Some(line) = timeout(PATIENCE, log.next_line()).await.expect("it ends").unwrap() {
        assert!(line.starts_with('{') && line.ends_with('}'), "{line}");
        last = line;
    }
    assert!(last.contains("\"message\":\"ended\""), "{last}");
}
