//! Credentials for TURN that end while a call goes on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use std::time::{Duration, SystemTime};

use duologue_e2e::{Caller, Frames, Kind, Lab, Path, WindowOptions};
use serde_json::Value;

/// How long credentials last here. Clients renew them after 15 s at the earliest.
const TTL: Duration = Duration::from_secs(20);
const PATIENCE: Duration = Duration::from_secs(40);

/// What the call's connection would gather with now.
const SERVERS: &str = "connections[0].getConfiguration().iceServers";

/// Which ICE generation this side is in.
const GENERATION: &str = "connections[0].localDescription.sdp.match(/a=ice-ufrag:(.*)/)[1].trim()";

/// Gathers with these servers and no way but a relay, and gives the relayed candidates and what was refused.
const GATHER: &str = "const connection = new RTCPeerConnection({ iceServers: servers, iceTransportPolicy: 'relay' });
    const [candidates, refusals] = [[], []];
    connection.onicecandidateerror = ({ errorCode }) => refusals.push(errorCode);
    const done = new Promise(then => {
        connection.onicecandidate = ({ candidate }) => candidate ? candidates.push(candidate.candidate) : then();
    });
    connection.createDataChannel('relay');
    await connection.setLocalDescription();
    await done;
    connection.close();
    return [candidates.length, refusals];";

#[tokio::test]
async fn a_call_over_the_relay_outlives_its_credentials_and_moves_with_new_ones() {
    let Some(mut lab) = Lab::start() else { return };
    let server = lab.host(TTL);
    let browsers = [&lab.ada, &lab.bob].map(|home| {
        home.put_behind(Kind::Symmetric);
        home.chromium(&server.url)
    });
    let options = WindowOptions::before(Path::COLLECT);
    let ada = Caller::join_with(&browsers[0], &server.room("turn"), "Ada", options.clone()).await;
    let bob = Caller::join_with(&browsers[1], &server.room("turn"), "Bob", options).await;
    for caller in [&ada, &bob] {
        caller.sees_moving_picture().await;
        let path = Path::of(&caller.window).await;
        assert!(path.is_relayed() && !path.could_be_direct, "{path:?}");
    }
    let frames = [Frames::watch(&ada.window).await, Frames::watch(&bob.window).await];

    // Both get new ones while the old are still good, and then the old end.
    let begin = SystemTime::now();
    for caller in [&ada, &bob] {
        let first = caller.window.eval(SERVERS).await;
        let name = user(&first);
        let renewed = format!("!JSON.stringify({SERVERS}).includes({name:?})");
        caller.window.until_within(&renewed, PATIENCE).await;
        let end: u64 = name.split(':').next().unwrap().parse().unwrap();
        caller.window.until_within(&format!("Date.now() > {end}000 + 1000"), PATIENCE).await;
        let now = caller.window.eval(SERVERS).await;
        assert!(user(&now) > name, "{name} was followed by {}", user(&now));
        let gather = |servers: &Value| format!("const servers = {servers};\n{GATHER}");
        let [old, new] = [caller.window.run(&gather(&first)).await, caller.window.run(&gather(&now)).await];
        assert_eq!(old[0], 0, "the relay takes what has ended: {old}");
        assert!(old[1].as_array().unwrap().contains(&401.into()), "and says so: {old}");
        assert_ne!(new[0], 0, "the relay takes what is new: {new}");
    }
    // None of this was to be seen.
    for frames in &frames {
        let gap = frames.longest_gap(begin).await;
        assert!(gap < Duration::from_secs(1), "{gap:?}");
    }

    // What the call was set up with is of no use any more, and another address takes another relayed one.
    let before = ada.window.eval(GENERATION).await;
    lab.ada.change_address();
    let moved = SystemTime::now();
    ada.window.until_within(&format!("{GENERATION} !== {before}"), PATIENCE).await;
    let restarted = SystemTime::now();
    for frames in &frames {
        frames.next_after(restarted, PATIENCE).await;
    }
    println!("the picture was back {:?} after the move", moved.elapsed().unwrap());
    for caller in [&ada, &bob] {
        // It is the connection that it was.
        caller.window.until_within("connections[0].connectionState === 'connected'", PATIENCE).await;
        let path = Path::of(&caller.window).await;
        assert!(path.is_relayed() && !path.could_be_direct, "{path:?}");
    }
    ada.close().await;
    bob.close().await;
}

/// The user name for TURN: when it ends, and whose it is.
fn user(servers: &Value) -> String {
    let mut names = servers.as_array().unwrap().iter().filter_map(|it| it["username"].as_str());
    names.find(|name| !name.is_empty()).expect("a user name").to_owned()
}
