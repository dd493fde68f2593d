//! `scripts/bench`: measures the figures of BENCHMARKS.md in one run and writes the page.
//!
//! Nothing here passes or fails. Times are those of the machine it runs on, which other programs share; so where
//! one can be had, each stands beside something measured in the same run.

mod figures;
mod measure;
mod report;

use chronus_tests::build::project;

/// The heading of the part of BENCHMARKS.md that is written by hand, from what tests and soak print.
const OTHERS: &str = "## Under faults";

fn main() {
    let brief = std::env::args().any(|argument| argument == "--brief");
    // Enough for a 99th percentile to mean something; a brief run only shows that all of it works.
    let (seconds, kills, notes) = if brief { (3, 30, 40) } else { (30, 500, 400) };
    println!("1 of 6: one worker, {seconds} s");
    let one = measure::steady(1, seconds);
    println!("2 of 6: two workers, {seconds} s");
    let two = measure::steady(2, seconds);
    println!("3 of 6: two workers, cores kept awake, {seconds} s");
    let awake = {
        let _wakeful = measure::Wakeful::start();
        measure::steady(2, seconds)
    };
    println!("4 of 6: {kills} kills");
    let deaths = measure::deaths(kills);
    println!("5 of 6: {notes} notes");
    let commands = measure::commands(notes);
    println!("6 of 6: this machine's own wake-up, {seconds} s");
    let machine = measure::wake_up_of_this_machine(seconds);
    let page = report::page(&report::Measured { one, two, awake, deaths, commands, machine });
    println!("\n{page}");
    if brief {
        println!("A brief run: BENCHMARKS.md is left as it is.");
    } else {
        let path = project().join("BENCHMARKS.md");
        let before = std::fs::read_to_string(&path).unwrap_or_default();
        // What other programs than this one have measured stays.
        let kept = before.find(OTHERS).map_or("", |place| &before[place..]);
        std::fs::write(path, format!("{}\n\n{kept}", page.trim_end())).expect("BENCHMARKS.md is written");
    }
}
