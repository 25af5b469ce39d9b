//! The task of a room on this node. It is the room's owner or its guest, and may become the other.
//!
//! What comes to it, it hands on to whichever it is. Which it is Redis says, and `seek` asks: when there is something to be
//! done and it is not known, when somebody says that it is not so any more, and now and then.

mod seek;

use std::sync::Arc;

use duologue_protocol::RoomId;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::afar::News;
use super::guest::Guest;
use super::node::{Event, Node, Pause};
use super::owner::Owner;
use super::way::Way;
use super::wire::Item;
use crate::refusal;
use crate::registry::Rooms;
use crate::room::{Command, reached};
use seek::Asked;

/// Runs a room on this node until nobody of this node is in it, and, if this node owns it, nobody of any other; or until
/// the server stops.
pub(crate) async fn run(
    key: RoomId,
    mut commands: mpsc::Receiver<Box<Command>>,
    rooms: Rooms,
    node: Node,
    stopping: CancellationToken,
) {
    let (sender, mut news) = mpsc::unbounded_channel();
    let mut tenant = Tenant {
        key: key.clone(),
        role: Role::None,
        look: None,
        urged: false,
        announced: None,
        asked: None,
        pause: None,
        rooms: rooms.clone(),
        node,
        news: sender,
    };
    loop {
        let deadline = tenant.deadline();
        tokio::select! {
            biased;
            () = stopping.cancelled() => return,
            Some(news) = news.recv() => tenant.news(news),
            command = commands.recv() => match command {
                Some(command) => tenant.handle(*command).await,
                None => return,
            },
            answer = seek::answered(&mut tenant.asked) => tenant.answered(answer),
            () = reached(deadline) => {}
        }
        tenant.tick().await;
        if tenant.is_empty() {
            tenant.let_go().await;
            if rooms.close_if_idle(&key, &commands) {
                return;
            }
        }
    }
}

/// A room on this node.
struct Tenant {
    /// By what it is known among nodes.
    key: RoomId,
    role: Role,
    /// When to ask again who owns the room.
    look: Option<Instant>,
    /// Whether the owner has to be told everything again even if it is the same.
    urged: bool,
    /// When an owner that was known already was last told everything.
    announced: Option<Instant>,
    /// Redis was asked whether this node still owns the room, and it goes on as its owner meanwhile.
    asked: Option<Asked>,
    /// What the node owns is being looked at again, and this room has yet to be.
    pause: Option<Arc<Pause>>,
    rooms: Rooms,
    node: Node,
    /// What becomes of clients of other nodes comes back this way.
    news: mpsc::UnboundedSender<News>,
}

/// What this node is to the room.
enum Role {
    /// Not known yet, or nobody is in it any more.
    None,
    Owner(Box<Owner>),
    Guest(Box<Guest>),
}

impl Tenant {
    /// Takes what came for the room: of other nodes, or of clients of this one.
    async fn handle(&mut self, command: Command) {
        match command {
            Command::Node(Event::Parcel { from, parcel }) => {
                self.sure().await;
                if matches!(self.role, Role::None) {
                    // Only what an owner may answer opens a room. If Redis does not say who that is, it is said again.
                    let _ = self.seek().await;
                }
                self.parcel(&from, parcel.epoch, parcel.item);
            }
            Command::Node(Event::Gone(node)) => self.gone(&node),
            Command::Node(Event::Returned(pause)) => self.returned(pause).await,
            command => {
                self.sure().await;
                // After Redis was away, an owner has yet to say that it is there.
                let may_ask = !self.node.is_cut() && !self.node.is_settling();
                if matches!(self.role, Role::None) && (!may_ask || self.seek().await.is_err()) {
                    return refuse(command);
                }
                match &mut self.role {
                    Role::None => refuse(command),
                    Role::Owner(owner) => owner.local(command, Instant::now()),
                    Role::Guest(guest) => guest.local(command),
                }
            }
        }
    }

    /// Another node says this. What was not said in the epoch that is known here is not heard.
    fn parcel(&mut self, from: &str, epoch: u64, item: Item) {
        let now = Instant::now();
        match &mut self.role {
            Role::Owner(owner) if owner.epoch == epoch => owner.hear(from, item, now),
            Role::Guest(guest) if guest.epoch == epoch && guest.owner == from => match item {
                Item::Stale => self.urge(now),
                item => guest.hear(item),
            },
            // What an older owner still says means nothing; what is said to an older owner is to be said to another.
            _ if item.is_for_an_owner() => Way::new(&self.node, from, &self.key, epoch).send(Item::Stale),
            _ => {}
        }
    }

    /// Something has come of a client of another node. Of a room that goes on elsewhere it means nothing.
    fn news(&mut self, news: News) {
        if let Role::Owner(owner) = &mut self.role {
            owner.news(news);
        }
    }

    /// A node does not live, or has forgotten all that was said to it.
    fn gone(&mut self, node: &str) {
        let now = Instant::now();
        match &mut self.role {
            Role::Owner(owner) => owner.gone(node, now),
            Role::Guest(guest) if guest.owner == node => self.urge(now),
            Role::Guest(_) | Role::None => {}
        }
    }

    /// Does what there is to be done by now.
    async fn tick(&mut self) {
        let now = Instant::now();
        match &mut self.role {
            Role::None => {}
            Role::Owner(owner) => owner.expire(now),
            Role::Guest(guest) => guest.expire(now),
        }
        if self.look.is_some_and(|look| look <= now) {
            match &self.role {
                // Each room would try to connect, again and again; they are told when Redis is back.
                _ if self.node.is_cut() => self.look = Some(now + self.node.pulse().look),
                // If Redis does not answer, the room goes on meanwhile.
                Role::Owner(owner) => self.ask(owner.epoch),
                Role::None | Role::Guest(_) => {
                    // It is looked at again when it does.
                    let _ = self.seek().await;
                }
            }
        }
    }

    /// When there is something to be done.
    fn deadline(&self) -> Option<Instant> {
        let first = match &self.role {
            Role::None => None,
            Role::Owner(owner) => owner.deadline(),
            Role::Guest(guest) => guest.deadline(),
        };
        [first, self.look].into_iter().flatten().min()
    }

    /// Whether the room needs this node no more.
    fn is_empty(&self) -> bool {
        match &self.role {
            Role::None => true,
            Role::Owner(owner) => owner.is_empty(),
            Role::Guest(guest) => guest.is_empty(),
        }
    }
}

/// Nobody can say where the room is.
fn refuse(command: Command) {
    match command {
        Command::Join(newcomer) => newcomer.refuse(&refusal::wait()),
        Command::Resume(resumption) => resumption.refuse_with(&refusal::wait()),
        Command::Remove { done, .. } => {
            let _ = done.send(false);
        }
        Command::End { heard: Some(heard), .. } => {
            let _ = heard.send(());
        }
        // There is no member who could have said it.
        Command::Relay { .. }
        | Command::Govern { .. }
        | Command::Acknowledge { .. }
        | Command::End { .. }
        | Command::Node(_) => {}
    }
}
