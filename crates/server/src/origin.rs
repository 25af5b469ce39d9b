//! Which pages may connect. A browser names the page's origin in every WebSocket handshake (RFC 6455, section 10.2),
//! and does not let the page change it; so a foreign page cannot use the server in its visitors' names.

use std::str::FromStr;

use axum::http::HeaderMap;
use axum::http::header::ORIGIN;
use axum::http::uri::{Authority, Uri};

use crate::host;

/// Where a page comes from (RFC 6454): a scheme, a host and perhaps a port, such as `https://call.example.org`. Apps have
/// schemes of their own, such as `capacitor://localhost` and `tauri://localhost`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    host: String,
    /// That of the scheme, if none was named and the scheme has one.
    port: Option<u16>,
}

/// What is no origin. The message says what one looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidOrigin {
    /// It is what browsers say of pages that have none, of which anybody can make one (RFC 6454, section 7.3).
    #[error("any page can be without an origin, which is what null means: name one that only your page has")]
    Null,
    /// It is something else.
    #[error(
        "an origin is a scheme, a host and perhaps a port, and nothing after them: https://call.example.org, \
         http://192.168.1.5:3000 or capacitor://localhost (names with letters that are not English as browsers send them, \
         beginning with xn--)"
    )]
    Malformed,
}

impl FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        if text.trim().eq_ignore_ascii_case("null") {
            return Err(InvalidOrigin::Null);
        }
        Self::read(text.trim()).ok_or(InvalidOrigin::Malformed)
    }
}

impl Origin {
    fn read(text: &str) -> Option<Self> {
        let uri = Uri::from_str(text).ok()?;
        // An origin has no path, no query and no user. `Uri` reads an absent path as "/".
        if uri.path_and_query().is_some_and(|path| path.as_str() != "/") || text.ends_with('/') {
            return None;
        }
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let authority = host::plain(uri.authority()?.clone())?;
        if !host::is_address(authority.host()) && !host::is_name(authority.host()) {
            return None;
        }
        let port = authority.port_u16().or_else(|| default_port(&scheme));
        Some(Self { scheme, host: authority.host().to_ascii_lowercase(), port })
    }

    /// Whether it is a page from this very machine.
    fn is_local(&self) -> bool {
        default_port(&self.scheme).is_some()
            && (host::is_localhost(&self.host) || matches!(self.host.as_str(), "127.0.0.1" | "[::1]"))
    }

    /// Whether it is a page from the server that was asked by this host. Whether a proxy in front of the server spoke
    /// HTTPS cannot be known; that the server speaks it can.
    fn is_at(&self, host: &Authority, encrypted: bool) -> bool {
        let Some(default) = default_port(&self.scheme) else { return false };
        (self.scheme == "https" || !encrypted)
            && self.host.eq_ignore_ascii_case(host.host())
            && self.port == Some(host.port_u16().unwrap_or(default))
    }
}

/// The port of the schemes that servers are asked by.
fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// Which pages may connect.
#[derive(Debug)]
pub(crate) struct Origins {
    /// Those that were named. If there are any, being from this machine is no longer enough.
    pub(crate) listed: Vec<Origin>,
    /// Whether the server speaks HTTPS itself.
    pub(crate) encrypted: bool,
}

