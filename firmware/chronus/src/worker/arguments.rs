//! How the supervisor tells a worker what it is: words on its command line, memory by descriptor number.

use rt::memory::Remainder;
use rt::scheduling::RealTime;
use shm::{Access, Fate, KILL_POINTS, Mapping, ScoreMemory, SlotMemory};

use super::Mappings;
use super::fault::{Fault, Flip, FlipTarget};

/// The command line of a worker.
#[derive(Clone, Debug, PartialEq)]
pub struct Arguments {
    /// Its slot, 0 or 1.
    pub slot: usize,
    /// Process id of the supervisor; the worker ends when it does.
    pub parent: u32,
    /// Descriptors of log, score, bell, the own and the other slot.
    pub descriptors: [i32; 5],
    /// The core to run on.
    pub core: Option<usize>,
    /// Whether a refusal of real-time rights is fatal.
    pub real_time: RealTime,
    /// Test builds: what is wrong with it.
    pub fault: Option<Fault>,
}

/// What is fetched beforehand: the log, of which each block may need another page, and the program itself, whose code might
/// else have to come from a disk. Of the rest a worker touches what its patch needs: with all of its 44 MB mapped its death
/// was known after 3 to 4 ms, and so after 1.
const FETCHED: [&str; 2] = ["/memfd:chronus-log", "/memfd:chronus "];

const REAL_TIME: [(RealTime, &str); 3] =
    [(RealTime::Require, "require"), (RealTime::Auto, "auto"), (RealTime::Off, "off")];

impl Arguments {
    /// As words, the first being the role.
    pub fn to_words(&self) -> Vec<String> {
        let real_time = REAL_TIME.iter().find(|(value, _)| *value == self.real_time).map_or("auto", |(_, name)| name);
        let mut words = vec!["worker".to_owned(), self.slot.to_string(), self.parent.to_string(), real_time.to_owned()];
        words.extend(self.descriptors.iter().map(i32::to_string));
        words.push(self.core.map_or_else(|| "any".to_owned(), |core| core.to_string()));
        if let Some(fault) = self.fault {
            words.extend(words_of_fault(fault));
        }
        words
    }

    /// From words after the role.
    ///
    /// # Errors
    /// What is wrong; a person who starts a worker by hand reads it.
    pub fn parse(words: &[String]) -> Result<Self, String> {
        let usage = || "workers are started by `chronus run`, not by hand".to_owned();
        let number = |place: usize| words.get(place).and_then(|word| word.parse::<i64>().ok()).ok_or_else(usage);
        let mut descriptors = [0; 5];
        for (place, descriptor) in descriptors.iter_mut().enumerate() {
            *descriptor = i32::try_from(number(3 + place)?).map_err(|_| usage())?;
        }
        let fault = match words.get(9) {
            Some(_) => Some(fault_of_words(words.get(9..).unwrap_or_default()).ok_or_else(usage)?),
            None => None,
        };
        Ok(Self {
            slot: usize::try_from(number(0)?).ok().filter(|slot| *slot < 2).ok_or_else(usage)?,
            parent: number(1)? as u32,
            real_time: REAL_TIME
                .iter()
                .find(|(_, name)| words.get(2).is_some_and(|word| word == name))
                .ok_or_else(usage)?
                .0,
            descriptors,
            core: words.get(8).ok_or_else(usage)?.parse().ok(),
            fault,
        })
    }

    pub(super) fn open_memory(&self) -> Result<Mappings, String> {
        let inherit = |place: usize| {
            rt::process::inherited(self.descriptors[place])
                .map_err(|error| format!("inherited memory {place}: {error}"))
        };
        let damaged = |error: std::io::Error| format!("inherited memory: {error}");
        // None of these descriptors is ever closed: that would drop the hold on the slot, see `prepare_process`.
        Ok(Mappings {
            slot: self.slot,
            log: Mapping::open(inherit(0)?, Access::ReadOnly).map_err(damaged)?,
            score: ScoreMemory::open(inherit(1)?).map_err(damaged)?,
            bell: Mapping::open(inherit(2)?, Access::ReadWrite).map_err(damaged)?,
            own: Mapping::open(inherit(3)?, Access::ReadWrite).map_err(damaged)?,
            other: Mapping::open(inherit(4)?, Access::ReadOnly).map_err(damaged)?,
        })
    }

