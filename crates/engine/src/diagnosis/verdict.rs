//! What it comes to, for programs and for people.

use super::{CandidateKind, Facts, Mapping, Protocol, Reach};

/// What it comes to: whom one can call from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Nobody: the signaling server cannot be reached.
    NoSignaling,
    /// Nobody: the browser finds no network at all.
    NoNetwork,
    /// Everybody: directly, or over the relay.
    Everybody,
    /// Everybody, but only over the relay and TCP, because UDP is blocked.
    EverybodySlowly,
    /// Everybody who is on the open internet as well or whose network keeps its port; there is no relay for the others.
    Most,
    /// The same, unless this network changes its port, which could not be seen.
    MostPerhaps,
    /// The same as [`Most`](Self::Most), and there is a relay, which could not be reached.
    MostBecauseRelayFails,
    /// Only one's own network: this one changes its port for every destination, and there is no relay.
    OwnNetworkBecauseOfMapping,
    /// Only one's own network: UDP is blocked, and there is no relay.
    OwnNetworkBecauseUdpIsBlocked,
    /// Only one's own network: there is a relay, which could not be reached, and no other way.
    OwnNetworkBecauseRelayFails,
    /// Only one's own network: STUN servers are set up, and none of them could even be asked.
    OwnNetworkBecauseStunFails,
    /// Only one's own network: neither STUN nor TURN is set up.
    OwnNetworkBecauseNothingIsSetUp,
}

/// Judges what was found.
pub(super) fn verdict(
    facts: &Facts,
    udp: Option<bool>,
    mapping: Mapping,
    relay_over: Option<Protocol>,
) -> Verdict {
    let relay_set_up = !facts.turn.is_empty();
    if facts.signaling == Reach::Unreached {
        Verdict::NoSignaling
    } else if facts.gathered.is_empty() {
        Verdict::NoNetwork
    } else if matches!(facts.relay, Reach::Reached(_)) {
        let slow =
            udp == Some(false) || relay_over.is_some_and(|over| over != Protocol::Udp) && udp != Some(true);
        if slow { Verdict::EverybodySlowly } else { Verdict::Everybody }
    } else if mapping == Mapping::EndpointDependent || udp == Some(false) {
        match (relay_set_up, udp) {
            (true, _) => Verdict::OwnNetworkBecauseRelayFails,
            (false, Some(false)) => Verdict::OwnNetworkBecauseUdpIsBlocked,
            (false, _) => Verdict::OwnNetworkBecauseOfMapping,
        }
    } else if relay_set_up {
        if udp == Some(true) { Verdict::MostBecauseRelayFails } else { Verdict::OwnNetworkBecauseRelayFails }
    } else if facts.stun.is_empty() {
        Verdict::OwnNetworkBecauseNothingIsSetUp
    } else if !seen_from_outside(facts, mapping) {
        Verdict::OwnNetworkBecauseStunFails
    } else if mapping == Mapping::Unknown {
        Verdict::MostPerhaps
    } else {
        Verdict::Most
    }
}

/// Whether anything can be told to others that leads here.
fn seen_from_outside(facts: &Facts, mapping: Mapping) -> bool {
    mapping == Mapping::Direct || facts.gathered.iter().any(|it| it.kind == CandidateKind::Reflexive)
}

impl Verdict {
    /// For programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NoSignaling => "no-signaling",
            Self::NoNetwork => "no-network",
            Self::Everybody => "everybody",
            Self::EverybodySlowly => "everybody-slowly",
            Self::Most => "most",
            Self::MostPerhaps => "most-perhaps",
            Self::MostBecauseRelayFails => "most-relay-fails",
            Self::OwnNetworkBecauseOfMapping => "own-network-mapping",
            Self::OwnNetworkBecauseUdpIsBlocked => "own-network-udp-blocked",
            Self::OwnNetworkBecauseRelayFails => "own-network-relay-fails",
            Self::OwnNetworkBecauseStunFails => "own-network-stun-fails",
            Self::OwnNetworkBecauseNothingIsSetUp => "own-network-nothing-set-up",
        }
    }

    /// For people: one sentence to act on.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::NoSignaling => {
                "The signaling server does not answer: check that you are online, then whether the server is running."
            }
            Self::NoNetwork => {
                "Your browser finds no network to call over: check that you are online, and that no extension or setting \
                 blocks WebRTC."
            }
            Self::Everybody => "You can call anyone: where no direct way leads, the relay carries the call.",
            Self::EverybodySlowly => {
                "Your network blocks UDP; you can call anyone, but only over the relay by TCP, and picture and sound may \
                 stutter."
            }
            Self::Most => {
                "You can call most people directly; for those whose network changes its port for every destination, \
                 whoever runs this server has to add a TURN server."
            }
            Self::MostPerhaps => {
                "You can probably call most people directly; to be sure of everybody, whoever runs this server has to add a \
                 TURN server."
            }
            Self::MostBecauseRelayFails => {
                "You can call most people directly, but the relay cannot be reached: whoever runs this server should look \
                 at its TURN server."
            }
            Self::OwnNetworkBecauseOfMapping => {
                "Your network changes its port for every destination; without a TURN server you can call only people on \
                 your own network."
            }
            Self::OwnNetworkBecauseUdpIsBlocked => {
                "Your network blocks UDP; without a TURN server over TCP you can call only people on your own network."
            }
            Self::OwnNetworkBecauseRelayFails => {
                "Your network lets no direct connection through and the relay cannot be reached: try another network, or \
                 ask whoever runs this server to look at its TURN server."
            }
            Self::OwnNetworkBecauseStunFails => {
                "No STUN server can be reached, and you can call only people on your own network: whoever runs this server \
                 should look at the addresses of its STUN servers."
            }
            Self::OwnNetworkBecauseNothingIsSetUp => {
                "You can call people on your own network; to call others, whoever runs this server has to add a STUN \
                 server, and better a TURN server."
            }
        }
    }
}
