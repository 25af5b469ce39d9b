//! `cargo xtask test`: every test there is, and one line at the end that says how it went.

use std::process::Command;
use std::time::Instant;

use crate::run::{Outcome, cargo, lines, output, root};
use crate::tools::{Tools, ensure_make, ensure_neighbours};
use crate::{build, pins, size};

/// What has been counted so far.
#[derive(Default)]
struct Tally {
    passed: u32,
    failed: u32,
    failures: Vec<String>,
    /// What could not run on this machine, and why.
    not_run: Vec<String>,
}

/// How a test begins the line that says why it cannot run here.
const NOT_RUN: &str = "NOT RUN:";

/// A part of the tests, by the name that selects it.
struct Step {
    name: &'static str,
    run: fn(&mut Tally) -> Outcome,
}

const STEPS: [Step; 7] = [
    Step { name: "format", run: format },
    Step { name: "lint", run: lint },
    Step { name: "native", run: native },
    Step { name: "size", run: page_size },
    Step { name: "package", run: package },
    Step { name: "browser", run: browser },
    Step { name: "e2e", run: end_to_end },
];

/// Runs all steps, or those named.
pub fn test(names: &[String]) -> Outcome {
    if let Some(unknown) = names.iter().find(|name| STEPS.iter().all(|step| step.name != name.as_str())) {
        let known: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        return Err(format!("there is no step {unknown:?}; there are {}", known.join(", ")));
    }
    build::ensure_target()?;
    ensure_make()?;
    let (mut tally, mut times) = (Tally::default(), Vec::new());
    for step in STEPS.iter().filter(|step| names.is_empty() || names.iter().any(|name| name == step.name)) {
        println!("\n=== {} ===", step.name);
        let begin = Instant::now();
        if let Err(words) = (step.run)(&mut tally) {
            eprintln!("{words}");
            tally.failures.push(step.name.to_owned());
        }
        times.push(format!("{} {} s", step.name, begin.elapsed().as_secs()));
    }
    println!("\n{}", times.join(", "));
    for words in &tally.not_run {
        println!("{NOT_RUN} {words}");
    }
    for failure in &tally.failures {
        println!("failed: {failure}");
    }
    // A step that fails without a test of its own to blame counts as one.
    let failed = tally.failed.max(u32::try_from(tally.failures.len()).unwrap_or(u32::MAX));
    println!("{} passed, {failed} failed", tally.passed);
    if failed == 0 { Ok(()) } else { Err("not everything passed".to_owned()) }
}

/// One check that is no test of cargo's.
fn check(tally: &mut Tally, what: &str, outcome: Outcome) -> Outcome {
    match outcome {
        Ok(()) => {
            println!("ok: {what}");
            tally.passed += 1;
            Ok(())
        }
        Err(error) => {
            tally.failed += 1;
            Err(format!("{what}: {error}"))
        }
    }
}

/// Runs a command that must succeed, as one check.
fn must(tally: &mut Tally, what: &str, command: &mut Command) -> Outcome {
    let outcome = match lines(command, |_| {}) {
        Ok(true) => Ok(()),
        Ok(false) => Err("see above".to_owned()),
        Err(error) => Err(error),
    };
    check(tally, what, outcome)
}

/// Runs a command that runs tests, and counts them by what the test harness says.
fn count(tally: &mut Tally, command: &mut Command) -> Outcome {
    let (mut passed, mut failed, mut ignored) = (0, 0, 0);
    let success = lines(command, |line| {
        if let Some(words) = line.strip_prefix(NOT_RUN) {
            tally.not_run.push(words.trim().to_owned());
        }
        if let Some((_, counts)) = line.split_once("test result: ") {
            passed += number_before(counts, " passed");
            failed += number_before(counts, " failed");
            ignored += number_before(counts, " ignored");
        }
    })?;
    tally.passed += passed;
    tally.failed += failed;
    if ignored > 0 {
        Err(format!("{ignored} tests are ignored; a test either runs or is not there"))
    } else if passed == 0 {
        Err("no test ran".to_owned())
    } else if success {
        Ok(())
    } else {
        Err("see above".to_owned())
    }
}

