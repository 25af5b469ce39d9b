//! What happened, in words, for whoever has to find out why something was lost.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::{Entries, Sent};

impl Entries {
    /// A message, in a line.
    pub(super) fn tells(&self, line: &str, sent: &Sent) -> String {
        let Sent { from, to, at, .. } = sent;
        format!("{line} at {}, from {} to {}", self.clock(*at), from.id, to.id)
    }

    /// All that the nodes had to get over, and what people saw of it, in order.
    pub(super) fn story(&self) -> String {
        let mut events: Vec<(Instant, String)> = Vec::new();
        for fault in &self.faults {
            events.push((fault.begin, "a fault begins".to_owned()));
            events.extend(fault.end.map(|end| (end, "it is over".to_owned())));
        }
        for (name, times) in &self.broke {
            events.extend(times.iter().map(|at| (*at, format!("the connection of {name} breaks"))));
        }
        for it in &self.parted {
            events.push((it.at, format!("{} is told that {} is gone", it.told, it.peer)));
        }
        // They come by dozens.
        let mut refused: BTreeMap<(&str, &str), Vec<Instant>> = BTreeMap::new();
        for it in &self.refused {
            refused.entry((&it.told, &it.code)).or_default().push(it.at);
        }
        for ((told, code), times) in refused {
            let (number, last) =
                (times.len(), times.iter().max().map_or_else(String::new, |at| self.clock(*at)));
            let first = times.into_iter().min();
            events
                .extend(first.map(|at| (at, format!("{told} is told {code}, {number} times until {last}"))));
        }
        events.sort();
        let mut words = String::new();
        for (at, what) in events {
            words.push_str(&format!("{} {what}\n", self.clock(at)));
        }
        words
    }

    /// Seconds since the first message.
    pub(super) fn clock(&self, at: Instant) -> String {
        let begin = self.sent.values().map(|sent| sent.at).min().unwrap_or(at);
        match at.checked_duration_since(begin) {
            Some(since) => format!("{:7.3}", since.as_secs_f64()),
            None => "before".to_owned(),
        }
    }
}
