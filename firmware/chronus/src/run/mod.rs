//! `chronus run`: puts the engine together, lets it play, takes it apart.

mod adoption;
mod announce;
mod hands;
mod osc;
mod recording;
mod rights;
mod selftest;
mod signals;
mod sound;
mod spare;
mod store;
mod threads;
mod watchdog;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver as Receiving, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rt::cores::Placement;
use rt::scheduling::RealTime;
use shm::CommandPlace;

use crate::audio::{Alarm, AudioClock, Doubt, Period, SharedMemory};
use crate::command_line::{RunOptions, SinkChoice};
use crate::control::{Control, Dump, PresetDesk, WayBack, inbox, start_receiving};
use crate::input::{Receiver, Streams};
use crate::judge::Judge;
use crate::light::Light;
use crate::load::Load;
use crate::patch::{self, Offers, PatchInput, PatchKeeper, Presets};
use crate::render::{blocks_of_score, load_score};
use crate::report::{Counters, Facts};
use crate::stamp::{KeptScore, Stamper, command_latency};
use crate::supervise::{Conditions, Supervisor};
use crate::worker::{EngineState, start_over};
use osc::open_receiver;
use recording::Taken;
use signals::Signals;
use sound::Sound;
use spare::spare_files;
use store::Stored;
use threads::{pause, spawn, wait_a_little_for};

/// Quarantined commands that wait to be told of. Each has cost a worker, so this is seconds of the worst.
const QUARANTINES: usize = 256;

/// Half seconds that a file may take to be written at the end: the values of all parameters, a recording.
const FILE_TRIES: usize = 4;

/// Plays as the options say.
///
/// # Errors
/// In words: what failed and what to do.
pub fn run(options: &RunOptions) -> Result<(), String> {
    // Without a beat there is nothing to be in time for, and at real-time priority it would starve the machine.
    let real_time = if matches!(options.sink, SinkChoice::Free(_)) { RealTime::Off } else { options.real_time };
    let mut stored = Stored::receive();
    let again = !stored.is_empty();
    let (options, adopted) = adoption::adopt_or_say_why(&mut stored, options);
    let options = RunOptions { real_time, ..options };
    let options = &if again { spare_files(&options) } else { options };
    // Everything that can be refused is asked for before anything makes a sound.
    let begins = adopted.is_none();
    let fresh = options.score.as_ref().filter(|_| begins);
    let score = fresh.map(|path| load_score(path, options.rate)).transpose()?;
    let blocks = match &adopted {
        Some(memory) => Some(memory.continuation.last()).filter(|blocks| *blocks != u64::MAX),
        None => options.blocks.or_else(|| score.as_ref().map(blocks_of_score)),
    };
    let receiver = open_receiver(&mut stored, options)?;
    let placement = rights::placement(options)?;
    rt::process::settle_signals();
    let commands = score.map(|score| score.commands).unwrap_or_default();
    let memory = adopted.map_or_else(|| share_memory(&commands, options, blocks), Ok);
    let engine = Engine::new(memory.map_err(|error| format!("shared memory: {error}"))?, options)?;
    // After the memory is there: with a small limit on locked memory it would be refused, and not the locking.
    let real_time = rights::ask(options.real_time)?;
    let sound = sound::open(options, &engine.clock, &engine.counters)?;
    // Last, because it overwrites: a run that is refused leaves the file alone.
    let kept = options.keep_score.as_deref().map(|path| KeptScore::create(path, options.rate)).transpose()?;
    let facts = Facts {
        rate: options.rate,
        lead: options.lead,
        command_latency: command_latency(options.lead),
        sink: sound.name.clone(),
        patch: options.patch.as_ref().map(|path| path.display().to_string()),
        recordings: options.recordings.as_ref().map(|path| path.display().to_string()),
        data: options.data.clone(),
        real_time,
        restarts: engine.memory.continuation.restarts(),
        // Nothing is played in new memory.
        continued_at: engine.memory.continuation.played(),
    };
    engine.play(options, Parts { placement, sound, receiver, kept, facts, blocks })
}

