//! How it is written and read: as JSON, in which the protocol's own messages are texts.

use duologue_protocol::{IceServers, ServerMessage, to_json};
use serde::Deserialize;

use super::{Envelope, VERSION};

/// The largest envelope that is read, in bytes.
const READABLE: usize = 1024 * 1024;

impl Envelope {
    /// As it is sent; `None` if it cannot be written, which does not happen.
    pub(in crate::cluster) fn write(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }

    /// Reads what came in.
    ///
    /// # Errors
    /// Says why it is dropped, without a word of what is in it.
    pub(in crate::cluster) fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        #[derive(Deserialize)]
        struct Head {
            v: u32,
        }
        if bytes.len() > READABLE {
            return Err("it is too large");
        }
        match serde_json::from_slice(bytes) {
            Ok(Head { v: VERSION }) => {}
            Ok(_) => return Err("it is of another version of this program: update all nodes"),
            Err(_) => return Err("it is no envelope"),
        }
        serde_json::from_slice(bytes).map_err(|_| "it is no envelope")
    }
}

/// The STUN and TURN servers, as text.
pub(in crate::cluster) fn written(ice: &IceServers) -> String {
    to_json(&ServerMessage::IceServers(ice.clone()))
}

/// The same, read again; none if it is no such text.
pub(in crate::cluster) fn ice_servers(text: &str) -> IceServers {
    match ServerMessage::from_json(text) {
        Ok(ServerMessage::IceServers(ice)) => ice,
        _ => IceServers::default(),
    }
}

#[cfg(test)]
mod tests {
    use duologue_protocol::limits;

    use super::super::{Item, Parcel, Person, Profile, Said};
    use super::*;
    use crate::cluster::settings::LARGEST_ROOM;

    #[test]
    fn an_envelope_is_read_as_it_was_written() {
        let item = Item::Say { id: "p".into(), connection: u64::MAX, n: 3, text: "{\"type\":\"x\"}".into() };
        let parcel = Parcel { room: "r".into(), epoch: 1 << 50, item };
        let envelope = Envelope {
            v: VERSION,
            from: "n".into(),
            link: u64::MAX,
            kept: 1,
            first: 1,
            ack_link: 2,
            ack: 3,
            unknown: None,
            parcels: vec![parcel],
        };
        let text = envelope.write().unwrap();
        let again = Envelope::read(text.as_bytes()).unwrap();
        assert_eq!(again.write().unwrap(), text);
    }

    #[test]
    fn a_member_of_the_largest_room_fits_in_an_envelope_and_weighs_what_it_takes() {
        let pair = || Some("p".repeat(48));
        let person = |n: usize| {
            let (id, name) = (format!("{n:032}"), Some("\u{1F600}".repeat(limits::NAME)));
            Person { id, name, protocol: Some(1), speaks: true }
        };
        let knows = (0..LARGEST_ROOM).map(|n| (person(n), pair())).collect();
        let pairs = (0..limits::PAIRS).filter_map(|_| pair()).collect();
        let heard = vec![Said { connection: u64::MAX, n: u64::MAX }; 64];
        let who = Profile { is: person(0), knows, pairs, heard, key: pair(), ..Profile::default() };
        let item = Item::Announce { who: Box::new(who), locked: true };
        let parcel = Parcel { room: "r".repeat(64), epoch: 1 << 50, item };
        let size = serde_json::to_vec(&parcel).unwrap().len();
        assert!(size < READABLE / 2, "{size}");
        assert!((size..size * 2).contains(&parcel.weight()), "{} for {size}", parcel.weight());
    }

    #[test]
    fn garbage_is_refused_in_words() {
        for garbage in ["", "{", "[]", "null", "{\"v\":1}", "\u{0}", "{\"v\":\"1\"}", "{\"v\":1,\"from\":7}"]
        {
            assert_eq!(Envelope::read(garbage.as_bytes()).unwrap_err(), "it is no envelope", "{garbage}");
        }
        assert!(Envelope::read(b"{\"v\":2}").unwrap_err().contains("update"));
        assert!(Envelope::read(&vec![b' '; READABLE + 1]).unwrap_err().contains("large"));
        let deep = "[".repeat(100_000);
        assert!(Envelope::read(deep.as_bytes()).is_err());
    }
}
