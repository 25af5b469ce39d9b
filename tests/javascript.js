// The package as a web developer uses it. Each exported function is a promise, and throws where it is not kept.

// The module that this file is part of, under the very address by which the test runner's page has loaded it: another
// spelling of it would be another module. In a page of one's own it is `import init, { Room } from "duologue"`.
import { Room, diagnose } from "/wasm-bindgen-test";

const PATIENCE = 15_000;
let rooms = 0;
const freshRoom = () => `room ${(rooms += 1)} of ${Date.now()}`;

function check(kept, words) {
  if (!kept) throw new Error(words);
}

function equal(is, should, words) {
  check(JSON.stringify(is) === JSON.stringify(should), `${words}: ${JSON.stringify(is)}, not ${JSON.stringify(should)}`);
}

function within(what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${PATIENCE} ms in vain: ${what}`)), PATIENCE);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** The next event of this name that fits. */
function next(room, name, fits = () => true) {
  let off;
  const heard = new Promise((resolve) => {
    off = room.on(name, (event) => fits(event) && resolve(event));
  });
  return within(`"${name}"`, heard).finally(() => off());
}

const connected = (room) => next(room, "state", ({ state }) => state === "connected");

async function rejection(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("it should have been rejected");
}

const CAMERA = { media: { audio: true, video: true } };

/** Ada and Ben, in a call that is up. */
async function aCall(optionsOfAda = {}, optionsOfBen = {}) {
  const name = freshRoom();
  const ada = await Room.join("tabs:", name, { name: "Ada", ...optionsOfAda });
  const up = connected(ada);
  const ben = await Room.join("tabs:", name, { name: "Ben", ...optionsOfBen });
  await Promise.all([up, connected(ben)]);
  return [ada, ben];
}

export async function two_rooms_call_each_other_and_everything_is_told() {
  const name = freshRoom();
  const ada = await Room.join("tabs:", name, { name: "Ada", ...CAMERA });
  equal(ada.peers, [], "alone");
  check(ada.localStream instanceof MediaStream, "one's own stream is there at once");
  const heard = Promise.all([
    next(ada, "peer"),
    next(ada, "stream"),
    connected(ada),
    next(ada, "media", ({ audio, video }) => audio && video),
  ]);
  const ben = await Room.join("tabs:", name, { name: "Ben", ...CAMERA });
  const benHearsOff = next(ben, "media", ({ audio, video }) => !audio && !video);
  const [{ peer }, { stream }] = await heard;
  equal(peer, { id: ben.id, name: "Ben", speaks: true }, "the peer");
  equal(ada.peers, [peer], "the peers");
  check(stream instanceof MediaStream && stream.getTracks().length > 0, "the other's stream");

  await ada.setMicrophone(false);
  await ada.setCamera(false);
  equal(ada.localStream.getVideoTracks().length, 0, "the camera that is off is released");
  await benHearsOff;

  const gone = next(ada, "peer-left");
  ben.leave();
  equal(await gone, { peer, reason: "left" }, "who left");
  equal(ada.peers, [], "alone again");
  ada.leave();
}

export async function events_that_come_before_join_returns_reach_handlers_added_right_after_it() {
  const name = freshRoom();
  const ada = await Room.join("tabs:", name, { name: "Ada" });
  const ben = await Room.join("tabs:", name);
  const heard = [];
  for (const event of ["joined", "peer", "signaling"]) ben.on(event, () => heard.push(event));
  await next(ben, "peer");
  equal(heard, ["signaling", "joined", "peer"], "in their order");
  ada.leave();
  ben.leave();
}

export async function a_handler_that_is_taken_off_hears_nothing_more() {
  const name = freshRoom();
  const ada = await Room.join("tabs:", name);
  let heard = 0;
  const off = ada.on("peer", () => (heard += 1));
  off();
  off();
  const met = next(ada, "peer");
  const ben = await Room.join("tabs:", name);
  await met;
  equal(heard, 0, "events heard");
  ada.leave();
  ben.leave();
}

export async function a_handler_that_throws_is_reported_and_does_not_keep_the_others_from_hearing() {
  const name = freshRoom();
  const ada = await Room.join("tabs:", name);
  const reported = new Promise((resolve) => {
    window.addEventListener(
      "error",
      (event) => {
        event.preventDefault();
        event.stopImmediatePropagation();
        resolve(event.error.message);
      },
      { once: true, capture: true },
    );
  });
  ada.on("peer", () => {
    throw new Error("a mistake in a handler");
  });
  const met = next(ada, "peer");
  const ben = await Room.join("tabs:", name);
  await met;
  equal(await within("the report", reported), "a mistake in a handler", "reported");
  ada.leave();
  ben.leave();
}

export async function leaving_ends_everything_and_may_be_said_twice() {
  const [ada, ben] = await aCall(CAMERA);
  const tracks = ada.localStream.getTracks();
  let heard = 0;
  ada.on("peer-left", () => (heard += 1));
  ada.on("state", () => (heard += 1));
  const gone = next(ben, "peer-left");
  ada.leave();
  ada.leave();
  await gone;
  equal([ada.peers, ada.localStream], [[], undefined], "after leaving");
  check(tracks.length > 0 && tracks.every((track) => track.readyState === "ended"), "the devices are released");
  await ada.setCamera(true);
  equal(heard, 0, "events after leaving");
  ben.leave();
}

export async function a_stream_of_the_application_is_sent_and_remains_its_own() {
  const canvas = document.createElement("canvas");
  canvas.getContext("2d").fillRect(0, 0, 1, 1);
  const media = canvas.captureStream();
  const [ada, ben] = await aCall({ media });
  equal(ada.localStream.getTracks()[0] === media.getTracks()[0], true, "the track is the same");
  ada.leave();
  equal(media.getTracks()[0].readyState, "live", "the track after leaving");
  media.getTracks()[0].stop();
  ben.leave();
}

export async function without_media_there_is_no_local_stream_and_setting_it_does_nothing() {
  for (const options of [undefined, null, {}, { media: null }]) {
    const room = await Room.join("tabs:", freshRoom(), options);
    equal(room.localStream, undefined, "the local stream");
    await room.setCamera(true);
    await room.setMicrophone(false);
    room.leave();
  }
}

export async function what_goes_wrong_has_a_code_and_words() {
  const name = freshRoom();
  const [ada, ben] = await Promise.all([Room.join("tabs:", name), Room.join("tabs:", name)]);
  const cases = [
    [Room.join("tabs:", name), "room-full"],
    [Room.join("tabs:", ""), "invalid-name"],
    [Room.join("tabs:", freshRoom(), { name: "x".repeat(65) }), "invalid-name"],
    [Room.join("ws://127.0.0.1:47123/ws", "standup"), "unreachable"],
  ];
  for (const [promise, code] of cases) {
    const error = await within(code, rejection(promise));
    check(error instanceof Error, `${code} is an Error`);
    equal(error.code, code, "its code");
    check(error.message.length > 20, `${code} says what to do: ${error.message}`);
  }
  ada.leave();
  ben.leave();
}

export async function a_join_that_fails_releases_the_devices() {
  const given = [];
  const devices = navigator.mediaDevices;
  devices.getUserMedia = async (constraints) => {
    const stream = await MediaDevices.prototype.getUserMedia.call(devices, constraints);
    given.push(...stream.getTracks());
    return stream;
  };
  try {
    await within("the rejection", rejection(Room.join("ws://127.0.0.1:47123/ws", "standup", CAMERA)));
    // They may come after the rejection.
    const released = async () => {
      while (given.length < 2 || given.some((track) => track.readyState === "live")) {
        await new Promise((resolve) => requestAnimationFrame(resolve));
      }
    };
    await within("the devices are released", released());
  } finally {
    delete devices.getUserMedia;
  }
}

export async function options_that_make_no_sense_are_named() {
  const cases = [
    ["options", "here"],
    ["options.name", { name: 7 }],
    ["options.media", { media: true }],
    ["options.rtc.iceServers", { rtc: { iceServers: "stun:example.org" } }],
    ["options.rtc.iceServers[].urls", { rtc: { iceServers: [{}] } }],
    ["options.rtc.iceServers[].urls", { rtc: { iceServers: [null] } }],
    ["options.rtc.iceTransportPolicy", { rtc: { iceTransportPolicy: "none" } }],
  ];
  for (const [name, options] of cases) {
    const error = await within(name, rejection(Room.join("tabs:", freshRoom(), options)));
    check(error instanceof TypeError && error.message.startsWith(`${name} must be `), `${name}: ${error}`);
  }
  const room = await Room.join("tabs:", freshRoom());
  for (const call of [() => room.on("peers", () => {}), () => room.on("peer", "here")]) {
    try {
      call();
    } catch (error) {
      check(error instanceof TypeError, `${error} is no TypeError`);
      continue;
    }
    throw new Error(`${call} was taken`);
  }
  room.leave();
}

export async function a_check_says_whom_one_can_call() {
  const found = await within("a check with no server", diagnose("tabs:"));
  equal(found.verdict, "own-network-nothing-set-up", "without STUN and TURN");
  check(found.message.startsWith("You can call people on your own network"), found.message);
  equal([found.signaling, found.relay, found.relayProtocol, found.udp], [null, null, null, null], "what was not tried");
  equal(found.candidates, ["host"], "what is gathered without servers");
  equal([found.camera, found.microphone], [null, null], "the fake devices");
}

export async function a_check_does_not_wait_for_a_server_that_is_not_there() {
  const found = await within("a check", diagnose("ws://127.0.0.1:9/ws"));
  equal([found.verdict, found.signaling], ["no-signaling", false], "with nobody at that port");
  const error = await rejection(diagnose("tabs:", { rtc: { iceServers: "stun:example.org" } }));
  check(error instanceof TypeError, `${error} is no TypeError`);
}

export async function another_try_may_be_asked_for_at_any_time() {
  const [ada, ben] = await aCall();
  ada.retry();
  ben.leave();
  await next(ada, "peer-left", ({ reason }) => reason === "left");
  ada.retry();
  ada.leave();
  ada.retry();
}

export async function messages_arrive_as_text_or_bytes_and_say_from_whom() {
  const [ada, ben] = await aCall();
  for (const data of ["Grüße 👋", "", new Uint8Array([0, 255, 7]), new Uint8Array(200_000).fill(9).buffer]) {
    const heard = next(ben, "message");
    const receipt = await within("it is taken", ada.send(data));
    equal(receipt.peers.map(({ name }) => name), ["Ben"], "whom it went to");
    const message = await heard;
    equal([message.peer.name, message.reliable], ["Ada", true], "from whom, and how");
    if (typeof data === "string") {
      equal(message.data, data, "text");
    } else {
      check(message.data instanceof Uint8Array, "bytes come as a Uint8Array");
      equal([...message.data.slice(0, 3), message.data.length], [...new Uint8Array(data).slice(0, 3), new Uint8Array(data).length], "bytes");
    }
    await within("it is delivered", receipt.delivered());
  }
  const heard = next(ben, "message");
  await ada.send("here", { to: ben.id, reliable: false });
  equal((await heard).reliable, false, "a lossy message says so");
  ada.leave();
  ben.leave();
}

export async function what_cannot_be_sent_rejects_with_the_reason() {
  const [ada, ben] = await aCall();
  for (const call of [() => ada.send(7), () => ada.send("x", { reliable: "no" }), () => ada.send("x", 5), () => ada.sendFile("x")]) {
    try {
      await call();
    } catch (error) {
      check(error instanceof TypeError, `${error} is no TypeError`);
      continue;
    }
    throw new Error(`${call} was taken`);
  }
  const large = await rejection(ada.send(new Uint8Array(17 << 20)));
  equal(large.code, "undelivered", "what is too large");
  check(large.message.includes("too large"), large.message);
  equal((await rejection(ada.send("x", { to: "nobody" }))).code, "no-such-peer", "somebody who is not here");
  ben.leave();
  await next(ada, "peer-left");
  equal((await ada.send("x")).peers, [], "in an empty room");
  ada.leave();
  try {
    ada.send("x");
  } catch (error) {
    equal(error.code, "left", "after leaving");
    return;
  }
  throw new Error("it was taken after leaving");
}

export async function a_file_is_offered_accepted_and_arrives_whole() {
  const [ada, ben] = await aCall();
  const bytes = new Uint8Array(1_000_000).map((_, at) => at ^ (at >> 8));
  const offered = next(ben, "file");
  const out = await ada.sendFile(new File([bytes], "../plan.pdf", { type: "application/pdf" }));
  const { peer, transfer } = await offered;
  equal([peer.name, transfer.name, transfer.type, transfer.size], ["Ada", "plan.pdf", "application/pdf", 1_000_000], "the offer");
  equal([out.incoming, transfer.incoming, transfer.status.state], [false, true, "offered"], "before it is answered");
  const progress = new Promise((heard) => out.on("progress", heard));
  const done = new Promise((heard) => transfer.on("done", heard));
  transfer.accept();
  equal((await within("progress", progress)).size, 1_000_000, "progress");
  const file = await within("the file", transfer.finished());
  check(file instanceof File && file.name === "plan.pdf" && file.type === "application/pdf", "a File, as it was offered");
  const arrived = new Uint8Array(await file.arrayBuffer());
  check(arrived.length === bytes.length && arrived.every((byte, at) => byte === bytes[at]), "its bytes");
  equal((await within("done", done)).state, "done", "the event");
  equal(await within("the sender is told", out.finished()), null, "the sender has the file already");
  ada.leave();
  ben.leave();
}

export async function a_file_may_be_declined_or_cancelled_and_both_are_told_why() {
  const [ada, ben] = await aCall();
  let offered = next(ben, "file");
  let out = await ada.sendFile(new File(["x"], "a.txt"));
  (await offered).transfer.decline("not now");
  const declined = await within("it is declined", rejection(out.finished()));
  equal([declined.code, declined.message], ["declined", "The other side declined it: not now"], "why");
  offered = next(ben, "file");
  out = await ada.sendFile(new File(["x"], "a.txt"));
  const { transfer } = await offered;
  const failed = new Promise((heard) => transfer.on("failed", heard));
  out.cancel();
  equal((await within("it is cancelled", failed)).error.code, "cancelled", "the event");
  try {
    transfer.accept("here");
  } catch (error) {
    check(error instanceof TypeError, `${error} is no TypeError`);
  }
  ada.leave();
  ben.leave();
}
