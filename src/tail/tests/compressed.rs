//! Rotated files that were compressed before they were read: known by what comes out of them.

use std::process::Command;

use super::*;

/// A rig that has read `1` and stopped; then somebody wrote `2`.
fn stopped(patterns: &[&str]) -> Rig {
    let mut rig = Rig::new(patterns);
    rig.write("app.log", "1\n");
    rig.poll();
    rig.expect(&["1"]);
    rig.stop();
    rig.events.clear();
    rig.write("app.log", "2\n");
    rig
}

#[track_caller]
fn check(rig: &mut Rig, lines: &[&str], report: &[&str]) {
    rig.start();
    (0..3).for_each(|_| rig.poll());
    rig.lines.sort();
    rig.expect(lines);
    rig.reported(report);
    // Nothing changes by stopping once more.
    rig.stop();
    rig.start();
    rig.poll();
    rig.expect(&[]);
}

#[test]
fn case_27_renamed_and_compressed_while_stopped() {
    for patterns in [["app.log"], ["app.log*"]] {
        for name in ["app.log.1", "app.log-20251110", "app-20251110.log"] {
            let mut rig = stopped(&patterns);
            rig.rename("app.log", name);
            rig.write("app.log", "3\n");
            rig.compress(name);
            check(&mut rig, &["2", "3"], &["rename", "closed"]);
            let packed = rig.path(&format!("{name}.gz"));
            assert!(rig.store.values().any(|checkpoint| checkpoint.path == packed));
        }
    }
}

#[test]
fn case_27_renamed_and_compressed_several_times_while_stopped() {
    for delayed in [false, true] {
        let mut rig = stopped(&["app.log"]);
        for n in 3..6 {
            for old in (1..n).rev() {
                for extension in ["", ".gz"] {
                    let name = |n| format!("app.log.{n}{extension}");
                    if rig.path(&name(old)).exists() {
                        rig.rename(&name(old), &name(old + 1));
                    }
                }
            }
            rig.rename("app.log", "app.log.1");
            rig.write("app.log", format!("{n}\n"));
            let packed = if delayed { "app.log.2" } else { "app.log.1" };
            if rig.path(packed).exists() {
                rig.compress(packed);
            }
        }
        rig.start();
        rig.poll();
        rig.poll();
        rig.lines.sort();
        rig.expect(&["2", "3", "4", "5"]);
        assert!(!rig.report().iter().any(|word| word.contains("loss")));
    }
}

#[test]
fn case_27_by_zstd_and_in_several_members() {
    for program in ["gzip", "zstd"] {
        let mut rig = stopped(&["app.log"]);
        rig.rename("app.log", "app.log.1");
        rig.write("app.log", "5\n");
        let pack = |rig: &Rig, name: &str| {
            let packed = Command::new(program).arg("-c").arg(rig.path(name)).output().unwrap();
            assert!(packed.status.success());
            let to = if program == "gzip" { "app.log.1.gz" } else { "app.log.1.zst" };
            rig.write(to, packed.stdout);
            rig.remove(name);
        };
        pack(&rig, "app.log.1");
        rig.write("more", "3\n4");
        pack(&rig, "more");
        check(&mut rig, &["2", "3", "4~", "5"], &["rename", "closed"]);
    }
}

#[test]
fn case_27_a_damaged_file_is_read_as_far_as_it_goes_and_reported() {
    let mut rig = stopped(&["app.log"]);
    let more: Vec<String> = (0..50_000).map(|n| format!("{n} {}", n * 31 % 7919)).collect();
    rig.write("app.log", more.join("\n") + "\n");
    rig.rename("app.log", "app.log.1");
    rig.write("app.log", "live\n");
    rig.compress("app.log.1");
    let packed = OpenOptions::new().write(true).open(rig.path("app.log.1.gz")).unwrap();
    let metadata = packed.metadata().unwrap();
    packed.set_len(metadata.len() / 2).unwrap();
    packed.set_modified(metadata.modified().unwrap()).unwrap();
    rig.start();
    rig.poll();
    let read = std::mem::take(&mut rig.lines);
    assert!(read.contains(&"live".to_string()) && read.contains(&"2".to_string()));
    assert!(100 < read.len() && read.len() < more.len());
    rig.reported(&["rename"]);
    rig.settle();
    let report = rig.report();
    assert_eq!(report[0], "failed damaged");
    assert!(report[1].starts_with("loss damaged "), "{report:?}");
    assert_eq!(report[2..], ["closed"]);
    assert_eq!(rig.tail.status()[0].failing, None, "the live file is not affected");
}

#[test]
fn a_file_that_is_still_being_compressed_is_waited_for() {
    let mut rig = stopped(&["app.log"]);
    rig.rename("app.log", "app.log.1");
    rig.write("app.log", "3\n");
    rig.compress("app.log.1");
    let whole = fs::read(rig.path("app.log.1.gz")).unwrap();
    fs::write(rig.path("app.log.1.gz"), &whole[..whole.len() - 6]).unwrap();
    rig.start();
    rig.poll();
    rig.tick();
    rig.write("app.log.1.gz", &whole[whole.len() - 6..]);
    rig.poll();
    rig.poll();
    rig.lines.sort();
    rig.expect(&["2", "3"]);
    rig.reported(&["rename", "closed"]);
}

