//! How a source's lines are to be read: checked by `config`, used by the readers.

use std::collections::HashMap;

use chrono::TimeDelta;

use crate::calendar::Zone;
use crate::event::words;
use crate::format::encoding::Encoding;
use crate::format::stamp::TimeFormat;
use crate::format::syslog::SYSLOG_KEYS;
use crate::format::whose::Partners;
use crate::policy::defaults::CLOCK_TOLERANCE;

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
        /// When a change was confirmed, where one record tells that beside its status.
        ConfirmedAt = "confirmed_at",
        /// Of documents: which planned span of the change a record is about, where there may be several.
        Slot = "slot",
        /// Of documents: whether the change was approved; see [`Approval`].
        Approval = "approval",
        /// Of documents: what our side answered.
        Accepted = "accepted",
    }
}

impl Field {
    /// Whether log lines have it only where a configuration names its key.
    pub(crate) fn is_of_documents(self) -> bool {
        matches!(self, Field::Slot | Field::Approval | Field::Accepted)
    }
}

words! {
    /// How far the approval of a change has come. One that is asked for or refused cannot be confirmed, whatever
    /// its state says.
    Approval { Approved = "approved", Requested = "requested", Rejected = "rejected" }
}

/// A file that is read as a whole and taken apart into records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// Maintenance notices in the BCOP form, in iCalendar or in mails that carry it.
    Notices,
    /// Change records in CSV or JSON; the names under which a JSON object may hold the array of them.
    Changes { records: Vec<String> },
}

/// How a line is taken apart.
#[derive(Clone, Debug)]
pub enum Format {
    /// One object a line; nested keys as `a.b.c`. Patterns, if there are any, are tried on the line as it is
    /// written, and what they find counts for more.
    Json {
        patterns: Vec<Pattern>,
    },
    Logfmt,
    /// RFC 5424 (structured data as `SD-ID.PARAM`) and RFC 3164.
    Syslog,
    /// With a header line; RFC 4180 quoting.
    Csv {
        delimiter: u8,
    },
    /// Named groups are the fields; the first pattern that matches counts.
    Regex(Vec<Pattern>),
}

/// One form that a line may have.
#[derive(Clone, Debug)]
pub struct Pattern {
    pub regex: regex::bytes::Regex,
    /// What a line of this form says of our fields without writing it; a group of the same name counts for more.
    pub constants: Vec<(Field, String)>,
    /// A line of this form is noise, though it passes `match`; its stamp may be asked for.
    pub ignore: bool,
}

impl Pattern {
    /// A form that says nothing but what is in its groups.
    pub fn plain(regex: regex::bytes::Regex) -> Pattern {
        Pattern { regex, constants: Vec::new(), ignore: false }
    }
}

/// The fields that `defaults` may give: the ones that a whole log has in common.
pub const DEFAULTS: &[Field] = &[Field::Service, Field::Procedure, Field::Trigger, Field::RunId];

/// The fields that a pattern may give.
pub const CONSTANTS: &[Field] = &[
    Field::Event,
    Field::Procedure,
    Field::Service,
    Field::RunId,
    Field::Trigger,
    Field::Phase,
    Field::Outcome,
    Field::Duration,
    Field::Status,
];

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
    /// How far the writers of a file may be out of order.
    pub clock_tolerance: TimeDelta,
    pub encoding: Encoding,
    pub matching: Option<Match>,
    /// Our field -> their key. A field that is not here is looked for under our own name.
    pub fields: HashMap<Field, String>,
    /// Field -> their word -> our word.
    pub values: HashMap<Field, HashMap<String, String>>,
    /// Field, pattern of their words, our word; the first that matches counts, behind what stands in `values`.
    pub value_patterns: Vec<(Field, regex::bytes::Regex, String)>,
    /// Fields whose keys are named in the configuration: a csv header, or the records of a document, without one of them is an error.
    pub named: Vec<Field>,
    /// Our word where a record has none.
    pub defaults: HashMap<Field, String>,
    /// Whose each line is, where that is for the line to say.
    pub partners: Option<Partners>,
    /// `None`: lines of logs.
    pub document: Option<Document>,
    /// Stands in front of every run id: two hosts of a partner count their processes independently.
    pub run_id_prefix: String,
    /// A line that matches belongs to the record before it.
    pub continuation: Option<regex::bytes::Regex>,
}

/// The keys that lines of a format can have, where only some are possible.
#[derive(Clone, Debug)]
pub struct KnownKeys<'f> {
    pub names: Vec<&'f str>,
    /// What such a key is, for messages.
    pub what: &'static str,
    /// Beside them every parameter of structured data, as `SD-ID.PARAM`.
    has_structured_data: bool,
}

impl KnownKeys<'_> {
    /// Whether a line can have this key.
    pub fn has(&self, key: &str) -> bool {
        self.names.contains(&key) || self.has_structured_data && key.contains('.')
    }
}

impl Format {
    /// The keys that lines can have; `None`: any. `message`: how the text of a syslog line is read.
    pub fn keys<'f>(&'f self, message: Option<&'f MessageFormat>) -> Option<KnownKeys<'f>> {
        let (regexes, what): (Vec<&regex::bytes::Regex>, _) = match (self, message) {
            (Format::Regex(forms), _) => {
                (forms.iter().map(|form| &form.regex).collect(), "group of the pattern")
            }
            (Format::Syslog, None) => (Vec::new(), "key of a syslog line"),
            (Format::Syslog, Some(MessageFormat::Regex(regex))) => {
                (vec![regex], "key of a syslog line")
            }
            _ => return None,
        };
        let has_structured_data = matches!(self, Format::Syslog);
        let own: &[&str] = if has_structured_data { &SYSLOG_KEYS } else { &[] };
        let mut names: Vec<&str> = Vec::new();
        for name in regexes.iter().flat_map(|regex| regex.capture_names().flatten()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names.extend(own);
        Some(KnownKeys { names, what, has_structured_data })
    }
}

impl Spec {
    /// Lines of this format, with our own words and nothing else said.
    pub fn new(format: Format, zone: Zone) -> Spec {
        Spec {
            format,
            message_format: None,
            time_format: TimeFormat::Auto,
            zone,
            clock_tolerance: CLOCK_TOLERANCE,
            encoding: Encoding::Auto,
            matching: None,
            fields: HashMap::new(),
            values: HashMap::new(),
            value_patterns: Vec::new(),
            named: Vec::new(),
            defaults: HashMap::new(),
            partners: None,
            document: None,
            run_id_prefix: String::new(),
            continuation: None,
        }
    }

    /// How far the writers of a partner may be out of order.
    pub fn tolerance_of(&self, partner: &str) -> TimeDelta {
        let several = self.partners.iter().flat_map(|partners| &partners.each);
        let own = several.into_iter().find(|member| *member.partner == *partner);
        own.map_or(self.clock_tolerance, |member| member.clock_tolerance)
    }
}
