//! `scripts/flash`: what it writes, and above all what it refuses to write. The card is a loop device that a stand-in for
//! `lsblk` calls removable.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};

use chronus_tests::build::project;
use chronus_tests::engine::Folder;
use chronus_tests::skipped;

/// Bytes of the card, and of the image: not a whole number of the pieces that are written at a time.
const CARD: usize = 40 << 20;
const IMAGE: usize = (35 << 20) + 512;

/// A card in a reader, and a folder for the test.
struct Card {
    folder: Folder,
    device: String,
}

impl Card {
    /// `None` where this machine lacks something, said as such.
    fn new() -> Option<Self> {
        for program in ["losetup", "mformat", "lsblk", "xz"] {
            if !found(program) {
                skipped(
                    "flash",
                    &format!("{program} is not installed; as root: apt-get install mtools mount xz-utils"),
                );
                return None;
            }
        }
        let folder = Folder::new("flash");
        std::fs::write(folder.file("card"), vec![0xA5; CARD]).unwrap();
        let output = Command::new("losetup").args(["--find", "--show"]).arg(folder.file("card")).output().unwrap();
        if !output.status.success() {
            skipped("flash", "there are no loop devices for this user; run as root, with the module loop");
            return None;
        }
        let device = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        let card = Self { folder, device };
        card.say_it_is("RM=\"1\" HOTPLUG=\"1\" RO=\"0\"", "");
        Some(card)
    }

    /// What the stand-in for lsblk says of the card, and where it is mounted.
    fn say_it_is(&self, traits: &str, mounts: &str) {
        let line = format!(
            "NAME=\"{}\" TYPE=\"disk\" {traits} SIZE=\"{CARD}\" TRAN=\"usb\" MODEL=\"Card of the test\"",
            self.device
        );
        let program =
            format!("#!/bin/sh\ncase $* in *MOUNTPOINTS*) printf '%b' '{mounts}' ;; *) echo '{line}' ;; esac\n");
        self.stand_in("lsblk", &program);
    }

