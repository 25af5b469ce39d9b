/** Another person in the room. */
export interface Peer {
  /** Unique in the room. */
  readonly id: string;
  /** The name they gave; may be empty. */
  readonly name: string;
  /** Whether they may be seen and heard, and send messages and files. Of one who may not, nothing of that is let through. */
  readonly speaks: boolean;
}

/** An error of Duologue: `message` tells a person what to do, `code` is for programs. */
export interface RoomError extends Error {
  readonly code: string;
}

/** How to join. */
export interface JoinOptions {
  /** The name to show to others. */
  name?: string;
  /** What lets one in, where the server asks for it. */
  token?: string;
  /** Called when somebody inside has to decide whether to let us in. `join` waits for that. */
  onWaiting?: () => void;
  /** Ends `join` before it is done, which then rejects with the signal's reason. */
  signal?: AbortSignal;
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
    | "no-signaling" | "no-network" | "everybody" | "everybody-slowly" | "most" | "most-perhaps"
    | "most-relay-fails"
    | "own-network-mapping" | "own-network-udp-blocked" | "own-network-relay-fails" | "own-network-stun-fails"
    | "own-network-nothing-set-up"
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

/** How to send a message. */
export interface SendOptions {
  /** The id of whom it is for. Default: everyone in the room. */
  to?: string;
  /** Whether it arrives for certain and in order. Default: true. */
  reliable?: boolean;
}

/** Where the transfer of a file stands. */
export interface TransferStatus {
  readonly state: "offered" | "active" | "done" | "failed";
  /** The file's size in bytes. */
  readonly size: number;
  /** While active: the bytes that are safe with the receiver. */
  readonly bytes?: number;
  /** While active: bytes a second, once that is known. */
  readonly rate?: number | null;
  /** While active: milliseconds that it will take at that rate. */
  readonly left?: number | null;
  readonly pausedHere?: boolean;
  readonly pausedThere?: boolean;
  /** When done: the file that arrived, or null if we sent it or it was written to a `sink`. */
  readonly file?: File | null;
  /** When failed: why. */
  readonly error?: TransferProblem;
}

/** Why a file did not arrive: `message` tells a person, `code` is for programs. */
export interface TransferProblem extends Error {
  readonly code:
    | "cancelled" | "declined" | "changed" | "unreadable" | "cannot-save" | "damaged" | "malformed" | "forgotten"
    | "too-many" | "left" | string;
}

/** What `transfer.on` can hear. */
export interface TransferEvents {
  /** It was accepted, and goes on, or is paused. Told twice a second. */
  progress: TransferStatus;
  /** The receiver has all of it, unaltered. */
  done: TransferStatus;
  /** It is over, and the file is not there. */
  failed: TransferStatus;
}

export interface FileTransfer {
  on<Name extends keyof TransferEvents>(event: Name, handler: (event: TransferEvents[Name]) => void): () => void;
}

/** What `room.on` can hear. */
export interface RoomEvents {
  /** We are in the room; comes again, with another id, if the server had forgotten us. */
  joined: { id: string; rights: ("join" | "speak" | "admin")[]; locked: boolean };
  /** The server had forgotten us, and somebody inside has to let us in again. Calls go on. */
  waiting: {};
  /** The room was locked, so that newcomers have to knock, or opened again. */
  locked: { locked: boolean };
  /** Someone wants to be let in. Only admins hear of it, and decide with `admit` or `deny`. */
  knock: { peer: Peer };
  /** Someone who knocked is in, was not let in, or has gone. */
  "knock-over": { id: string };
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
  /** A message has arrived: text as a string, bytes as a Uint8Array. */
  message: { peer: Peer; data: string | Uint8Array; reliable: boolean };
  /** Someone offers a file, which is to be accepted or declined. */
  file: { peer: Peer; transfer: FileTransfer };
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
