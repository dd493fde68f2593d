//! A running engine, as a user starts it.

use std::io::{BufRead, BufReader, Read};
use std::net::UdpSocket;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use rosc::{OscMessage, OscPacket, OscType};
use serde_json::Value;

use crate::build::{Build, chronus};
use crate::process;

/// A bound on every wait, so that a broken engine fails a test and does not hang it. No promise is measured by it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder that is gone with its owner.
pub struct Folder(PathBuf);

impl Folder {
    /// A new, empty folder. Tests of one process may run at the same time and use one name.
    pub fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let (process, number) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(format!("chronus-test-{name}-{process}-{number}"));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Kept after a failure, to be looked at.
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// A running `chronus run`.
pub struct Engine {
    program: PathBuf,
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
    head: String,
}

impl Engine {
    /// Starts a build with arguments and reads its first lines, up to the one about OSC.
    pub fn start(build: Build, arguments: &[&str]) -> Self {
        Self::start_with(build, arguments, &[])
    }

    /// The same with environment variables.
    pub fn start_with(build: Build, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::start_telling(build, arguments, variables, Stdio::inherit())
    }

    /// The same with a place for its messages.
    pub fn start_telling(build: Build, arguments: &[&str], variables: &[(&str, &str)], messages: Stdio) -> Self {
        let program = chronus(build);
        let mut command = Command::new(&program);
        command.arg("run").args(arguments).envs(variables.iter().copied()).stderr(messages);
        Self::start_command(program, command)
    }

    /// The same in a process group of its own, which Ctrl-C in the terminal does not reach: whoever started it ends it.
    /// What it says of faults goes to the end of that file.
    pub fn start_apart(build: Build, arguments: &[&str], variables: &[(&str, &str)], messages: &Path) -> Self {
        let messages = std::fs::File::options().create(true).append(true).open(messages).expect("a file for messages");
        let program = chronus(build);
        let mut command = Command::new(&program);
        command.arg("run").args(arguments).envs(variables.iter().copied()).process_group(0).stderr(messages);
        Self::start_command(program, command)
    }

