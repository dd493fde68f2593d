//! A small service manager: it keeps descriptors for an engine that is killed and starts it again with them, by the
//! protocol of systemd.

use std::io::IoSliceMut;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use command_fds::{CommandFdExt, FdMapping};
use nix::sys::signal::Signal;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};

use crate::build::{Build, chronus};
use crate::engine::{Engine, Folder};
use crate::process;

/// A bound on every wait, so that a broken engine fails a test and does not hang it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Longest message of an engine.
const MESSAGE_BYTES: usize = 4096;

/// What the engine has handed over and said.
#[derive(Default)]
struct Heard {
    stored: Vec<(String, OwnedFd)>,
    words: Vec<String>,
}

/// A service: an engine that is started again whenever it was killed.
pub struct Service {
    /// What to start.
    pub program: PathBuf,
    /// Its arguments behind `run`.
    pub arguments: Vec<String>,
    /// Environment variables of the engine's own.
    pub variables: Vec<(String, String)>,
    /// If there is one, what all engines say goes to the end of this file, and each is in a process group of its own,
    /// which Ctrl-C in the terminal does not reach: whoever started it ends it.
    pub apart: Option<PathBuf>,
    /// The service's files.
    pub folder: Folder,
    heard: Arc<Mutex<Heard>>,
    lives: usize,
}

impl Service {
    /// A service of the build for users.
    pub fn new(name: &str, arguments: &[&str]) -> Self {
        Self::of(Build::Release, name, arguments)
    }

    /// A service of any build.
    pub fn of(build: Build, name: &str, arguments: &[&str]) -> Self {
        let folder = Folder::new(name);
        let socket = UnixDatagram::bind(folder.file("notify")).expect("a socket for notifications");
        let heard = Arc::new(Mutex::new(Heard::default()));
        let listener = heard.clone();
        // Ends with the process: a blocked thread with one socket.
        std::thread::spawn(move || while listen(&socket, &listener).is_some() {});
        let arguments = arguments.iter().map(ToString::to_string).collect();
        let program = chronus(build);
        Self { program, arguments, variables: Vec::new(), apart: None, folder, heard, lives: 0 }
    }

    /// The sink that writes this file of the service, as an argument.
    pub fn sink(&self, name: &str) -> String {
        format!("paced:{}", self.folder.file(name).display())
    }

    /// Starts the engine with what is stored, and waits for its first lines.
    pub fn start(&mut self) -> Engine {
        let command = self.command();
        Engine::start_command(self.program.clone(), command)
    }

    /// Starts the engine, kills it after a time, wherever it is by then, and waits for its end.
    pub fn start_and_kill_after(&mut self, time: Duration) {
        let mut child = self.command().stdout(Stdio::null()).spawn().expect("the engine starts");
        std::thread::sleep(time);
        process::send(child.id(), Signal::SIGKILL);
        child.wait().expect("its end");
    }

    fn command(&mut self) -> Command {
        self.lives += 1;
        let messages = match &self.apart {
            Some(file) => std::fs::File::options().create(true).append(true).open(file),
            None => std::fs::File::create(self.messages_file()),
        };
        let heard = self.heard.lock().expect("no listener has panicked");
        let mut command = Command::new("sh");
        // The process id is known only once the process is there: it says itself that the descriptors are for it, and the
        // watchdog too unless a test says otherwise.
        let script = "export LISTEN_PID=$$ WATCHDOG_PID=${WATCHDOG_PID:-$$}; exec \"$@\"";
        command.args(["-c", script, "sh"]).arg(&self.program).arg("run");
        command.args(&self.arguments).envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stderr(messages.expect("a file for its messages")).stdin(Stdio::null());
        if self.apart.is_some() {
            command.process_group(0);
        }
        command.env("NOTIFY_SOCKET", self.folder.file("notify"));
        if !heard.stored.is_empty() {
            let names: Vec<_> = heard.stored.iter().map(|(name, _)| name.as_str()).collect();
            command.env("LISTEN_FDS", names.len().to_string()).env("LISTEN_FDNAMES", names.join(":"));
            let mappings = (3..).zip(&heard.stored).map(|(child_fd, (_, descriptor))| FdMapping {
                parent_fd: descriptor.try_clone().expect("a descriptor"),
                child_fd,
            });
            command.fd_mappings(mappings.collect()).expect("numbers in a row");
        }
        command
    }

