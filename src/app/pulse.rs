//! Whether the loop turns. Every sign that the program gives of itself asks here: while the loop stands nothing is
//! read and nothing is judged, whatever was true before.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant as Moment};

/// A turn that takes longer than this is told as a loop that stands. A commit waits up to 10 s for another process.
pub const STANDS_AFTER: Duration = Duration::from_secs(15);

/// When the loop last began a turn.
#[derive(Debug)]
pub struct Pulse {
    began: Moment,
    /// Milliseconds since then.
    last: AtomicU64,
}

impl Default for Pulse {
    fn default() -> Pulse {
        Pulse::new()
    }
}

impl Pulse {
    /// As if a turn began now.
    pub fn new() -> Pulse {
        Pulse { began: Moment::now(), last: AtomicU64::new(0) }
    }

    /// A turn begins.
    pub fn beat(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(now, Ordering::Release);
    }

    /// How long ago the last turn began.
    pub fn age(&self) -> Duration {
        let last = Duration::from_millis(self.last.load(Ordering::Acquire));
        self.began.elapsed().saturating_sub(last)
    }

    /// For how long the loop has stood, if it does.
    pub fn stands(&self) -> Option<Duration> {
        stands(self.age())
    }
}

/// Whether a loop stands that began its last turn so long ago.
fn stands(age: Duration) -> Option<Duration> {
    (STANDS_AFTER < age).then_some(age)
}

/// What is said of a loop that has stood for so long.
pub fn sentence(stood: Duration) -> String {
    format!("the loop has stood still for {} s: nothing is read or judged", stood.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_stands_when_its_turn_takes_too_long() {
        assert_eq!(stands(STANDS_AFTER), None);
        let longer = STANDS_AFTER + Duration::from_millis(1);
        assert_eq!(stands(longer), Some(longer));
        let pulse = Pulse { began: Moment::now() - 2 * STANDS_AFTER, last: AtomicU64::new(0) };
        assert!(pulse.stands().is_some_and(|stood| 2 * STANDS_AFTER <= stood));
        pulse.beat();
        assert_eq!(pulse.stands(), None);
    }
}
