//! What `Forwarded` (RFC 7239) and `X-Forwarded-For` say: the addresses through which a request came, the nearest last.
//! A hop that gives no address, or one that cannot be read, is `None`.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::header::{FORWARDED, HeaderName};
use axum::http::{HeaderMap, HeaderValue};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The hops of `Forwarded`; `None` if there is no such header.
pub(super) fn standard(headers: &HeaderMap) -> Option<Vec<Option<IpAddr>>> {
    hops(headers, &FORWARDED, |line| match split(line, ',') {
        Some(elements) => elements.into_iter().map(element).collect(),
        None => vec![None],
    })
}

/// The hops of `X-Forwarded-For`, which no standard describes: addresses with commas between them. Some proxies write
/// ports as well.
pub(super) fn customary(headers: &HeaderMap) -> Option<Vec<Option<IpAddr>>> {
    hops(headers, &X_FORWARDED_FOR, |line| {
        line.split(',')
            .map(str::trim)
            .map(|hop| hop.parse::<Ipv6Addr>().ok().map(IpAddr::V6).or_else(|| node(hop)))
            .map(canonical)
            .collect()
    })
}

/// Several headers of one name are one (RFC 9110, section 5.2).
fn hops(
    headers: &HeaderMap,
    name: &HeaderName,
    read: impl Fn(&str) -> Vec<Option<IpAddr>>,
) -> Option<Vec<Option<IpAddr>>> {
    let mut lines = headers.get_all(name).iter().peekable();
    lines.peek()?;
    Some(lines.flat_map(|line: &HeaderValue| line.to_str().map_or_else(|_| vec![None], &read)).collect())
}

/// The address in one `forwarded-element` (RFC 7239, section 4): that of the one parameter `for`.
fn element(element: &str) -> Option<IpAddr> {
    let parameters = split(element, ';')?;
    let mut nodes = parameters.iter().filter_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| value.trim())
    });
    let (Some(value), None) = (nodes.next(), nodes.next()) else { return None };
    // An address needs no escapes, so a quoted string that has some is none.
    let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    canonical(node(unquoted.unwrap_or(value)))
}

/// A node with an address (RFC 7239, section 6): IPv4, or IPv6 in brackets; and perhaps a port.
fn node(node: &str) -> Option<IpAddr> {
    let bracketed = node.strip_prefix('[').and_then(|node| node.strip_suffix(']'));
    if let Some(ip) = bracketed {
        return ip.parse().ok().map(IpAddr::V6);
    }
    match node.parse::<SocketAddr>() {
        Ok(with_port) => Some(with_port.ip()),
        Err(_) => node.parse().ok().map(IpAddr::V4),
    }
}

fn canonical(ip: Option<IpAddr>) -> Option<IpAddr> {
    ip.map(|ip| ip.to_canonical())
}

/// The parts between separators that are not in a quoted string; `None` if a quoted string does not end.
fn split(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = text
        .split(|c: char| {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = quoted,
                '"' => quoted = !quoted,
                _ => return c == separator && !quoted,
            }
            false
        })
        .collect();
    (!quoted).then_some(parts)
}
