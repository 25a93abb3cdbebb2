//! What a client asks before a run: in the query of a URL, or as a JSON object.

use super::Problem;
use super::query::read;
use serde::{Deserialize, Serialize};

/// The keys of a question, for messages.
pub(super) const KEYS: &[&str] = &[
    "partner",
    "service",
    "procedure",
    "at",
    "for",
    "change",
    "trigger",
    "by",
    "override_by",
    "override_reason",
];

/// A question whether a run may start. The texts are as the client gave them; what they mean is for the backend to
/// say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Inquiry {
    pub partner: Option<String>,
    pub service: Option<String>,
    pub procedure: Option<String>,
    /// The start, an RFC 3339 instant; now if not given.
    pub at: Option<String>,
    /// How long the run takes, as Prometheus writes durations.
    #[serde(rename = "for")]
    pub lasts: Option<String>,
    pub change: Option<String>,
    pub trigger: Option<String>,
    /// Who asks.
    pub by: Option<String>,
    /// Who starts whatever the answer is, and why.
    pub override_by: Option<String>,
    pub override_reason: Option<String>,
}

impl Inquiry {
    /// Reads the part of a URL behind the question mark.
    ///
    /// # Errors
    /// 400 for a key that is unknown or given twice, a value that is empty or badly encoded.
    pub fn parse(text: &str) -> Result<Inquiry, Problem> {
        let mut values = read(text, KEYS)?;
        let mut take = |key| values.remove(key);
        Ok(Inquiry {
            partner: take("partner"),
            service: take("service"),
            procedure: take("procedure"),
            at: take("at"),
            lasts: take("for"),
            change: take("change"),
            trigger: take("trigger"),
            by: take("by"),
            override_by: take("override_by"),
            override_reason: take("override_reason"),
        })
    }

    /// Whether somebody starts whatever the answer is.
    pub(super) fn is_overriding(&self) -> bool {
        self.override_by.is_some() || self.override_reason.is_some()
    }

    /// Reads the query and the body of a POST; one of them has to be empty.
    ///
    /// # Errors
    /// As [`Inquiry::parse`], and 400 for a body that is no such JSON object or stands beside a query.
    pub fn posted(query: &str, body: &[u8]) -> Result<Inquiry, Problem> {
        if body.is_empty() {
            return Inquiry::parse(query);
        }
        if !query.is_empty() {
            let detail = "the question stands in the URL or in the body, not in both";
            return Err(Problem::bad_request(detail));
        }
        let refuse = |why: &str| {
            let keys = KEYS.join(", ");
            Problem::bad_request(format!(
                "the body is not a JSON object with texts for {keys}: {why}"
            ))
        };
        // An array would be taken for the values in the order of the keys.
        if body.trim_ascii_start().first() == Some(&b'[') {
            return Err(refuse("it is an array"));
        }
        serde_json::from_slice(body).map_err(|error| refuse(&error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query: &str, body: &str, want: Result<Inquiry, &str>) {
        let got = Inquiry::posted(query, body.as_bytes());
        match (got, want) {
            (Ok(got), Ok(want)) => assert_eq!(got, want, "{query} {body}"),
            (Err(problem), Err(want)) => {
                assert_eq!(problem.status.as_u16(), 400);
                assert!(problem.detail.contains(want), "{}", problem.detail);
            }
            (got, want) => panic!("{query} {body}: {got:?}, not {want:?}"),
        }
    }

    #[test]
    fn a_question_stands_in_the_url_or_in_the_body() {
        let some = |text: &str| Some(text.to_owned());
        let want = Inquiry {
            partner: some("a"),
            procedure: some("b c"),
            lasts: some("2h"),
            at: some("2025-11-10T13:10:00+00:00"),
            ..Inquiry::default()
        };
        let query = "partner=a&procedure=b+c&for=2h&at=2025-11-10T13:10:00+00:00";
        check(query, "", Ok(want.clone()));
        let body =
            r#"{"partner":"a","procedure":"b c","for":"2h","at":"2025-11-10T13:10:00+00:00"}"#;
        check("", body, Ok(want));
        check("partner=a", r#"{"partner":"a"}"#, Err("not in both"));
        check("party=a", "", Err("unknown query key \"party\"; accepted are partner, service"));
        check("", r#"{"party":"a"}"#, Err("unknown field `party`"));
        check("", r#"{"partner":7}"#, Err("not a JSON object with texts for partner, service"));
        check("", "partner=a", Err("not a JSON object"));
        check("", r#" ["a", null, "b"]"#, Err("it is an array"));
        check("partner=a&partner=b", "", Err("given twice"));
        check("partner=", "", Err("no value"));
    }
}
