//! How the addresses of STUN and TURN servers are written: RFC 7064 and RFC 7065.

use std::net::Ipv6Addr;

/// Whether this is `stun:HOST`, `stun:HOST:PORT` or the same with `stuns:` (RFC 7064, section 3.1).
pub(crate) fn is_stun(url: &str) -> bool {
    let rest = url.strip_prefix("stun:").or_else(|| url.strip_prefix("stuns:"));
    rest.is_some_and(is_place)
}

/// Whether this is `turn:HOST`, `turn:HOST:PORT` or the same with `turns:`, and perhaps `?transport=udp` or
/// `?transport=tcp` after it (RFC 7065, section 3.1).
pub(crate) fn is_turn(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("turn:").or_else(|| url.strip_prefix("turns:")) else { return false };
    match rest.split_once('?') {
        Some((place, query)) => matches!(query, "transport=udp" | "transport=tcp") && is_place(place),
        None => is_place(rest),
    }
}

/// A host and perhaps a port. An IPv6 address is in brackets (RFC 3986, section 3.2.2).
fn is_place(place: &str) -> bool {
    let (host_is_one, port) = match place.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) => (address.parse::<Ipv6Addr>().is_ok(), port),
            None => return false,
        },
        None => {
            let (host, port) = place.split_at(place.find(':').unwrap_or(place.len()));
            (is_name(host), port)
        }
    };
    host_is_one && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

/// The name of a host, or an IPv4 address: what can be looked up, and not all that RFC 3986 would let pass.
fn is_name(host: &str) -> bool {
    !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

fn is_port(port: &str) -> bool {
    port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_the_rfcs_write_them() {
        for place in
            ["example.org", "example.org:3478", "192.0.2.1", "192.0.2.1:65535", "[2001:db8::1]", "[::1]:1"]
        {
            for scheme in ["stun", "stuns"] {
                assert!(is_stun(&format!("{scheme}:{place}")), "{scheme}:{place}");
                assert!(!is_turn(&format!("{scheme}:{place}")), "{scheme}:{place}");
                // RFC 7064, appendix B: STUN has no transport in its address.
                assert!(!is_stun(&format!("{scheme}:{place}?transport=udp")), "{scheme}:{place}");
            }
            for (scheme, query) in [
                ("turn", ""),
                ("turns", ""),
                ("turn", "?transport=udp"),
                ("turn", "?transport=tcp"),
                ("turns", "?transport=tcp"),
            ] {
                assert!(is_turn(&format!("{scheme}:{place}{query}")), "{scheme}:{place}{query}");
                assert!(!is_stun(&format!("{scheme}:{place}{query}")), "{scheme}:{place}{query}");
            }
        }
    }

    #[test]
    fn what_is_written_otherwise_is_refused() {
        for rest in [
            "",
            ":3478",
            "//example.org",
            "example.org:",
            "example.org:0",
            "example.org:65536",
            "example.org:+1",
            "example.org:port",
            "example.org:1:2",
            "example.org/path",
            "user@example.org",
            "a b",
            "2001:db8::1",
            "[2001:db8::1",
            "[192.0.2.1]",
            "[::1]3478",
            "example.org,other.example",
        ] {
            assert!(!is_stun(&format!("stun:{rest}")), "{rest}");
            assert!(!is_turn(&format!("turn:{rest}")), "{rest}");
        }
        for url in ["", "example.org", "http://example.org", "stun", "turn", "STUN:example.org"] {
            assert!(!is_stun(url) && !is_turn(url), "{url}");
        }
        for query in ["?", "?transport=", "?transport=sctp", "?transport=udp&x", "?x=udp", "?transport=UDP"] {
            assert!(!is_turn(&format!("turn:example.org{query}")), "{query}");
        }
    }
}
