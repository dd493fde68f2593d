//! The DATA partition (`usr/lib/chronus/data`): which one it is, when it is made anew, and what comes back then.

use chronus_tests::made_up_box::MadeUpBox;
use chronus_tests::random::Random;
use chronus_tests::script::told;

/// Mebibytes of DATA.
const SIZE: u64 = 32;

/// A box with a new DATA on partition 7 of its card, the device of which is told, and in it a preset, a host key, a
/// recording and a picture.
fn with_data() -> Option<(MadeUpBox, String)> {
    let mut made_up = MadeUpBox::new("data")?;
    let device = made_up.device(SIZE)?;
    made_up.is_on_the_roots_disk(&device, 7);
    let told = ran(
        &made_up,
        &format!(
            "mkfs.ext4 -q -F -L DATA -b 4096 /dev/{device} && mount /dev/{device} /data && cd /data &&
             mkdir -p presets box/dropbear recordings && echo 'value = 7' >presets/last.toml &&
             echo key >box/dropbear/key && echo note >note.txt && echo made"
        ),
    );
    assert!(told.ends_with("made\n"), "{told}");
    Some((made_up, device))
}

/// What running this has told.
fn ran(made_up: &MadeUpBox, words: &str) -> String {
    told(&made_up.run(words))
}

/// Starts it, then says in a line each: its word, and what of DATA is there.
fn started(made_up: &MadeUpBox) -> String {
    ran(
        made_up,
        "/chronus/data start; echo word=$(cat /run/chronus/data); cd /data && find . -type f -not -path './lost*' | sort",
    )
}

/// Has e2fsck end so: at its first run, and at its second.
fn e2fsck_ends(made_up: &MadeUpBox, first: u32, second: u32) {
    made_up.stand_in(
        "e2fsck",
        &format!("case $1 in -p) exit {first} ;; *) [ {second} -ne 137 ] || kill -9 $$; exit {second} ;; esac"),
    );
}

/// Notes each call of mkfs.ext4 before doing it.
fn note_mkfs(made_up: &MadeUpBox) {
    made_up.stand_in("mkfs.ext4", "echo \"made anew: $*\"\nexec \"$(real mkfs.ext4)\" \"$@\"");
}

const KEPT: &str = "./box/dropbear/key\n./note.txt\n./presets/last.toml\n";

#[test]
fn only_what_e2fsck_could_not_repair_is_made_anew() {
    let Some((made_up, _)) = with_data() else { return };
    note_mkfs(&made_up);
    for (first, second, word) in [
        (0, 0, "ok"),
        (1, 0, "repaired"),
        (4, 1, "repaired"),
        (4, 0, "repaired"),
        // In use, or no memory, or cannot be opened: with a superblock that is well.
        (8, 8, "failed"),
        (4, 12, "failed"),
        (4, 127, "failed"),
        (4, 137, "failed"),
        (4, 16, "failed"),
        (4, 32, "failed"),
    ] {
        e2fsck_ends(&made_up, first, second);
        let told = started(&made_up);
        assert!(!told.contains("made anew:"), "{first}, {second}: {told}");
        assert!(told.contains(&format!("word={word}\n")), "{first}, {second}: {told}");
        // Nothing was touched.
        made_up.stand_in("e2fsck", "exit 0");
        assert!(started(&made_up).ends_with(KEPT), "{first}, {second}");
    }
    // What was repaired is looked at again, until nothing is wrong.
    made_up.stand_in("e2fsck", "[ $1 != -p ] || exit 4\necho x >>/run/looks\n[ $(wc -l </run/looks) -ge 3 ] || exit 1");
    assert!(started(&made_up).contains("word=repaired\n"));
    assert_eq!(std::fs::read_to_string(made_up.path("run/looks")).unwrap(), "x\nx\nx\n");
    e2fsck_ends(&made_up, 4, 4);
    let told = started(&made_up);
    assert!(told.contains("made anew:") && told.contains("word=anew\n"), "{told}");
}

#[test]
fn rubbish_is_made_anew_and_a_card_that_cannot_be_read_is_not() {
    let Some((made_up, device)) = with_data() else { return };
    note_mkfs(&made_up);
    assert!(ran(&made_up, &format!("dd if=/dev/urandom of=/dev/{device} bs=1M 2>&1")).contains("No space left"));
    // What dd reads of the device cannot be read.
    made_up.stand_in("dd", "exit 1");
    let told = started(&made_up);
    assert!(!told.contains("made anew:") && told.contains("word=failed\n"), "{told}");
    std::fs::remove_file(made_up.path("stand-ins/dd")).unwrap();
    let told = started(&made_up);
    assert!(told.contains("made anew:") && told.contains("word=anew\n"), "{told}");
    let told = started(&made_up);
    assert!(told.contains("word=ok\n"), "{told}");
}

