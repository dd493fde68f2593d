//! Presets: patches with a name, a file each in the folder of the kept patch, and those that come with the program.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::file::{self, LONGEST};
use super::read::{Contents, is_patch, read};
use crate::settings::open_regular;

/// Longest name: what a small display shows in a line.
const LONGEST_NAME: usize = 32;

/// Those that come with the program. A file of the same name goes before.
const FACTORY: [(&str, &str); 8] = [
    ("acid", include_str!("factory/acid.toml")),
    ("bass", include_str!("factory/bass.toml")),
    ("bell", include_str!("factory/bell.toml")),
    ("init", include_str!("factory/init.toml")),
    ("lead", include_str!("factory/lead.toml")),
    ("pad", include_str!("factory/pad.toml")),
    ("pluck", include_str!("factory/pluck.toml")),
    ("wind", include_str!("factory/wind.toml")),
];

/// The names of those that come with the program.
#[cfg(test)]
pub fn factory_names() -> [&'static str; FACTORY.len()] {
    FACTORY.map(|(name, _)| name)
}

/// Where presets are.
#[derive(Clone, Debug)]
pub struct Presets {
    /// The file of the kept patch, beside which they lie; `None` if nothing is kept.
    kept: Option<PathBuf>,
}

impl Presets {
    /// Beside the file in which the patch is kept.
    pub fn beside(kept: Option<PathBuf>) -> Self {
        Self { kept }
    }

    /// The file of a preset.
    fn file(&self, name: &str) -> Result<Option<PathBuf>, String> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
        if name.is_empty() || name.len() > LONGEST_NAME || name.starts_with('-') || !name.bytes().all(fits) {
            return Err(format!("a preset's name has 1 to {LONGEST_NAME} small letters, digits, - and _"));
        }
        let Some(kept) = &self.kept else { return Ok(None) };
        let file = kept.with_file_name(format!("{name}.toml"));
        if file == *kept {
            return Err("this is the file in which the engine keeps what was played last; take another name".to_owned());
        }
        Ok(Some(file))
    }

    /// Keeps a patch under this name, in place of what was there; the file.
    ///
    /// # Errors
    /// In words. What was there stays.
    pub fn save(&self, name: &str, text: &str) -> Result<PathBuf, String> {
        let nowhere = "nobody has said where presets go: start the engine with --patch FILE, and they lie beside it";
        let file = self.file(name)?.ok_or(nowhere)?;
        // It may be anything that somebody keeps beside the patch, such as a chronus.toml.
        if file.symlink_metadata().is_ok() && !is_preset(&file) {
            return Err(format!("{} is there and is no preset: take another name, or move it away", file.display()));
        }
        let written = file::replace(&file, text);
        written.map(|()| file.clone()).map_err(|error| format!("{} cannot be written: {error}", file.display()))
    }

    /// What is kept under this name, for a sample rate in Hz.
    ///
    /// # Errors
    /// In words: there is none, or it cannot be read. A file that is damaged stays where it is.
    pub fn load(&self, name: &str, rate: u32) -> Result<Contents, String> {
        let of_factory = FACTORY.iter().find(|(known, _)| *known == name).map(|(_, text)| text.as_bytes().to_vec());
        let file = self.file(name)?;
        let (bytes, place) = match file.as_deref().map(|file| (read_bounded(file), file)) {
            Some((Ok(bytes), file)) => (bytes, file.display().to_string()),
            Some((Err(error), file)) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(format!("{} cannot be read: {error}", file.display()));
            }
            _ => match of_factory {
                Some(bytes) => (bytes, name.to_owned()),
                None => return Err(format!("there is no preset {name}; there are {}", self.names().join(", "))),
            },
        };
        read(&bytes, rate).map_err(|damage| format!("{place}, line {}: {}", damage.line, damage.why))
    }

    /// All names.
    pub fn names(&self) -> Vec<String> {
        let folder = self.kept.as_deref().and_then(Path::parent);
        let folder = folder.map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
        let entries = folder.and_then(|folder| folder.read_dir().ok()).into_iter().flatten().flatten();
        let own = entries.filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".toml").map(str::to_owned));
        let own = own.filter(|name| self.file(name).ok().flatten().is_some_and(|file| is_preset(&file)));
        own.chain(FACTORY.map(|(name, _)| name.to_owned())).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

fn is_preset(file: &Path) -> bool {
    read_bounded(file).is_ok_and(|bytes| is_patch(&bytes))
}

fn read_bounded(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_regular(file)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST { Err(std::io::Error::other("it is too large to be a preset")) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::catalogue::power_on;
    use crate::patch::text::write;

    #[test]
    fn every_factory_preset_is_whole_and_plays_what_it_should() {
        for (name, _) in FACTORY {
            let contents = Presets::beside(None).load(name, 44_100).unwrap();
            assert_eq!(contents.left_out, [""; 0], "{name}");
            let has = |words: &str| assert!(contents.text.contains(words), "{name} has no {words}");
            // `init` is the patch at power-on, which has none.
            let voices = ["[module.keys]\ntype = \"voice\"", "from = \"keys\"", "to = \"out\""];
            let power_on = ["[module.sine]", "[module.adsr]", "to = \"out\""];
            if name == "init" { power_on } else { voices }.into_iter().for_each(has);
        }
    }

    #[test]
    fn what_is_saved_comes_back_and_goes_before_the_factory() {
        let folder = std::env::temp_dir().join(format!("chronus-presets-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let presets = Presets::beside(Some(folder.join("last.toml")));
        assert_eq!(presets.names(), FACTORY.map(|(name, _)| name));
        presets.save("mine", &write(power_on())).unwrap();
        presets.save("bass", &write(power_on())).unwrap();
        for name in ["mine", "bass"] {
            assert_eq!(presets.load(name, 48_000).unwrap().text, write(power_on()), "{name}");
        }
        assert_eq!(presets.names().len(), FACTORY.len() + 1);
        for name in ["", "last", "../x", "a/b", ".hidden", "UP", "a.b", "-x", "x\u{202e}y"] {
            assert!(presets.save(name, "").is_err() && presets.load(name, 48_000).is_err(), "{name}");
        }
        assert!(presets.load("nothing", 48_000).unwrap_err().contains("there are acid, bass, bell"));
        std::fs::write(folder.join("torn.toml"), "schema = 2\n[module").unwrap();
        assert!(presets.load("torn", 48_000).unwrap_err().contains("line 2"));
        assert!(folder.join("torn.toml").exists(), "it is its owner's");
        let configuration = include_str!("../../../../board/common/chronus.toml");
        let others = [("chronus", configuration), ("rustfmt", "max_width = 120\n"), ("torn", "schema = 2\n[module")];
        for (name, text) in others {
            std::fs::write(folder.join(format!("{name}.toml")), text).unwrap();
            let why = presets.save(name, &write(power_on())).unwrap_err();
            assert!(why.contains("is no preset") && !presets.names().contains(&name.to_owned()), "{why}");
            assert_eq!(std::fs::read_to_string(folder.join(format!("{name}.toml"))).unwrap(), text);
        }
        std::fs::write(folder.join("old.toml"), "schema = 1\n[sine]\nfreq = 220.0\n").unwrap();
        presets.save("old", &write(power_on())).unwrap();
        assert!(Presets::beside(None).save("mine", "").unwrap_err().contains("--patch FILE"));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
