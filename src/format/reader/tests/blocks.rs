//! Whole blocks: the search finds exactly the lines that pass one by one.

use super::*;
use proptest::prelude::*;

fn check(source: Source, block: &str, want: &[(usize, &str)]) {
    let reader = source.reader();
    let file = FileState::default();
    let found: Vec<(usize, &str)> = reader
        .candidates(block.as_bytes(), &file)
        .map(|(at, line)| (at, std::str::from_utf8(line).unwrap()))
        .collect();
    assert_eq!(found, want, "{block:?}");
}

#[test]
fn without_match_every_line_is_a_candidate() {
    check(logfmt(), "", &[]);
    check(logfmt(), "\n", &[(0, "")]);
    check(logfmt(), "a\n\nb\r\nc", &[(0, "a"), (2, ""), (3, "b"), (6, "c")]);
}

#[test]
fn with_match_only_lines_that_pass_are() {
    let block = "x\nmsg=task a=1\r\nnote=task\n\nmsg=\"task\"\nmsg=tasks\nmsg=change";
    let one = logfmt().matching(Some("msg"), &["task"]);
    check(one, block, &[(2, "msg=task a=1"), (27, "msg=\"task\"")]);
    let two = logfmt().matching(Some("msg"), &["task", "change"]);
    check(two, block, &[(2, "msg=task a=1"), (27, "msg=\"task\""), (48, "msg=change")]);
    let none = logfmt().matching(None, &["task", "="]);
    check(none, "task\nx\n=\ntask=task\n", &[(0, "task"), (7, "="), (9, "task=task")]);
    let empty = logfmt().matching(Some("msg"), &["", "task"]);
    check(empty, "msg=\nmsg=task\nmsg\nmsg=x\n", &[(0, "msg="), (5, "msg=task")]);
    let words: Vec<String> = (100..300).map(|n| format!("task{n}")).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let many = logfmt().matching(Some("msg"), &words);
    check(many, "x\nmsg=task99\nmsg=task200\nm=task200\n", &[(13, "msg=task200")]);
    check(logfmt().matching(Some("msg"), &["ta\nsk"]), "msg=ta\nsk\n", &[]);
    check(logfmt().matching(None, &["ta\nsk"]), "ta\nsk\nx\n", &[]);
}

#[test]
fn words_that_may_stand_escaped_are_found() {
    let json = json_source().matching(Some("msg"), &["Müll/Abfuhr \"heute\""]);
    let written = r#"{"msg":"M\u00fcll\/Abfuhr \"heute\""}"#;
    check(json.clone(), &format!("{{}}\n{written}\n"), &[(3, written)]);
    let short = json_source().matching(Some("msg"), &["ü"]);
    check(short, "{}\n{\"msg\":\"\\u00fc\"}\n", &[(3, "{\"msg\":\"\\u00fc\"}")]);
}

proptest! {
    /// The block search agrees with asking every line, and those with reading it.
    #[test]
    fn blocks_and_lines_agree(
        lines in prop::collection::vec(r#"(msg=|m=)?("?(task|change|tas|x)"? ?){0,3}\r?"#, 0..12),
        key in prop::option::of(prop::sample::select(vec!["msg", "m", "time"])),
        any in prop::sample::select(vec![&["task"][..], &["task", "change"], &["x", ""]]),
    ) {
        let reader = logfmt().matching(key, any).reader();
        let file = FileState::default();
        let block = lines.join("\n");
        let mut want = Vec::new();
        let mut at = 0;
        for line in block.split_inclusive('\n') {
            let bare = line.trim_end_matches('\n');
            if reader.passes(bare.as_bytes(), &file) {
                want.push((at, bare.strip_suffix('\r').unwrap_or(bare).as_bytes()));
            }
            let is_read = reader.read(bare.as_bytes(), &file, near()) != Reading::Ignored;
            let is_blank = bare.trim().is_empty();
            prop_assert_eq!(is_read || is_blank, reader.passes(bare.as_bytes(), &file) || is_blank);
            at += line.len();
        }
        let found: Vec<_> = reader.candidates(block.as_bytes(), &file).collect();
        prop_assert_eq!(found, want);
    }
}
