//! Files that are renamed, copied, cut off, deleted and replaced while they are followed.

use std::io::Write;
use std::os::unix::fs::MetadataExt;

use super::*;

/// A rig that follows `app.log` and has read `1`; the writer has it open.
fn begun(patterns: &[&str]) -> (Rig, File) {
    let mut rig = Rig::new(patterns);
    let writer = append(&rig.path("app.log"));
    rig.write("app.log", "1\n");
    rig.poll();
    rig.expect(&["1"]);
    (rig, writer)
}

#[test]
fn case_04_fragment_at_the_end_then_rotation() {
    let (mut rig, _) = begun(&["app.log"]);
    rig.write("app.log", "2\nfrag");
    rig.rename("app.log", "app.log.1");
    rig.write("app.log", "3\n");
    rig.poll();
    rig.expect(&["2", "3"]);
    rig.settle();
    rig.expect(&["frag~"]);
    rig.reported(&["rename", "closed"]);
}

#[test]
fn case_05_line_split_across_rotated_files() {
    let (mut rig, _) = begun(&["app.log"]);
    rig.write("app.log", "2\nfirst half,");
    rig.rename("app.log", "app.log.1");
    rig.write("app.log", " second half\n3\n");
    rig.poll();
    rig.settle();
    rig.expect(&["2", " second half", "3", "first half,~"]);
}

#[test]
fn case_06_rename_and_create() {
    for patterns in [&["app.log"], &["app.log*"], &["*"]] {
        let (mut rig, _) = begun(patterns);
        rig.write("app.log", "2\n");
        for round in 1..4 {
            for n in (1..round).rev() {
                rig.rename(&format!("app.log.{n}"), &format!("app.log.{}", n + 1));
            }
            rig.rename("app.log", "app.log.1");
            rig.write("app.log", format!("round {round}\n"));
            rig.poll();
            rig.reported(&["rename"]);
        }
        rig.poll();
        rig.expect(&["2", "round 1", "round 2", "round 3"]);
        rig.reported(&[]);
    }
}

#[test]
fn case_07_the_old_descriptor_is_written_after_the_rename() {
    let (mut rig, mut writer) = begun(&["app.log"]);
    rig.rename("app.log", "app.log.1");
    rig.write("app.log", "new\n");
    // 0.1 s, 3 s and 60 s later, and again each time shortly before it would be given up.
    for (text, later) in [("a\n", 0), ("b\n", 3), ("c\n", 60), ("d\n", 299), ("e\n", 299)] {
        rig.now += Duration::from_secs(later);
        rig.poll();
        writer.write_all(text.as_bytes()).unwrap();
        rig.poll();
    }
    rig.expect(&["new", "a", "b", "c", "d", "e"]);
    // It is kept for as long as somebody can write to it.
    rig.settle();
    writer.write_all(b"f\n").unwrap();
    rig.poll();
    rig.expect(&["f"]);
    rig.reported(&["rename"]);
    drop(writer);
    rig.settle();
    rig.reported(&["closed"]);
    assert_eq!(rig.tail.descriptors, 1);
}

#[test]
fn case_08_gap_without_a_file() {
    let (mut rig, mut writer) = begun(&["app.log"]);
    rig.rename("app.log", "app.log.1");
    rig.poll();
    let status = rig.tail.status();
    assert_eq!((status[0].files, status[0].failing), (0, Some(FailureKind::NotFound)));
    writer.write_all(b"2\n").unwrap();
    rig.poll();
    rig.write("app.log", "3\n");
    rig.poll();
    rig.expect(&["2", "3"]);
    rig.reported(&["rename", "failed not_found"]);
    assert_eq!((rig.tail.status()[0].files, rig.tail.status()[0].failing), (1, None));
}

