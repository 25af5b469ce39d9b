//! What a home's router does with what passes through it, as rules for nftables.
//!
//! The kinds are the classic ones of RFC 3489, section 5; RFC 4787 speaks of mapping and filtering instead. In all but
//! the symmetric one a host's port is mapped to the same public port, whomever it writes to.

use std::net::Ipv4Addr;

/// Who may answer to a port that a router has mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No translation: the host has a public address.
    None,
    /// Anyone.
    FullCone,
    /// Whoever has an address to which the host has written from that port.
    AddressRestricted,
    /// Only the address and port to which the host has written.
    PortRestricted,
    /// The same, and the public port is another for each address and port that is written to.
    Symmetric,
}

impl Kind {
    pub const ALL: [Self; 5] =
        [Self::None, Self::FullCone, Self::AddressRestricted, Self::PortRestricted, Self::Symmetric];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Router {
    pub kind: Kind,
    /// As in many an office: no UDP, in or out.
    pub udp_blocked: bool,
}

impl From<Kind> for Router {
    fn from(kind: Kind) -> Self {
        Self { kind, udp_blocked: false }
    }
}

impl Router {
    pub fn without_udp(kind: Kind) -> Self {
        Self { kind, udp_blocked: true }
    }

    /// The rules, for a router with interfaces `lan` and `wan`. It is the home's `nth` router, and forwards nothing of
    /// the connections that were made through another.
    pub(super) fn rules(self, nth: u32, wan: Ipv4Addr, lan: &str) -> String {
        let udp = if self.udp_blocked { "meta l4proto udp drop" } else { "" };
        let (inbound, outbound, source) = match self.kind {
            Kind::None => ("accept", "", String::new()),
            Kind::FullCone => ("ct status dnat accept", "", cone(wan)),
            Kind::AddressRestricted => (
                "ip daddr . udp dport . ip saddr @contacted accept",
                "update @contacted { ip saddr . udp sport . ip daddr }",
                cone(wan),
            ),
            Kind::PortRestricted => ("", "", cone(wan)),
            Kind::Symmetric => ("", "", "masquerade fully-random".to_owned()),
        };
        // Elsewhere, private addresses would lead nowhere.
        let hidden = if self.kind == Kind::None { String::new() } else { format!("ip daddr {lan} drop") };
        let destination = match self.kind {
            Kind::FullCone | Kind::AddressRestricted => "meta l4proto udp dnat ip to udp dport map @mapped",
            _ => "",
        };
        format!(
            "table ip router {{
               map mapped {{ type inet_service : ipv4_addr . inet_service; flags dynamic; size 65535; }}
               set contacted {{ type ipv4_addr . inet_service . ipv4_addr; flags dynamic; size 65535; }}
               chain arriving {{
                 type filter hook prerouting priority raw;
                 iifname wan {hidden}
               }}
               chain destination {{
                 # Kept even where it is empty: it has replies translated back.
                 type nat hook prerouting priority dstnat;
                 iifname wan {destination}
               }}
               chain input {{
                 # What came in before the host wrote out would otherwise take the port that the host is to get.
                 type filter hook input priority filter;
                 iifname wan ct state new drop
               }}
               chain forward {{
                 type filter hook forward priority filter; policy drop;
                 ct state new ct mark set {nth}
                 iifname lan meta l4proto tcp ct mark != {nth} reject with tcp reset
                 ct mark != {nth} drop
                 {udp}
                 iifname lan {outbound}
                 iifname lan accept
                 ct state established,related accept
                 iifname wan {inbound}
               }}
               chain source {{
                 type nat hook postrouting priority srcnat;
                 oifname wan meta l4proto udp {source}
                 oifname wan {others}
               }}
             }}",
            others = if self.kind == Kind::None { "" } else { "masquerade" },
        )
    }
}

/// Maps a host's port to the same public port.
fn cone(wan: Ipv4Addr) -> String {
    format!("update @mapped {{ udp sport : ip saddr . udp sport }} snat ip to {wan}")
}
