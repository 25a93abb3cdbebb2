//! The form of a question whether a run may start.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::event::Trigger;
use crate::run::{Asked, Override};
use crate::store::scalar::{At, Text, Word};
use crate::verdict::Reason;

#[derive(Serialize, Deserialize)]
pub(super) struct AskedForm<'a> {
    at: At,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    by: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    from: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    service: Option<Text<'a>>,
    #[serde(borrow)]
    procedure: Text<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    change: Option<Text<'a>>,
    trigger: Word<Trigger>,
    start: At,
    /// Seconds and nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lasts: Option<(i64, i32)>,
    yes: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<Word<Reason>>,
    until: At,
    /// By whom, and why.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    over: Option<(Text<'a>, Text<'a>)>,
    /// Missing: once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times: Option<u64>,
}

impl<'a> From<&'a Asked> for AskedForm<'a> {
    fn from(a: &'a Asked) -> AskedForm<'a> {
        AskedForm {
            at: At(a.at),
            by: Text::maybe(&a.by),
            from: Text::maybe(&a.from),
            service: Text::maybe(&a.service),
            procedure: (&*a.procedure).into(),
            change: Text::maybe(&a.change_id),
            trigger: Word(a.trigger),
            start: At(a.start),
            lasts: a.lasts.map(|d| (d.num_seconds(), d.subsec_nanos())),
            yes: a.may_start,
            reasons: a.reasons.iter().copied().map(Word).collect(),
            until: At(a.holds_until),
            over: a.overriding.as_ref().map(|o| ((&*o.by).into(), (&*o.reason).into())),
            times: (a.times != 1).then_some(a.times),
        }
    }
}

impl From<AskedForm<'_>> for Asked {
    fn from(a: AskedForm) -> Asked {
        let lasts = |(seconds, nanos): (i64, i32)| {
            let whole = TimeDelta::try_seconds(seconds).unwrap_or_default();
            whole + TimeDelta::nanoseconds(nanos.into())
        };
        Asked {
            at: a.at.0,
            by: a.by.map(Text::into),
            from: a.from.map(Text::into),
            service: a.service.map(Text::into),
            procedure: a.procedure.into(),
            change_id: a.change.map(Text::into),
            trigger: a.trigger.0,
            start: a.start.0,
            lasts: a.lasts.map(lasts),
            may_start: a.yes,
            reasons: a.reasons.into_iter().map(|reason| reason.0).collect(),
            holds_until: a.until.0,
            overriding: a
                .over
                .map(|(by, reason)| Override { by: by.into(), reason: reason.into() }),
            times: a.times.unwrap_or(1),
        }
    }
}
