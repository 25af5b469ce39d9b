//! Calls through routers of every kind, in both directions, by the best way there is: straight where the two routers let
//! packets through, by a TURN server where they do not, and by TURN over TCP where UDP is blocked.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests may fail loudly

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use duologue_e2e::Kind::{AddressRestricted, FullCone, None, PortRestricted, Symmetric};
use duologue_e2e::{Kind, Matrix, Path, Router, Window};
use futures_util::FutureExt;

/// How a call must go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Direct,
    Relayed,
}
use Way::{Direct, Relayed};

/// Each pair of kinds, the way that a call between them goes, and why.
const CELLS: [(Kind, Kind, Way, &str); 15] = [
    (None, None, Direct, "two public addresses"),
    (None, FullCone, Direct, "the public side is reached, and answers"),
    (None, AddressRestricted, Direct, "the public side is reached, and answers"),
    (None, PortRestricted, Direct, "the public side is reached, and answers"),
    (None, Symmetric, Direct, "the public side answers to whatever port it is written to from"),
    (FullCone, FullCone, Direct, "either may write first"),
    (FullCone, AddressRestricted, Direct, "the mapped ports are as STUN saw them"),
    (FullCone, PortRestricted, Direct, "the mapped ports are as STUN saw them"),
    (FullCone, Symmetric, Direct, "the full cone lets in the port that STUN has never seen"),
    (AddressRestricted, AddressRestricted, Direct, "both have written to the other's address"),
    (AddressRestricted, PortRestricted, Direct, "both have written to the other's port"),
    (AddressRestricted, Symmetric, Direct, "another port, but an address that was written to"),
    (PortRestricted, PortRestricted, Direct, "both have written to the other's port"),
    (PortRestricted, Symmetric, Relayed, "the port that the symmetric side writes from was never written to"),
    (Symmetric, Symmetric, Relayed, "neither side's port can be known in advance"),
];

/// A new call through these routers, with Ada there first, which must go this way.
async fn call(matrix: &Matrix, ada: Router, bob: Router, way: Way) {
    matrix.call(ada, bob).await;
    for (window, router) in [(&matrix.ada, ada), (&matrix.bob, bob)] {
        settles_on(window, router, way).await;
    }
}

/// Waits until the call goes this way, as seen by the one behind this router. ICE may begin with another.
async fn settles_on(window: &Window, router: Router, way: Way) {
    let is_right = |path: &Path| match way {
        Direct if router.kind == None => path.local == "host" && !path.is_relayed(),
        // How the address became known does not matter: by STUN, or by the other's answer.
        Direct => ["srflx", "prflx"].contains(&path.local.as_str()) && !path.is_relayed(),
        Relayed if router.udp_blocked => {
            path.local == "relay" && path.relay_protocol.as_deref() == Some("tcp") && !path.could_be_direct
        }
        Relayed => path.is_relayed() && !path.could_be_direct,
    };
    let mut path = Path::of(window).await;
    for _ in 0..50 {
        // A relay is never better than what there was before it.
        if is_right(&path) || way == Relayed {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        path = Path::of(window).await;
    }
    assert!(is_right(&path), "behind {router:?} it must be {way:?}, and is {path:?}");
}

#[tokio::test]
async fn every_pair_of_routers_is_crossed_by_the_best_way_there_is() {
    let Some(matrix) = Matrix::set().await else { return };
    let mut failed = Vec::new();
    for (one, other, way, why) in CELLS {
        let turns = if one == other { vec![(one, other)] } else { vec![(one, other), (other, one)] };
        for (ada, bob) in turns {
            let call = AssertUnwindSafe(call(&matrix, ada.into(), bob.into(), way)).catch_unwind().await;
            // The others tell as much as this one.
            if call.is_err() {
                failed.push(format!("{ada:?} to {bob:?} must be {way:?}: {why}"));
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
    matrix.close().await;
}

#[tokio::test]
async fn where_udp_is_blocked_the_call_goes_by_tcp_to_the_relay() {
    let Some(matrix) = Matrix::set().await else { return };
    let blocked = Router::without_udp(PortRestricted);
    for (ada, bob) in [
        (blocked, None.into()),
        (Symmetric.into(), blocked),
        (blocked, blocked),
        (Router::without_udp(None), Router::without_udp(None)),
    ] {
        call(&matrix, ada, bob, Relayed).await;
    }
    matrix.close().await;
}
