//! Files of an engine that was started again: those of the one before it are left as they are.

use std::path::{Path, PathBuf};

use crate::command_line::{RunOptions, SinkChoice};

/// The same options, with a number in the names of the files that would be overwritten: the first that is free, from 2
/// on.
pub fn spare_files(options: &RunOptions) -> RunOptions {
    let spare = |path: &PathBuf| spare(path);
    let sink = match &options.sink {
        SinkChoice::Paced(file) => SinkChoice::Paced(file.as_ref().map(spare)),
        SinkChoice::Free(file) => SinkChoice::Free(file.as_ref().map(spare)),
        other => other.clone(),
    };
    RunOptions { sink, keep_score: options.keep_score.as_ref().map(spare), ..options.clone() }
}

fn spare(path: &Path) -> PathBuf {
    if !path.is_file() {
        return path.to_owned();
    }
    let numbered = |number: u32| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let extension = path.extension().map_or(String::new(), |extension| format!(".{}", extension.to_string_lossy()));
        path.with_file_name(format!("{stem}.{number}{extension}"))
    };
    let free = (2..).map(numbered).find(|path| !path.exists()).unwrap_or_else(|| path.to_owned());
    log::warn!("{} is of the engine before this one and stays; this one writes {}", path.display(), free.display());
    free
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_left_alone_and_a_device_is_no_file() {
        let path = std::env::temp_dir().join(format!("chronus-spare-{}.wav", std::process::id()));
        assert_eq!(spare(&path), path);
        std::fs::write(&path, "first").unwrap();
        let second = spare(&path);
        assert_eq!(second, path.with_extension("2.wav"));
        std::fs::write(&second, "second").unwrap();
        assert_eq!(spare(&path), path.with_extension("3.wav"));
        assert_eq!(spare(Path::new("/dev/null")), Path::new("/dev/null"));
        [path, second].iter().for_each(|path| std::fs::remove_file(path).unwrap());
    }
}
