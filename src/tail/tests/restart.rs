//! What happens while nobody looks: everything is found again by its checkpoint, or reported.

use super::*;

/// A rig that has read `1` and stopped.
fn stopped(patterns: &[&str]) -> Rig {
    let mut rig = Rig::new(patterns);
    rig.write("app.log", "1\n");
    rig.poll();
    rig.expect(&["1"]);
    rig.stop();
    rig.events.clear();
    rig
}

/// Starts and expects these lines, in any order, and this report.
#[track_caller]
fn check(rig: &mut Rig, lines: &[&str], report: &[&str]) {
    rig.start();
    rig.poll();
    rig.poll();
    rig.lines.sort();
    rig.expect(lines);
    rig.reported(report);
}

#[test]
fn case_25_written_while_stopped() {
    let mut rig = stopped(&["app.log"]);
    rig.write("app.log", "2\n");
    rig.start();
    rig.poll();
    assert_eq!(rig.opened(), ["app.log@2"]);
    rig.expect(&["2"]);
    rig.reported(&[]);
}

#[test]
fn case_26_renamed_while_stopped() {
    for (patterns, to) in [
        (["app.log"], "app.log.1"),
        (["app.log"], "app.log-20251110"),
        (["app.log"], "app-20251110.log"),
        (["app.log"], "elsewhere"),
        (["app.log*"], "app.log.1"),
    ] {
        let mut rig = stopped(&patterns);
        rig.write("app.log", "2\n");
        rig.rename("app.log", to);
        rig.write("app.log", "3\n");
        check(&mut rig, &["2", "3"], &["rename"]);
    }
}

#[test]
fn case_26_renamed_several_times_while_stopped() {
    for patterns in [["app.log"], ["app.log*"]] {
        let mut rig = stopped(&patterns);
        rig.write("app.log", "2\n");
        rig.rename("app.log", "app.log.2");
        rig.write("app.log", "3\n");
        rig.rename("app.log", "app.log.1");
        rig.write("app.log", "4\n");
        check(&mut rig, &["2", "3", "4"], &["rename"]);
    }
}

#[test]
fn renamed_while_stopped_and_nothing_in_its_stead() {
    let mut rig = stopped(&["app.log"]);
    rig.write("app.log", "2\n");
    rig.rename("app.log", "app.log.1");
    check(&mut rig, &["2"], &["rename", "failed not_found"]);
    rig.settle();
    rig.reported(&["closed"]);
}

#[test]
fn copied_and_cut_off_while_stopped() {
    for patterns in [["app.log"], ["app.log*"]] {
        for refill in ["3\n", "3 and so on\n"] {
            let mut rig = stopped(&patterns);
            rig.write("app.log", "2\n");
            rig.copy("app.log", "app.log.1");
            rig.truncate("app.log");
            rig.write("app.log", refill);
            let report = ["copytruncate", "loss copytruncate 4..?"];
            check(&mut rig, &["2", refill.trim()], &report);
            // Nothing changes by stopping once more.
            rig.stop();
            rig.start();
            rig.poll();
            rig.expect(&[]);
        }
    }
}

/// Before a restart the content of one inode was cut off: two checkpoints lead to it.
#[test]
fn of_two_checkpoints_for_one_inode_the_one_that_was_read_further_goes_on() {
    let mut rig = Rig::new(&["app.log"]);
    rig.write("app.log", "fragment");
    rig.poll();
    rig.copy("app.log", "app.log.1");
    rig.truncate("app.log");
    rig.write("app.log", "1\n");
    rig.poll();
    rig.expect(&["1"]);
    rig.rename("app.log", "app.log.2");
    rig.events.clear();
    check(&mut rig, &[], &["rename", "failed not_found"]);
}

/// Files that are cut off keep their inode: copies of old content are younger than it.
#[test]
fn old_copies_are_not_taken_for_rotated_files() {
    let mut rig = stopped(&["app.log"]);
    rig.write("app.log.3", "what was cut off long ago\n");
    rig.tick();
    rig.write("app.log", "2\n");
    rig.rename("app.log", "app.log.1");
    rig.write("app.log", "3\n");
    check(&mut rig, &["2", "3"], &["rename"]);
}

#[test]
fn case_17_inode_used_again_while_stopped() {
    let mut rig = stopped(&["app.log"]);
    rig.remove("app.log");
    rig.write("app.log", "2 is longer\n");
    check(&mut rig, &["2 is longer"], &["replace", "loss gone 2..?", "closed"]);
}

