//! The options of `chronus run`: defaults, then the configuration file, then the command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use lexopt::{Arg, Parser};
use rt::scheduling::RealTime;

use super::configuration::{Configuration, parse_configuration, read_configuration};
use super::options::{Wrong, checked_rate, distinct, length, unexpected, value_of};
use super::query::QueryChoice;
use crate::audio::SampleFormat;
use crate::light::LightChoice;
use crate::settings::{Bindings, read_controls};
use crate::surface::Control;

/// Where the sound is to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkChoice {
    /// A sound server, or the best of the sound cards, or paced.
    Auto,
    /// This ALSA device.
    Alsa(String),
    /// A timer, and this WAV file if any.
    Paced(Option<PathBuf>),
    /// As fast as possible, into this WAV file if any.
    Free(Option<PathBuf>),
}

/// Periods the device's buffer may have: 2 is the least that ALSA can alternate between, 4 is 21 ms at 48 kHz
/// and more than any device of today needs.
const PERIODS: std::ops::RangeInclusive<u32> = 2..=4;

/// What `chronus run` is to do.
#[derive(Clone, Debug, PartialEq)]
pub struct RunOptions {
    /// Where the sound goes.
    pub sink: SinkChoice,
    /// Where OSC is taken; `None` for nowhere.
    pub osc: Option<SocketAddr>,
    /// Where OSCQuery is asked.
    pub query: QueryChoice,
    /// A score to play from block 0 on.
    pub score: Option<PathBuf>,
    /// A score file to keep the live commands in.
    pub keep_score: Option<PathBuf>,
    /// A file to keep the values of all parameters in.
    pub patch: Option<PathBuf>,
    /// A folder for recordings.
    pub recordings: Option<PathBuf>,
    /// What they are made of: 24-bit integers or 32-bit floats.
    pub recording_samples: SampleFormat,
    /// The light that says how it goes.
    pub led: LightChoice,
    /// How often that blinks for a mistake in chronus.toml; 0 for none.
    pub led_code: u8,
    /// Blocks to play; `None` for no limit.
    pub blocks: Option<u64>,
    /// Workers, 1 or 2.
    pub workers: usize,
    /// Sample rate in Hz.
    pub rate: u32,
    /// Whether somebody has said so: then it is not for the sound card to choose.
    pub rate_named: bool,
    /// What was said in seconds, and is in `blocks`.
    pub seconds: Option<f64>,
    /// Blocks rendered ahead.
    pub lead: u64,
    /// Periods of the device's buffer.
    pub periods: u32,
    /// Whether real-time rights are needed.
    pub real_time: RealTime,
    /// Cores of the audio thread and the two slots, if chosen by hand.
    pub cores: Option<[usize; 3]>,
    /// The file that says what became of the DATA partition, on a box.
    pub data: Option<PathBuf>,
    /// The controls on the pins.
    pub controls: Vec<Control>,
    /// Where learned bindings of them are kept.
    pub bindings: Option<Bindings>,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            sink: SinkChoice::Auto,
            osc: Some(SocketAddr::from(([0, 0, 0, 0], 5005))),
            query: QueryChoice::BesideOsc,
            score: None,
            keep_score: None,
            patch: None,
            recordings: None,
            recording_samples: SampleFormat::Packed24,
            led: LightChoice::Off,
            led_code: 0,
            blocks: None,
            workers: 2,
            rate: 48_000,
            rate_named: false,
            seconds: None,
            // One block for the workers to render in, and one for a kernel that is not a real-time one.
            lead: 2,
            periods: 2,
            real_time: RealTime::Auto,
            cores: None,
            data: None,
            controls: Vec::new(),
            bindings: None,
        }
    }
}

impl RunOptions {
    /// Reads the arguments after `run`, and the configuration file if they name one.
    ///
    /// # Errors
    /// What is wrong with them or with the file.
    pub fn parse(arguments: &[OsString]) -> Result<Self, Wrong> {
        let mut options = Self::default();
        let files = options.take_arguments(arguments)?;
        if !files.is_empty() {
            // The files lie underneath: they come first, and the command line once more over them.
            options = Self::default();
            for path in &files {
                let configuration = read_configuration(path)?;
                options.apply(&configuration).map_err(|wrong| Wrong(format!("{}: {wrong}", path.display())))?;
                if !configuration.control.is_empty() {
                    options.bindings = Some(configuration.surface.bindings(path));
                }
            }
            options.take_arguments(arguments)?;
        }
        options.check()
    }

