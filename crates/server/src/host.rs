//! By which names the server may be asked.
//!
//! Whoever has a name of their own can let it lead to any address, this server's included, after their page has been
//! loaded from elsewhere (DNS rebinding). To the browser that page and this server are one origin then: `Origin` and `Host`
//! agree, and what keeps foreign pages out keeps this one in. So the server answers to its own names and to no others.
//! Nobody can let an address lead elsewhere: addresses are all right.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::HOST;
use axum::http::uri::Authority;
use rustls::pki_types::DnsName;

use crate::tls::{self, Tls};

/// A name or an address by which the server may be asked, and perhaps the port that goes with it: without one, any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    name: String,
    port: Option<u16>,
}

/// What is no host. The message says what one looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a host is a name or an address, and perhaps a port: call.example.org, or call.example.org:8443 (without a scheme, and \
     names with letters that are not English as browsers send them, beginning with xn--)"
)]
pub struct InvalidHost;

impl FromStr for Host {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        let authority = Authority::from_str(text.trim()).ok().and_then(plain).ok_or(InvalidHost)?;
        let name = canonical(authority.host());
        if !is_address(&name) && !is_name(&name) {
            return Err(InvalidHost);
        }
        Ok(Self { name, port: authority.port_u16() })
    }
}

impl Host {
    /// Browsers leave out the port of the scheme, and which scheme a proxy in front of the server speaks cannot be known.
    fn is(&self, name: &str, port: Option<u16>) -> bool {
        let fits = |wanted: u16| port.map_or(matches!(wanted, 80 | 443), |port| port == wanted);
        self.name == name && self.port.is_none_or(fits)
    }
}

/// The names that the server goes by.
#[derive(Debug)]
pub(crate) struct Hosts {
    listed: Vec<Host>,
    machine: Vec<String>,
    tls: Option<Tls>,
}

impl Hosts {
    /// Those that were named, those of this machine, and those that the certificate is for.
    pub(crate) fn new(listed: Vec<Host>, tls: Option<Tls>) -> Self {
        Self { listed, machine: tls::names(), tls }
    }

    /// Whether the server may be asked by this one.
    pub(crate) fn include(&self, host: &Authority) -> bool {
        let name = canonical(host.host());
        is_address(&name)
            || is_localhost(&name)
            || self.machine.contains(&name)
            || self.listed.iter().any(|listed| listed.is(&name, host.port_u16()))
            || self.tls.as_ref().is_some_and(|tls| tls.covers(&name))
    }
}

/// The host that a request is for (RFC 9112, section 3.2): that of the request line if it has one, that of the one `Host`
/// there must be otherwise.
pub(crate) fn of(request: &Request) -> Option<Authority> {
    let mut headers = request.headers().get_all(HOST).iter();
    let (Some(header), None) = (headers.next(), headers.next()) else { return None };
    let header = authority(header)?;
    request.uri().authority().cloned().map_or(Some(header), plain)
}

/// The value of a `Host` header, if it is a host and perhaps a port (RFC 9110, section 7.2).
pub(crate) fn authority(value: &HeaderValue) -> Option<Authority> {
    plain(Authority::try_from(value.as_bytes()).ok()?)
}

/// An authority without a user, and with a port that is a number if it has one.
pub(crate) fn plain(authority: Authority) -> Option<Authority> {
    let port = authority.as_str().strip_prefix(authority.host())?;
    let is_plain = !authority.host().is_empty() && (port.is_empty() || authority.port_u16().is_some());
    is_plain.then_some(authority)
}

/// Whether it is an address, as it stands in a URL.
pub(crate) fn is_address(host: &str) -> bool {
    let v6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    v6.map_or_else(|| host.parse::<Ipv4Addr>().is_ok(), |host| host.parse::<Ipv6Addr>().is_ok())
}

/// Whether it is a name that can be one of a machine (RFC 1123, section 2.1).
pub(crate) fn is_name(host: &str) -> bool {
    DnsName::try_from(host).is_ok()
}

