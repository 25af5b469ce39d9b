// The page as seen from outside the library.

const Connection = window.RTCPeerConnection;
const censuses = [];

window.RTCPeerConnection = class RTCPeerConnection extends Connection {
  constructor(...options) {
    super(...options);
    for (const census of censuses) census.add(this);
  }
};

export class Census {
  #connections = [];
  negotiations = 0;

  constructor() {
    censuses.push(this);
  }

  add(connection) {
    this.#connections.push(connection);
    connection.addEventListener("signalingstatechange", () => {
      if (connection.signalingState.startsWith("have-")) this.negotiations += 1;
    });
  }

  get made() {
    return this.#connections.length;
  }

  get open() {
    return this.#connections.filter((connection) => connection.signalingState !== "closed").length;
  }

  get signaling() {
    return this.#connections.map((connection) => connection.signalingState).join(" ");
  }
}

const devices = navigator.mediaDevices;
const getUserMedia = devices.getUserMedia.bind(devices);

export class Gate {
  #refused = new Map();
  #questions = [];
  #tracks = [];
  #held = Promise.resolve();
  #release = () => {};

  constructor() {
    devices.getUserMedia = (constraints) => this.#ask(constraints);
  }

  async #ask(constraints) {
    const kinds = ["audio", "video"].filter((kind) => constraints[kind]);
    this.#questions.push(kinds.join("+"));
    const refused = kinds.find((kind) => this.#refused.has(kind));
    const stream = refused ? undefined : await getUserMedia(constraints);
    this.#tracks.push(...(stream?.getTracks() ?? []));
    await this.#held;
    if (refused) throw new DOMException(`no ${refused}`, this.#refused.get(refused));
    return stream;
  }

  refuse(kind, exception) {
    this.#refused.set(kind, exception);
  }

  relent() {
    this.#refused.clear();
  }

  hold() {
    this.#held = new Promise((resolve) => (this.#release = resolve));
  }

  release() {
    this.#release();
  }

  get questions() {
    return this.#questions.join(" ");
  }

  get running() {
    return this.#tracks.filter((track) => track.readyState === "live").length;
  }

  get given() {
    return this.#tracks.length;
  }
}

export async function picture(stream) {
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  video.srcObject = stream;
  document.body.append(video);
  try {
    const shown = new Promise((resolve) => video.requestVideoFrameCallback(resolve));
    await video.play();
    await shown;
    if (!(video.videoWidth > 0)) throw new Error("a frame without a width");
  } finally {
    video.srcObject = null;
    video.remove();
  }
}

export async function sound(stream) {
  // Chromium feeds Web Audio from a remote stream only while an element plays it.
  const player = new Audio();
  player.muted = true;
  player.srcObject = stream;
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(analyser);
  try {
    await player.play();
    const samples = new Uint8Array(analyser.fftSize);
    do {
      await new Promise((resolve) => requestAnimationFrame(resolve));
      analyser.getByteTimeDomainData(samples);
    } while (!samples.some((sample) => Math.abs(sample - 128) > 4));
  } finally {
    player.srcObject = null;
    await context.close();
  }
}

export function once(target, name) {
  return new Promise((resolve) => target.addEventListener(name, () => resolve(), { once: true }));
}

export function fire(target, name) {
  target.dispatchEvent(new Event(name));
}
