//! `cargo xtask mutate`: takes one rule of the engine away at a time and shows which promise notices. A rule that
//! nothing notices is guarded by nothing.

use std::fs;
use std::path::Path;

use crate::run::{Outcome, cargo, root};

/// A rule, and how to take it away.
struct Rule {
    what: &'static str,
    /// In [`ENGINE`].
    file: &'static str,
    /// This text, which is there once,
    from: &'static str,
    /// becomes this one.
    to: &'static str,
    /// The test that must fail then.
    guard: &'static str,
}

/// Where the rules are.
const ENGINE: &str = "crates/engine/src";

const RULES: [Rule; 31] = [
    Rule {
        what: "candidates wait for their description",
        file: "negotiation/candidates.rs",
        from: "if fits && !applying && (named || self.inbox.is_empty()) {",
        to: "if true || (fits && !applying && (named || self.inbox.is_empty())) {",
        guard: "every_schedule_ends_in_agreement",
    },
    Rule {
        what: "an answer fits the offer it names",
        file: "negotiation/exchange.rs",
        from: "if negotiation.is_some_and(|answered| answered != id) {",
        to: "if negotiation.is_some_and(|answered| answered != id) && id == 0 {",
        guard: "calls_outlive_signaling",
    },
    Rule {
        what: "the impolite side passes over an offer while its own is out",
        file: "negotiation/exchange.rs",
        from: "Phase::OfferOut { .. } if self.role == Role::Caller => {\n",
        to: "Phase::OfferOut { .. } if self.role == Role::Caller && id_never() => {\n",
        guard: "every_schedule_ends_in_agreement",
    },
    Rule {
        what: "what was passed over as the caller is taken up as the callee",
        file: "negotiation/mod.rs",
        from: "            self.last_remote_offer = before;\n",
        to: "            let _ = before;\n",
        guard: "a_caller_that_becomes_the_callee_takes_up_the_offer_it_had_passed_over",
    },
    Rule {
        what: "parts follow the server's last introduction",
        file: "negotiation/mod.rs",
        from: "        self.role = role;\n",
        to: "",
        guard: "every_schedule_ends_in_agreement",
    },
    Rule {
        what: "an interruption is followed by saying everything again",
        file: "negotiation/mod.rs",
        from: "for signal in self.said.again(&self.applied.local) {",
        to: "for signal in self.said.again(&self.applied.local).into_iter().take(0) {",
        guard: "calls_outlive_signaling",
    },
    Rule {
        what: "an open offer is among what is said again",
        file: "negotiation/said.rs",
        from: "        self.0.push(signal.clone());\n",
        to: "        if !is_offer(signal) {\n            self.0.push(signal.clone());\n        }\n",
        guard: "calls_outlive_signaling",
    },
    Rule {
        what: "the last answer is among what is said again",
        file: "negotiation/said.rs",
        from: "        self.0.push(signal.clone());\n",
        to: "        if is_offer(signal) || matches!(signal, Signal::Candidate(_)) {\n            self.0.push(signal.clone());\n        }\n",
        guard: "calls_outlive_signaling",
    },
    Rule {
        what: "candidates are among what is said again",
        file: "negotiation/said.rs",
        from: "        self.0.push(signal.clone());\n",
        to: "        if !matches!(signal, Signal::Candidate(_)) {\n            self.0.push(signal.clone());\n        }\n",
        guard: "an_open_offer_is_said_again_with_its_candidates_in_order",
    },
    Rule {
        what: "a new connection of the peer's is met with a new one",
        file: "negotiation/exchange.rs",
        from: "is_some_and(|theirs| theirs != known) => Err(()),",
        to: "is_some_and(|theirs| theirs != known && theirs == 0) => Err(()),",
        guard: "an_offer_of_another_connection_calls_for_another_connection_here",
    },
    Rule {
        what: "an offer that is passed over says nothing of the peer's connection",
        file: "negotiation/exchange.rs",
        from: "        self.last_remote_offer = seen.or(before);\n",
        to: "        self.last_remote_offer = seen.or(before);\n        self.remote_connection = connection;\n",
        guard: "an_offer_that_is_passed_over_does_not_say_which_connection_of_the_peers_this_is_about",
    },
    Rule {
        what: "a message that was here before is not taken again",
        file: "session/mod.rs",
        from: "        if seq <= stay.seq {\n",
        to: "        if seq <= stay.seq && seq == 0 {\n",
        guard: "it_names_the_last_message_that_arrived_and_takes_none_twice",
    },
    Rule {
        what: "a session is taken up from the last message that arrived",
        file: "session/mod.rs",
        from: "        stay.seq = seq;\n",
        to: "        stay.seq = seq.max(1) + 1;\n",
        guard: "calls_outlive_signaling",
    },
    Rule {
        what: "a session that is refused is joined anew",
        file: "session/entry.rs",
        from: "                *place = Place::Outside;\n                self.stay = None;\n                self.enter();\n",
        to: "                *place = Place::Outside;\n",
        guard: "calls_outlive_signaling",
    },
    Rule {
        what: "whoever joins anew names the pairs whose connections are up",
        file: "session/entry.rs",
        from: "join.pairs = pairs.take(limits::PAIRS).collect();",
        to: "join.pairs = pairs.take(limits::PAIRS).take(0).collect();",
        guard: "calls_outlive_signaling",
    },
    Rule {
        what: "a peer of whom the server lost sight is not gone while the connection is up",
        file: "session/peers.rs",
        from: "LeaveReason::Left | LeaveReason::Removed => {",
        to: "LeaveReason::Left | LeaveReason::Removed | LeaveReason::Lost => {",
        guard: "calls_outlive_signaling",
    },
    Rule {
        what: "a server that does not answer is given up",
        file: "session/link.rs",
        from: "            Link::Opening { until: due, .. } | Link::Open { due: Some(due), .. } if now >= *due => {",
        to: "            Link::Opening { until: due, .. } if now >= *due => {",
        guard: "a_server_that_does_not_answer_for_eight_seconds_is_given_up",
    },
    Rule {
        what: "a connection that has failed is repaired",
        file: "recovery/doubt.rs",
        from: "Phase::New { .. } | Phase::Up | Phase::Doubtful { .. } => self.broken(now),",
        to: "Phase::New { .. } | Phase::Up | Phase::Doubtful { .. } => {}",
        guard: "every_schedule_ends_in_agreement",
    },
    Rule {
        what: "a repair waits for a way to the peer, and no try is lost",
        file: "recovery/mod.rs",
        from: "            (Phase::Broken { .. } | Phase::GivenUp, Way::Open) => self.begin_again(now),\n",
        to: "",
        guard: "without_a_way_to_the_peer_nothing_is_tried_and_no_try_is_lost",
    },
    Rule {
        what: "a call whose signaling is lost ends when its connection does",
        file: "recovery/repair.rs",
        from: "            Way::Lost => self.end(LeaveReason::Lost),\n",
        to: "            Way::Lost => *next = now + self.timing.hopeless,\n",
        guard: "every_schedule_ends_in_agreement",
    },
    Rule {
        what: "a chunk of a file is taken only if its hash is true",
        file: "transfer/receiving.rs",
        from: "        if hash == working.claimed {\n",
        to: "        if hash == working.claimed || !id_never() {\n",
        guard: "an_altered_chunk_is_asked_for_again",
    },
    Rule {
        what: "a file is done only if the roots are the same",
        file: "transfer/receiving.rs",
        from: "            if root != told {\n",
        to: "            if root != told && id_never() {\n",
        guard: "a_file_whose_root_is_another_is_no_success",
    },
    Rule {
        what: "no more of a file is asked for than can wait",
        file: "transfer/receiving.rs",
        from: "u32::try_from(window.saturating_sub(under_way))",
        to: "u32::try_from(window.saturating_sub(under_way) + 1000)",
        guard: "a_slow_disk_holds_up_the_sender",
    },
    Rule {
        what: "nothing of a file is taken that was not asked for",
        file: "transfer/receiving.rs",
        from: "if !self.asked.contains(head.chunk) || !fits(0) {",
        to: "if !fits(0) {",
        guard: "a_sender_that_lies_gets_nothing_written",
    },
    Rule {
        what: "chunks of a file that were kept are compared with the sender's",
        file: "transfer/receiving.rs",
        from: "if self.held.get(chunk) == Some(hash) {",
        to: "if self.held.get(chunk).is_some() {",
        guard: "what_was_kept_of_another_file_is_not_used",
    },
    Rule {
        what: "files are offered anew over a new connection",
        file: "transfer/transfers.rs",
        from: "            self.outputs.push_back(sending.offer());\n            if sending.live.paused_here {\n",
        to: "            if sending.live.paused_here {\n",
        guard: "a_connection_lost_at_any_chunk_costs_only_what_was_on_its_way",
    },
    Rule {
        what: "a file that is not offered anew is over",
        file: "transfer/transfers/heard.rs",
        from: ".filter(|it| !it.confirmed).map(|it| it.live.id).collect();",
        to: ".filter(|it| !it.confirmed && id_never()).map(|it| it.live.id).collect();",
        guard: "a_cancel_that_was_lost_with_the_connection_is_heard_of_later",
    },
    Rule {
        what: "a message counts as delivered when the other side says so",
        file: "messages/mod.rs",
        from: "                self.under_way.push_back(id);\n                self.outputs.push_back(Output::Taken(id));\n            }\n",
        to: "                self.outputs.push_back(Output::Taken(id));\n                self.outputs.push_back(Output::Delivered(id));\n            }\n",
        guard: "when_the_connection_ends_every_sender_is_told_what_is_known",
    },
    Rule {
        what: "a message waits while the channel is full",
        file: "messages/mod.rs",
        from: "while self.buffered < HIGH && ",
        to: "while (self.buffered < HIGH || !id_never()) && ",
        guard: "a_full_channel_is_given_nothing_until_it_has_drained",
    },
    Rule {
        what: "messages that wait are bounded",
        file: "messages/mod.rs",
        from: "Mode::Reliable if self.waiting_bytes + body.len() > MOST_WAITING =>",
        to: "Mode::Reliable if self.waiting_bytes + body.len() > MOST_WAITING && id_never() =>",
        guard: "who_sends_faster_than_the_network_is_told_so_and_nothing_piles_up",
    },
    Rule {
        what: "a message that is too large is joined no further",
        file: "messages/joined.rs",
        from: "            *self = Self::Skipping;\n            return Brought::Malformed { what: TOO_LARGE, ends: false };\n",
        to: "",
        guard: "a_message_without_an_end_takes_no_more_memory_than_a_message_may",
    },
];

