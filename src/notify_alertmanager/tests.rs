//! Senders against an Alertmanager that fails in every way.

mod fake;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;

use super::*;
use crate::alerts::{Alert, Name};
use crate::config::{Alertmanager, PasswordFile, Peer, Scheme, Tls, Url};
use crate::ledger::chain::GENESIS;
use crate::run::Labels;
use fake::{Behaviour, Fake};

/// Longer than anything takes: only a failure waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

fn settings(port: u16) -> Alertmanager {
    let host = "127.0.0.1".to_owned();
    Alertmanager {
        peer: Arc::new(Peer {
            url: Url { scheme: Scheme::Http, host, port, prefix: "/am".into() },
            timeout: PATIENCE,
            tls: Tls::default(),
            basic_auth: None,
        }),
        resend: PATIENCE,
        resolve_delay: Duration::ZERO,
        external_labels: BTreeMap::from([("region".into(), "eu".into())]),
    }
}

fn peer_of(settings: &mut Alertmanager) -> &mut Peer {
    Arc::make_mut(&mut settings.peer)
}

/// A picture with one alert, or none.
fn picture(holds: bool) -> Picture {
    let [partner, service, procedure] = ["hostco", "atlas", "archive-compaction"].map(Arc::from);
    let key = (Name::Violation, Labels { partner, service, procedure });
    let alert = Alert {
        since: chrono::DateTime::UNIX_EPOCH,
        summary: "a".into(),
        description: "b\nc".into(),
    };
    Picture {
        alerts: holds.then_some((key, Arc::new(alert))).into_iter().collect(),
        height: 7,
        head: GENESIS,
        status_url: Some("https://offhours.example".into()),
        runbook_url: None,
    }
}

/// What one post to a fake that behaves so ends with.
async fn post_to(behaviour: Behaviour, edit: impl FnOnce(&mut Alertmanager)) -> Result<(), String> {
    let fake = Fake::start(vec![behaviour]).await;
    let mut settings = settings(fake.port);
    edit(&mut settings);
    let outcome = post::post(&settings, b"[]".to_vec()).await;
    outcome.map_err(|failure| failure.to_string())
}

#[tokio::test]
async fn every_failure_is_told_in_a_sentence() {
    use Behaviour::{Answer, Close, Endless, EndlessHead, Silent};
    let long = "x".repeat(70_000);
    for (behaviour, want) in [
        (Answer(200, ""), Ok(())),
        (Answer(202, "{\"status\":\"success\"}"), Ok(())),
        (
            Answer(500, "out of \u{1b}[31mmemory"),
            Err("answered 500 Internal Server Error: out of \\u{1b}[31mmemory"),
        ),
        (Answer(400, ""), Err("answered 400 Bad Request: ")),
        (Answer(302, ""), Err("answered 302 Found, and redirects are not followed")),
        (
            Answer(200, "<html>Log in</html>"),
            Err("answered 200 OK, but not as Alertmanager does: <html>Log in</html>"),
        ),
        (
            Answer(200, "{\"status\":\"error\"}"),
            Err("answered 200 OK, but not as Alertmanager does: {\"status\":\"error\"}"),
        ),
        (
            Answer(200, Box::leak(long.into_boxed_str())),
            Err("the answer is longer than 65536 bytes"),
        ),
        (Endless, Err("the answer is longer than 65536 bytes")),
        (EndlessHead, Err("the conversation broke off")),
        (Close, Err("the conversation broke off")),
    ] {
        let got = post_to(behaviour, |_| {}).await;
        match (&got, want) {
            (Ok(()), Ok(())) => {}
            (Err(got), Err(want)) if got.starts_with(want) => {}
            _ => panic!("{behaviour:?}: {got:?}, not {want:?}"),
        }
    }
    let brief = |s: &mut Alertmanager| peer_of(s).timeout = Duration::from_millis(20);
    assert_eq!(post_to(Silent, brief).await, Err("no answer within the timeout".into()));
}