#[test]
fn data_is_partition_7_of_the_roots_disk_whatever_its_label() {
    let Some((mut made_up, device)) = with_data() else { return };
    note_mkfs(&made_up);
    // Somebody's stick of the same name, with a file system that is none of ours.
    let Some(stick) = made_up.device(4) else { return };
    let text = b"somebody's photographs";
    std::fs::create_dir_all(made_up.path("made-up-dev/disk/by-label")).unwrap();
    std::os::unix::fs::symlink(format!("/dev/{stick}"), made_up.path("made-up-dev/disk/by-label/DATA")).unwrap();
    ran(&made_up, &format!("echo \"{}\" >/dev/{stick}", String::from_utf8_lossy(text)));
    let told = started(&made_up);
    assert!(told.contains("word=ok\n") && told.ends_with(KEPT), "{told}");
    // No partition 7 on that disk, or a root that lies on none: there is no DATA.
    made_up.write(&format!("sys/devices/card/{device}/partition"), "6\n");
    made_up.stand_in("sleep", "exit 0");
    assert!(started(&made_up).contains("word=absent\n"));
    made_up.write(&format!("sys/devices/card/{device}/partition"), "7\n");
    std::fs::remove_file(made_up.path("sys/devices/card/card5/partition")).unwrap();
    assert!(started(&made_up).contains("word=absent\n"));
    assert!(ran(&made_up, &format!("head -c 64 /dev/{stick}")).starts_with(std::str::from_utf8(text).unwrap()));
}

#[test]
fn what_was_set_and_who_the_box_is_come_back_to_their_places() {
    let Some((made_up, device)) = with_data() else { return };
    e2fsck_ends(&made_up, 4, 4);
    let told = started(&made_up);
    assert!(told.ends_with("word=anew\n./box/dropbear/key\n./presets/last.toml\n./set-aside/note.txt\n"), "{told}");
    assert!(ran(&made_up, &format!("mount /dev/{device} /data && cat /data/presets/last.toml")).contains("value = 7"));
    assert!(!made_up.path("run/chronus/rescue").exists());
    // What cannot be put back is not thrown away.
    made_up.stand_in("cp", "case $1 in -pr) exit 1 ;; *) exec \"$(real cp)\" \"$@\" ;; esac");
    let told = started(&made_up);
    assert!(told.contains("could not be put back") && told.contains("word=anew\n"), "{told}");
    assert_eq!(std::fs::read_to_string(made_up.path("run/chronus/rescue/presets/last.toml")).unwrap(), "value = 7\n");
}

#[test]
fn data_in_use_is_neither_looked_at_nor_unmounted() {
    let Some((made_up, _)) = with_data() else { return };
    made_up.stand_in("e2fsck", "echo \"looked at: $*\"\nexec \"$(real e2fsck)\" \"$@\"");
    note_mkfs(&made_up);
    let told = ran(
        &made_up,
        "/chronus/data start; (cd /data/presets && /chronus/data stop; echo stop=$?); /chronus/data start; echo again=$?
         cat /run/chronus/data /data/presets/last.toml; /chronus/data stop; echo stop=$?; /chronus/data stop; echo stop=$?",
    );
    assert_eq!(told.matches("looked at:").count(), 1, "{told}");
    let lines: Vec<_> = told
        .lines()
        .filter(|line| ["stop=", "again=", "ok", "value"].iter().any(|word| line.starts_with(word)))
        .collect();
    assert!(lines[0].starts_with("stop=") && lines[0] != "stop=0", "{told}");
    assert_eq!(lines[1..], ["again=0", "ok", "value = 7", "stop=0", "stop=0"], "{told}");
}

