//! The table of conditions, on machines made up.

use super::conditions::CONDITIONS;
use super::reading::Verdict;
use super::tune::tune;
use super::*;

/// What the table says of one condition.
fn verdict(made_up: &MadeUp, name: &str) -> Verdict {
    let report = Report::seen(&made_up.machine());
    report.conditions.into_iter().find(|line| line.name == name).expect(name).reading.verdict
}

/// Breaks something of a good box: the file, and what it holds then; nothing for taking it away.
type Break = (&'static str, &'static str, Option<&'static str>);

/// Each condition in turn, in all the ways it can be broken.
const BREAKS: [Break; 28] = [
    ("real_time_kernel", "proc/sys/kernel/version", Some("#1 SMP PREEMPT_DYNAMIC Debian 6.12.61\n")),
    ("isolated_cores", "sys/devices/system/cpu/isolated", Some("\n")),
    ("isolated_cores", "sys/devices/system/cpu/isolated", Some("2-3\n")),
    ("isolated_cores", "sys/devices/system/cpu/isolated", Some("0-3\n")),
    ("nohz_full", "sys/devices/system/cpu/nohz_full", Some("  (null)\n")),
    ("nohz_full", "sys/devices/system/cpu/nohz_full", None),
    ("rcu_nocbs", "proc/cmdline", Some("isolcpus=1-3 nohz_full=1-3 irqaffinity=0\n")),
    ("irqaffinity", "proc/cmdline", Some("isolcpus=1-3 nohz_full=1-3 rcu_nocbs=1-3\n")),
    ("irqaffinity", "proc/irq/default_smp_affinity", Some("00000000,0000000f\n")),
    ("irqaffinity", "proc/irq/31/effective_affinity_list", Some("2\n")),
    ("irqaffinity", "proc/irq/26/effective_affinity_list", Some("0,3\n")),
    ("governor", "sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", Some("powersave\n")),
    ("rt_throttling", "proc/sys/kernel/sched_rt_runtime_us", Some("950000\n")),
    ("fair_server", "sys/kernel/debug/sched/fair_server/cpu3/runtime", Some("50000000\n")),
    ("fair_server", "sys/kernel/debug/sched", None),
    (
        "interrupt_threads",
        "proc/61/stat",
        Some("61 (irq/31-xhci_hcd) S 2 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 50 1 0\n"),
    ),
    ("wifi", "sys/class/net/wlan0/phy80211/name", Some("phy0\n")),
    ("bluetooth", "sys/class/bluetooth/hci0/address", Some("00:00\n")),
    ("root_read_only", "proc/self/mountinfo", Some("1 0 179:2 / / ro,relatime - ext4 /dev/root rw\n")),
    ("swap", "proc/swaps", Some("Filename Type Size Used Priority\n/dev/zram0 partition 1 0 -2\n")),
    (
        "engine_limits",
        "proc/500/limits",
        Some("Max locked memory 8388608 8388608 bytes\nMax realtime priority 85 85\n"),
    ),
    (
        "engine_limits",
        "proc/500/limits",
        Some("Max locked memory unlimited unlimited bytes\nMax realtime priority 0 0\n"),
    ),
    ("engine_limits", "proc/500/status", Some("Name:\tchronus\nVmLck:\t       0 kB\n")),
    ("engine_real_time", "proc/500/task/502/status", Some("Cpus_allowed_list:\t0-3\n")),
    ("engine_real_time", "proc/511/status", Some("Cpus_allowed_list:\t2\n")),
    (
        "engine_real_time",
        "proc/500/task/502/stat",
        Some("502 (audio) S 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"),
    ),
    (
        "engine_real_time",
        "proc/511/stat",
        Some("511 (chronus-w1) S 500 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"),
    ),
    (
        "engine_real_time",
        "proc/500/task/501/stat",
        Some("501 (supervise) S 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"),
    ),
];

#[test]
fn on_a_good_box_all_hold() {
    let made_up = MadeUp::good_box("good");
    let report = Report::seen(&made_up.machine());
    assert!(report.holds(), "{}", report.table());
    assert_eq!(report.sum.held, CONDITIONS.len() as u64);
    assert!(report.table().ends_with("this machine is as a box should be: 15 hold\n"), "{}", report.table());
}

#[test]
fn what_is_broken_is_named_and_nothing_else() {
    for (name, file, content) in BREAKS {
        let made_up = MadeUp::good_box("broken");
        content.map_or_else(|| made_up.remove(file), |content| made_up.write(file, content));
        let report = Report::seen(&made_up.machine());
        assert_eq!(report.sum.failed, [name], "{file} {content:?}\n{}", report.table());
        assert!(report.table().contains(&format!("14 hold, 1 FAIL ({name})")), "{}", report.table());
    }
    for condition in &CONDITIONS {
        assert!(BREAKS.iter().any(|(name, _, _)| *name == condition.name), "{} is never broken", condition.name);
    }
}

#[test]
fn without_an_engine_the_two_about_it_fail() {
    let made_up = MadeUp::good_box("silent");
    made_up.remove("proc/500");
    assert_eq!(Report::seen(&made_up.machine()).sum.failed, ["engine_limits", "engine_real_time"]);
}

#[test]
fn what_a_machine_has_nothing_of_does_not_apply() {
    let made_up = MadeUp::good_box("virtual");
    for core in 0..4 {
        made_up.remove(&format!("sys/devices/system/cpu/cpu{core}/cpufreq"));
    }
    made_up.write("proc/sys/kernel/osrelease", "6.6.74\n");
    made_up.remove("sys/kernel/debug/sched");
    (61..=62).for_each(|thread| made_up.remove(&format!("proc/{thread}")));
    let report = Report::seen(&made_up.machine());
    for name in ["governor", "fair_server", "interrupt_threads"] {
        assert_eq!(verdict(&made_up, name), Verdict::NotApplicable, "{name}");
    }
    assert!(report.holds() && report.sum.not_applicable == 3, "{}", report.table());
}

#[test]
fn tuning_sets_what_can_be_set_and_once_more_changes_nothing() {
    let made_up = MadeUp::good_box("tune");
    made_up.write("proc/irq/default_smp_affinity", "f\n");
    made_up.write("proc/sys/kernel/sched_rt_runtime_us", "950000\n");
    made_up.write("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
    made_up.write("sys/class/bluetooth/hci0/address", "00:00\n");
    made_up.remove("sys/kernel/debug/sched");
    made_up.add_thread("proc/61", "irq/31-xhci_hcd", 2, Some(50), "0");
    made_up.add_thread("proc/64", "irq/40-snd_usb", 2, None, "0");
    for _ in 0..2 {
        assert_eq!(tune(&made_up.machine()), []);
        // What cannot be set is not tuning's to complain of.
        assert_eq!(Report::seen(&made_up.machine()).sum.failed, ["bluetooth"]);
    }
    let untouched = std::fs::read_to_string(made_up.machine().path("proc/62/stat")).unwrap();
    assert!(untouched.contains(" 90 1 "), "one that is higher stays so: {untouched}");
    assert_eq!(made_up.machine().read("sys/kernel/debug/sched/fair_server/cpu0/runtime").unwrap(), "50000000");
}

#[test]
fn tuning_moves_the_interrupts_that_may_be_moved_off_the_engines_cores() {
    let made_up = MadeUp::good_box("interrupts");
    for number in [40, 41, 42, 43, 44] {
        made_up.add_interrupt(number, "eth0", "1", "1");
        // As with a kernel that does not tell which core it picked: it is the one that is allowed.
        made_up.remove(&format!("proc/irq/{number}/effective_affinity_list"));
    }
    // A core's own timer, which nobody may move.
    made_up.add_interrupt(11, "arch_timer", "1", "1");
    let timer = made_up.machine().path("proc/irq/11/smp_affinity_list");
    std::fs::set_permissions(&timer, std::os::unix::fs::PermissionsExt::from_mode(0o444)).unwrap();
    let table = Report::seen(&made_up.machine()).table();
    assert!(table.contains("; 40 (eth0) on 1, 41 (eth0) on 1, 42 (eth0) on 1 and 2 more"), "{table}");
    assert_eq!(tune(&made_up.machine()), []);
    assert!(Report::seen(&made_up.machine()).holds());
    for (number, cores) in [(40, "0"), (44, "0"), (11, "1"), (31, "0-3")] {
        assert_eq!(made_up.machine().read(&format!("proc/irq/{number}/smp_affinity_list")).unwrap(), cores, "{number}");
    }
    // One that goes on being served elsewhere is told.
    made_up.write("proc/irq/26/effective_affinity_list", "3\n");
    let refused = tune(&made_up.machine());
    assert!(refused[0].0 == "irqaffinity" && refused[0].1.contains("26 (mmc0) on 3"), "{refused:?}");
}

#[test]
fn tuning_says_what_it_could_not_set() {
    let made_up = MadeUp::good_box("refused");
    made_up.write("proc/cmdline", "rcu_nocbs=1-3\n");
    made_up.remove("sys/kernel/debug/sched/fair_server");
    let refused = tune(&made_up.machine());
    let names: Vec<_> = refused.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["irqaffinity", "fair_server"]);
    assert!(refused[1].1.contains("fair_server/cpu1/runtime"), "{refused:?}");
}

#[test]
fn each_core_is_told_on_that_core_that_nothing_is_reserved_and_only_once() {
    let made_up = MadeUp::good_box("fair");
    (0..3).for_each(|core| made_up.write(&made_up::runtime_of(core), "50000000\n"));
    for _ in 0..2 {
        assert_eq!(tune(&made_up.machine()), []);
        assert_eq!(made_up.machine().read(made_up::RUN_ON).unwrap(), "1 2");
    }
    let times = [0, 1, 2, 3].map(|core| made_up.machine().read(&made_up::runtime_of(core)).unwrap());
    assert_eq!(times, ["50000000", "0", "0", "0"]);
}

#[test]
fn a_core_on_which_nothing_can_be_run_is_named() {
    let made_up = MadeUp::good_box("no-core");
    made_up.write(&made_up::runtime_of(2), "50000000\n");
    let refused = tune(&made_up.machine_without_core(2));
    assert!(refused.len() == 1 && refused[0].0 == "fair_server", "{refused:?}");
    assert!(refused[0].1.contains("core 2 cannot be told"), "{refused:?}");
    assert_eq!(made_up.machine().read(&made_up::runtime_of(2)).unwrap(), "50000000");
}

#[test]
fn what_is_hidden_is_not_known_until_tune_has_seen_it() {
    let made_up = MadeUp::good_box("hidden");
    let seen_by_root = Report::seen(&made_up.machine());
    for hidden in ["proc/1", "proc/61", "proc/62", "proc/63"] {
        made_up.remove(hidden);
    }
    let machine = || {
        let mut machine = made_up.machine();
        machine.engine = Some(500);
        machine
    };
    let report = Report::known(&machine());
    assert_eq!(report.sum.unknown, ["interrupt_threads"]);
    assert!(!report.holds() && report.table().contains("not known (interrupt_threads)"), "{}", report.table());
    made_up.write(report::LEFT_BY_TUNE, &as_json(&seen_by_root));
    let report = Report::known(&machine());
    assert!(report.holds() && report.table().contains("found by `chronus tune`"), "{}", report.table());
    made_up.write(report::LEFT_BY_TUNE, "{\"held\": ");
    assert_eq!(Report::known(&machine()).sum.unknown, ["interrupt_threads"]);
}

#[test]
fn the_json_has_the_sum_and_each_condition() {
    let made_up = MadeUp::good_box("json");
    made_up.write("proc/swaps", "Filename\n/dev/zram0 partition\n");
    let json: serde_json::Value = serde_json::from_str(&as_json(&Report::seen(&made_up.machine()))).unwrap();
    assert_eq!((&json["held"], &json["not_applicable"]), (&14.into(), &0.into()));
    assert_eq!(json["failed"], serde_json::json!(["swap"]));
    let swap = &json["conditions"].as_array().unwrap()[12];
    assert_eq!((&swap["name"], &swap["verdict"], &swap["is"]), (&"swap".into(), &"fails".into(), &"/dev/zram0".into()));
}

#[test]
fn on_this_machine_it_says_something_of_everything() {
    let report = Report::seen(&Machine::here());
    assert_eq!(report.conditions.len(), CONDITIONS.len());
    assert!(report.conditions.iter().all(|line| !line.reading.is.is_empty()), "{}", report.table());
}