#[test]
fn more_than_is_unpacked_is_reported() {
    let mut rig = stopped(&["app.log"]);
    rig.write("app.log", "2 and more\n".repeat(100_000));
    rig.rename("app.log", "app.log.1");
    rig.compress("app.log.1");
    rig.write("app.log", "live\n");
    rig.limits.unpacked_bytes = 300_000;
    rig.start();
    rig.poll();
    assert!(rig.lines.contains(&"live".into()));
    rig.lines.clear();
    rig.settle();
    let report = rig.report();
    assert!(report.contains(&"failed too_large".to_string()), "{report:?}");
    assert!(report.iter().any(|word| word.starts_with("loss too_large ")), "{report:?}");
}

#[test]
fn copied_cut_off_and_compressed_while_stopped() {
    let mut rig = stopped(&["app.log"]);
    rig.copy("app.log", "app.log.1");
    rig.tick();
    rig.truncate("app.log");
    rig.write("app.log", "3\n");
    rig.compress("app.log.1");
    check(&mut rig, &["2", "3"], &["copytruncate", "loss copytruncate 4..?", "closed"]);
}

#[test]
fn a_restart_goes_on_inside_a_compressed_file() {
    let mut rig = stopped(&["app.log"]);
    rig.write("app.log", "2b\n2c\n");
    rig.rename("app.log", "app.log.1");
    rig.compress("app.log.1");
    rig.start();
    rig.poll();
    rig.expect(&["2", "2b", "2c"]);
    let file = *rig.store.keys().next().unwrap();
    rig.keep(file, 4);
    for name in ["app.log.1.gz", "app.log.2.gz", "app.log.3.gz"] {
        if name != "app.log.1.gz" {
            rig.rename("app.log.1.gz", name);
        }
        rig.events.clear();
        rig.start();
        rig.poll();
        rig.expect(&["2b", "2c"]);
        assert_eq!(rig.opened(), [format!("{name}@4")]);
        rig.keep(file, 4);
        if name != "app.log.1.gz" {
            rig.rename(name, "app.log.1.gz");
        }
    }
}

/// What was read under its own name comes back compressed: while it is followed, later, and after a restart.
#[test]
fn what_was_read_is_not_read_again_when_it_is_compressed() {
    for patterns in [["app.log"], ["app.log*"]] {
        for limits in [Limits::default(), Limits { descriptors: 0, ..Limits::default() }] {
            let mut rig = Rig::with(&patterns, limits);
            rig.write("app.log", "0\n");
            for n in 1..5 {
                rig.poll();
                for old in (1..n).rev() {
                    let name = |n: i32| format!("app.log.{n}.gz");
                    rig.rename(&name(old), &name(old + 1));
                }
                rig.rename("app.log", "app.log.1");
                rig.write("app.log", format!("{n}\n"));
                if n == 2 {
                    rig.settle();
                }
                rig.compress("app.log.1");
                if n == 3 {
                    rig.stop();
                    rig.start();
                }
            }
            rig.poll();
            rig.settle();
            rig.lines.sort();
            rig.expect(&["0", "1", "2", "3", "4"]);
            let report = rig.report();
            // With its descriptor closed, whether it was cut off before it went cannot be told.
            let has_loss = report.iter().any(|word| word.contains("loss"));
            assert!(!has_loss || limits.descriptors == 0, "{report:?}");
        }
    }
}

#[test]
fn renamed_and_compressed_while_the_descriptor_is_closed() {
    let limits = Limits { descriptors: 0, ..Limits::default() };
    let mut rig = Rig::with(&["app.log"], limits);
    rig.write("app.log", "1\n");
    rig.poll();
    rig.write("app.log", "2\n");
    rig.rename("app.log", "app.log.1");
    rig.write("app.log", "3\n");
    rig.compress("app.log.1");
    rig.poll();
    rig.poll();
    rig.lines.sort();
    rig.expect(&["1", "2", "3"]);
    // It may have been copied, cut off and deleted.
    rig.reported(&["replace", "loss copytruncate 4..?", "closed"]);
}

#[test]
fn a_compressed_file_that_is_named_is_unpacked() {
    let mut rig = Rig::new(&["old.log.gz"]);
    rig.write("old.log", "1\n2\n");
    rig.compress("old.log");
    rig.poll();
    rig.poll();
    rig.expect(&["1", "2"]);
    rig.settle();
    rig.expect(&[]);
    rig.reported(&[]);
}

/// Looked at only when the compressed file is all that is left, or twice: it was rotated, once.
#[test]
fn case_27_a_rotation_is_counted_once_however_late_it_is_seen() {
    for (sees_the_rename, archive) in [(false, ""), (false, "old/"), (true, "old/")] {
        let mut rig = Rig::new(&["app.log"]);
        fs::create_dir(rig.path("old")).unwrap();
        let folder = [format!("{}/old", rig.root.display())];
        rig.tail.look_also_in("hostco", &folder).unwrap();
        rig.write("app.log", "1 of 20251110\n");
        rig.poll();
        rig.write("app.log", "2 of 20251110\n");
        let rotated = format!("{archive}app.log.1");
        rig.rename("app.log", &rotated);
        rig.write("app.log", "3 of 20251110\n");
        if sees_the_rename {
            rig.poll();
        }
        rig.compress(&rotated);
        rig.poll();
        rig.stop();
        rig.start();
        rig.tail.look_also_in("hostco", &folder).unwrap();
        rig.poll();
        rig.expect(&["1 of 20251110", "2 of 20251110", "3 of 20251110"]);
        let report = rig.report();
        let rotations = report.iter().filter(|word| *word != "closed");
        assert_eq!(rotations.collect::<Vec<_>>(), ["rename"], "{sees_the_rename} {archive}");
    }
}
