//! The way of a knob from its pins to the card, with nothing in between left out: the kernel's character device, rppal as
//! it is, the engine in its unit, as its own user. The pins are the kernel's gpio-sim, which has a Raspberry Pi's name;
//! a Pi's own controller of pins is not tested by this.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use chronus_tests::build::project;
use chronus_tests::engine::{Folder, ask, number, told};
use chronus_tests::guest::{self, Guest};
use chronus_tests::skipped;
use chronus_tests::sound_card::{Frame, card_frames};
use rosc::OscType;
use serde_json::Value;

use crate::comparison::pieces_of_one;
use crate::day::{CARD, Take, finish_take, start_take};

/// What is appended to the box's configuration.
const CONTROLS: &str = "
[[control]]
kind = \"encoder\"
pins = [17, 27]
address = \"/mod/filter/cutoff\"
min = 100.0
max = 6400.0
curve = \"log\"
steps = 60

[[control]]
kind = \"button\"
pin = 22
press = \"/gate/adsr 1\"
release = \"/gate/adsr 0\"
";

/// Detents turned, to the right or to the left. In between a worker dies.
const TURNS: [i64; 5] = [7, -12, 20, -10, 9];

/// Where the knob starts, in steps from the left end. No turn comes to an end of the range.
const START: i64 = 30;

/// Cutoff so many steps from the left end, in Hz.
fn cutoff(steps: i64) -> f64 {
    100.0 * (64_f64.ln() * steps as f64 / 60.0).exp()
}

/// What was seen of it.
struct Seen {
    /// The reply to `/controls`: at rest before anything was moved, with the button pressed, at the end.
    controls: [Value; 3],
    /// The status with the button pressed, and at the end.
    status: [Value; 2],
    learned: Learned,
    /// What was played, and what the card has had.
    take: Take,
    played: Vec<Frame>,
}

/// What became of a binding that was learned by the engine in its own unit.
struct Learned {
    /// What `/controls` tells of it, then of the control when the engine was killed afterwards.
    told: Value,
    afterwards: Value,
    /// How BOX is mounted then, and what has failed.
    mounted: String,
    failed: String,
    /// chronus.toml, read from the card when the power was cut.
    file: String,
}

/// Once for all tests. `None` where it cannot be, which is said.
fn seen() -> Option<&'static Seen> {
    static SEEN: OnceLock<Option<Seen>> = OnceLock::new();
    SEEN.get_or_init(|| {
        if Command::new("fdtput").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
            skipped("pins", "fdtput is not installed; as root: apt-get install device-tree-compiler");
            return None;
        }
        guest::root()?;
        turn_and_press()
    })
    .as_ref()
}

/// Whether the box is an image, which has drivers of its own.
fn of_image() -> bool {
    std::env::var_os("IMAGE").is_some()
}

/// Gives the box the pins of a Pi 4: of the image's own drivers, or of those that were made. `None` if there are none.
fn connect(guest: &mut Guest, modules: &Path) -> Option<()> {
    guest.put(&project().join("tests/box/guest/pins"), "/run/agent/pins");
    if of_image() {
        let (status, words) = guest.attempt("modprobe gpio-sim");
        if status != 0 {
            skipped("pins", &format!("the image's kernel has no module gpio-sim (CONFIG_GPIO_SIM=m): {words}"));
            return None;
        }
        // Registers in a file: all levels high, as those of pins that are pulled up and touched by nobody.
        let levels = "printf '\\377\\377\\377\\377\\377\\377\\377\\377' | dd of=/dev/gpiomem bs=4 seek=13 conv=notrunc";
        guest.run(&format!("dd if=/dev/zero of=/dev/gpiomem bs=4096 count=1 && {levels}"));
        guest.run("chgrp gpio /dev/gpiomem && chmod 660 /dev/gpiomem");
    } else {
        for name in ["gpiomem", "gpio-sim"] {
            guest.put(&modules.join(format!("{name}.ko")), &format!("/run/agent/{name}.ko"));
            guest.run(&format!("modprobe configfs && insmod /run/agent/{name}.ko"));
        }
    }
    guest.run("sh /run/agent/pins make && udevadm settle");
    Some(())
}

fn turn_and_press() -> Option<Seen> {
    let modules = if of_image() { PathBuf::new() } else { guest::modules()? };
    let folder = Folder::new("box-pins");
    let disk = guest::disk_configured(&folder, CONTROLS);
    let mut guest = Guest::start(&disk, &folder.file("."), &["--pi"]);
    guest.wait_for_engine();
    connect(&mut guest, &modules)?;
    guest.run("grep -v patch /run/chronus/engine.toml >/run/agent/take.toml");
    guest.run("mkdir -p /run/agent/kept && chown chronus:chronus /run/agent/kept");
    let before = start_take(&mut guest, &folder, "--keep-score /run/agent/kept/pins.osc");
    guest.wait_for_engine();
    let at_rest = ask(&guest.address(), "/controls");
    guest.send("/mod/filter/cutoff", OscType::Double(cutoff(START)));
    wait_for_commands(&guest, 1);
    guest.run("sh /run/agent/pins set 22 0");
    wait_for_commands(&guest, 2);
    let (pressed, sounding) = (ask(&guest.address(), "/controls"), guest.status());
    let mut commands = 2;
    for detents in TURNS {
        guest.run(&format!("sh /run/agent/pins turn 17 27 {detents} & usleep 25000; kill -9 $(worker); wait"));
        commands += detents.unsigned_abs();
        wait_for_commands(&guest, commands);
    }
    guest.run("sh /run/agent/pins set 22 1");
    wait_for_commands(&guest, commands + 1);
    let (controls, status) = (ask(&guest.address(), "/controls"), guest.status());
    let take = finish_take(&mut guest, &folder, "pins", before);
    let learned = learn(guest, &disk);
    let played = card_frames(&folder.file(CARD));
    Some(Seen { controls: [at_rest, pressed, controls], status: [sounding, status], learned, take, played })
}

