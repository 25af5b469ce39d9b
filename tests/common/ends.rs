//! Two connections in one page, each with its negotiator, and between them a wire that the test holds.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use duologue::browser::{
    Connection, ConnectionEvent, DataChannel, DataChannelEvent, DataChannelKind, MediaKind, MediaStream,
    MediaStreamTrack, RtcOptions, capture,
};
use duologue_engine::{
    Failure, LinkState, Negotiation, Negotiator, NegotiatorInput, NegotiatorOutput, Operation, Party, Signal,
};
use duologue_protocol::{Candidate, Description, Role, SdpType};
use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures_util::StreamExt;
use wasm_bindgen::JsValue;

use crate::common::{Heard, notebook, tracks};

/// What a test may hear of one end.
#[derive(Debug)]
pub enum Note {
    State(LinkState),
    Track(MediaStreamTrack),
    Channel(DataChannelEvent),
    Agreed(Negotiation),
    GivenUp(Failure),
}

/// A signal on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parcel {
    Offer,
    Answer,
    Candidate,
    EndOfCandidates,
}

impl Parcel {
    fn of(signal: &Signal) -> Self {
        match signal {
            Signal::Description { description, .. } => match description.kind {
                SdpType::Offer => Self::Offer,
                SdpType::Answer => Self::Answer,
            },
            Signal::Candidate(candidate) if candidate.is_end() => Self::EndOfCandidates,
            Signal::Candidate(_) => Self::Candidate,
        }
    }
}

/// Carries what one end says to the other, or holds it back.
#[derive(Clone)]
pub struct Lane(Rc<LaneInner>);

struct LaneInner {
    to: Inputs,
    /// What is held back, if anything.
    holds: Cell<fn(Parcel) -> bool>,
    held: RefCell<Vec<Signal>>,
    said: UnboundedSender<Parcel>,
}

impl Lane {
    pub fn hold(&self, which: fn(Parcel) -> bool) {
        self.0.holds.set(which);
    }

    /// Delivers what is held, in order, and from now on everything.
    pub fn release(&self) {
        self.hold(|_| false);
        for signal in self.0.held.take() {
            self.deliver(signal);
        }
    }

    /// Delivers this as if the end at the beginning of the lane had said it.
    pub fn deliver(&self, signal: Signal) {
        let _ = self.0.to.unbounded_send(Some(NegotiatorInput::Remote(signal)));
    }

    fn carry(&self, signal: Signal) {
        let parcel = Parcel::of(&signal);
        if (self.0.holds.get())(parcel) {
            self.0.held.borrow_mut().push(signal);
        } else {
            self.deliver(signal);
        }
        let _ = self.0.said.unbounded_send(parcel);
    }
}

/// `None` hangs up.
type Inputs = UnboundedSender<Option<NegotiatorInput>>;

/// One end of a call. Dropping it drops its [`Connection`].
pub struct End {
    pub notes: Heard<UnboundedReceiver<Note>>,
    /// What it has said to the other.
    pub said: Heard<UnboundedReceiver<Parcel>>,
    /// What it says goes this way.
    pub lane: Lane,
    pub channel: DataChannel,
    stream: Rc<Captured>,
    inputs: Inputs,
    core: Rc<Core>,
}

/// Fake camera and microphone, until the last who has them is gone.
struct Captured(MediaStream);

impl Drop for Captured {
    fn drop(&mut self) {
        tracks(&self.0).iter().for_each(MediaStreamTrack::stop);
    }
}

struct Core {
    connection: Connection,
    negotiator: RefCell<Negotiator>,
    candidates_added: Cell<usize>,
}

/// A caller and a callee with camera and microphone, who have not said anything yet.
pub async fn two_ends() -> (End, End) {
    let stream = Rc::new(Captured(MediaStream::new().unwrap()));
    for kind in MediaKind::ALL {
        stream.0.add_track(&capture(kind, &JsValue::TRUE).await.unwrap());
    }
    let ((to_caller, from_callee), (to_callee, from_caller)) = (unbounded(), unbounded());
    let caller =
        End::new(Role::Caller, Rc::clone(&stream), to_caller.clone(), from_callee, to_callee.clone());
    let callee = End::new(Role::Callee, stream, to_callee, from_caller, to_caller);
    (caller, callee)
}

