//! What is served over HTTP: the page, and who may connect from it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::fs;

use common::*;
use tempfile::TempDir;

/// A built page, and a secret beside its folder.
fn page() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let dist = folder.path().join("dist");
    fs::create_dir_all(dist.join("sub")).unwrap();
    for (name, content) in [
        ("secret.txt", "secret"),
        ("dist/index.html", "<!doctype html>the page"),
        ("dist/app.js", "the script"),
        ("dist/app_bg.wasm", "the module"),
        ("dist/app_bg.wasm.br", "br"),
        ("dist/app_bg.wasm.gz", "gz"),
        ("dist/style.css", "the style"),
        ("dist/style.css.gz", "gz style"),
        ("dist/app.webmanifest", "{}"),
        ("dist/icon.svg", "<svg/>"),
        ("dist/a b.txt", "with a blank"),
        ("dist/.hidden", "hidden"),
        ("dist/archive.tar.gz", "an archive"),
        ("dist/sub/index.html", "the other page"),
        ("dist/unknown.xyz", "?"),
    ] {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

async fn serving(folder: &TempDir) -> Running {
    let dist = folder.path().join("dist");
    server_with(2, |config| config.app = Some(dist)).await
}

#[tokio::test]
async fn every_file_comes_with_its_type_and_is_asked_for_again() {
    let folder = page();
    let server = serving(&folder).await;
    for (path, mime, content) in [
        ("/", "text/html; charset=utf-8", "<!doctype html>the page"),
        ("/index.html", "text/html; charset=utf-8", "<!doctype html>the page"),
        ("/?query", "text/html; charset=utf-8", "<!doctype html>the page"),
        ("/app.js", "text/javascript; charset=utf-8", "the script"),
        ("/app_bg.wasm", "application/wasm", "the module"),
        ("/style.css", "text/css; charset=utf-8", "the style"),
        ("/app.webmanifest", "application/manifest+json", "{}"),
        ("/icon.svg", "image/svg+xml", "<svg/>"),
        ("/a%20b.txt", "text/plain; charset=utf-8", "with a blank"),
        ("/archive.tar.gz", "application/octet-stream", "an archive"),
        ("/sub/", "text/html; charset=utf-8", "the other page"),
        ("/unknown.xyz", "application/octet-stream", "?"),
    ] {
        let response = server.get(path, "").await;
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.header("content-type"), Some(mime), "{path}");
        assert_eq!(response.text(), content, "{path}");
        assert_eq!(response.header("content-length"), Some(content.len().to_string().as_str()));
        assert_eq!(response.header("cache-control"), Some("no-cache"));
        assert_eq!(response.header("vary"), Some("Accept-Encoding"));
        assert_eq!(response.header("content-encoding"), None);
    }
}

