//! What the ledger finds, and what it takes for an excuse.

use std::time::Duration;

use duologue_protocol::{ErrorCode, Refusal};
use tokio::time::advance;

use super::{Ledger, Who};

fn who(name: &str) -> Who {
    Who { name: name.to_owned(), id: format!("{name}1") }
}

/// Ada and Bob, both in the room.
fn two() -> (Ledger, Who, Who) {
    let ledger = Ledger::default();
    let (ada, bob) = (who("ada"), who("bob"));
    ledger.entered(&ada.id);
    ledger.entered(&bob.id);
    (ledger, ada, bob)
}

fn refusal(code: ErrorCode, message: &str) -> Refusal {
    Refusal { code, message: message.to_owned(), fatal: false }
}

fn fails(ledger: &Ledger, why: &str) {
    let words = ledger.check().unwrap_err();
    assert!(words.contains(why), "{words}");
}

fn counts(ledger: &Ledger, delivered: usize, reported: usize, doubted: usize) {
    let count = ledger.check().unwrap();
    assert_eq!((count.delivered, count.reported, count.doubted), (delivered, reported, doubted));
}

async fn seconds(n: u64) {
    advance(Duration::from_secs(n)).await;
}

#[tokio::test(start_paused = true)]
async fn what_comes_twice_late_or_to_somebody_else_is_wrong() {
    let (ledger, ada, bob) = two();
    let (first, second) = (ledger.send(&ada, &bob), ledger.send(&ada, &bob));
    ledger.delivered(&second, &bob, &ada.id);
    counts_wrong(&ledger, 0);
    ledger.delivered(&first, &bob, &ada.id);
    fails(&ledger, "heard ada bob 1 after number 2");
    counts_wrong(&ledger, 1);
    ledger.delivered(&second, &bob, &ada.id);
    fails(&ledger, "twice");

    let (ledger, ada, bob) = two();
    let line = ledger.send(&ada, &bob);
    ledger.delivered(&line, &Who { id: "bob2".to_owned(), ..bob.clone() }, &ada.id);
    fails(&ledger, "which was for");

    let (ledger, ada, bob) = two();
    let line = ledger.send(&ada, &bob);
    ledger.delivered(&line, &bob, "ada0");
    fails(&ledger, "it was sent by");
    ledger.delivered("ada bob 7", &bob, &ada.id);
    fails(&ledger, "nobody sent");
}

fn counts_wrong(ledger: &Ledger, number: usize) {
    assert_eq!(ledger.0.lock().unwrap().wrong.len(), number);
}

#[tokio::test(start_paused = true)]
async fn an_error_stands_for_one_message_that_has_not_arrived() {
    let (ledger, ada, bob) = two();
    ledger.send(&ada, &bob);
    ledger.send(&ada, &bob);
    fails(&ledger, "2 lost");
    ledger.error("ada", &refusal(ErrorCode::NotDelivered, ""));
    fails(&ledger, "1 lost");
    ledger.error("ada", &refusal(ErrorCode::NoRecipient, "no other peer in the room has the id eve1: use"));
    fails(&ledger, "1 told in vain");
    let (ledger, ada, bob) = two();
    ledger.send(&ada, &bob);
    ledger.error("ada", &refusal(ErrorCode::NoRecipient, "no other peer in the room has the id bob1: use"));
    counts(&ledger, 0, 1, 0);
    let line = ledger.send(&bob, &ada);
    ledger.delivered(&line, &ada, &bob.id);
    ledger.error("bob", &refusal(ErrorCode::NotDelivered, ""));
    fails(&ledger, "1 told in vain");
}

#[tokio::test(start_paused = true)]
async fn an_error_about_nothing_in_particular_pays_for_nothing() {
    let (ledger, ada, bob) = two();
    ledger.send(&ada, &bob);
    ledger.error("ada", &refusal(ErrorCode::TooSlow, ""));
    fails(&ledger, "1 lost");
    ledger.error("ada", &refusal(ErrorCode::Replaced, ""));
    fails(&ledger, "1 wrong");
    // Nor does one that came before.
    let (ledger, ada, bob) = two();
    ledger.error("ada", &refusal(ErrorCode::NotDelivered, ""));
    seconds(1).await;
    ledger.send(&ada, &bob);
    fails(&ledger, "1 lost");
    // Nor one that comes when nothing can be under way any more.
    let (ledger, ada, bob) = two();
    ledger.send(&ada, &bob);
    seconds(3).await;
    ledger.error("ada", &refusal(ErrorCode::NotDelivered, ""));
    fails(&ledger, "1 lost");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_excuses_what_was_under_way_and_nothing_older() {
    let (ledger, ada, bob) = two();
    ledger.send(&ada, &bob);
    seconds(3).await;
    ledger.send(&ada, &bob);
    seconds(1).await;
    ledger.broke(&ada);
    fails(&ledger, "1 lost");
    assert_eq!(ledger.open(), 1);
    // Nor what is said over the next.
    let (ledger, ada, bob) = two();
    ledger.broke(&ada);
    seconds(1).await;
    ledger.send(&ada, &bob);
    fails(&ledger, "1 lost");
    // In a fault it may be under way for longer, but not for ever.
    let (ledger, ada, bob) = two();
    ledger.fault_begins();
    ledger.send(&ada, &bob);
    seconds(6).await;
    ledger.faults_end();
    seconds(9).await;
    ledger.broke(&ada);
    counts(&ledger, 0, 0, 1);
    ledger.send(&bob, &ada);
    seconds(3).await;
    ledger.broke(&bob);
    fails(&ledger, "1 lost");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_session_excuses_what_was_said_to_it_since_nobody_was_there() {
    let (ledger, ada, bob) = two();
    ledger.send(&ada, &bob);
    seconds(3).await;
    ledger.broke(&bob);
    ledger.send(&ada, &bob);
    seconds(9).await;
    ledger.send(&ada, &bob);
    fails(&ledger, "3 lost");
    ledger.parted("eve", &bob.id);
    fails(&ledger, "3 lost");
    ledger.parted("ada", &bob.id);
    fails(&ledger, "1 lost");
    // A session that went on meanwhile has had what was said to it.
    let (ledger, ada, bob) = two();
    ledger.broke(&bob);
    ledger.send(&ada, &bob);
    ledger.entered(&bob.id);
    seconds(3).await;
    ledger.parted("ada", &bob.id);
    fails(&ledger, "1 lost");
}

#[tokio::test(start_paused = true)]
async fn to_leave_excuses_nothing_that_was_said_before() {
    let (ledger, ada, bob) = two();
    ledger.send(&ada, &bob);
    ledger.left(&ada.id);
    ledger.parted("bob", &ada.id);
    fails(&ledger, "1 lost");
    ledger.send(&bob, &ada);
    ledger.parted("bob", &ada.id);
    fails(&ledger, "1 lost");
}
