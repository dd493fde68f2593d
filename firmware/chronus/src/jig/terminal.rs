//! Asks the builder.

use std::io::{BufRead, Write};

/// What was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is so.
    Yes,
    /// It is not.
    No,
    /// Once more.
    Again,
}

/// Where the builder sits, or a script.
pub struct Terminal<'a> {
    input: &'a mut dyn BufRead,
    output: &'a mut dyn Write,
}

impl<'a> Terminal<'a> {
    /// A terminal of these two.
    pub fn new(input: &'a mut dyn BufRead, output: &'a mut dyn Write) -> Self {
        Self { input, output }
    }

    /// Says a line.
    pub fn say(&mut self, line: &str) {
        // Who has closed the output does not read why.
        let _ = writeln!(self.output, "{line}");
    }

    /// Asks until it is answered.
    ///
    /// # Errors
    /// In words: that nobody answers any more.
    pub fn ask(&mut self, question: &str) -> Result<Answer, String> {
        loop {
            let _ = write!(self.output, "  {question} [y/n/a] ");
            let _ = self.output.flush();
            let mut line = String::new();
            match self.input.read_line(&mut line) {
                Ok(0) | Err(_) => {
                    self.say("");
                    return Err(format!("nobody answered \"{question}\""));
                }
                Ok(_) => {}
            }
            match line.trim().to_lowercase().as_str() {
                "y" | "yes" => return Ok(Answer::Yes),
                "n" | "no" => return Ok(Answer::No),
                "a" | "again" => return Ok(Answer::Again),
                _ => self.say("  y, n or a, please"),
            }
        }
    }
}