#[tokio::test]
async fn every_response_of_the_page_keeps_it_private() {
    let folder = page();
    let server = serving(&folder).await;
    let etag = server.get("/", "").await.header("etag").unwrap().to_owned();
    for response in [
        server.get("/", "").await,
        server.get("/app_bg.wasm", "Accept-Encoding: br\r\n").await,
        server.get("/", &format!("If-None-Match: {etag}\r\n")).await,
        server.get("/nothing", "").await,
        server.request("HEAD", "/", "").await,
        server.request("POST", "/", "Content-Length: 0\r\n").await,
    ] {
        for (name, value) in [
            (
                "content-security-policy",
                "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
                 media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; \
                 form-action 'none'; frame-ancestors 'self'",
            ),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("permissions-policy", "camera=(self), microphone=(self), display-capture=(self)"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(response.header(name), Some(value), "{name} of {}", response.head);
        }
    }
}

#[tokio::test]
async fn a_client_gets_the_smallest_file_it_can_read() {
    let folder = page();
    let server = serving(&folder).await;
    let mut tags = Vec::new();
    for (accepts, encoding, content) in [
        ("gzip, deflate, br", Some("br"), "br"),
        ("gzip", Some("gzip"), "gz"),
        ("br;q=0, gzip;q=0.5", Some("gzip"), "gz"),
        ("identity", None, "the module"),
        ("zstd", None, "the module"),
    ] {
        let response = server.get("/app_bg.wasm", &format!("Accept-Encoding: {accepts}\r\n")).await;
        assert_eq!(response.header("content-encoding"), encoding, "{accepts}");
        assert_eq!(response.text(), content, "{accepts}");
        assert_eq!(response.header("content-type"), Some("application/wasm"));
        tags.push(response.header("etag").unwrap().to_owned());
    }
    assert_ne!(tags[0], tags[1]);
    assert_ne!(tags[1], tags[3]);
    assert_eq!(tags[3], tags[4]);
    let css = server.get("/style.css", "Accept-Encoding: br, gzip\r\n").await;
    assert_eq!(css.header("content-encoding"), Some("gzip"));
    // The compressed files are no pages of their own.
    assert_eq!(server.get("/app_bg.wasm.br", "").await.status(), 404);
    assert_eq!(server.get("/style.css.gz", "").await.status(), 404);
}

#[tokio::test]
async fn what_a_client_has_is_not_sent_again() {
    let folder = page();
    let server = serving(&folder).await;
    let first = server.get("/app_bg.wasm", "Accept-Encoding: br\r\n").await;
    let etag = first.header("etag").unwrap();
    assert!(etag.starts_with('"') && etag.ends_with('"') && etag.len() == 66, "{etag}");
    for wanted in [etag.to_owned(), format!("\"other\", {etag}"), format!("W/{etag}"), "*".to_owned()] {
        let headers = format!("Accept-Encoding: br\r\nIf-None-Match: {wanted}\r\n");
        let response = server.get("/app_bg.wasm", &headers).await;
        assert_eq!((response.status(), response.text()), (304, ""), "{wanted}");
        assert_eq!(response.header("etag"), Some(etag));
        assert_eq!(response.header("vary"), Some("Accept-Encoding"));
    }
    // The same file in another encoding is another thing.
    let plain = server.get("/app_bg.wasm", &format!("If-None-Match: {etag}\r\n")).await;
    assert_eq!(plain.status(), 200);
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let folder = page();
    let server = serving(&folder).await;
    let head = server.request("HEAD", "/app_bg.wasm", "Accept-Encoding: gzip\r\n").await;
    let get = server.get("/app_bg.wasm", "Accept-Encoding: gzip\r\n").await;
    assert_eq!((head.status(), head.text()), (200, ""));
    for name in ["content-length", "content-type", "content-encoding", "etag", "vary", "cache-control"] {
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
    let post = server.request("POST", "/", "Content-Length: 0\r\n").await;
    assert_eq!((post.status(), post.header("allow")), (405, Some("GET, HEAD")));
}

#[tokio::test]
async fn no_path_leads_out_of_the_folder() {
    let folder = page();
    let server = serving(&folder).await;
    for path in [
        "/../secret.txt",
        "/sub/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e%2fsecret.txt",
        "/..%5csecret.txt",
        "//secret.txt",
        "/./../secret.txt",
        "/.hidden",
        "/%00",
        "/%ff",
        "/index.html%00.js",
        "/sub",
        "/dist/index.html",
    ] {
        let response = server.get(path, "").await;
        assert_eq!(response.status(), 404, "{path}");
        assert!(!response.text().contains("secret"), "{path}");
    }
    let absolute = folder.path().join("secret.txt");
    assert_eq!(server.get(absolute.to_str().unwrap(), "").await.status(), 404);
}

#[tokio::test]
async fn without_a_page_the_server_says_so() {
    let server = server().await;
    let response = server.get("/", "").await;
    assert_eq!(response.status(), 200);
    assert!(response.text().contains("--app"), "{}", response.text());
    assert_eq!(server.get("/app.js", "").await.status(), 404);
}

#[tokio::test]
async fn whoever_watches_the_server_hears_ok() {
    let server = server().await;
    let response = server.get("/healthz", "").await;
    assert_eq!((response.status(), response.text()), (200, "ok"));
    assert_eq!(server.request("HEAD", "/healthz", "").await.status(), 200);
}

#[tokio::test]
async fn a_browser_that_opens_the_signaling_address_is_told_what_it_is() {
    let server = server().await;
    let response = server.get("/ws", "").await;
    assert_eq!(response.status(), 426);
    assert_eq!(response.header("sec-websocket-version"), Some("13"));
    assert!(response.text().contains("WebSocket"));
    assert_eq!(server.request("POST", "/ws", "Content-Length: 0\r\n").await.status(), 405);
}
