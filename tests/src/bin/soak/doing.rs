//! How each kind of fault is made.

use std::net::{SocketAddr, UdpSocket};
use std::process::{Command, Stdio};
use std::time::Duration;

use chronus_tests::abuse::{Abuser, bundle_in, message};
use chronus_tests::process::{send, thread_named};
use chronus_tests::random::Random;
use nix::sys::signal::Signal;
use rosc::{OscType, encoder};
use serde_json::Value;

use crate::inject::of_slot;
use crate::kind::Kind;
use crate::performance::Performance;

/// A period, in microseconds: both workers are killed within it.
const PERIOD_US: u64 = 5333;

/// How long a worker is stopped at most before it may go on, in microseconds: three times what makes the engine end it,
/// so that some live and some do not.
const STOPPED_US: u64 = 50_000;

/// Commands in each bundle of an overload: they fill 28 of the 32 KiB that a datagram may have.
const COMMANDS: usize = 900;

/// Blocks in a row that have so many commands. Their 1,800 units are less than a quarter of what a sender has at once.
const BLOCKS_OF_COMMANDS: u32 = 8;

/// For how long a thread gets no processor at most, in milliseconds: what its queue takes in at the densest music.
const PAUSE_MS: u64 = 1000;

/// Makes faults.
pub struct Doer<'a> {
    performance: &'a Performance,
    target: SocketAddr,
    socket: UdpSocket,
    random: Random,
}

/// Whether threads of the engine can be kept from the processor and given it back.
pub fn can_pause() -> Result<(), &'static str> {
    if !nix::unistd::geteuid().is_root() {
        return Err("only root may give a thread its priority back");
    }
    let found = Command::new("chrt").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    found.map(|_| ()).map_err(|_| "there is no program chrt (Debian package util-linux)")
}

impl<'a> Doer<'a> {
    /// For a performance.
    pub fn new(performance: &'a Performance, target: SocketAddr, seed: u64) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.connect(target).expect("a connection");
        Self { performance, target, socket, random: Random::new(seed) }
    }

    /// Makes a fault, in this slot if it is one of a worker, and gives which slots lose their worker by it for certain.
    /// None if the worker was no longer there.
    pub fn make(&mut self, kind: Kind, slot: usize, status: &Value) -> Option<[bool; 2]> {
        let worker = |slot| of_slot(status, slot, "pid") as u32;
        let this = [slot == 0, slot == 1];
        // Others have addresses of their own: who floods is shut out with his, and the music must not be.
        match kind {
            Kind::KillOne => return send(worker(slot), Signal::SIGKILL).then_some(this),
            Kind::Stop => return send(worker(slot), Signal::SIGSTOP).then_some(this),
            Kind::KillBoth => {
                let first = send(worker(slot), Signal::SIGKILL);
                std::thread::sleep(Duration::from_micros(self.random.below(PERIOD_US)));
                return (first & send(worker(1 - slot), Signal::SIGKILL)).then_some([true, true]);
            }
            Kind::StopAndContinue => {
                let stopped = send(worker(slot), Signal::SIGSTOP);
                std::thread::sleep(Duration::from_micros(self.random.below(STOPPED_US)));
                send(worker(slot), Signal::SIGCONT);
                return stopped.then_some([false, false]);
            }
            Kind::Poison(poison) => {
                let word = OscType::String(poison.to_owned());
                let bytes = encoder::encode(&message("/poison", vec![word])).expect("a message encodes");
                self.socket.send(&bytes).ok()?;
                // NaN costs no worker; it is in the sound soon after.
                std::thread::sleep(Duration::from_millis(50));
            }
            Kind::Flood => Abuser::new("127.0.0.2", self.target).flood(Duration::from_secs(1)),
            Kind::Garbage => Abuser::new("127.0.0.3", self.target).garbage(1000),
            Kind::Overload => self.overload(),
            Kind::ControlPaused => {
                let time = Duration::from_millis(self.random.below(PAUSE_MS));
                self.pause("control", time);
            }
            Kind::Flip => unreachable!("a worker flips a bit by itself"),
            Kind::KillMain => unreachable!("a performance kills its own engine"),
        }
        Some([false, false])
    }

    /// Fills the engine's queues as full as they get: two floods and an overload at once while nobody empties them.
    /// The memory an engine keeps for such a moment is no leak, so it is there before leaks are looked for.
    pub fn fill_the_queues(&mut self) {
        let target = self.target;
        std::thread::scope(|scope| {
            for own in ["127.0.0.5", "127.0.0.6"] {
                scope.spawn(move || Abuser::new(own, target).flood(Duration::from_secs(1)));
            }
            if can_pause().is_ok() {
                self.pause("control", Duration::from_millis(PAUSE_MS));
            }
            self.overload();
        });
    }

    fn overload(&self) {
        let socket = UdpSocket::bind("127.0.0.4:0").expect("a socket");
        // What they set is what is set from the start.
        let content = vec![message("/mod/sine/gain", vec![OscType::Float(0.5)]); COMMANDS];
        let period = Duration::from_micros(PERIOD_US);
        for block in 0..BLOCKS_OF_COMMANDS {
            let bundle = bundle_in(Duration::from_millis(100) + period * block, content.clone());
            let _ = socket.send_to(&encoder::encode(&bundle).expect("a bundle encodes"), self.target);
        }
        std::thread::sleep(Duration::from_millis(150) + period * BLOCKS_OF_COMMANDS);
    }

    /// Gives a thread of the engine no processor that the busy threads want, for a while.
    fn pause(&self, name: &str, time: Duration) {
        let Some(thread) = self.performance.with(|engine| thread_named(engine.id(), name)) else { return };
        let schedule = |policy: &str| {
            let chrt = Command::new("chrt").args([policy, "-p", "0", &thread.to_string()]).status();
            assert!(chrt.is_ok_and(|status| status.success()), "chrt {policy} of thread {name} failed");
        };
        schedule("--idle");
        std::thread::sleep(time);
        schedule("--other");
    }
}
