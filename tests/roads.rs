//! Both roads from a line in a log to a page, with a real Prometheus and a real Alertmanager; prints how long each
//! takes. `OFFHOURS_INTERVALS=15s,15s` takes other intervals of scraping and evaluation than 1 s.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::outside::{Alertmanager, Prometheus, Webhook};
use crate::support::{Server, eventually, folder, offhours, text};

/// Violations on each road, each of a partner of its own, so that none joins the page of another.
const VIOLATIONS: usize = 20;

/// Between two violations, so that they meet scrapes and evaluations at different moments.
const APART: Duration = Duration::from_millis(130);

/// A page that comes in this time after the last would be one too many.
const QUIET: Duration = Duration::from_secs(5);

/// Partners that may run something on New Year's Day only, each with a log.
struct World {
    home: tempfile::TempDir,
    server: Server,
    logs: Vec<File>,
}

impl World {
    fn new(fast_road_to: Option<&Alertmanager>) -> World {
        let home = folder();
        let each = |line: &dyn Fn(usize) -> String| {
            (0..VIOLATIONS).map(line).collect::<Vec<_>>().join("\n")
        };
        let partners = each(&|n| {
            format!(
                "  p{n:02}: {{ windows: \"Jan 01 00:00-00:01\", procedures: {{ compaction: {{ services: [atlas] }} }} }}"
            )
        });
        let sources = each(&|n| {
            format!(
                "  - {{ name: p{n:02}, partner: p{n:02}, files: [p{n:02}.log], format: logfmt }}"
            )
        });
        let road = fast_road_to.map_or_else(String::new, |alertmanager| {
            format!(
                "alertmanagers: [{{ url: \"http://{}\", resolve_delay: 4s }}]\n",
                alertmanager.address()
            )
        });
        let config = format!(
            "services: {{ atlas: {{ timezone: Europe/London }} }}\npartners:\n{partners}\nsources:\n{sources}\n\
             runbook_url: https://runbooks.example/offhours/\n{road}"
        );
        let path = home.path().join("offhours.yml");
        std::fs::write(&path, config).expect("a configuration");
        let log = |n| File::create(home.path().join(format!("p{n:02}.log"))).expect("a log");
        let logs = (0..VIOLATIONS).map(log).collect();
        let server = Server::start_in(&path, &home.path().join("ledger"));
        World { home, server, logs }
    }

    /// Partner `n` starts what it may not.
    fn start(&mut self, n: usize) -> Instant {
        self.start_run(n, "compaction", &format!("R-{n}"))
    }

    fn start_run(&mut self, n: usize, procedure: &str, id: &str) -> Instant {
        let now = offhours::time::rfc3339(offhours::clock::now());
        let line =
            format!("time={now} event=started procedure={procedure} run_id={id} trigger=manual\n");
        let begun = Instant::now();
        self.logs[n].write_all(line.as_bytes()).expect("a line");
        begun
    }

    /// Kills offhours without a word and starts it again where Prometheus looks for it.
    fn restart(&mut self) {
        self.server.kill();
        let (address, storage) = (self.server.address(), self.server.storage().to_owned());
        self.server = Server::start_at(address, &self.home.path().join("offhours.yml"), &storage);
    }

    fn acknowledge(&self, run: &str) {
        let config = format!("--config.file={}", self.home.path().join("offhours.yml").display());
        let storage = format!("--storage.path={}", self.server.storage().display());
        let said = offhours(&["ack", run, "--by", "on-call", "--note", "known", &config, &storage]);
        assert!(said.status.success(), "{}", text(&said.stderr));
    }
}

/// Intervals of scraping and evaluation.
fn intervals() -> [String; 2] {
    let given = std::env::var("OFFHOURS_INTERVALS").unwrap_or_else(|_| "1s,1s".to_owned());
    let (scrape, evaluation) = given.split_once(',').expect("two intervals");
    [scrape.to_owned(), evaluation.to_owned()]
}

/// The violations among what was sent: partner, status, and the alert itself.
fn violations(group: &Value) -> Vec<(String, String, Value)> {
    let alerts = group["alerts"].as_array().expect("alerts").iter();
    let is_violation = |a: &&Value| a["labels"]["alertname"] == "MaintenanceViolation";
    let word = |value: &Value| value.as_str().expect("a word").to_owned();
    alerts
        .filter(is_violation)
        .map(|a| (word(&a["labels"]["partner"]), word(&a["status"]), a.clone()))
        .collect()
}

