//! The machine as the kernel shows it in files.

use std::path::{Path, PathBuf};

/// Files of the kernel, below a root: `/`, or in tests a folder with a machine made up.
pub struct Machine {
    root: PathBuf,
}

impl Machine {
    /// The machine this runs on.
    pub fn here() -> Self {
        Self::at(Path::new("/"))
    }

    /// The machine whose files lie below `root`.
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
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

    /// The names in a folder, sorted; none if it is not there.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(folder)).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Whether there is such a file or folder.
    pub fn has(&self, file: &str) -> bool {
        self.path(file).exists()
    }
}