    /// Ties this process to its supervisor, gives it its slot, its core and priority, and takes from it all the rest.
    /// Gives what of its memory it has still to fetch.
    pub(super) fn prepare_process(&self, own: &Mapping<SlotMemory>) -> Result<Remainder, String> {
        rt::process::leave_no_core();
        rt::memory::limit_stack();
        // Started from a descriptor, it would be shown under the descriptor's number.
        rt::process::set_name(if self.slot == 0 { c"chronus-w0" } else { c"chronus-w1" });
        rt::process::die_with_parent(self.parent).map_err(|_| "the supervisor is gone".to_owned())?;
        // Two never write in one slot. A supervisor waits for the death of a worker before it starts the next; but of
        // one that was killed the worker dies a little later, and its successor does not know it.
        own.hold_until_death().map_err(|error| format!("no hold on the slot: {error}"))?;
        let refused = |what: &str, error: nix::errno::Errno| match self.real_time {
            RealTime::Require => Err(format!("{what}: {error}")),
            // The supervisor has said so already, once.
            RealTime::Auto | RealTime::Off => Ok(()),
        };
        if let Some(core) = self.core {
            rt::cores::pin(core).or_else(|error| refused("pinning to its core", error))?;
        }
        let mut remainder = Remainder::default();
        if self.real_time != RealTime::Off {
            rt::scheduling::set_fifo(rt::scheduling::WORKER_PRIORITY).or_else(|error| refused("SCHED_FIFO", error))?;
            match rt::memory::lock_what_is_touched() {
                Ok(()) => remainder = Remainder::of_files(&FETCHED),
                Err(error) => refused("locking memory", error)?,
            }
        }
        rt::memory::prefault_stack();
        if let Err(error) = rt::seccomp::confine_worker() {
            // An emulator or an old kernel: the filter is a second wall, not the first.
            log::debug!("no system call filter: {error}");
        }
        Ok(remainder)
    }
}

/// The words of a fault: its kind and three numbers.
fn words_of_fault(fault: Fault) -> [String; 4] {
    let (kind, numbers) = match fault {
        Fault::At(point, passes, Fate::Killed) => ("kill", [point as u64, u64::from(passes), 0]),
        Fault::At(point, passes, Fate::Spinning) => ("spin", [point as u64, u64::from(passes), 0]),
        Fault::Flip(flip) => ("flip", [flip.target as u64, flip.after, flip.bit]),
        Fault::Slow(turns) => ("slow", [0, turns, 0]),
    };
    let [first, second, third] = numbers.map(|number| number.to_string());
    [kind.to_owned(), first, second, third]
}

fn fault_of_words(words: &[String]) -> Option<Fault> {
    let [kind, numbers @ ..] = words else { return None };
    let [place, count, bit] = <&[String; 3]>::try_from(numbers).ok()?.each_ref().map(|word| word.parse::<u64>().ok());
    let (place, count) = (usize::try_from(place?).ok()?, count?);
    let point = || KILL_POINTS.get(place).copied();
    Some(match kind.as_str() {
        "kill" => Fault::At(point()?, count as u32, Fate::Killed),
        "spin" => Fault::At(point()?, count as u32, Fate::Spinning),
        "flip" => Fault::Flip(Flip { target: *FlipTarget::ALL.get(place)?, after: count, bit: bit? }),
        "slow" => Fault::Slow(count),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use shm::KillPoint;

    #[test]
    fn what_the_supervisor_writes_the_worker_reads() {
        let flip = Flip { target: FlipTarget::PublishedBlock, after: 9, bit: 1 << 40 };
        let at = |fate| Some(Fault::At(KillPoint::BlockHalf, 7, fate));
        for fault in [None, at(Fate::Spinning), at(Fate::Killed), Some(Fault::Flip(flip)), Some(Fault::Slow(8))] {
            for core in [None, Some(3)] {
                let arguments = Arguments {
                    slot: 1,
                    parent: 4242,
                    descriptors: [3, 4, 5, 6, 7],
                    core,
                    real_time: RealTime::Require,
                    fault,
                };
                assert_eq!(Arguments::parse(&arguments.to_words()[1..]), Ok(arguments));
            }
        }
        assert!(Arguments::parse(&[]).is_err());
        assert!(Arguments::parse(&["2".to_owned()]).is_err());
    }
}
