//! What a client asks of the list of runs.

use std::collections::BTreeMap;

use super::Problem;

/// The keys of a query for runs, for messages.
const KEYS: &[&str] = &["partner", "verdict", "since", "limit", "service", "procedure", "state"];

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1000;

/// A query for runs. The texts are as the client gave them, percent-decoded; what they mean is for
/// the backend to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunQuery {
    pub partner: Option<String>,
    pub verdict: Option<String>,
    /// An RFC 3339 instant, or a duration back from now as Prometheus writes it.
    pub since: Option<String>,
    pub service: Option<String>,
    pub procedure: Option<String>,
    pub state: Option<String>,
    /// How many runs at most: 1 to 1000, 100 if not given.
    pub limit: usize,
}

impl Default for RunQuery {
    fn default() -> RunQuery {
        RunQuery {
            partner: None,
            verdict: None,
            since: None,
            service: None,
            procedure: None,
            state: None,
            limit: LIMIT_DEFAULT,
        }
    }
}

impl RunQuery {
    /// Reads the part of a URL behind the question mark.
    ///
    /// # Errors
    /// 400 for a key that is unknown or given twice, a value that is empty or badly encoded, and a
    /// limit out of bounds.
    pub fn parse(text: &str) -> Result<RunQuery, Problem> {
        let mut values = read(text, KEYS)?;
        let mut take = |key| values.remove(key);
        Ok(RunQuery {
            partner: take("partner"),
            verdict: take("verdict"),
            since: take("since"),
            service: take("service"),
            procedure: take("procedure"),
            state: take("state"),
            limit: take("limit").map_or(Ok(LIMIT_DEFAULT), |text| read_limit(&text))?,
        })
    }
}

/// The keys of a query for windows, for messages.
const WINDOW_KEYS: &[&str] = &["partner", "service", "from", "days", "format"];

const DAYS_DEFAULT: u16 = 7;
const DAYS_MAX: u16 = 370;

/// A query for windows, freezes, business hours and changes ahead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowQuery {
    pub partner: Option<String>,
    pub service: Option<String>,
    /// An RFC 3339 instant; now if not given.
    pub from: Option<String>,
    /// 1 to 370; 7 if not given.
    pub days: u16,
    /// An iCalendar file instead of JSON.
    pub is_calendar: bool,
}

impl WindowQuery {
    /// Reads the part of a URL behind the question mark.
    ///
    /// # Errors
    /// As [`RunQuery::parse`]; 400 for a format other than `json` and `ics`.
    pub fn parse(text: &str) -> Result<WindowQuery, Problem> {
        let mut values = read(text, WINDOW_KEYS)?;
        let mut take = |key| values.remove(key);
        Ok(WindowQuery {
            partner: take("partner"),
            service: take("service"),
            from: take("from"),
            days: take("days").map_or(Ok(DAYS_DEFAULT), |text| read_days(&text))?,
            is_calendar: match take("format").as_deref() {
                None | Some("json") => false,
                Some("ics") => true,
                Some(other) => {
                    let detail = format!("{other:?} is not a format; accepted are json, ics");
                    return Err(Problem::bad_request(detail));
                }
            },
        })
    }
}

/// The values of a query by their keys.
pub(super) fn read<'k>(text: &str, keys: &[&'k str]) -> Result<BTreeMap<&'k str, String>, Problem> {
    let mut values = BTreeMap::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (raw_key, raw_value) = pair.split_once('=').unwrap_or((pair, ""));
        let key = decode(raw_key, Plus::Space).ok_or_else(|| bad_encoding(raw_key))?;
        // `since=2025-11-10T13:10:00+01:00` is what people type; a space there means nothing.
        let is_time = matches!(key.as_str(), "since" | "from" | "at");
        let plus = if is_time { Plus::Literal } else { Plus::Space };
        let value = decode(raw_value, plus).ok_or_else(|| bad_encoding(raw_value))?;
        let known = keys.iter().find(|known| **known == key);
        let known = known.ok_or_else(|| unknown_key(&key, keys))?;
        if value.is_empty() {
            return Err(Problem::bad_request(format!("query key {key} has no value")));
        }
        if values.insert(*known, value).is_some() {
            return Err(Problem::bad_request(format!("query key {key} is given twice")));
        }
    }
    Ok(values)
}

/// What a plus sign stands for in an encoded text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plus {
    /// A space, as in HTML forms.
    Space,
    /// Itself, as everywhere else in a URL (RFC 3986).
    Literal,
}

/// Undoes percent-encoding; `None` for an incomplete triple or bytes that are not UTF-8.
pub(super) fn decode(text: &str, plus: Plus) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => hex(bytes.next()?)? * 16 + hex(bytes.next()?)?,
            b'+' if plus == Plus::Space => b' ',
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

