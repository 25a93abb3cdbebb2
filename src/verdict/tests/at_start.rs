//! Rows of the rules that are asked once, at the start.

use super::check;
use crate::verdict::Reason;

#[test]
fn in_business_hours() {
    let with = "hours=08:00..18:00";
    check(
        Reason::InBusinessHours,
        with,
        &[
            ("start=08:00-", "kept"),
            ("start=08:00", "broken 08:00"),
            ("start=13:10", "broken 13:10"),
            ("start=18:00-", "broken 18:00-"),
            ("start=18:00", "kept"),
            ("hours_allowed", "silent: the procedure may run in business hours"),
            ("undeclared", "broken 13:10"),
        ],
    );
    let none = "silent: the service has no business hours";
    check(Reason::InBusinessHours, "", &[("", none), ("hours_allowed", none)]);
}

#[test]
fn outside_window() {
    check(
        Reason::OutsideWindow,
        "windows=22:00..11T05:00",
        &[
            ("start=22:00-", "broken 22:00-"),
            ("start=22:00", "kept"),
            ("start=11T00:00", "kept"),
            ("start=11T05:00-", "kept"),
            ("start=11T05:00", "broken 11T05:00"),
            // A freeze does not cut windows.
            ("start=23:00 freeze=f@22:00..23:30", "kept"),
            ("start=23:00 undeclared", "kept"),
        ],
    );
    check(Reason::OutsideWindow, "windows=20:00..22:00,22:00..23:00", &[("start=22:00", "kept")]);
    check(Reason::OutsideWindow, "", &[("undeclared", "silent: no window was agreed")]);
}

#[test]
fn in_freeze() {
    check(
        Reason::InFreeze,
        "freeze=audit@12:00..13:00 freeze=launch@20:00..21:00",
        &[
            ("start=12:00-", "kept"),
            ("start=12:00", "broken 12:00"),
            ("start=13:00-", "broken 13:00-"),
            ("start=13:00", "kept"),
            ("start=20:30", "broken 20:30"),
            // It beats every window.
            ("start=20:30 windows=20:00..23:00", "broken 20:30"),
        ],
    );
    check(Reason::InFreeze, "", &[("", "silent: no freeze is agreed")]);
}

#[test]
fn unknown_procedure() {
    check(
        Reason::UnknownProcedure,
        "",
        &[("", "kept"), ("undeclared", "broken 13:10"), ("undeclared service=-", "broken 13:10")],
    );
}

#[test]
fn wrong_trigger() {
    check(
        Reason::WrongTrigger,
        "triggers=schedule",
        &[
            ("trigger=schedule", "kept"),
            ("trigger=manual", "broken 13:10"),
            ("trigger=api", "broken 13:10"),
            ("trigger=unknown", "broken 13:10"),
        ],
    );
    check(Reason::WrongTrigger, "triggers=schedule,manual", &[("trigger=manual", "kept")]);
    let silent = "silent: the procedure lists no triggers";
    check(Reason::WrongTrigger, "", &[("trigger=unknown", silent)]);
}

const PLANNED: &str = "planned=13:00..14:00";

#[test]
fn cancelled() {
    for confirm in ["", "confirm=24h"] {
        check(
            Reason::Cancelled,
            confirm,
            &[
                ("", "silent: no matching change"),
                ("plan=cancelled", "broken 13:10"),
                ("plan=confirmed planned=13:00..14:00 confirmed=09:00", "kept"),
                ("plan=tentative planned=13:00..14:00", "kept"),
            ],
        );
    }
    // It speaks alone.
    let silent = "silent: the change was cancelled";
    let with = format!("confirm=24h plan=cancelled {PLANNED}");
    for reason in [Reason::Unconfirmed, Reason::ShortNotice, Reason::OffPlan, Reason::OverranPlan] {
        check(reason, &with, &[("start=20:00 end=21:00", silent)]);
    }
}

#[test]
fn unconfirmed() {
    check(
        Reason::Unconfirmed,
        "confirm=any",
        &[
            ("", "broken 13:10"),
            ("plan=tentative planned=13:00..14:00", "broken 13:10"),
            ("plan=in-process planned=13:00..14:00", "broken 13:10"),
            ("plan=completed planned=13:00..14:00", "broken 13:10"),
            ("plan=confirmed planned=13:00..14:00 confirmed=12:59", "kept"),
            ("plan=in-process planned=13:00..14:00 confirmed=12:59", "kept"),
            ("plan=completed planned=13:00..14:00 confirmed=12:59", "kept"),
        ],
    );
    let silent = "silent: no confirmation is required";
    check(Reason::Unconfirmed, "", &[("", silent), ("plan=tentative", silent)]);
}

#[test]
fn short_notice() {
    let with = format!("plan=confirmed {PLANNED} confirm=24h");
    check(
        Reason::ShortNotice,
        &with,
        &[
            ("confirmed=09T13:00-", "kept"),
            // Equal is enough.
            ("confirmed=09T13:00", "kept"),
            ("confirmed=09T13:00+", "broken 13:10"),
            // It may be negative.
            ("confirmed=13:05", "broken 13:10"),
            ("confirm=any confirmed=13:05", "silent: no notice is required"),
            ("", "silent: there is no confirmation"),
        ],
    );
    check(
        Reason::ShortNotice,
        "",
        &[
            ("confirm=24h", "silent: there is no confirmation"),
            (
                "plan=confirmed planned=13:00..14:00 confirmed=13:05",
                "silent: no notice is required",
            ),
        ],
    );
}

#[test]
fn off_plan() {
    let confirmed = format!("plan=confirmed {PLANNED} confirmed=09:00");
    check(
        Reason::OffPlan,
        &confirmed,
        &[
            ("start=12:55-", "broken 12:55-"),
            ("start=12:55", "kept"),
            ("start=13:30", "kept"),
            ("start=13:30+", "broken 13:30+"),
            ("early=0s start=13:00", "kept"),
            ("early=0s start=13:00-", "broken 13:00-"),
            ("late=0s start=13:00", "kept"),
            ("late=0s start=13:00+", "broken 13:00+"),
            // Only its start decides, even behind the planned end.
            ("late=2h start=14:30", "kept"),
            ("plan_procedures=reindex", "broken 13:10"),
            ("plan_procedures=reindex,compaction", "kept"),
            ("plan_procedures=", "kept"),
            ("plan_services=lyra", "broken 13:10"),
            ("plan_services=lyra,orion", "kept"),
            ("plan_services=", "kept"),
            // A run without a service is for no other one.
            ("service=-", "kept"),
            ("service=- plan_services=", "kept"),
        ],
    );
    let silent = "silent: no matching confirmed change";
    check(
        Reason::OffPlan,
        "confirm=24h",
        &[
            ("", silent),
            ("plan=tentative planned=20:00..21:00", silent),
            ("plan=in-process planned=20:00..21:00", silent),
        ],
    );
}
