//! "Why can't I connect?": what a check of this computer's network has found, and what it means.
//!
//! The driver collects [`Facts`]; [`Findings::of`] judges them. Whether the network keeps one port for all destinations
//! is seen from two STUN servers at once (RFC 4787, section 4.1; RFC 5780, section 4.3): only where it does, another
//! computer can be told a port to which it may send.

mod candidate;

use std::time::Duration;

pub use candidate::{CandidateKind, Gathered, Protocol};

/// What was tried and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The signaling server.
    pub signaling: Reach,
    /// The addresses of the STUN servers that were asked.
    pub stun: Vec<String>,
    /// The addresses of the TURN servers that were asked.
    pub turn: Vec<String>,
    /// The candidates that were gathered.
    pub gathered: Vec<Gathered>,
    /// The addresses of the servers that the browser reported as of no help.
    pub unhelpful: Vec<String>,
    /// Whether gathering came to its end, or was given up.
    pub complete: bool,
    /// What a connection of this computer with itself over the relay, and nothing but the relay, came to.
    pub relay: Reach,
}

/// Whether something could be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// There was nothing to try.
    NotTried,
    /// It answered, after so long.
    Reached(Duration),
    /// It did not answer.
    Unreached,
}

/// How the network maps addresses (RFC 4787, section 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mapping {
    /// It does not: this computer is on the internet under its own address.
    Direct,
    /// One port for all destinations: others can be told it.
    EndpointIndependent,
    /// Another port for every destination: nobody else can use the one that is known.
    EndpointDependent,
    /// It could not be seen; two STUN servers have to answer.
    Unknown,
}

/// What the facts mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// The kinds of candidates that were gathered, each once.
    pub kinds: Vec<CandidateKind>,
    /// Whether UDP gets out of this network; `None` if no server was asked over UDP.
    pub udp: Option<bool>,
    /// How the network maps addresses.
    pub mapping: Mapping,
    /// What the browser speaks with the relay, where it can be reached.
    pub relay_over: Option<Protocol>,
    /// What it comes to.
    pub verdict: Verdict,
}

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
    /// The same, and there is a relay, which could not be reached.
    MostBecauseRelayFails,
    /// Only one's own network: this one changes its port for every destination, and there is no relay.
    OwnNetworkBecauseOfMapping,
    /// Only one's own network: UDP is blocked, and there is no relay.
    OwnNetworkBecauseUdpIsBlocked,
    /// Only one's own network: there is a relay, which could not be reached, and no other way.
    OwnNetworkBecauseRelayFails,
    /// Only one's own network: neither STUN nor TURN is set up.
    OwnNetworkBecauseNothingIsSetUp,
}

impl Findings {
    /// Judges the facts.
    #[must_use]
    pub fn of(facts: &Facts) -> Self {
        let mut kinds = vec![CandidateKind::Host, CandidateKind::Reflexive, CandidateKind::Relayed];
        kinds.retain(|kind| facts.gathered.iter().any(|candidate| candidate.kind == *kind));
        let mapping = mapping(facts);
        let udp = if mapping == Mapping::Direct { Some(true) } else { udp(facts) };
        let relayed = facts.gathered.iter().filter(|candidate| candidate.kind == CandidateKind::Relayed);
        let works = matches!(facts.relay, Reach::Reached(_));
        let relay_over = relayed.filter_map(|candidate| candidate.relay_protocol).min().filter(|_| works);
        let verdict = verdict(facts, udp, mapping, relay_over);
        Self { kinds, udp, mapping, relay_over, verdict }
    }
}

fn udp(facts: &Facts) -> Option<bool> {
    let got_out = facts.gathered.iter().any(|candidate| match candidate.kind {
        CandidateKind::Host => false,
        CandidateKind::Reflexive => candidate.protocol == Protocol::Udp,
        CandidateKind::Relayed => candidate.relay_protocol == Some(Protocol::Udp),
    });
    if got_out {
        return Some(true);
    }
    let over_udp = |url: &String| {
        let tcp = url.contains("transport=tcp") || url.starts_with("turns:") || url.starts_with("stuns:");
        !tcp
    };
    facts.stun.iter().chain(&facts.turn).any(over_udp).then_some(false)
}

fn mapping(facts: &Facts) -> Mapping {
    let seen: Vec<&Gathered> = facts
        .gathered
        .iter()
        .filter(|it| it.kind == CandidateKind::Reflexive && it.protocol == Protocol::Udp)
        .collect();
    // What a STUN server sees is no candidate of its own where it is the same as the host's: RFC 8445, section 5.1.3.
    if seen.is_empty() {
        let public = facts.gathered.iter().any(|it| it.kind == CandidateKind::Host && it.is_public());
        let answered = facts.stun.iter().any(|url| !facts.unhelpful.contains(url));
        return if public && answered && facts.complete { Mapping::Direct } else { Mapping::Unknown };
    }
    // One base, seen from two servers under two ports.
    let differs = |one: &&Gathered| {
        seen.iter().any(|other| {
            other.shares_base_with(one) && other.family() == one.family() && other.seen_as() != one.seen_as()
        })
    };
    if seen.iter().any(differs) {
        return Mapping::EndpointDependent;
    }
    // The same port from both is reported once; that both have answered shows in nothing being reported against them.
    let answered = facts.stun.iter().filter(|url| !facts.unhelpful.contains(url)).count();
    if answered >= 2 && facts.complete { Mapping::EndpointIndependent } else { Mapping::Unknown }
}

fn verdict(facts: &Facts, udp: Option<bool>, mapping: Mapping, relay_over: Option<Protocol>) -> Verdict {
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
    } else {
        Verdict::Most
    }
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
            Self::MostBecauseRelayFails => "most-relay-fails",
            Self::OwnNetworkBecauseOfMapping => "own-network-mapping",
            Self::OwnNetworkBecauseUdpIsBlocked => "own-network-udp-blocked",
            Self::OwnNetworkBecauseRelayFails => "own-network-relay-fails",
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
            Self::OwnNetworkBecauseNothingIsSetUp => {
                "You can call people on your own network; to call others, whoever runs this server has to add a STUN \
                 server, and better a TURN server."
            }
        }
    }
}
