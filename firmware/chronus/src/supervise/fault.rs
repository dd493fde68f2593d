//! Test builds: which fault the worker of an epoch is started with.

use shm::{Fate, KILL_POINTS, KillPoint};

use crate::worker::{Fault, Flip, FlipTarget};

/// Turns of an empty loop that a command costs a slow worker: some microseconds, a hundred times what it costs a good
/// one. So the most commands a score may have are enough to overload it for minutes.
const SLOW_TURNS: u64 = 10_000;

/// Every so many workers of slot 1 the soak has one that flips a bit: often enough to be had within three kills, rare
/// enough that most of what happens to the slot is something else.
const SOAK_FLIP_EPOCHS: u64 = 4;

/// Epochs that each engine before this one in a performance counts for, so that its successor flips other bits than it
/// did: a multiple of the above, or the soak would not know which worker flips one, and no multiple of that times the
/// number of targets, or each engine would begin with the same.
const RESTART_EPOCHS: u64 = 5 * SOAK_FLIP_EPOCHS;

/// With CHRONUS_FAULTS set to `kill`, `spin`, `slow`, or `flip0` or `flip1` (the slot whose workers flip bits): what
/// the worker of this epoch does. All points and all targets in turn, each time after another number of passes. Only
/// one slot spins or flips: with both wrong at once there would be nothing right to hear. With `soak` every fourth
/// worker of slot 1 flips a bit, once both slots have been well for a while; whoever wants one now kills the others. `restarts` are the engines before this one.
pub fn planned_fault(slot: usize, epoch: u64, restarts: u64) -> Option<Fault> {
    if !cfg!(feature = "faults") {
        return None;
    }
    let epoch = epoch + restarts * RESTART_EPOCHS;
    // Multiplied by a large prime (Knuth's, of the golden ratio) the epoch gives scattered numbers.
    let scattered = epoch.wrapping_mul(2_654_435_761);
    let flip = |turn: u64, after: u64| {
        let target = FlipTarget::ALL[turn as usize % FlipTarget::ALL.len()];
        Some(Fault::Flip(Flip { target, after, bit: scattered >> 4 }))
    };
    let fate = match (std::env::var("CHRONUS_FAULTS").as_deref(), slot) {
        (Ok("kill"), _) => Fate::Killed,
        (Ok("spin"), 0) => Fate::Spinning,
        (Ok("slow"), _) => return Some(Fault::Slow(SLOW_TURNS)),
        (Ok("flip0"), 0) | (Ok("flip1"), 1) => return flip(epoch, scattered % 13),
        // 40 to 60 blocks, a fifth to a third of a second: the other slot is in lockstep again by then.
        (Ok("soak"), 1) if epoch.is_multiple_of(SOAK_FLIP_EPOCHS) => {
            return flip(epoch / SOAK_FLIP_EPOCHS, 40 + scattered % 21);
        }
        _ => return None,
    };
    let place = (epoch as usize + slot * KILL_POINTS.len() / 2) % KILL_POINTS.len();
    // A command that loops for ever is poison, which is another test's.
    if fate == Fate::Spinning && KILL_POINTS[place] == KillPoint::CommandNoted {
        return None;
    }
    // The points of a start are passed once per life; a number of passes beyond that would never come.
    let once = place <= KillPoint::JoinAnnounced as usize;
    let passes = if once { 0 } else { scattered % 61 };
    Some(Fault::At(KILL_POINTS[place], passes as u32, fate))
}
