//! What the loop makes of a clock that jumps, and of a machine that slept.

use chrono::TimeDelta;

use crate::app::engine::Engine;
use crate::clock::{self, Standing, TRIAL};
use crate::time::format_duration;

/// A machine that sleeps for less than this misses nothing.
const NAP: TimeDelta = TimeDelta::seconds(5);

impl Engine {
    /// Tells what has become of the clock since the last look.
    pub(super) fn look_at_clock(&mut self) {
        let standing = clock::standing();
        let before = std::mem::replace(&mut self.clock, standing);
        self.note_clock(before, standing);
    }

    pub(super) fn note_clock(&mut self, before: Standing, now: Standing) {
        let slept = now.slept - before.slept;
        if NAP < slept {
            tracing::info!(seconds = slept.num_seconds(), "the machine slept");
            // What was written meanwhile, on other machines, was not read soon.
            self.follower.gap();
        }
        if before.set < now.set {
            let detail = format!(
                "the clock of the machine was set by {} and has gone right for {} since: bounds go by it from now on",
                span(now.set_by),
                format_duration(TRIAL)
            );
            tracing::error!("{detail}");
            self.draft.clock_was_set(clock::now(), &detail);
        }
        if before.jumps < now.jumps {
            let by =
                now.ahead.map_or("and came back".into(), |ahead| format!("by {}", span(ahead)));
            tracing::error!(
                "the clock of the machine jumped {by}: it is believed once it has gone right for {}",
                format_duration(TRIAL)
            );
        } else if before.ahead.is_some() && now.ahead.is_none() && before.set == now.set {
            tracing::info!("the clock of the machine came back");
        }
    }
}

fn span(by: TimeDelta) -> String {
    let sign = if by < TimeDelta::zero() { "-" } else { "+" };
    format!("{sign}{}", format_duration(TimeDelta::seconds(by.num_seconds().abs())))
}
