//! What a check of the network says, one situation a test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use std::time::Duration;

use duologue_engine::diagnosis::{
    CandidateKind, Facts, Findings, Gathered, Mapping, Protocol, Reach, Verdict,
};

const HOST: &str = "candidate:1 1 udp 2122260223 192.168.1.4 50000 typ host generation 0 ufrag a";
const PUBLIC: &str = "candidate:1 1 udp 2122260223 203.0.113.9 50000 typ host generation 0 ufrag a";
const HIDDEN: &str = "candidate:1 1 udp 2122260223 6f1c.local 50000 typ host generation 0";
const SEEN: &str = "candidate:2 1 udp 1686052607 203.0.113.7 40001 typ srflx raddr 192.168.1.4 rport 50000";
const SEEN_OTHERWISE: &str =
    "candidate:3 1 udp 1686052607 203.0.113.7 40002 typ srflx raddr 192.168.1.4 rport 50000";
const SEEN_OF_ANOTHER_PORT: &str =
    "candidate:3 1 udp 1686052607 203.0.113.7 40009 typ srflx raddr 192.168.1.4 rport 50001";
const RELAYED: &str = "candidate:4 1 udp 41885695 203.0.113.1 60000 typ relay raddr 203.0.113.7 rport 40003";

fn read(line: &str) -> Gathered {
    Gathered::read(line, None, None).unwrap()
}

fn relayed_over(protocol: &str) -> Gathered {
    Gathered::read(RELAYED, Some(protocol), None).unwrap()
}

/// A server that answers and two STUN servers that were asked.
fn facts(lines: &[&str]) -> Facts {
    Facts {
        signaling: Reach::Reached(Duration::from_millis(20)),
        stun: vec!["stun:one:3478".to_owned(), "stun:two:3478".to_owned()],
        turn: Vec::new(),
        gathered: lines.iter().map(|line| read(line)).collect(),
        unhelpful: Vec::new(),
        reports: true,
        complete: true,
        relay: Reach::NotTried,
    }
}

/// The same in a network that lets no UDP out: the servers are silent, and gathering is not over when the check is.
fn blocked(mut facts: Facts) -> Facts {
    facts.complete = false;
    facts
}

fn with_relay(lines: &[&str], over: &str, relay: Reach) -> Facts {
    let mut facts = facts(lines);
    facts.turn.push("turn:one:3478".to_owned());
    facts.relay = relay;
    if relay != Reach::Unreached {
        facts.gathered.push(relayed_over(over));
    }
    facts
}

const REACHED: Reach = Reach::Reached(Duration::from_millis(30));

#[test]
fn candidates_are_read() {
    let seen = read(SEEN);
    assert_eq!((seen.kind, seen.protocol), (CandidateKind::Reflexive, Protocol::Udp));
    assert_eq!((seen.address.as_str(), seen.port), ("203.0.113.7", 40001));
    assert_eq!(seen.base, Some(("192.168.1.4".to_owned(), 50000)));
    assert_eq!(relayed_over("tls").relay_protocol, Some(Protocol::Tls));
    for (server, protocol) in [
        ("turn:one:3478", Protocol::Udp),
        ("turn:one?transport=udp", Protocol::Udp),
        ("turn:one?transport=tcp", Protocol::Tcp),
        ("turns:one", Protocol::Tls),
    ] {
        let relayed = Gathered::read(RELAYED, None, Some(server)).unwrap();
        assert_eq!(relayed.relay_protocol, Some(protocol), "not every browser says what it speaks");
    }
    for nothing in
        ["", "candidate:", "candidate:1 1 udp", "candidate:1 1 sctp 1 a 1 typ host", "a=candidate:1"]
    {
        assert_eq!(Gathered::read(nothing, None, None), None, "{nothing:?}");
    }
}

#[test]
fn one_port_seen_from_two_servers_as_one_is_kept_for_all() {
    let findings = Findings::of(&facts(&[HOST, SEEN]));
    assert_eq!(findings.mapping, Mapping::EndpointIndependent);
    assert_eq!(findings.kinds, [CandidateKind::Host, CandidateKind::Reflexive]);
    assert_eq!(findings.udp, Some(true));
    assert_eq!(findings.verdict, Verdict::Most);
}

#[test]
fn one_port_seen_from_two_servers_as_two_is_changed_for_each() {
    let findings = Findings::of(&facts(&[HOST, SEEN, SEEN_OTHERWISE]));
    assert_eq!(findings.mapping, Mapping::EndpointDependent);
    assert_eq!(findings.verdict, Verdict::OwnNetworkBecauseOfMapping);
    assert_eq!(
        findings.verdict.sentence(),
        "Your network changes its port for every destination; without a TURN server you can call only people on your own \
         network."
    );
}

#[test]
fn two_ports_of_this_computer_prove_nothing() {
    let findings = Findings::of(&facts(&[HOST, SEEN, SEEN_OF_ANOTHER_PORT]));
    assert_eq!(findings.mapping, Mapping::EndpointIndependent);
}

#[test]
fn with_one_server_that_answers_the_mapping_is_not_known() {
    let is_unknown = |change: fn(&mut Facts), why: &str| {
        let mut facts = facts(&[HOST, SEEN]);
        change(&mut facts);
        let findings = Findings::of(&facts);
        assert_eq!((findings.mapping, findings.udp), (Mapping::Unknown, Some(true)), "{why}");
        assert_eq!(findings.verdict, Verdict::MostPerhaps, "{why}");
    };
    is_unknown(|facts| facts.unhelpful.push("stun:two:3478".to_owned()), "one could not be asked");
    is_unknown(|facts| facts.complete = false, "one is silent so far");
    is_unknown(|facts| facts.reports = false, "one may have been given up without a word");
    is_unknown(|facts| facts.stun.truncate(1), "there is but one");
    is_unknown(
        |facts| facts.stun = vec!["stun:one".to_owned(), "stun:one:3479".to_owned()],
        "at one address",
    );
}