/// Has the knob learn another address, with the engine as the box starts it; then the power is cut.
fn learn(mut guest: Guest, disk: &Path) -> Learned {
    guest.run("rm /run/systemd/system/chronus.service.d/take.conf && systemctl daemon-reload");
    guest.run("systemctl restart chronus.service");
    guest.wait_for_engine();
    let knob = |guest: &Guest| ask(&guest.address(), "/controls")["controls"][0].clone();
    knob(&guest);
    guest.send("/controls/learn", OscType::String("/mod/filter/q".to_owned()));
    guest.run("sh /run/agent/pins turn 17 27 2");
    guest.wait_until("grep -q ' kept$' /run/chronus/learned");
    // The engine looks for the answer twenty times a second.
    let told = (0..TRIES).map(|_| knob(&guest)).find(|knob| knob["learned"] != "being written").expect("an end");
    let mounted = guest.run("grep ' /box ' /proc/mounts");
    guest.run("last=$(engine); kill -9 $last; while kill -0 $last 2>/dev/null; do usleep 1000; done");
    guest.wait_for_engine();
    let afterwards = knob(&guest);
    let failed = guest.run("systemctl list-units --failed --plain --no-legend --no-pager");
    guest.cut_power();
    Learned { told, afterwards, mounted, failed, file: guest::chronus_toml(disk) }
}

#[test]
fn what_a_knob_has_learned_is_on_the_card_when_that_is_said() {
    let Some(Seen { learned: Learned { told, afterwards, mounted, failed, file }, .. }) = seen() else { return };
    assert_eq!(told["learned"], "kept in /box/chronus.toml", "{told:#}");
    assert_eq!((&told["does"], &afterwards["does"]), (&"/mod/filter/q".into(), &"/mod/filter/q".into()));
    assert!(mounted.contains(" ro,") && failed.is_empty(), "{mounted} {failed}");
    assert!(file.contains("address = \"/mod/filter/q\"") && !file.contains("/mod/filter/cutoff"), "{file}");
    assert!(file.starts_with("# The configuration of the box") && file.contains("press = \"/gate/adsr 1\""), "{file}");
}

/// Waits until the engine has taken so many commands, or shows in the status that it never will: no promise is measured.
fn wait_for_commands(guest: &Guest, count: u64) {
    for _ in 0..TRIES {
        if number(&guest.status(), "commands.received") >= count {
            return;
        }
    }
}

/// Times that the status is looked at for commands that are on their way. Each takes some milliseconds at least.
const TRIES: u32 = 500;

#[test]
fn a_knob_moves_its_value_by_exactly_the_detents_turned() {
    let Some(Seen { controls: [at_rest, _, end], take, .. }) = seen() else { return };
    let counts = |of: &Value| ["right", "left", "illegal", "lost"].map(|key| number(&of["controls"][0], key));
    assert_eq!(counts(at_rest), [0; 4], "{}", take.said);
    let turned = |way: i64| TURNS.iter().filter(|detents| detents.signum() == way).sum::<i64>().unsigned_abs();
    assert_eq!(counts(end), [turned(1), turned(-1), 0, 0], "{end:#}\n{}", take.said);
    let value = end["controls"][0]["value"].as_f64().expect("a value");
    let expected = cutoff(START + TURNS.iter().sum::<i64>());
    assert!((value / expected - 1.0).abs() < 1e-6, "{value} Hz, and it should be {expected}");
    // Each contact changes twice in a detent, and bounces once each time.
    assert_eq!(number(&end["controls"][0], "edges"), (turned(1) + turned(-1)) * 4 * 3);
}

#[test]
fn a_button_opens_the_gate_and_closes_it() {
    let Some(Seen { controls: [at_rest, pressed, end], status, take, .. }) = seen() else { return };
    let button = |of: &Value| (of["controls"][1]["value"].clone(), number(&of["controls"][1], "closed"));
    assert_eq!([at_rest, pressed, end].map(button), [("open".into(), 0), ("closed".into(), 1), ("open".into(), 1)]);
    assert_eq!(number(&status[0], "commands.received"), 2, "{}", take.said);
    assert_eq!(number(&status[1], "commands.refused"), 0, "{}", take.said);
}

#[test]
fn what_was_turned_is_heard_bit_for_bit_as_the_score_that_was_kept_though_workers_die() {
    let Some(Seen { status, take, played, .. }) = seen() else { return };
    let said = &take.said;
    let (pieces, xruns) = (pieces_of_one(played, take), told(said, "xruns"));
    assert!(pieces.len() as u64 <= 1 + xruns, "{xruns} underruns, but {pieces:?}; {said}");
    let exact: usize = pieces.iter().map(ExactSizeIterator::len).sum();
    assert!(exact > 30_000, "too short to prove anything: {exact} frames");
    assert_eq!(number(&status[1], "late_blocks"), 0, "{said}");
    assert!(told(said, "kills survived") >= TURNS.len() as u64, "{said}");
    println!("{exact} frames exact, {xruns} underruns");
}
