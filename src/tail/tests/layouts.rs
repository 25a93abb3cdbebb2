//! Logs as Kubernetes and multilog keep them, and rotated logs that were moved to another folder.

use std::os::unix::fs::symlink;

use super::*;

/// A pod's log, and the link that leads to it from the folder of all containers.
fn pod(patterns: &[&str]) -> Rig {
    let rig = Rig::new(patterns);
    fs::create_dir_all(rig.path("pods/shop_api_1/api")).unwrap();
    fs::create_dir_all(rig.path("containers")).unwrap();
    rig.write("pods/shop_api_1/api/0.log", "1 of 20251110\n");
    symlink(rig.path("pods/shop_api_1/api/0.log"), rig.path("containers/api.log")).unwrap();
    rig
}

#[test]
fn case_48_logs_of_pods_and_the_links_to_them() {
    let log = "pods/shop_api_1/api/0.log";
    for pattern in ["pods/*/*/*.log", "containers/*.log"] {
        for (is_stopped, is_packed) in [(false, false), (true, false), (true, true)] {
            let mut rig = pod(&[pattern]);
            rig.poll();
            rig.expect(&["1 of 20251110"]);
            if is_stopped {
                rig.stop();
            }
            for n in 2..4 {
                rig.write(log, format!("{n} of 20251110\n"));
                let rotated = format!("{log}.20251110-12000{n}");
                rig.rename(log, &rotated);
                if is_packed {
                    rig.tick();
                    rig.compress(&rotated);
                }
                rig.tick();
            }
            rig.write(log, "4 of 20251110\n");
            if is_stopped {
                rig.start();
            }
            rig.poll();
            rig.poll();
            rig.lines.sort();
            rig.expect(&["2 of 20251110", "3 of 20251110", "4 of 20251110"]);
            let report = rig.report();
            assert!(!report.iter().any(|word| word.contains("loss")), "{pattern} {report:?}");
        }
    }
}

#[test]
fn case_48_a_link_of_containers_leads_to_pods_and_nowhere_else() {
    let mut rig = pod(&["containers/*.log"]);
    rig.write("secret", "not for us\n");
    symlink(rig.path("secret"), rig.path("containers/other.log")).unwrap();
    rig.poll();
    rig.expect(&["1 of 20251110"]);
    rig.reported(&["failed outside"]);
}

#[test]
fn case_49_multilog_and_its_names() {
    for is_stopped in [false, true] {
        let mut rig = Rig::new(&["current"]);
        rig.write("current", "@4000000065c1f2a012345678 1\n");
        rig.poll();
        rig.expect(&["@4000000065c1f2a012345678 1"]);
        if is_stopped {
            rig.stop();
        }
        for n in 2..5 {
            rig.write("current", format!("{n}\n"));
            rig.tick();
            rig.rename("current", &format!("@4000000065c1f2a{n}12345678.{}", ["s", "u"][n % 2]));
            rig.tick();
        }
        rig.write("current", "5\n");
        if is_stopped {
            rig.start();
        }
        rig.poll();
        rig.poll();
        rig.lines.sort();
        rig.expect(&["2", "3", "4", "5"]);
        let report = rig.report();
        assert!(!report.iter().any(|word| word.contains("loss")), "{report:?}");
    }
}

/// A start with an archive.
fn start(rig: &mut Rig, archive: &str) {
    rig.start();
    let archive = format!("{}/{archive}", rig.root.display());
    rig.tail.look_also_in("hostco", &[archive]).unwrap();
}

#[test]
fn case_50_moved_to_another_folder_while_stopped() {
    for (archive, to) in [
        ("old", "old/app.log"),
        ("old/", "old/app.log.1"),
        ("*/done", "2025/done/app-20251110.log"),
        ("old/*.txt", "old/anything.txt"),
    ] {
        for is_packed in [false, true] {
            let mut rig = Rig::new(&["app.log"]);
            rig.write("app.log", "1 of 20251110\n");
            rig.poll();
            rig.lines.clear();
            rig.events.clear();
            rig.stop();
            rig.write("app.log", "2 of 20251110\n");
            fs::create_dir_all(rig.path(to).parent().unwrap()).unwrap();
            rig.rename("app.log", to);
            if is_packed && !to.ends_with(".txt") {
                rig.compress(to);
            }
            rig.write("app.log", "3 of 20251110\n");
            start(&mut rig, archive);
            rig.poll();
            rig.poll();
            rig.lines.sort();
            rig.expect(&["2 of 20251110", "3 of 20251110"]);
            let report = rig.report();
            assert!(!report.iter().any(|word| word.contains("loss")), "{to} {report:?}");
        }
    }
}

#[test]
fn case_50_several_were_moved_and_nothing_is_read_that_is_not_of_the_log() {
    let mut rig = Rig::new(&["app.log"]);
    fs::create_dir(rig.path("old")).unwrap();
    rig.write("old/app.log.9", "0 of 20251110\n");
    rig.tick();
    rig.write("app.log", "1 of 20251110\n");
    rig.poll();
    rig.lines.clear();
    rig.stop();
    for n in 2..4 {
        rig.write("app.log", format!("{n} of 20251110\n"));
        rig.rename("app.log", &format!("old/app.log.{n}"));
        rig.tick();
    }
    rig.write("old/other.log", "of another log\n");
    rig.write("app.log", "4 of 20251110\n");
    start(&mut rig, "old");
    rig.poll();
    rig.poll();
    rig.lines.sort();
    rig.expect(&["2 of 20251110", "3 of 20251110", "4 of 20251110"]);
}

/// While it is followed: nothing is lost, whether it is open or not.
#[test]
fn case_50_moved_to_another_folder_while_it_is_followed() {
    for descriptors in [512, 0] {
        let mut rig = Rig::with(&["app.log"], Limits { descriptors, ..Limits::default() });
        fs::create_dir(rig.path("old")).unwrap();
        start(&mut rig, "old");
        let mut writer = append(&rig.path("app.log"));
        writer.write_all(b"2025-11-10T22:00:00Z 1\n").unwrap();
        rig.poll();
        writer.write_all(b"2025-11-10T22:00:01Z 2\n").unwrap();
        rig.rename("app.log", "old/app.log.1");
        rig.write("app.log", "2025-11-10T22:00:02Z 3\n");
        rig.poll();
        writer.write_all(b"2025-11-10T22:00:03Z 4\n").unwrap();
        rig.poll();
        rig.lines.sort();
        rig.expect(&[
            "2025-11-10T22:00:00Z 1",
            "2025-11-10T22:00:01Z 2",
            "2025-11-10T22:00:02Z 3",
            "2025-11-10T22:00:03Z 4",
        ]);
        rig.settle();
        rig.expect(&[]);
        let report = rig.report();
        assert!(!report.iter().any(|word| word.contains("loss")), "{descriptors} {report:?}");
        assert!(report.contains(&"rename".into()), "{descriptors} {report:?}");
    }
}
