//! What shows it: a light of the kernel's that blinks by itself, or one that is switched on and off.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::gpio;

/// The kernel's trigger that blinks as it is told, and goes on without us.
const TRIGGER: &str = "pattern";

/// What is switched on and off by us, and stays as it is when we are gone.
pub trait Switch: Send {
    /// Switches it. Does not wait.
    ///
    /// # Errors
    /// In words.
    fn set(&mut self, on: bool) -> Result<(), String>;
}

/// What shows it.
pub enum Lamp {
    /// The kernel blinks it.
    Kernel(KernelLamp),
    /// We do, edge by edge.
    Switched(Box<dyn Switch>),
}

impl Lamp {
    /// That of a folder such as /sys/class/leds/NAME.
    ///
    /// # Errors
    /// In words: that there is none, or that it may not be used.
    pub fn open(folder: &Path) -> Result<Self, String> {
        if !folder.is_dir() {
            return Err(format!("the kernel shows no light {}", folder.display()));
        }
        let text = read(folder, "max_brightness")?;
        let brightness =
            text.trim().parse().ok().filter(|most| *most > 0).ok_or_else(|| format!("its brightness is {text:?}"))?;
        let triggers = read(folder, "trigger")?;
        let has_pattern = triggers.split_whitespace().any(|name| name.trim_matches(['[', ']']) == TRIGGER);
        if has_pattern {
            let lamp = KernelLamp { folder: folder.to_owned(), brightness };
            return lamp.take().map(|()| Self::Kernel(lamp));
        }
        // Another trigger would go on blinking it.
        if !triggers.contains("[none]") {
            write(folder, "trigger", "none\n")?;
        }
        Ok(Self::Switched(Box::new(Brightness { folder: folder.to_owned(), brightness })))
    }

    /// On a pin, by its BCM number, of which the kernel has made no light.
    ///
    /// # Errors
    /// In words: that this machine has no pins, or that they may not be used.
    pub fn on_pin(pin: u8) -> Result<Self, String> {
        gpio::open()
            .map_err(|none| none.reason)?
            .output(pin, false)
            .map(|output| Self::Switched(Box::new(Line(output))))
    }
}

/// A pin that is driven.
struct Line(Box<dyn gpio::Output>);

impl Switch for Line {
    fn set(&mut self, on: bool) -> Result<(), String> {
        self.0.set(on);
        Ok(())
    }
}

/// A light that the kernel blinks.
pub struct KernelLamp {
    folder: PathBuf,
    /// That of the light when it is on.
    pub brightness: u32,
}

impl KernelLamp {
    /// Has the kernel show a text of `armed`, from its beginning.
    ///
    /// # Errors
    /// In words. Tried again later it may succeed: the light is taken anew then.
    pub fn arm(&self, text: &str) -> Result<(), String> {
        if write(&self.folder, TRIGGER, text).is_ok() {
            return Ok(());
        }
        // It has gone and come again, or somebody gave it another trigger.
        self.take()?;
        write(&self.folder, TRIGGER, text)
    }

    /// Has it blink by the trigger that we need, if it does not.
    fn take(&self) -> Result<(), String> {
        if read(&self.folder, "trigger")?.contains(&format!("[{TRIGGER}]")) {
            return Ok(());
        }
        write(&self.folder, "trigger", &format!("{TRIGGER}\n"))
    }
}

/// A light of the kernel's without that trigger.
struct Brightness {
    folder: PathBuf,
    brightness: u32,
}

impl Switch for Brightness {
    fn set(&mut self, on: bool) -> Result<(), String> {
        let level = if on { self.brightness } else { 0 };
        write(&self.folder, "brightness", &format!("{level}\n"))
    }
}

fn read(folder: &Path, name: &str) -> Result<String, String> {
    let path = folder.join(name);
    std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Writes into a file that is there, at once: the kernel takes each write by itself.
fn write(folder: &Path, name: &str, text: &str) -> Result<(), String> {
    let path = folder.join(name);
    let file = File::options().write(true).truncate(true).open(&path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| format!("{}: {error}", path.display()))
}
