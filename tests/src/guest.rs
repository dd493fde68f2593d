//! The box in a virtual machine (tests/box): an agent in it does what a test says.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::UdpSocket;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Condvar, Mutex, OnceLock};
use std::time::{Duration, Instant};

use rosc::{OscMessage, OscPacket, OscType};

use crate::build::{firmware, project, target};
use crate::engine::Folder;
use crate::{engine, skipped};

/// A bound on the wait for an answer of the guest, by the clock on the wall: the longest is that for the end of a
/// score, half a minute on an idle machine, and twenty times that on a busy one. No promise is measured by it.
const PATIENCE: Duration = Duration::from_secs(900);

/// Bytes carried in at a time: a line of it is short enough for any shell.
const PIECE: usize = 2048;

/// Times that [`Guest::wait_until`] tries, 50 ms of the guest's time apart.
const TRIES: u32 = 1200;

/// Kernel, initial RAM file system and disk of the box; made once. `None` where that cannot be, which is said.
pub fn root() -> Option<&'static Path> {
    static ROOT: OnceLock<Option<PathBuf>> = OnceLock::new();
    ROOT.get_or_init(|| {
        let program = firmware("the box in a virtual machine")?;
        if Command::new("qemu-system-aarch64").arg("--version").stdout(Stdio::null()).status().is_err() {
            let how = "qemu-system-aarch64 is not installed; as root: apt-get install qemu-system-arm";
            skipped("the box in a virtual machine", how);
            return None;
        }
        // With IMAGE=FILE: what `scripts/build-image vm` has made, instead of Debian's packages.
        let (script, of) = match std::env::var_os("IMAGE") {
            Some(image) => ("tests/box/take-image", PathBuf::from(image)),
            None => ("tests/box/make-root", program),
        };
        made_by(script, &[of], "the box in a virtual machine")
    })
    .as_deref()
}

/// A folder with drivers for the kernel of the box that Debian leaves out (tests/box/make-modules). `None` where they
/// cannot be had, which is said.
pub fn modules() -> Option<PathBuf> {
    made_by("tests/box/make-modules", &[], "pins in a virtual machine")
}

/// The folder that a script of tests/box has made in target/vm. `None` where this machine lacks something for it, which is
/// said to whoever wants it.
fn made_by(script: &str, more: &[PathBuf], for_what: &str) -> Option<PathBuf> {
    let made = Command::new(project().join(script)).arg(target().join("vm")).args(more).output();
    let made = made.unwrap_or_else(|error| panic!("{script} does not start: {error}"));
    let errors = String::from_utf8_lossy(&made.stderr);
    if made.status.code() == Some(3) {
        let reason = errors.rsplit_once("error: ").map_or(&*errors, |(_, reason)| reason);
        skipped(for_what, reason.trim());
        return None;
    }
    assert!(made.status.success(), "{errors}");
    Some(PathBuf::from(String::from_utf8_lossy(&made.stdout).trim()))
}

/// The right to run a machine: each keeps one core of this one busy, so there are no more of them than cores, or two.
struct Place;

/// How many have it, and who waits for it.
static PLACES: (Mutex<usize>, Condvar) = (Mutex::new(0), Condvar::new());

impl Place {
    /// Waits for it.
    fn take() -> Self {
        let most = std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2));
        let taken = PLACES.0.lock().expect("counting does not panic");
        *PLACES.1.wait_while(taken, |taken| *taken >= most).expect("counting does not panic") += 1;
        Self
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *PLACES.0.lock().expect("counting does not panic") -= 1;
        PLACES.1.notify_one();
    }
}

/// A running box.
pub struct Guest {
    machine: Child,
    port: BufReader<UnixStream>,
    folder: PathBuf,
    osc: u16,
    /// Given back when the machine has ended.
    _place: Place,
}

