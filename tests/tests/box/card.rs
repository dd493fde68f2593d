//! The SD card of a box that is badly treated: damaged, overwritten, and the power pulled.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

use chronus_tests::engine::Folder;
use chronus_tests::guest::{self, Guest};
use chronus_tests::patch;
use chronus_tests::random::Random;
use rosc::{OscBundle, OscMessage, OscPacket, OscTime, OscType};

/// What a box made of a damaged card.
pub struct Found {
    /// What became of DATA, in a word.
    pub data: String,
    /// What a file on it says that was there before.
    pub kept: String,
    /// The state of the system.
    pub state: String,
    /// Its network interfaces.
    pub network: String,
    /// Bytes between the end of DATA and that of the disk.
    pub left_over: u64,
}

/// What a row of power cuts came to.
#[derive(Default)]
pub struct Cuts {
    /// How many.
    pub count: u64,
    /// Those of them before the engine played.
    pub while_starting: u64,
    /// What was not as it should be after one of them.
    pub wrong: Vec<String>,
}

/// All of it.
pub struct Card {
    /// Something wrong in DATA that can be mended, no network.
    pub repaired: Found,
    /// All of DATA overwritten, and BOX.
    pub anew: Found,
    /// The power pulled again and again.
    pub cuts: Cuts,
}

/// Power cuts in a row: CHRONUS_TEST_POWER_CUTS, or four, each of which takes a start: about forty seconds of a processor.
pub fn cuts() -> u64 {
    std::env::var("CHRONUS_TEST_POWER_CUTS").ok().and_then(|text| text.parse().ok()).unwrap_or(4)
}

/// Does all of it to copies of the disk.
pub fn mistreat() -> Card {
    Card { repaired: repair(), anew: make_anew(), cuts: cut_power() }
}

/// Overwrites a part of a disk with what means nothing.
fn spoil(disk: &Path, at: u64, length: usize) {
    let mut random = Random::new(at);
    let noise: Vec<u8> = (0..length).map(|_| random.below(256) as u8).collect();
    File::options().write(true).open(disk).and_then(|disk| disk.write_all_at(&noise, at)).expect("the disk is written");
}

