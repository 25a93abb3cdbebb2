//! Rows of the rules that are asked while a run is open and after it has ended.

use super::check;
use crate::verdict::Reason;

#[test]
fn overran_window() {
    check(
        Reason::OverranWindow,
        "windows=22:00..11T05:00 start=23:00",
        &[
            ("end=11T05:00", "kept"),
            ("end=11T05:00+", "broken 11T05:00"),
            ("end=11T09:00", "broken 11T05:00"),
            ("clock=11T05:00-", "holds 11T05:00"),
            ("clock=11T05:00", "broken 11T05:00"),
            ("start=22:00 end=22:00", "kept"),
            ("start=22:00-", "silent: the run began outside every window"),
            ("start=11T05:00", "silent: the run began outside every window"),
            // A run that is given up counts as running until then, and no longer.
            ("lost=6h clock=12T00:00", "broken 11T05:00"),
            ("lost=5h59m clock=12T00:00", "holds 11T05:00"),
        ],
    );
    // Adjoining and overlapping windows count as one.
    check(
        Reason::OverranWindow,
        "windows=22:00..23:00,23:00..11T01:00 start=22:30",
        &[("end=11T01:00", "kept"), ("end=11T01:00+", "broken 11T01:00")],
    );
    check(
        Reason::OverranWindow,
        "windows=22:00..11T00:30,23:00..11T01:00 start=22:30",
        &[("end=11T01:00", "kept"), ("end=11T01:00+", "broken 11T01:00")],
    );
    check(
        Reason::OverranWindow,
        "windows=22:00..23:00,23:00:01..11T01:00 start=22:30",
        &[("end=23:00+", "broken 23:00")],
    );
    check(Reason::OverranWindow, "", &[("end=20:00", "silent: no window was agreed")]);
    let endless = "silent: the window has no end that can be foreseen";
    check(Reason::OverranWindow, "windows=01T00:00..31T00:00", &[("end=20:00", endless)]);
}

#[test]
fn overran_plan() {
    let confirmed = "plan=confirmed planned=22:00..23:00 confirmed=09:00 start=22:00";
    check(
        Reason::OverranPlan,
        confirmed,
        &[
            ("end=23:00", "kept"),
            ("end=23:00+", "broken 23:00"),
            ("clock=23:00-", "holds 23:00"),
            ("clock=23:00", "broken 23:00"),
            ("tolerance=10m end=23:10", "kept"),
            ("tolerance=10m end=23:10+", "broken 23:10"),
            // It cannot be late before it has begun.
            ("start=23:30 end=23:30", "broken 23:30"),
            ("start=23:30", "broken 23:30"),
        ],
    );
    let silent = "silent: no matching confirmed change";
    check(
        Reason::OverranPlan,
        "confirm=24h end=23:59",
        &[("", silent), ("plan=tentative planned=13:00..14:00", silent)],
    );
}

#[test]
fn ran_into_business_hours() {
    let allowed = "silent: the procedure may run in business hours";
    let inside = "silent: the run began inside business hours";
    check(
        Reason::RanIntoBusinessHours,
        "hours=08:00..18:00,11T08:00..11T18:00 start=07:00",
        &[
            ("end=08:00", "kept"),
            ("end=08:00+", "broken 08:00"),
            ("end=20:00", "broken 08:00"),
            ("clock=08:00-", "holds 08:00"),
            ("clock=08:00", "broken 08:00"),
            ("start=18:00 end=11T08:00", "kept"),
            ("start=18:00 end=11T08:00+", "broken 11T08:00"),
            // It does not run into them, not even the next day.
            ("start=08:00 end=11T09:00", inside),
            ("start=18:00- end=11T09:00", inside),
            ("hours_allowed end=09:00", allowed),
            ("lost=1h clock=20:00", "broken 08:00"),
            ("lost=59m clock=20:00", "holds 08:00"),
        ],
    );
    check(
        Reason::RanIntoBusinessHours,
        "end=20:00",
        &[
            ("", "silent: the service has no business hours"),
            ("hours=08:00..09:00", "silent: no opening of business hours can be foreseen"),
        ],
    );
}

#[test]
fn ran_into_freeze() {
    let two = "freeze=late@23:00..23:30 freeze=early@22:00..23:10";
    check(
        Reason::RanIntoFreeze,
        two,
        &[
            ("end=22:00", "kept"),
            ("end=22:00+", "broken 22:00"),
            ("clock=22:00-", "holds 22:00"),
            ("clock=22:00", "broken 22:00"),
            ("start=22:00", "silent: the run began inside a freeze"),
            ("start=23:30- end=23:59", "silent: the run began inside a freeze"),
            ("start=23:30 end=23:59", "silent: no start of a freeze can be foreseen"),
        ],
    );
    check(Reason::RanIntoFreeze, "end=23:59", &[("", "silent: no freeze is agreed")]);
}

#[test]
fn too_long() {
    check(
        Reason::TooLong,
        "max=2h",
        &[
            ("end=15:10", "kept"),
            ("end=15:10+", "broken 15:10"),
            ("clock=15:10-", "holds 15:10"),
            ("clock=15:10", "broken 15:10"),
        ],
    );
    check(Reason::TooLong, "", &[("end=23:00", "silent: the procedure has no max_duration")]);
}

#[test]
fn unverified() {
    check(
        Reason::Unverified,
        "verify=2h",
        &[
            ("end=14:00 verified=14:00", "kept"),
            ("end=14:00 verified=16:00", "kept"),
            ("end=14:00 verified=16:00+", "broken 16:00"),
            ("end=14:00 clock=16:00-", "holds 16:00"),
            ("end=14:00 clock=16:00", "broken 16:00"),
            ("clock=20:00", "silent: the run has not ended"),
        ],
    );
    check(Reason::Unverified, "end=14:00", &[("", "silent: no verification is required")]);
}

#[test]
fn unapproved_emergency() {
    let emergency = "plan=confirmed planned=13:00..14:00 confirmed=13:05 type=emergency";
    check(
        Reason::UnapprovedEmergency,
        &format!("{emergency} emergencies=72h"),
        &[
            // From its start, whenever it ends; one before the start counts.
            ("approved=09T13:10 clock=20T00:00", "kept"),
            ("approved=13T13:10 clock=20T00:00", "kept"),
            ("approved=13T13:10+ clock=20T00:00", "broken 13T13:10"),
            ("end=13:30 clock=13T13:10-", "holds 13T13:10"),
            ("end=13:30 clock=13T13:10", "broken 13T13:10"),
        ],
    );
    let silent = "silent: not an emergency that waives rules";
    check(
        Reason::UnapprovedEmergency,
        "clock=20T00:00",
        &[
            (emergency, silent),
            ("emergencies=72h", silent),
            ("emergencies=72h plan=confirmed type=normal", silent),
            ("emergencies=72h plan=confirmed type=standard", silent),
            (&format!("emergencies=unasked {emergency}"), "silent: no approval is required"),
        ],
    );
}

#[test]
fn lost() {
    check(
        Reason::Lost,
        "",
        &[
            ("end=11T13:10", "kept"),
            ("clock=11T13:10-", "holds 11T13:10"),
            ("clock=11T13:10", "broken 11T13:10"),
            ("lost=1h clock=14:10-", "holds 14:10"),
            ("lost=1h clock=20:00", "broken 14:10"),
            ("lost=1h end=14:10", "kept"),
            // Such an end is not taken, unless one line tells the run whole.
            ("lost=1h end=14:10+", "kept"),
        ],
    );
}
