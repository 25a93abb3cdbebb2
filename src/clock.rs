//! The only place that reads the time, and what is believed of it.
//!
//! The bounds of runs go by the clock of the machine, and what they find cannot be taken back: a clock that is a day
//! ahead for one second would give up every open run. So the clock is believed as long as it goes on as the kernel's
//! count of time since boot does, which nobody can set and which goes on while the machine sleeps. A clock that was
//! set is believed once it has gone right for [`TRIAL`]; until then time goes on from where it was.

use std::sync::{LazyLock, Mutex, PoisonError};

use chrono::TimeDelta;

use crate::policy::defaults::CLOCK_TOLERANCE;
use crate::time::Instant;

/// A machine does not sleep for less. The two counts of time since boot are read one after the other, so that they differ
/// by a little always.
const SLEEP_LEAST: TimeDelta = TimeDelta::seconds(1);

/// How long a clock that was set has to go right before it is believed.
pub const TRIAL: TimeDelta = TimeDelta::minutes(10);

static BELIEF: LazyLock<Mutex<Belief>> = LazyLock::new(|| Mutex::new(Belief::new(Reading::take())));

/// What time it is, in UTC.
pub fn now() -> Instant {
    let mut belief = BELIEF.lock().unwrap_or_else(PoisonError::into_inner);
    belief.read(Reading::take())
}

/// What the clock of the machine shows, believed or not.
#[allow(clippy::disallowed_methods)]
pub fn wall() -> Instant {
    std::time::SystemTime::now().into()
}

/// What has become of the clock since the program began.
pub fn standing() -> Standing {
    BELIEF.lock().unwrap_or_else(PoisonError::into_inner).standing
}

/// What has become of a clock.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Standing {
    /// How far the clock of the machine is ahead of what is believed; `None`: it is believed.
    pub ahead: Option<TimeDelta>,
    /// How often it jumped.
    pub jumps: u64,
    /// How often it was believed after a jump, and how far it was ahead the last time.
    pub set: u64,
    pub set_by: TimeDelta,
    /// How long the machine slept. That is no jump.
    pub slept: TimeDelta,
}

/// The clocks of the machine at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Reading {
    wall: Instant,
    /// Time since boot.
    boot: TimeDelta,
    /// The same without the time for which the machine slept.
    awake: TimeDelta,
}

impl Reading {
    fn take() -> Reading {
        use rustix::time::{ClockId, clock_gettime};
        let of = |clock| {
            let time = clock_gettime(clock);
            TimeDelta::seconds(time.tv_sec) + TimeDelta::nanoseconds(time.tv_nsec)
        };
        Reading { wall: wall(), boot: of(ClockId::Boottime), awake: of(ClockId::Monotonic) }
    }

    /// The time at another reading, if the clock goes on as it should.
    fn at(&self, other: &Reading) -> Instant {
        self.wall + (other.boot - self.boot)
    }

    /// Whether the clock went right between the two.
    fn agrees(&self, other: &Reading) -> bool {
        (other.wall - self.at(other)).abs() <= CLOCK_TOLERANCE
    }
}

/// What is believed of a clock.
#[derive(Debug)]
struct Belief {
    /// The last reading that was believed.
    good: Reading,
    /// How long the machine had slept since boot, as far as that is in the standing.
    asleep: TimeDelta,
    /// The first reading of a clock that was set, as long as it goes right since.
    trial: Option<Reading>,
    standing: Standing,
}

impl Belief {
    /// Nothing is known of the first reading but itself.
    fn new(first: Reading) -> Belief {
        let asleep = first.boot - first.awake;
        Belief { good: first, asleep, trial: None, standing: Standing::default() }
    }

    /// The time, by the clocks at this moment.
    fn read(&mut self, reading: Reading) -> Instant {
        let slept = (reading.boot - reading.awake) - self.asleep;
        if SLEEP_LEAST <= slept {
            self.standing.slept += slept;
            self.asleep += slept;
        }
        if self.good.agrees(&reading) {
            return self.believe(reading);
        }
        let time = self.good.at(&reading);
        match self.trial.filter(|first| first.agrees(&reading)) {
            Some(first) if TRIAL <= reading.boot - first.boot => {
                self.standing.set += 1;
                self.standing.set_by = reading.wall - time;
                return self.believe(reading);
            }
            Some(_) => {}
            None => {
                self.trial = Some(reading);
                self.standing.jumps += 1;
            }
        }
        self.standing.ahead = Some(reading.wall - time);
        time
    }

