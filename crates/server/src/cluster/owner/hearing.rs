//! What guests say: what their clients ask the room and say in it, and who of them has gone.

use duologue_protocol::{PeerId, SessionToken};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{Late, Owner};
use crate::cluster::afar::Receipt;
use crate::cluster::speech::command;
use crate::cluster::wire::{Item, Profile, Said, ice_servers};
use crate::pace::{Counted, Permit};
use crate::room::{Answer, Command, Newcomer, Parting, Place, Resumption};

impl Owner {
    /// Another node says this, in this epoch.
    pub(in crate::cluster) fn hear(&mut self, from: &str, item: Item, now: Instant) {
        let asks = match &item {
            Item::Join { who, .. } => Some(who.connection),
            Item::Resume { connection, .. } => Some(*connection),
            _ => None,
        };
        if asks.is_some_and(|connection| self.is_late(connection)) {
            // Asked again by a node that cannot know whether it had arrived.
            return;
        }
        let waits = match &item {
            Item::Join { .. } | Item::Resume { .. } => self.settles.is_some(),
            Item::End { connection, .. } => self.is_late(*connection),
            _ => false,
        };
        if waits {
            return self.late.push(Late::Afar(from.to_owned(), item));
        }
        match item {
            Item::Join { who, ice } => self.join(from, &who, &ice, now),
            Item::Resume { id, session, connection, seq, ice } => {
                let (Ok(id), Ok(session)) = (PeerId::new(id), SessionToken::new(session)) else { return };
                let (outbox, admitted) = self.connect(from, &id, connection);
                let ice = ice_servers(&ice);
                let resumption =
                    Resumption { id, session, seq, ice, outbox, connection, permit: None, admitted };
                self.room.handle(Command::Resume(resumption), now);
            }
            Item::Announce { who, locked } => {
                let Some(info) = who.is.info() else { return };
                let (outbox, _) = self.outbox(from, &info.id, who.connection);
                self.room.adopt(&who, outbox, locked, now);
            }
            Item::Say { id, connection, n, text } => self.say(from, id, Said { connection, n }, &text, now),
            Item::End { id, connection, left } => {
                let Ok(id) = PeerId::new(id) else { return };
                let parting = if left { Parting::Left } else { Parting::Broken };
                self.end(Place { id, connection }, parting, now);
            }
            Item::Remove { id, question } => {
                let was = PeerId::new(id).is_ok_and(|id| {
                    let (done, mut removed) = oneshot::channel();
                    self.room.handle(Command::Remove { id, done }, now);
                    removed.try_recv().unwrap_or(false)
                });
                self.way(from).send(Item::Removed { question, was });
            }
            // What an owner says.
            Item::Admitted { .. }
            | Item::Tell { .. }
            | Item::Done { .. }
            | Item::Dismiss { .. }
            | Item::Over { .. }
            | Item::Removed { .. }
            | Item::Stale => {}
        }
    }

    /// A node does not live, and its clients have no connection.
    pub(in crate::cluster) fn gone(&mut self, node: &str, now: Instant) {
        let of_node = self.afar.iter().filter(|(_, afar)| afar.node == node);
        let lost: Vec<_> = of_node.map(|(at, afar)| (*at, afar.id.clone())).collect();
        for (connection, id) in lost {
            self.end(Place { id, connection }, Parting::Broken, now);
        }
    }

    /// A connection has ended.
    fn end(&mut self, of: Place, parting: Parting, now: Instant) {
        self.afar.remove(&of.connection);
        self.room.handle(Command::End { of, parting, heard: None }, now);
    }

    /// Somebody wants to come in.
    fn join(&mut self, from: &str, who: &Profile, ice: &str, now: Instant) {
        // It may be said twice, if the node could not know whether it had arrived.
        if self.room.has(who.connection) {
            return;
        }
        let (Some(info), Some(session)) = (who.is.info(), who.session()) else { return };
        let (outbox, admitted) = self.connect(from, &info.id, who.connection);
        let newcomer = Newcomer {
            info,
            rights: who.rights(),
            key: who.key(),
            pairs: who.pairs(),
            session,
            ice: ice_servers(ice),
            outbox,
            connection: who.connection,
            permit: None,
            admitted: Answer::Join(admitted),
        };
        self.room.handle(Command::Join(newcomer), now);
    }

    /// A client says this. The node that it is connected to is told when it is with whom it was for, or answered.
    fn say(&mut self, from: &str, id: String, said: Said, text: &str, now: Instant) {
        let Said { connection, n } = said;
        let Ok(id) = PeerId::new(id) else { return };
        if n > 0 {
            // What a link loses that begins anew is said again after its connection was announced. Until then nothing
            // later is taken in, or the earlier would pass for what the recipient has had.
            let Some(afar) = self.afar.get_mut(&connection) else {
                return self.way(from).send(Item::Stale);
            };
            if n <= afar.said {
                // It was announced anew, and said again what is not confirmed.
                return;
            }
            afar.said = n;
        }
        let receipt = (n > 0).then(|| Receipt { way: self.way(from), said, void: self.void.clone() });
        let permit = receipt
            .map(|receipt| Permit::Counted(Box::new(Counted { said, own: None, receipt: Some(receipt) })));
        if let Some(command) = command(text, Place { id, connection }, permit) {
            self.room.handle(command, now);
        }
    }
}
