//! Real-time rights: asked for once, so that a refusal is said once.

use nix::errno::Errno;
use rt::cores::Placement;
use rt::memory::lock_all;
use rt::scheduling::{AUDIO_PRIORITY, RealTime, set_fifo};

use crate::command_line::RunOptions;

/// Decides which core runs what and pins the calling thread, and with it all it starts, to the control core.
///
/// # Errors
/// If a core chosen by hand does not exist.
pub fn placement(options: &RunOptions) -> Result<Placement, String> {
    let mut placement = Placement::here();
    if let Some([audio, first, second]) = options.cores {
        placement.audio = Some(audio);
        placement.slots = [Some(first), Some(second)];
        for core in [audio, first, second] {
            // Tried in a thread of its own: this one keeps its cores.
            let pinned = std::thread::spawn(move || rt::cores::pin(core)).join().unwrap_or(Err(Errno::EINVAL));
            pinned.map_err(|_| {
                format!(
                    "--cores: this machine has no core {core}, or it may not be used; `nproc` tells how many there are"
                )
            })?;
        }
    } else if let Some(core) = placement.control {
        // On a machine that hides core 0 the kernel places the control threads.
        let _ = rt::cores::pin(core);
    }
    Ok(placement)
}

/// Locks this process's memory and tries whether it may run in real time; gives what was granted.
///
/// # Errors
/// If something is refused and `require` was asked for.
pub fn ask(real_time: RealTime) -> Result<String, String> {
    if real_time == RealTime::Off {
        return Ok("not asked for".to_owned());
    }
    let tried = std::thread::spawn(|| set_fifo(AUDIO_PRIORITY)).join().unwrap_or(Err(Errno::EINVAL));
    let refused: Vec<_> = [("SCHED_FIFO", tried, "rtprio 95"), ("locked memory", lock_all(), "memlock unlimited")]
        .into_iter()
        .filter_map(|(what, result, limit)| result.err().map(|error| (what, error, limit)))
        .collect();
    if refused.is_empty() {
        return Ok(format!("granted: SCHED_FIFO {AUDIO_PRIORITY}, locked memory"));
    }
    let what = refused.iter().map(|(what, error, _)| format!("{what} ({error})")).collect::<Vec<_>>().join(", ");
    let limits = refused.iter().map(|(_, _, limit)| format!("`@audio - {limit}`")).collect::<Vec<_>>().join(" and ");
    let text = format!(
        "refused: {what}. Put {limits} into /etc/security/limits.d/audio.conf, add yourself to the group audio and log in again"
    );
    match real_time {
        RealTime::Require => Err(format!("real-time rights {text}; or start with --real-time auto")),
        RealTime::Auto | RealTime::Off => {
            log::warn!("real-time rights {text}; until then another program may be heard as a gap");
            Ok(format!("refused: {what}"))
        }
    }
}

/// Gives the calling thread the audio thread's core and priority.
///
/// # Errors
/// If that is refused and `require` was asked for.
pub fn take_for_audio(core: Option<usize>, real_time: RealTime) -> Result<(), String> {
    let pinned = core.map_or(Ok(()), rt::cores::pin);
    let scheduled = if real_time == RealTime::Off { Ok(()) } else { set_fifo(AUDIO_PRIORITY) };
    match (real_time, pinned.and(scheduled)) {
        (RealTime::Require, Err(error)) => Err(format!("the audio thread gets no real-time rights: {error}")),
        _ => Ok(()),
    }
}
