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

/// All that a unit says of a key, in words.
fn all_said(unit: &str, key: &str) -> Vec<String> {
    let text = std::fs::read_to_string(project().join("systemd").join(unit)).expect("a unit");
    let values = text.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    values.flat_map(str::split_whitespace).map(str::to_owned).collect()
}

#[test]
fn the_modules_of_devices_are_there_before_the_engine_is_given_them() {
    let of = |key| all_said("chronus.service", key);
    for module in ["modprobe@snd.service", "modprobe@raspberrypi_gpiomem.service", "modprobe@bcm2835_gpiomem.service"] {
        for key in ["Wants", "After"] {
            assert!(of(key).iter().any(|other| other == module), "{key}={module}: {:?}", of(key));
        }
    }
    for device in ["char-alsa", "/dev/gpiomem", "/dev/gpiomem0", "char-gpiochip"] {
        assert!(of("DeviceAllow").iter().any(|other| other == device), "{device}");
    }
    // A unit that can be waited for without end would keep the box silent.
    assert!(of("After").iter().all(|other| !other.ends_with(".device")), "{:?}", of("After"));
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
    assert!(all_said(unit, "After").iter().any(|other| other == "chronus-configuration.service"));
    assert_eq!(said("chronus-configuration.service", "ExecStop"), "/usr/lib/chronus/configure stop");
}

#[test]
fn the_engine_may_listen_for_datagrams_and_for_connections() {
    let of = |key| all_said("chronus.service", key);
    for family in ["AF_INET", "AF_INET6"] {
        assert!(of("RestrictAddressFamilies").iter().any(|allowed| allowed == family), "{family}");
    }
    // listen, accept4 and shutdown are of @network-io, eventfd2 and poll of @io-event, and both of @system-service.
    let filter = of("SystemCallFilter");
    assert_eq!(filter[0], "@system-service");
    let mut denied =
        filter.iter().skip(1).skip_while(|word| !word.starts_with('~')).take_while(|word| word.contains('@'));
    assert!(!denied.any(|word| word.contains("@network-io") || word.contains("@io-event")), "{filter:?}");
    for key in ["IPAddressDeny", "SocketBindDeny", "SocketBindAllow", "PrivateNetwork"] {
        assert!(of(key).is_empty(), "{key}: {:?}", of(key));
    }
}

#[test]
fn the_engine_waits_for_nothing_that_it_does_not_need() {
    let unit = "chronus.service";
    for late in
        ["network", "systemd-udev", "systemd-tmpfiles-setup", "sysinit.target", "local-fs.target", "chronus-data"]
    {
        assert!(all_said(unit, "After").iter().all(|other| !other.starts_with(late)), "{:?}", all_said(unit, "After"));
    }
    assert_eq!(said(unit, "DefaultDependencies"), "no");
    // This one would, without a word.
    let text = std::fs::read_to_string(project().join("systemd").join(unit)).expect("a unit");
    assert!(!text.contains("\nPrivateTmp="));
    let closed = all_said(unit, "InaccessiblePaths");
    assert!(["-/tmp", "-/var/tmp"].iter().all(|path| closed.iter().any(|one| one == path)), "{closed:?}");
}
