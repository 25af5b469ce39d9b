//! What a node does all the time: it says that it lives and learns who else does, reads its inbox, and posts what its rooms have
//! said.

use std::sync::Arc;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{Event, Node, Pause, State, fresh};
use crate::cluster::key_of;
use crate::cluster::lease::Beat;
use crate::cluster::link::Link;
use crate::cluster::wire::Envelope;
use crate::registry::Rooms;
use crate::room::reached;

impl State {
    /// What is owned has to be looked at again, or not. Gives the number of the pause until then.
    fn pause(&mut self, beat: Beat) -> Option<u64> {
        (beat == Beat::Returned).then(|| {
            self.paused = true;
            self.pauses += 1;
            self.pauses
        })
    }
}

impl Node {
    /// Runs until the server stops.
    pub(crate) async fn run(self, rooms: Rooms, stopping: CancellationToken) {
        tokio::select! {
            () = stopping.cancelled() => {}
            () = self.live(&rooms) => {}
            () = self.listen(&rooms) => {}
            () = self.speak(&rooms) => {}
        }
        // The others need not wait for the lease to run out.
        let _ = self.answer(self.0.bus.farewell()).await;
    }

    /// Says that this node lives, and judges the others.
    async fn live(&self, rooms: &Rooms) {
        loop {
            let others: Vec<String> = self.lock().links.keys().cloned().collect();
            let asked = Instant::now();
            let living = self.answer(self.0.bus.beat(&others)).await;
            let now = Instant::now();
            let was_up = self.is_up();
            if let Ok(living) = living {
                let (pause, judges) = {
                    let mut state = self.lock();
                    let beat = state.lease.renewed(asked, now, living.known);
                    (state.pause(beat), state.lease.may_judge(now))
                };
                if let Some(number) = pause {
                    tracing::info!("redis is there");
                    let pause = Pause { node: self.clone(), number };
                    rooms.tell_all(&Event::Returned(Arc::new(pause))).await;
                }
                for (node, _) in others.into_iter().zip(living.others).filter(|(_, lives)| judges && !lives) {
                    tracing::info!(node, "another node is gone");
                    let link = self.lock().links.remove(&node);
                    // Outside of the lock: what was kept for it may have something to say.
                    drop(link);
                    rooms.tell_all(&Event::Gone(node)).await;
                }
            } else {
                self.lock().lease.failed();
                if was_up {
                    tracing::warn!("redis does not answer: rooms on this node alone go on, others wait");
                }
            }
            let others = self.lock().links.len();
            rooms.metrics().redis(self.is_up(), others);
            sleep(self.0.pulse.beat).await;
        }
    }

    /// Reads the inbox.
    async fn listen(&self, rooms: &Rooms) {
        loop {
            let Ok(envelopes) = self.0.bus.receive().await else {
                sleep(self.0.pulse.beat / 5).await;
                continue;
            };
            for bytes in envelopes {
                match Envelope::read(&bytes) {
                    Ok(envelope) => self.take(envelope, rooms).await,
                    Err(why) => tracing::warn!(why, "dropped something from the inbox of this node"),
                }
            }
        }
    }

    /// Takes in an envelope, and brings what is in it to the rooms.
    async fn take(&self, envelope: Envelope, rooms: &Rooms) {
        self.goes_on().await;
        rooms.metrics().received_from_node();
        let from = envelope.from.clone();
        let fresh = fresh();
        let brought = {
            let mut state = self.lock();
            state.links.entry(from.clone()).or_insert_with(|| Link::new(fresh)).receive(
                envelope,
                fresh,
                Instant::now(),
            )
        };
        self.0.wake.notify_one();
        drop(brought.released);
        if brought.anew {
            tracing::info!(node = from, "another node has forgotten what was said to it");
            rooms.tell_all(&Event::Gone(from.clone())).await;
        }
        for parcel in brought.parcels {
            let Some(room) = key_of(&parcel.room) else { continue };
            let opens = parcel.item.opens();
            rooms.bring(&room, Event::Parcel { from: from.clone(), parcel }, opens).await;
        }
    }

    /// Posts what there is to say, as soon as there is something.
    async fn speak(&self, rooms: &Rooms) {
        loop {
            self.goes_on().await;
            let now = Instant::now();
            let (envelopes, due) = {
                let mut state = self.lock();
                let mut envelopes = Vec::new();
                for (to, link) in &mut state.links {
                    while let Some(envelope) = link.pack(now, &self.0.id) {
                        envelopes.push((to.clone(), envelope));
                    }
                }
                let due = state.links.values().filter_map(|link| link.due(now)).min();
                (envelopes, due)
            };
            for (to, envelope) in envelopes {
                let Some(text) = envelope.write() else { continue };
                if !self.may_speak() {
                    // Also this is said again later.
                    break;
                }
                if self.answer(self.0.bus.post(&to, text)).await.is_err() {
                    // All of it is said again later.
                    sleep(self.0.pulse.beat / 5).await;
                    break;
                }
                rooms.metrics().posted();
            }
            tokio::select! {
                () = self.0.wake.notified() => {}
                () = reached(due) => {}
            }
        }
    }
}
