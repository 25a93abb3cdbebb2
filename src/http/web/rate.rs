//! One limit for all clients together: so many requests at once, and one more each interval.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How many requests are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rate {
    /// From one request to the next, in the long run.
    pub(super) interval: Duration,
    /// Requests at once after a quiet time; at least 1.
    pub(super) burst: u32,
}

/// The moment at which everything granted so far is earned (the generic cell rate algorithm of ITU-T I.371).
#[derive(Debug, Default)]
pub(super) struct Meter(Mutex<Option<Instant>>);

impl Meter {
    /// Whether one more request may be answered now.
    pub(super) fn grants(&self, rate: Rate, now: Instant) -> bool {
        let mut earned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = earned.unwrap_or(now).max(now) + rate.interval;
        let is_granted = next.duration_since(now) <= rate.interval.saturating_mul(rate.burst);
        if is_granted {
            *earned = Some(next);
        }
        is_granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One row: at these milliseconds requests come, and these of them are granted.
    fn check(burst: u32, at_ms: &[u64], want: &[bool]) {
        let (meter, start) = (Meter::default(), Instant::now());
        let rate = Rate { interval: Duration::from_millis(100), burst };
        let got: Vec<bool> =
            at_ms.iter().map(|ms| meter.grants(rate, start + Duration::from_millis(*ms))).collect();
        assert_eq!(got, want, "{burst} {at_ms:?}");
    }

    #[test]
    fn a_burst_is_granted_and_earned_again() {
        check(1, &[0, 0, 99, 100, 150, 200], &[true, false, false, true, false, true]);
        check(3, &[0, 0, 0, 0, 100, 100], &[true, true, true, false, true, false]);
        check(2, &[0, 0, 1000, 1000, 1000], &[true, true, true, true, false]);
    }
}
