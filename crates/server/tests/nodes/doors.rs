//! Who may come in is the same for the next owner of a room.

use std::time::{Duration, SystemTime};

use duologue_protocol::{ErrorCode, LeaveReason, PairToken, PeerId, Rights, RoomId, ServerMessage, Welcome};
use duologue_server::{Invitation, InvitationKey, Secret};
use tokio::time::{Instant, sleep};

use crate::common::{Client, resume};
use crate::scene::Scene;
use crate::seconds;

const SECRET: &str = "a secret of no fewer bytes than thirty-two";
const ROOM: &str = "board";

#[tokio::test]
async fn a_locked_room_stays_locked_when_its_owner_dies_and_everyone_else_came_back_elsewhere() {
    let Some(mut scene) = opened_by_tokens().await else { return };
    let (mut ada, _) = enter(&scene, 0, Rights::of(["join", "speak", "admin"])).await;
    let (mut bob, welcome) = enter(&scene, 1, Rights::USUAL).await;
    for person in [&mut ada, &mut bob] {
        ready(person).await;
    }
    lock(&mut ada, &mut bob).await;
    // The node that bob comes back to has told nobody that the room is locked.
    let seq = bob.seq;
    drop(bob);
    let mut bob = scene.nodes[2].connect().await;
    bob.send(resume(&welcome.session, seq)).await;
    assert!(matches!(bob.next().await, ServerMessage::Resumed(_)));
    bob.seq = seq;
    bob.is_usable().await;
    scene.kill(0).await;
    knocks(&scene, 1, &[]).await;
}

#[tokio::test]
async fn whoever_was_removed_does_not_get_back_into_a_locked_room_when_its_owner_dies() {
    let Some(mut scene) = opened_by_tokens().await else { return };
    let (mut ada, _) = enter(&scene, 0, Rights::of(["join", "speak", "admin"])).await;
    let (mut bob, _) = enter(&scene, 1, Rights::USUAL).await;
    ready(&mut ada).await;
    ready(&mut bob).await;
    let (mut eve, welcome) = enter(&scene, 2, Rights::USUAL).await;
    let pairs = [ready(&mut eve).await.1, ready(&mut eve).await.1];
    ready(&mut ada).await;
    ready(&mut bob).await;
    ada.send(format!(r#"{{"type":"remove","peer":"{}"}}"#, welcome.id)).await;
    assert_eq!(eve.refusal().await.code, ErrorCode::Removed);
    for person in [&mut ada, &mut bob] {
        assert_eq!(person.left().await, (welcome.id.clone(), LeaveReason::Removed));
    }
    lock(&mut ada, &mut bob).await;
    scene.kill(0).await;
    knocks(&scene, 2, &pairs).await;
}

/// Three nodes whose rooms are opened by tokens.
async fn opened_by_tokens() -> Option<Scene> {
    Scene::set_with(3, &[("DUOLOGUE_TOKEN_SECRET", SECRET)]).await
}

fn join(rights: Rights, pairs: &[PairToken]) -> String {
    let expires = SystemTime::now() + Duration::from_secs(3600);
    let invitation = Invitation { room: RoomId::new(ROOM).unwrap(), name: None, rights, expires };
    let key = InvitationKey::of_secret(&Secret::from(SECRET.to_owned())).unwrap();
    let token = invitation.token(&key).unwrap();
    let pairs: Vec<_> = pairs.iter().map(|pair| format!("\"{pair}\"")).collect();
    let pairs = pairs.join(",");
    format!(r#"{{"type":"join","room":"{ROOM}","protocol":1,"token":"{token}","pairs":[{pairs}]}}"#)
}

async fn enter(scene: &Scene, at: usize, rights: Rights) -> (Client, Welcome) {
    let mut client = scene.nodes[at].connect().await;
    client.send(join(rights, &[])).await;
    let welcome = client.welcomed().await;
    (client, welcome)
}

/// Who is made known, and the token of the pair.
async fn ready(client: &mut Client) -> (PeerId, PairToken) {
    match client.next().await {
        ServerMessage::Ready(ready) => (ready.peer.id, ready.pair.unwrap()),
        other => panic!("not ready: {other:?}"),
    }
}

/// An admin locks the room, and both hear so.
async fn lock(admin: &mut Client, other: &mut Client) {
    admin.send(r#"{"type":"lock","locked":true}"#).await;
    for person in [admin, other] {
        assert!(matches!(person.next().await, ServerMessage::Locked(it) if it.locked));
    }
}

/// Somebody comes to this node who has to be let in, as soon as the room has an owner again.
async fn knocks(scene: &Scene, at: usize, pairs: &[PairToken]) {
    let mut client = scene.nodes[at].connect().await;
    let begin = Instant::now();
    loop {
        client.send(join(Rights::USUAL, pairs)).await;
        match client.next().await {
            ServerMessage::Waiting => return,
            ServerMessage::Error(refusal) if refusal.code == ErrorCode::Busy => {}
            other => panic!("they do not have to knock: {other:?}"),
        }
        assert!(begin.elapsed() < seconds(20), "nobody has the room");
        sleep(Duration::from_millis(300)).await;
    }
}
