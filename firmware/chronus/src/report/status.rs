//! The counters as key and value pairs: the reply to `/health`.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use rosc::OscType;

use super::counters::{Counters, SlotState, SoundCard};
use super::data::data_word;
use super::histogram::Histogram;
use super::load::percent_of_period;

/// What does not change while the engine runs, for the status.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Sample rate in Hz.
    pub rate: u32,
    /// Blocks rendered ahead.
    pub lead: u64,
    /// Frames from a message's arrival to the frame at which it takes effect.
    pub command_latency: u64,
    /// What the sound goes to.
    pub sink: String,
    /// The file in which the values of all parameters are kept, if any.
    pub patch: Option<String>,
    /// The folder recordings go to, if any.
    pub recordings: Option<String>,
    /// The file that says what became of the DATA partition, on a box.
    pub data: Option<PathBuf>,
    /// Which real-time rights were granted.
    pub real_time: String,
    /// Engines before this one that were ended in this performance.
    pub restarts: u64,
    /// The block with which this engine began.
    pub continued_at: u64,
}

fn long(value: u64) -> OscType {
    OscType::Long(value.min(i64::MAX as u64) as i64)
}

fn read(counter: &AtomicU64) -> OscType {
    long(counter.load(Ordering::Relaxed))
}

fn microseconds(nanoseconds: u64) -> OscType {
    OscType::Float((nanoseconds as f64 / 1000.0) as f32)
}

struct Pairs(Vec<OscType>);

impl Pairs {
    fn add(&mut self, key: impl Into<String>, value: OscType) {
        self.0.extend([OscType::String(key.into()), value]);
    }

    fn add_histogram(&mut self, key: &str, histogram: &Histogram, unit: fn(u64) -> OscType) {
        self.add(format!("{key}.count"), long(histogram.count()));
        for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
            self.add(format!("{key}.{name}"), unit(histogram.quantile(share)));
        }
        self.add(format!("{key}.max"), unit(histogram.maximum()));
    }

    fn add_load(&mut self, counters: &Counters, rate: u32) {
        let load = &counters.load;
        let percent = |time: &AtomicU64| OscType::Float(percent_of_period(time, rate));
        let time = |time: &AtomicU64| microseconds(time.load(Ordering::Relaxed));
        self.add("load.block_us", time(&load.block));
        self.add("load.block_percent", percent(&load.block));
        for (number, module) in load.modules().iter().enumerate() {
            let key = |name: &str| format!("load.modules.{number}.{name}");
            self.add(key("name"), OscType::String(module.name.to_owned()));
            self.add(key("us"), time(&module.nanoseconds));
            self.add(key("percent"), percent(&module.nanoseconds));
        }
        let command = load.thousand_commands.load(Ordering::Relaxed) as f64 / 1e6;
        self.add("load.command_us", OscType::Float(command as f32));
        self.add("load.commands_most", read(&load.commands_most));
        self.add("load.worker_us", time(&load.worker));
        self.add("load.worker_percent", percent(&load.worker));
        self.add("load.overloads", read(&load.overloads));
    }

    fn add_streams(&mut self, counters: &Counters) {
        let streams = &counters.streams;
        if !streams.listening.load(Ordering::Relaxed) {
            return;
        }
        self.add("tcp.open", read(&streams.open));
        self.add("tcp.accepted", read(&streams.accepted));
        self.add("tcp.refused", read(&streams.refused));
        self.add("tcp.slow", read(&streams.slow));
        self.add("tcp.broken", read(&streams.broken));
        self.add("tcp.dropped", read(&streams.dropped));
    }

    fn add_query(&mut self, counters: &Counters) {
        let query = &counters.query;
        let Some(address) = query.address.get() else { return };
        self.add("query.address", OscType::String(address.to_string()));
        self.add("query.open", read(&query.open));
        self.add("query.sockets", read(&query.sockets));
        self.add("query.accepted", read(&query.accepted));
        self.add("query.refused", read(&query.refused));
        self.add("query.requests", read(&query.requests));
        self.add("query.slow", read(&query.slow));
        self.add("query.broken", read(&query.broken));
        self.add("query.dropped", read(&query.dropped));
    }

    fn add_selftest(&mut self, counters: &Counters) {
        let Some(sum) = counters.selftest.get() else { return };
        self.add("selftest.held", long(sum.held));
        self.add("selftest.not_applicable", long(sum.not_applicable));
        for (list, names) in [("failed", sum.failed), ("unknown", sum.unknown)] {
            for (number, name) in names.into_iter().enumerate() {
                self.add(format!("selftest.{list}.{number}"), OscType::String(name));
            }
        }
    }

    fn add_card(&mut self, counters: &Counters) {
        // Of a card that plays, what was said before it did is of no interest.
        if let Some(refusal) = counters.card_refusal.get().filter(|_| counters.sound_card.get() != SoundCard::Playing) {
            self.add("card.refused", OscType::String(refusal));
        }
        let Some(choice) = counters.card_choice.get() else { return };
        self.add("card.device", OscType::String(choice.device.unwrap_or_else(|| "none".to_owned())));
        self.add("card.name", OscType::String(choice.card));
        self.add("card.why", OscType::String(choice.why));
        for (number, other) in choice.others.into_iter().enumerate() {
            self.add(format!("card.others.{number}.other_card"), OscType::String(other.card));
            self.add(format!("card.others.{number}.why_not"), OscType::String(other.why));
        }
    }

    fn add_slots(&mut self, counters: &Counters) {
        for (number, slot) in counters.slots.iter().enumerate() {
            if slot.state() == SlotState::Off {
                continue;
            }
            let key = |name: &str| format!("slots.{number}.{name}");
            self.add(key("slot"), OscType::Int(number as i32));
            self.add(key("pid"), OscType::Int(slot.pid.load(Ordering::Relaxed) as i32));
            self.add(key("epoch"), read(&slot.epoch));
            self.add(key("state"), OscType::String(slot.state().name().to_owned()));
            self.add(key("deaths"), read(&slot.deaths));
            self.add(key("declared"), read(&slot.declared));
            self.add(key("wrong"), read(&slot.wrong));
            self.add(key("death_known_ns"), read(&slot.death_known));
            self.add(key("redundant_ns"), read(&slot.redundant));
        }
    }
}