/// What `run` has asked for, each used once.
struct Parts {
    placement: Placement,
    sound: Sound,
    receiver: Option<Receiver>,
    kept: Option<KeptScore>,
    facts: Facts,
    blocks: Option<u64>,
}

/// What the threads share.
struct Engine {
    memory: Arc<SharedMemory>,
    clock: Arc<AudioClock>,
    counters: Arc<Counters>,
    alarm: Arc<Alarm>,
    doubt: Arc<Doubt>,
    signals: Signals,
    /// The audio thread is to stop.
    stop: Arc<AtomicBool>,
    /// The audio thread has stopped; the others are to.
    ended: Arc<AtomicBool>,
}

impl Engine {
    fn new(memory: SharedMemory, options: &RunOptions) -> Result<Self, String> {
        Ok(Self {
            memory: Arc::new(memory),
            clock: Arc::new(AudioClock::new(options.rate)),
            counters: Arc::default(),
            alarm: Arc::new(Alarm::new().map_err(|error| format!("event descriptor: {error}"))?),
            doubt: Arc::default(),
            signals: Signals::catch().map_err(|error| format!("catching signals: {error}"))?,
            stop: Arc::default(),
            ended: Arc::default(),
        })
    }

    fn play(self, options: &RunOptions, parts: Parts) -> Result<(), String> {
        let Parts { placement, sound, receiver, kept, facts, blocks } = parts;
        let Sound { sink, input, recorder, description, .. } = sound;
        let address = receiver.as_ref().and_then(|receiver| receiver.local_address().ok());
        // First of all: what it finds is to be set before anything else is.
        let (keeping, patch) = self.start_patch(options)?;
        // More than can be quarantined while an answer is written; the status counts them all the same.
        let (quarantined, quarantines) = sync_channel(QUARANTINES);
        let supervisor = self.start_supervisor(options, placement, quarantined)?;
        let judge = self.start_judge(options.real_time)?;
        let load = self.start_load(options)?;
        let live = receiver.is_some() || !options.controls.is_empty();
        let beat = !matches!(options.sink, SinkChoice::Free(_));
        let (tape, notes, taken) = recording::ways(live, options.recordings.is_some(), beat);
        let period = Period {
            memory: self.memory.clone(),
            counters: self.counters.clone(),
            clock: self.clock.clone(),
            alarm: self.alarm.clone(),
            doubt: self.doubt.clone(),
            stop: self.stop.clone(),
            lead: options.lead,
            blocks,
            sink,
            recorder: input,
            tape,
            notes,
        };
        let started =
            taken.map(|taken| self.start_control(options, receiver, facts.clone(), kept, quarantines, patch, taken));
        let (control, recording) = started.transpose()?.unzip();
        let audio = self.start_audio(period, placement, options)?;
        self.say_when_ready(facts.continued_at)?;
        let watchers = self.start_watchers(options, &facts)?;
        let counters = self.counters.clone();
        // By a thread of its own: a pipe that nobody reads must not keep this one from hearing signals.
        let announcing = spawn("announce", move || announce::started(&description, &facts, address, &counters))?;
        // Both end after the audio thread, unless they fail.
        let deaf = || control.as_ref().is_some_and(JoinHandle::is_finished);
        let told = AtomicBool::new(false);
        let failed = || {
            let running = !self.stop.load(Ordering::Relaxed);
            let thread = if supervisor.is_finished() { Some("supervising") } else { deaf().then_some("control") };
            // Who plays and is deaf goes on where nobody starts the next one: an end would be heard for longer.
            let alone = thread == Some("control") && !store::is_managed();
            if running && alone && !told.swap(true, Ordering::Relaxed) {
                log::error!(
                    "the control thread failed; this is a bug in Chronus. The sound goes on, and nothing is taken any \
                     more, neither OSC nor what is done at knobs: start the engine again when it suits"
                );
            }
            thread.filter(|_| running && !alone)
        };
        self.signals.watch(&audio, &failed, &adoption::end, &self.stop, &self.counters, options.rate);
        let played =
            audio.join().unwrap_or_else(|_| Err("the audio thread failed; this is a bug in Chronus".to_owned()));
        // Played to the end, or ended as it was asked to. An engine that has failed is gone on with.
        if played.is_ok() && !supervisor.is_finished() && !deaf() {
            adoption::end();
        }
        let survived = announce::deaths(&self.counters);
        self.ended.store(true, Ordering::Release);
        self.alarm.wake();
        self.doubt.call();
        let _ = supervisor.join();
        let _ = judge.join();
        load.thread().unpark();
        let _ = load.join();
        watchers.iter().for_each(|watcher| watcher.thread().unpark());
        let _ = control.map(JoinHandle::join);
        if let Some(recording) = recording.flatten() {
            (0..FILE_TRIES).for_each(|_| wait_a_little_for(&recording));
        }
        if let Some(keeping) = keeping {
            keeping.thread().unpark();
            // A card that does not answer must not keep the engine from ending.
            (0..FILE_TRIES).for_each(|_| wait_a_little_for(&keeping));
        }
        wait_a_little_for(&announcing);
        // They talk to others, who may not listen.
        watchers.iter().for_each(wait_a_little_for);
        let recorded = recorder.map(|recorder| recorder.finish()).transpose();
        let (counters, rate, written) = (self.counters, options.rate, recorded.as_ref().ok().copied().flatten());
        let announcing = spawn("announce", move || announce::ended(&counters, survived, rate, written))?;
        wait_a_little_for(&announcing);
        played.and(recorded.map(drop))
    }

