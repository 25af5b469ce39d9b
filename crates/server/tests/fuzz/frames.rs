//! WebSocket frames (RFC 6455, section 5.2), as they should be and otherwise.

use crate::random::Random;

pub const CONTINUATION: u8 = 0;
pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;

const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;

/// A frame that is the last of its message.
pub fn whole(random: &mut Random, opcode: u8, payload: &[u8]) -> Vec<u8> {
    with_head(random, FIN | opcode, payload)
}

fn with_head(random: &mut Random, first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = head(first, MASKED, payload.len() as u64);
    let mask = (random.next() as u32).to_be_bytes();
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

fn head(first: u8, masked: u8, length: u64) -> Vec<u8> {
    match length {
        0..=125 => vec![first, masked | length as u8],
        126..=0xffff => [&[first, masked | 126][..], &(length as u16).to_be_bytes()].concat(),
        _ => [&[first, masked | 127][..], &length.to_be_bytes()].concat(),
    }
}

/// A message in frames of any size, with others in between that may be there. Gives how many frames they are.
pub fn fragmented(random: &mut Random, opcode: u8, payload: &[u8]) -> (Vec<u8>, u64) {
    let (mut bytes, mut count, mut rest, mut opcode) = (Vec::new(), 0, payload, opcode);
    loop {
        let (part, after) = rest.split_at(random.below(rest.len() + 1).min(rest.len()));
        let is_last = after.is_empty() || count >= 10;
        let (part, after) = if is_last { (rest, &[][..]) } else { (part, after) };
        bytes.extend(with_head(random, if is_last { FIN | opcode } else { opcode }, part));
        count += 1;
        if is_last {
            return (bytes, count);
        }
        if random.one_in(4) {
            let opcode = random.pick(&[PING, PONG]);
            let said = random.bytes(3);
            bytes.extend(whole(random, opcode, &said));
            count += 1;
        }
        (rest, opcode) = (after, CONTINUATION);
    }
}

/// What ends a connection: it is no WebSocket, or no text.
pub fn fatal(random: &mut Random) -> Vec<u8> {
    let close = |code: u16, reason: &[u8]| [&code.to_be_bytes()[..], reason].concat();
    match random.below(15) {
        0 => [head(FIN | TEXT, 0, 2), b"{}".to_vec()].concat(),
        1 => with_head(random, FIN | 0x40 | TEXT, b"{}"),
        2 => {
            let reserved = random.pick(&[3, 4, 5, 6, 7, 11, 12, 13, 14, 15]);
            whole(random, reserved, b"{}")
        }
        3 => whole(random, CONTINUATION, b"{}"),
        4 => [with_head(random, TEXT, b"{"), with_head(random, FIN | TEXT, b"}")].concat(),
        5 => with_head(random, PING, b"half"),
        6 => whole(random, PING, &[b'x'; 126]),
        7 => [head(FIN | TEXT, MASKED, u64::MAX >> random.below(3)), random.bytes(40)].concat(),
        8 => [head(FIN | BINARY, MASKED, 256 * 1024 + 1), random.bytes(4000)].concat(),
        9 => {
            let text =
                random.pick(&[&[0xff][..], &[0xc0, 0x80], &[0xed, 0xa0, 0x80], b"{\"type\":\"\xe2\x82"]);
            whole(random, TEXT, text)
        }
        10 => whole(random, CLOSE, &[3]),
        11 => {
            let code = random.pick(&[0, 999, 1004, 1005, 1006, 1015, 2000, 5000, 65_535]);
            whole(random, CLOSE, &close(code, b"why"))
        }
        12 => whole(random, CLOSE, &close(1000, &[0xff, 0xfe])),
        13 => {
            // Far too large by its parts, of which none is.
            let mut bytes = with_head(random, TEXT, &[b'x'; 60_000]);
            (0..4).for_each(|_| bytes.extend(with_head(random, CONTINUATION, &[b'x'; 60_000])));
            bytes
        }
        _ => {
            let length = 2 + random.below(400);
            random.bytes(length)
        }
    }
}

/// A close frame with nothing wrong in it, whether it is a goodbye or not.
pub fn close(random: &mut Random) -> Vec<u8> {
    let code: u16 = random.pick(&[1000, 1001, 1000, 3000, 4000, 1011]);
    if random.one_in(5) { whole(random, CLOSE, b"") } else { whole(random, CLOSE, &code.to_be_bytes()) }
}
