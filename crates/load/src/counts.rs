//! How many messages came to what.

/// How many messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Were due.
    pub due: u64,
    /// Were written to the socket.
    pub sent: u64,
    /// Arrived where they were meant to.
    pub delivered: u64,
    /// Of these, later than [`LATE`](crate::tally::LATE).
    pub late: u64,
    /// Did not arrive, and who sent them was told.
    pub reported: u64,
    /// Did not arrive, and the server had let go of who sent them or of who was to hear them.
    pub cut: u64,
    /// Arrived there again.
    pub duplicated: u64,
    /// Came back to who sent them.
    pub echoed: u64,
    /// Arrived at somebody else.
    pub strayed: u64,
}

impl Counts {
    /// Those that were sent and of which nobody heard anything.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.sent.saturating_sub(self.delivered + self.reported + self.cut)
    }

    /// Adds others.
    pub fn add(&mut self, other: Self) {
        self.due += other.due;
        self.sent += other.sent;
        self.delivered += other.delivered;
        self.late += other.late;
        self.reported += other.reported;
        self.cut += other.cut;
        self.duplicated += other.duplicated;
        self.echoed += other.echoed;
        self.strayed += other.strayed;
    }
}
