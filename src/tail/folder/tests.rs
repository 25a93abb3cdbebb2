//! A folder on disk, and what its scans hand out.

use super::*;

fn folder(home: &Path, marks: &[Mark]) -> Folder {
    let follow = Follow {
        source: "s".into(),
        patterns: vec![format!("{}/*.csv", home.display())],
        encoding: crate::format::Encoding::Auto,
    };
    let is_whole = |bytes: &[u8]| bytes.ends_with(b"\n");
    Folder::new(follow, marks.iter().cloned(), 100, is_whole).unwrap()
}

/// What one scan hands out, as `name=content`.
fn scan(folder: &mut Folder) -> (Vec<String>, Vec<Mark>, Vec<FailureKind>) {
    let mut events = Vec::new();
    let documents = folder.scan(&mut events);
    let told = |d: &Document| {
        let name = d.mark.path.file_name().unwrap().to_string_lossy().into_owned();
        format!("{name}={}", String::from_utf8_lossy(&d.bytes).trim_end())
    };
    let kind = |event: &TailEvent| match event {
        TailEvent::Failed { kind, .. } => *kind,
        other => panic!("{other:?}"),
    };
    let kinds = events.iter().map(kind).collect();
    let told = documents.iter().map(told).collect();
    (told, documents.into_iter().map(|d| d.mark).collect(), kinds)
}

#[test]
fn a_document_is_handed_out_once_for_each_content() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a.csv");
    let mut followed = folder(home.path(), &[]);
    assert_eq!(scan(&mut followed).0, [""; 0]);
    std::fs::write(&path, "one\n").unwrap();
    std::fs::write(home.path().join("b.txt"), "other\n").unwrap();
    let (told, marks, _) = scan(&mut followed);
    assert_eq!(told, ["a.csv=one"]);
    assert_eq!(scan(&mut followed).0, [""; 0]);
    assert_eq!(followed.status().files, 1);
    // Written again with the same content: nothing new, also for who starts anew.
    std::fs::write(&path, "").unwrap();
    std::fs::write(&path, "one\n").unwrap();
    assert_eq!(scan(&mut followed).0, [""; 0]);
    assert_eq!(scan(&mut folder(home.path(), &marks)).0, [""; 0]);
    std::fs::write(&path, "two\n").unwrap();
    assert_eq!(scan(&mut folder(home.path(), &marks)).0, ["a.csv=two"]);
    assert_eq!(scan(&mut followed).0, ["a.csv=two"]);
}

#[test]
fn what_seems_cut_off_waits_until_it_stays_the_same() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a.csv");
    let mut followed = folder(home.path(), &[]);
    std::fs::write(&path, "one\ntw").unwrap();
    assert_eq!(scan(&mut followed).0, [""; 0]);
    assert_eq!(followed.status().lag_bytes, 6);
    std::fs::write(&path, "one\ntwo, the en").unwrap();
    assert_eq!(scan(&mut followed).0, [""; 0]);
    assert_eq!(scan(&mut followed).0, ["a.csv=one\ntwo, the en"]);
    assert_eq!(followed.status().lag_bytes, 0);
}

#[test]
fn what_cannot_be_read_is_told_once() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a.csv");
    let mut followed = folder(home.path(), &[]);
    std::fs::write(&path, "x".repeat(101)).unwrap();
    assert_eq!(scan(&mut followed).2, [FailureKind::Io]);
    assert_eq!(followed.status().failing, Some(FailureKind::Io));
    assert!(scan(&mut followed).2.is_empty());
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    std::fs::remove_dir(&path).unwrap();
    std::fs::write(&path, "one\n").unwrap();
    assert_eq!(scan(&mut followed).0, ["a.csv=one"]);
    assert_eq!(followed.status().failing, None);
    followed.unreadable(&path);
    assert!(scan(&mut followed).0.is_empty());
    assert_eq!(followed.status().failing, Some(FailureKind::Unreadable));
}

#[test]
fn of_vanished_documents_the_newest_are_remembered() {
    let home = tempfile::tempdir().unwrap();
    let mut followed = folder(home.path(), &[]);
    followed.vanished_kept = 2;
    let path = |n: u64| home.path().join(format!("{n}.csv"));
    for n in 0..5 {
        std::fs::write(path(n), format!("{n}\n")).unwrap();
        let written = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000 - n);
        File::options().write(true).open(path(n)).unwrap().set_modified(written).unwrap();
    }
    assert_eq!(scan(&mut followed).0.len(), 5);
    for n in 1..5 {
        std::fs::remove_file(path(n)).unwrap();
    }
    assert_eq!(scan(&mut followed).0, [""; 0]);
    assert_eq!(followed.take_forgotten(), [path(4), path(3)]);
    assert_eq!(followed.known.len(), 3);
    std::fs::remove_file(path(0)).unwrap();
    assert_eq!(scan(&mut followed).0, [""; 0]);
    assert_eq!(followed.take_forgotten(), [path(2)]);
}