#[test]
fn case_09_several_rotations_within_one_poll() {
    for (patterns, before) in [(["app.log"], false), (["app.log*"], false), (["app.log"], true)] {
        let (mut rig, mut writer) = begun(&patterns);
        if before {
            // What was there before is not read.
            rig.write("app.log.1", "old\n");
            append(&rig.path("app.log.1")).set_modified(std::time::UNIX_EPOCH).unwrap();
            rig.rename("app.log.1", "app.log.9");
            rig.write("app.log", "more\n");
            rig.poll();
            rig.expect(&["more"]);
        }
        rig.write("app.log", "2\n");
        for n in 3..6 {
            for old in (1..n).rev().filter(|old| rig.path(&format!("app.log.{old}")).exists()) {
                rig.rename(&format!("app.log.{old}"), &format!("app.log.{}", old + 1));
            }
            rig.rename("app.log", "app.log.1");
            writer.write_all(format!("late {n}\n").as_bytes()).unwrap();
            writer = append(&rig.path("app.log"));
            rig.write("app.log", format!("{n}\n"));
        }
        rig.poll();
        rig.poll();
        let mut lines = std::mem::take(&mut rig.lines);
        lines.sort();
        assert_eq!(lines, ["2", "3", "4", "5", "late 3", "late 4", "late 5"]);
        assert!(!rig.report().iter().any(|word| word.contains("loss")));
    }
}

#[test]
fn a_rotation_after_a_gap_between_two_polls_is_found() {
    for patterns in [["app.log"], ["*.log"]] {
        let (mut rig, _) = begun(&patterns);
        rig.rename("app.log", "app.log.1");
        rig.poll();
        rig.write("app.log", "2\n");
        rig.rename("app.log", "app.log-20251110");
        rig.write("app.log", "3\n");
        rig.poll();
        rig.expect(&["2", "3"]);
    }
}

#[test]
fn siblings_that_are_older_or_copies_are_not_taken_for_rotated_files() {
    let mut rig = Rig::new(&["app.log"]);
    rig.write("app.log.7", "old, but touched\n");
    rig.tick();
    rig.write("app.log", "1\n2\n");
    rig.poll();
    rig.copy("app.log", "app.log.20251110");
    let later = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000);
    append(&rig.path("app.log.7")).set_modified(later).unwrap();
    rig.rename("app.log", "app.log.1");
    rig.write("app.log", "3\n");
    for _ in 0..3 {
        rig.poll();
    }
    rig.expect(&["1", "2", "3"]);
}

#[test]
fn a_generation_is_not_closed_before_everything_is_committed() {
    for end in ["2\n", "fragment"] {
        let (mut rig, _) = begun(&["app.log"]);
        rig.write("app.log", end);
        rig.remove("app.log");
        let file = rig.tail.generations.keys().next().copied().unwrap();
        for _ in 0..4 {
            rig.poll();
            rig.tail.committed(file, 2);
            rig.now += LONG;
        }
        assert!(!rig.report().iter().any(|word| word == "closed"));
        rig.tail.committed(file, 2 + end.len() as u64);
        rig.settle();
        rig.expect(&[if end.ends_with('\n') { "2" } else { "fragment~" }]);
        rig.reported(&["closed"]);
    }
}

#[test]
fn a_file_that_comes_back_after_it_was_closed_is_not_read_again() {
    let (mut rig, _) = begun(&["app.log"]);
    rig.rename("app.log", "app.log.1");
    rig.settle();
    rig.write("app.log", "2\n");
    rig.poll();
    rig.rename("app.log", "app.log.2");
    rig.settle();
    rig.write("app.log.1", "late\n");
    rig.rename("app.log.1", "app.log");
    rig.poll();
    rig.expect(&["2", "late"]);
}

#[test]
fn case_11_copytruncate_small_refill() {
    for patterns in [&["app.log"], &["app.log*"]] {
        let (mut rig, _) = begun(patterns);
        rig.write("app.log", "2\n3\n");
        rig.poll();
        rig.copy("app.log", "app.log.1");
        rig.truncate("app.log");
        rig.write("app.log", "4\n");
        rig.poll();
        rig.write("app.log", "5\n");
        rig.poll();
        rig.poll();
        rig.expect(&["2", "3", "4", "5"]);
        rig.reported(&["copytruncate", "loss copytruncate 6..?"]);
    }
}

#[test]
fn case_12_copytruncate_refilled_beyond_the_old_offset() {
    for patterns in [&["app.log"], &["app.log*"]] {
        let (mut rig, _) = begun(patterns);
        rig.copy("app.log", "app.log.1");
        rig.truncate("app.log");
        rig.write("app.log", "2\n3\n4\n5\n");
        rig.poll();
        rig.poll();
        rig.expect(&["2", "3", "4", "5"]);
        rig.reported(&["copytruncate", "loss copytruncate 2..?"]);
    }
}

