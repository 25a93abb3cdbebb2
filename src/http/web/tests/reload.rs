//! The files change while the server runs.

use super::logins::{login, users};
use super::support::{Caller, Papers, tls};
use crate::http::Web;
use crate::http::tests::support::{get, lenient};
use crate::metrics::WebView;
use std::sync::Arc;

#[tokio::test]
async fn another_password_is_asked_for_at_the_next_request() {
    let papers = Papers::new();
    let server = papers.serve(&users("first"), lenient()).await;
    let mut client = server.connect().await;
    let (first, second) = (login("/metrics", "ada:first"), login("/metrics", "ada:second"));
    for (text, want) in [
        (None, [200, 401]),
        (Some(users("second")), [401, 200]),
        // A file that is no good, then none, then one without users: half-written ones look so.
        (Some("basic_auth_users: hunter2\n".into()), [401, 200]),
        (Some(String::new()), [401, 200]),
        (Some("rate_limit: { interval: 1s, burst: 100 }\n".into()), [401, 200]),
        (Some(users("first")), [200, 401]),
    ] {
        if let Some(text) = &text {
            papers.write("web.yml", text);
        }
        for (request, status) in [&first, &second].into_iter().zip(want) {
            assert_eq!(client.ask(request).await.status(), status, "{text:?}");
        }
    }
}

#[tokio::test]
async fn another_certificate_is_shown_to_the_next_connection() {
    let papers = Papers::new();
    let server = papers.serve_tls("").await;
    let caller = Caller::default();
    let is_trusted = async || caller.ask(&papers, &server, &get("/")).await.is_ok();
    assert!(is_trusted().await);
    let good = papers.read("server.crt");
    papers.write("server.crt", &papers.read("expired.crt"));
    assert!(!is_trusted().await, "the client refuses a certificate that has ended");
    // A certificate that the key does not belong to is not taken.
    papers.write("server.crt", &good);
    assert!(is_trusted().await);
    papers.write("server.crt", &papers.read("other.crt"));
    assert!(is_trusted().await);
    // Nor is a change after which nothing would be encrypted.
    papers.write("web.yml", "");
    assert!(is_trusted().await);
    assert_eq!(server.get("/").await.status(), 400);
}

/// One row: what is in the file next, and whether it is taken.
async fn check(papers: &Papers, web: &Arc<Web>, text: &str, is_latest: bool) {
    papers.write("web.yml", text);
    web.rules().await;
    let view = web.view().unwrap();
    assert_eq!(view.is_latest, is_latest, "{text}");
    assert!(view.certificate_end.is_some(), "{text}");
}

#[tokio::test]
async fn no_change_takes_protection_away() {
    let papers = Papers::new();
    let verified = "client_auth_type: RequireAndVerifyClientCert; client_ca_file: ca.crt";
    let start = tls("");
    papers.write("web.yml", &start);
    let web = Arc::new(Web::open(Some(&papers.path("web.yml"))).unwrap());
    check(&papers, &web, &(tls(verified) + &users("a")), true).await;
    check(&papers, &web, &tls(verified), false).await;
    check(&papers, &web, &(tls("") + &users("a")), false).await;
    check(&papers, &web, &users("a"), false).await;
    check(&papers, &web, "tls_server_config: {", false).await;
    check(&papers, &web, &(tls(verified) + &users("b")), true).await;
    std::fs::remove_file(papers.path("web.yml")).unwrap();
    web.rules().await;
    assert!(!web.view().unwrap().is_latest);
    std::fs::remove_file(papers.path("ca.crt")).unwrap();
    check(&papers, &web, &(tls(verified) + &users("b")), false).await;
}

#[test]
fn the_view_tells_the_end_of_the_certificate() {
    let papers = Papers::new();
    assert_eq!(Web::open(None).unwrap().view(), None);
    papers.write("web.yml", &users("a"));
    let open = || Web::open(Some(&papers.path("web.yml"))).unwrap().view();
    assert_eq!(open(), Some(WebView { is_latest: true, certificate_end: None }));
    papers.write("web.yml", &tls("").replace("server.crt", "expired.crt"));
    let end = open().unwrap().certificate_end.unwrap();
    assert_eq!(crate::time::rfc3339(end), "2020-01-01T00:00:00Z");
}