    /// Tells the service manager when the first block is played.
    fn say_when_ready(&self, first: u64) -> Result<(), String> {
        let (counters, ended) = (self.counters.clone(), self.ended.clone());
        let wait = move || {
            while counters.blocks.load(Ordering::Relaxed) <= first && !ended.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(1));
            }
            // An engine that ended before it played was never ready.
            if counters.blocks.load(Ordering::Relaxed) > first {
                store::ready();
            }
        };
        spawn("ready", wait).map(drop)
    }

    /// Who looks from time to time at how it goes: for the service manager, the status, and the light.
    fn start_watchers(&self, options: &RunOptions, facts: &Facts) -> Result<[JoinHandle<()>; 3], String> {
        let first = facts.continued_at;
        let light = Light {
            choice: options.led.clone(),
            code: options.led_code,
            data: options.data.clone(),
            restarts: facts.restarts,
            first,
            counters: self.counters.clone(),
            memory: self.memory.clone(),
            stop: self.ended.clone(),
        };
        let light = spawn("light", move || light.run())?;
        let (counters, memory, ended) = (self.counters.clone(), self.memory.clone(), self.ended.clone());
        let watchdog = spawn("watchdog", move || watchdog::feed(&counters, &memory, first, &ended))?;
        let (counters, ended) = (self.counters.clone(), self.ended.clone());
        Ok([light, watchdog, spawn("selftest", move || selftest::watch(&counters, first, &ended))?])
    }

    fn start_judge(&self, real_time: RealTime) -> Result<JoinHandle<()>, String> {
        let judge = Judge::new(self.memory.clone(), self.doubt.clone(), self.ended.clone());
        spawn("judge", move || judge.run(real_time != RealTime::Off))
    }

    fn start_load(&self, options: &RunOptions) -> Result<JoinHandle<()>, String> {
        let load = Load {
            memory: self.memory.clone(),
            counters: self.counters.clone(),
            rate: options.rate,
            workers: options.workers,
            stop: self.ended.clone(),
        };
        spawn("load", move || load.run())
    }

    /// Starts to keep the patch, if there is a file for it; gives what the control thread hears of it.
    fn start_patch(&self, options: &RunOptions) -> Result<(Option<JoinHandle<()>>, PatchInput), String> {
        let Some(path) = options.patch.clone() else { return Ok((None, PatchInput::none())) };
        let (offers, input) = patch::exchange();
        let keeper = PatchKeeper {
            path,
            memory: self.memory.clone(),
            counters: self.counters.clone(),
            rate: options.rate,
            offers: Some(offers).filter(|_: &Offers| !self.memory.continuation.knows_patch()),
            stop: self.ended.clone(),
        };
        Ok((Some(spawn("patch", move || keeper.run())?), input))
    }

    fn start_supervisor(
        &self,
        options: &RunOptions,
        placement: Placement,
        quarantined: SyncSender<CommandPlace>,
    ) -> Result<JoinHandle<()>, String> {
        let rate = options.rate;
        let conditions = Conditions {
            memory: self.memory.clone(),
            counters: self.counters.clone(),
            alarm: self.alarm.clone(),
            cores: placement.slots,
            real_time: options.real_time,
            stuck_on: AtomicU64::new(0),
            start_over: Box::new(move |memory| start_over([&memory.slots[0], &memory.slots[1]], rate)),
            quarantined,
        };
        let supervisor = Supervisor::new(conditions, options.workers, self.ended.clone())?;
        spawn("supervise", move || supervisor.run())
    }

    fn start_audio(
        &self,
        period: Period,
        placement: Placement,
        options: &RunOptions,
    ) -> Result<JoinHandle<Result<(), String>>, String> {
        let (real_time, end) = (options.real_time, self.signals.notifier());
        spawn("audio", move || {
            let _end = end;
            rights::take_for_audio(placement.audio, real_time).and_then(|()| period.run())
        })
    }

    /// Starts who takes commands, and who records.
    #[allow(clippy::too_many_arguments)]
    fn start_control(
        &self,
        options: &RunOptions,
        receiver: Option<Receiver>,
        facts: Facts,
        kept: Option<KeptScore>,
        quarantines: Receiving<CommandPlace>,
        patch: PatchInput,
        taken: Taken,
    ) -> Result<(JoinHandle<()>, Option<JoinHandle<()>>), String> {
        let beat = !matches!(options.sink, SinkChoice::Free(_));
        let (memory, clock, counters) = (self.memory.clone(), self.clock.clone(), self.counters.clone());
        let stamper = Stamper::new(memory, clock, counters, facts.rate, facts.lead, beat, kept);
        let (input, queue) = inbox();
        let hands = hands::start(&options.controls, facts.rate, &input, &self.ended)?;
        let replies = match receiver {
            Some(receiver) => {
                let streams = Streams::new().map_err(|error| format!("event descriptor: {error}"))?;
                self.start_query(options, &receiver, &streams, input.another())?;
                start_receiving(receiver, streams, input, self.counters.clone(), self.ended.clone())?
            }
            // Nobody is answered.
            None => WayBack::to_nobody()?,
        };
        let (recordings, recording) = self.start_recording(options, taken.tape, &replies)?.unzip();
        let control = Control {
            stamper,
            notes: taken.notes,
            recordings,
            memory: self.memory.clone(),
            counters: self.counters.clone(),
            facts,
            quarantines,
            patch,
            desk: PresetDesk::new(Presets::beside(options.patch.clone())),
            hands,
            bindings: options.bindings.clone(),
            dump: Dump::default(),
            stop: self.ended.clone(),
        };
        Ok((spawn("control", move || control.run(&queue, &replies))?, recording))
    }
}

/// New memory, which outlives this process where there is a service manager that keeps it.
fn share_memory(commands: &[abi::Command], options: &RunOptions, blocks: Option<u64>) -> std::io::Result<SharedMemory> {
    let memory = SharedMemory::create(commands)?;
    let start = EngineState::at_start(options.rate);
    memory.slots.iter().for_each(|slot| slot.publish_snapshot(0, start.as_words(), 0));
    adoption::keep(&memory, options, blocks)?;
    Ok(memory)
}
