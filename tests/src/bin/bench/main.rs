//! `scripts/bench`: measures the figures of BENCHMARKS.md in one run and writes the page.
//!
//! Nothing here passes or fails. Times are those of the machine it runs on, which other programs share; so where
//! one can be had, each stands beside something measured in the same run.

mod figures;
mod measure;
mod report;

use chronus_tests::build::project;

fn main() {
    let brief = std::env::args().any(|argument| argument == "--brief");
    // Enough for a 99th percentile to mean something; a brief run only shows that all of it works.
    let (seconds, kills, notes) = if brief { (3, 30, 40) } else { (30, 500, 400) };
    println!("1 of 5: one worker, {seconds} s");
    let one = measure::steady(1, seconds);
    println!("2 of 5: two workers, {seconds} s");
    let two = measure::steady(2, seconds);
    println!("3 of 5: {kills} kills");
    let deaths = measure::deaths(kills);
    println!("4 of 5: {notes} notes");
    let commands = measure::commands(notes);
    println!("5 of 5: this machine's own wake-up, {seconds} s");
    let machine = measure::wake_up_of_this_machine(seconds);
    let page = report::page(&one, &two, &deaths, &commands, &machine);
    println!("\n{page}");
    if brief {
        println!("A brief run: BENCHMARKS.md is left as it is.");
    } else {
        std::fs::write(project().join("BENCHMARKS.md"), page).expect("BENCHMARKS.md is written");
    }
}