/// Lets every partner start something, and waits for all pages: from the line to the page, by partner.
fn page_of_each(world: &mut World, webhook: &Webhook) -> BTreeMap<String, Duration> {
    let mut begun = BTreeMap::new();
    let mut pages: BTreeMap<String, Duration> = BTreeMap::new();
    let mut note = |at: Instant, group: &Value, begun: &BTreeMap<String, Instant>| {
        for (partner, status, alert) in violations(group) {
            assert_eq!(status, "firing", "{alert}");
            assert_eq!(
                alert["annotations"]["runbook_url"],
                "https://runbooks.example/offhours/MaintenanceViolation"
            );
            let took = at.duration_since(begun[&partner]);
            assert!(pages.insert(partner, took).is_none(), "a second page: {alert}");
        }
        pages.len()
    };
    for n in 0..VIOLATIONS {
        begun.insert(format!("p{n:02}"), world.start(n));
        for (at, group) in webhook.timed(APART) {
            note(at, &group, &begun);
        }
    }
    let mut seen = note(Instant::now(), &serde_json::json!({ "alerts": [] }), &begun);
    while seen < VIOLATIONS {
        let (at, group) = webhook.next();
        seen = note(at, &group, &begun);
    }
    assert!(webhook.during(QUIET).iter().all(|group| violations(group).is_empty()), "another page");
    pages
}

fn tell(road: &str, pages: &BTreeMap<String, Duration>) {
    let mut all: Vec<Duration> = pages.values().copied().collect();
    all.sort_unstable();
    let (median, worst) = (all[all.len() / 2], all[all.len() - 1]);
    println!("{road}, {} violations: median {median:.1?}, worst {worst:.1?}", all.len());
}

#[test]
fn the_fast_road_pages_for_each_violation_once() {
    let webhook = Webhook::start();
    let Some(alertmanager) = Alertmanager::start(&webhook, "1s") else { return };
    let mut world = World::new(Some(&alertmanager));
    tell("line to webhook by the fast road", &page_of_each(&mut world, &webhook));
}

#[test]
fn the_rule_road_pages_for_each_violation_once() {
    let webhook = Webhook::start();
    let Some(alertmanager) = Alertmanager::start(&webhook, "1s") else { return };
    let mut world = World::new(None);
    let [scrape, evaluation] = intervals();
    let address = world.server.address();
    let prometheus = Prometheus::start(address, &alertmanager, [&scrape, &evaluation]);
    let Some(_prometheus) = prometheus else { return };
    // The Watchdog is there: Prometheus scrapes, evaluates, and has found Alertmanager.
    webhook.next();
    let road = format!("line to webhook by the rules ({scrape} scrape, {evaluation} evaluation)");
    tell(&road, &page_of_each(&mut world, &webhook));
}

#[test]
fn both_roads_together_give_one_page_with_the_words_and_one_resolve() {
    let webhook = Webhook::start();
    let Some(alertmanager) = Alertmanager::start(&webhook, "1s") else { return };
    let mut world = World::new(Some(&alertmanager));
    let address = world.server.address();
    let Some(_prometheus) = Prometheus::start(address, &alertmanager, ["1s", "1s"]) else { return };
    world.start(0);
    let page = loop {
        if let [page] = violations(&webhook.next().1).as_slice() {
            break page.2.clone();
        }
    };
    let description = page["annotations"]["description"].as_str().expect("words");
    for wanted in
        ["p00 started compaction on atlas at", "- outside_window:", " 1 Jan ", "offhours ack 1"]
    {
        assert!(description.contains(wanted), "{wanted}: {description}");
    }
    let later = |time| webhook.during(time).iter().flat_map(violations).collect::<Vec<_>>();
    assert_eq!(later(QUIET), vec![], "the second road made a page of its own");
    world.acknowledge("1");
    let said: Vec<String> = later(2 * QUIET).into_iter().map(|(_, status, _)| status).collect();
    assert_eq!(said, ["resolved"]);
}

