//! How long it takes from a line that is appended to a log until the webhook of a real Alertmanager has the page, with
//! `group_wait: 0s` and without Prometheus: `cargo bench --bench paging`.
//!
//! It measures the running programs from outside and judges nothing: look at the figures on a quiet machine.

#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../tests/support/mod.rs"]
mod support;

use std::fs::File;
use std::io::Write as _;
use std::time::{Duration, Instant};

use support::outside::{Alertmanager, Webhook};
use support::{Server, folder};

const TRIES: usize = 200;

fn main() {
    let webhook = Webhook::start();
    let Some(alertmanager) = Alertmanager::start(&webhook, "5m") else { return };
    let home = folder();
    // Each try is an alert of its own: one that lasts is not sent again.
    let procedures: String =
        (0..TRIES).map(|n| format!("      x-{n}: {{ services: [atlas] }}\n")).collect();
    let config = format!(
        "services: {{ atlas: {{ timezone: Europe/London, business_hours: 24/7 }} }}
partners:
  hostco:
    windows: 24/7
    procedures:
{procedures}sources: [{{ name: s, partner: hostco, files: [s.log], format: logfmt }}]
alertmanagers: [{{ url: \"http://{}\" }}]
",
        alertmanager.address()
    );
    std::fs::write(home.path().join("offhours.yml"), config).expect("a file");
    let mut log = File::create(home.path().join("s.log")).expect("a log");
    let _server = Server::start(&home.path().join("offhours.yml"));
    let mut took = Vec::new();
    for n in 0..TRIES {
        // So that the tries fall on every moment between two looks.
        std::thread::park_timeout(Duration::from_millis((n as u64 * 37) % 250));
        let now = offhours::time::rfc3339(offhours::clock::now());
        let begun = Instant::now();
        writeln!(log, "time={now} event=started procedure=x-{n} service=atlas run_id=R-{n}")
            .expect("a line");
        let (at, group) = webhook.next();
        assert_eq!(group["alerts"][0]["labels"]["procedure"], format!("x-{n}"));
        took.push((at - begun).as_secs_f64() * 1e3);
    }
    took.sort_by(f64::total_cmp);
    let of = |share: usize| took.get((TRIES * share / 100).min(TRIES - 1)).copied();
    let of = |share| of(share).unwrap_or_default();
    println!(
        "from an appended start line to the webhook, {TRIES} tries (aim: median 50 ms, worst 1 s): median {:.1} ms, p95 {:.1}, worst {:.1}",
        of(50),
        of(95),
        of(100)
    );
}
