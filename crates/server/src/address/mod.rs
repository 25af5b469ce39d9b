//! Whose connection it is: the address that limits are counted by.
//!
//! Anybody can write any address into a header. So headers count only on a connection that comes from a proxy of one's
//! own, and of what they say only what such proxies have written: each adds the address that it was connected from at
//! the right, and what stands left of the first address that is no proxy may be invented.

mod forwarded;

use std::net::{IpAddr, Ipv6Addr};

use axum::http::HeaderMap;
use ipnet::IpNet;

/// Those who share an address: one IPv4 address, or the 64 bits of IPv6 that one customer has at least (RFC 6177,
/// section 2), so that nobody has more than one for the asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Source(IpAddr);

impl Source {
    /// The source that an address belongs to.
    pub(crate) fn of(ip: IpAddr) -> Self {
        Self(match ip.to_canonical() {
            IpAddr::V4(ip) => IpAddr::V4(ip),
            IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 64))),
        })
    }
}

/// The address of the client whose request came over a connection from `peer` with these headers.
///
/// Behind trusted proxies it is the last address in `Forwarded` (RFC 7239) or `X-Forwarded-For` that is not a trusted
/// proxy's. What cannot be read counts as the proxy that wrote it. So do two headers that do not agree: a proxy writes
/// one of them and may pass on the other as the client sent it, and which is which cannot be told.
pub(crate) fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let peer = peer.to_canonical();
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|network| network.contains(ip));
    if !is_trusted(&peer) {
        return peer;
    }
    // From the right: the last trusted one, or who was connected to it.
    let walk = |hops: Vec<Option<IpAddr>>| {
        let mut last = peer;
        for hop in hops.into_iter().rev() {
            match hop {
                Some(ip) if is_trusted(&ip) => last = ip,
                Some(ip) => return ip,
                None => return last,
            }
        }
        last
    };
    match (forwarded::standard(headers).map(walk), forwarded::customary(headers).map(walk)) {
        (None, None) => peer,
        (Some(ip), None) | (None, Some(ip)) => ip,
        (Some(standard), Some(customary)) if standard == customary => standard,
        (Some(_), Some(_)) => peer,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    /// Who the client is, behind proxies in 10.0.0.0/8 and fd00::/8.
    fn seen(peer: &str, headers: &[(&'static str, &str)]) -> String {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        let trusted = ["10.0.0.0/8", "fd00::/8"].map(|network| network.parse().unwrap());
        client(peer.parse().unwrap(), &map, &trusted).to_string()
    }

    #[test]
    fn who_is_no_trusted_proxy_is_who_is_connected_whatever_the_headers_say() {
        for headers in [
            &[][..],
            &[("x-forwarded-for", "203.0.113.9")],
            &[("forwarded", "for=203.0.113.9")],
            &[("x-forwarded-for", "10.0.0.1, 203.0.113.9")],
        ] {
            assert_eq!(seen("198.51.100.1", headers), "198.51.100.1", "{headers:?}");
        }
    }

    #[test]
    fn a_trusted_proxy_says_who_was_connected_to_it() {
        for (headers, client) in [
            (&[][..], "10.0.0.1"),
            (&[("x-forwarded-for", "203.0.113.9")], "203.0.113.9"),
            (&[("x-forwarded-for", "203.0.113.9:4711")], "203.0.113.9"),
            (&[("x-forwarded-for", "2001:db8::9")], "2001:db8::9"),
            (&[("x-forwarded-for", "[2001:db8::9]:4711")], "2001:db8::9"),
            (&[("x-forwarded-for", "::ffff:203.0.113.9")], "203.0.113.9"),
            (&[("forwarded", "for=203.0.113.9")], "203.0.113.9"),
            (&[("forwarded", "proto=https;For=\"203.0.113.9:4711\" ; by=10.0.0.1")], "203.0.113.9"),
            (&[("forwarded", "for=\"[2001:db8::9]:4711\"")], "2001:db8::9"),
            (&[("forwarded", "for=\"[2001:db8::9]\"")], "2001:db8::9"),
        ] {
            assert_eq!(seen("10.0.0.1", headers), client, "{headers:?}");
        }
        assert_eq!(seen("::ffff:10.0.0.1", &[("x-forwarded-for", "203.0.113.9")]), "203.0.113.9");
    }

    #[test]
    fn of_several_hops_the_last_that_is_not_trusted_counts_and_nothing_left_of_it() {
        for (headers, client) in [
            (&[("x-forwarded-for", "1.2.3.4, 203.0.113.9, 10.0.0.2, fd00::3")][..], "203.0.113.9"),
            (&[("x-forwarded-for", "1.2.3.4"), ("x-forwarded-for", "203.0.113.9,10.0.0.2")], "203.0.113.9"),
            (&[("forwarded", "for=1.2.3.4, for=203.0.113.9;proto=https, for=10.0.0.2")], "203.0.113.9"),
            (
                &[("forwarded", "for=1.2.3.4"), ("forwarded", "for=203.0.113.9,for=\"[fd00::3]\"")],
                "203.0.113.9",
            ),
            // Everybody is trusted: the first of them is the client.
            (&[("x-forwarded-for", "10.9.9.9, 10.0.0.2")], "10.9.9.9"),
        ] {
            assert_eq!(seen("10.0.0.1", headers), client, "{headers:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_counts_as_the_proxy_that_wrote_it() {
        for (headers, client) in [
            (&[("x-forwarded-for", "")][..], "10.0.0.1"),
            (&[("x-forwarded-for", "unknown")], "10.0.0.1"),
            (&[("x-forwarded-for", "203.0.113.9, nonsense, 10.0.0.2")], "10.0.0.2"),
            (&[("x-forwarded-for", "203.0.113.9:99999")], "10.0.0.1"),
            (&[("x-forwarded-for", "203.0.113.9, ")], "10.0.0.1"),
            (&[("forwarded", "for=unknown")], "10.0.0.1"),
            (&[("forwarded", "for=_hidden, for=10.0.0.2")], "10.0.0.2"),
            (&[("forwarded", "for=203.0.113.9, proto=https")], "10.0.0.1"),
            (&[("forwarded", "for=\"203.0.113.9")], "10.0.0.1"),
            (&[("forwarded", "for=2001:db8::9")], "10.0.0.1"),
            (&[("forwarded", "for=203.0.113.9;for=203.0.113.8")], "10.0.0.1"),
            (&[("forwarded", "by=\"x,for=203.0.113.9\"")], "10.0.0.1"),
            (&[("forwarded", ",,;;==\"\\")], "10.0.0.1"),
        ] {
            assert_eq!(seen("10.0.0.1", headers), client, "{headers:?}");
        }
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_bytes(b"203.0.113.9, \xff").unwrap());
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let peer: IpAddr = "10.0.0.1".parse().unwrap();
        assert_eq!(client(peer, &headers, &trusted), peer);
    }

    #[test]
    fn two_headers_count_only_if_they_agree() {
        let customary = ("x-forwarded-for", "203.0.113.9");
        assert_eq!(seen("10.0.0.1", &[customary, ("forwarded", "for=203.0.113.9")]), "203.0.113.9");
        // nginx, for one, writes X-Forwarded-For and passes on the Forwarded that somebody made up.
        assert_eq!(seen("10.0.0.1", &[customary, ("forwarded", "for=192.0.2.1")]), "10.0.0.1");
    }

    #[test]
    fn ipv6_counts_by_its_first_64_bits_and_ipv4_by_the_whole() {
        let source = |ip: &str| Source::of(ip.parse().unwrap());
        assert_eq!(source("2001:db8:0:1::1"), source("2001:db8:0:1:ffff:ffff:ffff:ffff"));
        assert_ne!(source("2001:db8:0:1::1"), source("2001:db8:0:2::1"));
        assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
        assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
        assert_ne!(source("::ffff:192.0.2.1"), source("::ffff:192.0.2.2"));
    }
}
