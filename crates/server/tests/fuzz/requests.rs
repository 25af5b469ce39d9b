//! What comes instead of a handshake.

use crate::random::Random;

/// Bytes for a connection that never becomes a WebSocket.
pub fn any(random: &mut Random) -> Vec<u8> {
    let upgrade = super::common::upgrade("localhost", "");
    let line = match random.below(14) {
        0 => {
            let length = random.below(3000);
            return random.bytes(length);
        }
        1 => {
            // The beginning of TLS.
            let length = random.below(500);
            return [&[22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3][..], &random.bytes(length)].concat();
        }
        2 => upgrade[..random.below(upgrade.len())].to_owned(),
        3 => {
            let mut bytes = upgrade.into_bytes();
            for _ in 0..=random.below(5) {
                let at = random.below(bytes.len());
                bytes[at] = random.next() as u8;
            }
            return bytes;
        }
        4 => upgrade.replace("13", random.pick(&["12", "", "99999999999999999999", "13, 8"])),
        5 => upgrade.replace("dGhlIHNhbXBsZSBub25jZQ==", random.pick(&["", "x", "dGhlIHNhbXBsZQ=="])),
        6 => upgrade
            .replace("localhost", random.pick(&["rebind.example", "", "a b", "[::1", "localhost:99999"])),
        7 => upgrade
            .replace("\r\n\r\n", random.pick(&["\r\nOrigin: null\r\n\r\n", "\r\nOrigin: https://a\r\n\r\n"])),
        8 => format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(random.below(40_000))),
        9 => format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "X: y\r\n".repeat(random.below(3000))),
        10 => format!("POST /ws HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\nx", random.next()),
        11 => "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"
            .to_owned(),
        12 => "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(1 + random.below(20)),
        _ => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
    };
    line.into_bytes()
}
