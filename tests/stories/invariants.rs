//! What holds for every run that is ever printed, whatever a golden file says.

use jiff::Timestamp;
use serde_json::Value;

/// The words a start can be broken with that are no evidence of a violation.
const MISSING_EVIDENCE: [&str; 2] = ["lost", "implausible_time"];

fn instant(value: &Value) -> Option<Timestamp> {
    let text = value.as_str()?;
    assert!(text.ends_with('Z'), "{text}: not UTC");
    Some(text.parse().expect("RFC 3339"))
}

fn words(value: &Value) -> Vec<&str> {
    let words: Vec<&str> =
        value.as_array().expect("a list").iter().map(|w| w.as_str().expect("a word")).collect();
    assert!(words.is_sorted(), "{words:?}: not sorted");
    words
}

fn verdict(reasons: &[&str], waived: &[&str]) -> &'static str {
    let missing = |reason: &&str| MISSING_EVIDENCE.contains(reason);
    if reasons.iter().any(|reason| !waived.contains(reason) && !missing(reason)) {
        "violation"
    } else if reasons.iter().any(missing) {
        "unknown"
    } else if !reasons.is_empty() {
        "exempt"
    } else {
        "compliant"
    }
}

/// Checks one line of `replay --format json`.
pub fn run_line(line: &str) {
    let run: Value = serde_json::from_str(line).expect("JSON");
    let start = instant(&run["start"]).expect("a start");
    let end = instant(&run["end"]);
    let state = run["state"].as_str().expect("a state");
    let (reasons, waived) = (words(&run["reasons"]), words(&run["waived"]));
    let at = run["reasons_at"].as_object().expect("a table");

    assert!(end.is_none_or(|end| start <= end), "ends before it starts: {line}");
    assert_eq!(end.is_none(), ["running", "lost"].contains(&state), "state and end: {line}");
    assert!(waived.iter().all(|word| reasons.contains(word)), "waived but no reason: {line}");
    assert_eq!(at.keys().map(String::as_str).collect::<Vec<_>>(), reasons, "instants: {line}");
    for instant_of in at.values() {
        let instant = instant(instant_of).expect("an instant");
        assert!(start <= instant, "a reason before the start: {line}");
    }
    assert_eq!(run["verdict"], verdict(&reasons, &waived), "{line}");
    assert_eq!(reasons.contains(&"lost"), state == "lost", "{line}");
    let duration = end.map(|end| end.duration_since(start).as_secs_f64());
    assert_eq!(run["duration_seconds"].as_f64(), duration, "end - start: {line}");
    for key in ["business_hours_seconds", "outside_window_seconds"] {
        let seconds = run[key].as_f64().expect("seconds");
        assert!(0.0 <= seconds, "{key}: {line}");
        assert!(duration.is_none_or(|all| seconds <= all), "{key}: more than all: {line}");
    }
    // Only an open run, or one with an open deadline (approval, verification), is not sealed.
    assert!(run["provisional"] == false || state != "lost", "not sealed though lost: {line}");
    assert!(state != "running" || run["provisional"] == true, "sealed while running: {line}");
}

/// Checks the counts: every line is an event, ignored or rejected.
pub fn counts(text: &str) {
    let counts: Value = serde_json::from_str(text).expect("JSON");
    let number = |value: &Value| value.as_u64().expect("a count");
    let rejected = counts["rejected"].as_object().expect("a table").values().map(number);
    let sum = number(&counts["events"]) + number(&counts["ignored"]) + rejected.sum::<u64>();
    assert_eq!(number(&counts["lines"]), sum, "{text}");
}
