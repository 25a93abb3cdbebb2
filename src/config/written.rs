//! The configuration as written: every key that `offhours.yml` may have, and nothing about what it means.

use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::config::yaml::{Given, OneOrMany, Table, Text, WordOr};

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct File {
    pub services: Given<Spanned<Table<Service>>>,
    pub partners: Given<Spanned<Table<Partner>>>,
    pub sources: Given<Spanned<Vec<Spanned<Source>>>>,
    pub backfill_horizon: Given<Text>,
    pub calendar_stale_after: Given<Text>,
    pub alertmanagers: Given<Spanned<Vec<Spanned<Alertmanager>>>>,
    pub status_url: Given<Text>,
    pub runbook_url: Given<Text>,
}

/// `services: { NAME: ... }`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Service {
    pub timezone: Given<Text>,
    pub holidays: Given<Spanned<WordOr<Holidays>>>,
    pub business_hours: Given<Text>,
    pub freezes: Given<Spanned<OneOrMany<Freeze>>>,
}

/// `holidays: CODE` or `holidays: { country: CODE, add: [DATE], remove: [DATE], ics: FILE }`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Holidays {
    pub country: Given<Text>,
    pub add: Given<Spanned<Vec<Text>>>,
    pub remove: Given<Spanned<Vec<Text>>>,
    pub ics: Given<Text>,
    pub may_be_empty: Given<Spanned<bool>>,
}

/// `freezes: [{ name, from, to }]`, or a name beside what a window may be
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Freeze {
    pub name: Given<Text>,
    pub from: Given<Text>,
    pub to: Given<Text>,
    pub hours: Given<Text>,
    pub rrule: Given<Text>,
    pub cron: Given<Text>,
    pub ics: Given<Text>,
    pub start: Given<Text>,
    pub duration: Given<Text>,
    pub timezone: Given<Text>,
    pub add: Given<Spanned<Vec<Text>>>,
    pub remove: Given<Spanned<Vec<Text>>>,
    pub summary: Given<Text>,
    pub may_be_empty: Given<Spanned<bool>>,
}

/// `windows: [{ rrule, start, duration }, { cron, duration }, { ics, summary }]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Window {
    pub hours: Given<Text>,
    pub rrule: Given<Text>,
    pub cron: Given<Text>,
    pub ics: Given<Text>,
    pub start: Given<Text>,
    pub duration: Given<Text>,
    pub timezone: Given<Text>,
    pub add: Given<Spanned<Vec<Text>>>,
    pub remove: Given<Spanned<Vec<Text>>>,
    pub summary: Given<Text>,
    pub may_be_empty: Given<Spanned<bool>>,
}

/// `partners: { NAME: ... }`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Partner {
    pub timezone: Given<Text>,
    pub holidays: Given<Spanned<WordOr<Holidays>>>,
    pub windows: Given<Spanned<OneOrMany<Window>>>,
    pub freezes: Given<Spanned<OneOrMany<Freeze>>>,
    pub confirmation: Given<Confirmation>,
    pub emergencies: Given<Emergencies>,
    pub overrun_tolerance: Given<Text>,
    pub lost_after: Given<Text>,
    pub late_after: Given<Text>,
    pub clock_tolerance: Given<Text>,
    pub acknowledge_after: Given<Text>,
    pub ask_first: Given<Spanned<bool>>,
    pub procedures: Given<Spanned<Table<Procedure>>>,
}