impl Origins {
    /// Whether a handshake with these headers, for this host, may go on: there is no `Origin` (it is no browser), it is
    /// that of the server itself, or the page is one of those that may.
    pub(crate) fn allow(&self, headers: &HeaderMap, host: &Authority) -> bool {
        let mut origins = headers.get_all(ORIGIN).iter();
        let Some(origin) = origins.next() else { return true };
        if origins.next().is_some() {
            return false;
        }
        let Some(origin) = origin.to_str().ok().and_then(Origin::read) else { return false };
        let listed = if self.listed.is_empty() { origin.is_local() } else { self.listed.contains(&origin) };
        listed || origin.is_at(host, self.encrypted)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn origins(listed: &[&str]) -> Origins {
        Origins { listed: listed.iter().map(|origin| origin.parse().unwrap()).collect(), encrypted: false }
    }

    fn verdict(origins: &Origins, origin: &'static str, host: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(ORIGIN, HeaderValue::from_static(origin));
        origins.allow(&headers, &Authority::from_static(host))
    }

    #[test]
    fn no_origin_is_no_browser() {
        assert!(origins(&[]).allow(&HeaderMap::new(), &Authority::from_static("example.org")));
    }

    #[test]
    fn the_page_of_the_server_itself_may_connect_whatever_else_is_listed() {
        for (origin, host) in [
            ("https://example.org", "example.org"),
            ("https://example.org", "example.org:443"),
            ("http://example.org:8080", "example.org:8080"),
            ("http://Example.org", "example.ORG:80"),
            ("http://[2001:db8::1]:8080", "[2001:db8::1]:8080"),
            ("http://localhost:8080", "localhost:8080"),
        ] {
            assert!(verdict(&origins(&[]), origin, host), "{origin} at {host}");
            assert!(verdict(&origins(&["https://other.example"]), origin, host), "{origin} at {host}");
        }
    }

    #[test]
    fn a_page_from_this_machine_may_connect_whatever_its_port_unless_others_are_listed() {
        for origin in [
            "http://localhost:3000",
            "https://localhost",
            "http://app.localhost:3000",
            "http://127.0.0.1:1",
            "http://[::1]:8080",
        ] {
            assert!(verdict(&origins(&[]), origin, "example.org"), "{origin}");
            assert!(!verdict(&origins(&["https://other.example"]), origin, "example.org"), "{origin}");
        }
    }

    #[test]
    fn of_other_pages_exactly_those_that_are_listed_may_connect() {
        let origins = origins(&[
            "https://app.example",
            "http://Dev.example:3000",
            "capacitor://localhost",
            "tauri://localhost",
        ]);
        for origin in [
            "https://app.example",
            "https://app.example:443",
            "http://dev.example:3000",
            "capacitor://localhost",
            "tauri://localhost",
        ] {
            assert!(verdict(&origins, origin, "example.org"), "{origin}");
        }
        for origin in [
            "http://app.example",
            "https://app.example:8443",
            "https://www.app.example",
            "https://app.example.evil.example",
            "https://dev.example:3000",
            "http://dev.example",
            "ionic://localhost",
            "capacitor://localhost:1",
            "http://localhost",
            "null",
        ] {
            assert!(!verdict(&origins, origin, "example.org"), "{origin}");
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
            "capacitor://localhost",
            "capacitor://example.org:8080",
            "example.org:8080",
            "null",
            "",
            "file://",
        ] {
            assert!(!verdict(&origins(&[]), origin, "example.org:8080"), "{origin}");
        }
    }

    #[test]
    fn where_the_server_speaks_https_its_own_page_does_too() {
        let origins = Origins { encrypted: true, ..origins(&[]) };
        assert!(verdict(&origins, "https://example.org:8443", "example.org:8443"));
        assert!(!verdict(&origins, "http://example.org:8443", "example.org:8443"));
        assert!(!verdict(&origins, "http://example.org", "example.org"));
    }

    #[test]
    fn two_origins_are_none() {
        let mut headers = HeaderMap::new();
        headers.append(ORIGIN, HeaderValue::from_static("http://localhost"));
        headers.append(ORIGIN, HeaderValue::from_static("http://localhost"));
        assert!(!origins(&[]).allow(&headers, &Authority::from_static("localhost")));
    }

    #[test]
    fn what_is_no_origin_cannot_be_listed_and_the_words_say_what_one_is() {
        for text in [
            "",
            "*",
            "https://*.example.org",
            "call.example.org",
            "https://call.example.org/",
            "https://call.example.org/page",
            "https://ada@call.example.org",
            "https://call.example.org:",
            "https://call.example.org:99999",
            "https://",
            "file://",
            "https://ärger.example",
        ] {
            let error = text.parse::<Origin>().unwrap_err();
            assert!(error.to_string().contains("https://call.example.org"), "{text}: {error}");
        }
        assert_eq!("null".parse::<Origin>(), Err(InvalidOrigin::Null));
    }
}
