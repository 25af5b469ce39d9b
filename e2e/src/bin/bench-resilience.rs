//! What faults do to a call, in the lab: `cargo xtask bench resilience`. Prints the tables of `docs/reliability.md`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench may fail loudly, and prints what it measured"
)]

use std::time::Duration;

use duologue_e2e::{Figures, Parting, Scene};

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
