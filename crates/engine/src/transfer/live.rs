//! What is the same for a file that we send and one that we receive.

use std::time::Duration;

use super::pace::Pace;
use super::{FileInfo, Id, Progress};
use crate::time::Instant;

pub(super) struct Live {
    pub(super) id: Id,
    pub(super) file: FileInfo,
    /// Whether the receiver takes it.
    pub(super) accepted: bool,
    pub(super) paused_here: bool,
    pub(super) paused_there: bool,
    /// Bytes that are written; with us as the sender, as far as the receiver has said so.
    pub(super) safe: u64,
    pace: Pace,
    /// What the application was told last.
    told: Progress,
}

impl Live {
    pub(super) fn new(id: Id, file: FileInfo) -> Self {
        Self {
            id,
            file,
            accepted: false,
            paused_here: false,
            paused_there: false,
            safe: 0,
            pace: Pace::default(),
            told: Progress::default(),
        }
    }

    /// How far it is; `None` where the application knows that.
    pub(super) fn progress(&mut self, now: Instant) -> Option<Progress> {
        if self.paused_here || self.paused_there {
            self.pace.clear();
        } else {
            self.pace.measure(now, self.safe);
        }
        let left = self.file.size.saturating_sub(self.safe).saturating_mul(1000);
        let rate = self.pace.rate();
        let left = rate.and_then(|rate| left.checked_div(rate)).map(Duration::from_millis);
        let progress = Progress { rate, left, ..self.at_rest() };
        (std::mem::replace(&mut self.told, progress) != progress).then_some(progress)
    }

    /// How far it is, when it has just paused or goes on.
    pub(super) fn turned(&mut self) -> Progress {
        self.pace.clear();
        self.told = self.at_rest();
        self.told
    }

    fn at_rest(&self) -> Progress {
        let (paused_here, paused_there) = (self.paused_here, self.paused_there);
        Progress { bytes: self.safe, rate: None, left: None, paused_here, paused_there }
    }
}