    /// What the text of a configuration file says, without a command line.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of_configuration(text: &str) -> Result<Self, Wrong> {
        let mut options = Self::default();
        options.apply(&parse_configuration(text)?)?;
        options.check()
    }

    /// The same at another sample rate in Hz, and as long in seconds, where seconds were said.
    pub fn at_rate(&self, rate: u32) -> Self {
        let blocks = length(None, self.seconds, rate).ok().flatten().or(self.blocks);
        Self { rate, blocks, ..self.clone() }
    }

    /// Takes everything the command line says; gives the configuration files it names.
    fn take_arguments(&mut self, arguments: &[OsString]) -> Result<Vec<PathBuf>, Wrong> {
        let options = self;
        let (mut files, mut blocks, mut seconds) = (Vec::new(), None, None);
        let mut parser = Parser::from_args(arguments);
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Long("config") => {
                    files.push(PathBuf::from(value_of::<String>(&mut parser, "--config", "a file")?))
                }
                Arg::Long("sink") => options.set_sink(&value_of::<String>(&mut parser, "--sink", SINKS)?)?,
                Arg::Long("osc") => options.set_osc(&value_of::<String>(&mut parser, "--osc", "ADDR:PORT or off")?)?,
                Arg::Long("osc-query") => {
                    let text = value_of::<String>(&mut parser, "--osc-query", "ADDR:PORT or off")?;
                    options.query = QueryChoice::parse(&text)?;
                }
                Arg::Long("score") => options.score = Some(parser.value()?.into()),
                Arg::Long("keep-score") => options.keep_score = Some(parser.value()?.into()),
                Arg::Long("patch") => options.patch = Some(parser.value()?.into()),
                Arg::Long("recordings") => options.recordings = Some(parser.value()?.into()),
                Arg::Long("recording-format") => {
                    options.set_recording_format(&value_of::<String>(
                        &mut parser,
                        "--recording-format",
                        "24 or float",
                    )?)?;
                }
                Arg::Long("led") => {
                    options.set_led(&value_of::<String>(&mut parser, "--led", "gpio:N, led:NAME or off")?)?
                }
                Arg::Long("seconds") => {
                    seconds = Some(value_of::<f64>(&mut parser, "--seconds", "a number of seconds")?)
                }
                Arg::Long("blocks") => {
                    blocks = Some(value_of(&mut parser, "--blocks", "a whole number of blocks")?);
                }
                Arg::Long("workers") => options.set_workers(value_of(&mut parser, "--workers", "1 or 2")?)?,
                Arg::Long("rate") => options.set_rate(value_of(&mut parser, "--rate", "a sample rate in Hz")?)?,
                Arg::Long("lead") => {
                    options.set_lead(value_of(&mut parser, "--lead", "a number of blocks, 1 to 4")?)?
                }
                Arg::Long("periods") => options.set_periods(value_of(&mut parser, "--periods", "2, 3 or 4")?)?,
                Arg::Long("real-time") => {
                    options.set_real_time(&value_of::<String>(&mut parser, "--real-time", "auto, require or off")?)?;
                }
                Arg::Long("cores") => {
                    options.set_cores(&value_of::<String>(
                        &mut parser,
                        "--cores",
                        "AUDIO,SLOT0,SLOT1 such as 1,2,3",
                    )?)?;
                }
                other => return Err(unexpected(other, "run")),
            }
        }
        options.blocks = length(blocks, seconds, options.rate)?;
        options.seconds = seconds;
        Ok(files)
    }

    fn apply(&mut self, configuration: &Configuration) -> Result<(), Wrong> {
        let engine = &configuration.engine;
        engine.sink.as_deref().map_or(Ok(()), |text| self.set_sink(text))?;
        engine.rate.map_or(Ok(()), |rate| self.set_rate(rate))?;
        engine.lead.map_or(Ok(()), |lead| self.set_lead(lead))?;
        engine.workers.map_or(Ok(()), |workers| self.set_workers(workers))?;
        engine.periods.map_or(Ok(()), |periods| self.set_periods(periods))?;
        engine.real_time.as_deref().map_or(Ok(()), |text| self.set_real_time(text))?;
        self.patch = engine.patch.clone().or(self.patch.take());
        self.recordings = engine.recordings.clone().or(self.recordings.take());
        engine.recording_format.as_deref().map_or(Ok(()), |text| self.set_recording_format(text))?;
        engine.cores.as_deref().map_or(Ok(()), |text| self.set_cores(text))?;
        configuration.led.status.as_deref().map_or(Ok(()), |text| self.set_led(text))?;
        self.led_code = configuration.led.code.unwrap_or(self.led_code);
        self.data = configuration.of_box.data.clone().or(self.data.take());
        if !configuration.control.is_empty() {
            self.controls = read_controls(&configuration.control).map_err(Wrong)?;
        }
        let query = configuration.osc.query.as_deref().map(QueryChoice::parse).transpose()?;
        self.query = query.unwrap_or(self.query);
        configuration.osc.listen.as_deref().map_or(Ok(()), |text| self.set_osc(text))
    }

    fn check(self) -> Result<Self, Wrong> {
        if matches!(self.sink, SinkChoice::Free(_)) && self.blocks.is_none() && self.score.is_none() {
            return Err(Wrong(
                "the free sink knows no time and would fill the disk: add --seconds S, --blocks N or --score FILE"
                    .to_owned(),
            ));
        }
        self.query.check(self.osc)?;
        let live = self.osc.is_some() || !self.controls.is_empty();
        if self.keep_score.is_some() && !live {
            return Err(Wrong("--keep-score keeps what is played live, and OSC is off: leave one out".to_owned()));
        }
        if self.patch.is_some() && self.score.is_some() {
            return Err(Wrong(
                "--patch sets the values of the last time, and --score is to sound the same every time: leave one out"
                    .to_owned(),
            ));
        }
        if self.patch.is_some() && !live {
            return Err(Wrong("--patch keeps values that are set live, and OSC is off: leave one out".to_owned()));
        }
        let recording = match &self.sink {
            SinkChoice::Paced(file) | SinkChoice::Free(file) => file.as_deref(),
            SinkChoice::Auto | SinkChoice::Alsa(_) => None,
        };
        let files = [self.score.as_deref(), self.keep_score.as_deref(), self.patch.as_deref(), recording];
        distinct(&files.into_iter().flatten().collect::<Vec<_>>())?;
        Ok(self)
    }

    fn set_sink(&mut self, text: &str) -> Result<(), Wrong> {
        let (kind, rest) = text.split_once(':').map_or((text, None), |(kind, rest)| (kind, Some(rest)));
        let file = rest.filter(|rest| !rest.is_empty()).map(PathBuf::from);
        self.sink = match (kind, rest) {
            ("auto", None) => SinkChoice::Auto,
            ("alsa", rest) => SinkChoice::Alsa(rest.filter(|name| !name.is_empty()).unwrap_or("default").to_owned()),
            ("paced", _) => SinkChoice::Paced(file),
            ("free", _) => SinkChoice::Free(file),
            _ => return Err(Wrong(format!("--sink {text}: there is {SINKS}"))),
        };
        Ok(())
    }

    fn set_osc(&mut self, text: &str) -> Result<(), Wrong> {
        let wrong = |_| {
            Wrong(format!(
                "--osc {text}: needs ADDR:PORT, such as 0.0.0.0:5005 (all networks), 127.0.0.1:5005 (this machine only), or off"
            ))
        };
        self.osc = if text == "off" { None } else { Some(text.parse().map_err(wrong)?) };
        Ok(())
    }

    fn set_led(&mut self, text: &str) -> Result<(), Wrong> {
        self.led = LightChoice::parse(text).map_err(|reason| Wrong(format!("--led {text}: {reason}")))?;
        Ok(())
    }

    fn set_recording_format(&mut self, text: &str) -> Result<(), Wrong> {
        self.recording_samples = match text {
            "24" => SampleFormat::Packed24,
            "float" => SampleFormat::Float32,
            _ => {
                return Err(Wrong(format!(
                    "--recording-format {text}: there is 24 (integers of 24 bits, which every program reads) and float (32 \
                     bits, exactly what was played)"
                )));
            }
        };
        Ok(())
    }

    fn set_rate(&mut self, rate: u32) -> Result<(), Wrong> {
        self.rate = checked_rate(rate)?;
        self.rate_named = true;
        Ok(())
    }

    fn set_workers(&mut self, workers: usize) -> Result<(), Wrong> {
        self.workers = Some(workers).filter(|workers| (1..=2).contains(workers)).ok_or_else(|| {
            Wrong(format!("--workers {workers}: 2 survive anything, 1 is for comparison; no other number is possible"))
        })?;
        Ok(())
    }

    fn set_lead(&mut self, lead: u64) -> Result<(), Wrong> {
        self.lead = Some(lead)
            .filter(|lead| abi::LEAD_RANGE.contains(lead))
            .ok_or_else(|| Wrong(format!("--lead {lead}: workers render 1 to 4 blocks ahead")))?;
        Ok(())
    }

    fn set_periods(&mut self, periods: u32) -> Result<(), Wrong> {
        self.periods = Some(periods)
            .filter(|periods| PERIODS.contains(periods))
            .ok_or_else(|| Wrong(format!("--periods {periods}: the device's buffer has 2, 3 or 4 periods")))?;
        Ok(())
    }

    fn set_real_time(&mut self, text: &str) -> Result<(), Wrong> {
        self.real_time = match text {
            "require" => RealTime::Require,
            "auto" => RealTime::Auto,
            "off" => RealTime::Off,
            _ => {
                return Err(Wrong(format!(
                    "--real-time {text}: there is require (a refusal is fatal), auto (a refusal is a warning), off"
                )));
            }
        };
        Ok(())
    }

    fn set_cores(&mut self, text: &str) -> Result<(), Wrong> {
        let cores: Result<Vec<usize>, _> = text.split(',').map(|core| core.trim().parse()).collect();
        self.cores = cores.ok().and_then(|cores| cores.try_into().ok());
        self.cores
            .map(drop)
            .ok_or_else(|| Wrong(format!("--cores {text}: needs three core numbers, AUDIO,SLOT0,SLOT1, such as 1,2,3")))
    }
}

const SINKS: &str = "auto, alsa, alsa:PCM, paced, paced:OUT.wav, free:OUT.wav";

#[cfg(test)]
#[path = "run_options_tests.rs"]
mod tests;
