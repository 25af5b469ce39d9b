const parameters = new URLSearchParams(location.search);
const joinButton = document.getElementById("join");
const remoteVideo = document.getElementById("remote");

let localStream;
let pc;
let socket;
let pending = [];

const send = (message) => socket.send(JSON.stringify(message));

function createPeerConnection() {
  pc = new RTCPeerConnection();
  for (const track of localStream.getTracks()) pc.addTrack(track, localStream);
  pc.onicecandidate = ({ candidate }) => candidate && send({ type: "candidate", candidate });
  pc.ontrack = ({ streams }) => { remoteVideo.srcObject = streams[0]; };
}

async function remoteDescriptionSet() {
  for (const candidate of pending.splice(0)) await pc.addIceCandidate(candidate);
}

async function handle(message) {
  switch (message.type) {
    case "ready":
      if (message.role !== "caller") break;
      createPeerConnection();
      await pc.setLocalDescription(await pc.createOffer());
      send({ type: "offer", offer: pc.localDescription });
      break;
    case "offer":
      createPeerConnection();
      await pc.setRemoteDescription(message.offer);
      await remoteDescriptionSet();
      await pc.setLocalDescription(await pc.createAnswer());
      send({ type: "answer", answer: pc.localDescription });
      break;
    case "answer":
      await pc.setRemoteDescription(message.answer);
      await remoteDescriptionSet();
      break;
    case "candidate":
      if (pc && pc.remoteDescription) await pc.addIceCandidate(message.candidate);
      else pending.push(message.candidate);
      break;
  }
}

joinButton.onclick = () => {
  window.joinedAt = performance.timeOrigin + performance.now();
  socket = new WebSocket(parameters.get("ws"));
  socket.onopen = () => send({ type: "join", room: parameters.get("room") });
  let last = Promise.resolve();
  socket.onmessage = ({ data }) => { last = last.then(() => handle(JSON.parse(data))); };
};

navigator.mediaDevices.getUserMedia({ audio: true, video: true }).then((stream) => {
  localStream = stream;
  document.getElementById("local").srcObject = stream;
  joinButton.disabled = false;
});
