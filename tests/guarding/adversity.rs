//! Guards and questions in a hostile place: full disks, readers that went away, slips in scripts, peers that hang.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};

use super::{Place, UNTIL_GONE};
use crate::support::{eventually, program, text};

const OVER: [&str; 5] = ["--override", "--by", "on-call", "--reason=INC-1", "--for=5m"];

fn full() -> File {
    File::options().write(true).open("/dev/full").expect("a full disk")
}

#[test]
fn nobody_has_to_read_standard_error() {
    let place = Place::new();
    for (procedure, options, shell, code) in [
        ("never", &[][..], "touch ran", 121),
        ("never", &OVER[..], "exit 3", 3),
        ("always", &["--run-id="][..], "touch ran", 2),
        ("always", &["--url", "http://127.0.0.1:1"][..], "touch ran", 122),
        ("always", &["--url", "http://127.0.0.1:1", "--if-unreachable=start"][..], "exit 4", 4),
    ] {
        let mut guard = place.guard(procedure, options, shell);
        let status = guard.stderr(full()).status().expect("the guard starts");
        assert_eq!(status.code(), Some(code), "{options:?}");
    }
    assert!(!place.home.path().join("ran").exists());
    assert_eq!(place.written().matches("event=failed").count(), 2, "{}", place.written());
}

#[test]
fn a_log_that_may_not_grow_starts_nothing_and_loses_no_exit_code() {
    let place = Place::new();
    let log = |name: &str, bytes: usize| {
        std::fs::write(place.home.path().join(name), "\n".repeat(bytes)).expect("a log");
    };
    // Blocks of 512 bytes for some shells, of 1024 for others: a file of 4 MiB is beyond the limit for both.
    let limited = |name: &str, shell: &str| {
        let guard = place.guard_into(name, "always", &[], shell);
        let mut limited = Command::new("sh");
        limited.current_dir(place.home.path()).stdin(Stdio::null());
        limited.args(["-c", "ulimit -f 16; exec \"$0\" \"$@\""]);
        limited.arg(guard.get_program()).args(guard.get_args());
        limited.output().expect("a shell")
    };
    log("full.log", 4 << 20);
    let output = limited("full.log", "touch ran");
    assert_eq!(output.status.code(), Some(125), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("full.log: "), "{}", text(&output.stderr));
    assert!(!place.home.path().join("ran").exists());

    log("filling.log", 0);
    let fill = "head -c 4194304 /dev/zero > big; cp big filling.log; exit 5";
    let output = limited("filling.log", fill);
    assert_eq!(output.status.code(), Some(5), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("filling.log: "), "{}", text(&output.stderr));
}

#[test]
fn what_could_not_be_read_in_a_line_is_not_started() {
    let place = Place::new();
    let (long, longer) = ("x".repeat(513), format!("--reason={}", "x".repeat(4_097)));
    for options in [
        &["--run-id", ""][..],
        &["--run-id", " "],
        &["--run-id", &long],
        &["--change", ""],
        &["--service", ""],
        &["--override", "--by", " ", "--reason", "INC-1"],
        &["--override", "--by", "me", &longer],
    ] {
        place.check("always", options, "touch ran", (2, "accepted are 1 to ", &[]));
    }
    let phase = |name: &str| {
        let mut phase = program();
        phase.env("OFFHOURS_GUARD_LOG", place.log()).env("OFFHOURS_GUARD_RUN", "r");
        phase.args(["phase", name]).output().expect("the program starts").status.code()
    };
    assert_eq!((phase(" "), phase("copy")), (Some(2), Some(0)));
    assert!(!place.home.path().join("ran").exists());
}

#[test]
fn the_examples_of_the_help_are_understood() {
    let help = program().args(["guard", "--help"]).output().expect("the program starts");
    assert!(text(&help.stdout).contains("guard --wait=8h --for 2h"), "{}", text(&help.stdout));
    let place = Place::new();
    place.check("always", &["--wait=8h", "--for", "2h"], "true", (0, "", &["started", "finished"]));
}

#[test]
fn names_are_read_as_in_a_line() {
    let place = Place::new();
    place.check(" always ", &["--run-id= a "], "true", (0, "", &["started", "finished"]));
    eventually("it is read", || place.runs().len() == 1);
    let run = &place.runs()[0];
    assert_eq!((&run["run_id"], &run["procedure"]), (&"a".into(), &"always".into()));
    assert_eq!(run["irregular_start"], serde_json::Value::Null);
    let (_, answer) = place.ask("partner=+northhost&procedure=+always+&service=orion%20");
    assert_eq!((&answer["may_start"], &answer["service"]), (&true.into(), &"orion".into()));
    let (status, answer) = place.ask("partner=northhost&procedure=always&change=+");
    assert_eq!(status, 400);
    assert!(answer["detail"].as_str().expect("a text").contains("change has no value"), "{answer}");
}