#[test]
fn a_server_is_known_by_its_address_however_the_browser_writes_it() {
    let mut facts = facts(&[HOST, SEEN]);
    facts.stun = vec!["stun:one".to_owned(), "stun:two".to_owned()];
    assert_eq!(Findings::of(&facts).mapping, Mapping::EndpointIndependent);
    facts.unhelpful.push("stun:two:3478".to_owned());
    assert_eq!(Findings::of(&facts).mapping, Mapping::Unknown);
}

#[test]
fn two_ports_are_two_ports_however_gathering_went() {
    let mut facts = blocked(facts(&[HOST, SEEN, SEEN_OTHERWISE]));
    facts.reports = false;
    assert_eq!(Findings::of(&facts).mapping, Mapping::EndpointDependent);
}

#[test]
fn a_computer_on_the_open_internet_is_seen_as_it_is() {
    let findings = Findings::of(&facts(&[PUBLIC]));
    assert_eq!((findings.mapping, findings.udp), (Mapping::Direct, Some(true)));
    assert_eq!(findings.verdict, Verdict::Most);
    assert_eq!(Findings::of(&facts(&[HOST])).mapping, Mapping::Unknown);
    assert_eq!(Findings::of(&facts(&[HIDDEN])).mapping, Mapping::Unknown);
    assert_eq!(Findings::of(&blocked(facts(&[PUBLIC]))).mapping, Mapping::Unknown, "nobody has answered yet");
    let mut silent = facts(&[PUBLIC]);
    silent.reports = false;
    assert_eq!(Findings::of(&silent).mapping, Mapping::Unknown, "perhaps nobody has");
}

#[test]
fn an_address_is_public_or_it_is_not() {
    let at = |address: &str| PUBLIC.replace("203.0.113.9", address);
    for address in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2001:db8::1", "3fff::1"] {
        assert_eq!(Findings::of(&facts(&[&at(address)])).mapping, Mapping::Direct, "{address}");
    }
    for address in
        ["10.1.2.3", "172.16.0.1", "192.168.0.1", "100.64.0.1", "127.0.0.1", "fe80::1", "fd00::1", "::1"]
    {
        assert_eq!(Findings::of(&facts(&[&at(address)])).mapping, Mapping::Unknown, "{address}");
    }
}

#[test]
fn servers_that_never_answer_over_udp_mean_that_it_is_blocked() {
    let findings = Findings::of(&blocked(facts(&[HOST])));
    assert_eq!(findings.udp, Some(false));
    assert_eq!(findings.verdict, Verdict::OwnNetworkBecauseUdpIsBlocked);
}

#[test]
fn servers_that_cannot_even_be_asked_say_nothing_of_udp() {
    let mut unknown = facts(&[HOST]);
    unknown.unhelpful = unknown.stun.clone();
    let findings = Findings::of(&unknown);
    assert_eq!((findings.udp, findings.verdict), (None, Verdict::OwnNetworkBecauseStunFails));
    // One of them could be asked, and is silent.
    unknown.unhelpful.pop();
    assert_eq!(Findings::of(&blocked(unknown)).udp, Some(false));
}

#[test]
fn whether_udp_is_blocked_is_not_known_where_nobody_was_asked() {
    let mut nobody = facts(&[HOST]);
    nobody.stun.clear();
    assert_eq!(Findings::of(&nobody).udp, None);
    assert_eq!(Findings::of(&nobody).verdict, Verdict::OwnNetworkBecauseNothingIsSetUp);
    nobody.turn = vec!["turns:one:443".to_owned(), "turn:one:3478?transport=tcp".to_owned()];
    assert_eq!(Findings::of(&nobody).udp, None);
}

#[test]
fn a_relay_that_works_reaches_everybody() {
    for lines in [&[HOST, SEEN][..], &[HOST, SEEN, SEEN_OTHERWISE]] {
        let findings = Findings::of(&with_relay(lines, "udp", REACHED));
        assert_eq!(findings.verdict, Verdict::Everybody);
        assert_eq!(findings.relay_over, Some(Protocol::Udp));
    }
}

#[test]
fn a_relay_over_tcp_alone_reaches_everybody_slowly() {
    let findings = Findings::of(&blocked(with_relay(&[HOST], "tcp", REACHED)));
    assert_eq!(findings.verdict, Verdict::EverybodySlowly);
    assert_eq!(findings.relay_over, Some(Protocol::Tcp));
}

#[test]
fn a_relay_that_does_not_work_is_named() {
    let unreached = |lines| Findings::of(&with_relay(lines, "udp", Reach::Unreached)).verdict;
    assert_eq!(unreached(&[HOST, SEEN]), Verdict::MostBecauseRelayFails);
    assert_eq!(unreached(&[HOST, SEEN, SEEN_OTHERWISE]), Verdict::OwnNetworkBecauseRelayFails);
    assert_eq!(unreached(&[HOST]), Verdict::OwnNetworkBecauseRelayFails);
}

#[test]
fn without_signaling_or_a_network_nothing_else_matters() {
    let mut cut_off = with_relay(&[HOST, SEEN], "udp", REACHED);
    cut_off.signaling = Reach::Unreached;
    assert_eq!(Findings::of(&cut_off).verdict, Verdict::NoSignaling);
    assert_eq!(Findings::of(&facts(&[])).verdict, Verdict::NoNetwork);
}