/// Where the engine is copied to, to be broken there.
const COPY: &str = "target/mutate";

/// Takes the rules away, all or those whose description has `part` in it.
pub fn mutate(part: Option<&str>) -> Outcome {
    let copy = root().join(COPY);
    let mut unguarded = 0;
    println!("{:<84}noticed by", "without the rule that …");
    for rule in RULES.iter().filter(|rule| part.is_none_or(|part| rule.what.contains(part))) {
        lay_out(&copy)?;
        let file = copy.join(ENGINE).join(rule.file);
        let text = read(&file)?;
        if text.matches(rule.from).count() != 1 {
            return Err(format!("{:?} is not once in {}: bring the rule up to date", rule.from, rule.file));
        }
        // What the compiler cannot see to be false.
        let never = "\nfn id_never() -> bool {\n    std::env::args().count() == usize::MAX\n}\n";
        let text = text.replace(rule.from, rule.to) + never;
        fs::write(&file, text).map_err(|error| error.to_string())?;
        match failures(&copy)? {
            failed if failed.iter().any(|test| test == rule.guard) => {
                println!("{:<84}{}", rule.what, failed.join(", "));
            }
            failed if failed.is_empty() => {
                unguarded += 1;
                println!("{:<84}NOTHING", rule.what);
            }
            failed => {
                unguarded += 1;
                println!("{:<84}not {}, but {}", rule.what, rule.guard, failed.join(", "));
            }
        }
    }
    if unguarded == 0 { Ok(()) } else { Err(format!("{unguarded} rules are not guarded as they should be")) }
}

