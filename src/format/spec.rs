//! How a source's lines are to be read: checked by `config`, used by the readers.

use std::collections::HashMap;

use crate::calendar::Zone;
use crate::event::words;
use crate::format::stamp::TimeFormat;

words! {
    /// Our fields, by the name that they have in a configuration.
    Field {
        Time = "time",
        Event = "event",
        Procedure = "procedure",
        Service = "service",
        RunId = "run_id",
        ChangeId = "change_id",
        Trigger = "trigger",
        Phase = "phase",
        Outcome = "outcome",
        Start = "start",
        End = "end",
        Duration = "duration",
        Revision = "revision",
        Status = "status",
        ChangeType = "change_type",
        PlannedStart = "planned_start",
        PlannedEnd = "planned_end",
    }
}

/// How a line is taken apart.
#[derive(Clone, Debug)]
pub enum Format {
    /// One object a line; nested keys as `a.b.c`.
    Json,
    Logfmt,
    /// RFC 5424 (structured data as `SD-ID.PARAM`) and RFC 3164.
    Syslog,
    /// With a header line; RFC 4180 quoting.
    Csv {
        delimiter: u8,
    },
    /// Named groups are the fields.
    Regex(regex::bytes::Regex),
}

/// How the free text of a syslog line is read, if at all.
#[derive(Clone, Debug)]
pub enum MessageFormat {
    Json,
    Logfmt,
    Regex(regex::bytes::Regex),
}

/// The cheap test: the value of `key` is one of `any`; without `key`: the line contains one of `any`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    pub key: Option<String>,
    /// Never empty.
    pub any: Vec<String>,
}

/// One source's way of writing.
#[derive(Clone, Debug)]
pub struct Spec {
    pub format: Format,
    pub message_format: Option<MessageFormat>,
    pub time_format: TimeFormat,
    /// Zone of stamps without an offset.
    pub zone: Zone,
    pub matching: Option<Match>,
    /// Our field -> their key. A field that is not here is looked for under our own name.
    pub fields: HashMap<Field, String>,
    /// Field -> their word -> our word.
    pub values: HashMap<Field, HashMap<String, String>>,
}