#[tokio::test]
async fn nobody_listens() {
    let port = Fake::start(vec![]).await.into_port();
    let failure = post::post(&settings(port), vec![]).await.unwrap_err().to_string();
    assert!(failure.starts_with("no connection: "), "{failure}");
}

#[tokio::test]
async fn a_password_is_read_at_each_post_and_never_told() {
    let home = tempfile::tempdir().unwrap();
    let file: PathBuf = home.path().join("password");
    let fake = Fake::start(vec![Behaviour::Answer(401, "no"), Behaviour::Answer(200, "")]).await;
    let mut settings = settings(fake.port);
    let username = "offhours".into();
    peer_of(&mut settings).basic_auth =
        Some(PasswordFile { username, password_file: file.clone() });
    let settings = Arc::new(settings);
    let post = async || post::post(&settings, vec![]).await.map_err(|e| e.to_string());
    let missing = post().await.unwrap_err();
    assert!(missing.starts_with(&format!("{}: cannot be read", file.display())), "{missing}");
    std::fs::write(&file, "hunter2\n").unwrap();
    let refused = post().await.unwrap_err();
    assert_eq!(refused, "answered 401 Unauthorized: no");
    std::fs::write(&file, "better: one").unwrap();
    post().await.unwrap();
    let logins: Vec<_> = fake.received(2).await.into_iter().map(|r| r.login.unwrap()).collect();
    // By `printf offhours:hunter2 | base64`.
    assert_eq!(logins, ["Basic b2ZmaG91cnM6aHVudGVyMg==", "Basic b2ZmaG91cnM6YmV0dGVyOiBvbmU="]);
    assert!(!format!("{settings:?}").contains("better"));
}

#[tokio::test]
async fn an_encrypted_post_is_only_made_to_whom_is_trusted() {
    let home = tempfile::tempdir().unwrap();
    let pem = fake::certificates(home.path());
    for (ca, name, want) in [
        (Some("ca.pem"), Some("alertmanager.example"), None),
        (Some("ca.pem"), None, Some("no encrypted connection")),
        (Some("ca.pem"), Some("other.example"), Some("no encrypted connection")),
        (Some("other.pem"), Some("alertmanager.example"), Some("no encrypted connection")),
        (None, Some("alertmanager.example"), Some("no")),
        (Some("key.pem"), Some("alertmanager.example"), Some("certificate")),
        (Some("none.pem"), Some("alertmanager.example"), Some("cannot be read")),
    ] {
        let fake = Fake::encrypted(&pem, vec![Behaviour::Answer(200, "")]).await;
        let mut settings = settings(fake.port);
        peer_of(&mut settings).url.scheme = Scheme::Https;
        peer_of(&mut settings).tls.ca_file = ca.map(|name| home.path().join(name));
        peer_of(&mut settings).tls.server_name = name.map(str::to_owned);
        peer_of(&mut settings).tls.own =
            Some((home.path().join("own.pem"), home.path().join("key.pem")));
        let got = post::post(&settings, vec![]).await.map_err(|e| e.to_string());
        match (&got, want) {
            (Ok(()), None) => {}
            (Err(got), Some(want)) if got.contains(want) => {}
            _ => panic!("{ca:?} {name:?}: {got:?}, not {want:?}"),
        }
    }
}

/// A certificate as `openssl req -x509` makes one: its own authority, and trusted as such.
#[tokio::test]
async fn the_certificate_of_an_authority_is_told_in_plain_words() {
    let home = tempfile::tempdir().unwrap();
    fake::authority_as_server(home.path());
    let fake = Fake::encrypted(home.path(), vec![Behaviour::Answer(200, "")]).await;
    let mut settings = settings(fake.port);
    let peer = peer_of(&mut settings);
    peer.url.scheme = Scheme::Https;
    peer.tls.ca_file = Some(home.path().join("own.pem"));
    peer.tls.server_name = Some("alertmanager.example".into());
    let told = post::post(&settings, vec![]).await.unwrap_err().to_string();
    assert!(told.contains("make it one with basicConstraints=CA:FALSE"), "{told}");
}

