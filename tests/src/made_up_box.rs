//! A box made up of folders, for the scripts that run on one (`board/overlay/usr/lib/chronus`): a root, mounts and a
//! host name of its own, this machine's programs, stand-ins before them on the path, and a loop device for each
//! partition.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};

use crate::build::project;
use crate::engine::Folder;
use crate::script::{command, there_is};
use crate::skipped;

/// Builds the root at $1 around what the test has put there, and runs $2 in it.
const ENTER: &str = r#"
set -e
root=$1
mount --bind "$root" "$root"
for folder in bin sbin lib lib64 usr etc; do
    if [ -L "/$folder" ]; then
        [ -L "$root/$folder" ] || cp -P "/$folder" "$root/$folder"
    elif [ -d "/$folder" ]; then
        mkdir -p "$root/$folder"
        mount --bind "/$folder" "$root/$folder"
    fi
done
mkdir -p "$root/proc" "$root/dev" "$root/tmp"
mount -t proc proc "$root/proc"
mount -t tmpfs dev "$root/dev"
cp -a /dev/null /dev/zero /dev/urandom /dev/loop[0-9]* "$root/dev/"
# The root is in partition 5 of the card, if there is one.
if [ -d "$root/sys/devices/card" ]; then
    mkdir -p "$root/sys/dev/block"
    ln -sfn ../../devices/card/card5 "$root/sys/dev/block/$(mountpoint -d "$root")"
fi
[ ! -d "$root/made-up-dev" ] || cp -a "$root/made-up-dev/." "$root/dev/"
export PATH="/stand-ins:$PATH" LC_ALL=C
exec chroot "$root" /bin/sh -c "$2"
"#;

/// Such a box. Its scripts are in `/chronus`.
pub struct MadeUpBox {
    folder: Folder,
    devices: Vec<String>,
}

impl MadeUpBox {
    /// An empty one. `None` where this machine or this user cannot have it, said as such under the test's name.
    ///
    /// # Panics
    /// If a folder cannot be made.
    pub fn new(test: &str) -> Option<Self> {
        for (program, package) in [("losetup", "mount"), ("unshare", "util-linux"), ("mkfs.ext4", "e2fsprogs")] {
            if !there_is(program) {
                skipped(test, &format!("no {program} here; as root: apt-get install {package}"));
                return None;
            }
        }
        let namespace = command("unshare").args(["--mount", "mount", "-t", "tmpfs", "none", "/mnt"]).output();
        if !namespace.is_ok_and(|output| output.status.success()) {
            skipped(test, "this user may not mount anything; run as root");
            return None;
        }
        let made_up = Self { folder: Folder::new(test), devices: Vec::new() };
        for folder in ["stand-ins", "run/chronus", "data", "box", "made-up-dev"] {
            std::fs::create_dir_all(made_up.path(folder)).expect("a folder");
        }
        let scripts = project().join("board/overlay/usr/lib/chronus");
        let copied = command("cp").arg("-r").arg(scripts).arg(made_up.path("chronus")).status();
        assert!(copied.expect("cp starts").success());
        // This machine has no user chronus.
        made_up.stand_in("chown", "exit 0");
        Some(made_up)
    }

    /// A file or folder of the box, as this machine sees it.
    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.file("system").join(path)
    }

    /// Puts a file there, with the folders it is in.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    /// A program that the scripts find before this machine's, in the words of a shell. Below `real` are those of this
    /// machine: `$(real NAME)`.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn stand_in(&self, name: &str, text: &str) {
        let real = "real() { PATH=${PATH#/stand-ins:} command -v \"$1\"; }\n";
        self.write(&format!("stand-ins/{name}"), &format!("#!/bin/sh\n{real}{text}\n"));
        let path = self.path(&format!("stand-ins/{name}"));
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("a program");
    }

    /// Has `mount -t vfat` mount ext4, without the options that only FAT has: this machine may not know FAT, and for what
    /// is asked of it here they are the same.
    ///
    /// # Panics
    /// If the stand-in cannot be written.
    pub fn fat_is_ext4(&self) {
        self.stand_in(
            "mount",
            "if [ \"$1 $2 $3\" = '-t vfat -o' ]; then options=${4%%,umask=*}; shift 4; set -- -t ext4 -o \"$options\" \"$@\"; \
             fi\nexec \"$(real mount)\" \"$@\"",
        );
    }

    /// A loop device of so many MB that holds zeros: its name without `/dev`. `None` where there are none, said as
    /// such.
    ///
    /// # Panics
    /// If the file behind it cannot be made.
    pub fn device(&mut self, megabytes: u64) -> Option<String> {
        let file = self.folder.file(&format!("device-{}", self.devices.len()));
        std::fs::File::create(&file).and_then(|file| file.set_len(megabytes << 20)).expect("a file");
        let output = command("losetup").args(["--find", "--show"]).arg(&file).output().expect("losetup starts");
        if !output.status.success() {
            skipped(
                "a box made up of folders",
                "there are no loop devices for this user; run as root, with the module loop",
            );
            return None;
        }
        let name = String::from_utf8_lossy(&output.stdout).trim().trim_start_matches("/dev/").to_owned();
        self.devices.push(name.clone());
        Some(name)
    }

    /// Makes the kernel's files say that the root lies on partition 5 of a disk, and this device is another one of it.
    ///
    /// # Panics
    /// If the files cannot be made.
    pub fn is_on_the_roots_disk(&self, device: &str, partition: u32) {
        self.write("sys/devices/card/size", "131072\n");
        self.write("sys/devices/card/card5/partition", "5\n");
        for (file, text) in
            [("partition", partition.to_string()), ("start", "0".to_owned()), ("size", "131072".to_owned())]
        {
            self.write(&format!("sys/devices/card/{device}/{file}"), &format!("{text}\n"));
        }
        std::fs::create_dir_all(self.path("sys/class/block")).expect("a folder");
        for (name, folder) in [(device, format!("card/{device}")), ("card", "card".to_owned())] {
            let (to, from) = (format!("../../devices/{folder}"), self.path(&format!("sys/class/block/{name}")));
            let _ = std::fs::remove_file(&from);
            std::os::unix::fs::symlink(to, from).expect("a link");
        }
    }

    /// Runs this in the box, in words of a shell. Mounts last as long as it does.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn run(&self, words: &str) -> Output {
        let mut enter = command("unshare");
        enter.args(["--mount", "--uts", "sh", "-c", ENTER, "enter"]).arg(self.path(".")).arg(words);
        enter.stdin(std::process::Stdio::null()).output().expect("unshare starts")
    }
}

impl Drop for MadeUpBox {
    fn drop(&mut self) {
        for device in &self.devices {
            let _ = Command::new("losetup").args(["--detach", &format!("/dev/{device}")]).output();
        }
    }
}