#[test]
fn cut_off_while_stopped() {
    let mut rig = stopped(&["app.log"]);
    rig.truncate("app.log");
    check(&mut rig, &[], &["truncate", "loss gone 2..?", "closed"]);
    rig.write("app.log", "2\n");
    rig.poll();
    rig.expect(&["2"]);
}

#[test]
fn a_file_that_is_gone_is_waited_for_before_it_is_given_up() {
    let mut rig = stopped(&["logs/app.log", "app.log"]);
    rig.rename("app.log", "../kept-aside");
    rig.start();
    rig.poll();
    rig.reported(&["failed not_found"]);
    rig.now += Limits::default().linger - POLL - POLL;
    rig.poll();
    rig.rename("../kept-aside", "app.log");
    rig.write("app.log", "2\n");
    rig.poll();
    rig.expect(&["2"]);
    rig.reported(&[]);

    let mut rig = stopped(&["app.log"]);
    rig.remove("app.log");
    rig.start();
    rig.poll();
    rig.now += LONG;
    rig.poll();
    rig.reported(&["failed not_found", "loss gone 2..?", "closed"]);
    assert!(rig.store.values().all(|checkpoint| checkpoint.finished));
    rig.start();
    rig.poll();
    rig.now += LONG;
    rig.poll();
    rig.reported(&["failed not_found"]);
}

#[test]
fn a_checkpoint_may_stand_at_any_line_that_was_read() {
    let long = "x".repeat(700);
    let lines = ["1", &long, "3", &long, "5", "6"].map(|line| format!("{line}\n"));
    let starts = lines.iter().scan(0, |end, line| {
        *end += line.len() as u64;
        Some(*end)
    });
    for (n, offset) in std::iter::once(0).chain(starts).enumerate() {
        let mut rig = Rig::new(&["app.log"]);
        rig.write("app.log", lines.concat());
        rig.poll();
        rig.lines.clear();
        let file = rig.tail.generations.keys().next().copied().unwrap();
        rig.tail.set_memo(file, "header".into());
        rig.keep(file, offset);
        assert!(rig.tail.checkpoint(file, 9999).is_err());
        rig.rename("app.log", "app.log.1");
        rig.start();
        rig.poll();
        let rest: Vec<&str> = lines[n..].iter().map(|line| line.trim_end()).collect();
        rig.expect(&rest);
        assert_eq!(rig.tail.memo(file), "header");
    }
}

#[test]
fn ids_are_never_used_again() {
    let mut rig = stopped(&["*.log"]);
    rig.store.values_mut().for_each(|checkpoint| checkpoint.finished = true);
    rig.remove("app.log");
    rig.write("b.log", "2\n");
    rig.start();
    rig.poll();
    assert_eq!(rig.tail.unread().count(), 0);
    assert_eq!(rig.tail.generations.keys().collect::<Vec<_>>(), [&FileId(2)]);
}

#[test]
fn a_checkpoint_of_content_that_is_gone_fits_nothing() {
    let header = "x".repeat(1500);
    let mut rig = Rig::new(&["app.log"]);
    rig.write("app.log", format!("{header}\n2\n"));
    rig.poll();
    rig.truncate("app.log");
    rig.write("app.log", format!("{header}\n3\n4\n5\n"));
    let file = rig.tail.generations.keys().next().copied().unwrap();
    // Read before the content was cut off, stored after it: there the new content looks the same.
    rig.keep(file, 1501);
    rig.lines.clear();
    rig.events.clear();
    let report = ["replace", "loss gone 1501..?", "closed"];
    check(&mut rig, &["3", "4", "5", &header], &report);
}

#[test]
fn an_over_long_line_goes_on_being_skipped_where_it_was_left() {
    let limits = Limits { line_bytes: 100, block_bytes: 100, ..Limits::default() };
    let mut rig = Rig::with(&["app.log"], limits);
    rig.write("app.log", "1\n".to_string() + &"x".repeat(1000));
    rig.poll();
    rig.expect(&["1"]);
    let file = rig.tail.generations.keys().next().copied().unwrap();
    rig.keep(file, 2);
    assert_eq!(rig.store[&file].skipped, 1000);
    rig.start();
    rig.scan(Depth::Glob);
    assert_eq!(rig.tail.generations[&file].examined, 1002, "it need not be looked through again");
    rig.write("app.log", "xx\n2\n");
    rig.poll();
    rig.expect(&["<oversize 1003>", "2"]);
}

