//! What the kernel tells about processes.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The living children of a process, zombies not counted.
pub fn children(process: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|word| word.parse().ok()).collect::<Vec<u32>>()).collect()
}

/// Whether a process is there and no zombie.
pub fn alive(process: u32) -> bool {
    state(process).is_some_and(|state| state != 'Z' && state != 'X')
}

/// The letter of a process's state, as in `ps`.
pub fn state(process: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// Sends a signal; whether the process was there.
pub fn send(process: u32, signal: Signal) -> bool {
    kill(Pid::from_raw(process as i32), signal).is_ok()
}

/// How many of something a process has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Belongings {
    /// Open descriptors.
    pub descriptors: usize,
    /// Threads.
    pub threads: usize,
    /// Memory mappings.
    pub mappings: usize,
    /// Children.
    pub children: usize,
}

impl Belongings {
    /// Those of a process.
    pub fn of(process: u32) -> Self {
        let entries = |what: &str| fs::read_dir(format!("/proc/{process}/{what}")).map_or(0, Iterator::count);
        let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap_or_default();
        Self {
            descriptors: entries("fd"),
            threads: entries("task"),
            mappings: maps.lines().count(),
            children: children(process).len(),
        }
    }
}

/// Resident memory of a process, in KiB.
pub fn resident_kib(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Processor time all threads of a process have used, in nanoseconds.
pub fn processor_time(process: u32) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let times = tasks.filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok());
    times.filter_map(|line| line.split_whitespace().next()?.parse::<u64>().ok()).sum()
}

/// Minor and major page faults of a thread so far.
pub fn page_faults(process: u32, thread: u32) -> [u64; 2] {
    let stat = fs::read_to_string(format!("/proc/{process}/task/{thread}/stat")).expect("the thread is there");
    let fields: Vec<_> = stat.rsplit_once(") ").expect("a stat line").1.split_whitespace().collect();
    // Fields 10 and 12 of proc(5), counted from the state, which is field 3.
    [fields[7].parse().expect("a number"), fields[9].parse().expect("a number")]
}

/// The thread of a process that has this name.
pub fn thread_named(process: u32, name: &str) -> Option<u32> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).ok()?.flatten();
    tasks.into_iter().find_map(|task| {
        let comm = fs::read_to_string(task.path().join("comm")).ok()?;
        (comm.trim() == name).then(|| task.file_name().to_str()?.parse().ok())?
    })
}

/// Time for which a thread of a process, or all of them, were ready to run and waited for a processor, in nanoseconds.
pub fn waiting_time(process: u32, thread: Option<u32>) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let tasks = tasks.filter(|task| thread.is_none_or(|thread| task.file_name().to_str() == Some(&thread.to_string())));
    let times = tasks.filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok());
    times.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum()
}