/// Has debugfs do something to DATA on a disk, without mounting it.
fn change_data(disk: &Path, request: &str) {
    let data = format!("{}?offset={}", disk.display(), guest::data_at());
    let output = Command::new("debugfs").args(["-w", "-R", request, &data]).output().expect("debugfs of e2fsprogs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn examine(guest: &mut Guest) -> Found {
    guest.wait_for_engine();
    guest.wait_until("[ -e /run/chronus/data ]");
    let sectors = |guest: &mut Guest, file: &str| -> u64 {
        guest.run(&format!("cat /sys/class/block/{file}")).parse().expect("a number of sectors")
    };
    let end = sectors(guest, "mmcblk0p7/start") + sectors(guest, "mmcblk0p7/size");
    Found {
        data: guest.run("cat /run/chronus/data"),
        kept: guest.attempt("cat /data/kept.toml || cat /data/lost+found/*").1,
        state: guest.attempt("systemctl is-system-running --wait").1,
        network: guest.run("ls /sys/class/net"),
        left_over: (sectors(guest, "mmcblk0/size") - end) * 512,
    }
}

fn repair() -> Found {
    let folder = Folder::new("box-repair");
    let (disk, kept) = (guest::copy_of_disk(&folder.file(".")), folder.file("kept.toml"));
    std::fs::write(&kept, "value = 7\n").expect("a file");
    change_data(&disk, &format!("write {} kept.toml", kept.display()));
    // Links that are not there, and a file system that knows of an error: it is looked through, and mended.
    change_data(&disk, "set_inode_field kept.toml links_count 5");
    change_data(&disk, "set_super_value state 2");
    let mut guest = Guest::start(&disk, &folder.file("."), &["--offline", "--no-sound"]);
    examine(&mut guest)
}

fn make_anew() -> Found {
    let folder = Folder::new("box-anew");
    let disk = guest::copy_of_disk(&folder.file("."));
    spoil(&disk, guest::data_at(), 32 << 20);
    // BOX, which is first on the card.
    spoil(&disk, 1 << 20, 1 << 20);
    let mut guest = Guest::start(&disk, &folder.file("."), &["--offline"]);
    let found = examine(&mut guest);
    guest.run("touch /data/presets/mine && sync");
    found
}

/// Where the engine keeps what was set.
const PATCH: &str = "/data/presets/last.toml";

/// Sets two values, which belong together, in one datagram.
fn set(guest: &Guest, number: u64) {
    let message = |address: &str, value: u64| {
        OscPacket::Message(OscMessage { addr: address.to_owned(), args: vec![OscType::Float(value as f32)] })
    };
    let content = vec![message("/mod/sine/freq", 1000 + number), message("/mod/filter/cutoff", 2000 + number)];
    guest.send_packet(&OscPacket::Bundle(OscBundle { timetag: OscTime { seconds: 0, fractional: 1 }, content }));
}

/// The number of the pair in the file; or what is wrong with it.
fn kept(text: &str) -> Result<u64, String> {
    let values = patch::parse(text)?;
    let (frequency, cutoff) = (values["sine.freq"] as u64, values["filter.cutoff"] as u64);
    if frequency + 1000 == cutoff { Ok(frequency - 1000) } else { Err(format!("{frequency} and {cutoff}")) }
}

/// Every second power cut is at any moment of a start; the others around the moment when the file is written.
fn cut_power() -> Cuts {
    let folder = Folder::new("box-cuts");
    let disk = guest::copy_of_disk(&folder.file("."));
    let (mut cuts, mut random) = (Cuts::default(), Random::new(11));
    // What may be in the file: the pair that was there, and those that were set since.
    let mut allowed = 0..=0;
    while cuts.count <= self::cuts() {
        // What is kept is kept without a sound card, too, and then the box starts in half the time.
        let mut guest = Guest::start(&disk, &folder.file("."), &["--no-sound"]);
        if cuts.count % 2 == 1 {
            // Up to three seconds of its own time after its agent is there: the engine is by then, too.
            guest.run(&format!("usleep {}", random.below(3_000_000)));
            let plays = guest.attempt("systemctl --quiet is-active chronus.service").0 == 0;
            cuts.while_starting += u64::from(!plays);
            guest.cut_power();
            cuts.count += 1;
            continue;
        }
        guest.wait_for_engine();
        // The engine is there before the network and before DATA.
        guest.status();
        guest.wait_until("[ -e /run/chronus/data ]");
        let state = guest.run("cat /run/chronus/data");
        if state != "ok" && state != "repaired" {
            cuts.wrong.push(format!("after {} cuts DATA is {state}", cuts.count));
        }
        if cuts.count > 0 {
            guest.wait_until("chronus status --all | grep -q 'patch.*kept'");
            // Something else is set: the file is written anew, with what the engine has for the pair.
            guest.send("/mod/filter/q", OscType::Float((1 + cuts.count % 19) as f32));
            guest.wait_until(&format!("grep -q '^q = {}' {PATCH}", 1 + cuts.count % 19));
            match kept(&guest.run(&format!("cat {PATCH}"))) {
                Ok(number) if allowed.contains(&number) => {}
                other => cuts.wrong.push(format!("after {} cuts {other:?}, not one of {allowed:?}", cuts.count)),
            }
        }
        let first = cuts.count * 10;
        set(&guest, first);
        guest.wait_until(&format!("grep -q '^freq = {}' {PATCH}", 1000 + first));
        // Nothing is promised of what was set in the last second; but it is one or the other, and whole.
        set(&guest, first + 1);
        guest.run(&format!("usleep {}", random.below(1_500_000)));
        guest.cut_power();
        allowed = first..=first + 1;
        cuts.count += 1;
    }
    cuts
}
