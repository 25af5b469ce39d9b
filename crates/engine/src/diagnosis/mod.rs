//! "Why can't I connect?": what a check of this computer's network has found, and what it means.
//!
//! The driver collects [`Facts`]; [`Findings::of`] judges them. Whether the network keeps one port for all destinations
//! is seen from two STUN servers at once (RFC 4787, section 4.1; RFC 5780, section 4.3): only where it does, another
//! computer can be told a port to which it may send.
//!
//! Nothing is taken from a server's silence that the browser could have kept to itself. Gathering ends when each server
//! has answered or was given up, and browsers give one up late: Chromium after 40 s, Firefox after 11 s, with an
//! `icecandidateerror` each. One that cannot be asked at all, because its name is not known, they report at once. So of a
//! gathering that ends soon in a browser that reports such errors, those that were not reported have answered; of any
//! other, only those are known to have answered to which a candidate is owed.

mod candidate;
mod server;
mod verdict;

use std::time::Duration;

pub use candidate::{CandidateKind, Gathered, Protocol};
pub use verdict::Verdict;

use verdict::verdict;

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
    /// The addresses of the servers that the browser reported as of no help, as it writes them.
    pub unhelpful: Vec<String>,
    /// Whether it reports such servers at all.
    pub reports: bool,
    /// Whether gathering came to its end, or was given up: before any browser gives a silent server up.
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
    /// It could not be seen: two STUN servers have to answer, at two addresses.
    Unknown,
}

/// What the facts mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// The kinds of candidates that were gathered, each once.
    pub kinds: Vec<CandidateKind>,
    /// Whether UDP gets out of this network; `None` if no server could be asked over UDP.
    pub udp: Option<bool>,
    /// How the network maps addresses.
    pub mapping: Mapping,
    /// What the browser speaks with the relay, where it can be reached.
    pub relay_over: Option<Protocol>,
    /// What it comes to.
    pub verdict: Verdict,
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
    // One that was asked and says nothing keeps gathering from its end. Of one that was reported before, nobody knows.
    let silent =
        facts.stun.iter().chain(&facts.turn).any(|url| server::is_udp(url) && !facts.is_reported(url));
    (silent && !facts.complete).then_some(false)
}

impl Facts {
    fn is_reported(&self, url: &str) -> bool {
        self.unhelpful.iter().any(|reported| server::is_same(reported, url))
    }

    /// At how many addresses STUN servers are known to have answered, as far as names tell addresses.
    fn answered(&self) -> usize {
        if !self.complete || !self.reports {
            return 0;
        }
        let mut hosts: Vec<&str> = Vec::new();
        for url in self.stun.iter().filter(|url| server::is_udp(url) && !self.is_reported(url)) {
            let host = server::host(url);
            if !hosts.iter().any(|known| known.eq_ignore_ascii_case(host)) {
                hosts.push(host);
            }
        }
        hosts.len()
    }
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
        return if public && facts.answered() > 0 { Mapping::Direct } else { Mapping::Unknown };
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
    // The same port from both is one candidate.
    if facts.answered() >= 2 { Mapping::EndpointIndependent } else { Mapping::Unknown }
}
