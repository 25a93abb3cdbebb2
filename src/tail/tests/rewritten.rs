//! A log that is delivered again, longer: renamed over the old one or written in its place.

use super::*;

/// How somebody delivers a file again.
type Deliver = fn(&Rig, &str);

/// As rsync(1) and `sed -i`: a temporary file, renamed.
fn rename_over(rig: &Rig, text: &str) {
    fs::write(rig.path(".tmp"), text).unwrap();
    rig.rename(".tmp", "app.log");
}

/// As cp(1), scp(1) and curl(1): the file is cut off and written from its start.
fn write_over(rig: &Rig, text: &str) {
    fs::write(rig.path("app.log"), text).unwrap();
}

/// Deleted, and made anew.
fn create_again(rig: &Rig, text: &str) {
    rig.remove("app.log");
    fs::write(rig.path("app.log"), text).unwrap();
}

const ROADS: [Deliver; 3] = [rename_over, write_over, create_again];

fn lines(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers
        .map(|n| format!("2025-11-10T22:{n:02}:00Z line {n} {}", "x".repeat(n * 13 % 90)))
        .collect()
}

fn text(numbers: std::ops::Range<usize>) -> String {
    lines(numbers).iter().map(|line| line.clone() + "\n").collect()
}

#[track_caller]
fn expect(rig: &mut Rig, numbers: std::ops::Range<usize>) {
    let want = lines(numbers);
    rig.expect(&want.iter().map(String::as_str).collect::<Vec<_>>());
}

fn rigs() -> impl Iterator<Item = Rig> {
    let limits = [512, 0].map(|descriptors| Limits { descriptors, ..Limits::default() });
    limits.into_iter().flat_map(|limits| {
        ["app.log", "*.log"].into_iter().map(move |pattern| Rig::with(&[pattern], limits))
    })
}

#[test]
fn case_45_replaced_by_a_longer_copy_of_itself() {
    for deliver in ROADS {
        for mut rig in rigs() {
            let mut end = 5;
            deliver_first(&mut rig, end);
            for more in [3, 1, 20, 0, 9] {
                deliver(&rig, &text(0..end + more));
                rig.poll();
                expect(&mut rig, end..end + more);
                end += more;
            }
            rig.settle();
            expect(&mut rig, 0..0);
            let report = rig.report();
            assert!(!report.iter().any(|word| word.contains("loss")), "{report:?}");
        }
    }
}

fn deliver_first(rig: &mut Rig, end: usize) {
    fs::write(rig.path("app.log"), text(0..end)).unwrap();
    rig.poll();
    expect(rig, 0..end);
    rig.events.clear();
}

#[test]
fn case_45_replaced_by_a_longer_copy_while_stopped() {
    for deliver in ROADS {
        for mut rig in rigs() {
            let mut end = 5;
            deliver_first(&mut rig, end);
            for more in [3, 40, 0, 9] {
                rig.stop();
                deliver(&rig, &text(0..end + more));
                rig.start();
                rig.poll();
                rig.poll();
                expect(&mut rig, end..end + more);
                end += more;
            }
            rig.settle();
            expect(&mut rig, 0..0);
            let report = rig.report();
            assert!(!report.iter().any(|word| word.contains("loss")), "{report:?}");
        }
    }
}

/// A look, or a stop and a start, at any length while the file is written anew.
#[test]
fn case_46_a_look_while_a_copy_is_written() {
    let (old, new) = (text(0..40), text(0..60));
    for is_renamed_first in [false, true] {
        for is_stopped in [false, true] {
            for mut rig in rigs() {
                deliver_first(&mut rig, 40);
                if is_renamed_first {
                    rig.remove("app.log");
                }
                let mut writer = File::create(rig.path("app.log")).unwrap();
                for part in new.as_bytes().chunks(old.len() / 7) {
                    if is_stopped {
                        rig.stop();
                        rig.start();
                    }
                    rig.poll();
                    rig.poll();
                    writer.write_all(part).unwrap();
                }
                rig.poll();
                rig.poll();
                expect(&mut rig, 40..60);
                let report = rig.report();
                // What a deleted file held that was not open cannot be known.
                let is_seen = !is_renamed_first || 0 < rig.limits.descriptors;
                let is_lost = report.iter().any(|word| word.contains("loss"));
                assert!(!is_seen || !is_lost, "{is_stopped} {report:?}");
            }
        }
    }
}

/// What only looked like a copy is read from its start, once it has stood still for a while or goes on otherwise.
#[test]
fn case_46_what_does_not_become_a_copy_is_read() {
    let header = "time,event\n";
    for deliver in ROADS {
        for is_stopped in [false, true] {
            let mut rig = Rig::new(&["app.log"]);
            rig.write("app.log", format!("{header}{}", text(0..5)));
            rig.poll();
            rig.lines.clear();
            if is_stopped {
                rig.stop();
            }
            deliver(&rig, header);
            if is_stopped {
                rig.start();
            }
            rig.poll();
            rig.expect(&[]);
            rig.write("app.log", text(9..10));
            rig.poll();
            if is_stopped {
                rig.now += Duration::from_secs(5);
                rig.poll();
            }
            rig.expect(&[header.trim(), &lines(9..10)[0]]);
            // It stays as short as it is.
            deliver(&rig, header);
            rig.poll();
            rig.expect(&[]);
            rig.now += Duration::from_secs(5);
            rig.poll();
            rig.poll();
            rig.expect(&[header.trim()]);
        }
    }
}

/// An editor or `sed -i` renames its copy over a log that somebody has open and goes on writing to.
#[test]
fn case_47_the_old_file_is_written_after_it_was_replaced() {
    for mut rig in rigs() {
        let mut writer = append(&rig.path("app.log"));
        writer.write_all(text(0..5).as_bytes()).unwrap();
        rig.poll();
        expect(&mut rig, 0..5);
        let open = 0 < rig.limits.descriptors;
        writer.write_all(text(5..6).as_bytes()).unwrap();
        rename_over(&rig, &text(0..6));
        rig.poll();
        expect(&mut rig, 5..6);
        writer.write_all(text(7..8).as_bytes()).unwrap();
        rig.write("app.log", text(8..9));
        rig.poll();
        rig.poll();
        rig.lines.sort();
        let want = if open { 7..9 } else { 8..9 };
        expect(&mut rig, want);
    }
}

#[test]
fn case_45_replaced_long_after_it_was_deleted() {
    let mut rig = Rig::new(&["app.log"]);
    deliver_first(&mut rig, 5);
    rig.remove("app.log");
    rig.settle();
    assert!(rig.tail.generations.is_empty());
    rename_over(&rig, &text(0..7));
    rig.poll();
    expect(&mut rig, 5..7);
    rig.write("app.log", text(7..8));
    rig.poll();
    expect(&mut rig, 7..8);
}
