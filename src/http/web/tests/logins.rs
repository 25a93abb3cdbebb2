//! Names, passwords, the rate and the headers, over loopback sockets.

use super::support::Papers;
use crate::http::Web;
use crate::http::tests::support::{Fake, Server, get, lenient, soon};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write as _;
use std::sync::atomic::Ordering;
use tokio::task::JoinSet;

/// A web configuration with one user, `ada`.
pub fn users(password: &str) -> String {
    format!("basic_auth_users:\n  ada: {}\n", bcrypt::hash(password, 4).unwrap())
}

pub fn with(path: &str, fields: &str) -> String {
    get(path).replace("\r\n\r\n", &format!("\r\n{fields}\r\n\r\n"))
}

pub fn login(path: &str, credentials: &str) -> String {
    with(path, &format!("Authorization: Basic {}", STANDARD.encode(credentials)))
}

#[tokio::test]
async fn every_page_asks_for_name_and_password() {
    let papers = Papers::new();
    let fake = Fake::default();
    let reloads = fake.reloads.clone();
    let server = papers.serve_fake(fake, &users("pass:word"), lenient()).await;
    for path in ["/", "/metrics", "/-/healthy", "/-/ready", "/api/v1/runs", "/nothing", "/-/reload"]
    {
        for request in [get(path), get(path).replace("GET", "POST"), login(path, "ada:wrong")] {
            let reply = server.ask(&request).await;
            assert_eq!(reply.status(), 401, "{request}");
            let asked = reply.field("www-authenticate");
            assert_eq!(asked, Some("Basic realm=\"offhours\", charset=\"UTF-8\""));
            reply.check_dress();
        }
    }
    assert_eq!(reloads.load(Ordering::SeqCst), 0);
    assert_eq!(server.ask(&login("/-/healthy", "ada:pass:word")).await.status(), 200);
    assert_eq!(server.ask(&login("/nothing", "ada:pass:word")).await.status(), 404);
    let reload = login("/-/reload", "ada:pass:word").replace("GET", "POST");
    assert_eq!(server.ask(&reload).await.status(), 200);
    let from_a_page = reload.replace("Host: a", "Host: a\r\nSec-Fetch-Site: cross-site");
    assert_eq!(server.ask(&from_a_page).await.status(), 403);
    assert_eq!(reloads.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn only_well_formed_credentials_open() {
    let papers = Papers::new();
    let server = papers.serve(&users("secret"), lenient()).await;
    let good = STANDARD.encode("ada:secret");
    for (fields, status) in [
        (format!("Authorization: Basic {good}"), 200),
        (format!("authorization: bAsIc  {good}"), 200),
        (format!("Authorization: Basic {good}\r\nAuthorization: Basic {good}"), 401),
        (format!("Authorization: Bearer {good}"), 401),
        (format!("Authorization: Basic{good}"), 401),
        (format!("Authorization: Basic {good}!"), 401),
        (format!("Authorization: Basic {}", STANDARD.encode("adasecret")), 401),
        (format!("Authorization: Basic {}", STANDARD.encode(b"\xff:secret")), 401),
        (format!("Authorization: Basic {}", STANDARD.encode(":")), 401),
        (format!("Authorization: Basic {}", STANDARD.encode("ADA:secret")), 401),
        (format!("Authorization: Basic {}", STANDARD.encode("eve:secret")), 401),
        ("Authorization: Basic".into(), 401),
        ("Authorization: Basic \u{e9}".into(), 401),
        ("Proxy-Authorization: Basic YTpi".into(), 401),
    ] {
        let reply = server.ask(&with("/metrics", &fields)).await;
        assert_eq!(reply.status(), status, "{fields}");
    }
    // Wrong and unknown are told in the same words.
    let wrong = server.ask(&login("/metrics", "ada:x")).await;
    let unknown = server.ask(&login("/metrics", "eve:x")).await;
    assert_eq!((wrong.head, wrong.body), (unknown.head, unknown.body));
}

#[tokio::test]
async fn a_scrape_does_not_wait_for_the_passwords_of_others() {
    let papers = Papers::new();
    papers.write("web.yml", &users("secret"));
    let web = Web::open(Some(&papers.path("web.yml"))).unwrap();
    let logins = web.logins.clone();
    let server = Server::guarded(Fake::default(), lenient(), web).await;
    let mut scraper = server.connect().await;
    assert_eq!(scraper.ask(&login("/metrics", "ada:secret")).await.status(), 200);
    // From here on no check comes to an end.
    let bench = logins.bench.clone().acquire_owned().await.unwrap();
    let mut attackers = JoinSet::new();
    for attacker in 0..40 {
        let mut client = server.connect().await;
        client.send(&login("/metrics", &format!("ada:{attacker}"))).await;
        attackers.spawn(async move { client.reply(false).await.status() });
    }
    for _ in 0..100 {
        assert_eq!(scraper.ask(&login("/metrics", "ada:secret")).await.status(), 200);
    }
    assert!(attackers.try_join_next().is_none());
    drop(bench);
    assert!(soon(attackers.join_all()).await.iter().all(|status| *status == 401));
    assert_eq!(scraper.ask(&login("/metrics", "ada:secret")).await.status(), 200);
}

#[tokio::test]
async fn the_rate_is_for_all_clients_together() {
    let papers = Papers::new();
    let server = papers.serve("rate_limit: { interval: 1h, burst: 3 }\n", lenient()).await;
    let mut got = String::new();
    for _ in 0..5 {
        write!(got, "{} ", server.get("/-/healthy").await.status()).unwrap();
    }
    assert_eq!(got, "200 200 200 429 429 ");
    server.get("/-/healthy").await.check_dress();
}

#[tokio::test]
async fn configured_headers_take_the_place_of_ours() {
    let papers = Papers::new();
    let text = "http_server_config:
  headers:
    Strict-Transport-Security: max-age=60
    X-Content-Type-Options: nosniff
    X-Frame-Options: sameorigin
    X-XSS-Protection: \"\"
    Content-Security-Policy: default-src 'self'
";
    let server: Server = papers.serve(text, lenient()).await;
    for path in ["/", "/metrics", "/nothing"] {
        let reply = server.get(path).await;
        for (name, want) in [
            ("strict-transport-security", Some("max-age=60")),
            ("x-content-type-options", Some("nosniff")),
            ("x-frame-options", Some("sameorigin")),
            ("x-xss-protection", None),
            ("content-security-policy", Some("default-src 'self'")),
            ("referrer-policy", Some("no-referrer")),
        ] {
            assert_eq!(reply.field(name), want, "{path} {name}");
        }
    }
}
