//! What the peer says of files.

use std::collections::VecDeque;

use super::super::receiving::Receiving;
use super::super::sending::Sending;
use super::super::wire::{Control, PieceHead};
use super::super::{Event, Failure, FileInfo, Id, Output, Reason, Side};
use super::{Ended, Transfers, say};

/// The most files that a peer may have on offer or under way with us. More are declined.
const MOST_FROM_PEER: usize = 32;

impl Transfers {
    pub(super) fn control(&mut self, control: Control) {
        match control {
            Control::Offer { number, file } => self.offered(number, file),
            Control::Synced => {
                // What the peer did not offer again, it knows nothing of.
                let forgotten: Vec<Id> =
                    self.receiving.values().filter(|it| !it.confirmed).map(|it| it.live.id).collect();
                for id in forgotten {
                    self.end(id, Failure { by: Side::There, reason: Reason::Forgotten });
                }
            }
            Control::Root { number, root } => {
                self.with_receiving(number, |receiving, _| receiving.told_root(root));
            }
            Control::Hashes { number, first, hashes } => {
                self.with_receiving(number, |receiving, _| receiving.hashes(first, &hashes));
            }
            Control::Accept { number } => {
                let Some(sending) = self.sending.get_mut(number) else {
                    return self.forgotten(Id { sender: Side::Here, number });
                };
                let first = !sending.live.accepted;
                sending.accept(&mut self.outputs);
                if first {
                    self.event(Event::Accepted(Id { sender: Side::Here, number }));
                }
            }
            Control::Want { number, safe, ranges } => {
                self.with_sending(number, |sending| sending.want(safe, &ranges));
            }
            Control::Check { number, first, count } => {
                self.with_sending(number, |sending| sending.want_hashes(first, count));
            }
            Control::Done { number } => {
                if self.sending.remove(number).is_some() {
                    let id = Id { sender: Side::Here, number };
                    self.outputs.push_back(Output::Release { id, keep: false });
                    self.event(Event::Completed(id));
                }
            }
            Control::Cancel { sender, number, reason } => {
                self.end(Id { sender, number }, Failure { by: Side::There, reason });
            }
            Control::Pause { sender: Side::Here, number, paused } => {
                if let Some(sending) = self.sending.get_mut(number) {
                    sending.live.paused_there = paused;
                    self.tell_one(Id { sender: Side::Here, number });
                }
            }
            Control::Pause { sender: Side::There, number, paused } => {
                if let Some(receiving) = self.receiving.get_mut(number) {
                    receiving.live.paused_there = paused;
                    self.tell_one(Id { sender: Side::There, number });
                }
            }
        }
    }

    fn offered(&mut self, number: u32, file: FileInfo) {
        let id = Id { sender: Side::There, number };
        if let Some((_, ended)) = self.ended.iter().find(|(known, _)| *known == number) {
            // It has not heard how this ended.
            let word = match ended.clone() {
                Ended::Done => Control::Done { number },
                Ended::Not(reason) => Control::Cancel { sender: Side::There, number, reason },
            };
            return self.outputs.push_back(say(&word));
        }
        if let Some(receiving) = self.receiving.get_mut(number) {
            if receiving.live.file != file {
                return self.fail(id, Failure { by: Side::There, reason: Reason::Changed });
            }
            receiving.confirmed = true;
            if receiving.live.accepted {
                receiving.tell_accepted(&mut self.outputs);
            }
            return;
        }
        let refusal = match file.chunks() {
            None => Some(Reason::Malformed),
            Some(_) if self.receiving.len() >= MOST_FROM_PEER => Some(Reason::TooMany),
            Some(chunks) => {
                let receiving = Receiving::new(number, file.clone(), chunks);
                self.receiving.insert(number, Box::new(receiving));
                self.event(Event::Offered(id, file));
                None
            }
        };
        if let Some(reason) = refusal {
            self.outputs.push_back(say(&Control::Cancel { sender: Side::There, number, reason }));
        }
    }

    fn with_sending(&mut self, number: u32, take: impl FnOnce(&mut Sending) -> Result<(), Reason>) {
        let id = Id { sender: Side::Here, number };
        match self.sending.get_mut(number) {
            Some(sending) => {
                let done = take(sending);
                self.check_peer(id, done);
            }
            None => self.forgotten(id),
        }
    }

    fn with_receiving(
        &mut self,
        number: u32,
        take: impl FnOnce(&mut Receiving, &mut VecDeque<Output>) -> Result<(), Reason>,
    ) {
        // One that is over here: the sender will hear of it, or has.
        if let Some(receiving) = self.receiving.get_mut(number) {
            let (id, done) = (receiving.live.id, take(receiving, &mut self.outputs));
            self.check_peer(id, done);
        }
    }

    /// The peer speaks of a transfer that we know nothing of.
    fn forgotten(&mut self, Id { sender, number }: Id) {
        self.outputs.push_back(say(&Control::Cancel { sender, number, reason: Reason::Forgotten }));
    }

    pub(super) fn piece(&mut self, head: &[u8], length: usize) {
        let Some(head) = PieceHead::read(head) else {
            return self.malformed("a piece of a file that cannot be read");
        };
        // Of one that is over, pieces may still be on their way.
        let Some(receiving) = self.receiving.get_mut(head.number) else { return };
        if let Err(what) = receiving.piece(&head, length, &mut self.next_buffer, &mut self.outputs) {
            self.malformed(what);
        }
    }
}