/// `procedures: { NAME: ... }` of a partner
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Procedure {
    pub services: Given<Spanned<Vec<Text>>>,
    pub triggers: Given<Spanned<Vec<Text>>>,
    pub windows: Given<Spanned<OneOrMany<Window>>>,
    pub anytime: Given<Spanned<bool>>,
    pub business_hours: Given<Text>,
    pub freezes: Given<Spanned<OneOrMany<Freeze>>>,
    pub confirmation: Given<Confirmation>,
    pub overrun_tolerance: Given<Text>,
    pub expected_duration: Given<Text>,
    pub max_duration: Given<Text>,
    pub verify_within: Given<Text>,
    pub lost_after: Given<Text>,
    pub acknowledge_after: Given<Text>,
    pub ask_first: Given<Spanned<bool>>,
    pub concurrent: Given<Spanned<bool>>,
    pub reviewed: Given<Text>,
    pub review_every: Given<Text>,
    pub document: Given<Text>,
}

/// `confirmation: { ... }` of a partner or a procedure
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Confirmation {
    pub required: Given<Spanned<bool>>,
    pub notice: Given<Text>,
    pub early: Given<Text>,
    pub late: Given<Text>,
}

/// `emergencies: { ... }` of a partner
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Emergencies {
    pub allowed: Given<Spanned<bool>>,
    pub approve_within: Given<Text>,
}

/// `alertmanagers: [{ ... }]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Alertmanager {
    pub url: Given<Text>,
    pub timeout: Given<Text>,
    pub resend: Given<Text>,
    pub resolve_delay: Given<Text>,
    pub tls: Given<Spanned<Tls>>,
    pub basic_auth: Given<Spanned<BasicAuth>>,
    pub external_labels: Given<Table<Text>>,
}

/// `tls: { ... }` of an Alertmanager
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    pub ca_file: Given<Text>,
    pub cert_file: Given<Text>,
    pub key_file: Given<Text>,
    pub server_name: Given<Text>,
}

/// `basic_auth: { ... }` of an Alertmanager
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BasicAuth {
    pub username: Given<Text>,
    pub password_file: Given<Text>,
}

/// `sources: [{ ... }]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Source {
    pub name: Given<Text>,
    pub partner: Given<Text>,
    pub partners: Given<Spanned<Partners>>,
    pub ours: Given<Spanned<bool>>,
    pub delivered_every: Given<Text>,
    pub kind: Given<Text>,
    pub preset: Given<Text>,
    pub files: Given<Spanned<Vec<Text>>>,
    pub archive: Given<Spanned<Vec<Text>>>,
    pub format: Given<Text>,
    pub delimiter: Given<Text>,
    pub pattern: Given<Text>,
    pub patterns: Given<Spanned<Vec<Spanned<WordOr<Pattern>>>>>,
    pub continuation: Given<Text>,
    pub message_format: Given<Spanned<WordOr<MessagePattern>>>,
    pub time_format: Given<Text>,
    pub timezone: Given<Text>,
    pub encoding: Given<Text>,
    pub max_silence: Given<Text>,
    pub max_event_silence: Given<Text>,
    #[serde(rename = "match")]
    pub matching: Given<Spanned<Match>>,
    pub fields: Given<Table<Text>>,
    pub values: Given<Table<Table<Text>>>,
    pub defaults: Given<Table<Text>>,
    pub run_id_prefix: Given<Text>,
    pub records: Given<Text>,
}

/// `partners: { field: KEY, values: { THEIRS: PARTNER } }` of a source
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Partners {
    pub field: Given<Text>,
    pub values: Given<Table<Text>>,
}

/// `patterns: [PATTERN, { regex: PATTERN, event: started, ... }]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pattern {
    pub regex: Given<Text>,
    pub event: Given<Text>,
    pub procedure: Given<Text>,
    pub service: Given<Text>,
    pub run_id: Given<Text>,
    pub trigger: Given<Text>,
    pub phase: Given<Text>,
    pub outcome: Given<Text>,
    pub duration: Given<Text>,
    pub status: Given<Text>,
    pub ignore: Given<Spanned<bool>>,
}

/// `message_format: { regex: PATTERN }`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MessagePattern {
    pub regex: Given<Text>,
}

/// `match: { key, any }`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Match {
    pub key: Given<Text>,
    pub any: Given<Spanned<Vec<Text>>>,
}