#[test]
fn a_link_in_the_place_of_a_folder_leads_nowhere() {
    let Some((made_up, device)) = with_data() else { return };
    // Who is given something is told.
    made_up.stand_in("chown", "for given; do :; done; echo \"given: $* $(readlink -f \"$3\")\"");
    let told = ran(
        &made_up,
        &format!(
            "mount /dev/{device} /data && cd /data && mkdir /run/elsewhere && rm -r presets && ln -s /run/elsewhere presets &&
             rmdir recordings && echo text >recordings && mv box /run/box && ln -s /run/box box && umount -l /data; cd /
             /chronus/data start; ls -ld /data/* | cut -c 1; ls /data; cat /data/recordings.aside; ls /run/box /run/elsewhere"
        ),
    );
    assert!(told.contains("given: chronus:chronus /data/presets /data/recordings /data/recordings\n"), "{told}");
    for name in ["presets", "recordings", "box"] {
        assert!(
            told.contains(&format!("{name} on DATA is no folder")) && told.contains(&format!("\n{name}.aside\n")),
            "{told}"
        );
    }
    // What they led to is as it was, and what was in the place of a folder is still there.
    assert!(told.contains("\ntext\n") && told.contains("/run/box:\ndropbear\n"), "{told}");
    assert!(told.ends_with("/run/elsewhere:\n"), "{told}");
    assert!(ran(&made_up, "/chronus/data start; ls /data").contains("\npresets\npresets.aside\n"));
}

#[test]
fn names_that_no_preset_has_are_saved_and_lead_nowhere() {
    let Some((made_up, device)) = with_data() else { return };
    e2fsck_ends(&made_up, 4, 4);
    // A name of two lines, of which the second would lead out of the folder, and one that ends in a space.
    let told = ran(
        &made_up,
        &format!(
            "mount /dev/{device} /data && mkdir \"$(printf '/data/a\\n..')\" && echo two >\"$(printf '/data/a\\n../outside')\" &&
             echo space >'/data/presets/two words ' && umount /data; echo outside >/outside; /chronus/data start
             cat '/data/presets/two words '; ls /run/chronus"
        ),
    );
    assert!(told.contains("\nspace\n") && !told.contains("outside"), "{told}");
}

/// Rounds of random damage; each takes a second, and more where other things go on.
const ROUNDS: u64 = 20;

/// Blocks of 4 KB from the beginning among which the damage is: two groups with descriptors, bitmaps, inodes, folders.
const DAMAGED: u64 = 4096;

/// Of so many places that are damaged one is where descriptors, bitmaps and inodes are, which is a small part of all.
const OFTEN: u64 = 3;

#[test]
fn whatever_of_data_is_damaged_there_is_one_to_write_to_afterwards() {
    let mut words = std::collections::BTreeMap::new();
    let Some((made_up, device)) = with_data() else { return };
    // In blocks of 1 KB so small a file system has several groups, and copies of its superblock, as a card has. One that
    // knows of no error, and was not in use, is not looked through: that would take long on a large card. This one does.
    let sound = ran(
        &made_up,
        &format!(
            "mkfs.ext4 -q -F -L DATA -b 1024 /dev/{device} && mount /dev/{device} /data && mkdir -p /data/presets /data/box &&
             echo 'value = 7' >/data/presets/last.toml && for file in $(seq 200); do echo x >/data/box/$file; done &&
             umount /data && tune2fs -E force_fsck /dev/{device} >/dev/null && dd if=/dev/{device} of=/run/sound bs=1M status=none && echo kept"
        ),
    );
    assert_eq!(sound, "kept\n");
    for round in 0..ROUNDS {
        let mut random = Random::new(round);
        // With what means nothing, zeros, or what lay elsewhere.
        let damage: Vec<String> = (0..=random.below(12))
            .map(|_| {
                let often = random.below(OFTEN) == 0;
                let place = random.below(if often { DAMAGED / 16 } else { DAMAGED });
                let from = match random.below(3) {
                    0 => "/dev/zero".to_owned(),
                    1 => "/dev/urandom".to_owned(),
                    _ => format!("/run/sound skip={}", random.below(DAMAGED)),
                };
                format!("dd if={from} of=/dev/{device} bs=4096 count=1 seek={place} conv=notrunc status=none")
            })
            .collect();
        let words_of_it = "echo word=$(cat /run/chronus/data); grep -q 7 /data/presets/last.toml && echo preset;
            echo value = 7 >/data/presets/last.toml && sync && umount /data; e2fsck -f -n $device >/run/last 2>&1 && echo sound";
        let told = ran(
            &made_up,
            &format!(
                "device=/dev/{device}; dd if=/run/sound of=$device bs=1M status=none; {}; sync; /chronus/data start; {words_of_it}
                 /chronus/data start; {words_of_it}",
                damage.join("; ")
            ),
        );
        let found: Vec<_> = told.lines().filter_map(|line| line.strip_prefix("word=")).collect();
        assert!(found.len() == 2 && ["ok", "repaired", "anew"].contains(&found[0]), "{round}: {told}");
        assert!(found[1] == "ok" && !told.contains("annot"), "{round}: {told}");
        assert_eq!(told.matches("sound\n").count(), 2, "{round}: {told}");
        // In one round of many the damage is in that file's own block, which nobody can know.
        let kept = told.matches("preset\n").count();
        assert!(kept >= 1, "{round}: {told}");
        *words.entry(format!("{}, preset {}", found[0], if kept == 2 { "there" } else { "lost" })).or_insert(0) += 1;
    }
    println!("{words:?}");
    assert!(words.keys().any(|word| word.starts_with("repaired")), "{words:?}");
}
