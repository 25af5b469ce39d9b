//! How long a connection may say nothing, and be in no room.
//!
//! A client that opens a connection and says nothing holds a place for nothing: it has seconds. One that speaks may be a
//! page whose person has yet to press Join, so it has long. Not for ever: a tab that was forgotten would keep its place
//! until the browser is closed. Whoever still wants to come in connects again and loses nothing by it.

use std::time::Duration;

use tokio::time::Instant;

use super::{Limits, Visitor};
use crate::dismissal::Dismissal;

/// What one connection is granted.
#[derive(Debug)]
pub(crate) struct Lobby {
    visitor: Option<Visitor>,
    time: Duration,
    /// By when something must have been said; `None` once it was.
    speak_by: Option<Instant>,
    /// When the connection has been in no room for too long; `None` in a room.
    join_by: Option<Instant>,
}

impl Lobby {
    /// A connection that begins now. It is counted by its address if there is a visitor.
    pub(crate) fn new(limits: &Limits, visitor: Option<Visitor>) -> Self {
        let now = Instant::now();
        let time = limits.lobby;
        Self { visitor, time, speak_by: Some(now + limits.first_message), join_by: Some(now + time) }
    }

    /// The client said something that is a message.
    pub(crate) fn spoke(&mut self) {
        self.speak_by = None;
    }

    /// The connection is in a room, or in none any more.
    pub(crate) fn in_room(&mut self, inside: bool) {
        self.join_by = (!inside).then(|| Instant::now() + self.time);
        if let Some(visitor) = &mut self.visitor {
            visitor.is_in_lobby(!inside);
        }
    }

    /// When the client is let go if nothing changes, and why.
    pub(crate) fn deadline(&self) -> Option<(Instant, Dismissal)> {
        let speak = self.speak_by.map(|by| (by, Dismissal::SaidNothing));
        let join = self.join_by.map(|by| (by, Dismissal::JoinedNothing));
        [speak, join].into_iter().flatten().min_by_key(|(by, _)| *by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(lobby: &Lobby) -> Option<(u64, Dismissal)> {
        lobby.deadline().map(|(by, why)| (by.duration_since(Instant::now()).as_secs(), why))
    }

    #[tokio::test(start_paused = true)]
    async fn first_there_are_seconds_then_an_hour_and_in_a_room_all_the_time_there_is() {
        let mut lobby = Lobby::new(&Limits::default(), None);
        assert_eq!(left(&lobby), Some((5, Dismissal::SaidNothing)));
        lobby.spoke();
        assert_eq!(left(&lobby), Some((3600, Dismissal::JoinedNothing)));
        tokio::time::advance(Duration::from_secs(600)).await;
        lobby.spoke();
        assert_eq!(left(&lobby), Some((3000, Dismissal::JoinedNothing)), "pings win no time");
        lobby.in_room(true);
        assert_eq!(left(&lobby), None);
        lobby.in_room(false);
        assert_eq!(left(&lobby), Some((3600, Dismissal::JoinedNothing)), "after a room it begins anew");
    }
}