impl Guest {
    /// Starts one from this disk, and waits until its agent answers: that is early in its start. `folder` gets what it
    /// leaves (see tests/box/run-box, as for the options).
    pub fn start(disk: &Path, folder: &Path, options: &[&str]) -> Self {
        let root = root().expect("asked for before");
        let place = Place::take();
        // Free at this moment; nobody else takes ports of this range by number.
        let free = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port");
        let mut command = Command::new(project().join("tests/box/run-box"));
        command.arg(root).arg(disk).arg(folder).stdin(Stdio::null());
        if !options.contains(&"--offline") && !options.contains(&"--cable") {
            command.args(["--osc", &free.port().to_string()]);
        }
        let _ = std::fs::remove_file(folder.join("agent"));
        let machine = command.args(options).spawn().expect("tests/box/run-box starts");
        let port = connect(&folder.join("agent"));
        let mut guest = Self { machine, port, folder: folder.to_owned(), osc: free.port(), _place: place };
        while guest.line() != "agent ready" {}
        guest
    }

    /// The next line from the agent.
    fn line(&mut self) -> String {
        let mut bytes = Vec::new();
        match self.port.read_until(b'\n', &mut bytes) {
            Ok(1..) => String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned(),
            other => panic!("the box does not answer ({other:?}); its last words: {}", self.last_words()),
        }
    }

    /// The end of what its kernel has said.
    fn last_words(&self) -> String {
        let said = self.console();
        said.lines().rev().take(20).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// What its kernel has said on the console.
    pub fn console(&self) -> String {
        let said = std::fs::read(self.folder.join("console.log")).unwrap_or_default();
        String::from_utf8_lossy(&said).into_owned()
    }

    /// Has its shell do this: exit status, and output of both kinds.
    pub fn attempt(&mut self, command: &str) -> (i32, String) {
        assert!(!command.contains('\n'), "one line: {command}");
        writeln!(self.port.get_mut(), "{command}").expect("the box takes commands");
        let mut output = String::new();
        loop {
            let line = self.line();
            if let Some(status) = line.strip_prefix("=== exit ") {
                return (status.parse().expect("an exit status"), output.trim().to_owned());
            }
            output += &line;
            output += "\n";
        }
    }

    /// The same where it has to succeed.
    pub fn run(&mut self, command: &str) -> String {
        let (status, output) = self.attempt(command);
        assert_eq!(status, 0, "{command}: {output}");
        output
    }

    /// Has it wait until a command succeeds, for a minute of its own time at most.
    pub fn wait_until(&mut self, command: &str) {
        let waiting = format!(
            "tries={TRIES}; until {command}; do tries=$((tries - 1)); [ $tries -gt 0 ] || exit 99; usleep 50000; done"
        );
        let (status, output) = self.attempt(&waiting);
        if status != 0 {
            let (_, journal) = self.attempt("journalctl -b --no-pager -n 40");
            panic!("{command}: never came; {output}\n{journal}\n{}", self.last_words());
        }
    }

    /// Waits until the engine runs, as the service manager sees it.
    pub fn wait_for_engine(&mut self) {
        self.wait_until("systemctl --quiet is-active chronus.service");
    }

    /// Waits until the engine plays on a sound card.
    pub fn wait_for_sound_card(&mut self) {
        self.wait_until("chronus status --all | grep -q 'sound_card *playing'");
    }

    /// Process id of the virtual machine.
    pub fn id(&self) -> u32 {
        self.machine.id()
    }

    /// Where the engine's OSC can be reached from here.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.osc)
    }

    /// The engine's status.
    pub fn status(&self) -> serde_json::Value {
        engine::status_of(&self.address())
    }

    /// Sends the engine a message by the network.
    pub fn send_message(&self, message: OscMessage) {
        self.send_packet(&OscPacket::Message(message));
    }

    /// The same with a packet of any kind.
    pub fn send_packet(&self, packet: &OscPacket) {
        let bytes = rosc::encoder::encode(packet).expect("a packet encodes");
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.send_to(&bytes, self.address()).expect("it is sent");
    }