/// A call that is up.
pub async fn a_call() -> (End, End) {
    let (mut caller, mut callee) = two_ends().await;
    for end in [&mut caller, &mut callee] {
        end.agreed().await;
        end.connected().await;
    }
    (caller, callee)
}

impl End {
    fn new(
        role: Role,
        stream: Rc<Captured>,
        inputs: Inputs,
        queue: UnboundedReceiver<Option<NegotiatorInput>>,
        to: Inputs,
    ) -> Self {
        let (write, notes) = notebook();
        let (said_write, said) = notebook();
        let holds = Cell::new((|_| false) as fn(Parcel) -> bool);
        let lane = Lane(Rc::new(LaneInner { to, holds, held: RefCell::default(), said: said_write }));
        let (events, noted) = (inputs.clone(), write.clone());
        let connection = Connection::new(&RtcOptions::default(), move |event| {
            let _ = match event {
                ConnectionEvent::State(state) => noted.unbounded_send(Note::State(state)).is_ok(),
                ConnectionEvent::Track(track) => noted.unbounded_send(Note::Track(track)).is_ok(),
                ConnectionEvent::NegotiationNeeded => {
                    events.unbounded_send(Some(NegotiatorInput::NegotiationNeeded)).is_ok()
                }
                ConnectionEvent::Candidate { candidate, .. } => {
                    events.unbounded_send(Some(NegotiatorInput::LocalCandidate(candidate))).is_ok()
                }
                ConnectionEvent::ServerProblem(problem) => panic!("there is no server: {problem:?}"),
            };
        })
        .unwrap();
        let noted = write.clone();
        let kind = DataChannelKind { label: "test", id: 0, lossy: false };
        let channel = connection.data_channel(&kind, move |event| {
            let _ = noted.unbounded_send(Note::Channel(event));
        });
        if role == Role::Caller {
            for kind in MediaKind::ALL {
                connection.add_transceiver(kind, &stream.0, true);
            }
        }
        let core = Rc::new(Core {
            connection,
            negotiator: RefCell::new(Negotiator::new(role, 0)),
            candidates_added: Cell::new(0),
        });
        let end = Self { notes, said, lane, channel, stream, inputs, core };
        if role == Role::Caller {
            end.send_everything();
        }
        wasm_bindgen_futures::spawn_local(end.drive(queue, write));
        end
    }

