//! The address of a STUN or TURN server (RFC 7064, RFC 7065), as far as the check has to read it.

/// What an address ends in that asks for TCP.
pub(super) const TCP: &str = "transport=tcp";

/// Whether two addresses are of one server: browsers write the port out where nobody gave one.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (split(one), split(other));
    one.0.eq_ignore_ascii_case(other.0) && one.1.eq_ignore_ascii_case(other.1) && one.2 == other.2
}

/// The name or address of the computer.
pub(super) fn host(url: &str) -> &str {
    split(url).1
}

/// Whether it is spoken to over UDP.
pub(super) fn is_udp(url: &str) -> bool {
    let (scheme, ..) = split(url);
    !scheme.ends_with('s') && !url.ends_with(TCP)
}

/// The scheme, the host and the port.
fn split(url: &str) -> (&str, &str, u16) {
    let (scheme, rest) = url.split_once(':').unwrap_or(("", url));
    let place = rest.split('?').next().unwrap_or(rest);
    let usual = if scheme.ends_with('s') { 5349 } else { 3478 };
    // What is in brackets has colons of its own. Numbers are found from behind.
    let digits = place.bytes().rev().take_while(u8::is_ascii_digit).count();
    let parts = place.split_at_checked(place.len() - digits);
    match parts.and_then(|(before, port)| Some((before.strip_suffix(':')?, port))) {
        Some((host, port)) => (scheme, host, port.parse().unwrap_or(usual)),
        None => (scheme, place, usual),
    }
}

#[cfg(test)]
mod tests {
    use super::{host, is_same, is_udp};

    #[test]
    fn a_server_is_the_same_with_its_usual_port_written_out_or_not() {
        for (one, other) in [
            ("stun:stun.example.org", "stun:stun.example.org:3478"),
            ("stun:STUN.example.org", "stun:stun.example.org:3478"),
            ("stun:[2001:db8::1]", "stun:[2001:db8::1]:3478"),
            ("turns:turn.example.org?transport=tcp", "turns:turn.example.org:5349"),
        ] {
            assert!(is_same(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("stun:stun.example.org:3479", "stun:stun.example.org"),
            ("stun:one.example.org", "stun:two.example.org"),
            ("stun:one.example.org", "turn:one.example.org"),
        ] {
            assert!(!is_same(one, other), "{one} {other}");
        }
        assert_eq!(host("stun:[2001:db8::1]:3479"), "[2001:db8::1]");
    }

    #[test]
    fn udp_is_spoken_unless_the_address_says_otherwise() {
        assert!(is_udp("stun:one") && is_udp("turn:one:3478") && is_udp("turn:one?transport=udp"));
        assert!(!is_udp("stuns:one") && !is_udp("turns:one") && !is_udp("turn:one?transport=tcp"));
    }
}
