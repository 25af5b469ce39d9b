//! What nodes tell each other of people, and the same read by the types of the protocol: these have limits, which another
//! node is not trusted to keep.

use duologue_protocol::{JoinKey, Name, PairToken, PeerId, PeerInfo, Rights, SessionToken};
use serde::{Deserialize, Serialize};

use super::Said;

/// All that a room has to know of a member to go on with it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Profile {
    /// Their connection.
    pub(crate) connection: u64,
    /// What the others know of them.
    pub(crate) is: Person,
    /// Their rights: to join, to speak, to govern.
    pub(crate) rights: (bool, bool, bool),
    /// Their key, if they have one.
    pub(crate) key: Option<String>,
    /// The tokens of their pairs, the newest last.
    pub(crate) pairs: Vec<String>,
    /// Their session.
    pub(crate) session: String,
    /// The number of the last message they were told.
    pub(crate) seq: u64,
    /// Whom they know to be in the room, and the tokens of those pairs.
    pub(crate) knows: Vec<(Person, Option<String>)>,
    /// The last message they have had over each connection.
    pub(crate) heard: Vec<Said>,
}

/// What people know of each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Person {
    /// Their id.
    pub(crate) id: String,
    /// Their name.
    pub(crate) name: Option<String>,
    /// Their protocol.
    pub(crate) protocol: Option<u32>,
    /// Whether they may speak.
    pub(crate) speaks: bool,
}

impl From<&PeerInfo> for Person {
    fn from(info: &PeerInfo) -> Self {
        Self {
            id: info.id.to_string(),
            name: info.name.as_ref().map(|name| name.as_str().to_owned()),
            protocol: info.protocol,
            speaks: info.speaks,
        }
    }
}

impl Person {
    /// The same in the types of the protocol, if it is within their limits.
    pub(crate) fn info(&self) -> Option<PeerInfo> {
        let name = match &self.name {
            Some(name) => Some(Name::new(name.clone()).ok()?),
            None => None,
        };
        let id = PeerId::new(self.id.clone()).ok()?;
        Some(PeerInfo { id, name, protocol: self.protocol, speaks: self.speaks })
    }
}

impl Profile {
    /// Their rights.
    pub(crate) fn rights(&self) -> Rights {
        let (join, speak, admin) = self.rights;
        Rights { join, speak, admin }
    }

    /// Their key.
    pub(crate) fn key(&self) -> Option<JoinKey> {
        JoinKey::new(self.key.clone()?).ok()
    }

    /// Their session.
    pub(crate) fn session(&self) -> Option<SessionToken> {
        SessionToken::new(self.session.clone()).ok()
    }

    /// The tokens of their pairs.
    pub(crate) fn pairs(&self) -> Vec<PairToken> {
        self.pairs.iter().filter_map(|pair| PairToken::new(pair.clone()).ok()).collect()
    }

    /// About how many bytes it takes as it is sent.
    pub(super) fn weight(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(4, |text| text.len() + text.len() / 8);
        let person = |person: &Person| 80 + person.id.len() + text(&person.name);
        let knows = self.knows.iter().map(|(other, pair)| person(other) + text(pair) + 8);
        let pairs = self.pairs.iter().map(|pair| pair.len() + 4);
        let heard = self.heard.len() * 72;
        512 + person(&self.is)
            + text(&self.key)
            + self.session.len()
            + knows.chain(pairs).sum::<usize>()
            + heard
    }

    /// Whom they know.
    pub(crate) fn knows(&self) -> impl Iterator<Item = (PeerInfo, Option<PairToken>)> {
        self.knows.iter().filter_map(|(person, pair)| {
            Some((person.info()?, pair.as_ref().and_then(|pair| PairToken::new(pair.clone()).ok())))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_within_the_limits_is_nobody() {
        let person = Person { id: "x".repeat(1000), ..Person::default() };
        assert!(person.info().is_none());
        let person = Person { id: "x".into(), name: Some("n".repeat(1000)), ..Person::default() };
        assert!(person.info().is_none());
    }
}
