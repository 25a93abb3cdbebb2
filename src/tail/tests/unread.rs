//! Rotated before anything was read, or while the writer still had the old file open.

use super::*;

/// Copies a log as rotation does, and cuts it off.
fn cut_off(rig: &Rig, to: &str) {
    rig.copy("app.log", to);
    rig.truncate("app.log");
    rig.tick();
}

/// A rig that follows an empty file.
fn empty(patterns: &[&str], descriptors: usize) -> Rig {
    let mut rig = Rig::with(patterns, Limits { descriptors, ..Limits::default() });
    rig.write("app.log", "");
    rig.poll();
    rig.tick();
    rig.events.clear();
    rig
}

/// However it is named, compressed or not, and however often.
#[test]
fn case_54_copied_and_cut_off_before_anything_was_read() {
    for (pattern, descriptors, is_stopped, is_packed) in [
        ("app.log", 512, true, false),
        ("app.log", 0, true, true),
        ("app.log", 512, false, false),
        ("app.log", 0, false, false),
        ("app.log*", 512, true, false),
    ] {
        let mut rig = empty(&[pattern], descriptors);
        if is_stopped {
            rig.stop();
        }
        rig.write("app.log", "2025-11-10T22:00:00Z 1\n2025-11-10T22:00:01Z 2\n");
        cut_off(&rig, "app.log.1");
        rig.write("app.log", "2025-11-10T22:00:02Z 3\n");
        rig.rename("app.log.1", "app.log.2");
        if is_packed {
            rig.compress("app.log.2");
        }
        cut_off(&rig, "app.log.1");
        rig.write("app.log", "2025-11-10T22:00:03Z 4\n");
        if is_stopped {
            rig.start();
        }
        rig.poll();
        rig.poll();
        let case = format!("{pattern} {descriptors} {is_stopped} {is_packed}");
        rig.lines.sort();
        let read: Vec<&str> = rig.lines.iter().filter_map(|line| line.split(' ').nth(1)).collect();
        assert_eq!(read, ["1", "2", "3", "4"], "{case} {:#?}", rig.events);
        let report = rig.report();
        let is_told = |word: &String| word.starts_with("loss copytruncate");
        assert!(report.iter().any(is_told), "{case} {report:?}");
    }
}

/// A copy of what is still there is not read twice, and is no loss.
#[test]
fn a_copy_of_what_was_not_read_and_is_still_there_is_left_alone() {
    for is_stopped in [false, true] {
        let mut rig = empty(&["app.log"], 512);
        if is_stopped {
            rig.stop();
        }
        rig.write("app.log", "2025-11-10T22:00:00Z 1\n");
        rig.copy("app.log", "app.log.1");
        rig.write("app.log", "2025-11-10T22:00:01Z 2\n");
        if is_stopped {
            rig.start();
        }
        rig.poll();
        rig.poll();
        rig.expect(&["2025-11-10T22:00:00Z 1", "2025-11-10T22:00:01Z 2"]);
        rig.reported(&[]);
    }
}

/// What the older one got after the younger began must not hide the younger.
#[test]
fn case_55_written_after_the_rename_and_rotated_twice_while_stopped() {
    for (is_packed, is_late) in [(true, false), (true, true), (false, false), (false, true)] {
        let mut rig = Rig::new(&["app.log"]);
        let line = |n: u32| format!("2025-11-10T22:00:0{n}Z {n}\n");
        rig.write("app.log", line(0));
        rig.poll();
        rig.lines.clear();
        rig.events.clear();
        rig.stop();
        let mut old = append(&rig.path("app.log"));
        rig.tick();
        old.write_all(line(1).as_bytes()).unwrap();
        rig.rename("app.log", "app.log.1");
        rig.write("app.log", line(2));
        rig.tick();
        old.write_all(line(3).as_bytes()).unwrap();
        rig.tick();
        if !is_late {
            rig.write("app.log", line(4));
        }
        rig.rename("app.log.1", "app.log.2");
        if is_packed {
            rig.compress("app.log.2");
        }
        rig.rename("app.log", "app.log.1");
        rig.write("app.log", line(5));
        rig.start();
        rig.poll();
        rig.poll();
        rig.lines.sort();
        let read: Vec<&str> = rig.lines.iter().filter_map(|line| line.split(' ').nth(1)).collect();
        let want: &[&str] =
            if is_late { &["1", "2", "3", "5"] } else { &["1", "2", "3", "4", "5"] };
        assert_eq!(read, want, "{is_packed} {is_late} {:#?}", rig.events);
        let report = rig.report();
        assert!(!report.iter().any(|word| word.contains("loss")), "{report:?}");
    }
}

/// Another file stands at its path; what came and went there is read all the same.
#[test]
fn case_17_what_was_rotated_after_a_file_was_deleted_while_stopped() {
    let mut rig = Rig::new(&["app.log"]);
    rig.write("app.log", "2025-11-10T22:00:00Z 1\n");
    rig.poll();
    rig.lines.clear();
    rig.stop();
    rig.tick();
    rig.remove("app.log");
    rig.write("app.log", "2025-11-10T22:00:01Z 2\n");
    rig.rename("app.log", "app.log.1");
    rig.write("app.log", "2025-11-10T22:00:02Z 3\n");
    rig.start();
    rig.poll();
    rig.poll();
    rig.lines.sort();
    rig.expect(&["2025-11-10T22:00:01Z 2", "2025-11-10T22:00:02Z 3"]);
}
