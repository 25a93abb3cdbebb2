//! Presets: how common systems export their change records, as data.

use super::super::spec::Field;

/// What a source says by `preset: NAME`; whatever it says itself counts for more.
#[derive(Debug)]
pub struct DocumentPreset {
    pub name: &'static str,
    /// Which records these are: a sentence for the documentation.
    pub summary: &'static str,
    /// The only format of the export, if there is one.
    pub format: Option<&'static str>,
    pub fields: &'static [(Field, &'static str)],
    /// Field, their word, our word.
    pub values: &'static [(Field, &'static str, &'static str)],
    pub defaults: &'static [(Field, &'static str)],
    /// Fields whose columns every export has to have.
    pub needed: &'static [Field],
    /// `key` and `any` of `match`: other records are none of ours.
    pub matching: Option<(&'static str, &'static [&'static str])>,
}

impl DocumentPreset {
    /// The preset of this name.
    pub fn find(name: &str) -> Option<&'static DocumentPreset> {
        DOCUMENT_PRESETS.iter().find(|preset| preset.name == name)
    }
}

/// Every preset of documents, in the order of the documentation.
pub static DOCUMENT_PRESETS: &[DocumentPreset] = &[
    DocumentPreset {
        name: "servicenow",
        summary: "Change requests of ServiceNow (`change_request`), as the list export or the table API gives them.",
        format: None,
        fields: &[
            (Field::ChangeId, "number"),
            (Field::Status, "state"),
            (Field::Approval, "approval"),
            (Field::ChangeType, "type"),
            (Field::PlannedStart, "start_date"),
            (Field::PlannedEnd, "end_date"),
            (Field::Service, "cmdb_ci"),
            (Field::ConfirmedAt, "approval_set"),
            (Field::Time, "sys_updated_on"),
        ],
        values: &[
            (Field::Status, "-5", "tentative"),
            (Field::Status, "New", "tentative"),
            (Field::Status, "-4", "tentative"),
            (Field::Status, "Assess", "tentative"),
            (Field::Status, "-3", "tentative"),
            (Field::Status, "Authorize", "tentative"),
            (Field::Status, "-2", "confirmed"),
            (Field::Status, "Scheduled", "confirmed"),
            (Field::Status, "-1", "in-process"),
            (Field::Status, "Implement", "in-process"),
            (Field::Status, "0", "completed"),
            (Field::Status, "Review", "completed"),
            (Field::Status, "3", "completed"),
            (Field::Status, "Closed", "completed"),
            (Field::Status, "4", "cancelled"),
            (Field::Status, "Canceled", "cancelled"),
        ],
        defaults: &[],
        needed: &[Field::Status, Field::PlannedStart, Field::PlannedEnd],
        matching: None,
    },
    DocumentPreset {
        name: "aws-health",
        summary: "Scheduled changes among the events of AWS Health, as EventBridge entries with `Detail`.",
        format: Some("json"),
        fields: &[
            (Field::ChangeId, "Detail.eventArn"),
            (Field::Status, "Detail.statusCode"),
            (Field::PlannedStart, "Detail.startTime"),
            (Field::PlannedEnd, "Detail.endTime"),
            (Field::Service, "Detail.service"),
            (Field::Procedure, "Detail.eventTypeCode"),
            (Field::Time, "Detail.lastUpdatedTime"),
        ],
        values: &[
            (Field::Status, "upcoming", "confirmed"),
            (Field::Status, "open", "in-process"),
            (Field::Status, "closed", "completed"),
        ],
        // It is announced by whoever does it.
        defaults: &[(Field::Status, "confirmed")],
        needed: &[],
        matching: Some(("Detail.eventTypeCategory", &["scheduledChange"])),
    },
];