    fn stand_in(&self, name: &str, text: &str) {
        let path = self.folder.file(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// An image with a first partition that holds a file.
    fn image(&self) -> PathBuf {
        let path = self.folder.file("sdcard.img");
        let mut bytes: Vec<u8> = (0..IMAGE).map(|index| ((index * 7919) >> 8) as u8).collect();
        // Partition 1 begins at sector 2048.
        bytes[454..458].copy_from_slice(&2048_u32.to_le_bytes());
        bytes[510..512].copy_from_slice(&[0x55, 0xAA]);
        std::fs::write(&path, bytes).unwrap();
        let place = format!("{}@@{}", path.display(), 2048 * 512);
        let done = Command::new("mformat").args(["-i", &place, "-T", "16384", "-h", "16", "-s", "32", "::"]).output();
        assert!(done.unwrap().status.success());
        path
    }

    fn flash(&self, arguments: &[&str]) -> Output {
        let path = format!("{}:{}", self.folder.file("").display(), std::env::var("PATH").unwrap());
        let mut command = Command::new(project().join("scripts/flash"));
        command.args(arguments).env("PATH", path).stdin(std::process::Stdio::null()).output().unwrap()
    }

    fn content(&self) -> Vec<u8> {
        std::fs::read(self.folder.file("card")).unwrap()
    }

    fn untouched(&self) -> bool {
        self.content().iter().all(|byte| *byte == 0xA5)
    }

    /// That it is refused, for this reason, and nothing is written.
    fn refuses(&self, arguments: &[&str], reason: &str) {
        let output = self.flash(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && said.contains(reason), "not '{reason}': {said}");
        assert!(self.untouched(), "{said}");
    }
}

impl Drop for Card {
    fn drop(&mut self) {
        let _ = Command::new("losetup").args(["--detach", &self.device]).output();
    }
}

fn found(program: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':').any(|folder| std::path::Path::new(folder).join(program).exists())
}

#[test]
fn an_image_is_written_as_it_is_packed_or_not_and_read_back() {
    let Some(card) = Card::new() else { return };
    let image = card.image();
    let bytes = std::fs::read(&image).unwrap();
    let packed = card.folder.file("sdcard.img.xz");
    let output = Command::new("xz").arg("-0kc").arg(&image).output().unwrap();
    std::fs::write(&packed, output.stdout).unwrap();
    for image in [&image, &packed] {
        std::fs::write(card.folder.file("card"), vec![0xA5; CARD]).unwrap();
        let output = card.flash(&[image.to_str().unwrap(), "--device", &card.device, "--yes"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let content = card.content();
        assert!(content[..IMAGE] == bytes && content[IMAGE..].iter().all(|byte| *byte == 0xA5), "{said}");
    }
}

#[test]
fn the_persons_configuration_is_on_the_card() {
    let Some(card) = Card::new() else { return };
    let (image, configuration) = (card.image(), card.folder.file("mine.toml"));
    std::fs::write(&configuration, "schema = 1\n").unwrap();
    let arguments = [image.to_str().unwrap(), "--device", &card.device, "--yes", "--boot-config"];
    let output = card.flash(&[&arguments[..], &[configuration.to_str().unwrap()]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let place = format!("{}@@{}", card.folder.file("card").display(), 2048 * 512);
    let output = Command::new("mcopy").args(["-i", &place, "::chronus.toml", "-"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "schema = 1\n");
}

#[test]
fn what_is_no_card_or_in_use_or_not_asked_about_is_never_written() {
    let Some(card) = Card::new() else { return };
    let image = card.image();
    let image = image.to_str().unwrap();
    let arguments = [image, "--device", &card.device, "--yes"];
    for (traits, mounts, reason) in [
        ("RM=\"0\" HOTPLUG=\"0\" RO=\"0\"", "", "it is built in"),
        ("RM=\"1\" HOTPLUG=\"1\" RO=\"0\"", "/boot/efi\\n", "this system runs from it"),
        ("RM=\"1\" HOTPLUG=\"1\" RO=\"0\"", "/\\n/home\\n", "this system runs from it"),
        ("RM=\"1\" HOTPLUG=\"1\" RO=\"0\"", "[SWAP]\\n", "this system runs from it"),
        ("RM=\"1\" HOTPLUG=\"1\" RO=\"0\"", "/media/BOX\\n", "it is in use at /media/BOX"),
        ("RM=\"1\" HOTPLUG=\"1\" RO=\"1\"", "", "write-protected"),
    ] {
        card.say_it_is(traits, mounts);
        card.refuses(&arguments, reason);
    }
    card.say_it_is("RM=\"1\" HOTPLUG=\"1\" RO=\"0\"", "");
    card.refuses(&[image, "--device", &card.device], "nobody is there to be asked");
    card.refuses(&[image], "which card?");
    card.refuses(&[image, "--device", "/dev/null", "--yes"], "is no disk");
    card.refuses(&["nowhere.img", "--device", &card.device, "--yes"], "there is no file");
    // What is no file is said to be what it is, with what is wanted instead.
    let folder = card.folder.file(".");
    card.refuses(&[folder.to_str().unwrap(), "--device", &card.device, "--yes"], "is a folder; a file is wanted");
    card.refuses(&[folder.to_str().unwrap(), "--device", &card.device, "--yes"], "./sdcard.img\n");
    card.refuses(&["/etc"], "is a folder; a file is wanted, such as sdcard.img");
    card.refuses(&[&card.device], "the image comes first, the card behind --device");
    card.refuses(&["/dev/null", "--device", &card.device, "--yes"], "is a pipe or a device");
    card.refuses(&[image, "--device", &card.device, "--yes", "--boot-config", "/etc"], "such as chronus.toml");
    let text = project().join("Cargo.toml");
    card.refuses(&[text.to_str().unwrap(), "--device", &card.device, "--yes"], "is no image of a disk");
    // Larger than the card.
    let large = card.folder.file("large.img");
    std::fs::copy(image, &large).unwrap();
    std::fs::OpenOptions::new().write(true).open(&large).unwrap().set_len(CARD as u64 + 512).unwrap();
    card.refuses(&[large.to_str().unwrap(), "--device", &card.device, "--yes"], "too small");
}

#[test]
fn a_card_of_which_it_cannot_be_told_whether_it_is_in_use_is_never_written() {
    let Some(card) = Card::new() else { return };
    let image = card.image();
    let arguments = [image.to_str().unwrap(), "--device", &card.device, "--yes"];
    let program = std::fs::read_to_string(card.folder.file("lsblk")).unwrap();
    // An older lsblk, which does not know where all is mounted, but where something is.
    let one = "*MOUNTPOINTS*) exit 1 ;; *MOUNTPOINT*) echo /media/BOX";
    let knows_nothing = program.replace("*MOUNTPOINTS*) printf '%b' ''", "*MOUNTPOINT*) exit 1");
    assert_ne!(knows_nothing, program);
    card.stand_in("lsblk", &knows_nothing);
    card.refuses(&arguments, "cannot be told");
    card.stand_in("lsblk", &program.replace("*MOUNTPOINTS*) printf '%b' ''", one));
    card.refuses(&arguments, "it is in use at /media/BOX");
}

#[test]
fn what_is_soldered_to_the_board_is_no_card() {
    let folder = Folder::new("soldered");
    let line = |name: &str| {
        format!("NAME=\"/dev/{name}\" TYPE=\"disk\" RM=\"0\" HOTPLUG=\"0\" RO=\"0\" SIZE=\"9\" TRAN=\"mmc\"")
    };
    for (name, kind) in [("mmcblk0", "MMC\n"), ("mmcblk1", "SD\n"), ("mmcblk2", "SDIO\n")] {
        std::fs::create_dir_all(folder.file(name).join("device")).unwrap();
        std::fs::write(folder.file(name).join("device/type"), kind).unwrap();
    }
    for (name, said) in
        [("mmcblk0", "it is built in"), ("mmcblk1", ""), ("mmcblk2", "it is built in"), ("mmcblk3", "it is built in")]
    {
        let piece = format!(
            ". scripts/lib/message.sh; . scripts/lib/cards.sh; lsblk() {{ :; }}; SYS_BLOCK='{}'; objection '{}'",
            folder.file(".").display(),
            line(name)
        );
        let output = Command::new("bash").current_dir(project()).args(["-ec", &piece]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), said, "{name}");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_card_that_does_not_hold_what_was_written_is_found_out() {
    let Some(card) = Card::new() else { return };
    let image = card.image();
    // What is read past the system's memory comes back with one bit the other way.
    card.stand_in(
        "dd",
        "#!/bin/sh\ncase $* in *iflag=direct*) /bin/dd \"$@\" | tr '\\101' '\\100' ;; *) exec /bin/dd \"$@\" ;; esac\n",
    );
    let output = card.flash(&[image.to_str().unwrap(), "--device", &card.device, "--yes"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains("does not hold what was written"), "{said}");
}
