//! What a recovery is told, and what it says.

use duologue_protocol::LeaveReason;

use crate::session::Way;

/// Where the connection stands (W3C webrtc-pc, section 4.4.1.4, `RTCPeerConnectionState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkState {
    /// Not up yet.
    Connecting,
    /// Up.
    Connected,
    /// Nothing arrives at the moment. It may come back by itself.
    Disconnected,
    /// It will not come back by itself.
    Failed,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// The connection changed its state.
    Link(LinkState),
    /// The answer to [`Output::Measure`]: how many bytes the connection has received in all. To be told each second as
    /// well, unasked, as long as the connection is up.
    Received(u64),
    /// An offer and its answer were agreed on with the peer.
    Agreed,
    /// Whether signals get to the peer has changed.
    Way(Way),
    /// After [`Output::DoubtSignaling`]: the server can be reached.
    SignalingConfirmed,
    /// Our own network has changed.
    NetworkChanged,
    /// A person asks for another try.
    Retry,
    /// The other side closed the connection, in good order.
    Closed,
    /// The moment of [`Recovery::deadline`] has come.
    Timeout,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Ask the connection how many bytes it has received, and report [`Input::Received`].
    Measure,
    /// `restartIce()` (W3C webrtc-pc, section 4.4.2). The browser keeps the intent until it can be negotiated.
    Restart,
    /// Look whether the signaling server can still be reached: a socket may say so long after.
    DoubtSignaling,
    /// Tell the application.
    State(State),
    /// The call with this peer is over.
    End(LeaveReason),
}

/// The connection, as a person sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Not up yet.
    Connecting,
    /// Up.
    Connected,
    /// Nothing arrives at the moment; it is being repaired.
    Reconnecting,
    /// It could not be made or repaired. It may still come up, if what was in the way goes away.
    Failed(Cause),
}

/// Why a connection could not be made or repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// We cannot reach the signaling server either: it is our own network.
    Offline,
    /// The peer has lost the signaling server, too: it is theirs.
    PeerAway,
    /// The peer does not answer what we send, although the server passes it on.
    NoAnswer,
    /// Both are there, and no way leads from one to the other.
    NoPath,
}
