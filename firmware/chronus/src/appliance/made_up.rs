//! A machine made up of files, for tests.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::Machine;

/// A folder with the kernel's files as they could be. It is gone with its owner.
pub struct MadeUp(PathBuf);

impl MadeUp {
    /// A machine without any files. Tests of one process may run at the same time and use one name.
    pub fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("chronus-made-up-{name}-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }

    /// The machine as the program sees it.
    pub fn machine(&self) -> Machine {
        Machine::at(&self.0)
    }

    /// Has a file hold this.
    pub fn write(&self, file: &str, content: &str) {
        let path = self.0.join(file);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("a folder");
        std::fs::write(path, content).expect("a file");
    }

    /// Takes a file or folder away.
    pub fn remove(&self, file: &str) {
        let path = self.0.join(file);
        let removed = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        removed.expect("something to remove");
    }
}

impl Drop for MadeUp {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
