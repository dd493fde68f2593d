//! The machine as the kernel shows it in files, and the few things that are done to it by other means.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::reading::Reading;

/// What cannot be done by writing into a file.
pub trait Kernel: Sync {
    /// Puts the thread of this id under SCHED_FIFO.
    ///
    /// # Errors
    /// As sched_setscheduler(2).
    fn set_fifo(&self, thread: u32, priority: i32) -> Result<(), Errno>;

    /// Has the kernel's debugging files shown in this folder.
    ///
    /// # Errors
    /// As mount(2).
    fn mount_debugfs(&self, folder: &Path) -> Result<(), Errno>;

    /// Does something on this core, in a thread that is not in real time.
    ///
    /// # Errors
    /// As sched_setaffinity(2) and pthread_create(3). Then nothing is done.
    fn run_on(&self, core: usize, action: &mut (dyn FnMut() + Send)) -> Result<(), Errno>;
}

/// The kernel this runs on.
struct Real;

impl Kernel for Real {
    fn set_fifo(&self, thread: u32, priority: i32) -> Result<(), Errno> {
        rt::scheduling::set_fifo_of(thread, priority)
    }

    fn mount_debugfs(&self, folder: &Path) -> Result<(), Errno> {
        rt::file_system::mount_debugfs(folder)
    }

    fn run_on(&self, core: usize, action: &mut (dyn FnMut() + Send)) -> Result<(), Errno> {
        let there = || rt::cores::pin(core).map(|()| action());
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().spawn_scoped(scope, there);
            let thread = thread.map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(0)))?;
            thread.join().unwrap_or(Err(Errno::ECANCELED))
        })
    }
}

/// Files of the kernel, below a root: `/`, or in tests a folder with a machine made up.
pub struct Machine {
    root: PathBuf,
    /// The other door to it.
    pub kernel: Box<dyn Kernel>,
    /// Process id of the engine, if this is the engine itself.
    pub engine: Option<u32>,
}

impl Machine {
    /// The machine this runs on.
    pub fn here() -> Self {
        Self::at(Path::new("/"), Box::new(Real))
    }

    /// The same, seen from inside the engine.
    pub fn of_engine() -> Self {
        Self { engine: Some(std::process::id()), ..Self::here() }
    }

    /// The machine whose files lie below `root`.
    pub fn at(root: &Path, kernel: Box<dyn Kernel>) -> Self {
        Self { root: root.to_owned(), kernel, engine: None }
    }

    /// The place of a file, such as `proc/cmdline`.
    pub fn path(&self, file: &str) -> PathBuf {
        self.root.join(file)
    }

    /// What a file holds, without white space around it.
    ///
    /// # Errors
    /// That it is not there or may not be read.
    pub fn read(&self, file: &str) -> std::io::Result<String> {
        // Some of what the kernel shows is bytes: a device tree's text ends in NUL.
        let bytes = std::fs::read(self.path(file))?;
        Ok(String::from_utf8_lossy(&bytes).trim_matches(|c: char| c.is_whitespace() || c == '\0').to_owned())
    }

    /// Judges what a file holds; `absent` says what it means if there is none.
    pub fn judge(&self, file: &str, judge: impl FnOnce(&str) -> Reading, absent: impl FnOnce() -> Reading) -> Reading {
        match self.read(file) {
            Ok(text) => judge(&text),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => absent(),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                Reading::unknown(format!("/{file} is for root alone"))
            }
            Err(error) => Reading::unknown(format!("/{file}: {error}")),
        }
    }

    /// Writes into a file that is there: the kernel makes none for us.
    ///
    /// # Errors
    /// In words, with the file's name.
    pub fn write(&self, file: &str, text: &str) -> Result<(), String> {
        let write = || {
            let mut file = std::fs::File::options().write(true).truncate(true).open(self.path(file))?;
            std::io::Write::write_all(&mut file, text.as_bytes())
        };
        write().map_err(|error| format!("/{file}: {error}"))
    }

    /// The names in a folder, sorted; none if it is not there.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(folder)).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// The folders of a folder that are named by a number, as those of processes and threads are; in order.
    pub fn numbers(&self, folder: &str) -> Vec<u32> {
        let mut numbers: Vec<u32> = self.names(folder).iter().filter_map(|name| name.parse().ok()).collect();
        numbers.sort_unstable();
        numbers
    }

    /// Whether there is such a file or folder.
    pub fn has(&self, file: &str) -> bool {
        self.path(file).exists()
    }

    /// The value of an option of the kernel's command line; the last one counts. Empty for an option without a value.
    pub fn boot_option(&self, name: &str) -> Option<String> {
        let line = self.read("proc/cmdline").unwrap_or_default();
        let mut values = line.split_whitespace().map(|word| word.split_once('=').unwrap_or((word, "")));
        values.rfind(|(option, _)| *option == name).map(|(_, value)| value.to_owned())
    }
}
