//! Which scanner a line goes through, by the format of its source.

use super::file::FileState;
use super::reading::Reason;
use super::scan::{Fault, Keys, Put, Value};
use super::spec::{Format, MessageFormat, Pattern};
use super::{Field, csv, json, logfmt, regex, syslog};

/// How a line is taken apart, ready to use.
#[derive(Debug)]
pub(super) enum Scanner {
    Json(Option<regex::Forms>),
    Logfmt,
    Syslog(Option<Box<Scanner>>),
    Csv { delimiter: u8 },
    Regex(regex::Forms),
}

impl Scanner {
    /// `slot` is that of a field.
    pub(super) fn new(
        format: &Format,
        message: Option<&MessageFormat>,
        keys: &Keys,
        slot: impl Fn(Field) -> Option<usize>,
    ) -> Scanner {
        let forms = |patterns: &[Pattern]| regex::Forms::new(patterns, keys, &slot);
        let message = message.map(|message| match message {
            MessageFormat::Json => Scanner::Json(None),
            MessageFormat::Logfmt => Scanner::Logfmt,
            MessageFormat::Regex(regex) => Scanner::Regex(forms(&[Pattern::plain(regex.clone())])),
        });
        match format {
            Format::Json { patterns } if patterns.is_empty() => Scanner::Json(None),
            Format::Json { patterns } => Scanner::Json(Some(forms(patterns))),
            Format::Logfmt => Scanner::Logfmt,
            Format::Syslog => Scanner::Syslog(message.map(Box::new)),
            Format::Csv { delimiter } => Scanner::Csv { delimiter: *delimiter },
            Format::Regex(patterns) => Scanner::Regex(forms(patterns)),
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
            Scanner::Json(None) => json::scan(text, keys, put),
            Scanner::Json(Some(forms)) => {
                json::scan(text, keys, put)?;
                forms.scan(text, put)
            }
            Scanner::Logfmt => logfmt::scan(text, keys, put),
            Scanner::Csv { delimiter } => csv::scan(text, *delimiter, &file.columns, put),
            Scanner::Regex(forms) => forms.scan(text, put),
            Scanner::Syslog(message) => {
                let (text, base) = syslog::scan(text, keys, put)?;
                let Some(message) = message else { return Ok(()) };
                if matches!(**message, Scanner::Json(_)) && !text.starts_with('{') {
                    // Other programs write their lines into the same file.
                    return Err(Fault::other(Reason::NoMatch, "the text is not a JSON object"));
                }
                let mut put = |slot, value: Value<'l>| put(slot, value.behind(base));
                message.scan(text, keys, file, &mut put).map_err(|fault| fault.behind(base))
            }
        }
    }
}
