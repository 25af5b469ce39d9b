//! The program asks another one of itself whether it lives.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::*;
use duologue_server::TlsConfig;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

#[tokio::test]
async fn a_server_that_lives_is_healthy_with_tls_and_without() {
    let plain = server().await;
    let output = outcome(&["--check-health", "--listen", &plain.address.to_string()]).await;
    assert!(output.status.success(), "{output:?}");
    let folder = tempfile::tempdir().unwrap();
    let tls = TlsConfig::SelfSigned { folder: folder.path().to_owned() };
    let encrypted = server_with(2, |config| config.tls = Some(tls)).await;
    let folder = folder.path().to_str().unwrap();
    let listen = encrypted.address.to_string();
    let output = outcome(&["--check-health", "--listen", &listen, "--tls-self-signed", folder]).await;
    assert!(output.status.success(), "{output:?}");
    // Whoever asks in plain HTTP is answered, and not by a healthy server of that kind.
    assert!(!outcome(&["--check-health", "--listen", &listen]).await.status.success());
}

#[tokio::test]
async fn what_does_not_answer_or_is_something_else_is_not_healthy() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let other = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        // Unread, the question would have the connection reset, and the answer lost.
        read_head(&mut socket).await;
        socket.write_all(b"HTTP/1.1 200 OK\r\n\r\nhello").await.unwrap();
    });
    let output = outcome(&["--check-health", "--listen", &address]).await;
    let words = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(words.contains("no healthy server"), "{words}");
    other.await.unwrap();
    let output = outcome(&["--check-health", "--listen", &address]).await;
    let words = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(words.contains("no server answers"), "{words}");
}