    /// Does between negotiator and connection what the library's own driver does.
    fn drive(
        &self,
        mut queue: UnboundedReceiver<Option<NegotiatorInput>>,
        notes: UnboundedSender<Note>,
    ) -> impl Future<Output = ()> + 'static {
        let (core, lane, inputs, stream) =
            (Rc::clone(&self.core), self.lane.clone(), self.inputs.clone(), Clone::clone(&self.stream.0));
        async move {
            while let Some(Some(input)) = queue.next().await {
                core.negotiator.borrow_mut().handle(input);
                while let Some(output) = { core.negotiator.borrow_mut().poll() } {
                    match output {
                        NegotiatorOutput::Run(operation) => {
                            if operation == Operation::Answer && core.negotiator.borrow().agreed().is_none() {
                                send_everything(&core.connection, &stream);
                            }
                            let inputs = inputs.clone();
                            core.connection.run(operation, move |outcome| {
                                let done = match outcome {
                                    Ok(description) => NegotiatorInput::Completed(description),
                                    Err(failure) => NegotiatorInput::Failed(failure),
                                };
                                let _ = inputs.unbounded_send(Some(done));
                            });
                        }
                        NegotiatorOutput::AddCandidate(candidate) => {
                            core.candidates_added.set(core.candidates_added.get() + 1);
                            core.connection.add_candidate(&candidate);
                        }
                        NegotiatorOutput::Send(signal) => lane.carry(signal),
                        NegotiatorOutput::Agreed(negotiation) => {
                            let _ = notes.unbounded_send(Note::Agreed(negotiation));
                        }
                        NegotiatorOutput::GivenUp(failure) => {
                            let _ = notes.unbounded_send(Note::GivenUp(failure));
                        }
                        NegotiatorOutput::Superseded(_) => panic!("nobody here makes a second connection"),
                    }
                }
            }
        }
    }

    fn send_everything(&self) {
        send_everything(&self.core.connection, &self.stream.0);
    }

    /// Sends nothing of this kind any more, or sends it again.
    pub fn send(&self, kind: MediaKind, sends: bool) {
        let track = track_of(&self.stream.0, kind);
        assert!(self.core.connection.send_track(
            kind,
            track.as_ref().filter(|_| sends),
            &self.stream.0,
            sends
        ));
    }

    /// Hands a candidate to the connection as if the other end had sent it.
    pub fn add_candidate(&self, candidate: &Candidate) {
        self.core.connection.add_candidate(candidate);
    }

    pub fn candidates_added(&self) -> usize {
        self.core.candidates_added.get()
    }

    pub fn candidates_held(&self) -> usize {
        self.core.negotiator.borrow().held_candidates()
    }

    pub fn is_at_rest(&self) -> bool {
        self.core.negotiator.borrow().is_at_rest()
    }

    pub async fn says(&mut self, wanted: Parcel) {
        self.said.hear(&format!("{wanted:?} is sent"), |said| (*said == wanted).then_some(())).await;
    }

    pub async fn agreed(&mut self) -> Negotiation {
        let agreed = |note: &Note| match note {
            Note::Agreed(negotiation) => Some(*negotiation),
            _ => None,
        };
        self.notes.hear("a negotiation ends in agreement", agreed).await
    }

    pub async fn connected(&mut self) {
        let connected = |note: &Note| matches!(note, Note::State(LinkState::Connected)).then_some(());
        self.notes.hear("the connection is up", connected).await;
    }

    pub async fn track(&mut self, kind: MediaKind) -> MediaStreamTrack {
        let of_kind = |note: &Note| match note {
            Note::Track(track) if track.kind() == kind.as_str() => Some(Clone::clone(track)),
            _ => None,
        };
        self.notes.hear(&format!("a track arrives: {}", kind.as_str()), of_kind).await
    }

    pub async fn channel_event(&mut self) -> DataChannelEvent {
        // How soon a channel has sent what it was given is not told here.
        let event = |note: &Note| match note {
            Note::Channel(DataChannelEvent::Drained) => None,
            Note::Channel(event) => Some(event.clone()),
            _ => None,
        };
        self.notes.hear("something happens on the data channel", event).await
    }

    pub async fn given_up(&mut self) -> Failure {
        let given_up = |note: &Note| match note {
            Note::GivenUp(failure) => Some(failure.clone()),
            _ => None,
        };
        self.notes.hear("a negotiation is given up", given_up).await
    }

    /// Drops the connection, and leaves what it may still report.
    pub fn hang_up(mut self) -> Heard<UnboundedReceiver<Note>> {
        std::mem::replace(&mut self.notes, notebook().1)
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let _ = self.inputs.unbounded_send(None);
    }
}

/// The same negotiation, as the other end names it.
pub fn mirrored(negotiation: Negotiation) -> Negotiation {
    let offer_by = match negotiation.offer_by {
        Party::Local => Party::Remote,
        Party::Remote => Party::Local,
    };
    Negotiation { offer_by, ..negotiation }
}

pub fn offer(sdp: &str, negotiation: u32) -> Signal {
    let description = Description { kind: SdpType::Offer, sdp: sdp.to_owned() };
    Signal::Description { description, negotiation: Some(negotiation) }
}

fn send_everything(connection: &Connection, stream: &MediaStream) {
    for kind in MediaKind::ALL {
        assert!(connection.send_track(kind, track_of(stream, kind).as_ref(), stream, true));
    }
}

fn track_of(stream: &MediaStream, kind: MediaKind) -> Option<MediaStreamTrack> {
    tracks(stream).into_iter().find(|track| track.kind() == kind.as_str())
}
