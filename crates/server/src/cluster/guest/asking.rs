//! What the clients of this node ask and say, on its way to the owner.

use std::collections::VecDeque;

use tokio::time::Instant;

use super::{Guest, Left};
use crate::cluster::local::{Local, Standing, Waits};
use crate::cluster::speech::spoken;
use crate::cluster::wire::{Item, Person, Profile, written};
use crate::outbox::Outbox;
use crate::pace::Permit;
use crate::refusal;
use crate::room::{Command, Newcomer, Place, Resumption};

impl Guest {
    /// A connection of this node asks or says this.
    pub(in crate::cluster) fn local(&mut self, command: Command) {
        let spoken = spoken(&command);
        match command {
            Command::Join(newcomer) => self.join(newcomer),
            Command::Resume(resumption) => self.resume(resumption),
            Command::Relay { from, permit, .. } | Command::Govern { from, permit, .. } => {
                self.say(&from, spoken, permit);
            }
            Command::Acknowledge { from, .. } => {
                let way = self.way();
                if let (Some(local), Some(text)) = (self.locals.get_mut(&from.connection), spoken)
                    && !self.node.is_cut()
                    && local.may_acknowledge(Instant::now())
                {
                    way.send(local.say(0, text));
                }
            }
            Command::End { of, parting, heard } => {
                if let Some(local) = self.locals.remove(&of.connection) {
                    self.way().send(local.end(parting));
                    if !local.pending.is_empty() {
                        let until = Instant::now() + self.rooms.settings().grace;
                        self.left.push(Left { local, parting, until });
                    }
                }
                // From here on this node tells the connection nothing of the room.
                if let Some(heard) = heard {
                    let _ = heard.send(());
                }
            }
            Command::Remove { id, done } => {
                self.questions += 1;
                self.way().send(Item::Remove { id: id.to_string(), question: self.questions });
                self.removes.insert(self.questions, (id, done));
            }
            Command::Node(_) => {}
        }
    }

    /// Somebody wants to come in.
    pub(in crate::cluster) fn join(&mut self, newcomer: Newcomer) {
        let Newcomer { info, rights, key, pairs, session, ice, outbox, connection, permit, admitted } =
            newcomer;
        let profile = Profile {
            connection,
            is: Person::from(&info),
            rights: (rights.join, rights.speak, rights.admin),
            key: key.as_ref().map(ToString::to_string),
            pairs: pairs.iter().map(ToString::to_string).collect(),
            session: session.as_str().to_owned(),
            ..Profile::default()
        };
        let since = Instant::now();
        let standing = Standing::Joins { ice: written(&ice), answer: admitted, permit, since };
        self.ask(Place { id: info.id, connection }, outbox, profile, standing);
    }

    /// Somebody wants to take up a session.
    fn resume(&mut self, resumption: Resumption) {
        let Resumption { id, session, seq, ice, outbox, connection, permit, admitted } = resumption;
        let profile = Profile { connection, seq, session: session.as_str().to_owned(), ..Profile::default() };
        let since = Instant::now();
        let standing = Standing::Resumes { ice: written(&ice), answer: admitted, permit, since };
        self.ask(Place { id, connection }, outbox, profile, standing);
    }

    /// Asks the owner to let somebody in. While Redis is away they are told to wait.
    fn ask(&mut self, place: Place, outbox: Outbox, profile: Profile, standing: Standing) {
        let local =
            Local { place, outbox, profile, n: 0, pending: VecDeque::new(), standing, acknowledged: None };
        if self.node.is_cut() {
            return local.refuse();
        }
        if let Some(ask) = local.asks() {
            self.way().send(ask);
        }
        self.locals.insert(local.place.connection, local);
    }

    /// Passes on what a client says, and keeps it until it is confirmed. At most as much is kept as may wait for one client.
    fn say(&mut self, from: &Place, text: Option<String>, permit: Option<Permit>) {
        let most = self.rooms.settings().queue;
        let way = self.way();
        let (Some(local), Some(text)) = (self.locals.get_mut(&from.connection), text) else { return };
        let bytes: usize = local.pending.iter().map(|waits| waits.text.len()).sum();
        if local.pending.len() >= most.messages || bytes.saturating_add(text.len()) > most.bytes {
            let _ = local.outbox.say(&refusal::not_delivered(), permit);
            return;
        }
        local.n += 1;
        way.send(local.say(local.n, text.clone()));
        local.pending.push_back(Waits { n: local.n, text, permit });
    }
}