/// All of it: keys are dotted paths, with numbers for places in a list. `applied` is how many commands of the
/// log the newest state has behind it, `origin` the time of frame 0 on CLOCK_MONOTONIC, `quarantine` the
/// pairs of what was quarantined.
pub fn status_pairs(
    facts: &Facts,
    counters: &Counters,
    applied: u64,
    origin: u64,
    quarantine: Vec<OscType>,
) -> Vec<OscType> {
    let mut pairs = Pairs(Vec::new());
    pairs.add("version", OscType::String(env!("CARGO_PKG_VERSION").to_owned()));
    pairs.add("block", read(&counters.blocks));
    pairs.add("rate", OscType::Int(facts.rate as i32));
    pairs.add("lead", OscType::Int(facts.lead as i32));
    pairs.add("sink", OscType::String(facts.sink.clone()));
    pairs.add("restarts", long(facts.restarts));
    pairs.add("continued_at_block", long(facts.continued_at));
    pairs.add("late_blocks", read(&counters.late_blocks));
    pairs.add("xruns", read(&counters.xruns));
    pairs.add("divergences", read(&counters.divergences));
    pairs.add("divergences_undecided", read(&counters.undecided));
    pairs.add_slots(counters);
    pairs.add("started_over", long(counters.beginnings.load(Ordering::Relaxed) / 2));
    pairs.add("commands.received", read(&counters.received));
    pairs.add("commands.applied", long(applied));
    pairs.add("commands.refused", read(&counters.refused));
    pairs.add("commands.quarantined", read(&counters.quarantined));
    pairs.add("commands.late", read(&counters.late_commands));
    pairs.add("commands.waiting", read(&counters.waiting));
    pairs.add("commands.latency_frames", long(facts.command_latency));
    pairs.add("network.dropped_by_kernel", read(&counters.kernel_drops));
    pairs.add("network.dropped_by_queue", read(&counters.queue_drops));
    pairs.add("network.dropped_flood", read(&counters.flood_drops));
    pairs.add("network.floods", read(&counters.floods));
    pairs.add("network.replies_withheld", read(&counters.replies_withheld));
    pairs.add("network.dump_left_out", read(&counters.dump_left_out));
    pairs.add_streams(counters);
    pairs.add_query(counters);
    pairs.add("damaged_copies", read(&counters.damaged));
    pairs.add("not_finite", read(&counters.not_finite));
    pairs.add("recorder_drops", read(&counters.recorder_drops));
    pairs.add("sound_card", OscType::String(counters.sound_card.get().name().to_owned()));
    pairs.add_card(counters);
    pairs.add("device_lost", read(&counters.device_lost));
    pairs.add("device_reopened", read(&counters.device_reopened));
    if let Some(file) = &facts.patch {
        pairs.add("patch.file", OscType::String(file.clone()));
        pairs.add("patch.state", OscType::String(counters.patch.get().name().to_owned()));
        pairs.add("patch.loaded", read(&counters.patch.loaded));
        pairs.add("patch.written", read(&counters.patch.written));
    }
    if let Some(folder) = &facts.recordings {
        pairs.add("record.folder", OscType::String(folder.clone()));
    }
    counters.record.pairs(facts.rate).into_iter().for_each(|(key, value)| pairs.add(key, value));
    if let Some(file) = &facts.data {
        pairs.add("data", OscType::String(data_word(file).unwrap_or("not yet").to_owned()));
    }
    pairs.add("led.state", OscType::String(counters.light.get().name().to_owned()));
    pairs.add("led.code", OscType::Int(counters.light.get().code().into()));
    pairs.add("led.lamp", OscType::String(counters.light.lamp().to_owned()));
    pairs.add("real_time", OscType::String(facts.real_time.clone()));
    pairs.add_selftest(counters);
    pairs.add("audio.clock_origin_ns", long(origin));
    pairs.add_histogram("audio.work_us", &counters.work, microseconds);
    pairs.add_histogram("audio.waking_us", &counters.waking, microseconds);
    pairs.add_histogram("audio.choosing_us", &counters.choosing, microseconds);
    pairs.add_histogram("audio.wake_up_us", &counters.wake_up, microseconds);
    pairs.add_load(counters, facts.rate);
    pairs.add_histogram("rejoin_blocks", &counters.rejoin_blocks, long);
    pairs.add_histogram("declared_lag_blocks", &counters.declared_lag, long);
    if cfg!(feature = "faults") {
        // The soak adds them up over engines that are killed and so never say how it went.
        pairs.add("faults.flipped_bits", read(&counters.flips));
        pairs.add("faults.rightly_named", read(&counters.rightly_named));
        pairs.add("faults.wrongly_named", read(&counters.wrongly_named));
    }
    pairs.0.extend(quarantine);
    pairs.0
}
