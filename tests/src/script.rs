//! The project's scripts and files for the box, and the machine's programs that tests of them need.

use std::path::Path;
use std::process::{Command, Output};

use crate::build::project;

/// The boards there are images for.
pub const BOARDS: [&str; 3] = ["rpi4", "rpi5", "vm"];

/// A file of the folder `board/`.
///
/// # Panics
/// If it is not there.
pub fn board(file: &str) -> String {
    let path = project().join("board").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The lines of a text that say something, without comments.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// A command with the places of system programs on its path, which a user's has not everywhere.
pub fn command(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new(program.as_ref());
    command.env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default()));
    command
}

/// Whether this machine has a program.
pub fn there_is(program: &str) -> bool {
    command("sh").args(["-c", &format!("command -v {program}")]).output().is_ok_and(|output| output.status.success())
}

/// What a program has said, on either of its outputs.
pub fn told(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}
