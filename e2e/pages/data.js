// Two of these pages, joined by one library or by none, send each other data: `bench-data` says what, and is told how long
// it took. Each contender gives a way to send one message, and hands over what arrives.

const params = new URLSearchParams(location.search);
const [kind, server, room, libraries] = ["kind", "server", "room", "libraries"].map((name) => params.get(name));

/** Tells two pages of one room of each other, by the plainest messages the server knows. */
function meet(begin, hear) {
  return new Promise((met) => {
    const socket = new WebSocket(server);
    const say = (message) => socket.send(JSON.stringify(message));
    socket.onopen = () => say({ type: "join", room });
    socket.onmessage = async ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === "ready") {
        await begin(message.role === "caller", say);
        met();
      } else {
        await hear?.(message, say);
      }
    };
  });
}

const script = (url) =>
  new Promise((loaded, failed) => {
    const element = document.createElement("script");
    Object.assign(element, { src: url, onload: loaded, onerror: failed });
    document.head.append(element);
  });

const contenders = {
  /** One RTCDataChannel, and a mark that is never far exceeded. */
  async raw(receive) {
    const high = 1 << 20;
    const connection = new RTCPeerConnection();
    const channel = connection.createDataChannel("data", { negotiated: true, id: 0 });
    channel.binaryType = "arraybuffer";
    channel.bufferedAmountLowThreshold = high / 4;
    channel.onmessage = ({ data }) => receive(data);
    const open = new Promise((opened) => (channel.onopen = opened));
    await meet(
      async (calls, say) => {
        connection.onicecandidate = ({ candidate }) => candidate && say({ type: "candidate", candidate });
        if (calls) {
          await connection.setLocalDescription();
          say({ type: "offer", offer: connection.localDescription });
        }
      },
      async (message, say) => {
        if (message.type === "offer") {
          await connection.setRemoteDescription(message.offer);
          await connection.setLocalDescription();
          say({ type: "answer", answer: connection.localDescription });
        }
        if (message.type === "answer") await connection.setRemoteDescription(message.answer);
        if (message.type === "candidate") await connection.addIceCandidate(message.candidate);
      },
    );
    await open;
    return (data) => {
      channel.send(data);
      if (channel.bufferedAmount > high) return new Promise((low) => (channel.onbufferedamountlow = low));
    };
  },

  async duologue(receive) {
    const { default: init, Room } = await import("../../pkg/duologue.js");
    await init();
    window.room = await Room.join(server, room, {});
    const connected = new Promise((is) => {
      window.room.on("state", ({ state }) => state === "connected" && is());
    });
    window.room.on("message", ({ data }) => receive(data));
    window.room.on("file", ({ transfer }) => transfer.accept());
    await connected;
    return (data) => window.room.send(data);
  },

  async peerjs(receive) {
    await script(`${libraries}/peerjs/dist/peerjs.min.js`);
    const { port } = new URL(params.get("peerserver"));
    const names = [`${room}-a`, `${room}-b`];
    const role = params.get("role");
    const peer = new Peer(names[role], { host: "127.0.0.1", port: Number(port), path: "/", config: { iceServers: [] } });
    await new Promise((open) => peer.on("open", open));
    window.registered = true;
    let connection;
    if (role === "1") {
      connection = peer.connect(names[0], { reliable: true });
    } else {
      connection = await new Promise((connected) => peer.on("connection", connected));
    }
    connection.on("data", receive);
    if (!connection.open) await new Promise((open) => connection.on("open", open));
    return (data) => connection.send(data);
  },

  async "simple-peer"(receive) {
    await script(`${libraries}/simple-peer/simplepeer.min.js`);
    let peer;
    let connected;
    const ready = new Promise((is) => (connected = is));
    const make = (initiator, say) => {
      peer = new SimplePeer({ initiator, config: { iceServers: [] } });
      peer.on("signal", (signal) => {
        if (signal.type === "offer") say({ type: "offer", offer: signal });
        else if (signal.type === "answer") say({ type: "answer", answer: signal });
        else if (signal.candidate) say({ type: "candidate", candidate: signal.candidate });
      });
      peer.on("data", receive);
      peer.on("connect", connected);
    };
    await meet(
      async (calls, say) => make(calls, say),
      async (message) => {
        if (message.type === "offer") peer.signal(message.offer);
        if (message.type === "answer") peer.signal(message.answer);
        if (message.type === "candidate") peer.signal({ type: "candidate", candidate: message.candidate });
      },
    );
    await ready;
    return (data) => {
      if (!peer.write(data)) return new Promise((drained) => peer.once("drain", drained));
    };
  },
};

let left = 0;
let arrived = () => {};

/** What has arrived: the word that so much will come, that much, or the word that it has. */
function receive(data) {
  const text = typeof data === "string" ? data : kind === "simple-peer" && data.length < 40 ? decode(data) : "";
  if (text.startsWith("expect ")) {
    const [, unit, count] = text.split(" ");
    left = Number(count);
    count_by = unit;
  } else if (text === "arrived") {
    arrived();
  } else {
    left -= count_by === "messages" ? 1 : data.byteLength;
    if (left === 0) send("arrived");
  }
}

let count_by = "bytes";
const decode = (bytes) => new TextDecoder().decode(bytes);

let send;

/** Seconds until the other side has `count` messages of `size` bytes. */
window.measure = async (count, size, unit) => {
  const message = new Uint8Array(size);
  crypto.getRandomValues(message.subarray(0, Math.min(size, 65536)));
  const all = new Promise((is) => (arrived = is));
  const begin = performance.now();
  await send(`expect ${unit} ${unit === "messages" ? count : count * size}`);
  for (let sent = 0; sent < count; sent++) {
    await send(message);
  }
  await all;
  return (performance.now() - begin) / 1000;
};

/** Seconds until the other side has the chosen file, checked and on its disk. */
window.measureFile = async () => {
  const file = document.querySelector("#file").files[0];
  const begin = performance.now();
  const transfer = await window.room.sendFile(file);
  await transfer.finished();
  return (performance.now() - begin) / 1000;
};

contenders[kind](receive).then(
  (way) => {
    send = way;
    window.ready = true;
  },
  (error) => (window.failed = String(error)),
);
