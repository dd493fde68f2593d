//! The card: its layout, and what the firmware and the kernel are told on it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chronus_tests::build::project;
use chronus_tests::card::Card;
use chronus_tests::engine::Folder;
use chronus_tests::script::{BOARDS, board, command, lines, there_is, told};
use chronus_tests::skipped;

const MB: u64 = 1 << 20;

/// The card of a board, made by the real make-card of stand-ins for what Buildroot makes. `None`: it cannot be made here.
fn card(board: &str) -> Option<Folder> {
    for (program, package) in
        [("genimage", "genimage"), ("mcopy", "mtools"), ("mkdosfs", "dosfstools"), ("mke2fs", "e2fsprogs")]
    {
        if !there_is(program) {
            skipped("card", &format!("no {program} here; as root: apt-get install {package}"));
            return None;
        }
    }
    let folder = Folder::new("card");
    std::fs::create_dir_all(folder.file("rpi-firmware/overlays")).expect("a folder");
    let files = ["rpi-firmware/start4.elf", "rpi-firmware/fixup4.dat", "rpi-firmware/overlays/hifiberry-dac.dtbo"];
    for file in files.iter().chain(&["Image", "bcm2711-rpi-4-b.dtb", "rootfs.squashfs"]) {
        // Each other than the rest, and no multiple of any block.
        std::fs::write(folder.file(file), file.repeat(5001)).expect("a stand-in");
    }
    std::fs::copy(project().join("board/rpi/config.txt"), folder.file("rpi-firmware/config.txt")).expect("config.txt");
    let output = command(project().join("board/common/make-card"))
        .arg(folder.file("."))
        .arg(board)
        .output()
        .expect("make-card starts");
    assert!(output.status.success(), "{}", told(&output));
    Some(folder)
}

fn image_of(folder: &Folder, board: &str) -> PathBuf {
    folder.file(if board == "vm" { "disk.img" } else { "sdcard.img" })
}

