//! The page: a folder, read into memory once, and served with the headers that keep it private and quick.
//!
//! Only what was found in the folder at the start can be asked for, by its exact name; so no request can name a file
//! outside it. When the folder changes, the server must be started again.

mod encoding;
mod load;
mod mime;

use std::collections::HashMap;

use axum::body::{Body, Bytes};
use axum::http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use percent_encoding::percent_decode_str;

use encoding::Encoding;
pub use load::AssetsError;

/// What every response of the page says.
///
/// The policy: nothing but what this server serves runs, is shown or is connected to, and no other site may frame the
/// page. `wasm-unsafe-eval` lets WebAssembly be compiled and nothing else be evaluated (CSP Level 3, section 2.3.1).
const HEADERS: [(HeaderName, HeaderValue); 6] = [
    (
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
             media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'self'",
        ),
    ),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(self), microphone=(self), display-capture=(self)"),
    ),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    // Everything may be kept, and must be asked for again: with an ETag, that costs a round trip and no download.
    (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
];

/// The files of the page, by the path they are asked for.
#[derive(Debug)]
pub(crate) struct Assets {
    files: HashMap<String, Asset>,
}

/// One file.
#[derive(Debug)]
struct Asset {
    mime: HeaderValue,
    /// The file itself.
    plain: Variant,
    /// The same, compressed beforehand.
    compressed: Vec<(Encoding, Variant)>,
}

/// The bytes of a file in one encoding.
#[derive(Debug)]
struct Variant {
    bytes: Bytes,
    etag: HeaderValue,
}

impl Assets {
    /// Answers a request for `path`, as it stands in the request line.
    pub(crate) fn respond(&self, method: &Method, path: &str, headers: &HeaderMap) -> Response {
        if let Some(refused) = refuse_method(method) {
            return refused;
        }
        match self.find(path) {
            Some(asset) => asset.respond(method, headers),
            None => text(method, StatusCode::NOT_FOUND, "There is no such file here. The page is at /\n"),
        }
    }

    fn find(&self, path: &str) -> Option<&Asset> {
        let path = percent_decode_str(path).decode_utf8().ok()?;
        match path.strip_suffix('/') {
            Some(folder) => self.files.get(&format!("{folder}/index.html")),
            None => self.files.get(path.as_ref()),
        }
    }
}

impl Asset {
    fn respond(&self, method: &Method, headers: &HeaderMap) -> Response {
        let accepted = encoding::accepted(headers.get_all(ACCEPT_ENCODING).iter());
        let best = accepted.best(self.compressed.iter().map(|(encoding, _)| *encoding));
        let chosen = best.and_then(|best| self.compressed.iter().find(|(encoding, _)| *encoding == best));
        let (encoding, variant) = match chosen {
            Some((encoding, variant)) => (Some(*encoding), variant),
            None => (None, &self.plain),
        };

        let known = headers.get_all(IF_NONE_MATCH).iter().any(|tags| names(tags, &variant.etag));
        let mut response = if known {
            respond(StatusCode::NOT_MODIFIED, Body::empty())
        } else {
            let mut response = respond(StatusCode::OK, body(method, variant.bytes.clone()));
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, self.mime.clone());
            headers.insert(CONTENT_LENGTH, HeaderValue::from(variant.bytes.len()));
            if let Some(encoding) = encoding {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding.token()));
            }
            response
        };
        response.headers_mut().insert(ETAG, variant.etag.clone());
        response.headers_mut().insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        response
    }
}

/// The answer where there is no page at all.
pub(crate) fn without_a_page(method: &Method, path: &str) -> Response {
    if let Some(refused) = refuse_method(method) {
        return refused;
    }
    if path == "/" {
        text(
            method,
            StatusCode::OK,
            "This is a Duologue signaling server, without a page. Clients connect to /ws.\n\
             To serve the page as well, start it with --app and the folder the page was built into.\n",
        )
    } else {
        text(method, StatusCode::NOT_FOUND, "There is only signaling here, at /ws.\n")
    }
}

/// Whether an `If-None-Match` names this tag (RFC 9110, section 13.1.2: weakly compared).
fn names(tags: &HeaderValue, etag: &HeaderValue) -> bool {
    let (Ok(tags), Ok(etag)) = (tags.to_str(), etag.to_str()) else { return false };
    // Our tags hold hexadecimal digits only, so a comma never stands inside one.
    tags.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

fn refuse_method(method: &Method) -> Option<Response> {
    if method == Method::GET || method == Method::HEAD {
        return None;
    }
    let mut refused =
        text(method, StatusCode::METHOD_NOT_ALLOWED, "The page can only be read: use GET or HEAD.\n");
    refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    Some(refused)
}

fn text(method: &Method, status: StatusCode, text: &'static str) -> Response {
    let mut response = respond(status, body(method, Bytes::from_static(text.as_bytes())));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(text.len()));
    response
}

fn body(method: &Method, bytes: Bytes) -> Body {
    if method == Method::HEAD { Body::empty() } else { Body::from(bytes) }
}

fn respond(status: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().extend(HEADERS);
    response
}
