//! How long a start is decided against a thousand windows, once the calendars are loaded.

use std::hint::black_box;
use std::sync::Arc;

use chrono::TimeDelta;
use criterion::{Criterion, criterion_group, criterion_main};
use offhours::calendar::{Calendar, EventsOf, Holidays, Recurring, Zone};
use offhours::time::Instant;

const WINDOWS: usize = 1_000;

/// A window of each form in turn, at other times for each.
fn window(n: usize, zone: &Zone) -> Calendar {
    let (hour, minute) = (n % 24, n / 24 % 60);
    match n % 3 {
        0 => {
            let hours = format!("Fr {hour:02}:{minute:02}-{:02}:{minute:02}", hour + 1);
            Calendar::opening_hours(&hours, zone, &Holidays::none())
        }
        1 => Calendar::cron(&format!("{minute} {hour} * * SAT"), TimeDelta::hours(1), zone),
        _ => Calendar::recurring(&Recurring {
            rule: "FREQ=WEEKLY;BYDAY=SU",
            start: format!("2020-01-05T{hour:02}:{minute:02}:00").parse().expect("a time"),
            zone,
            length: TimeDelta::hours(1),
            add: &[],
            remove: &[],
            remove_days: &[],
        }),
    }
    .expect("a window")
}

fn decide(c: &mut Criterion) {
    let zone = Zone::find("Europe/London").expect("a zone");
    let windows = (0..WINDOWS).map(|n| Arc::new(window(n, &zone)));
    let windows = Calendar::union(windows.collect());
    let starts: Vec<Instant> = (0..1_000_i64)
        .map(|n| Instant::from_timestamp(1_767_225_600 + n * 30_011, 0).expect("a time"))
        .collect();
    starts.iter().for_each(|t| assert!(windows.covers(*t)));
    black_box(starts.iter().filter(|t| windows.contains(**t)).count());
    let mut each = starts.iter().cycle();
    c.bench_function("a start against 1000 windows", |b| {
        b.iter(|| each.next().map(|t| windows.contains(black_box(*t))));
    });
    let mut each = starts.iter().cycle();
    let day = TimeDelta::days(1);
    c.bench_function("the window of a start among 1000", |b| {
        b.iter(|| each.next().map(|t| windows.span_at(black_box(*t), *t + day)));
    });
}

fn load(c: &mut Criterion) {
    let event = |n: usize| {
        format!(
            "BEGIN:VEVENT\r\nUID:{n}\r\nSUMMARY:window\r\nDTSTART:20150101T{:02}0000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=WEEKLY\r\nEND:VEVENT\r\n",
            n % 24
        )
    };
    let events: String = (0..10_000).map(event).collect();
    let text = format!("BEGIN:VCALENDAR\r\n{events}END:VCALENDAR\r\n");
    let zone = Zone::utc();
    let of = EventsOf {
        text: text.as_bytes(),
        name: "a.ics",
        zone: &zone,
        given_zone: None,
        summary: None,
        tentative: false,
        closes: false,
        may_be_empty: false,
    };
    let now = Instant::from_timestamp(1_767_225_600, 0).expect("a time");
    c.bench_function("10000 recurring events read, and their year worked out", |b| {
        b.iter(|| Calendar::events(black_box(&of)).expect("a calendar").0.contains(now));
    });
}

criterion_group!(benches, decide, load);
criterion_main!(benches);
