//! A gathered candidate, as far as the check looks at it (RFC 8839, section 5.1).

/// Where a candidate's address comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CandidateKind {
    /// The computer itself.
    Host,
    /// What a STUN server, or a peer, sees of it.
    Reflexive,
    /// A relay's.
    Relayed,
}

/// What is spoken. The best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
}

impl Protocol {
    /// Reads the browser's word for it.
    #[must_use]
    pub fn read(word: &str) -> Option<Self> {
        [Self::Udp, Self::Tcp, Self::Tls].into_iter().find(|it| it.as_str().eq_ignore_ascii_case(word))
    }

    /// What is spoken with a TURN server of this address (RFC 7065, section 3.1).
    #[must_use]
    pub fn of_server(url: &str) -> Self {
        if url.starts_with("turns:") {
            Self::Tls
        } else if url.ends_with(super::server::TCP) {
            Self::Tcp
        } else {
            Self::Udp
        }
    }

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
        }
    }
}

impl CandidateKind {
    /// The word for it in SDP.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Reflexive => "srflx",
            Self::Relayed => "relay",
        }
    }
}

/// A candidate that was gathered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gathered {
    /// Where its address comes from.
    pub kind: CandidateKind,
    /// What is spoken with the peer.
    pub protocol: Protocol,
    /// The address; a name that ends in `.local` where the browser hides it.
    pub address: String,
    /// The port.
    pub port: u16,
    /// The address and port of this computer that it belongs to, where the browser tells.
    pub base: Option<(String, u16)>,
    /// For a relayed one, what the browser speaks with the relay.
    pub relay_protocol: Option<Protocol>,
}

impl Gathered {
    /// Reads a candidate line; `None` for the end of candidates and for what cannot be read. `relay_protocol` is what the
    /// browser says that it speaks with the relay; where it does not, `server`, the relay's address, tells.
    #[must_use]
    pub fn read(line: &str, relay_protocol: Option<&str>, server: Option<&str>) -> Option<Self> {
        let words: Vec<&str> = line.strip_prefix("candidate:")?.split(' ').collect();
        let [_, _, protocol, _, address, port, rest @ ..] = words.as_slice() else { return None };
        let (protocol, port) = (Protocol::read(protocol)?, port.parse().ok()?);
        let after = |name: &str| {
            let at = rest.iter().position(|word| *word == name)?;
            rest.get(at + 1).copied()
        };
        let kind = match after("typ")? {
            "host" => CandidateKind::Host,
            "srflx" | "prflx" => CandidateKind::Reflexive,
            "relay" => CandidateKind::Relayed,
            _ => return None,
        };
        let base = after("raddr").zip(after("rport").and_then(|port| port.parse().ok()));
        // Hidden ones are all zero.
        let base = base.filter(|(_, port)| *port > 9).map(|(address, port)| (address.to_owned(), port));
        let relay_protocol = match kind {
            CandidateKind::Relayed => {
                relay_protocol.and_then(Protocol::read).or(server.map(Protocol::of_server))
            }
            CandidateKind::Host | CandidateKind::Reflexive => None,
        };
        Some(Self { kind, protocol, address: (*address).to_owned(), port, base, relay_protocol })
    }

    /// Whether two belong to one port of this computer. Where the browser hides them, two of one family are taken to.
    pub(super) fn shares_base_with(&self, other: &Self) -> bool {
        self.base == other.base
    }

    /// Whether it is IPv4 or IPv6.
    pub(super) fn family(&self) -> bool {
        self.address.contains(':')
    }

    /// The address and port that others see.
    pub(super) fn seen_as(&self) -> (&str, u16) {
        (&self.address, self.port)
    }

    /// Whether the address is one of the internet's own.
    pub(super) fn is_public(&self) -> bool {
        if let Some((first, _)) = self.address.split_once(':') {
            // 2000::/3 (RFC 4291, section 2.4).
            return first.len() == 4 && first.starts_with(['2', '3']);
        }
        let mut octets = self.address.split('.');
        let mut octet = || octets.next()?.parse::<u16>().ok().filter(|octet| *octet < 256);
        match (octet(), octet()) {
            // RFC 6890, section 2.2.2: one's own, private, shared, link-local.
            (Some(0 | 10 | 127), _) | (Some(172), Some(16..=31)) | (Some(192), Some(168)) => false,
            (Some(100), Some(64..=127)) | (Some(169), Some(254)) => false,
            (first, second) => first.is_some() && second.is_some(),
        }
    }
}