fn read_limit(text: &str) -> Result<usize, Problem> {
    let limit = text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
    limit.ok_or_else(|| {
        Problem::bad_request(format!("limit {text:?} is not a number from 1 to {LIMIT_MAX}"))
    })
}

fn read_days(text: &str) -> Result<u16, Problem> {
    let days = text.parse().ok().filter(|days| (1..=DAYS_MAX).contains(days));
    days.ok_or_else(|| {
        Problem::bad_request(format!("days {text:?} is not a number from 1 to {DAYS_MAX}"))
    })
}

fn unknown_key(key: &str, accepted: &[&str]) -> Problem {
    let accepted = accepted.join(", ");
    Problem::bad_request(format!("unknown query key {key:?}; accepted are {accepted}"))
}

fn bad_encoding(text: &str) -> Problem {
    Problem::bad_request(format!("{text:?} is not percent-encoded UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, want: Result<RunQuery, &str>) {
        let got = RunQuery::parse(text).map_err(|problem| {
            assert_eq!(problem.status.as_u16(), 400, "{text:?}");
            problem.detail
        });
        assert_eq!(got, want.map_err(str::to_owned), "{text:?}");
    }

    #[test]
    fn a_query_is_read_as_typed() {
        let none = RunQuery::default();
        let some = |text: &str| Some(text.to_owned());
        for (text, want) in [
            ("", none.clone()),
            ("&&", none.clone()),
            ("partner=hostco", RunQuery { partner: some("hostco"), ..none.clone() }),
            ("p%61rtner=a%20b+c", RunQuery { partner: some("a b c"), ..none.clone() }),
            (
                "verdict=violation&state=lost&limit=1000",
                RunQuery {
                    verdict: some("violation"),
                    state: some("lost"),
                    limit: 1000,
                    ..none.clone()
                },
            ),
            (
                "limit=1&service=a&procedure=b%3Dc=d",
                RunQuery { service: some("a"), procedure: some("b=c=d"), limit: 1, ..none.clone() },
            ),
            (
                "since=2025-11-10T13:10:00+01:00",
                RunQuery { since: some("2025-11-10T13:10:00+01:00"), ..none.clone() },
            ),
            ("since=7d", RunQuery { since: some("7d"), ..none.clone() }),
            ("partner=%C3%A9", RunQuery { partner: some("é"), ..none.clone() }),
        ] {
            check(text, Ok(want));
        }
    }

    #[test]
    fn a_query_that_cannot_be_meant_is_refused() {
        for (text, want) in [
            (
                "partners=a",
                "unknown query key \"partners\"; accepted are partner, verdict, since, limit, service, procedure, state",
            ),
            (
                "=a",
                "unknown query key \"\"; accepted are partner, verdict, since, limit, service, procedure, state",
            ),
            ("partner=a&partner=a", "query key partner is given twice"),
            ("limit=1&limit=2", "query key limit is given twice"),
            ("partner", "query key partner has no value"),
            ("since=", "query key since has no value"),
            ("limit=0", "limit \"0\" is not a number from 1 to 1000"),
            ("limit=1001", "limit \"1001\" is not a number from 1 to 1000"),
            ("limit=-1", "limit \"-1\" is not a number from 1 to 1000"),
            (
                "limit=99999999999999999999999",
                "limit \"99999999999999999999999\" is not a number from 1 to 1000",
            ),
            ("partner=%", "\"%\" is not percent-encoded UTF-8"),
            ("partner=%4", "\"%4\" is not percent-encoded UTF-8"),
            ("partner=%zz", "\"%zz\" is not percent-encoded UTF-8"),
            ("partner=%+1", "\"%+1\" is not percent-encoded UTF-8"),
            ("%ff=a", "\"%ff\" is not percent-encoded UTF-8"),
        ] {
            check(text, Err(want));
        }
    }

    #[test]
    fn every_key_of_a_query_stands_in_the_documentation() {
        let page = include_str!("../../docs/api.md");
        for (route, keys) in [
            ("/api/v1/runs", KEYS),
            ("/api/v1/windows", WINDOW_KEYS),
            ("/api/v1/may-start", crate::http::inquiry::KEYS),
        ] {
            let start = format!("| `{route}` |");
            let row = page.lines().find(|line| line.starts_with(&start)).unwrap_or_default();
            for key in keys {
                assert!(row.contains(&format!("`{key}`")), "no {key} of {route}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_survives_the_encoding(text in any::<String>()) {
            let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            prop_assert_eq!(decode(&encoded, Plus::Space), Some(text));
        }

        #[test]
        fn any_query_is_survived(text in "[%&=+a-f0-9p]{0,40}") {
            let _ = RunQuery::parse(&text);
        }
    }
}