/// Whether it is a name that leads to this machine wherever it is looked up (RFC 6761, section 6.3).
pub(crate) fn is_localhost(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

/// In one spelling: letters do not differ by their case, and a name may end with the dot of the root.
fn canonical(host: &str) -> String {
    let lower = host.to_ascii_lowercase();
    lower.strip_suffix('.').map(str::to_owned).unwrap_or(lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(listed: &[&str]) -> Hosts {
        Hosts {
            listed: listed.iter().map(|host| host.parse().unwrap()).collect(),
            machine: vec!["desk.local".to_owned(), "desk".to_owned()],
            tls: None,
        }
    }

    fn all(hosts: &Hosts, asked: &[&'static str], verdict: bool) {
        for host in asked {
            assert_eq!(hosts.include(&Authority::from_static(host)), verdict, "{host}");
        }
    }

    #[test]
    fn addresses_localhost_and_the_names_of_the_machine_are_its_own() {
        let own = [
            "127.0.0.1:8080",
            "192.168.1.5",
            "[::1]:8080",
            "[2001:db8::1]",
            "localhost",
            "LOCALHOST.:80",
            "app.localhost:8080",
            "desk:8080",
            "Desk.local",
            "desk.local.",
        ];
        all(&hosts(&[]), &own, true);
        all(&hosts(&["call.example.org"]), &own, true);
    }

    #[test]
    fn every_other_name_is_a_stranger_s() {
        all(
            &hosts(&[]),
            &[
                "rebind.example",
                "rebind.example:8080",
                "127.0.0.1.rebind.example",
                "localhost.rebind.example",
                "notlocalhost",
                ".localhost.evil",
                "desk.evil.example",
                "otherdesk",
                "1.2.3.4.5",
                "0x7f000001",
            ],
            false,
        );
    }

    #[test]
    fn a_name_that_is_listed_is_its_own_and_so_is_its_port_if_one_is_named() {
        let hosts = hosts(&["call.example.org", "Other.example:8443", "proxied.example:443"]);
        all(
            &hosts,
            &[
                "call.example.org",
                "call.example.org:8080",
                "CALL.example.org.",
                "other.example:8443",
                "proxied.example",
                "proxied.example:443",
            ],
            true,
        );
        all(
            &hosts,
            &[
                "www.call.example.org",
                "example.org",
                "call.example.org.evil.example",
                "other.example",
                "other.example:8080",
                "proxied.example:80",
            ],
            false,
        );
    }

    #[test]
    fn what_is_no_host_cannot_be_listed() {
        for text in [
            "",
            "*",
            "*.example.org",
            "https://call.example.org",
            "call.example.org/",
            "call.example.org:",
            "call.example.org:99999",
            "ada@call.example.org",
            "two words",
            "ärger.example",
            "[::1",
        ] {
            let error = text.parse::<Host>().unwrap_err();
            assert!(error.to_string().contains("call.example.org"), "{text}");
        }
    }

    fn asked(line: &str, hosts: &[&'static str]) -> Option<String> {
        let mut request = Request::builder().uri(line);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        of(&request.body(axum::body::Body::empty()).unwrap()).map(|host| host.to_string())
    }

    #[test]
    fn there_is_one_host_and_that_of_the_request_line_goes_before_it() {
        assert_eq!(asked("/", &["example.org:80"]).as_deref(), Some("example.org:80"));
        assert_eq!(asked("http://other.example/", &["example.org"]).as_deref(), Some("other.example"));
        for hosts in [&[][..], &["a", "a"], &[""], &["a b"], &["ada@example.org"], &["example.org:port"]] {
            assert_eq!(asked("/", hosts), None, "{hosts:?}");
        }
        assert_eq!(asked("http://ada@other.example/", &["example.org"]), None);
        assert_eq!(asked("http://other.example/", &[]), None);
    }
}
