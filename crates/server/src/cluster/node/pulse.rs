//! How long things among nodes may take.

use std::time::Duration;

/// How long things among nodes may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pulse {
    /// How long a node is taken to live after it said so.
    pub(crate) lease: Duration,
    /// The time between two times that it says so.
    pub(crate) beat: Duration,
    /// How long the others have to come back to a Redis that was away, before they are judged.
    pub(crate) settle: Duration,
    /// How long Redis may take for an answer.
    pub(crate) answer: Duration,
    /// How long somebody who wants to come in waits for another node.
    pub(crate) patience: Duration,
    /// The time between two looks at who owns a room.
    pub(crate) look: Duration,
}

impl Default for Pulse {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(5),
            beat: Duration::from_secs(1),
            settle: Duration::from_secs(3),
            answer: Duration::from_secs(2),
            patience: Duration::from_secs(7),
            look: Duration::from_secs(20),
        }
    }
}