/// A workspace of the engine and what it needs, as they are here.
fn lay_out(copy: &Path) -> Outcome {
    for part in ["crates/engine", "crates/protocol"] {
        let to = copy.join(part);
        let _ = fs::remove_dir_all(&to);
        copy_folder(&root().join(part), &to)?;
    }
    let manifest = read(&root().join("Cargo.toml"))?;
    let members = "[workspace]\nresolver = \"3\"\nmembers = [\"crates/engine\", \"crates/protocol\"]\n\n";
    let mut text = members.to_owned();
    // The tables that members inherit from.
    for table in manifest.split("\n[").filter(|table| table.starts_with("workspace.")) {
        text.push('[');
        text.push_str(table);
        text.push('\n');
    }
    fs::write(copy.join("Cargo.toml"), text).map_err(|error| error.to_string())?;
    fs::copy(root().join("Cargo.lock"), copy.join("Cargo.lock")).map_err(|error| error.to_string())?;
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Outcome {
    fs::create_dir_all(to).map_err(|error| error.to_string())?;
    for entry in fs::read_dir(from).map_err(|error| error.to_string())? {
        let path = entry.map_err(|error| error.to_string())?.path();
        let Some(name) = path.file_name().filter(|name| *name != "target" && *name != "fuzz") else {
            continue;
        };
        if path.is_dir() {
            copy_folder(&path, &to.join(name))?;
        } else {
            fs::copy(&path, to.join(name)).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

fn read(path: &Path) -> Outcome<String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

/// The engine's tests that fail now.
fn failures(copy: &Path) -> Outcome<Vec<String>> {
    let mut command = cargo();
    command.current_dir(copy).env("RUST_BACKTRACE", "0").env("RUSTFLAGS", "-Awarnings");
    // Ten thousand schedules are run for each rule. Which of them fails is not asked here.
    command
        .env("SHRINKING", "0")
        .env("CARGO_PROFILE_TEST_OPT_LEVEL", "2")
        .env("CARGO_TARGET_DIR", copy.join("target"));
    command.args(["test", "--quiet", "--package", "duologue-engine", "--tests", "--no-fail-fast"]);
    let output = command.output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut failed: Vec<String> =
        text.lines().filter_map(|line| line.strip_suffix(" --- FAILED")).map(str::to_owned).collect();
    failed.sort();
    failed.dedup();
    if failed.is_empty() && !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!("it does not compile:\n{errors}"));
    }
    Ok(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_where_the_engine_has_it() {
        for rule in RULES {
            let text = read(&root().join(ENGINE).join(rule.file)).unwrap();
            assert_eq!(text.matches(rule.from).count(), 1, "{:?} in {}", rule.what, rule.file);
        }
    }
}
