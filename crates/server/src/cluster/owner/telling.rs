//! What the room tells clients of other nodes: each has an outbox, and a task that passes on to its node what comes out.

use duologue_protocol::PeerId;
use tokio::sync::oneshot;

use super::{Afar, Owner};
use crate::cluster::afar::{News, decided, pass_on};
use crate::cluster::way::Way;
use crate::cluster::wire::{How, Item};
use crate::outbox::{Outbox, outbox};
use crate::room::Admission;

impl Owner {
    /// An outbox for a client that asks to come in, and where the room says whether it is in.
    pub(super) fn connect(
        &mut self,
        from: &str,
        id: &PeerId,
        connection: u64,
    ) -> (Outbox, oneshot::Sender<Admission>) {
        let (outbox, way) = self.outbox(from, id, connection);
        let (admitted, admission) = oneshot::channel();
        tokio::spawn(decided(way, connection, admission, self.news.clone()));
        (outbox, admitted)
    }

    /// An outbox for a client of this node, and the way to the node. What the client has said before is known on.
    pub(super) fn outbox(&mut self, from: &str, id: &PeerId, connection: u64) -> (Outbox, Way) {
        let way = self.way(from);
        let (outbox, outgoing) = outbox(self.rooms.settings().queue, self.rooms.metrics().clone());
        let said = self.afar.get(&connection).map_or(0, |afar| afar.said);
        self.afar.insert(connection, Afar { node: from.to_owned(), id: id.clone(), said });
        tokio::spawn(pass_on(way.clone(), (id.to_string(), connection), outgoing, self.news.clone()));
        (outbox, way)
    }

    /// Something has come of a client of another node.
    pub(in crate::cluster) fn news(&mut self, news: News) {
        match news {
            News::Admitted { way, connection, how } if way.epoch() == self.epoch => {
                let who = (how == How::Inside).then(|| self.room.profile(connection)).flatten().map(Box::new);
                way.send(Item::Admitted { connection, how, who, locked: self.room.is_locked() });
            }
            News::Over { way, connection } if !self.room.has(connection) => {
                // Of one that has ended, or whose node is gone, nobody needs to be told.
                if self.afar.remove(&connection).is_some() && way.epoch() == self.epoch {
                    way.send(Item::Over { connection });
                }
            }
            News::Admitted { .. } | News::Over { .. } => {}
        }
    }
}
