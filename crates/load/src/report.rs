//! The table, and whether what was aimed at is met.

use std::fmt::Write;

use hdrhistogram::Histogram;

use crate::counts::Counts;
use crate::crowd::Crowd;
use crate::plan::Plan;
use crate::relay::{Climb, Stalled, Step};

/// All that was measured of one server.
#[derive(Debug)]
pub struct Row {
    /// The server.
    pub name: &'static str,
    /// Many connections.
    pub crowd: Crowd,
    /// While the rate rose.
    pub climb: Climb,
    /// At the rate that all of them sustain.
    pub common: Step,
    /// While some did not read.
    pub stalled: Stalled,
}

/// What an idle connection may take.
const IDLE: f64 = 8.0 * 1024.0;
/// How many times the messages of the best of the others.
const TIMES: f64 = 5.0;
/// How much more memory than at the start may be left.
const REMAINS: f64 = 1.2;

const WIDTH: usize = 23;

/// The table.
#[must_use]
pub fn table(rows: &[Row], plan: &Plan) -> String {
    let mut table = String::new();
    let mut line = |what: &str, cell: &dyn Fn(&Row) -> String| {
        let _ = write!(table, "{what:<50}");
        for row in rows {
            let _ = write!(table, "{:>WIDTH$}", cell(row));
        }
        table.push('\n');
    };
    let many = plan.connections;
    let rate = rows.first().map_or(0, |row| row.common.rate);
    line("", &|row| row.name.to_owned());
    line("memory at the start (MB)", &|row| megabytes(row.crowd.start));
    line(&format!("each of {many} idle connections (KB)"), &|row| {
        format!("{:.1}", row.crowd.each() / 1024.0)
    });
    line(&format!("came in, {} a second: p50/p99/max (ms)", plan.arrivals), &|row| {
        times(&row.crowd.came.latency, 0)
    });
    line("all cut at once: all back after (s)", &|row| {
        let back = &row.crowd.back;
        if back.arrived == many {
            format!("{:.1}", back.took.as_secs_f64())
        } else {
            format!("{} of {many}", back.arrived)
        }
    });
    line("memory after all have left (MB; of the start)", &|row| {
        format!("{} ({:.2})", megabytes(row.crowd.end), row.crowd.remains())
    });
    line("highest rate sustained (messages/s)", &|row| match &row.climb.best {
        Some(best) => format!("{}{}", if row.climb.load_gave_up { "at least " } else { "" }, best.rate),
        None => "none".to_owned(),
    });
    line("messages/CPU-second, at that rate", &|row| {
        row.climb.best.as_ref().map_or_else(|| "-".to_owned(), |best| format!("{:.0}", best.per_cpu_second()))
    });
    line(&format!("messages/CPU-second, at {rate}/s"), &|row| format!("{:.0}", row.common.per_cpu_second()));
    line(&format!("latency at {rate}/s: p50/p99/max (ms)"), &|row| times(&row.common.figures.latency, 1));
    line("  of it before the message was sent (ms)", &|row| times(&row.common.figures.lateness, 1));
    line("1 of 10 does not read: the others' latency (ms)", &|row| times(&row.stalled.figures.latency, 1));
    line("  let go of those, and of the others", &|row| {
        let (slow, others) = row.stalled.let_go;
        format!("{slow} of {}, {others}", row.stalled.readers)
    });
    line("  memory before and after (MB)", &|row| {
        let (before, after) = row.stalled.memory;
        format!("{} to {}", megabytes(before), megabytes(after))
    });
    for (what, count) in [
        ("messages sent, all in all", (|counts| counts.sent) as fn(&Counts) -> u64),
        ("  delivered", |counts| counts.delivered),
        ("    of these, later than 3 s", |counts| counts.late),
        ("  not, and who sent them was told", |counts| counts.reported),
        ("  not, and one of the two was let go of", |counts| counts.cut),
        ("  lost: none of these", |counts| counts.lost()),
        ("  duplicated", |counts| counts.duplicated),
        ("  come back to who sent them", |counts| counts.echoed),
        ("  arrived at somebody else", |counts| counts.strayed),
    ] {
        line(what, &|row| count(&all(row)).to_string());
    }
    table
}

/// Whether each aim is met, in a line each. `rows` begins with ours.
#[must_use]
pub fn aims(rows: &[Row], plan: &Plan) -> String {
    let Some((ours, others)) = rows.split_first() else { return String::new() };
    let mut lines = String::new();
    let mut say = |met: bool, words: String| {
        let _ = writeln!(lines, "{} {words}", if met { "met:    " } else { "NOT MET:" });
    };
    let each = ours.crowd.each();
    let all_in = ours.crowd.came.arrived == plan.connections;
    say(
        all_in && each <= IDLE,
        format!(
            "{} idle connections at no more than 8 KB each: {} at {:.1} KB",
            plan.connections,
            ours.crowd.came.arrived,
            each / 1024.0
        ),
    );
    let rate = |row: &Row| row.climb.best.as_ref().map_or(0.0, Step::per_cpu_second);
    let common = |row: &Row| row.common.per_cpu_second();
    let p99 = |row: &Row| row.common.figures.latency.value_at_quantile(0.99) as f64 / 1000.0;
    if let Some(best) = others.iter().max_by(|a, b| rate(a).total_cmp(&rate(b))) {
        let times = rate(ours) / rate(best).max(1.0);
        let at_common = others.iter().map(common).fold(1.0, f64::max);
        say(
            times >= TIMES,
            format!(
                "5 times the messages per CPU-second of the best of the others ({}): {times:.1} times, each at its highest \
                 rate; {:.1} times at {}/s",
                best.name,
                common(ours) / at_common,
                ours.common.rate
            ),
        );
    }
    if let Some(best) = others.iter().map(p99).min_by(f64::total_cmp) {
        let mut words =
            format!("p99 under load below theirs: {:.1} ms, and {best:.1} ms the best of them", p99(ours));
        if !rows.iter().all(|row| row.common.is_punctual()) {
            // What keeps the load from its CPU keeps the servers from theirs.
            words.push_str(
                " (says nothing: the load itself was late, because something else runs on this machine)",
            );
        }
        say(p99(ours) < best, words);
    }
    say(
        ours.crowd.remains() <= REMAINS,
        format!(
            "memory back within 20 % of the start: {:+.0} % ({} MB at the start)",
            100.0 * (ours.crowd.remains() - 1.0),
            megabytes(ours.crowd.start)
        ),
    );
    let all = all(ours);
    say(
        all.lost() == 0 && all.duplicated == 0 && all.strayed == 0,
        format!(
            "nothing is lost, or arrives twice or at somebody else: {}, {} and {}",
            all.lost(),
            all.duplicated,
            all.strayed
        ),
    );
    lines
}

fn all(row: &Row) -> Counts {
    let mut counts = row.climb.counts;
    counts.add(row.common.figures.counts);
    counts.add(row.stalled.figures.counts);
    counts
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / (1024.0 * 1024.0))
}

/// The 50th and the 99th percentile and the longest, of microseconds, in milliseconds.
fn times(histogram: &Histogram<u64>, digits: usize) -> String {
    let millis = |micros: u64| format!("{:.digits$}", micros as f64 / 1000.0);
    let [p50, p99] = [0.5, 0.99].map(|quantile| millis(histogram.value_at_quantile(quantile)));
    format!("{p50}/{p99}/{}", millis(histogram.max()))
}
