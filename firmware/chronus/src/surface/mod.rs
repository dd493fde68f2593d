//! The knobs, buttons and switches of the box. A thread of its own on the control core waits for edges of the pins (it
//! uses no processor time while there are none), makes of them what was done, and puts that into the queue of the control
//! thread, among the datagrams. The control thread makes messages of it: from there on a knob is as good as OSC.

mod board;
mod button;
mod contact;
mod control;
mod gray;
mod knob;
mod sensing;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub use board::{Board, Tally};
#[cfg(test)]
pub use button::Deed;
pub use control::{Control, Encoder, Kind, STEPS, in_words, operations, own_travel};
pub use gray::Resolution;
pub use knob::{Curve, Travel};
pub use sensing::{Gesture, Moved, Surface};

use crate::gpio::{Gpio, NoPins};

/// Watches the pins until the engine stops, or nobody takes what is done. It may wait for an edge for ever: nobody waits
/// for its end.
pub fn watch(mut gpio: Box<dyn Gpio>, mut surface: Surface, mut tell: impl FnMut(Moved) -> bool, stop: &AtomicBool) {
    let (mut edges, mut moved) = (Vec::new(), Vec::new());
    while !stop.load(Ordering::Relaxed) {
        let limit = surface.due().map(|due| Duration::from_nanos(due.saturating_sub(rt::clock::monotonic())));
        let waited = gpio.wait(limit, &mut edges);
        // First the time, then whatever came until then: that no edge came is believed only up to a time after which the
        // kernel was asked once more.
        let now = rt::clock::monotonic();
        if let Err(reason) = waited.and_then(|()| gpio.wait(Some(Duration::ZERO), &mut edges)) {
            return log::warn!("the pins tell of no edges any more: {reason}; knobs and buttons do nothing, OSC does");
        }
        surface.take(&mut edges, now, &mut moved);
        if !moved.drain(..).all(&mut tell) {
            return;
        }
    }
}

/// How long pins that are not there yet are waited for: on the box the engine starts beside udev, which gives their files
/// to its group some seconds into the start.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// Between two looks for them.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Takes the pins of these controls, as soon as they are there; says what cannot be had, once. `None` if there is nothing
/// to watch.
pub fn open(controls: &[Control], board: &Arc<Board>, stop: &AtomicBool) -> Option<(Box<dyn Gpio>, Surface)> {
    let started = Instant::now();
    let mut gpio = loop {
        match crate::gpio::open() {
            Ok(gpio) => break gpio,
            Err(none) if none.perhaps_later && started.elapsed() < LONGEST_WAIT && !stop.load(Ordering::Relaxed) => {
                std::thread::sleep(LOOK_AGAIN);
            }
            Err(NoPins { reason, .. }) => {
                log::warn!(
                    "{} controls are configured, and the pins cannot be used: {reason}. The engine plays, and takes OSC",
                    controls.len()
                );
                return None;
            }
        }
    };
    let mut refused = Vec::new();
    let surface = Surface::open(controls, gpio.as_mut(), board.clone(), &mut refused);
    if !refused.is_empty() {
        log::warn!("these controls do nothing: {}", refused.join("; "));
    }
    Some((gpio, surface))
}
