//! The lines of a run, as offhours reads them.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;

use chrono::SecondsFormat;

use crate::cli::log::quoted;
use crate::clock;

/// Where the lines of one run go.
pub struct Journal {
    pub log: PathBuf,
    pub run_id: String,
    /// What each line names: service, procedure and the like.
    pub names: Vec<(&'static str, String)>,
}

impl Journal {
    /// Appends one line in logfmt: whole or, if the disk is full, not as a line. It is on disk when this returns.
    ///
    /// # Errors
    /// The file and what is wrong with it.
    pub fn tell(&self, event: &str, fields: &[(&str, &str)]) -> Result<(), String> {
        let time = clock::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let mut line = format!("time={time} event={event}");
        let names = self.names.iter().map(|(key, value)| (*key, value.as_str()));
        let own = [("run_id", self.run_id.as_str())];
        for (key, value) in own.into_iter().chain(names).chain(fields.iter().copied()) {
            // Unquoted, the word stands for a missing value.
            match value {
                "null" => line += &format!(" {key}=\"null\""),
                _ => line += &format!(" {key}={}", quoted(value)),
            }
        }
        line.push('\n');
        self.append(&line).map_err(|error| format!("{}: {error}", self.log.display()))
    }

    /// Opened anew for each line, so that a log that is rotated gets the next one in its new file.
    fn append(&self, line: &str) -> std::io::Result<()> {
        let mut file = File::options().create(true).append(true).read(true).open(&self.log)?;
        let mut line = line.to_owned();
        if is_torn(&mut file) {
            line.insert(0, '\n');
        }
        // In one piece: others may append at the same time, and see no half of it.
        let written = file.write(line.as_bytes())?;
        if written < line.len() {
            let why = "only a part of the line could be written, is the disk full?";
            return Err(std::io::Error::other(why));
        }
        match file.sync_data() {
            // A pipe or the like has no disk.
            Err(error) if error.kind() != std::io::ErrorKind::InvalidInput => Err(error),
            _ => Ok(()),
        }
    }
}

/// Whether the last line has no end: somebody was cut off.
fn is_torn(file: &mut File) -> bool {
    let mut last = [0];
    let read = file.seek(SeekFrom::End(-1)).and_then(|_| file.read_exact(&mut last));
    read.is_ok() && last != *b"\n"
}
