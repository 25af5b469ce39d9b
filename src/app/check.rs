//! The connectivity check, in words.

use duologue::browser::dom::Element;
use duologue::browser::spawn;
use duologue::network::{Mapping, Protocol, Reach};
use duologue::{Diagnosis, MediaProblem, NotLoaded, RtcOptions, ServerProblem, Signaling, diagnose};
use gloo_timers::callback::Timeout;

use super::App;
use super::asks::Ask;
use super::page::Page;

/// How long nothing may have happened before the check is fetched.
const QUIET_MILLIS: u32 = 10_000;
const FINE: &str = "Ready";
const CHECKING: &str = "Checking… This takes up to half a minute.";

/// How far the check is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Check {
    #[default]
    NotRun,
    Running,
    Done,
}

/// What the check has found, as the page says it.
pub struct Report {
    sentence: &'static str,
    /// What stands in [`rows`].
    rows: [String; 7],
    /// The servers of no help, one a line.
    problems: String,
}

/// Where it says what it has found: of camera, microphone, signaling server, network, ways out of it, UDP and relay.
fn rows(page: &Page) -> [&Element; 7] {
    [
        &page.check_camera,
        &page.check_microphone,
        &page.check_signaling,
        &page.check_network,
        &page.check_ways,
        &page.check_udp,
        &page.check_relay,
    ]
}

duologue::later! {
    in rest;
    /// Runs the check, which most calls never need.
    async fn look(signaling: Signaling) -> Report {
        Report::on(&diagnose(&signaling, &RtcOptions::default()).await)
    }
}

duologue::later! {
    in rest;
    /// Does nothing. When it is done, the check is there.
    async fn at_hand() {}
}

impl App {
    /// Fetches the check when nothing else has happened for a while. When the network has broken, it could not be had
    /// any more.
    pub(super) fn fetch_check_soon(&mut self) {
        self.fetching = Some(Timeout::new(QUIET_MILLIS, || {
            spawn(async {
                // If it cannot be had now, whoever wants it will be told.
                let _ = at_hand().await;
            });
        }));
    }

    /// Opens the dialog, and runs the check if it was not run before.
    pub(super) fn show_check(&mut self) {
        self.page.check.open_dialog();
        if self.check == Check::NotRun {
            self.run_check();
        }
    }

    pub(super) fn run_check(&mut self) {
        if self.check == Check::Running {
            return;
        }
        self.check = Check::Running;
        self.page.check.set("data-state", "checking");
        self.page.check_again.enable(false);
        self.page.check_sentence.set_text(CHECKING);
        for row in rows(&self.page) {
            row.set_text("…");
        }
        self.page.check_problems_row.show(false);
        let (asks, signaling) = (self.asks.clone(), self.signaling.clone());
        spawn(async move {
            asks.send(Ask::Checked(look(signaling).await.map(Box::new)));
        });
    }

    pub(super) fn checked(&mut self, outcome: Result<Box<Report>, NotLoaded>) {
        let page = &self.page;
        page.check_again.enable(true);
        let report = match outcome {
            Ok(report) => report,
            Err(error) => {
                self.check = Check::NotRun;
                page.check.set("data-state", "failed");
                page.check_sentence.set_text(&error.to_string());
                return;
            }
        };
        self.check = Check::Done;
        page.check.set("data-state", "done");
        page.check_sentence.set_text(report.sentence);
        for (row, words) in rows(page).into_iter().zip(&report.rows) {
            row.set_text(words);
        }
        page.check_problems.set_text(&report.problems);
        page.check_problems_row.show(!report.problems.is_empty());
    }
}

impl Report {
    fn on(diagnosis: &Diagnosis) -> Self {
        let (facts, findings) = (&diagnosis.facts, &diagnosis.findings);
        let signaling = match facts.signaling {
            Reach::Reached(time) => ["Answers after ", &millis(time)].concat(),
            Reach::Unreached => "Does not answer".to_owned(),
            Reach::NotTried => "None: only tabs of this browser can be called".to_owned(),
        };
        let network = match findings.mapping {
            Mapping::Direct => "Puts this computer on the internet directly",
            Mapping::EndpointIndependent => "Keeps one port for all destinations",
            Mapping::EndpointDependent => "Changes the port for every destination",
            Mapping::Unknown => {
                "Cannot be seen: two STUN servers have to answer for that, each at an address of its own"
            }
        };
        let mut ways = String::new();
        for kind in &findings.kinds {
            let between = if ways.is_empty() { "" } else { ", " };
            ways = [&ways, between, kind.as_str()].concat();
        }
        if ways.is_empty() {
            ways.push_str("None");
        }
        let udp = match findings.udp {
            Some(true) => "Gets out",
            Some(false) => "Blocked",
            None => "Cannot be seen: there is no server that could be asked",
        };
        let over = findings.relay_over.map_or("", Protocol::as_str);
        let relay = match facts.relay {
            Reach::Reached(time) => {
                ["Carries calls over ", over, ", there and back in ", &millis(time)].concat()
            }
            Reach::Unreached => "Cannot be reached".to_owned(),
            Reach::NotTried => "There is none".to_owned(),
        };
        let mut problems = String::new();
        for ServerProblem { url, code, text } in &diagnosis.problems {
            let line = if problems.is_empty() { "" } else { "\n" };
            problems = [&problems, line, url, ": ", text, " (", &code.to_string(), ")"].concat();
        }
        let [camera, microphone] = [&diagnosis.camera, &diagnosis.microphone].map(device);
        Self {
            sentence: findings.verdict.sentence(),
            rows: [camera, microphone, signaling, network.to_owned(), ways, udp.to_owned(), relay],
            problems,
        }
    }
}

fn device(problem: &Option<MediaProblem>) -> String {
    problem.as_ref().map_or_else(|| FINE.to_owned(), MediaProblem::to_string)
}

fn millis(time: std::time::Duration) -> String {
    // Not `as_millis`: a number of 128 bits brings an arithmetic of its own.
    let millis = time.as_secs() * 1000 + u64::from(time.subsec_millis());
    [&millis.to_string(), " ms"].concat()
}