fn senders() -> (Senders, Arc<[AtomicU64; 2]>) {
    let counts: Arc<[AtomicU64; 2]> = Arc::default();
    let counting = counts.clone();
    let count = move |accepted| {
        counting[usize::from(accepted)].fetch_add(1, Ordering::SeqCst);
    };
    let wait = Duration::from_millis(1);
    (Senders::new(Arc::new(count), Backoff { first: wait, longest: wait * 2 }), counts)
}

#[tokio::test]
async fn a_page_is_tried_until_it_is_taken_and_then_resolved() {
    use Behaviour::{Answer, Close};
    let answers = vec![Answer(500, ""), Close, Answer(302, ""), Answer(200, ""), Answer(200, "")];
    let fake = Fake::start(answers).await;
    let (mut senders, counts) = senders();
    senders.employ(&[settings(fake.port)]);
    senders.publish(picture(true));
    let posts = fake.received(4).await;
    let alert = |body: &Value| body[0].clone();
    let first = alert(&posts[0].body);
    for post in &posts {
        assert_eq!(post.path, "/am/api/v2/alerts");
        assert_eq!(alert(&post.body)["labels"], first["labels"]);
        assert_eq!(alert(&post.body)["startsAt"], "1970-01-01T00:00:00Z");
    }
    let labels = serde_json::json!({
        "alertname": "MaintenanceViolation", "severity": "critical", "partner": "hostco",
        "affected_service": "atlas", "procedure": "archive-compaction", "region": "eu",
    });
    assert_eq!(first["labels"], labels);
    assert_eq!(first["annotations"]["ledger_height"], "7");
    assert_eq!(first["generatorURL"], "https://offhours.example");
    let ends = |body: &Value| {
        let text = alert(body)["endsAt"].as_str().unwrap().to_owned();
        chrono::DateTime::parse_from_rfc3339(&text).unwrap().to_utc()
    };
    assert!(crate::clock::now() < ends(&posts[3].body), "it lasts");
    senders.publish(picture(false));
    let resolved = fake.received(1).await.remove(0);
    assert!(ends(&resolved.body) <= crate::clock::now(), "it is over");
    fake.until(|| counts[1].load(Ordering::SeqCst) == 2).await;
    assert_eq!(counts[0].load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_sender_that_has_ended_is_told() {
    let fake = Fake::start(vec![Behaviour::Answer(200, "")]).await;
    let backoff = Backoff { first: PATIENCE, longest: PATIENCE };
    let mut senders = Senders::new(Arc::new(|_| panic!("a mistake in the program")), backoff);
    senders.employ(&[settings(fake.port)]);
    assert_eq!(senders.ended(), None);
    senders.publish(picture(true));
    fake.until(|| senders.ended().is_some()).await;
    assert!(senders.ended().unwrap().contains(&fake.port.to_string()));
}

#[tokio::test]
async fn one_that_is_silent_holds_up_no_other() {
    let silent = Fake::start(vec![Behaviour::Silent]).await;
    let good = Fake::start(vec![Behaviour::Answer(200, "")]).await;
    let (mut senders, _) = senders();
    senders.employ(&[settings(silent.port), settings(good.port)]);
    senders.publish(picture(true));
    silent.received(1).await;
    good.received(1).await;
    for _ in 0..1_000 {
        senders.publish(picture(true));
    }
}

/// A picture with an alert for each of these procedures.
fn picture_of(procedures: impl IntoIterator<Item = String>) -> Picture {
    let one = picture(true);
    let ((name, labels), alert) = one.alerts.first_key_value().unwrap();
    let of = |procedure: String| Labels { procedure: procedure.into(), ..labels.clone() };
    let all = procedures.into_iter().map(|procedure| ((*name, of(procedure)), alert.clone()));
    Picture { alerts: all.collect(), ..one.clone() }
}

/// The procedures in a post.
fn procedures(post: &fake::Received) -> Vec<String> {
    let of = |alert: &Value| alert["labels"]["procedure"].as_str().unwrap().to_owned();
    post.body.as_array().unwrap().iter().map(of).collect()
}

/// A sender that waits longer than any test after a failure.
fn sender(fake: &Fake) -> Sender {
    let settings = settings(fake.port);
    let wait = PATIENCE * 100;
    Sender {
        roster: Roster::new(settings.resend, settings.resolve_delay),
        settings: Arc::new(settings),
        count: Arc::new(|_| ()),
        trouble: Trouble::new(Backoff { first: wait, longest: wait }),
    }
}

/// One round of a sender that is shown this picture.
async fn round(sender: &mut Sender, picture: &Picture) -> Option<Duration> {
    sender.roster.look(&picture.alerts, Moment::now());
    sender.post_what_is_due(picture).await
}

#[tokio::test]
async fn one_that_is_refused_holds_up_no_other() {
    let fake = Fake::start(vec![Behaviour::Particular(20, "p007"); 100]).await;
    let mut sender = sender(&fake);
    let all: Vec<String> = (0..150).map(|n| format!("p{n:03}")).collect();
    assert_eq!(
        round(&mut sender, &picture_of(all.clone())).await,
        None,
        "the next one goes at once"
    );
    let posts = fake.all();
    let taken = posts
        .iter()
        .map(procedures)
        .filter(|names| names.len() <= 20 && !names.contains(&"p007".to_owned()));
    let mut taken: Vec<String> = taken.flatten().collect();
    taken.sort();
    let good = |name: &&String| *name != "p007";
    assert_eq!(taken, all.iter().filter(good).cloned().collect::<Vec<_>>(), "each once");
    // Another violation does not wait, and the bad one is not tried with it.
    let more = all.iter().cloned().chain(["p999".to_owned()]);
    assert_eq!(round(&mut sender, &picture_of(more)).await, None);
    assert_eq!(fake.all().iter().map(procedures).collect::<Vec<_>>(), [["p999"]]);
}

#[tokio::test]
async fn what_only_had_to_be_divided_is_no_trouble() {
    let fake = Fake::start(vec![Behaviour::Particular(2, "none"); 100]).await;
    let mut sender = sender(&fake);
    let names = || ["a", "b", "c"].map(str::to_owned);
    assert_eq!(round(&mut sender, &picture_of(names())).await, None);
    assert_eq!(
        fake.all().iter().map(procedures).collect::<Vec<_>>(),
        [vec!["a", "b", "c"], vec!["a"], vec!["b", "c"]]
    );
    assert!(sender.trouble.since.is_none());
    assert!(sender.roster.due(Moment::now()).is_empty(), "all are known");
}

#[tokio::test]
async fn one_that_refuses_everything_is_left_alone() {
    let fake = Fake::start(vec![Behaviour::Answer(400, "bad"); 100]).await;
    let mut sender = sender(&fake);
    let all = picture_of((0..300).map(|n| format!("p{n:03}")));
    assert_eq!(round(&mut sender, &all).await, Some(PATIENCE * 100));
    assert_eq!(fake.all().len(), REFUSALS_PER_ROUND);
    // A few alerts wait each for itself, without a post meanwhile.
    let few = picture_of(["a", "b", "c"].map(str::to_owned));
    let mut sender = self::sender(&fake);
    assert_eq!(round(&mut sender, &few).await, None);
    assert_eq!(fake.all().len(), 5);
    assert!(Moment::now() + PATIENCE < sender.roster.next().unwrap());
    assert_eq!(round(&mut sender, &few).await, None);
    assert!(fake.all().is_empty());
}

#[tokio::test]
async fn other_settings_are_another_sender() {
    let first = Fake::start(vec![Behaviour::Answer(200, "")]).await;
    let second = Fake::start(vec![Behaviour::Answer(200, "")]).await;
    let (mut senders, _) = senders();
    senders.employ(&[settings(first.port)]);
    senders.publish(picture(true));
    first.received(1).await;
    senders.employ(&[settings(first.port), settings(second.port)]);
    second.received(1).await;
    assert!(first.is_quiet(), "it goes on with what it knows");
    senders.employ(&[]);
    assert!(senders.is_empty());
}