#[test]
fn case_13_copytruncate_race() {
    for patterns in [&["app.log"], &["app.log*"]] {
        let (mut rig, _) = begun(patterns);
        rig.write("app.log", "only in the copy\n");
        rig.copy("app.log", "app.log.1");
        rig.write("app.log", "lost\n");
        rig.scan(Depth::Glob);
        rig.truncate("app.log");
        rig.write("app.log", "2\n");
        rig.poll();
        rig.poll();
        rig.expect(&["only in the copy", "2"]);
        rig.reported(&["copytruncate", "loss copytruncate 19..24"]);
    }
}

#[test]
fn a_copy_in_the_making_is_not_read_twice() {
    let (mut rig, _) = begun(&["app.log*"]);
    rig.write("app.log", "2\n3\n");
    rig.poll();
    for part in ["", "1\n2", "\n"] {
        rig.write("app.log.1", part);
        rig.poll();
    }
    rig.write("app.log", "4\n");
    rig.poll();
    // Its end is copied and the original cut off before the next look.
    rig.write("app.log.1", "3\n");
    rig.truncate("app.log");
    rig.write("app.log", "5\n");
    rig.poll();
    rig.poll();
    rig.expect(&["2", "3", "4", "5"]);
    // The copy has less than was read: nothing can be had from it, but it is a file of its own now.
    assert_eq!(rig.opened(), ["app.log@0", "app.log@0", "app.log.1@6"]);
    rig.reported(&["truncate", "loss truncate 8..?", "closed"]);
    rig.write("app.log.1", "its own\n");
    rig.poll();
    rig.expect(&["its own"]);
}

#[test]
fn case_14_truncated_under_a_writer_that_does_not_append() {
    let mut rig = Rig::new(&["app.log"]);
    let mut writer = File::create(rig.path("app.log")).unwrap();
    writer.write_all(&b"0123456789\n".repeat(9)).unwrap();
    rig.poll();
    assert_eq!(std::mem::take(&mut rig.lines).len(), 9);
    rig.truncate("app.log");
    writer.write_all(b"2\n3\n").unwrap();
    rig.poll();
    rig.expect(&["<nuls 99>", "2", "3"]);
    rig.reported(&["truncate", "loss truncate 99..?", "closed"]);
}

#[test]
fn case_15_same_first_line_in_the_old_and_the_new_file() {
    for header in ["time,event", &"column,".repeat(300)] {
        let mut rig = Rig::new(&["app.log"]);
        rig.write("app.log", format!("{header}\n1\n2\n"));
        rig.poll();
        rig.expect(&[header, "1", "2"]);
        rig.copy("app.log", "app.log.1");
        rig.truncate("app.log");
        rig.write("app.log", format!("{header}\n3\n4\n5\n"));
        rig.poll();
        rig.expect(&[header, "3", "4", "5"]);
        rig.rename("app.log", "app.log.2");
        rig.write("app.log", format!("{header}\n6\n"));
        rig.poll();
        rig.expect(&[header, "6"]);
    }
}

#[test]
fn case_16_deleted_and_created_again() {
    for patterns in [&["app.log"], &["*.log"]] {
        let (mut rig, _) = begun(patterns);
        rig.write("app.log", "2\n");
        rig.remove("app.log");
        rig.write("app.log", "a longer line\n");
        rig.poll();
        rig.expect(&["2", "a longer line"]);
        rig.settle();
        rig.reported(&["replace", "closed"]);
    }
}

/// With its descriptor closed nothing keeps the file system from giving its inode to another file.
#[test]
fn case_16_inode_used_again_while_the_descriptor_is_closed() {
    let limits = Limits { descriptors: 0, ..Limits::default() };
    let mut reused = 0;
    for _ in 0..10 {
        let mut rig = Rig::with(&["app.log"], limits);
        rig.write("app.log", "1\n");
        rig.poll();
        assert_eq!(rig.tail.descriptors, 0);
        let before = fs::metadata(rig.path("app.log")).unwrap().ino();
        rig.remove("app.log");
        rig.write("app.log", "a longer line\n");
        reused += u32::from(fs::metadata(rig.path("app.log")).unwrap().ino() == before);
        rig.poll();
        rig.expect(&["1", "a longer line"]);
        rig.reported(&["replace", "loss vanished 2..?", "closed"]);
    }
    assert!(0 < reused, "this file system does not use inodes again: the test shows nothing");
}