    /// The same with one argument.
    pub fn send(&self, address: &str, argument: OscType) {
        self.send_message(OscMessage { addr: address.to_owned(), args: vec![argument] });
    }

    /// Carries a file in, by hexadecimal figures.
    pub fn put(&mut self, from: &Path, to: &str) {
        let bytes = std::fs::read(from).expect("the file");
        self.run(&format!(": >{to}"));
        for piece in bytes.chunks(PIECE) {
            let figures: String = piece.iter().map(|byte| format!("{byte:02x}")).collect();
            self.run(&format!("echo {figures} | xxd -r -p >>{to}"));
        }
    }

    /// Carries a file out.
    pub fn get(&mut self, from: &str, to: &Path) {
        let figures = self.run(&format!("xxd -p {from} | tr -d '\\n'"));
        let byte = |place: usize| u8::from_str_radix(&figures[place..place + 2], 16).expect("two figures");
        std::fs::write(to, (0..figures.len()).step_by(2).map(byte).collect::<Vec<_>>()).expect("the file is written");
    }

    /// Takes the power away, as whoever pulls the plug does.
    pub fn cut_power(mut self) {
        self.stop();
    }

    fn stop(&mut self) {
        let _ = self.machine.kill();
        let _ = self.machine.wait();
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The agent's port, as soon as the machine has made it.
fn connect(path: &Path) -> BufReader<UnixStream> {
    let started = Instant::now();
    loop {
        if let Ok(stream) = UnixStream::connect(path) {
            stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
            return BufReader::new(stream);
        }
        assert!(started.elapsed() < PATIENCE, "the virtual machine does not start");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A copy of the box's disk that a test may write to. Holes stay holes: it takes a tenth of its size.
pub fn copy_of_disk(folder: &Path) -> PathBuf {
    let copy = folder.join("disk");
    let from = root().expect("asked for before").join("disk");
    let status = Command::new("cp").args(["--sparse=always", "--reflink=auto"]).args([&from, &copy]).status();
    assert!(status.expect("cp starts").success(), "{} cannot be copied", from.display());
    copy
}

/// Where BOX begins, in bytes: the first entry of the partition table at byte 446 of the disk has its sector, of 512 bytes,
/// in its last half.
fn start_of_box(disk: &Path) -> u64 {
    let mut entry = [0; 16];
    let read = File::open(disk).and_then(|disk| disk.read_exact_at(&mut entry, 446));
    read.expect("the disk has a partition table");
    u64::from(u32::from_le_bytes([entry[8], entry[9], entry[10], entry[11]])) * 512
}

/// What is on BOX, in the file that a person edits.
pub fn chronus_toml(disk: &Path) -> String {
    let from = format!("{}@@{}", disk.display(), start_of_box(disk));
    let output = Command::new("mcopy").args(["-i", &from, "::chronus.toml", "-"]).output().expect("mcopy of mtools");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A copy of the disk, with more in the file that a person edits.
pub fn disk_configured(folder: &Folder, more: &str) -> PathBuf {
    let (disk, file) = (copy_of_disk(&folder.file(".")), folder.file("chronus.toml"));
    let own = std::fs::read_to_string(project().join("tests/box/guest/chronus.toml")).expect("the box's configuration");
    std::fs::write(&file, own + more).expect("the file is written");
    let into = format!("{}@@{}", disk.display(), start_of_box(&disk));
    let status = Command::new("mcopy").args(["-o", "-i", &into]).arg(&file).arg("::").status();
    assert!(status.expect("mcopy of mtools").success(), "chronus.toml goes into BOX");
    disk
}

/// Where DATA begins on the disk, in bytes.
pub fn data_at() -> u64 {
    let text = std::fs::read_to_string(root().expect("asked for before").join("data-at")).expect("where DATA is");
    text.trim().parse::<u64>().expect("mebibytes") << 20
}