    /// Starts it by a command of the caller's, and reads its first lines. `program` is the one to send with.
    pub fn start_command(program: PathBuf, mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("the engine starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut head = String::new();
        while !head.contains("OSC  ") {
            assert!(lines.read_line(&mut head).expect("its output") > 0, "the engine ended at once: {head}");
        }
        Self { program, child, lines, head }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Where it takes OSC.
    pub fn address(&self) -> String {
        let after = self.head.rsplit_once("udp ").expect("an OSC address in the first lines").1;
        after.split([',', ' ', '\n']).next().expect("an address").to_owned()
    }

    /// Its living workers.
    pub fn workers(&self) -> Vec<u32> {
        process::children(self.id()).into_iter().filter(|child| process::alive(*child)).collect()
    }

    /// `chronus send` with these words: exit code and both outputs.
    pub fn send(&self, words: &[&str]) -> (i32, String) {
        let output =
            Command::new(&self.program).arg("send").arg(self.address()).args(words).output().expect("send runs");
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        (output.status.code().unwrap_or(-1), text)
    }

    /// The reply to `/status`, as nested JSON.
    pub fn status(&self) -> Value {
        status_of(&self.address())
    }

    /// A number of the status, by its path, such as "slots.0.epoch".
    pub fn number(&self, path: &str) -> u64 {
        number(&self.status(), path)
    }

    /// Waits until the status is as wanted; fails if it never is.
    pub fn wait_until(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            let status = self.status();
            if wanted(&status) {
                return status;
            }
            assert!(started.elapsed() < PATIENCE, "{what} never came: {status:#}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits until both slots are in lockstep.
    pub fn wait_for_lockstep(&self) -> Value {
        self.wait_until("lockstep", |status| {
            let slots = status["slots"].as_array().expect("slots");
            slots.iter().all(|slot| slot["state"] == "lockstep")
        })
    }

    /// Whether it still runs.
    pub fn running(&mut self) -> bool {
        self.child.try_wait().expect("its state").is_none()
    }

    /// Asks it to end, as Ctrl-C does, and waits.
    pub fn stop(self) -> (i32, String) {
        process::send(self.id(), Signal::SIGINT);
        self.wait()
    }

    /// Waits until it has ended: exit code and its output.
    pub fn wait(mut self) -> (i32, String) {
        let mut rest = String::new();
        self.lines.read_to_string(&mut rest).expect("its output");
        let status = self.child.wait().expect("its end");
        (status.code().unwrap_or(-1), std::mem::take(&mut self.head) + &rest)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if self.running() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// What an engine at this address replies to `/health`, as nested JSON.
pub fn status_of(address: &str) -> Value {
    ask(address, "/health")
}

/// What an engine at this address replies to a question of pairs, `/health` or `/controls`, as nested JSON. Asked directly:
/// a test that polls must not keep a core busy with starting programs.
pub fn ask(address: &str, question: &str) -> Value {
    let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    socket.set_read_timeout(Some(Duration::from_secs(1))).expect("a time limit");
    let question = OscPacket::Message(OscMessage { addr: question.to_owned(), args: Vec::new() });
    let question = rosc::encoder::encode(&question).expect("a message encodes");
    let mut reply = vec![0; 65_536];
    for _ in 0..60 {
        socket.send_to(&question, address).expect("the question is sent");
        if let Ok(length) = socket.recv(&mut reply) {
            let (_, packet) = rosc::decoder::decode_udp(&reply[..length]).expect("the reply is OSC");
            let OscPacket::Message(message) = packet else { panic!("the reply is a message") };
            return nested(&message.args);
        }
    }
    panic!("the engine no longer answers");
}

/// Key and value pairs with dotted keys, as nested JSON.
fn nested(pairs: &[OscType]) -> Value {
    let mut root = Value::Null;
    for pair in pairs.chunks_exact(2) {
        let OscType::String(path) = &pair[0] else { panic!("keys are strings") };
        let mut place = &mut root;
        for key in path.split('.') {
            place = match key.parse::<usize>() {
                Ok(number) => {
                    if !place.is_array() {
                        *place = Value::Array(Vec::new());
                    }
                    let list = place.as_array_mut().expect("a list");
                    list.resize(list.len().max(number + 1), Value::Null);
                    &mut list[number]
                }
                Err(_) => &mut place[key],
            };
        }
        *place = match &pair[1] {
            OscType::String(text) => text.as_str().into(),
            OscType::Int(number) => (*number).into(),
            OscType::Long(number) => (*number).into(),
            OscType::Float(number) => (*number).into(),
            other => panic!("{path} is {other:?}"),
        };
    }
    root
}

/// A number of a status, by its path.
pub fn number(status: &Value, path: &str) -> u64 {
    let value = path.split('.').fold(status, |value, key| match key.parse::<usize>() {
        Ok(place) => &value[place],
        Err(_) => &value[key],
    });
    value.as_u64().unwrap_or_else(|| panic!("{path} is {value} in {status:#}"))
}

/// When the first block of the engine with this status was due, on CLOCK_MONOTONIC, in nanoseconds; of meaning once it
/// has played one.
pub fn first_due_ns(status: &Value) -> u64 {
    let frames = u128::from(number(status, "continued_at_block")) * 256;
    let time = frames * u128::from(rt::clock::NANOSECONDS) / u128::from(number(status, "rate"));
    number(status, "audio.clock_origin_ns") + time as u64
}

/// The number after a word in the engine's last line, such as "late blocks".
pub fn told(output: &str, what: &str) -> u64 {
    let after = output.rsplit_once(what).unwrap_or_else(|| panic!("no '{what}' in {output}")).1;
    after.trim_start().split(|c: char| !c.is_ascii_digit()).next().and_then(|word| word.parse().ok()).expect("a number")
}

/// The program for users with these words: exit code, standard output, standard error.
pub fn call(words: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(chronus(Build::Release)).args(words).output().expect("the program starts");
    let [stdout, stderr] = [stdout, stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    (status.code().unwrap_or(-1), stdout, stderr)
}

/// `chronus render` of a score, with more arguments.
pub fn render(build: Build, score: &Path, output: &Path, more: &[&str]) {
    let status =
        Command::new(chronus(build)).arg("render").args([score, output]).args(more).stdout(Stdio::null()).status();
    assert!(status.expect("render runs").success(), "render of {} failed", score.display());
}
