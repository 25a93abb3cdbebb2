//! Which scanner a line goes through, by the format of its source.

use ::regex::bytes::Regex;

use super::file::FileState;
use super::reading::Reason;
use super::scan::{Fault, Keys, Put, Value};
use super::spec::{Format, MessageFormat};
use super::{csv, json, logfmt, regex, syslog};

/// How a line is taken apart, ready to use.
#[derive(Debug)]
pub(super) enum Scanner {
    Json,
    Logfmt,
    Syslog(Option<Box<Scanner>>),
    Csv { delimiter: u8 },
    Regex { regex: Regex, groups: Vec<Option<usize>> },
}

impl Scanner {
    pub(super) fn new(format: &Format, message: Option<&MessageFormat>, keys: &Keys) -> Scanner {
        let regex = |regex: &Regex| Scanner::Regex {
            regex: regex.clone(),
            groups: regex::groups(regex, keys),
        };
        let message = message.map(|message| match message {
            MessageFormat::Json => Scanner::Json,
            MessageFormat::Logfmt => Scanner::Logfmt,
            MessageFormat::Regex(pattern) => regex(pattern),
        });
        match format {
            Format::Json => Scanner::Json,
            Format::Logfmt => Scanner::Logfmt,
            Format::Syslog => Scanner::Syslog(message.map(Box::new)),
            Format::Csv { delimiter } => Scanner::Csv { delimiter: *delimiter },
            Format::Regex(pattern) => regex(pattern),
        }
    }

    pub(super) fn scan<'l>(
        &self,
        text: &'l str,
        keys: &Keys,
        file: &FileState,
        put: Put<'_, 'l>,
    ) -> Result<(), Fault> {
        match self {
            Scanner::Json => json::scan(text, keys, put),
            Scanner::Logfmt => logfmt::scan(text, keys, put),
            Scanner::Csv { delimiter } => csv::scan(text, *delimiter, &file.columns, put),
            Scanner::Regex { regex, groups } => regex::scan(text, regex, groups, put),
            Scanner::Syslog(message) => {
                let (text, base) = syslog::scan(text, keys, put)?;
                let Some(message) = message else { return Ok(()) };
                if matches!(**message, Scanner::Json) && !text.starts_with('{') {
                    // Other programs write their lines into the same file.
                    return Err(Fault::other(Reason::NoMatch, "the text is no json object"));
                }
                let mut put = |slot, value: Value<'l>| put(slot, value.behind(base));
                message.scan(text, keys, file, &mut put).map_err(|fault| fault.behind(base))
            }
        }
    }
}