/// What is in a file on a FAT partition of an image.
fn file_on(image: &Path, start: u64, file: &str) -> Option<String> {
    let output =
        command("mtype").arg("-i").arg(format!("{}@@{start}", image.display())).arg(format!("::{file}")).output();
    let output = output.expect("mtype starts");
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn the_card_has_two_systems_a_partition_for_its_owner_and_one_for_data() {
    for name in BOARDS {
        let Some(folder) = card(name) else { return };
        let image = image_of(&folder, name);
        let card = Card::read(&image);
        let layout: Vec<_> = card
            .partitions
            .iter()
            .filter(|partition| partition.number != 4)
            .map(|partition| (partition.number, partition.kind, partition.size / MB, partition.label.as_str()))
            .collect();
        let expected = [
            (1, 0x0c, 64, "BOX"),
            (2, 0x0c, 64, "BOOT-A"),
            (3, 0x0c, 64, "BOOT-B"),
            (5, 0x83, 160, ""),
            (6, 0x83, 160, ""),
            (7, 0x83, 32, "DATA"),
        ];
        assert_eq!(layout, expected, "{name}");
        // Each begins where the one before has ended, and DATA is the last: it can grow.
        let mut ends = 0;
        for partition in card.partitions.iter().filter(|partition| partition.number != 4) {
            assert!(partition.start >= ends && partition.start % (4 * MB) == 0, "{name}: {partition:?}");
            ends = partition.start + partition.size;
        }
        let root = std::fs::read(folder.file("rootfs.squashfs")).expect("the stand-in");
        for number in [5, 6] {
            let partition = card.partitions.iter().find(|partition| partition.number == number).expect("a root");
            assert!(card.head(partition, root.len()) == root, "{name}: the root is in partition {number}");
        }
        for (boot, root) in [("BOOT-A", "05"), ("BOOT-B", "06")] {
            let start = card.labelled(boot).start;
            let words = file_on(&image, start, "cmdline.txt").expect("a command line");
            assert_eq!(words.matches('\n').count(), 1, "one line: {words:?}");
            assert!(words.starts_with(&format!("root=PARTUUID={:08x}-{root} ", card.signature)), "{name}: {words}");
            assert!(file_on(&image, start, "Image").is_some(), "{name} has a kernel on {boot}");
        }
        let own = card.labelled("BOX").start;
        for file in ["chronus.toml", "README.txt"] {
            assert_eq!(file_on(&image, own, file), Some(board(&format!("common/{file}"))), "{name}");
        }
        assert_eq!(file_on(&image, own, "autoboot.txt").is_some(), name != "vm");
    }
}

#[test]
fn the_firmware_finds_what_it_is_told_to_load() {
    let Some(folder) = card("rpi4") else { return };
    let image = image_of(&folder, "rpi4");
    let card = Card::read(&image);
    let config = board("rpi/config.txt");
    for boot in ["BOOT-A", "BOOT-B"] {
        let start = card.labelled(boot).start;
        for line in lines(&config) {
            let named = ["kernel=", "start_file=", "fixup_file=", "cmdline=", "include "];
            if let Some(file) = named.iter().find_map(|key| line.strip_prefix(key)) {
                assert!(file_on(&image, start, file).is_some(), "{boot} has {file}, which config.txt names");
            }
        }
        assert_eq!(file_on(&image, start, "config.txt"), Some(config.clone()));
        assert!(file_on(&image, start, "overlays/hifiberry-dac.dtbo").is_some(), "{boot} has the overlays");
    }
    // The firmware reads 512 bytes of this file, and starts from FAT only.
    let autoboot = board("rpi/autoboot.txt");
    assert!(autoboot.len() <= 512, "autoboot.txt has {} bytes", autoboot.len());
    let told: Vec<_> = lines(&autoboot).collect();
    assert_eq!(told, ["[all]", "tryboot_a_b=1", "boot_partition=2", "[tryboot]", "boot_partition=3"]);
    let boots = card.partitions.iter().filter(|partition| [2, 3].contains(&partition.number));
    assert_eq!(boots.map(|partition| partition.label.as_str()).collect::<Vec<_>>(), ["BOOT-A", "BOOT-B"]);
}

/// The keys of config.txt that we use, from the firmware's documentation: a key it does not know it passes over in silence.
const CONFIG_KEYS: [&str; 14] = [
    "arm_64bit",
    "boot_delay",
    "camera_auto_detect",
    "cmdline",
    "disable_splash",
    "display_auto_detect",
    "dtoverlay",
    "dtparam",
    "enable_uart",
    "fixup_file",
    "force_turbo",
    "include",
    "kernel",
    "start_file",
];

#[test]
fn config_txt_says_nothing_the_firmware_does_not_know() {
    let text = board("rpi/config.txt");
    for line in text.lines() {
        assert!(line.len() <= 98, "the firmware reads 98 characters of a line: {line}");
    }
    for line in lines(&text) {
        if line.starts_with('[') {
            assert!(["[all]", "[pi4]", "[pi5]"].contains(&line), "no such filter: {line}");
            continue;
        }
        let key = line.split(['=', ' ']).next().expect("a word");
        assert!(CONFIG_KEYS.contains(&key), "no such key: {line}");
    }
    for line in ["dtparam=audio=off", "dtoverlay=disable-wifi", "dtoverlay=disable-bt", "include hat.txt"] {
        assert!(lines(&text).any(|there| there == line), "{line}");
    }
}

/// The words of the command line that we use, of the kernel's and systemd's documentation.
const KERNEL_WORDS: [&str; 11] = [
    "console",
    "irqaffinity",
    "isolcpus",
    "nohz_full",
    "panic",
    "quiet",
    "rcu_nocbs",
    "ro",
    "rootfstype",
    "rootwait",
    "systemd.getty_auto",
];

#[test]
fn the_kernel_is_told_to_leave_three_cores_to_the_engine() {
    let common = board("common/cmdline.txt");
    for name in BOARDS {
        let own = board(&format!("{name}/cmdline.txt"));
        let words: Vec<_> = lines(&common).chain(lines(&own)).collect();
        for word in &words {
            let key = word.split('=').next().expect("a word");
            assert!(KERNEL_WORDS.contains(&key) && !word.contains(' '), "{name}: no such word: {word}");
        }
        let keys: BTreeSet<_> = words.iter().map(|word| word.split('=').next()).collect();
        assert_eq!(keys.len(), words.len(), "{name}: each word once: {words:?}");
        for word in ["isolcpus=domain,managed_irq,1-3", "nohz_full=1-3", "rcu_nocbs=1-3", "irqaffinity=0"] {
            assert!(words.contains(&word), "{name}: {word}");
        }
    }
    // All that is not the engine is where the kernel's interrupts are.
    assert!(board("overlay/etc/systemd/system.conf.d/chronus.conf").lines().any(|line| line == "CPUAffinity=0"));
}
