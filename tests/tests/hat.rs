//! The sound card on the pins, as the firmware is told of it (`usr/lib/chronus/hat`): the box starts once more for a
//! new one, and never again and again.

use chronus_tests::made_up_box::MadeUpBox;
use chronus_tests::script::told;

const WANTED: &str = "dtoverlay=\ndtoverlay=hifiberry-dac\n";

/// A box whose partition 2 has an empty hat.txt, the device of which is told.
fn with_boot_partition() -> Option<(MadeUpBox, String)> {
    let mut made_up = MadeUpBox::new("hat")?;
    let device = made_up.device(8)?;
    made_up.is_on_the_roots_disk(&device, 2);
    made_up.fat_is_ext4();
    made_up.stand_in("systemctl", "echo \"systemctl $*\"");
    let told = told(&made_up.run(&format!(
        "mkfs.ext4 -q -F /dev/{device} && mount /dev/{device} /data && : >/data/hat.txt && umount /data && echo made"
    )));
    assert!(told.ends_with("made\n"), "{told}");
    made_up.write("run/chronus/hat", WANTED);
    Some((made_up, device))
}

/// Starts it; gives what it said, and hat.txt then.
fn started(made_up: &MadeUpBox, device: &str) -> (String, String) {
    let said = told(&made_up.run("/chronus/hat; echo status=$?"));
    let kept = made_up.run(&format!("mount -o ro /dev/{device} /data && cat /data/hat.txt"));
    (said, told(&kept))
}

#[test]
fn a_new_card_starts_the_box_once_more_and_only_once() {
    let Some((made_up, device)) = with_boot_partition() else { return };
    let (said, kept) = started(&made_up, &device);
    assert!(said.contains("systemctl reboot\nstatus=0") && kept == WANTED, "{said} {kept}");
    let (said, _) = started(&made_up, &device);
    assert_eq!(said, "status=0\n");
    // It is gone, but not the note: tried once.
    made_up.run(&format!("mount /dev/{device} /data && : >/data/hat.txt && umount /data"));
    let (said, kept) = started(&made_up, &device);
    assert!(said.contains("is not there") && !said.contains("reboot") && kept.is_empty(), "{said}");
    // Another one is tried.
    made_up.write("run/chronus/hat", "dtoverlay=\n");
    let (said, kept) = started(&made_up, &device);
    assert!(said.contains("systemctl reboot") && kept == "dtoverlay=\n", "{said}");
}

#[test]
fn a_partition_that_does_not_keep_what_is_written_never_starts_the_box_again() {
    let Some((made_up, device)) = with_boot_partition() else { return };
    assert!(made_up.run(&format!("cat /dev/{device} >/before")).status.success());
    // What is written is there until this system's memory of the card is given up.
    made_up.stand_in("blockdev", "cat /before >\"$2\"; exec \"$(real blockdev)\" \"$@\"");
    for _ in 0..2 {
        let (said, kept) = started(&made_up, &device);
        assert!(said.contains("does not keep") && !said.contains("reboot") && kept.is_empty(), "{said}");
    }
}
