//! What faults do to a call, in the lab: `cargo xtask bench resilience`. Prints the tables of `docs/reliability.md`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench may fail loudly, and prints what it measured"
)]

use std::time::Duration;

use duologue_e2e::{Cycles, Figures, Kind, Leaving, Matrix, Parting, Path, Router, Scene};

/// For ICE to make up its mind.
const SETTLING: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() {
    let Some(mut scene) = Scene::set() else { std::process::exit(1) };
    println!(
        "Longest time without a new frame, as each side saw it, and from the end of the fault to the first frame:\n"
    );
    println!("| Fault | Ada | Bob | Back after | Same connection |");
    println!("|---|---:|---:|---:|---|");
    let call = scene.call().await;
    row("none, for 5 s", scene.do_nothing(&call, Duration::from_secs(5)).await);
    row("the server is killed (-9) and started again", scene.kill_the_server(&call).await);
    row("one side's way to the server is cut, and back", scene.cut_the_signaling(&call).await);
    call.close().await;
    for seconds in [3, 15, 30] {
        let call = scene.call().await;
        let what = format!("one side's network is gone for {seconds} s");
        row(&what, scene.cut_the_network(&call, Duration::from_secs(seconds)).await);
        call.close().await;
    }
    let call = scene.call().await;
    row("one side moves to another address", scene.move_ada(&call).await);
    call.close().await;

    println!("\nHow one learns that the other is gone:\n");
    println!("| How it ends | Noticed after | Gone after |");
    println!("|---|---:|---:|");
    let call = scene.call().await;
    end("they leave", scene.let_bob_leave(call).await);
    let call = scene.call().await;
    end("they close the tab", scene.close_bobs_tab(call).await);
    let call = scene.call().await;
    end("their browser is killed (-9)", scene.kill_bobs_browser(call).await);
    let call = scene.call().await;
    end("their network is gone for good", scene.lose_bobs_network(call).await);
    drop(scene);

    ways().await;

    println!("\nWhat two hundred joins and leaves leave behind, after ten of them and after all:\n");
    println!("{}", Cycles::run(10, 200, Leaving::WhenConnected).await);
}

const KINDS: [Kind; 5] =
    [Kind::None, Kind::FullCone, Kind::AddressRestricted, Kind::PortRestricted, Kind::Symmetric];

/// Which way a call takes through each pair of routers.
async fn ways() {
    let Some(matrix) = Matrix::set().await else { return };
    println!("\nThe candidates of the nominated pair, Ada's and Bob's, as each saw their own:\n");
    println!("| Ada's router | Bob's router | Ada | Bob |");
    println!("|---|---|---|---|");
    for (at, ada) in KINDS.into_iter().enumerate() {
        for bob in KINDS.into_iter().skip(at) {
            way(&matrix, ada.into(), bob.into()).await;
        }
    }
    way(&matrix, Router::without_udp(Kind::PortRestricted), Kind::None.into()).await;
    way(&matrix, Router::without_udp(Kind::PortRestricted), Router::without_udp(Kind::PortRestricted)).await;
    matrix.close().await;
}

async fn way(matrix: &Matrix, ada: Router, bob: Router) {
    matrix.call(ada, bob).await;
    // ICE may begin with another pair than the one it ends with.
    tokio::time::sleep(SETTLING).await;
    let name = |router: Router| {
        format!("{:?}{}", router.kind, if router.udp_blocked { ", UDP blocked" } else { "" })
    };
    let kind = |path: Path| match path.relay_protocol {
        Some(protocol) => format!("{} over {protocol}", path.local),
        None => path.local,
    };
    let [one, other] = [kind(Path::of(&matrix.ada).await), kind(Path::of(&matrix.bob).await)];
    println!("| {} | {} | {one} | {other} |", name(ada), name(bob));
}

fn row(what: &str, figures: Figures) {
    let Figures { gaps: [ada, bob], back, same_connection } = figures;
    let same = if same_connection { "yes" } else { "no" };
    println!("| {what} | {} | {} | {} | {same} |", seconds(ada), seconds(bob), seconds(back));
}

fn end(what: &str, Parting { noticed, gone }: Parting) {
    println!("| {what} | {} | {} |", seconds(noticed), seconds(gone));
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}
