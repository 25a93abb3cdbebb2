//! Reads rules: the separators between them, their times and what they do.

use super::scan::Scan;
use super::{DAY_MINUTES, Effect, Rule, Times, WHOLE_DAY, parse_days};
use crate::calendar::CalendarError;

/// The longest expression that is read, in bytes.
const EXPRESSION_BYTES_MAX: usize = 10_000;

/// The latest end of a span, in hours from the midnight before it starts.
const END_HOURS_MAX: u16 = 48;

/// What a rule can be made of, for error messages.
const A_RULE: &str = "days such as Mo-Fr, times such as 08:00-18:00, or off";

/// Reads an expression. Without `has_holidays` a `PH` is an error.
pub(super) fn rules(expression: &str, has_holidays: bool) -> Result<Vec<Rule>, CalendarError> {
    let mut scan = Scan::new(expression);
    if EXPRESSION_BYTES_MAX < expression.len() {
        return Err(scan.error(format!("longer than {EXPRESSION_BYTES_MAX} bytes")));
    }
    let mut rules = vec![];
    let mut adds = false;
    loop {
        scan.spaces();
        rules.push(rule(&mut scan, adds, has_holidays)?);
        scan.spaces();
        if scan.is_done() {
            return Ok(rules);
        }
        adds = separator(&mut scan)?;
    }
}

/// Steps over what separates two rules; whether the second adds to the first.
fn separator(scan: &mut Scan) -> Result<bool, CalendarError> {
    if scan.eat(";") {
        return Ok(false);
    }
    if scan.eat(",") {
        return Ok(true);
    }
    Err(unsupported(scan).unwrap_or_else(|| scan.expected("; or , or the end of the rule")))
}

fn rule(scan: &mut Scan, adds: bool, has_holidays: bool) -> Result<Rule, CalendarError> {
    let start = scan.at();
    let always = scan.eat("24/7");
    let days = if always { Default::default() } else { parse_days::days(scan, has_holidays)? };
    scan.spaces();
    let times = match always {
        true => vec![],
        false => times(scan)?,
    };
    scan.spaces();
    let open = scan.word(state);
    if start == scan.at() {
        return Err(unsupported(scan).unwrap_or_else(|| scan.expected(A_RULE)));
    }
    let effect = match (open.unwrap_or(true), times.is_empty()) {
        (false, true) => Effect::Off,
        (false, false) => Effect::OffAt(times),
        (true, true) => Effect::Open { adds, times: vec![WHOLE_DAY] },
        (true, false) => Effect::Open { adds, times },
    };
    Ok(Rule { days, effect })
}

/// Whether a state means open.
fn state(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "open" => Some(true),
        "off" | "closed" => Some(false),
        _ => None,
    }
}

/// A list of spans, empty if no time comes next.
fn times(scan: &mut Scan) -> Result<Vec<Times>, CalendarError> {
    let mut times = vec![];
    if !scan.is_at_time() {
        return Ok(times);
    }
    loop {
        times.push(span(scan)?);
        let goes_on = scan.comma(|mut ahead| {
            ahead.spaces();
            ahead.is_at_time()
        });
        if !goes_on {
            return Ok(times);
        }
        scan.spaces();
    }
}

fn span(scan: &mut Scan) -> Result<Times, CalendarError> {
    let whole = *scan;
    let start_minutes = time(scan)?;
    if DAY_MINUTES <= start_minutes {
        return Err(whole.error("a span starts before 24:00, on the day to which it belongs"));
    }
    let mut ahead = *scan;
    ahead.spaces();
    if !ahead.eat("-") {
        let point = "a time span such as 08:00-18:00; a time without an end is not supported";
        return Err(unsupported(&ahead).unwrap_or_else(|| ahead.expected(point)));
    }
    ahead.spaces();
    if !ahead.is_at_time() {
        return Err(unsupported(&ahead).unwrap_or_else(|| ahead.expected("a time such as 18:00")));
    }
    let written = time(&mut ahead)?;
    if let "+" | "/" = ahead.rest().get(..1).unwrap_or_default() {
        return Err(unsupported(&ahead).unwrap_or_else(|| ahead.expected("the end of the span")));
    }
    *scan = ahead;
    if written == start_minutes {
        let hint = "an empty span: a whole day is written 00:00-24:00";
        return Err(whole.error(hint));
    }
    // An end that reads earlier than the start is one of the next day.
    let end_minutes = if written < start_minutes { written + DAY_MINUTES } else { written };
    if start_minutes + DAY_MINUTES < end_minutes {
        return Err(whole.error("a span longer than 24 hours"));
    }
    Ok(Times { start_minutes, end_minutes })
}

/// A clock reading in minutes after midnight.
fn time(scan: &mut Scan) -> Result<u16, CalendarError> {
    let whole = *scan;
    let hours = scan.number(0..=END_HOURS_MAX, "an hour")?;
    if !scan.eat(":") || scan.digits() != 2 {
        return Err(whole.expected("a time such as 08:00"));
    }
    let minutes = scan.number(0..=59, "a minute")?;
    if hours == END_HOURS_MAX && 0 < minutes {
        return Err(whole.error("a time after 48:00"));
    }
    Ok(hours * 60 + minutes)
}

/// The error for what the specification knows and this evaluator does not.
pub(super) fn unsupported(scan: &Scan) -> Option<CalendarError> {
    const SUN: &str = "times of the sun are not supported: write a time of the clock";
    let message = match scan.peek_word().to_ascii_lowercase().as_str() {
        "sunrise" | "sunset" | "dawn" | "dusk" => SUN,
        "sh" => "school holidays (SH) are not supported: write them as dates",
        "unknown" => "the state unknown is not supported: write open or off",
        _ => match scan.rest().get(..1).unwrap_or_default() {
            "(" => SUN,
            "\"" => "comments are not supported",
            "|" => "fallback rules (||) are not supported",
            "+" => "an open end (+) is not supported",
            "/" => "a repetition within a span (/) is not supported",
            _ => return None,
        },
    };
    Some(scan.error(message))
}