    fn messages_file(&self) -> PathBuf {
        self.apart.clone().unwrap_or_else(|| self.folder.file(&format!("messages.{}", self.lives)))
    }

    /// What the present or last engine has said on standard error; all engines, where they say it to one file.
    pub fn messages(&self) -> String {
        std::fs::read_to_string(self.messages_file()).unwrap_or_default()
    }

    /// Names of what is stored, in alphabetical order.
    pub fn stored(&self) -> Vec<String> {
        let heard = self.heard.lock().expect("no listener has panicked");
        let mut names: Vec<_> = heard.stored.iter().map(|(name, _)| name.clone()).collect();
        names.sort();
        names
    }

    /// A copy of a stored descriptor.
    pub fn descriptor(&self, name: &str) -> OwnedFd {
        let heard = self.heard.lock().expect("no listener has panicked");
        let (_, descriptor) = heard.stored.iter().find(|(stored, _)| stored == name).expect("it is stored");
        descriptor.try_clone().expect("a descriptor")
    }

    /// Loses a stored descriptor.
    pub fn lose(&self, name: &str) {
        self.heard.lock().expect("no listener has panicked").stored.retain(|(stored, _)| stored != name);
    }

    /// How often an engine has said this word, such as READY=1.
    pub fn said(&self, word: &str) -> usize {
        let heard = self.heard.lock().expect("no listener has panicked");
        heard.words.iter().filter(|heard| *heard == word).count()
    }

    /// How often an engine has said something that begins so, such as STATUS=.
    pub fn said_beginning(&self, beginning: &str) -> usize {
        let heard = self.heard.lock().expect("no listener has panicked");
        heard.words.iter().filter(|heard| heard.starts_with(beginning)).count()
    }

    /// Waits until an engine has said a word so often.
    pub fn wait_for(&self, word: &str, count: usize) {
        let started = Instant::now();
        while self.said(word) < count {
            assert!(started.elapsed() < PATIENCE, "{word} never came: {}", self.messages());
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Takes one message; `None` when the socket is of no more use.
fn listen(socket: &UnixDatagram, heard: &Mutex<Heard>) -> Option<()> {
    let (mut bytes, mut control) = ([0; MESSAGE_BYTES], nix::cmsg_space!([i32; 4]));
    let mut slices = [IoSliceMut::new(&mut bytes)];
    let message =
        recvmsg::<()>(socket.as_raw_fd(), &mut slices, Some(&mut control), MsgFlags::MSG_CMSG_CLOEXEC).ok()?;
    let mut descriptors = Vec::new();
    for control in message.cmsgs().ok()? {
        let ControlMessageOwned::ScmRights(numbers) = control else { continue };
        for number in numbers {
            descriptors.push(rt::process::inherited(number).ok()?);
            nix::unistd::close(number).ok()?;
        }
    }
    let text = String::from_utf8_lossy(message.iovs().next()?).into_owned();
    let has = |word: &str| text.lines().any(|line| line == word);
    let name = text.lines().find_map(|line| line.strip_prefix("FDNAME=")).unwrap_or("stored");
    let mut heard = heard.lock().ok()?;
    if has("FDSTORE=1") {
        heard.stored.extend(descriptors.into_iter().map(|descriptor| (name.to_owned(), descriptor)));
    }
    if has("FDSTOREREMOVE=1") {
        heard.stored.retain(|(stored, _)| stored != name);
    }
    heard.words.extend(text.lines().map(str::to_owned));
    Some(())
}
