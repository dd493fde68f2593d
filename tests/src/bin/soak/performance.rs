//! The engine of a segment under a service manager: when its main process is killed it is started again, and goes on.

use std::path::PathBuf;
use std::sync::{RwLock, RwLockReadGuard};

use chronus_tests::build::Build;
use chronus_tests::engine::{Engine, number};
use chronus_tests::process::{alive, send};
use chronus_tests::service::Service;
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::watch::Look;

/// One engine of a performance, from its start to its death, or to the end.
#[derive(Clone, Debug)]
pub struct Life {
    /// The block it began with.
    pub began: u64,
    /// Its recording.
    pub played: PathBuf,
    /// Its kept score.
    pub kept: PathBuf,
    /// What it showed right before it was killed. What is late between this and the death has no explanation: it is a
    /// block at most, and nearly always on its way into the file still.
    pub last: Look,
    /// Its status at that time, with its counts.
    pub status: Value,
}

/// A service, the engine that plays now, and those before it.
struct Playing {
    service: Service,
    /// None only between a death and the next start.
    engine: Option<Engine>,
    over: Vec<Life>,
    /// The block this engine began with.
    began: u64,
    left_over: u64,
    failures: Vec<String>,
}

/// What is left of a performance when its last engine is to be stopped.
pub struct Finale {
    /// The last engine, which still plays.
    pub engine: Engine,
    /// The engines that were killed, in their order.
    pub over: Vec<Life>,
    /// The last one, up to now.
    pub last: Life,
    /// Workers that outlived the engine they belonged to.
    pub left_over: u64,
    /// Engines that did not go on where the one before them was killed, in words.
    pub failures: Vec<String>,
    /// Holds the files.
    pub service: Service,
}

/// A performance by one engine after the other. Who looks at an engine keeps it from being killed meanwhile.
pub struct Performance(RwLock<Playing>);

impl Performance {
    /// Starts the build for faults, which says its messages to the end of that file.
    pub fn start(messages: PathBuf) -> Self {
        let mut service = Service::of(Build::Faults, "soak", &[]);
        let (sink, kept) = (service.sink("played.wav"), service.folder.file("kept.osc").display().to_string());
        service.arguments =
            ["--keep-score", &kept, "--sink", &sink, "--osc", "127.0.0.1:0"].map(str::to_owned).to_vec();
        service.variables = vec![("CHRONUS_FAULTS".to_owned(), "soak".to_owned())];
        service.apart = Some(messages);
        let engine = Some(service.start());
        Self(RwLock::new(Playing { service, engine, over: Vec::new(), began: 0, left_over: 0, failures: Vec::new() }))
    }

    /// Shows the engine that plays now to `look`.
    pub fn with<T>(&self, look: impl FnOnce(&Engine) -> T) -> T {
        look(self.read().engine())
    }

    /// The status of the engine that plays now.
    pub fn status(&self) -> Value {
        self.with(Engine::status)
    }

    /// How many engines are over, and what the one that plays now shows.
    pub fn look(&self) -> (usize, Look) {
        let playing = self.read();
        (playing.over.len(), Look::at(playing.engine()))
    }

    /// The engine of this number that is over, and the block with which the one after it began.
    pub fn life(&self, number: usize) -> (Life, u64) {
        let playing = self.read();
        let next = playing.over.get(number + 1).map_or(playing.began, |next| next.began);
        (playing.over[number].clone(), next)
    }

    /// Kills the main process and starts the engine again with what it had stored, as a service manager does. Gives the
    /// time of the kill on CLOCK_MONOTONIC, in nanoseconds.
    pub fn kill(&self) -> u64 {
        let mut playing = self.0.write().expect("nobody failed with it");
        let life = playing.present();
        let workers = playing.engine().workers();
        let time = rt::clock::monotonic();
        send(playing.engine().id(), Signal::SIGKILL);
        let _ = playing.engine.take().map(Engine::wait);
        let engine = playing.service.start();
        playing.left_over += workers.into_iter().filter(|worker| is_worker(*worker)).count() as u64;
        let status = engine.status();
        playing.began = number(&status, "continued_at_block");
        playing.engine = Some(engine);
        let seen = life.last.block;
        playing.over.push(life);
        if number(&status, "restarts") != playing.over.len() as u64 || playing.began < seen {
            let text =
                format!("the main process was killed after block {seen}, and the next began at {}", playing.began);
            playing.failures.push(text);
        }
        time
    }

    /// The end: nobody looks any more.
    pub fn end(self) -> Finale {
        let mut playing = self.0.into_inner().expect("nobody failed with it");
        let last = playing.present();
        let engine = playing.engine.take().expect("an engine that plays");
        let Playing { service, over, left_over, failures, .. } = playing;
        Finale { engine, over, last, left_over, failures, service }
    }

    fn read(&self) -> RwLockReadGuard<'_, Playing> {
        self.0.read().expect("nobody failed with it")
    }
}

impl Playing {
    fn engine(&self) -> &Engine {
        self.engine.as_ref().expect("an engine that plays")
    }

    /// The engine that plays now, as far as it is. It numbers its files as `NAME.2.wav`.
    fn present(&self) -> Life {
        let file = |name: &str, ending: &str| match self.over.len() {
            0 => self.service.folder.file(&format!("{name}.{ending}")),
            before => self.service.folder.file(&format!("{name}.{}.{ending}", before + 1)),
        };
        let (played, kept) = (file("played", "wav"), file("kept", "osc"));
        Life { began: self.began, played, kept, status: self.engine().status(), last: Look::at(self.engine()) }
    }
}

/// Whether a worker is still there: alive, and no other process that has got its number.
pub fn is_worker(process: u32) -> bool {
    let name = std::fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
    alive(process) && name.starts_with("chronus-w")
}
