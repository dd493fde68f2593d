//! The thread that watches the pins, if there are controls.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::control::{Hands, InboxWriter};
use crate::input::catalogue;
use crate::surface::{self, Board, Control, Kind, Tally, own_travel};

/// Starts to watch the pins of these controls, at a sample rate in Hz; gives what the control thread knows of them. Nobody
/// waits for the end of the thread: it may wait for an edge for ever.
///
/// # Errors
/// If the thread cannot be had.
pub fn start(controls: &[Control], rate: u32, input: &InboxWriter, stop: &Arc<AtomicBool>) -> Result<Hands, String> {
    let controls: Vec<_> = controls.iter().map(|control| at_rate(control, rate)).collect();
    let board: Arc<Board> = Arc::new(controls.iter().map(|_| Tally::default()).collect());
    if !controls.is_empty() {
        let (input, stop, controls, board) = (input.for_moved(), stop.clone(), controls.clone(), board.clone());
        super::spawn("hands", move || {
            if let Some((gpio, surface)) = surface::open(&controls, &board, &stop) {
                surface::watch(gpio, surface, |moved| input.add(moved), &stop);
            }
        })?;
    }
    Ok(Hands::new(controls, board, rate))
}

/// A range that goes further than the parameter does at this rate ends where the parameter does.
fn at_rate(control: &Control, rate: u32) -> Control {
    let mut control = control.clone();
    if let Kind::Encoder(encoder) = &mut control.kind
        && let Ok(own) = own_travel(&encoder.address, rate, catalogue::power_on())
    {
        encoder.travel.maximum = encoder.travel.maximum.min(own.maximum);
        if encoder.travel.minimum >= encoder.travel.maximum {
            log::warn!(
                "a knob's range for {} begins beyond what it takes at {rate} Hz; it has all of it",
                encoder.address
            );
            encoder.travel = own;
        }
    }
    control
}
