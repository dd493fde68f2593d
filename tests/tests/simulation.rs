//! The whole engine on a simulated machine, through thousands of seeded schedules of faults. `chronus simulate --seed N`
//! in the build `simulation` (see ARCHITECTURE.md) runs the schedule of one seed again.

use std::process::Command;

use chronus_tests::build::{Build, chronus, kills};

/// Runs schedules; gives exit code and output.
fn simulate(seed: u64, runs: u64) -> (i32, String) {
    let (seed, runs) = (seed.to_string(), runs.to_string());
    let mut command = Command::new(chronus(Build::Simulation));
    let output = command.args(["simulate", "--seed", &seed, "--runs", &runs]).output().expect("it starts");
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (output.status.code().unwrap_or(-1), text)
}

#[test]
fn no_schedule_of_faults_breaks_a_promise() {
    // 2,000, an hour and a half of sound; or as many as the long run asks for.
    let (code, output) = simulate(1, kills() * 2 / 5);
    println!("{output}");
    assert_eq!(code, 0, "{output}");
    assert!(output.contains(" 0 wrong blocks"), "{output}");
}

#[test]
fn a_seed_is_replayed_step_by_step() {
    for seed in [2, 7] {
        let (first, second) = (simulate(seed, 1), simulate(seed, 1));
        let but_the_speed = |text: &str| text.rsplit_once(';').map(|(what, _)| what.to_owned()).expect("a summary");
        assert_eq!(but_the_speed(&first.1), but_the_speed(&second.1));
        assert!(first.1.contains("Done {"), "{}", first.1);
    }
}
