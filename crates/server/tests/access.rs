//! Which pages may connect, and by which names the server may be asked.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::*;

async fn known_as(hosts: &[&str]) -> Running {
    let listed = hosts.iter().map(|host| host.parse().unwrap()).collect();
    server_with(2, |config| {
        with_metrics(config);
        config.allowed_hosts = listed;
    })
    .await
}

/// What comes of a request for this path by this name.
async fn asked(server: &Running, path: &str, host: &str) -> Response {
    server.http(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")).await
}

#[tokio::test]
async fn only_its_own_page_and_those_of_this_machine_may_connect() {
    let server = known_as(&["call.example"]).await;
    for (host, origin, expected) in [
        ("call.example", "https://call.example", 101),
        ("call.example:8080", "http://call.example:8080", 101),
        ("call.example", "http://localhost:3000", 101),
        ("call.example", "http://[::1]:3000", 101),
        ("call.example", "https://evil.example", 403),
        ("call.example:8080", "http://call.example", 403),
        ("call.example", "https://call.example.evil.example", 403),
        ("call.example", "capacitor://localhost", 403),
        ("call.example", "null", 403),
    ] {
        assert_eq!(server.handshake(host, origin).await, expected, "{origin} at {host}");
    }
    assert_eq!(server.counted("duologue_strangers_total{by=\"origin\"}").await, 5);
    let refused =
        server.http(&upgrade("call.example", "Origin: https://evil.example\r\nConnection: close\r\n")).await;
    assert!(refused.text().contains("--allow-origin"), "{}", refused.text());
    // No browser, no origin: that is what every other test here is.
    server.connect().await.is_usable().await;
}

#[tokio::test]
async fn where_pages_are_listed_no_others_may_connect_but_its_own() {
    let server = server_with(2, |config| {
        config.allowed_origins =
            vec!["https://app.example".parse().unwrap(), "tauri://localhost".parse().unwrap()];
    })
    .await;
    let own = server.address.to_string();
    for (origin, expected) in [
        (format!("http://{own}").as_str(), 101),
        ("https://app.example", 101),
        ("tauri://localhost", 101),
        ("http://localhost:3000", 403),
        ("http://app.example", 403),
        ("null", 403),
    ] {
        assert_eq!(server.handshake(&own, origin).await, expected, "{origin}");
    }
}

#[tokio::test]
async fn a_name_that_somebody_else_lets_lead_here_is_told_so_whatever_its_page_says() {
    let server = known_as(&[]).await;
    let port = server.address.port();
    let host = format!("rebind.example:{port}");
    // To the browser this is the page of the server itself.
    assert_eq!(server.handshake(&host, &format!("http://{host}")).await, 421);
    for path in ["/", "/ws", "/no/such/file"] {
        let response = asked(&server, path, &host).await;
        assert_eq!(response.status(), 421, "{path}");
        assert!(
            response.text().ends_with("start it with --allow-host rebind.example\n"),
            "{}",
            response.text()
        );
    }
    assert_eq!(server.counted("duologue_strangers_total{by=\"host\"}").await, 4);
    // What is no name is not said again.
    let response = asked(&server, "/", "a!b.example").await;
    assert!(
        response.status() == 421 && response.text().ends_with("--allow-host NAME\n"),
        "{}",
        response.text()
    );
}

#[tokio::test]
async fn addresses_localhost_the_machine_s_own_name_and_what_is_listed_are_its_names() {
    let server = known_as(&["call.example", "other.example:8443"]).await;
    let machine = gethostname::gethostname().to_string_lossy().into_owned();
    let first = machine.split('.').next().unwrap();
    let own = [
        "127.0.0.1",
        "192.0.2.7:1234",
        "[2001:db8::1]",
        "localhost:8080",
        "app.localhost",
        &machine,
        &format!("{first}.local"),
    ];
    for host in own.into_iter().chain(["call.example", "CALL.example:8080", "other.example:8443"]) {
        assert_eq!(asked(&server, "/", host).await.status(), 200, "{host}");
        assert_eq!(server.handshake(host, &format!("http://{host}")).await, 101, "{host}");
    }
    for host in ["other.example:8080", "www.call.example", "call.example.evil.example"] {
        assert_eq!(asked(&server, "/", host).await.status(), 421, "{host}");
    }
}

#[tokio::test]
async fn a_request_has_one_host() {
    let server = known_as(&[]).await;
    for (version, hosts) in [
        ("1.1", ""),
        ("1.0", ""),
        ("1.1", "Host: localhost\r\nHost: localhost\r\n"),
        ("1.1", "Host: localhost\r\nHost: rebind.example\r\n"),
        ("1.1", "Host:\r\n"),
        ("1.1", "Host: <b>\r\n"),
    ] {
        for path in ["/", "/ws"] {
            let request = format!("GET {path} HTTP/{version}\r\n{hosts}Connection: close\r\n\r\n");
            assert_eq!(server.http(&request).await.status(), 400, "{request}");
        }
    }
    // That of the request line goes before the header.
    let request = "GET http://rebind.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert_eq!(server.http(request).await.status(), 421);
}

#[tokio::test]
async fn whoever_watches_the_server_may_call_it_anything() {
    let server = known_as(&[]).await;
    for (path, word) in [("/healthz", "ok"), ("/readyz", "ready")] {
        for head in ["HTTP/1.1\r\nHost: rebind.example", "HTTP/1.0", "HTTP/1.1\r\nHost: a\r\nHost: b"] {
            let response = server.http(&format!("GET {path} {head}\r\nConnection: close\r\n\r\n")).await;
            assert_eq!((response.status(), response.text()), (200, word), "{path} {head}");
        }
    }
}

#[tokio::test]
async fn what_is_no_origin_or_no_host_keeps_the_program_from_starting() {
    for (arguments, words) in [
        (["--allow-origin", "https://call.example/"], "nothing after them"),
        (["--allow-origin", "null"], "any page can be without an origin"),
        (["--allow-origin", "https://a.example,*"], "an origin is"),
        (["--allow-host", "https://call.example"], "without a scheme"),
        (["--allow-host", "*"], "a host is a name or an address"),
    ] {
        let output = outcome(&arguments).await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(words), "{arguments:?}: {said}");
    }
}
