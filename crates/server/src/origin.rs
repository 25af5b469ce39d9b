//! Which pages may connect. A browser names the page's origin in every WebSocket handshake (RFC 6455, section 10.2),
//! and does not let the page change it; so a foreign page cannot use the server in its visitors' names.

use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::{Authority, Uri};
use axum::http::{HeaderMap, HeaderValue};

/// Whether a handshake with these headers may go on: there is no `Origin` (it is no browser), it is that of the
/// server itself, or the page is from this very machine.
pub(crate) fn allowed(headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(ORIGIN).iter();
    let Some(origin) = origins.next() else { return true };
    if origins.next().is_some() {
        return false;
    }
    let Some(origin) = Origin::read(origin) else { return false };
    origin.is_local() || headers.get(HOST).and_then(authority).is_some_and(|host| origin.is_at(&host))
}

/// A scheme, a host and perhaps a port (RFC 6454).
struct Origin {
    default_port: Option<u16>,
    authority: Authority,
}

impl Origin {
    fn read(value: &HeaderValue) -> Option<Self> {
        let uri = Uri::try_from(value.as_bytes()).ok()?;
        let default_port = match uri.scheme_str()? {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        };
        // An origin has no path, no query and no user. `Uri` reads an absent path as "/".
        if uri.path_and_query().is_some_and(|path| path.as_str() != "/") || value.as_bytes().ends_with(b"/") {
            return None;
        }
        let authority = plain(uri.authority()?.clone())?;
        Some(Self { default_port, authority })
    }

    fn is_local(&self) -> bool {
        matches!(self.authority.host().to_ascii_lowercase().as_str(), "localhost" | "127.0.0.1" | "[::1]")
    }

    fn is_at(&self, host: &Authority) -> bool {
        let port = |authority: &Authority| authority.port_u16().or(self.default_port);
        self.authority.host().eq_ignore_ascii_case(host.host()) && port(&self.authority) == port(host)
    }
}

fn authority(value: &HeaderValue) -> Option<Authority> {
    plain(Authority::try_from(value.as_bytes()).ok()?)
}

/// An authority without a user, and with a port that is a number if it has one.
fn plain(authority: Authority) -> Option<Authority> {
    let text = authority.as_str();
    let port = text.strip_prefix(authority.host())?;
    (port.is_empty() || authority.port_u16().is_some()).then_some(authority)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(origin: &'static str, host: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(ORIGIN, HeaderValue::from_static(origin));
        headers.insert(HOST, HeaderValue::from_static(host));
        allowed(&headers)
    }

    #[test]
    fn no_origin_is_no_browser() {
        assert!(allowed(&HeaderMap::new()));
    }

    #[test]
    fn the_page_of_the_server_itself_may_connect() {
        for (origin, host) in [
            ("https://example.org", "example.org"),
            ("https://example.org", "example.org:443"),
            ("http://example.org:8080", "example.org:8080"),
            ("http://Example.org", "example.ORG:80"),
            ("http://[2001:db8::1]:8080", "[2001:db8::1]:8080"),
        ] {
            assert!(verdict(origin, host), "{origin} at {host}");
        }
    }

    #[test]
    fn a_page_from_this_machine_may_connect_whatever_its_port() {
        for origin in
            ["http://localhost:3000", "https://localhost", "http://127.0.0.1:1", "http://[::1]:8080"]
        {
            assert!(verdict(origin, "example.org"), "{origin}");
        }
    }

    #[test]
    fn every_other_page_is_refused() {
        for origin in [
            "https://evil.example",
            "http://example.org:8081",
            "https://example.org",
            "http://localhost.evil.example",
            "http://localhost@evil.example",
            "http://127.0.0.1.evil.example",
            "http://example.org:8080/path",
            "http://example.org:8080/",
            "http://user@example.org:8080",
            "http://localhost:port",
            "example.org:8080",
            "null",
            "",
            "file://",
        ] {
            assert!(!verdict(origin, "example.org:8080"), "{origin}");
        }
    }

    #[test]
    fn two_origins_are_none() {
        let mut headers = HeaderMap::new();
        headers.append(ORIGIN, HeaderValue::from_static("http://localhost"));
        headers.append(ORIGIN, HeaderValue::from_static("http://localhost"));
        assert!(!allowed(&headers));
    }
}
