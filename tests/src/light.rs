//! A stand-in for a light of the kernel's: a folder that looks like /sys/class/leds/NAME, all that was written into it,
//! and what a light would have shown.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::engine::Folder;

/// A bound on every wait, so that a broken engine fails a test and does not hang it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A time of light or of dark: whether it is light, and milliseconds.
pub type Run = (bool, u64);

/// A text as the kernel's trigger `pattern` shows it from its beginning on, once; neighbours differ.
///
/// # Panics
/// If it is none that the kernel takes, or one that it would glide through.
pub fn shown_by(text: &str) -> Vec<Run> {
    let numbers: Vec<u64> = text.split_whitespace().map(|word| word.parse().expect("a number")).collect();
    assert!(text.len() < 4096 && numbers.len().is_multiple_of(4) && !numbers.is_empty(), "{text}");
    let mut runs: Vec<Run> = Vec::new();
    for step in numbers.chunks(4) {
        // The same brightness again for no time: a step, and no gliding to the next.
        assert!(step[0] == step[2] && step[3] == 0, "{text}");
        match runs.last_mut() {
            Some((light, length)) if *light == (step[0] > 0) => *length += step[1],
            _ => runs.push((step[0] > 0, step[1])),
        }
    }
    runs
}

/// The folder, and somebody who reads what is written there.
pub struct StandIn {
    folder: Folder,
    told: Arc<Mutex<Vec<(Instant, String)>>>,
    stop: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl StandIn {
    /// A light that is off.
    pub fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        let files =
            [("max_brightness", "1\n"), ("brightness", "0\n"), ("trigger", "none timer [pattern]\n"), ("pattern", "")];
        for (file, content) in files {
            std::fs::write(folder.file(file), content).expect("a file");
        }
        let (told, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (file, texts, end) = (folder.file("pattern"), told.clone(), stop.clone());
        let reader = std::thread::spawn(move || {
            let mut last = None;
            while !end.load(Ordering::Relaxed) {
                let changed = std::fs::metadata(&file).and_then(|file| file.modified()).ok();
                let text = std::fs::read_to_string(&file).unwrap_or_default();
                // A whole text ends in a newline. The kernel takes it as one, this file in two steps.
                if changed != last && text.ends_with('\n') {
                    last = changed;
                    texts.lock().expect("nobody failed with it").push((Instant::now(), text));
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        Self { folder, told, stop, reader: Some(reader) }
    }

    /// Its folder.
    pub fn path(&self) -> PathBuf {
        self.folder.file("pattern").parent().expect("a folder").to_owned()
    }

    /// As an argument of --led.
    pub fn argument(&self) -> String {
        format!("led:{}", self.path().display())
    }

    /// All that was written so far, with the time at which it was seen.
    pub fn told(&self) -> Vec<(Instant, String)> {
        self.told.lock().expect("nobody failed with it").clone()
    }

    /// Waits for a text of which, as it is shown, this is true, among those behind the first `after`; gives it.
    pub fn wait_for(&self, what: &str, after: usize, wanted: impl Fn(&[Run]) -> bool) -> String {
        let started = Instant::now();
        loop {
            let told = self.told();
            if let Some((_, text)) = told.iter().skip(after).find(|(_, text)| wanted(&shown_by(text))) {
                return text.clone();
            }
            assert!(started.elapsed() < PATIENCE, "{what} never came: {:?}", told.last());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// What a light has shown since the first `after` texts, up to the last one.
    pub fn seen(&self, after: usize) -> Vec<Run> {
        let told = self.told();
        let mut runs: Vec<Run> = Vec::new();
        for pair in told[after..].windows(2) {
            let mut left = pair[1].0.duration_since(pair[0].0).as_millis() as u64;
            for (light, length) in shown_by(&pair[0].1) {
                let length = length.min(left);
                left -= length;
                match runs.last_mut() {
                    Some((last, so_far)) if *last == light => *so_far += length,
                    _ if length > 0 => runs.push((light, length)),
                    _ => {}
                }
            }
        }
        runs
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}
