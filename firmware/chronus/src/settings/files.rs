//! What is made of chronus.toml for those who start after it.

use std::fs::{File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Readable by all: none of it is secret, and the engine's user reads one of them.
const MODE: u32 = 0o644;

/// Writes a file so that under its name there is always all of the old one or all of the new one.
///
/// # Errors
/// In words, with the file's name.
pub fn write_whole(folder: &Path, name: &str, content: &str) -> Result<(), String> {
    let (path, new) = (folder.join(name), folder.join(format!(".{name}.new")));
    let write = || {
        let mut file = File::create(&new)?;
        file.set_permissions(Permissions::from_mode(MODE))?;
        file.write_all(content.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&new, &path)
    };
    write().map_err(|error| format!("{} cannot be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_else_is_left() {
        let folder = std::env::temp_dir().join(format!("chronus-files-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for content in ["long before", "new"] {
            write_whole(&folder, "name", content).unwrap();
            assert_eq!(std::fs::read_to_string(folder.join("name")).unwrap(), content);
        }
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
        assert!(write_whole(&folder.join("absent"), "name", "").unwrap_err().contains("absent/name"));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
