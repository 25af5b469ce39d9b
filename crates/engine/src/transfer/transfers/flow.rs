//! What is asked for, read and sent next, so that the channel is always filled and never full.

use super::super::{CHUNK, WINDOW};
use super::Transfers;

/// Chunks that are read before they can be sent, for all files together.
const READ_AHEAD: usize = 8;

/// The channel for bytes holds about what it sends in a tenth of a second,
const FILLED_FOR_MILLIS: u64 = 100;
/// but no less than this, and no more.
const MARKS: (u64, u64) = (128 * 1024, 4 * 1024 * 1024);
/// A piece takes about a fiftieth of a second, so that words wait no longer than for that,
const PIECE_FOR_MILLIS: u64 = 20;
/// but it has no fewer bytes than this, and no more: browsers are quickest with such frames.
const PIECES: (u64, u64) = (16 * 1024, 64 * 1024);
/// The speed that is assumed until it was measured, in bytes a second.
const ASSUMED_RATE: u64 = 2 * 1024 * 1024;

impl Transfers {
    /// Does what can be done now.
    pub(super) fn go_on(&mut self) {
        let connected = self.most_frame.is_some();
        let active =
            self.receiving.values().filter(|it| it.live.accepted && !it.live.paused_here).count().max(1);
        let window = (WINDOW as usize / CHUNK as usize / active).max(2);
        let mut failed = Vec::new();
        for receiving in self.receiving.values_mut() {
            if let Err(reason) = receiving.go_on(window, connected, &mut self.outputs) {
                failed.push((receiving.live.id, reason));
            }
        }
        for (id, reason) in failed {
            self.check(id, Err(reason));
        }
        if connected {
            let busy = self.sending.values().filter(|it| it.is_busy()).count().max(1);
            let ahead = (READ_AHEAD / busy).max(1);
            self.read_on(ahead);
            self.send();
            // In place of what was sent.
            self.read_on(ahead);
        }
    }

    fn read_on(&mut self, ahead: usize) {
        for sending in self.sending.values_mut() {
            sending.read_on(ahead, &mut self.next_buffer, &mut self.outputs);
        }
    }

    /// Fills the channel, a piece of each file in turn.
    fn send(&mut self) {
        let Some(most_frame) = self.most_frame else { return };
        let rate = self.drain.rate().unwrap_or(ASSUMED_RATE);
        let piece = (rate * PIECE_FOR_MILLIS / 1000).clamp(PIECES.0, PIECES.1);
        let most = most_frame.min(usize::try_from(piece).unwrap_or(usize::MAX));
        let mut idle = 0;
        while self.buffered < self.mark() && idle <= self.sending.len() {
            let after = self.sending.after(self.turn).or_else(|| self.sending.first());
            let Some(number) = after.map(|(number, _)| number) else { return };
            self.turn = number;
            let sent = self.sending.get_mut(number).and_then(|it| it.send_piece(most, &mut self.outputs));
            match sent {
                Some(bytes) => {
                    idle = 0;
                    self.buffered += bytes;
                    self.given += bytes as u64;
                }
                None => idle += 1,
            }
        }
    }

    /// How many bytes the channel is filled up to.
    pub(super) fn mark(&self) -> usize {
        let rate = self.drain.rate().unwrap_or(ASSUMED_RATE);
        usize::try_from((rate * FILLED_FOR_MILLIS / 1000).clamp(MARKS.0, MARKS.1)).unwrap_or(usize::MAX)
    }
}
