//! The units of the box, where what one says has to fit what another one says.

use chronus_tests::build::project;

/// What a unit says of a key.
fn said(unit: &str, key: &str) -> String {
    let text = std::fs::read_to_string(project().join("systemd").join(unit)).expect("a unit");
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    value.unwrap_or_else(|| panic!("{unit} has no {key}")).to_owned()
}

/// A time as systemd reads it, in seconds.
fn seconds(time: &str) -> u64 {
    match time.strip_suffix("min") {
        Some(minutes) => 60 * minutes.parse::<u64>().expect("minutes"),
        None => time.parse().expect("seconds"),
    }
}

#[test]
fn a_box_that_stays_silent_begins_from_power_on_too() {
    let unit = "chronus.service";
    let (interval, burst) = (seconds(&said(unit, "StartLimitIntervalSec")), seconds(&said(unit, "StartLimitBurst")));
    // Each engine is given that long to be heard of, and as long again to start and to be ended.
    let silent = 2 * seconds(&said(unit, "WatchdogSec"));
    assert!(burst * silent < interval, "{burst} times {silent} s are not within {interval} s");
    assert_eq!(said(unit, "StartLimitAction"), "reboot");
    // Who notes that is ended after the engine: what starts before it.
    assert!(said(unit, "After").split(' ').any(|other| other == "chronus-configuration.service"));
    assert_eq!(said("chronus-configuration.service", "ExecStop"), "/usr/lib/chronus/configure stop");
}