#[test]
fn case_18_deleted_while_the_writer_goes_on() {
    let mut rig = Rig::new(&["app.log"]);
    for round in 0..100 {
        let mut writer = append(&rig.path("app.log"));
        rig.poll();
        rig.remove("app.log");
        writer.write_all(b"1\n").unwrap();
        rig.poll();
        writer.write_all(b"2\n").unwrap();
        rig.poll();
        rig.expect(&["1", "2"]);
        drop(writer);
        if round % 10 == 9 {
            rig.settle();
            rig.poll();
            assert_eq!((rig.tail.descriptors, rig.tail.generations.len()), (0, 0));
        }
    }
    assert!(!rig.report().iter().any(|word| word.contains("loss")));
}

#[test]
fn case_20_symlink_switched_while_the_old_target_is_written() {
    let mut rig = Rig::new(&["current"]);
    rig.write("a.log", "1\n");
    let point_to = |rig: &Rig, name: &str| {
        std::os::unix::fs::symlink(rig.path(name), rig.path("next")).unwrap();
        rig.rename("next", "current");
    };
    point_to(&rig, "a.log");
    rig.poll();
    rig.write("a.log", "2\n");
    rig.write("b.log", "3\n");
    point_to(&rig, "b.log");
    rig.poll();
    rig.write("a.log", "4\n");
    rig.write("b.log", "5\n");
    rig.poll();
    rig.expect(&["1", "2", "3", "4", "5"]);
    rig.reported(&["rename"]);
}

#[test]
fn a_file_moved_within_the_glob_is_followed_with_its_descriptor_closed() {
    let limits = Limits { descriptors: 0, ..Limits::default() };
    for patterns in [["app.log*"], ["app.log"]] {
        let mut rig = Rig::with(&patterns, limits);
        rig.write("app.log", "1\n");
        rig.poll();
        rig.write("app.log", "2\n");
        rig.rename("app.log", "app.log.1");
        rig.write("app.log", "3\n");
        rig.poll();
        rig.write("app.log.1", "4\n");
        rig.poll();
        rig.expect(&["1", "2", "3", "4"]);
        rig.reported(&["rename"]);
    }
}

#[test]
fn content_cut_off_before_it_was_read_is_reported() {
    for (refill, want) in [("", vec![]), ("3\n", vec!["3"]), ("33333333\n", vec!["33333333"])] {
        let mut rig = Rig::new(&["app.log"]);
        rig.write("app.log", "1\n2\n");
        rig.scan(Depth::Glob);
        rig.truncate("app.log");
        rig.write("app.log", refill);
        rig.poll();
        rig.expect(&want);
        let report = rig.report();
        assert!(report.iter().any(|word| word.starts_with("loss truncate")), "{report:?}");
    }
}

#[test]
fn content_cut_off_between_a_scan_and_its_reads_is_not_mixed_up() {
    let (mut rig, _) = begun(&["app.log"]);
    rig.write("app.log", "2\n3\n");
    rig.scan(Depth::Glob);
    rig.truncate("app.log");
    rig.write("app.log", "a\nb\nc\nd\n");
    rig.read();
    rig.expect(&[]);
    rig.poll();
    rig.expect(&["a", "b", "c", "d"]);
    rig.reported(&["truncate", "loss truncate 2..6", "closed"]);
    // The same before anything was read.
    let mut rig = Rig::new(&["app.log"]);
    rig.write("app.log", "1\n");
    rig.scan(Depth::Glob);
    rig.truncate("app.log");
    rig.write("app.log", "2\n3\n");
    rig.read();
    rig.expect(&[]);
    rig.poll();
    rig.expect(&["2", "3"]);
    rig.reported(&["truncate", "loss truncate 0..2", "closed"]);
}

#[test]
fn what_is_cut_off_behind_the_place_read_to_is_reported_too() {
    let (mut rig, _) = begun(&["app.log"]);
    rig.write("app.log", "2\n3\n");
    rig.scan(Depth::Glob);
    OpenOptions::new().write(true).open(rig.path("app.log")).unwrap().set_len(4).unwrap();
    rig.poll();
    rig.write("app.log", "4\n");
    rig.poll();
    rig.expect(&["2", "4"]);
    rig.reported(&["truncate", "loss truncate 4..6"]);
}

