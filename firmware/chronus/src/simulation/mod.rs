//! Test builds: `chronus simulate`. The whole engine in one thread, on a simulated machine, through seeded schedules of
//! faults, thousands of times faster than real time. A run that breaks a promise prints its seed, and `--seed` runs it
//! again, step by step the same.

mod listener;
mod random;
mod schedule;
pub mod sound;
mod worker;
mod world;

use std::ffi::OsString;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use rt::process::Executable;
use rt::scheduling::RealTime;

use crate::audio::sink::{PacedSink, Sink};
use crate::audio::{Alarm, AudioClock, Doubt, Period, SharedMemory};
use crate::judge::Judge;
use crate::report::{Counters, SlotState};
use crate::stamp::Stamper;
use crate::supervise::{Conditions, Supervisor};
use crate::worker::EngineState;
use listener::Listener;
use random::Random;
use schedule::{Done, Schedule, Weather};
use world::{Cast, World};

const RATE: u32 = 48_000;
/// Blocks of a run, 16 s of sound: some fifty single faults, or five hundred in a storm.
const BLOCKS: u64 = 3000;
/// Blocks at the end of a run without faults, in which all must become well again.
const CALM_BLOCKS: u64 = 600;
/// The last of these, in which all must be well.
const WELL_BLOCKS: u64 = 200;

/// What a run came to.
struct Outcome {
    done: Done,
    late: Vec<u64>,
    wrong: Vec<u64>,
    quarantined: u64,
    divergences: u64,
    undecided: u64,
    deaths: u64,
    redundant: bool,
}

/// Runs schedules: `--runs N` of them, from `--seed S` on.
///
/// # Errors
/// The seed of the first run that broke a promise, and how.
pub fn run(words: &[OsString]) -> Result<(), String> {
    let number = |name: &str| {
        let place = words.iter().position(|word| word == name)?;
        words.get(place + 1)?.to_str()?.parse::<u64>().ok()
    };
    let (first, runs) = (number("--seed").unwrap_or(1), number("--runs").unwrap_or(1));
    // Of the messages only errors: a thousand workers die in every second.
    log::set_max_level(if runs == 1 { log::LevelFilter::Info } else { log::LevelFilter::Error });
    let started = Instant::now();
    let mut sum = Done::default();
    let (mut late, mut wrong) = (0, 0);
    for seed in first..first + runs {
        let weather = if seed % 2 == 0 { Weather::Single } else { Weather::Storm };
        let outcome = simulate(seed, weather);
        if runs == 1 {
            println!("{weather:?}: {:?}, late {:?}, wrong {:?}", outcome.done, outcome.late, outcome.wrong);
        }
        check(&outcome, weather).map_err(|what| format!("seed {seed} ({weather:?}): {what}"))?;
        sum.commands += outcome.done.commands;
        sum.poisons += outcome.done.poisons;
        sum.flips += outcome.done.flips;
        sum.others += outcome.done.others;
        late += outcome.late.len();
        wrong += outcome.wrong.len();
    }
    let simulated = (runs * BLOCKS * abi::FRAMES as u64) as f64 / f64::from(RATE);
    let times = simulated / started.elapsed().as_secs_f64();
    println!(
        "{runs} runs of {BLOCKS} blocks, {} commands, {} poisons, {} flipped bits, {} other faults: \
         {late} late blocks, {wrong} wrong blocks; {times:.0} times real time",
        sum.commands, sum.poisons, sum.flips, sum.others
    );
    Ok(())
}

