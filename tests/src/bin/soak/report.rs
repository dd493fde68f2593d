//! The report: a table in words, and one line of verdict.

use std::fmt::Write;

use crate::progress::clock;
use crate::tally::Tally;
use crate::watch::Cause;

/// The share of a sorted list below which `share` of it lies.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(place.saturating_sub(1)).or(sorted.last()).copied().unwrap_or(0.0)
}

/// The report of a soak with this seed, without its verdict.
pub fn table(tally: &Tally, seed: u64) -> String {
    let mut text = String::new();
    let mut line = |name: &str, what: String| {
        let _ = writeln!(text, "{name:<18} {what}");
    };
    line("time", format!("{} in {} segments, seed {seed}", clock(tally.time), tally.segments));
    line(
        "blocks",
        format!(
            "{}, and {} more on their way into the file when the main process was killed",
            tally.blocks, tally.unwritten
        ),
    );
    line(
        "differing blocks",
        format!(
            "{}, of these unexplained {} (a late block explains two: the ramp to silence and the ramp back)",
            tally.differing, tally.unexplained
        ),
    );
    line("late blocks", format!("{}{}", tally.all_late(), causes(tally)));
    let counted = |name| tally.counted(name);
    line(
        "wrong arithmetic",
        format!(
            "{} flipped bits: rightly named {}, wrongly named {}, undecided {}; damaged copies {}",
            counted("flipped bits"),
            counted("rightly named"),
            counted("wrongly named"),
            counted("undecided"),
            counted("damaged copies")
        ),
    );
    line("quarantine", format!("{} poisons sent, {} commands quarantined", tally.poisons, counted("quarantined")));
    line(
        "commands",
        format!(
            "{} of music sent, {} received in all, {} refused, {} late; lost: {} by the kernel, {} by the queue, {} as flood",
            tally.messages,
            counted("received"),
            counted("refused"),
            counted("late commands"),
            counted("lost by kernel"),
            counted("lost by queue"),
            counted("dropped as flood")
        ),
    );
    let leaks = if tally.leaks.is_empty() { "none".to_owned() } else { tally.leaks.join("; ") };
    let searched = format!("looked for in {} of {} segments", tally.searched, tally.segments);
    line("leaks", format!("{leaks} ({searched}); processes left over: {}", tally.left_over));
    line("xruns", format!("{} (the timer's; no sample was lost by them)", counted("xruns")));
    for failure in &tally.failures {
        line("failure", failure.clone());
    }
    text += &faults(tally);
    text += "Not covered here: sound cards (tests/tests/alsa.rs, in a virtual machine).\n";
    text
}

fn causes(tally: &Tally) -> String {
    let name = |cause: &Cause| match cause {
        Cause::Scheduler => "scheduler".to_owned(),
        Cause::Fault(kind) => kind.clone(),
        Cause::Ours => "ours".to_owned(),
    };
    tally.late.iter().map(|(cause, count)| format!(", {} {count}", name(cause))).collect()
}

fn faults(tally: &Tally) -> String {
    let mut text = format!(
        "\n{:<26} {:>6} {:>8}   recovery in ms: {:>7} {:>8} {:>8}\n",
        "fault", "count", "workers", "p50", "p99", "max"
    );
    for (name, of) in &tally.faults {
        let mut sorted = of.recovery_ms.clone();
        sorted.sort_by(f64::total_cmp);
        let _ = write!(text, "{name:<26} {:>6} {:>8}", of.count, of.lost);
        if let Some(most) = sorted.last() {
            let [median, p99] = [0.5, 0.99].map(|share| quantile(&sorted, share));
            let _ = write!(text, "   {:>23.1} {p99:>8.1} {most:>8.1}", median);
        }
        text.push('\n');
    }
    text += "Recovery is from the fault to lockstep of both slots, of the faults that cost a worker; of a flipped bit, from\n\
        its worker's end; of the main process, to the next block. A worker lost where none was attacked was kept from\n\
        the processor for too long.\n";
    text
}

/// The last line.
pub fn verdict(tally: &Tally) -> String {
    let complaints = tally.complaints();
    if complaints.is_empty() {
        let (faults, blocks) = (tally.all_faults(), tally.blocks);
        let late = tally.all_late();
        return format!(
            "VERDICT: good: {faults} faults in {blocks} blocks; no sample differs but by {late} late blocks, none of them ours"
        );
    }
    format!("VERDICT: bad: {}", complaints.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_tells_what_must_be_zero_and_is_not() {
        let mut tally = Tally { blocks: 10, ..Tally::default() };
        tally.of("flood").count = 3;
        assert!(verdict(&tally).starts_with("VERDICT: good: 3 faults in 10 blocks"));
        tally.unexplained = 2;
        tally.left_over = 1;
        let bad = "VERDICT: bad: 2 differing blocks that no late block explains, 1 processes left over";
        assert_eq!(verdict(&tally), bad);
    }

    #[test]
    fn the_table_has_what_there_was() {
        let mut tally = Tally { leaks: vec!["threads: 8 -> 9".to_owned()], ..Tally::default() };
        tally.late.insert(Cause::Ours, 4);
        tally.of("flood").recovery_ms = (1..=100).map(f64::from).collect();
        let text = table(&tally, 77);
        for word in ["seed 77", "4, ours 4", "threads: 8 -> 9", "50.0     99.0    100.0"] {
            assert!(text.contains(word), "{word} in {text}");
        }
    }
}