#[test]
fn of_several_questions_the_last_counts_also_when_it_was_asked_before() {
    let place = Place::new();
    let asks = |options: &str, answer: bool| {
        let query = format!("partner=northhost&procedure=always&{options}");
        assert_eq!(place.ask(&query).1["may_start"], answer, "{options}");
    };
    let starts = |id: &str| {
        let now = "date -u +%FT%TZ";
        let line =
            format!("printf 'time=%s event=started procedure=always run_id={id}\\n' $({now})");
        let shell = format!("{line} >> {}", place.log().display());
        assert!(Command::new("sh").args(["-c", &shell]).status().expect("a shell").success());
        let of = |id: &str| place.runs().into_iter().find(|run| run["run_id"] == *id);
        eventually("it is read", || of(id).is_some());
        of(id).expect("the run")["irregular_start"].clone()
    };
    // Given up as lost before it ends: then it may not.
    asks("for=5m", true);
    asks("for=400d", false);
    asks("for=5m", true);
    asks("for=5m", true);
    assert_eq!(starts("yes"), serde_json::Value::Null);
    asks("for=400d", false);
    asks("for=5m", true);
    asks("for=400d", false);
    assert_eq!(starts("no"), "started_after_no");
}

#[test]
fn a_peer_that_hangs_holds_nobody_up() {
    let place = Place::new();
    let socket = place.home.path().join("data/control.sock");
    let hang = |_| {
        let mut stream = UnixStream::connect(&socket).expect("the socket");
        stream.write_all(b"{\"may_start\":").expect("half a line");
        stream
    };
    let hanging: Vec<UnixStream> = (0..20).map(hang).collect();
    place.check("always", &[], "true", (0, "", &["started", "finished"]));
    drop(hanging);
}

#[test]
fn what_cannot_be_put_on_record_is_not_answered() {
    let place = Place::new();
    let limit = |limit| prlimit(Some(place.server.pid()), Resource::Fsize, limit).expect("a limit");
    let free = limit(Rlimit { current: Some(0), maximum: None });
    place.check("always", &[], "touch ran", (122, "cannot be put on record", &[]));
    assert_eq!(place.ask("partner=northhost&procedure=always").0, 503);
    let open = ["--if-unreachable=start", "--run-id=open"];
    let events = &["started", "phase", "finished"];
    place.check("always", &open, "true", (0, "started without an answer", events));
    // Now there are lines as well that cannot be stored: whoever asked before they were read does not wait for that.
    place.check("always", &[], "touch ran", (122, "cannot be written now, try", &[]));
    limit(free);
    eventually("the lines are stored", || place.runs().len() == 1);
    place.check("always", &[], "true", (0, "", &["started", "finished"]));
    assert!(!place.home.path().join("ran").exists());
    eventually("it is on record", || place.runs().len() == 2);
    let marks = || place.runs().into_iter().map(|mut run| run["irregular_start"].take());
    assert_eq!(marks().collect::<Vec<_>>(), [serde_json::Value::Null, "not_asked".into()]);
}

#[test]
fn questions_to_a_ledger_that_nobody_serves_wait_for_each_other() {
    let Place { home, server } = Place::new();
    assert!(server.stop().success());
    let ask = |_| {
        let mut ask = program();
        ask.current_dir(home.path()).args(["may-start", "--storage.path", "data"]);
        ask.args(["--partner", "northhost", "--procedure", "always"]).stdout(Stdio::null());
        ask.stderr(Stdio::piped()).spawn().expect("the program starts")
    };
    let asking: Vec<Child> = (0..8).map(ask).collect();
    for one in asking {
        let output = one.wait_with_output().expect("an end");
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
}

/// A guard in the foreground of a terminal, its input a file. The command has left the terminal, so that it hears only
/// what the guard passes on.
#[test]
fn an_interrupt_from_the_keyboard_is_not_passed_on() {
    let place = Place::new();
    let file = |name: &str| place.home.path().join(name);
    let content = |name: &str| std::fs::read_to_string(file(name)).unwrap_or_default();
    let hears = "for s in INT USR1; do trap \"echo $s >> heard\" $s; done; echo $PPID > guard.pid";
    let guard = place.guard("always", &[], &format!("{hears}; {UNTIL_GONE}"));
    let quote = |word: &str| format!("'{}'", word.replace('\'', "'\\''"));
    let words = std::iter::once(guard.get_program()).chain(guard.get_args());
    let line: Vec<String> = words.map(|word| quote(word.to_str().expect("text"))).collect();
    let line = line.join(" ").replace("'--' ", "'--' 'setsid' ");
    let mut terminal = Command::new("script");
    terminal.current_dir(place.home.path()).args(["-qec", &format!("exec {line} < /dev/null")]);
    terminal.arg("/dev/null").stdin(Stdio::piped()).stderr(Stdio::null());
    terminal.stdout(File::create(file("screen")).expect("a file"));
    let mut terminal = terminal.spawn().expect("script(1)");
    eventually("it has begun", || file("begun").exists());
    let mut keyboard = terminal.stdin.take().expect("a pipe");
    keyboard.write_all(b"\x03").expect("a key");
    // The terminal shows the key when everybody in the foreground has been told.
    eventually("the key is shown", || content("screen").contains("^C"));
    let guard: i32 = content("guard.pid").trim().parse().expect("a number");
    kill_process(Pid::from_raw(guard).expect("a process"), Signal::USR1).expect("a signal");
    eventually("the signal is heard", || content("heard").contains("USR1"));
    assert_eq!(content("heard"), "USR1\n");
    std::fs::remove_file(file("begun")).expect("it is there");
    terminal.wait().expect("an end");
}
