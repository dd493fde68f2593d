//! Conditions of the engine itself.

use rt::scheduling::{AUDIO_PRIORITY, START_PRIORITY, SUPERVISE_PRIORITY, WORKER_PRIORITY};

use super::boot::{ENGINE_CORES, words_of_cores};
use super::machine::Machine;
use super::reading::Reading;
use super::thread::Thread;

/// The engine's process: that this is part of, or the first program of its name with a thread for sound.
fn find(machine: &Machine) -> Option<u32> {
    let is_engine = |process: &u32| {
        let name = machine.read(&format!("proc/{process}/comm")).unwrap_or_default();
        name == "chronus" && threads(machine, *process).iter().any(|thread| thread.name == "audio")
    };
    machine.engine.or_else(|| machine.numbers("proc").into_iter().find(is_engine))
}

fn threads(machine: &Machine, process: u32) -> Vec<Thread> {
    let folder = format!("proc/{process}/task");
    machine.numbers(&folder).iter().filter_map(|thread| Thread::read(machine, &format!("{folder}/{thread}"))).collect()
}

fn not_running() -> Reading {
    Reading::new(false, "no engine is running")
}

/// The soft limit of this name in the kernel's table of them; unlimited is the highest number.
fn limit(limits: &str, name: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
    let word = line.split_whitespace().next()?;
    if word == "unlimited" { Some(u64::MAX) } else { word.parse().ok() }
}

/// What the engine may lock and how high it may go; and whether it has locked anything.
pub fn engine_limits(machine: &Machine) -> Reading {
    let Some(process) = find(machine) else { return not_running() };
    let judge = |limits: &str| {
        let memory = limit(limits, "Max locked memory").unwrap_or(0);
        let priority = limit(limits, "Max realtime priority").unwrap_or(0);
        let status = machine.read(&format!("proc/{process}/status")).unwrap_or_default();
        let locked = status.lines().find_map(|line| line.strip_prefix("VmLck:")).unwrap_or("0 kB").trim();
        let words = if memory == u64::MAX { "unlimited".to_owned() } else { format!("{memory} bytes") };
        let holds = memory == u64::MAX && priority >= AUDIO_PRIORITY as u64 && !locked.starts_with("0 ");
        Reading::new(holds, format!("memory {words} ({locked} locked), priority {priority}"))
    };
    machine.judge(&format!("proc/{process}/limits"), judge, not_running)
}

/// Whether the engine's threads have their priorities, and audio and workers a core each.
pub fn engine_real_time(machine: &Machine) -> Reading {
    let Some(process) = find(machine) else { return not_running() };
    let all = threads(machine, process);
    let own = |name: &str| all.iter().find(|thread| thread.name == name);
    let (Some(audio), Some(supervise)) = (own("audio"), own("supervise")) else { return not_running() };
    let others = machine.numbers("proc").into_iter().filter(|other| *other != process);
    let others = others.filter_map(|other| Thread::read(machine, &format!("proc/{other}")));
    let workers: Vec<_> =
        others.filter(|other| other.parent == process && other.name.starts_with("chronus-w")).collect();
    if workers.is_empty() && !machine.has("proc/1") {
        return Reading::unknown("processes of others are hidden from this one, and so may be the workers");
    }
    let mut cores: Vec<usize> = Vec::new();
    for thread in workers.iter().chain([audio]) {
        // Its own, and nobody else's.
        let alone = <[usize; 1]>::try_from(thread.cores.clone()).is_ok_and(|[core]| {
            let new = !cores.contains(&core);
            cores.push(core);
            new && ENGINE_CORES.contains(&core)
        });
        if !alone {
            return Reading::new(false, format!("{} on the cores {}", thread.name, words_of_cores(&thread.cores)));
        }
    }
    // A worker that has just been started has not yet its own.
    let is_worker = |worker: &Thread| [Some(WORKER_PRIORITY), Some(START_PRIORITY)].contains(&worker.fifo);
    let holds = audio.fifo == Some(AUDIO_PRIORITY)
        && supervise.fifo == Some(SUPERVISE_PRIORITY)
        && !workers.is_empty()
        && workers.iter().all(is_worker);
    let threads = [audio, supervise].into_iter().chain(&workers);
    let words =
        threads.map(|thread| format!("{} {} on {}", thread.name, thread.priority(), words_of_cores(&thread.cores)));
    Reading::new(holds, words.collect::<Vec<_>>().join(", "))
}
