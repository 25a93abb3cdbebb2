//! Whose a line is, where one log holds the lines of several partners.

use std::collections::HashMap;
use std::sync::Arc;

use ::regex::bytes::Regex;
use chrono::TimeDelta;

use super::reading::{Reason, Rejection, quote};
use super::scan::Value;
use crate::calendar::Zone;

/// The partners whose lines stand in one log.
#[derive(Clone, Debug)]
pub struct Partners {
    /// The key whose value tells them apart.
    pub key: String,
    /// Each once, in the order of the configuration.
    pub each: Vec<Member>,
    /// Their word -> the partner.
    pub words: HashMap<String, Arc<str>>,
    /// Pattern of their words, the partner; the first that matches counts, behind what stands in `words`.
    pub patterns: Vec<(Regex, Arc<str>)>,
}

/// One of several partners in a log.
#[derive(Clone, Debug)]
pub struct Member {
    pub partner: Arc<str>,
    /// Zone of its stamps without an offset.
    pub zone: Zone,
    /// How far its writers may be out of order.
    pub clock_tolerance: TimeDelta,
}

impl Partners {
    /// The place in [`Self::each`] of the partner that a value names.
    pub(super) fn member(&self, value: Option<&Value>) -> Option<usize> {
        let Some(Value::Text { text, .. }) = value else { return None };
        let text = text.trim();
        let pattern = || self.patterns.iter().find(|(regex, _)| regex.is_match(text.as_bytes()));
        let known = self.words.get(text);
        let name = known.or_else(|| pattern().map(|(_, name)| name))?;
        self.each.iter().position(|member| member.partner == *name)
    }

    /// Why a value names none of the partners.
    pub(super) fn refuse(&self, value: Option<&Value>) -> Rejection {
        let key = &self.key;
        let mut words: Vec<&str> = self.words.keys().map(String::as_str).collect();
        words.sort_unstable();
        let words = words.join(", ");
        let rejection = |what: String| {
            let detail = format!("{what}; accepted is one of {words} (partners of the source)");
            Rejection::new(Reason::UnknownPartner, detail)
        };
        match value {
            Some(Value::Text { text, at }) if !text.trim().is_empty() => {
                rejection(format!("{key} {} names no partner", quote(text.trim()))).at(*at)
            }
            Some(Value::List { at, .. } | Value::Unfit { at }) => {
                rejection(format!("{key} is an array or an object and names no partner")).at(*at)
            }
            _ => rejection(format!("the line has no {key} and so no partner")),
        }
    }
}