/// What is told last replaces what Alertmanager knew: the next page has the words of the rules, and they tell the case.
#[test]
fn a_later_page_tells_the_case_whichever_road_spoke_last() {
    let webhook = Webhook::start();
    let Some(alertmanager) = Alertmanager::start_example(&webhook) else { return };
    let mut world = World::new(Some(&alertmanager));
    let address = world.server.address();
    let Some(_prometheus) = Prometheus::start(address, &alertmanager, ["1s", "1s"]) else { return };
    world.start(0);
    while violations(&webhook.next().1).is_empty() {}
    let description =
        |alert: &Value| alert["annotations"]["description"].as_str().unwrap_or_default().to_owned();
    let by_rule = |alert: &Value| description(alert).contains("1 run(s) of compaction by p00");
    eventually("Prometheus has spoken", || alertmanager.alerts().iter().any(by_rule));
    world.start_run(0, "mystery", "R-20");
    let page = loop {
        if let page @ [_, _] = violations(&webhook.next().1).as_slice() {
            break page.to_vec();
        }
    };
    let [first, _] = &page[..] else { unreachable!() };
    let told = description(&first.2);
    assert!(by_rule(&first.2), "{told}");
    for wanted in [
        "nobody has acknowledged it: outside_window; since 20",
        "It may start next 20",
        "-01-01 00:00:00 +0000 UTC.",
        "Call the partner",
        "`offhours explain 1`",
        "`offhours ack 1 --by NAME --note TEXT` stops this page.",
    ] {
        assert!(told.contains(wanted), "{wanted}: {told}");
    }
    assert_eq!(first.2["labels"]["procedure"], "compaction");
    world.acknowledge("1");
    world.acknowledge("2");
    let mut said: Vec<(String, String)> = Vec::new();
    for (_, status, alert) in webhook.during(2 * QUIET).iter().flat_map(violations) {
        said.push((alert["labels"]["procedure"].to_string(), status));
    }
    said.retain(|(_, status)| status == "resolved");
    said.sort();
    said.dedup();
    let resolved = |procedure: &str| (format!("\"{procedure}\""), "resolved".to_owned());
    assert_eq!(said, [resolved("compaction"), resolved("other")]);
}

/// Both roads lead to an Alertmanager that is down for a while.
#[test]
fn both_roads_give_one_page_and_one_resolve_when_alertmanager_is_back() {
    let webhook = Webhook::start();
    let Some(mut alertmanager) = Alertmanager::start(&webhook, "1s") else { return };
    let mut world = World::new(Some(&alertmanager));
    let address = world.server.address();
    let Some(_prometheus) = Prometheus::start(address, &alertmanager, ["1s", "1s"]) else { return };
    // The Watchdog is there: Prometheus has found Alertmanager.
    webhook.next();
    alertmanager.stop();
    world.start(0);
    world.restart();
    // Both roads meet a closed door a few times.
    assert_eq!(webhook.during(QUIET), Vec::<Value>::new());
    alertmanager.start_again();
    while violations(&webhook.next().1).is_empty() {}
    let later = |time| webhook.during(time).iter().flat_map(violations).collect::<Vec<_>>();
    assert_eq!(later(QUIET), vec![], "a second page");
    // Down once more while somebody acknowledges.
    alertmanager.stop();
    world.acknowledge("1");
    assert_eq!(later(QUIET), vec![]);
    alertmanager.start_again();
    let said: Vec<String> = later(3 * QUIET).into_iter().map(|(_, status, _)| status).collect();
    assert_eq!(said, ["resolved"]);
}

#[test]
fn kills_while_both_roads_are_open_give_one_page_and_one_resolve() {
    let webhook = Webhook::start();
    let Some(alertmanager) = Alertmanager::start(&webhook, "1s") else { return };
    let mut world = World::new(Some(&alertmanager));
    let address = world.server.address();
    let Some(_prometheus) = Prometheus::start(address, &alertmanager, ["1s", "1s"]) else { return };
    world.restart();
    world.start(0);
    // It may have read the line or not, posted or not, been scraped or not.
    world.restart();
    while violations(&webhook.next().1).is_empty() {}
    world.restart();
    let later = |time| webhook.during(time).iter().flat_map(violations).collect::<Vec<_>>();
    assert_eq!(later(QUIET), vec![], "a second page");
    world.restart();
    assert_eq!(later(QUIET), vec![], "a second page after another restart");
    world.acknowledge("1");
    world.restart();
    let said: Vec<String> = later(2 * QUIET).into_iter().map(|(_, status, _)| status).collect();
    assert_eq!(said, ["resolved"]);
}