/// The number right before `word` in "ok. 3 passed; 0 failed; …".
fn number_before(counts: &str, word: &str) -> u32 {
    let before = counts.split_once(word).map_or("", |(before, _)| before);
    before.rsplit([' ', ';']).next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn format(tally: &mut Tally) -> Outcome {
    must(tally, "everything is formatted", cargo().args(["fmt", "--all", "--check"]))?;
    check(tally, "wasm-bindgen is of one version everywhere", pins::check())
}

fn lint(tally: &mut Tally) -> Outcome {
    let deny = ["--", "-D", "warnings"];
    let mut native = cargo();
    native.args(["clippy", "--quiet", "--workspace", "--exclude", "duologue", "--all-targets"]).args(deny);
    must(tally, "no lint in what runs natively", &mut native)?;
    let mut bare = cargo();
    bare.args([
        "clippy",
        "--quiet",
        "--package",
        "duologue-server",
        "--no-default-features",
        "--all-targets",
    ])
    .args(deny);
    must(tally, "no lint in the server without Redis and an allocator of its own", &mut bare)?;
    let client = ["clippy", "--quiet", "--package", "duologue", "--target", "wasm32-unknown-unknown"];
    let mut library = cargo();
    library.args(client).args(["--lib", "--tests"]).args(deny);
    must(tally, "no lint in the library", &mut library)?;
    for features in ["app", "app,tabs"] {
        let mut app = cargo();
        app.args(client)
            .args(["--no-default-features", "--features", features, "--lib", "--bins"])
            .args(deny);
        must(tally, &format!("no lint in the app ({features})"), &mut app)?;
    }
    let mut docs = cargo();
    docs.env("RUSTDOCFLAGS", "-D warnings");
    docs.args(["doc", "--quiet", "--no-deps", "--package", "duologue", "--target", "wasm32-unknown-unknown"]);
    must(tally, "the documentation has no broken link", &mut docs)
}

fn native(tally: &mut Tally) -> Outcome {
    ensure_neighbours();
    let mut command = cargo();
    command.args([
        "test",
        "--workspace",
        "--exclude",
        "duologue",
        "--exclude",
        "duologue-e2e",
        "--no-fail-fast",
    ]);
    count(tally, &mut command)
}

fn page_size(tally: &mut Tally) -> Outcome {
    build::all()?;
    check(tally, "the page is not too heavy", size::report())
}

/// The package for JavaScript, as one would publish it.
fn package(tally: &mut Tally) -> Outcome {
    let tools = Tools::for_browsers()?;
    let mut pack = tools.command("wasm-pack")?;
    must(tally, "the package builds", pack.args(["build", "--target", "web"]))?;
    let types = build::read(&root().join("pkg/duologue.d.ts"))?;
    let typed =
        ["class Room", "interface RoomEvents", "on<Name extends keyof RoomEvents>", "interface JoinOptions"];
    let missing: Vec<&str> = typed.into_iter().filter(|word| !types.contains(word)).collect();
    let outcome = if missing.is_empty() { Ok(()) } else { Err(format!("not in duologue.d.ts: {missing:?}")) };
    check(tally, "its types are there", outcome)?;
    if output(Command::new("node").arg("--version")).is_err() {
        let words = "importing the package outside of a browser; there is no node on this machine";
        println!("{NOT_RUN} {words}");
        tally.not_run.push(words.to_owned());
        return Ok(());
    }
    let script = "await import('./pkg/duologue.js'); console.log('imported');";
    let mut import = Command::new("node");
    import.args(["--input-type=module", "--eval", script]);
    must(tally, "importing it touches no global of a browser", &mut import)
}

fn browser(tally: &mut Tally) -> Outcome {
    let tools = Tools::for_browsers()?;
    count(tally, tools.command("wasm-pack")?.args(["test", "--headless", "--chrome"]))
}

fn end_to_end(tally: &mut Tally) -> Outcome {
    let tools = Tools::for_end_to_end()?;
    build::all()?;
    if !root().join("pkg/duologue.js").exists() {
        package(tally)?;
    }
    let mut command = tools.command("cargo")?;
    command.args(["test", "--package", "duologue-e2e", "--no-fail-fast", "--", "--test-threads=1"]);
    count(tally, command.env("DUOLOGUE_SERVER", build::server_binary()))
}