#[test]
fn inode_used_again_by_a_file_that_was_renamed_at_once() {
    let limits = Limits { descriptors: 0, ..Limits::default() };
    for lines in ["2\n", "2\n3\n"] {
        let mut rig = Rig::with(&["app.log"], limits);
        rig.write("app.log", "1\n");
        rig.scan(Depth::Glob);
        rig.remove("app.log");
        rig.write("app.log", lines);
        rig.rename("app.log", "app.log.1");
        rig.scan(Depth::Stat);
        rig.read();
        rig.poll();
        rig.expect(&lines.lines().collect::<Vec<_>>());
    }
}

#[test]
fn inode_used_again_by_a_file_that_nobody_follows() {
    let limits = Limits { descriptors: 0, ..Limits::default() };
    let mut reused = 0;
    for _ in 0..10 {
        let mut rig = Rig::with(&["app.log"], limits);
        rig.write("app.log", "1\n");
        rig.poll();
        let before = fs::metadata(rig.path("app.log")).unwrap().ino();
        rig.remove("app.log");
        rig.write("other.txt", "not a log\n");
        reused += u32::from(fs::metadata(rig.path("other.txt")).unwrap().ino() == before);
        rig.poll();
        rig.expect(&["1"]);
        rig.reported(&["vanished", "loss vanished 2..?", "closed", "failed not_found"]);
    }
    assert!(0 < reused, "this file system does not use inodes again: the test shows nothing");
}

#[test]
fn case_12_a_copy_gets_the_inode_of_an_empty_file_that_went() {
    let limits = Limits { descriptors: 0, ..Limits::default() };
    let mut reused = 0;
    for _ in 0..10 {
        let mut rig = Rig::with(&["app.log*"], limits);
        rig.write("app.log", "1\n");
        rig.write("app.log.old", "");
        rig.poll();
        rig.expect(&["1"]);
        let before = fs::metadata(rig.path("app.log.old")).unwrap().ino();
        rig.remove("app.log.old");
        rig.write("app.log", "2\n");
        rig.copy("app.log", "app.log.1");
        reused += u32::from(fs::metadata(rig.path("app.log.1")).unwrap().ino() == before);
        rig.truncate("app.log");
        rig.write("app.log", "3\n4\n5\n");
        rig.poll();
        rig.poll();
        rig.expect(&["2", "3", "4", "5"]);
    }
    assert!(0 < reused, "this file system does not use inodes again: the test shows nothing");
}

#[test]
fn case_09_rotated_between_being_seen_and_being_opened() {
    let (mut rig, _) = begun(&["app.log"]);
    rig.rename("app.log", "app.log.1");
    rig.write("app.log", "2\n");
    let mut events = Vec::new();
    let found = rig.tail.look(&mut events);
    assert_eq!(found.len(), 1);
    rig.rename("app.log.1", "app.log.2");
    rig.rename("app.log", "app.log.1");
    rig.write("app.log", "3\n");
    assert!(rig.tail.open_found(found, false, &mut events), "another one is there");
    rig.poll();
    rig.expect(&["2", "3"]);
}

/// A caller may keep the last record back, as more of it may come: it is told when nothing will, and the file is closed
/// once all of it is stored.
#[test]
fn a_file_is_over_before_it_is_closed() {
    let mut rig = Rig::new(&["app.log"]);
    let mut writer = append(&rig.path("app.log"));
    writer.write_all(b"head\n  more\n").unwrap();
    rig.poll();
    let file = *rig.store.keys().next().unwrap();
    let keep_back = |rig: &mut Rig| rig.keep(file, 0);
    keep_back(&mut rig);
    rig.rename("app.log", "app.log.1");
    rig.write("app.log", "next\n");
    for _ in 0..3 {
        rig.now += LONG;
        rig.poll();
        keep_back(&mut rig);
        assert_eq!(rig.tail.ended().count(), 0, "it may still be written to");
    }
    writer.write_all(b"  last\n").unwrap();
    drop(writer);
    rig.poll();
    keep_back(&mut rig);
    rig.expect(&["head", "  more", "next", "  last"]);
    for _ in 0..3 {
        rig.now += LONG;
        rig.poll();
        keep_back(&mut rig);
    }
    assert_eq!(rig.tail.ended().collect::<Vec<_>>(), [file]);
    assert_eq!(rig.report(), ["rename"]);
    rig.keep(file, "head\n  more\n  last\n".len() as u64);
    rig.poll();
    assert_eq!(rig.tail.ended().count(), 0);
    assert_eq!(rig.report(), ["closed"]);
}
