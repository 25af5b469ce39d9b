//! The connectivity check, in words.

use duologue::network::{Mapping, Protocol, Reach};
use duologue::{Diagnosis, MediaProblem, RtcOptions, diagnose};

use super::App;
use super::asks::Ask;

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

impl App {
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
        wasm_bindgen_futures::spawn_local(async move {
            let diagnosis = diagnose(&signaling, &RtcOptions::default()).await;
            asks.send(Ask::Checked(Box::new(diagnosis)));
        });
    }

    pub(super) fn checked(&mut self, diagnosis: &Diagnosis) {
        self.check = Check::Done;
        let (page, facts, findings) = (&self.page, &diagnosis.facts, &diagnosis.findings);
        page.check.set("data-state", "done");
        page.check_again.enable(true);
        page.check_sentence.set_text(findings.verdict.sentence());
        page.check_camera.set_text(&device(diagnosis.camera.as_ref()));
        page.check_microphone.set_text(&device(diagnosis.microphone.as_ref()));
        page.check_signaling.set_text(&match facts.signaling {
            Reach::Reached(time) => ["Answers after ", &millis(time)].concat(),
            Reach::Unreached => "Does not answer".to_owned(),
            Reach::NotTried => "None: only tabs of this browser can be called".to_owned(),
        });
        page.check_network.set_text(match findings.mapping {
            Mapping::Direct => "Puts this computer on the internet directly",
            Mapping::EndpointIndependent => "Keeps one port for all destinations",
            Mapping::EndpointDependent => "Changes the port for every destination",
            Mapping::Unknown => "Cannot be seen: two STUN servers have to answer for that",
        });
        let kinds: Vec<&str> = findings.kinds.iter().map(|kind| kind.as_str()).collect();
        page.check_ways.set_text(&if kinds.is_empty() { "None".to_owned() } else { kinds.join(", ") });
        page.check_udp.set_text(match findings.udp {
            Some(true) => "Gets out",
            Some(false) => "Blocked",
            None => "Not tried: there is no server to ask",
        });
        let over = findings.relay_over.map_or("", Protocol::as_str);
        page.check_relay.set_text(&match facts.relay {
            Reach::Reached(time) => {
                ["Carries calls over ", over, ", there and back in ", &millis(time)].concat()
            }
            Reach::Unreached => "Cannot be reached".to_owned(),
            Reach::NotTried => "There is none".to_owned(),
        });
        let problems: Vec<String> = diagnosis
            .problems
            .iter()
            .map(|problem| [&problem.url, ": ", &problem.text, " (", &problem.code.to_string(), ")"].concat())
            .collect();
        page.check_problems.set_text(&problems.join("\n"));
        page.check_problems_row.show(!problems.is_empty());
    }
}

fn device(problem: Option<&MediaProblem>) -> String {
    problem.map_or_else(|| FINE.to_owned(), MediaProblem::to_string)
}

fn millis(time: std::time::Duration) -> String {
    [&time.as_millis().to_string(), " ms"].concat()
}
