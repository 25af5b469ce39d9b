//! The way that a call's packets take.

use serde_json::Value;

use crate::browser::Window;

/// What ICE settled on, as one of the two browsers sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The types of the candidates: host, srflx, prflx or relay.
    pub local: String,
    pub remote: String,
    /// How this side reaches its TURN server, if it goes through one: udp or tcp.
    pub relay_protocol: Option<String>,
    /// Whether another pair of candidates worked as well, without a relay on either side.
    pub could_be_direct: bool,
}

impl Path {
    /// Run before a page's own scripts (`WindowOptions::before`), remembers its connections.
    pub const COLLECT: &str = "window.connections = [];
        window.RTCPeerConnection = new Proxy(RTCPeerConnection, {
            construct(target, given) {
                const connection = new target(...given);
                connections.push(connection);
                return connection;
            },
        });";

    pub fn is_relayed(&self) -> bool {
        self.local == "relay" || self.remote == "relay"
    }

    /// The path of the connection that is up, in a page that was opened with [`COLLECT`](Self::COLLECT).
    pub async fn of(window: &Window) -> Self {
        let found = window.run(FIND).await;
        let text = |field: &str| found[field].as_str().map(str::to_owned);
        Self {
            local: text("local").unwrap_or_default(),
            remote: text("remote").unwrap_or_default(),
            relay_protocol: text("relayProtocol"),
            could_be_direct: found["direct"] == Value::Bool(true),
        }
    }
}

const FIND: &str = "
    const connection = connections.findLast(it => it.connectionState === 'connected');
    if (!connection) throw new Error(`none of these is connected: ${connections.map(it => it.connectionState)}`);
    const stats = await connection.getStats();
    const ends = pair => [stats.get(pair.localCandidateId), stats.get(pair.remoteCandidateId)];
    const all = [...stats.values()];
    const transport = all.find(it => it.type === 'transport');
    const [local, remote] = ends(stats.get(transport.selectedCandidatePairId));
    const working = all.filter(it => it.type === 'candidate-pair' && it.state === 'succeeded').map(ends);
    return {
        local: local.candidateType,
        remote: remote.candidateType,
        relayProtocol: local.candidateType === 'relay' ? local.relayProtocol : null,
        direct: working.some(pair => pair.every(it => it.candidateType !== 'relay')),
    };";
