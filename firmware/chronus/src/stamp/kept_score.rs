//! What was played, kept as a score: every command with the frame it got, to be rendered again bit for bit.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use abi::{Command, GATES, Operation, PARAMETERS};
use rosc::{OscBundle, OscMessage, OscPacket, OscTime, OscType, encoder};

/// How often the file is brought up to date, so that little is lost if the power fails.
const FLUSH_INTERVAL: Duration = Duration::from_secs(1);

/// A score file being written.
pub struct KeptScore {
    file: BufWriter<File>,
    path: PathBuf,
    rate: u32,
    flushed: Instant,
    broken: bool,
}

impl KeptScore {
    /// Makes the file, overwriting one of that name.
    ///
    /// # Errors
    /// In words, with the file's name.
    pub fn create(path: &Path, rate: u32) -> Result<Self, String> {
        let file = File::create(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self { file: BufWriter::new(file), path: path.to_owned(), rate, flushed: Instant::now(), broken: false })
    }

    /// Adds a command. If the file cannot be written that is said once, and the music goes on.
    pub fn add(&mut self, command: Command) {
        if self.broken {
            return;
        }
        if let Err(error) = self.write(command) {
            log::error!("{}: {error}; the performance is no longer kept", self.path.display());
            self.broken = true;
        }
    }

    fn write(&mut self, command: Command) -> std::io::Result<()> {
        let message = OscPacket::Message(message_of(command.operation));
        let bundle =
            OscPacket::Bundle(OscBundle { timetag: self.tag(command.stamp.to_frame()), content: vec![message] });
        let bytes = encoder::encode(&bundle).map_err(std::io::Error::other)?;
        self.file.write_all(&(bytes.len() as i32).to_be_bytes())?;
        self.file.write_all(&bytes)?;
        if self.flushed.elapsed() > FLUSH_INTERVAL {
            self.file.flush()?;
            self.flushed = Instant::now();
        }
        Ok(())
    }

    /// The time tag of a frame: the nearest of the 2^-32 seconds a tag can tell, which leads back to this frame.
    fn tag(&self, frame: u64) -> OscTime {
        let rate = u64::from(self.rate);
        let fraction = ((u128::from(frame % rate) << 32) + u128::from(rate) / 2) / u128::from(rate);
        OscTime { seconds: (frame / rate) as u32, fractional: fraction as u32 }
    }
}

/// The message that gives this operation again, exactly: values are sent as 64-bit floats.
fn message_of(operation: Operation) -> OscMessage {
    let (addr, args) = match operation {
        Operation::Set(id, value) => {
            let parameter = &PARAMETERS[id as usize];
            (format!("/mod/{}/{}", parameter.module, parameter.name), vec![OscType::Double(value)])
        }
        Operation::Gate(id, on) => (format!("/gate/{}", GATES[id as usize].module), vec![OscType::Bool(on)]),
    };
    OscMessage { addr, args }
}