#[test]
fn case_26_stored_halfway_after_a_rename_with_its_descriptor_closed() {
    let lines: Vec<String> = (0..40).map(|n| format!("{n}-{}", "x".repeat(100))).collect();
    let limits = Limits { descriptors: 0, block_bytes: 200, ..Limits::default() };
    for to in ["app.log.1", "elsewhere"] {
        let mut rig = Rig::with(&["app.log"], limits);
        rig.write("app.log", lines.join("\n") + "\n");
        rig.scan(Depth::Glob);
        let file = rig.tail.unread().next().unwrap();
        let (mut buffer, mut taken, mut half) = (Vec::new(), 0, 0);
        while let Some(block) = rig.tail.read(file, &mut buffer).unwrap() {
            taken += buffer.iter().filter(|byte| **byte == b'\n').count();
            if taken == 20 {
                half = block.offset + block.bytes;
            }
        }
        assert_eq!(taken, 40);
        rig.rename("app.log", to);
        rig.keep(file, half);
        rig.stop();
        rig.start();
        rig.poll();
        rig.poll();
        rig.expect(&lines.iter().skip(20).map(String::as_str).collect::<Vec<_>>());
    }
}

/// Cut off, stopped, written to and rotated before the start: what was written is in the rotated file.
#[test]
fn case_26_cut_off_and_renamed_while_stopped() {
    for is_seen in [false, true] {
        let mut rig = Rig::new(&["app.log"]);
        rig.write("app.log", "2025-11-10T22:00:00Z 1\n2025-11-10T22:00:01Z 2\n");
        rig.poll();
        rig.lines.clear();
        if is_seen {
            rig.truncate("app.log");
            rig.poll();
        }
        rig.stop();
        if !is_seen {
            rig.truncate("app.log");
        }
        rig.write("app.log", "2025-11-10T22:00:02Z 3\n");
        rig.rename("app.log", "app.log.1");
        rig.write("app.log", "2025-11-10T22:00:03Z 4\n");
        rig.start();
        rig.poll();
        rig.poll();
        rig.settle();
        rig.expect(&["2025-11-10T22:00:02Z 3", "2025-11-10T22:00:03Z 4"]);
        let report = rig.report();
        assert!(report.iter().any(|word| word.starts_with("loss")), "{report:?}");
    }
}

#[test]
fn case_52_its_source_has_another_name() {
    for is_rotated in [false, true] {
        let mut rig = Rig::new(&["app.log"]);
        rig.write("app.log", "2025-11-10T22:00:00Z 1\n");
        rig.poll();
        rig.lines.clear();
        rig.stop();
        rig.write("app.log", "2025-11-10T22:00:01Z 2\n");
        if is_rotated {
            rig.rename("app.log", "app.log.1");
        }
        rig.write("app.log", "2025-11-10T22:00:02Z 3\n");
        for checkpoint in rig.store.values_mut() {
            checkpoint.source = "as it was called before".into();
        }
        rig.start();
        rig.poll();
        rig.poll();
        rig.lines.sort();
        rig.expect(&["2025-11-10T22:00:01Z 2", "2025-11-10T22:00:02Z 3"]);
        assert!(rig.store.values().any(|checkpoint| &*checkpoint.source == "hostco"));
    }
}

/// Two sources may read one file; what one of them has read is not taken for what the other has.
#[test]
fn case_52_a_source_that_has_read_the_file_itself_keeps_to_that() {
    let mut rig = Rig::new(&["app.log"]);
    rig.write("app.log", "2025-11-10T22:00:00Z 1\n");
    rig.poll();
    let mut other = rig.store.values().next().unwrap().clone();
    rig.write("app.log", "2025-11-10T22:00:01Z 2\n");
    rig.poll();
    (other.file, other.source) = (FileId(9), "another".into());
    rig.store.insert(other.file, other);
    rig.lines.clear();
    rig.events.clear();
    rig.stop();
    rig.write("app.log", "2025-11-10T22:00:02Z 3\n");
    rig.start();
    rig.poll();
    rig.settle();
    rig.expect(&["2025-11-10T22:00:02Z 3"]);
    rig.reported(&[]);
}

/// The copy of a log that was cut off got the inode of the log when that was replaced.
#[test]
fn case_12_a_compressed_copy_gets_the_inode_of_the_file_that_went() {
    let mut rig = Rig::with(&["app.log"], Limits { descriptors: 0, ..Limits::default() });
    rig.write("app.log", "2025-11-10T22:00:00Z 1\n");
    rig.scan(Depth::Glob);
    rig.copy("app.log", "app.log.1");
    rig.truncate("app.log");
    rig.write(".tmp", "");
    rig.rename(".tmp", "app.log");
    rig.write("app.log", "2025-11-10T22:00:01Z 2\n");
    rig.compress("app.log.1");
    rig.poll();
    rig.poll();
    rig.lines.sort();
    rig.expect(&["2025-11-10T22:00:00Z 1", "2025-11-10T22:00:01Z 2"]);
}
