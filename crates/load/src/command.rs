//! The command: flags in, all that is measured in turns, one table out.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use crate::contender::{Contender, all};
use crate::machine::{Cpus, allow_connections, cpus, pin};
use crate::plan::Plan;
use crate::relay::{Bench, Climb, Stalled, Step};
use crate::report::{Row, aims, table};
use crate::{Outcome, crowd, npm};
use clap::Parser;

/// Puts the same load on duologue-server, PeerServer, the signaling server of y-webrtc and a plain relay with ws for Node,
/// in turns, and prints what each made of it, and whether ours is what it aims to be.
///
/// Messages are sent when a schedule says so, whether or not earlier ones have arrived, and how long they take counts from
/// then. A server has one CPU for itself, and the load another; everything stays on the loopback address. Ratios matter, and
/// not numbers: those depend on the machine.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench server", after_help = EXAMPLES)]
struct Flags {
    /// Under two minutes in place of ten: less of everything
    #[arg(long)]
    quick: bool,

    /// How many connections are idle, are cut at once, come back and leave: 10000, and 2000 with --quick
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=25_000))]
    connections: Option<u32>,

    /// Only this server: duologue, peerserver, y-webrtc or plain
    #[arg(long, value_name = "SERVER")]
    only: Option<String>,

    /// The program of duologue-server
    #[arg(
        long,
        env = "DUOLOGUE_SERVER",
        value_name = "FILE",
        default_value = "target/server/duologue-server"
    )]
    server: PathBuf,

    /// Where the others are installed by npm
    #[arg(long, value_name = "DIR", default_value = "target/bench-server")]
    folder: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask bench server                      everything, in ten minutes
  cargo xtask bench server --quick              to see that it works, and roughly how they compare
  cargo xtask bench server --only duologue      while one works on the server";

/// Reads the flags, measures, and prints.
#[must_use]
pub fn main() -> ExitCode {
    let flags = Flags::parse();
    match run(&flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(words) => {
            eprintln!("error: {words}");
            ExitCode::FAILURE
        }
    }
}

fn run(flags: &Flags) -> Outcome {
    let connections =
        flags.connections.unwrap_or(if flags.quick { 2000 } else { 10_000 }).next_multiple_of(2);
    let plan = if flags.quick { Plan::quick(connections) } else { Plan::full(connections) };
    let cpus = cpus()?;
    allow_connections(connections)?;
    let contenders = contenders(flags)?;
    pin(cpus.load)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start: {error}"))?;
    let rows = runtime.block_on(measure(&contenders, cpus, &plan))?;
    println!("\n{}", table(&rows, &plan));
    if rows.first().is_some_and(|row| row.name == "duologue") {
        println!("{}", aims(&rows, &plan));
    }
    Ok(())
}

fn contenders(flags: &Flags) -> Outcome<Vec<Arc<dyn Contender>>> {
    let alone = flags.only.as_deref() == Some("duologue");
    let installed = !alone
        && npm::install(&flags.folder)
            .inspect_err(|words| println!("only duologue is measured. {words}"))
            .is_ok();
    let mut all = all(&flags.server, installed.then_some(flags.folder.as_path()));
    if let Some(only) = &flags.only {
        all.retain(|it| it.name().split(' ').next().is_some_and(|word| word.eq_ignore_ascii_case(only)));
        if all.is_empty() {
            return Err(format!(
                "there is no server {only:?}: it is duologue, peerserver, y-webrtc or plain"
            ));
        }
    }
    Ok(all)
}

async fn measure(contenders: &[Arc<dyn Contender>], cpus: Cpus, plan: &Plan) -> Outcome<Vec<Row>> {
    let mut crowds = Vec::new();
    for contender in contenders {
        println!("→ {}: {} connections", contender.name(), plan.connections);
        crowds.push(crowd::measure(contender, cpus, plan).await?);
    }
    let mut benches = Vec::new();
    for contender in contenders {
        benches.push(Bench::start(contender.clone(), cpus, plan).await?);
    }
    let climbs = climb(&mut benches, plan).await?;
    let common = common_rate(&climbs, plan);
    let steps = at_common_rate(&mut benches, plan, common).await?;
    let stalled = stall(&mut benches, plan, common).await?;
    let measured = crowds.into_iter().zip(climbs).zip(steps).zip(stalled).zip(contenders);
    let row = |((((crowd, climb), common), stalled), contender): ((((_, _), _), _), &Arc<dyn Contender>)| {
        Row { name: contender.name(), crowd, climb, common, stalled }
    };
    Ok(measured.map(row).collect())
}

async fn climb(benches: &mut [Bench], plan: &Plan) -> Outcome<Vec<Climb>> {
    let mut climbs = vec![(Climb::default(), true); benches.len()];
    for rate in &plan.rates {
        for (bench, (climb, goes_on)) in benches.iter_mut().zip(&mut climbs) {
            if *goes_on {
                println!("→ {}: {rate} messages a second", bench.contender().name());
                *goes_on = bench.climb(plan, *rate, climb).await?;
            }
        }
    }
    Ok(climbs.into_iter().map(|(climb, _)| climb).collect())
}

/// The highest rate that all of them sustain; the lowest of the plan if there is none.
fn common_rate(climbs: &[Climb], plan: &Plan) -> u32 {
    let best = |climb: &Climb| climb.best.as_ref().map(|best| best.rate);
    climbs.iter().map(best).min().flatten().unwrap_or_else(|| {
        let rate = plan.rates.first().copied().unwrap_or_default();
        println!("not every server sustains {rate} messages a second here: see that nothing else runs");
        rate
    })
}

async fn at_common_rate(benches: &mut [Bench], plan: &Plan, rate: u32) -> Outcome<Vec<Step>> {
    let mut steps: Vec<Option<Step>> = vec![None; benches.len()];
    for round in 1..=plan.rounds {
        for (bench, so_far) in benches.iter_mut().zip(&mut steps) {
            println!("→ {}: {rate} messages a second, round {round}", bench.contender().name());
            let step = bench.step(plan, rate, plan.round, 100 + u64::from(round)).await?;
            match so_far {
                Some(so_far) => so_far.add(&step)?,
                None => *so_far = Some(step),
            }
        }
    }
    steps.into_iter().collect::<Option<_>>().ok_or_else(|| "no round was made".to_owned())
}

async fn stall(benches: &mut [Bench], plan: &Plan, rate: u32) -> Outcome<Vec<Stalled>> {
    let mut stalled = Vec::new();
    for bench in benches {
        println!("→ {}: {rate} messages a second, one of ten does not read", bench.contender().name());
        stalled.push(bench.stall(plan, rate).await?);
    }
    Ok(stalled)
}
