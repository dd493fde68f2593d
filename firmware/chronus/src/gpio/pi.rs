//! The pins of a Raspberry Pi, by rppal: levels by its registers, edges by the kernel's character device.
//!
//! The kernel is asked for no debouncing: its kind tells of a change only when it is over, which delays every edge and
//! loses those of a knob that is turned fast. Contacts are settled in `surface/contact.rs`, from the times of the edges.

use std::collections::BTreeMap;
use std::time::Duration;

use rppal::gpio::{Bias, Error, Gpio as Pins, InputPin, OutputPin, Trigger};

use super::turn::take_turn;
use super::{Edge, Gpio, NoPins, Output, Pull};

/// A Pi's pins.
pub struct Pi {
    pins: Pins,
    inputs: BTreeMap<u8, InputPin>,
}

/// Opens them.
///
/// # Errors
/// If this is no Pi, or they may not be used.
pub fn open() -> Result<Pi, NoPins> {
    match Pins::new() {
        Ok(pins) => Ok(Pi { pins, inputs: BTreeMap::new() }),
        Err(Error::UnknownModel) => {
            Err(NoPins { reason: "this machine is no Raspberry Pi".to_owned(), perhaps_later: false })
        }
        // rppal tries /dev/mem where there is no /dev/gpiomem, and tells of that.
        Err(Error::PermissionDenied(file)) if file == "/dev/mem" => {
            let reason = "there is no /dev/gpiomem that may be opened; add the user to the group gpio and log in again";
            Err(NoPins { reason: reason.to_owned(), perhaps_later: true })
        }
        Err(error) => Err(NoPins { reason: refused(&error), perhaps_later: true }),
    }
}

/// What rppal refuses, with what to do.
fn refused(error: &Error) -> String {
    match error {
        Error::PermissionDenied(file) => {
            format!("{file} may not be opened; add the user to the group gpio and log in again")
        }
        Error::PinUsed(pin) => format!("GPIO {pin} is used by another part of this program"),
        Error::PinNotAvailable(pin) => format!("this board has no GPIO {pin}"),
        Error::Io(error) if error.raw_os_error() == Some(nix::libc::EBUSY) => {
            "another program or a driver of the kernel has this pin (`gpioinfo` tells which)".to_owned()
        }
        other => other.to_string(),
    }
}

impl Gpio for Pi {
    fn input(&mut self, pin: u8, pull: Pull) -> Result<bool, String> {
        let mut input = self.pins.get(pin).map_err(|error| refused(&error))?.into_input();
        input.set_bias(match pull {
            Pull::Up => Bias::PullUp,
            Pull::Down => Bias::PullDown,
            Pull::Off => Bias::Off,
        });
        input.set_interrupt(Trigger::Both, None).map_err(|error| format!("GPIO {pin}: {}", refused(&error)))?;
        let level = input.is_high();
        self.inputs.insert(pin, input);
        Ok(level)
    }

    fn output(&mut self, pin: u8, high: bool) -> Result<Box<dyn Output>, String> {
        let output = self.pins.get(pin).map_err(|error| refused(&error))?;
        Ok(Box::new(if high { output.into_output_high() } else { output.into_output_low() }))
    }

    fn wait(&mut self, limit: Option<Duration>, edges: &mut Vec<Edge>) -> Result<(), String> {
        let inputs: Vec<_> = self.inputs.values().collect();
        let pins = &self.pins;
        take_turn(limit, edges, |limit| {
            // Whole milliseconds are waited: a begun one counts, or the last of them would be spent turning in circles.
            let limit = limit.map(|limit| Duration::from_millis(limit.as_nanos().div_ceil(1_000_000) as u64));
            match pins.poll_interrupts(&inputs, false, limit) {
                Ok(Some((pin, event))) => Ok(Some(Edge {
                    pin: pin.pin(),
                    high: event.trigger == Trigger::RisingEdge,
                    time_ns: event.timestamp.as_nanos() as u64,
                    sequence: event.seqno,
                })),
                Ok(None) => Ok(None),
                Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::Interrupted => Ok(None),
                Err(error) => Err(refused(&error)),
            }
        })
    }
}

impl Output for OutputPin {
    fn set(&mut self, high: bool) {
        if high { self.set_high() } else { self.set_low() }
    }
}
