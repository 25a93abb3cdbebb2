//! An acknowledged run stays quiet when its log comes again: by every road, while running, after a stop and after
//! kill -9.

use super::*;

/// How a log comes again.
#[derive(Clone, Copy, Debug)]
enum Road {
    /// The same bytes under another name that the source follows as well.
    OtherName,
    /// Written beside the log and renamed over it, each line with a field more.
    Replaced,
    /// Cut off and written anew, each line with a field more.
    Rewritten,
    /// The lines that it has are appended once more.
    Appended,
}

/// What becomes of the program meanwhile.
#[derive(Clone, Copy, Debug)]
enum Meanwhile {
    Runs,
    IsStopped,
    IsKilled,
}

const ROADS: [Road; 4] = [Road::OtherName, Road::Replaced, Road::Rewritten, Road::Appended];
const MEANWHILE: [Meanwhile; 3] = [Meanwhile::Runs, Meanwhile::IsStopped, Meanwhile::IsKilled];

/// The run that shows that everything before it was read: it is as agreed.
fn mark(number: usize) -> String {
    let now = offhours::time::rfc3339(offhours::clock::now());
    format!(
        "time={now} event=started procedure=inspection service=atlas run_id=I-{number} trigger=schedule\n"
    )
}

/// Delivers `lines` again, and behind them a mark.
fn deliver(home: &Path, lines: &str, road: Road, number: usize) {
    let log = home.join("hostco.log");
    let longer = |note: &str| lines.replace('\n', &format!(" {note}={number}\n"));
    match road {
        Road::OtherName => {
            let copy = home.join(format!("copy-{number}.log"));
            std::fs::write(copy, lines.to_owned() + &mark(number)).expect("a copy");
        }
        Road::Replaced => {
            let beside = home.join(".hostco.log.part");
            std::fs::write(&beside, longer("replaced") + &mark(number)).expect("a file");
            std::fs::rename(beside, log).expect("a rename");
        }
        Road::Rewritten => {
            std::fs::write(log, longer("rewritten") + &mark(number)).expect("a log");
        }
        Road::Appended => {
            let mut file = File::options().append(true).open(log).expect("a log");
            let all = lines.to_owned() + &mark(number);
            file.write_all(all.as_bytes()).expect("lines");
        }
    }
}

/// The series that count runs or page, without those that grow with the time.
fn counters(page: &str) -> Vec<&str> {
    let counts = |line: &&str| {
        let name = line.split(['{', ' ']).next().unwrap_or_default();
        line.contains("procedure=\"archive-compaction\"")
            && !name.ends_with("seconds_total")
            && (name.ends_with("_total")
                || name.ends_with("_count")
                || name.contains("unacknowledged")
                || name.contains("in_progress"))
    };
    page.lines().filter(counts).collect()
}

fn repeated(page: &str) -> f64 {
    let line = page.lines().find_map(|l| {
        l.strip_prefix("maintenance_irregularities_total{partner=\"hostco\",kind=\"repeated\"} ")
    });
    line.and_then(|n| n.parse().ok()).expect("a count")
}

/// One run is over, the other one runs; both are in violation, and somebody took note of both.
#[test]
fn an_acknowledged_run_never_pages_again_because_its_log_came_again() {
    let webhook = Webhook::start();
    let Some(alertmanager) = Alertmanager::start(&webhook, "1s") else { return };
    let mut office = Office::open(&alertmanager, "1s", "0s");
    let mut server = office.serve();
    office.write("started", "M-1");
    office.write("finished", "M-1");
    office.write("started", "M-2");
    assert_eq!(said(&webhook.next().1).0, "firing");
    eventually("both runs are on record", || server.get("/api/v1/runs/2").0 == 200);
    office.acknowledge("M-1");
    office.acknowledge("M-2");
    eventually("the page is resolved", || alertmanager.alerts().is_empty());
    let mut last = webhook.next().1;
    while said(&last).0 != "resolved" {
        last = webhook.next().1;
    }
    last = webhook.during(QUIET).pop().unwrap_or(last);
    assert_eq!(said(&last).0, "resolved");

    let lines = std::fs::read_to_string(office.home.path().join("hostco.log")).expect("a log");
    let page = server.get("/metrics").1;
    let before: Vec<String> = counters(&page).into_iter().map(String::from).collect();
    let starts = "maintenance_starts_total{partner=\"hostco\",affected_service=\"atlas\",procedure=\"archive-compaction\",verdict=\"violation\"} 2";
    assert!(before.iter().any(|line| line == starts), "{before:#?}");
    assert_eq!(repeated(&page).to_bits(), 0.0_f64.to_bits(), "nothing came again yet");

    let all = ROADS.into_iter().flat_map(|road| MEANWHILE.map(|meanwhile| (road, meanwhile)));
    for (number, (road, meanwhile)) in all.enumerate() {
        let what = format!("{road:?} while it {meanwhile:?}");
        let known = repeated(&server.get("/metrics").1);
        match meanwhile {
            Meanwhile::Runs => deliver(office.home.path(), &lines, road, number),
            Meanwhile::IsStopped => {
                assert!(server.stop().success(), "{what}");
                deliver(office.home.path(), &lines, road, number);
                server = office.serve();
            }
            Meanwhile::IsKilled => {
                server.kill();
                deliver(office.home.path(), &lines, road, number);
                server = office.serve();
            }
        }
        let id = format!("\"I-{number}\"");
        eventually(&what, || server.get("/api/v1/runs").1.contains(&id));
        let page = server.get("/metrics").1;
        assert_eq!(counters(&page), before, "{what}");
        assert!(known < repeated(&page), "{what}: its lines were not read again");
        assert_eq!(alertmanager.alerts(), Vec::<Value>::new(), "{what}");
    }
    nothing_else(&webhook);
    assert_eq!(alertmanager.alerts(), Vec::<Value>::new());
    assert!(server.stop().success());
}
