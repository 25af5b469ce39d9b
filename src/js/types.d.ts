/** Another person in the room. */
export interface Peer {
  /** Unique in the room. */
  readonly id: string;
  /** The name they gave; may be empty. */
  readonly name: string;
}

/** An error of Duologue: `message` tells a person what to do, `code` is for programs. */
export interface RoomError extends Error {
  readonly code: string;
}

/** How to join. */
export interface JoinOptions {
  /** The name to show to others. */
  name?: string;
  /** What to send: constraints, a stream of your own, or null to see and hear only. Default: null. */
  media?: { audio?: boolean | MediaTrackConstraints; video?: boolean | MediaTrackConstraints } | MediaStream | null;
  /** How to connect. Default: no STUN or TURN but what the signaling server tells of, and any way. */
  rtc?: { iceServers?: RTCIceServer[]; iceTransportPolicy?: RTCIceTransportPolicy };
}

/** Why a connection has failed: `message` tells a person what to do, `code` is for programs. */
export interface FailureReason {
  readonly code: "offline" | "peer-away" | "no-answer" | "relay-failed" | "no-relay" | "no-path" | string;
  readonly message: string;
  /** The STUN and TURN servers that were of no help. */
  readonly servers: ServerProblem[];
}

/** What a STUN or TURN server that was of no help said; `code` is the STUN error code, or 701 if it was not reached. */
export interface ServerProblem {
  readonly url: string;
  readonly code: number;
  readonly message: string;
}

/** What `diagnose` has found. */
export interface Diagnosis {
  /** Whom one can call from here. */
  readonly verdict:
    | "no-signaling" | "no-network" | "everybody" | "everybody-slowly" | "most" | "most-relay-fails"
    | "own-network-mapping" | "own-network-udp-blocked" | "own-network-relay-fails" | "own-network-nothing-set-up"
    | string;
  /** The same for a person: one sentence to act on. */
  readonly message: string;
  /** What is the matter with the camera, or null. */
  readonly camera: string | null;
  /** What is the matter with the microphone, or null. */
  readonly microphone: string | null;
  /** After how many milliseconds the signaling server answered; false if it did not, null if there is none. */
  readonly signaling: number | false | null;
  /** The kinds of candidates that were gathered. */
  readonly candidates: ("host" | "srflx" | "relay")[];
  /** Whether UDP gets out; null if there was no server to ask. */
  readonly udp: boolean | null;
  /** How the network maps addresses (RFC 4787), as two STUN servers see it. */
  readonly mapping: "direct" | "endpoint-independent" | "endpoint-dependent" | "unknown";
  /** How many milliseconds a word takes over the relay and back; false if it does not get through, null if there is none. */
  readonly relay: number | false | null;
  /** What is spoken with the relay. */
  readonly relayProtocol: "udp" | "tcp" | "tls" | null;
  /** The servers that were of no help. */
  readonly servers: ServerProblem[];
}

/** What `room.on` can hear. */
export interface RoomEvents {
  /** We are in the room again, under another id: the server had forgotten us. */
  joined: { id: string };
  /** Someone is in the room with us. */
  peer: { peer: Peer };
  /** Someone has lost the signaling server and is expected back. The call goes on if only that is broken. */
  "peer-away": { peer: Peer };
  /** Someone who was away is back. */
  "peer-back": { peer: Peer };
  /** Someone is no longer. */
  "peer-left": { peer: Peer; reason: "left" | "lost" | "replaced" | "removed" | string };
  /** What someone sends can be shown. Tracks may be added to the stream later. */
  stream: { peer: Peer; stream: MediaStream };
  /** The connection to someone changed. It is repaired by itself; `failed` means that all tries were in vain. */
  state: { peer: Peer; state: "connecting" | "connected" | "reconnecting" | "failed"; reason?: FailureReason };
  /** Someone turned their microphone or camera on or off. */
  media: { peer: Peer; audio: boolean; video: boolean };
  /** The signaling server is there, or not; calls go on without it. `retryIn` is in milliseconds. */
  signaling: { reached: boolean; retryIn?: number };
  /** We are no longer in the room: removed, or replaced by another connection of the same session. Calls are over. */
  ended: { error: RoomError };
  /** Something went wrong that changed nothing else. */
  error: { error: RoomError };
}

export interface Room {
  on<Name extends keyof RoomEvents>(event: Name, handler: (event: RoomEvents[Name]) => void): () => void;
}