/// The promises.
fn check(outcome: &Outcome, weather: Weather) -> Result<(), String> {
    let Outcome { done, late, wrong, quarantined, divergences, undecided, deaths, redundant } = outcome;
    let ends_well = BLOCKS - WELL_BLOCKS;
    if !redundant {
        return Err("not redundant again at the end".to_owned());
    }
    if let Some(block) = late.iter().find(|block| **block >= ends_well) {
        return Err(format!("block {block} is late, long after the last fault"));
    }
    if *quarantined != done.poisons {
        return Err(format!("{quarantined} commands are quarantined, {} were poison", done.poisons));
    }
    // At most one wrong block for each flipped bit; with one fault at a time none.
    let most = if weather == Weather::Single { 0 } else { done.flips };
    if wrong.len() as u64 > most {
        return Err(format!("{} blocks are wrong: {wrong:?}", wrong.len()));
    }
    if *divergences > done.flips {
        return Err(format!("{divergences} divergences by {} flipped bits", done.flips));
    }
    // A stopped worker that goes on again may be replaced or not.
    let faults = done.poisons + done.flips + done.others;
    if weather == Weather::Single && *deaths > faults {
        return Err(format!("{deaths} workers died of {faults} faults"));
    }
    if weather == Weather::Single && (!late.is_empty() || *undecided > 0) {
        return Err(format!("one fault at a time made blocks late: {late:?}; {undecided} divergences undecided"));
    }
    Ok(())
}

fn simulate(seed: u64, weather: Weather) -> Outcome {
    let memory = Arc::new(SharedMemory::create(&[]).expect("memory"));
    let start = EngineState::at_start(RATE);
    memory.slots.iter().for_each(|slot| slot.publish_snapshot(0, start.as_words(), 0));
    let (counters, clock) = (Arc::new(Counters::default()), Arc::new(AudioClock::new(RATE)));
    let (alarm, doubt) = (Arc::new(Alarm::new().expect("an event")), Arc::new(Doubt::default()));
    let stop = Arc::new(AtomicBool::new(false));
    let mut random = Random::new(seed);
    let lead = random.between(2, 4);
    let world = Rc::new(World::new(random.bits(), memory.clone(), alarm.clone(), doubt.clone()));
    rt::simulation::install(Some(world.clone()));

    let (quarantined, _quarantines) = sync_channel(1);
    let conditions = Conditions {
        memory: memory.clone(),
        counters: counters.clone(),
        alarm: alarm.clone(),
        cores: [None; 2],
        real_time: RealTime::Off,
        stuck_on: AtomicU64::new(0),
        start_over: Box::new(|_| {}),
        quarantined,
    };
    let executable = Executable::none().expect("a descriptor");
    let supervisor = Supervisor::with(executable, conditions, 2, stop.clone());
    let judge = Judge::new(memory.clone(), doubt.clone(), stop.clone());
    let stamper = Stamper::new(memory.clone(), clock.clone(), counters.clone(), RATE, lead, true, None);
    let now = rt::clock::monotonic();
    let calm_from = now + clock.offset_of_block(BLOCKS - CALM_BLOCKS);
    let schedule = Schedule {
        stamper,
        random,
        weather,
        calm_from,
        next_fault: now + 100_000_000,
        resumed: None,
        done: Done::default(),
    };
    let schedule = Rc::new(std::cell::RefCell::new(schedule));
    let acting = schedule.clone();
    let act = Box::new(move |world: &World| Some(acting.borrow_mut().act(world)));
    world.enter(Cast { supervisor, judge, act });

    let listener = Arc::new(Mutex::new(Listener::new(memory.clone(), counters.clone(), start)));
    let hearing = listener.clone();
    let sink = Sink::Heard(
        PacedSink::new(3, &clock),
        Box::new(move |number, block| hearing.lock().expect("one thread").hear(number, block)),
    );
    let period = Period {
        memory: memory.clone(),
        counters: counters.clone(),
        clock,
        alarm,
        doubt,
        stop,
        lead,
        blocks: Some(BLOCKS),
        sink,
        recorder: None,
        tape: None,
        notes: None,
    };
    period.run().expect("the first block comes");
    rt::simulation::install(None);
    world.leave();
    let mut listener = listener.lock().expect("one thread");
    listener.compare();
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let redundant = counters.slots.iter().all(|slot| slot.state() == SlotState::Lockstep);
    let done = schedule.borrow().done;
    Outcome {
        done,
        late: std::mem::take(&mut listener.late),
        wrong: std::mem::take(&mut listener.wrong),
        quarantined: read(&counters.quarantined),
        divergences: read(&counters.divergences),
        undecided: read(&counters.undecided),
        deaths: counters.slots.iter().map(|slot| read(&slot.deaths)).sum(),
        redundant,
    }
}
