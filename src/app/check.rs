//! The connectivity check, in words.

use duologue::browser::spawn;
use duologue::network::{Mapping, Protocol, Reach};
use duologue::{Diagnosis, MediaProblem, NotLoaded, RtcOptions, Signaling, diagnose};

use gloo_timers::callback::Timeout;

use super::App;
use super::asks::Ask;

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
    camera: String,
    microphone: String,
    signaling: String,
    network: &'static str,
    ways: String,
    udp: &'static str,
    relay: String,
    /// The servers of no help, one a line.
    problems: String,
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
        for row in [
            &self.page.check_camera,
            &self.page.check_microphone,
            &self.page.check_signaling,
            &self.page.check_network,
            &self.page.check_ways,
            &self.page.check_udp,
            &self.page.check_relay,
        ] {
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
        page.check_camera.set_text(&report.camera);
        page.check_microphone.set_text(&report.microphone);
        page.check_signaling.set_text(&report.signaling);
        page.check_network.set_text(report.network);
        page.check_ways.set_text(&report.ways);
        page.check_udp.set_text(report.udp);
        page.check_relay.set_text(&report.relay);
        page.check_problems.set_text(&report.problems);
        page.check_problems_row.show(!report.problems.is_empty());
    }
}

impl Report {
    fn on(diagnosis: &Diagnosis) -> Self {
        let (facts, findings) = (&diagnosis.facts, &diagnosis.findings);
        let kinds: Vec<&str> = findings.kinds.iter().map(|kind| kind.as_str()).collect();
        let over = findings.relay_over.map_or("", Protocol::as_str);
        let problems: Vec<String> = diagnosis
            .problems
            .iter()
            .map(|problem| [&problem.url, ": ", &problem.text, " (", &problem.code.to_string(), ")"].concat())
            .collect();
        Self {
            sentence: findings.verdict.sentence(),
            camera: device(diagnosis.camera.as_ref()),
            microphone: device(diagnosis.microphone.as_ref()),
            signaling: match facts.signaling {
                Reach::Reached(time) => ["Answers after ", &millis(time)].concat(),
                Reach::Unreached => "Does not answer".to_owned(),
                Reach::NotTried => "None: only tabs of this browser can be called".to_owned(),
            },
            network: match findings.mapping {
                Mapping::Direct => "Puts this computer on the internet directly",
                Mapping::EndpointIndependent => "Keeps one port for all destinations",
                Mapping::EndpointDependent => "Changes the port for every destination",
                Mapping::Unknown => {
                    "Cannot be seen: two STUN servers have to answer for that, each at an address of its own"
                }
            },
            ways: if kinds.is_empty() { "None".to_owned() } else { kinds.join(", ") },
            udp: match findings.udp {
                Some(true) => "Gets out",
                Some(false) => "Blocked",
                None => "Cannot be seen: there is no server that could be asked",
            },
            relay: match facts.relay {
                Reach::Reached(time) => {
                    ["Carries calls over ", over, ", there and back in ", &millis(time)].concat()
                }
                Reach::Unreached => "Cannot be reached".to_owned(),
                Reach::NotTried => "There is none".to_owned(),
            },
            problems: problems.join("\n"),
        }
    }
}

fn device(problem: Option<&MediaProblem>) -> String {
    problem.map_or_else(|| FINE.to_owned(), MediaProblem::to_string)
}

fn millis(time: std::time::Duration) -> String {
    // As a number of 128 bits it would bring an arithmetic of its own.
    let millis = u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
    [&millis.to_string(), " ms"].concat()
}
