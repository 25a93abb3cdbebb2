//! What each route answers.

use super::support::{Fake, Server, get, lenient};
use crate::http::{METRICS_TYPE, Problem};
use serde_json::json;
use std::io::Read;
use std::sync::atomic::Ordering;

/// One row: a request, the status, and a text that the head or the body contains.
async fn check(server: &Server, request: &str, status: u16, want: &str) {
    let reply = server.ask(request).await;
    assert_eq!(reply.status(), status, "{request:?} {reply:?}");
    reply.check_dress();
    let whole = format!("{}{}", reply.head, reply.text());
    assert!(whole.contains(want), "{request:?} without {want:?}: {whole}");
}

#[tokio::test]
async fn every_route_answers() {
    let server = Server::start(Fake::default(), lenient()).await;
    for (path, status, want) in [
        ("/", 200, "content-type: text/html; charset=utf-8"),
        ("/", 200, "<title>offhours</title>"),
        ("/metrics", 200, "a_total 1\n"),
        ("/metrics", 200, "content-type: text/plain; version=0.0.4; charset=utf-8\r\n"),
        ("/metrics?x=y", 200, "a_total 1\n"),
        ("http://a/metrics", 200, "a_total 1\n"),
        ("/-/healthy", 200, "healthy\n"),
        ("/-/ready", 200, "ready\n"),
        ("/api/v1/runs", 200, r#"{"limit":100,"partner":null,"since":null}"#),
        ("/api/v1/runs?partner=b%20c&limit=7", 200, r#"{"limit":7,"partner":"b c","since":null}"#),
        ("/api/v1/runs?since=90m", 200, r#""since":"90m""#),
        ("/api/v1/runs?verdict=perhaps", 400, r#"there is no verdict \"perhaps\""#),
        ("/api/v1/runs?colour=red", 400, "accepted are partner, verdict, since, limit"),
        ("/api/v1/runs?limit=1001", 400, "from 1 to 1000"),
        ("/api/v1/runs/a%2Fb", 200, r#"{"run_id":"a/b"}"#),
        ("/api/v1/runs/none", 404, r#"there is no run \"none\""#),
        ("/api/v1/runs/panic", 500, "broke off"),
        ("/api/v1/sources", 200, r#"["hostco-maintenance"]"#),
        ("/api/v1/sources", 200, "content-type: application/json\r\n"),
        ("/api/v1/windows", 200, r#"{"days":7,"from":null,"service":null}"#),
        (
            "/api/v1/windows?service=atlas&days=30",
            200,
            r#"{"days":30,"from":null,"service":"atlas"}"#,
        ),
        ("/api/v1/windows?from=2025-11-10T13:10:00+01:00", 200, "10T13:10:00+01:00"),
        ("/api/v1/windows?format=ics", 200, "content-type: text/calendar; charset=utf-8\r\n"),
        ("/api/v1/windows?format=ics", 200, "BEGIN:VCALENDAR\r\n"),
        ("/api/v1/windows?format=pdf", 400, "accepted are json, ics"),
        ("/api/v1/windows?days=371", 400, "from 1 to 370"),
        ("/api/v1/windows?limit=1", 400, "accepted are partner, service, from, days, format"),
        ("/nothing", 404, "no such page"),
        ("//metrics", 404, "no such page"),
        ("/%2e%2e/metrics", 404, "no such page"),
        ("/-/../metrics", 404, "no such page"),
        ("/api/v1/runs/%2e%2e", 404, "no such page"),
    ] {
        check(&server, &get(path), status, want).await;
    }
}

#[tokio::test]
async fn every_method_is_known_taken_or_refused() {
    let server = Server::start(Fake::default(), lenient()).await;
    for (line, status, want) in [
        ("POST /metrics", 405, "allow: GET, HEAD\r\n"),
        ("OPTIONS /", 405, "allow: GET, HEAD\r\n"),
        ("DELETE /api/v1/runs/a", 405, "allow: GET, HEAD\r\n"),
        ("GET /-/reload", 405, "allow: POST, PUT\r\n"),
        ("DELETE /-/reload", 405, "allow: POST, PUT\r\n"),
        ("TRACE /nothing", 404, "no such page"),
        ("OPTIONS *", 404, "no such page"),
        ("CONNECT a:1", 404, "no such page"),
        ("BREW /metrics", 501, "the method BREW is not known"),
        ("get /metrics", 501, "the method get is not known"),
        ("POST /-/reload", 200, "reloaded\n"),
        ("PUT /-/reload", 200, "reloaded\n"),
    ] {
        check(&server, &format!("{line} HTTP/1.1\r\nHost: a\r\n\r\n"), status, want).await;
    }
    let request = "GET /metrics HTTP/1.1\r\nHost: a\r\nX-HTTP-Method-Override: BREW\r\n\r\n";
    check(&server, request, 200, "a_total").await;
}

#[tokio::test]
async fn a_head_request_gets_the_head_of_the_answer() {
    let server = Server::start(Fake::default(), lenient()).await;
    let mut client = server.connect().await;
    for path in ["/metrics", "/", "/-/healthy", "/nothing", "/-/reload"] {
        let plain = client.ask(&get(path)).await;
        let head = client.ask(&get(path).replace("GET", "HEAD")).await;
        assert_eq!(head.status(), plain.status(), "{path}");
        for name in ["content-type", "content-length"] {
            assert_eq!(head.field(name), plain.field(name), "{path} {name}");
        }
        head.check_dress();
    }
}

#[tokio::test]
async fn the_exposition_is_packed_on_request() {
    let text = "a_total{x=\"y\"} 1\n".repeat(1000);
    let fake = Fake { metrics: Ok(text.clone()), ..Fake::default() };
    let server = Server::start(fake, lenient()).await;
    for (accepted, packed) in [
        ("Accept: */*", false),
        ("Accept-Encoding: gzip", true),
        ("Accept-Encoding: deflate, gzip;q=0.4", true),
        ("Accept-Encoding: gzip;q=0", false),
        ("Accept-Encoding: br", false),
        ("Accept: application/openmetrics-text;version=1.0.0,text/html;q=x", false),
    ] {
        let request = format!("GET /metrics HTTP/1.1\r\nHost: a\r\n{accepted}\r\n\r\n");
        let reply = server.ask(&request).await;
        reply.check_dress();
        assert_eq!(reply.field("content-type"), Some(METRICS_TYPE), "{accepted}");
        assert_eq!(reply.field("vary"), Some("accept-encoding"), "{accepted}");
        assert_eq!(reply.field("content-encoding"), packed.then_some("gzip"), "{accepted}");
        let mut body = String::new();
        if packed {
            let mut decoder = flate2::read::GzDecoder::new(reply.body.as_slice());
            decoder.read_to_string(&mut body).unwrap();
        } else {
            body.push_str(reply.text());
        }
        assert_eq!(body, text, "{accepted}");
    }
}

#[tokio::test]
async fn what_a_page_can_make_a_browser_get_puts_no_override_on_record() {
    let server = Server::start(Fake::default(), lenient()).await;
    let ask = |method: &str, query: &str, fields: &str| {
        format!("{method} /api/v1/may-start?{query} HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
    };
    let over = "partner=p&procedure=q&override_by=me&override_reason=why";
    for (method, query, fields, status, want) in [
        ("GET", "partner=p&procedure=q", "", 200, r#""partner":"p""#),
        ("GET", over, "", 400, "by POST only"),
        ("GET", "partner=p&override_by=me", "", 400, "by POST only"),
        ("GET", "partner=p&override_reason=why", "", 400, "by POST only"),
        ("POST", over, "", 200, r#""override_by":"me""#),
        ("POST", over, "Origin: http://evil.example\r\n", 403, "of other sites"),
        ("POST", over, "Content-Type: application/x-www-form-urlencoded\r\n", 415, "forms"),
        ("GET", "partner=p", "Sec-Fetch-Site: cross-site\r\n", 403, "of other sites"),
    ] {
        check(&server, &ask(method, query, fields), status, want).await;
    }
    // A page whose name points at us for a moment.
    let rebound = ask("GET", "partner=p", "").replace("Host: a", "Host: evil.example");
    check(&server, &rebound, 403, "--web.allowed-host").await;
    // Our own commands may call us by any name: no page can send this field.
    let command =
        ask("POST", over, "Sec-Offhours: command\r\n").replace("Host: a", "Host: evil.example");
    check(&server, &command, 200, r#""override_by":"me""#).await;
}

#[tokio::test]
async fn a_backend_that_is_not_ready_says_so() {
    let reason = "the first catch-up is not done";
    let fake = Fake {
        metrics: Err(Problem::unavailable(reason)),
        ready: Err(reason.to_owned()),
        reload: Err("offhours.yml:3:1: unknown key".to_owned()),
        ..Fake::default()
    };
    let server = Server::start(fake, lenient()).await;
    check(&server, &get("/metrics"), 503, reason).await;
    check(&server, &get("/-/ready"), 503, reason).await;
    check(&server, &get("/-/healthy"), 200, "healthy").await;
    let reload = get("/-/reload").replace("GET", "POST");
    check(&server, &reload, 500, "offhours.yml:3:1: unknown key").await;
    let problem = server.get("/metrics").await.json();
    let want = json!({
        "type": "about:blank", "title": "Service Unavailable", "status": 503, "detail": reason,
    });
    assert_eq!(problem, want);
}

#[tokio::test]
async fn a_web_page_cannot_make_a_browser_reload_us() {
    let fake = Fake::default();
    let reloads = fake.reloads.clone();
    let server = Server::start(fake, lenient()).await;
    for (fields, status) in [
        ("Origin: http://evil.example\r\n", 403),
        ("Origin: null\r\n", 403),
        ("Sec-Fetch-Site: cross-site\r\n", 403),
        ("Sec-Fetch-Site: same-site\r\n", 403),
        ("Sec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site\r\n", 403),
        ("Sec-Fetch-Site: same-origin\r\n", 200),
        ("sec-fetch-site: none\r\n", 200),
        ("Content-Type: application/x-www-form-urlencoded\r\n", 415),
        ("Content-Type: Multipart/Form-Data; boundary=x\r\n", 415),
        ("Content-Type: text/plain;charset=UTF-8\r\n", 415),
        ("Content-Type: application/json\r\n", 200),
        ("", 200),
    ] {
        let request = format!("POST /-/reload HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        let reply = server.ask(&request).await;
        assert_eq!(reply.status(), status, "{fields:?}");
        reply.check_dress();
    }
    assert_eq!(reloads.load(Ordering::SeqCst), 4);
    for (host, origin, status) in [
        ("127.0.0.1:11310", "", 200),
        ("[::1]", "", 200),
        ("localhost:11310", "", 200),
        ("a:11310", "Origin: http://a:11310\r\n", 200),
        ("a:11310", "Origin: http://a\r\n", 403),
        ("a", "Origin: http://a\r\nOrigin: http://evil.example\r\n", 403),
        ("a", "Origin: http://a\r\nSec-Fetch-Site: cross-site\r\n", 403),
        ("evil.example", "", 403),
        ("evil.example:11310", "Origin: http://evil.example:11310\r\n", 403),
        ("evil.example", "Sec-Fetch-Site: same-origin\r\n", 403),
        ("localhost.evil.example", "", 403),
        ("a b", "", 403),
    ] {
        for path in ["/-/reload", "/api/v1/may-start?partner=p"] {
            let request = format!("POST {path} HTTP/1.1\r\nHost: {host}\r\n{origin}\r\n");
            let reply = server.ask(&request).await;
            assert_eq!(reply.status(), status, "{request:?} {}", reply.text());
            reply.check_dress();
        }
    }
    let absolute = "POST http://evil.example/-/reload HTTP/1.1\r\nHost: a\r\n\r\n";
    check(&server, absolute, 403, "this offhours is not known as").await;
    check(&server, "POST /-/reload HTTP/1.0\r\n\r\n", 403, "under which name").await;
    assert_eq!(reloads.load(Ordering::SeqCst), 8);
    // Reading is free: a link from another page leads to ours.
    let request = "GET / HTTP/1.1\r\nHost: a\r\nSec-Fetch-Site: cross-site\r\n\r\n";
    check(&server, request, 200, "offhours").await;
}
