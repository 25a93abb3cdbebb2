//! Every preset, in the order of the documentation.

use super::super::spec::Field;
use super::{Form, Layout, Preset};

/// What most presets have in common.
const PLAIN: Preset = Preset {
    name: "",
    summary: "",
    how: "",
    layout: Layout::Regex,
    forms: &[],
    match_key: None,
    match_any: &[],
    fields: &[],
    values: &[],
    defaults: &[],
    continuation: None,
};

const fn form(regex: &'static str, constants: &'static [(Field, &'static str)]) -> Form {
    Form { regex, constants, ignore: false }
}

/// A line of any other form: noise with a stamp.
const fn noise(regex: &'static str) -> Form {
    Form { regex, constants: &[], ignore: true }
}

const VACUUM: &[(Field, &str)] = &[(Field::Event, "finished"), (Field::Procedure, "autovacuum")];
const ANALYZE: &[(Field, &str)] = &[(Field::Event, "finished"), (Field::Procedure, "autoanalyze")];
const BY_SCHEDULE: &[(Field, &str)] = &[(Field::Trigger, "schedule")];

/// The time that every usual `log_line_prefix` begins with or contains (`%m`, `%t`), then the words of the message.
macro_rules! postgresql {
    ($words:literal) => {
        concat!(
            r"(?s)^[^\n]*?(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?(?: (?:[A-Z]{1,5}|[+-]\d{2,4}))?)",
            r"(?:[^:\n]|:[^ \n]|: [^ \n])*? LOG:  automatic ",
            $words,
            r#" of table "(?P<run_id>[^"\n]+)".*elapsed:? (?P<duration>[\d.]+ s)"#
        )
    };
}

/// The message in a JSON object, where a quote is written `\"`.
macro_rules! postgresql_json {
    ($words:literal) => {
        concat!(
            r#""message": ?"automatic "#,
            $words,
            r#" of table \\"(?P<run_id>[^"\\]+)\\".*elapsed:? (?P<duration>[\d.]+ s)"#
        )
    };
}

/// A stamp of mongod 3 or 4.0 to 4.2 (`iso8601-local`), or of 2 (`ctime`), and the thread.
macro_rules! mongodb {
    ($words:literal) => {
        concat!(
            r"^(?P<time>\d\S+|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \S+) [^\[]*\[(?P<run_id>[^\]]+)\] ",
            $words
        )
    };
}

macro_rules! ansible {
    ($words:literal) => {
        concat!(r"(?s)^(?P<time>\d\S+ \S+) (?P<run_id>p=\d+) [^|\n]*\| +PLAY ", $words)
    };
}

macro_rules! bareos {
    ($termination:literal) => {
        concat!(
            r"(?smR)^ +JobId: +(?P<run_id>\d+) *$",
            r".*?^ +Job: +(?P<procedure>\S+?)\.\d{4}-\d\d-\d\d_\S+ *$",
            r".*?^ +Start time: +(?P<start>\S.*?) *$",
            r".*?^ +End time: +(?P<time>\S.*?) *$",
            r"(?:.*?^ +Job triggered by: +(?P<trigger>\S+) *$)?",
            r".*?^ +Termination: +",
            $termination
        )
    };
}

/// The head of a line of cron in a syslog file: RFC 3164, or RFC 3339 with the columns of RFC 5424.
macro_rules! cron {
    ($words:literal) => {
        concat!(
            r"^(?:<\d+>)?(?:1 )?(?P<time>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S+) ",
            $words
        )
    };
}

/// Every preset.
pub static PRESETS: &[Preset] = &[
    Preset {
        name: "postgresql",
        summary: "PostgreSQL's autovacuum in the server log (`log_destination = stderr`, \
                  `log_autovacuum_min_duration`).",
        how: "Each report is a finished run of procedure `autovacuum` or `autoanalyze`, whose id is the table; \
              it ends at the stamp and began `elapsed` before that. The stamp may stand anywhere in \
              `log_line_prefix` (`%m` or `%t`). Lines that begin with a tab belong to the report. A report \
              without its `elapsed` is rejected.",
        forms: &[
            form(postgresql!("(?:aggressive )?vacuum(?: to prevent wraparound)?"), VACUUM),
            form(postgresql!("analyze"), ANALYZE),
            // Another message, which only quotes such a report.
            noise(
                r"^[^\n]*?(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?(?: (?:[A-Z]{1,5}|[+-]\d{2,4}))?)(?:[^:\n]|:[^ \n]|: [^ \n])*? [A-Z0-9]+:  (?:[^a]|a[^u]|au[^t])",
            ),
        ],
        match_any: &["LOG:  automatic "],
        defaults: BY_SCHEDULE,
        continuation: Some(r"^\t"),
        ..PLAIN
    },
    Preset {
        name: "postgresql-json",
        summary: "The same in PostgreSQL's `jsonlog`.",
        how: "As `postgresql`; nothing has to be joined.",
        layout: Layout::Json,
        forms: &[
            form(postgresql_json!("(?:aggressive )?vacuum(?: to prevent wraparound)?"), VACUUM),
            form(postgresql_json!("analyze"), ANALYZE),
        ],
        match_any: &[r#""message":"automatic "#, r#""message": "automatic "#],
        fields: &[(Field::Time, "timestamp")],
        defaults: BY_SCHEDULE,
        ..PLAIN
    },
    Preset {
        name: "mongodb",
        summary: "Index builds and chunk migrations in the text log of mongod up to 4.2.",
        how: "`build index on` starts a run of procedure `index-build` and `build index done` ends it; \
              `moveChunk.start` and `moveChunk.from` of the changelog do so for `move-chunk`, which failed unless \
              the note is `success`. The id is the thread (`conn39`). Give each server's source a \
              `run_id_prefix`, because all of them count their threads from 1. The JSON log of 4.4 and later \
              is not read: it passes no `match` of this preset.",
        forms: &[
            form(
                mongodb!("build index on: "),
                &[(Field::Event, "started"), (Field::Procedure, "index-build")],
            ),
            form(
                mongodb!("build index done"),
                &[(Field::Event, "finished"), (Field::Procedure, "index-build")],
            ),
            form(
                mongodb!(r#"about to log metadata event.*what: "moveChunk\.start""#),
                &[(Field::Event, "started"), (Field::Procedure, "move-chunk")],
            ),
            form(
                mongodb!(
                    r#"about to log metadata event.*what: "moveChunk\.from".*note: "(?P<outcome>success)""#
                ),
                &[(Field::Event, "finished"), (Field::Procedure, "move-chunk")],
            ),
            form(
                mongodb!(
                    r#"about to log metadata event.*what: "moveChunk\.from"(?:.*note: "(?P<outcome>[^"]*)")?"#
                ),
                &[(Field::Event, "failed"), (Field::Procedure, "move-chunk")],
            ),
            noise(r"^(?P<time>\d\S+|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \S+) "),
        ],
        match_any: &[
            "] build index on: ",
            "] build index done",
            r#"what: "moveChunk.start""#,
            r#"what: "moveChunk.from""#,
        ],
        ..PLAIN
    },
    Preset {
        name: "ansible",
        summary: "Playbooks in Ansible's `log_path`.",
        how: "The first `PLAY [name]` of a process starts a run of the procedure `name`, whose id is the process \
              (`p=21307`); `PLAY RECAP` ends it, failed if any host has `failed` or `unreachable`. The lines of the \
              hosts belong to the recap. Further plays of the same playbook are starts of a run that is open: \
              they change nothing and are counted as irregularities. Give each control host's source a \
              `run_id_prefix`.",
        forms: &[
            form(ansible!(r"\[(?P<procedure>[^\n]*)\] \*"), &[(Field::Event, "started")]),
            form(
                ansible!(r"RECAP \*.*[ \t](?P<outcome>(?:unreachable|failed)=[1-9]\d*)"),
                &[(Field::Event, "failed")],
            ),
            form(ansible!(r"RECAP \*.* : ok=\d"), &[(Field::Event, "finished")]),
            form(
                ansible!(r"RECAP \*"),
                &[(Field::Event, "finished"), (Field::Outcome, "no hosts")],
            ),
            noise(r"^(?P<time>\d\S+ \S+) p=\d+ "),
        ],
        match_any: &[" PLAY [", " PLAY RECAP *"],
        continuation: Some(r"^\d\S+ \S+ p=\d+ .*?\| .* : ok=\d+ +changed=\d+ "),
        ..PLAIN
    },
    Preset {
        name: "ansible-jsonl",
        summary: "Playbooks in the output of Ansible's callback `ansible.posix.jsonl`.",
        how: "`v2_playbook_on_play_start` starts a run of the procedure `play.name`; `v2_playbook_on_stats` ends it, \
              failed if any host has `failures` or `unreachable`. Nothing in the end names the run, so all runs \
              have the id `playbook`: one playbook at a time writes to such a file; give each file's source a \
              `run_id_prefix`. The callback `ansible.posix.json` writes one document when all is over, which is no \
              log: nothing in it is seen.",
        layout: Layout::Json,
        forms: &[
            form(
                r#""_event": ?"v2_playbook_on_play_start""#,
                &[(Field::Event, "started"), (Field::RunId, "playbook")],
            ),
            form(
                r#""_event": ?"v2_playbook_on_stats".*"stats": ?\{.*"(?:failures|unreachable)": ?[1-9]"#,
                &[(Field::Event, "failed"), (Field::RunId, "playbook")],
            ),
            form(
                r#""_event": ?"v2_playbook_on_stats""#,
                &[(Field::Event, "finished"), (Field::RunId, "playbook")],
            ),
        ],
        match_key: Some("_event"),
        match_any: &["v2_playbook_on_play_start", "v2_playbook_on_stats"],
        fields: &[(Field::Time, "_timestamp"), (Field::Procedure, "play.name")],
        ..PLAIN
    },
    Preset {
        name: "bareos",
        summary: "Job reports in the log of a Bareos director.",
        how: "Each report is a finished run of the procedure `Job` (without the stamp in its name) from `Start time` \
              to `End time`, whose id is `JobId`. `Job triggered by` is the trigger (Scheduler, User). `Termination` \
              is the outcome: `... OK` finished, `... Canceled` aborted, anything else failed. Lines that begin with \
              a blank belong to the report.",
        forms: &[
            form(bareos!(r"(?P<outcome>\w+ OK\b.*?) *$"), &[(Field::Event, "finished")]),
            form(bareos!(r"(?P<outcome>\w+ Cancel+ed\b.*?) *$"), &[(Field::Event, "aborted")]),
            form(bareos!(r"(?P<outcome>\S.*?) *$"), &[(Field::Event, "failed")]),
        ],
        match_any: &[" Termination: "],
        values: &[(Field::Trigger, "Scheduler", "schedule"), (Field::Trigger, "User", "manual")],
        continuation: Some("^ "),
        ..PLAIN
    },
    Preset {
        name: "systemd",
        summary: "Units in the journal of systemd as JSON (`journalctl -o json`).",
        how: "A unit that is starting starts a run of the procedure `UNIT` (`archive.service`), whose id is its \
              `INVOCATION_ID`; it ends when the unit has been deactivated successfully (finished) or has failed \
              (failed), told by their `MESSAGE_ID`. So a run lasts as long as the unit is active. Say which units are \
              maintenance by a `match` of their names; what started a unit is not written.",
        layout: Layout::Json,
        forms: &[
            form(
                r#""MESSAGE_ID" ?: ?"7d4958e842da4a758f6c1cdc7b36dcc5""#,
                &[(Field::Event, "started")],
            ),
            form(
                r#""MESSAGE_ID" ?: ?"7ad2d189f7e94e70a38c781354912448""#,
                &[(Field::Event, "finished")],
            ),
            form(
                r#""MESSAGE_ID" ?: ?"d9b373ed55a64feb8242e02dbe79a49c""#,
                &[(Field::Event, "failed")],
            ),
            noise(r"^\{"),
        ],
        match_key: Some("MESSAGE_ID"),
        match_any: &[
            "7d4958e842da4a758f6c1cdc7b36dcc5",
            "7ad2d189f7e94e70a38c781354912448",
            "d9b373ed55a64feb8242e02dbe79a49c",
        ],
        fields: &[
            (Field::Time, "__REALTIME_TIMESTAMP"),
            (Field::Procedure, "UNIT"),
            (Field::RunId, "INVOCATION_ID"),
            (Field::Outcome, "UNIT_RESULT"),
        ],
        ..PLAIN
    },
    Preset {
        name: "cron",
        summary: "Jobs of cron in a syslog file.",
        how: "Each `CMD` is a run that ends as it begins: the rules of the start are judged, how long it ran is not \
              known, and it is never `lost`. By default cron tells only when it starts a job; where it also writes \
              `END` (Debian's with `-L`) or `CMDEND` (cronie), these lines are not read, because most of them do not \
              name the process that began. The procedure is the command as written, to be named by `values`; the id \
              is the process. Say which jobs are maintenance by a `match` of their commands.",
        forms: &[
            form(
                cron!(
                    r"(?:\S+ )?(?:/\S*/)?(?i:crond?)(?:\[| )(?P<run_id>\d+)(?:\]:?|(?: -){1,2}) +\([^)]*\) CMD \( *(?:\[\d+\] )?(?P<procedure>\S.*?) *\) *$"
                ),
                &[(Field::Event, "finished"), (Field::Duration, "0"), (Field::Outcome, "started")],
            ),
            noise(cron!("")),
        ],
        match_any: &[" CMD ("],
        defaults: BY_SCHEDULE,
        ..PLAIN
    },
];
