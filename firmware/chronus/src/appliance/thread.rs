//! How a thread is scheduled, by what the kernel shows of it.

use rt::cores::cores_of_list;

use super::machine::Machine;

/// The kernel's number for SCHED_FIFO in a thread's `stat`.
const FIFO: u32 = 1;

/// A thread.
pub struct Thread {
    /// Its own name.
    pub name: String,
    /// Its priority under SCHED_FIFO, if it is under that.
    pub fifo: Option<i32>,
    /// The process that started its process.
    pub parent: u32,
    /// Cores it may run on.
    pub cores: Vec<usize>,
}

impl Thread {
    /// The thread shown in a folder such as `proc/7` or `proc/7/task/9`; `None` if it is not there (any more).
    pub fn read(machine: &Machine, folder: &str) -> Option<Self> {
        let stat = machine.read(&format!("{folder}/stat")).ok()?;
        // The name stands in brackets and may have any characters in it. Behind it: 3 state, 4 parent, and so on to 40
        // real-time priority and 41 policy, as proc(5) numbers them.
        let (before, behind) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = behind.split_whitespace().collect();
        let number = |field: usize| fields.get(field - 3)?.parse::<u32>().ok();
        let priority = number(40)?;
        let status = machine.read(&format!("{folder}/status")).unwrap_or_default();
        let cores = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap_or_default();
        Some(Self {
            name: before.split_once('(')?.1.to_owned(),
            fifo: (number(41)? == FIFO).then_some(priority as i32),
            parent: number(4)?,
            cores: cores_of_list(cores),
        })
    }

    /// Its priority for a person to read.
    pub fn priority(&self) -> String {
        self.fifo.map_or_else(|| "normal".to_owned(), |priority| priority.to_string())
    }
}
