//! What is made of the card at a start (`usr/lib/chronus/configure`).

use chronus_tests::made_up_box::MadeUpBox;
use chronus_tests::script::told;

/// A box with BOX on the first partition of its card, the device of which is told. In place of `chronus` is a stand-in that writes which file it was given;
/// it reads as the test says.
fn with_box(reading: &str) -> Option<(MadeUpBox, String)> {
    let mut made_up = MadeUpBox::new("configure")?;
    let device = made_up.device(8)?;
    made_up.is_on_the_roots_disk(&device, 1);
    made_up.fat_is_ext4();
    made_up.stand_in(
        "chronus",
        &format!("[ $2 = /dev/null ] || {{ {reading}; }}\necho of $2 >$4/engine.toml\necho read $2 >$4/status.txt"),
    );
    made_up.stand_in("systemctl", "cat /result");
    let made =
        format!("mkfs.ext4 -q -F /dev/{device} && mount /dev/{device} /box && echo x >/box/chronus.toml && echo made");
    let told = told(&made_up.run(&made));
    assert!(told.ends_with("made\n"), "{told}");
    Some((made_up, device))
}

/// What running this has told; BOX is not mounted before.
fn ran(made_up: &MadeUpBox, words: &str) -> String {
    told(&made_up.run(words))
}

const FILES: &str =
    "cat /run/chronus/engine.toml /box/chronus-status.txt; grep -q ' /box .* ro,' /proc/mounts && echo closed";

#[test]
fn there_are_defaults_before_the_card_is_read() {
    let Some((made_up, _)) = with_box("kill -9 $PPID; sleep 1; exit 1") else { return };
    let told = ran(&made_up, "/chronus/configure; cat /run/chronus/engine.toml");
    assert!(told.starts_with("of /dev/null\n"), "{told}");
}

#[test]
fn what_was_found_is_written_and_where_it_cannot_be_that_is_told() {
    let Some((made_up, device)) = with_box(":") else { return };
    let told = ran(&made_up, &format!("/chronus/configure; {FILES}"));
    assert_eq!(told, "of /box/chronus.toml\nread /box/chronus.toml\nclosed\n");
    // The partition is full.
    made_up.stand_in("cp", "echo half >\"$2\"; exit 1");
    let told = ran(
        &made_up,
        &format!(
            "mount /dev/{device} /box; echo old >/box/chronus-status.txt; mount -o remount,ro /box; /chronus/configure; {FILES}; ls /box"
        ),
    );
    assert!(
        told.contains("could not be written: is the BOX partition full") && told.contains("old\nclosed\n"),
        "{told}"
    );
    assert!(!told.contains(".new"), "{told}");
    std::fs::remove_file(made_up.path("stand-ins/cp")).unwrap();
    // A folder in its place, as damage may have it: nothing is put into that.
    let told = ran(
        &made_up,
        &format!(
            "mount /dev/{device} /box; rm /box/chronus-status.txt; mkdir /box/chronus-status.txt; /chronus/configure; ls /box/*; {FILES}"
        ),
    );
    assert!(told.contains("could not be written") && told.contains("/box/chronus-status.txt:\n"), "{told}");
    assert!(told.contains("of /box/chronus.toml\n") && told.contains("closed\n") && !told.contains(".new"), "{told}");
    ran(&made_up, &format!("mount /dev/{device} /box; rmdir /box/chronus-status.txt"));
    // The card's lock is closed: what the file says holds all the same.
    ran(&made_up, &format!("blockdev --setro /dev/{device}"));
    let told = ran(&made_up, "/chronus/configure; cat /run/chronus/engine.toml; ls /box");
    assert!(told.contains("/box could not be written to: the BOX partition cannot be made writable"), "{told}");
    assert!(told.contains("of /box/chronus.toml\n") && !told.contains("status"), "{told}");
    ran(&made_up, &format!("blockdev --setrw /dev/{device}"));
    // It stays writable.
    made_up.stand_in("mount", "case $2 in remount,ro) exit 1 ;; esac\nexec \"$(real mount)\" \"$@\"");
    let mounted = format!("mount /dev/{device} /box; echo old >/box/chronus-status.txt");
    assert!(ran(&made_up, &format!("{mounted}; /chronus/configure")).contains("stays writable"));
}

#[test]
fn an_engine_that_ended_again_and_again_costs_its_settings_for_one_start() {
    let Some((made_up, device)) = with_box(":") else { return };
    for (result, first) in [("success", "of /box/chronus.toml"), ("start-limit-hit", "of /dev/null")] {
        made_up.write("result", &format!("{result}\n"));
        let stop = format!("mount -o ro /dev/{device} /box; /chronus/configure stop; umount /box");
        let told = ran(&made_up, &format!("{stop}; /chronus/configure; {FILES}"));
        let lines: Vec<_> = told.lines().filter(|line| !line.starts_with("<4>")).collect();
        assert_eq!((lines[0], lines.last()), (first, Some(&"closed")), "{told}");
        assert_eq!(told.contains("with defaults for [engine]"), result != "success", "{told}");
        assert!(told.contains("read /box/chronus.toml"), "{told}");
    }
    // The next start is one with what the file says.
    let told = ran(&made_up, &format!("/chronus/configure; {FILES}; ls /box"));
    assert!(told.starts_with("of /box/chronus.toml\nread /box/chronus.toml\nclosed\n"), "{told}");
    assert!(!told.contains("gave-up"), "{told}");
}

#[test]
fn box_is_the_first_partition_of_the_own_card_and_a_card_without_one_plays() {
    let Some((mut made_up, _)) = with_box(":") else { return };
    let words = "/chronus/configure; cat /run/chronus/engine.toml";
    let told = ran(&made_up, words);
    assert_eq!(told, "of /box/chronus.toml\n");
    // There is a partition, and what is on it is no file system.
    let Some(rubbish) = made_up.device(8) else { return };
    std::fs::remove_dir_all(made_up.path("sys")).unwrap();
    made_up.is_on_the_roots_disk(&rubbish, 1);
    let told = ran(&made_up, words);
    assert!(told.contains("BOX cannot be read: the settings are the defaults."), "{told}");
    std::fs::remove_dir_all(made_up.path("sys")).unwrap();
    made_up.is_on_the_roots_disk(&rubbish, 7);
    let told = ran(&made_up, words);
    assert!(told.contains("the card has no BOX partition; the settings are the defaults"), "{told}");
}
