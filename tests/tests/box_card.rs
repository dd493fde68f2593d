//! The SD card of a box that was badly treated: damaged, overwritten, and the power pulled. Boots in a virtual machine
//! as in `box`.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

use chronus_tests::engine::Folder;
use chronus_tests::guest::{self, Guest};
use chronus_tests::random::Random;

/// Overwrites a part of a disk with what means nothing.
fn spoil(disk: &Path, at: u64, length: usize) {
    let mut random = Random::new(at);
    let noise: Vec<u8> = (0..length).map(|_| random.below(256) as u8).collect();
    File::options().write(true).open(disk).and_then(|disk| disk.write_all_at(&noise, at)).expect("the disk is written");
}

/// Writes a file into the root folder of DATA, without mounting it.
fn put_on_data(disk: &Path, file: &Path, name: &str) {
    let data = format!("{}?offset={}", disk.display(), guest::data_at());
    let request = format!("write {} {name}", file.display());
    let output = Command::new("debugfs").args(["-w", "-R", &request, &data]).output().expect("debugfs of e2fsprogs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_box_without_network_repairs_data_and_loses_nothing() {
    if guest::root().is_none() {
        return;
    }
    let folder = Folder::new("box-repair");
    let (disk, kept) = (guest::copy_of_disk(&folder.file(".")), folder.file("kept.toml"));
    std::fs::write(&kept, "value = 7\n").expect("a file");
    put_on_data(&disk, &kept, "kept.toml");
    // The first superblock, the group descriptors and with them the label: the copies in other groups are left.
    spoil(&disk, guest::data_at(), 64 << 10);
    let mut guest = Guest::start(&disk, &folder.file("."), &["--offline"]);
    guest.wait_for_engine();
    guest.wait_until("[ -e /run/chronus/data ]");
    assert_eq!(guest.run("cat /run/chronus/data"), "repaired", "{}", guest.run("cat /run/chronus/data.log"));
    let kept = guest.run("cat /data/kept.toml || cat /data/lost+found/*");
    assert_eq!(kept, "value = 7");
    let (_, state) = guest.attempt("systemctl is-system-running --wait");
    assert_eq!(state, "running", "{}", guest.run("systemctl list-units --failed --plain --no-legend --no-pager"));
    assert!(guest.run("ls /sys/class/net").lines().all(|name| name == "lo"), "it was to have no network");
}

#[test]
fn a_box_whose_own_partitions_are_rubbish_plays_and_makes_data_anew() {
    if guest::root().is_none() {
        return;
    }
    let folder = Folder::new("box-anew");
    let disk = guest::copy_of_disk(&folder.file("."));
    let data = guest::data_at();
    spoil(&disk, data, 64 << 20);
    // BOX, which is first on the card.
    spoil(&disk, 1 << 20, 1 << 20);
    let mut guest = Guest::start(&disk, &folder.file("."), &["--offline"]);
    guest.wait_for_engine();
    guest.wait_until("[ -e /run/chronus/data ]");
    assert_eq!(guest.run("cat /run/chronus/data"), "anew");
    guest.run("touch /data/presets/mine && sync");
    // To the end of the card.
    let size: u64 = guest.run("cat /sys/class/block/mmcblk0p7/size").parse().expect("sectors");
    assert!(data + size * 512 + (8 << 20) >= guest.run("cat /sys/class/block/mmcblk0/size").parse::<u64>().expect("sectors") * 512);
    let settings = guest.run("cat /run/chronus/status.txt");
    println!("without BOX: {settings}");
}