    fn believe(&mut self, reading: Reading) -> Instant {
        (self.good, self.trial, self.standing.ahead) = (reading, None, None);
        reading.wall
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    /// Readings so many seconds after the first: how far the clock of the machine is off, and how long the machine
    /// has slept. What is believed of it: how far that is off, and the standing.
    fn believed(readings: &[(i64, i64, i64)]) -> (Vec<i64>, Standing) {
        let reading = |(after, off, slept): (i64, i64, i64)| Reading {
            wall: Instant::UNIX_EPOCH + TimeDelta::seconds(20_000 * DAY + after + off),
            boot: TimeDelta::seconds(77 + after),
            awake: TimeDelta::seconds(77 + after - slept),
        };
        let mut belief = Belief::new(reading((0, 0, 0)));
        let off = readings.iter().map(|given| {
            let right = reading((given.0, 0, 0)).wall;
            (belief.read(reading(*given)) - right).num_seconds()
        });
        (off.collect(), belief.standing)
    }

    #[test]
    fn a_clock_is_believed_while_it_goes_as_time_since_boot_does() {
        let tolerance = CLOCK_TOLERANCE.num_seconds();
        for (readings, want, jumps) in [
            (vec![(1, 0, 0), (2, 0, 0)], vec![0, 0], 0),
            // It is set by a little.
            (vec![(1, tolerance, 0), (2, 0, 0)], vec![tolerance, 0], 0),
            (vec![(1, -tolerance, 0)], vec![-tolerance], 0),
            (vec![(1, tolerance + 1, 0), (2, 0, 0)], vec![0, 0], 1),
            // A day and an hour ahead for one second.
            (vec![(1, 25 * 3600, 0), (2, 0, 0), (3, 0, 0)], vec![0, 0, 0], 1),
            (vec![(1, -25 * 3600, 0), (2, 0, 0)], vec![0, 0], 1),
            // Nobody looked for long.
            (vec![(3 * DAY, 0, 0)], vec![0], 0),
        ] {
            let (off, standing) = believed(&readings);
            assert_eq!((&off, standing.jumps), (&want, jumps), "{readings:?}");
            assert_eq!((standing.ahead, standing.set), (None, 0), "{readings:?}");
        }
    }

    #[test]
    fn a_clock_that_was_set_is_believed_once_it_has_gone_right_for_ten_minutes() {
        let trial = TRIAL.num_seconds();
        for by in [3600, -3600] {
            let ahead = Some(TimeDelta::seconds(by));
            let (off, standing) = believed(&[(10, by, 0), (9 + trial, by, 0)]);
            assert_eq!((off, standing.ahead, standing.set), (vec![0, 0], ahead, 0));
            let (off, standing) = believed(&[(10, by, 0), (10 + trial, by, 0), (700, by, 0)]);
            assert_eq!((off, standing.ahead), (vec![0, by, by], None));
            assert_eq!(
                (standing.jumps, standing.set, standing.set_by),
                (1, 1, TimeDelta::seconds(by))
            );
            // One that jumps on begins anew.
            let (off, standing) =
                believed(&[(10, by, 0), (500, 2 * by, 0), (10 + trial, 2 * by, 0)]);
            assert_eq!((off, standing.jumps, standing.set), (vec![0, 0, 0], 2, 0));
        }
    }

    #[test]
    fn a_machine_that_slept_has_a_right_clock() {
        let (off, standing) =
            believed(&[(1, 0, 0), (8 * 3600, 0, 7 * 3600), (8 * 3601, 0, 7 * 3600)]);
        assert_eq!(off, [0, 0, 0]);
        assert_eq!((standing.jumps, standing.slept), (0, TimeDelta::hours(7)));
    }

    #[test]
    fn a_machine_that_is_awake_has_slept_for_no_time_at_all() {
        let mut belief = Belief::new(Reading::take());
        (0..1_000).for_each(|_| _ = belief.read(Reading::take()));
        assert_eq!(belief.standing.slept, TimeDelta::zero());
    }

    #[test]
    fn the_clocks_of_this_machine_agree() {
        let (first, second) = (Reading::take(), Reading::take());
        assert!(first.agrees(&second) && first.boot <= second.boot);
        assert!((now() - wall()).abs() <= CLOCK_TOLERANCE);
    }
}
