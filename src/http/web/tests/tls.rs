//! Real TLS clients over loopback sockets.

use super::support::{Caller, Papers, tls};
use crate::http::Limits;
use crate::http::tests::support::{SOON, get, lenient, soon};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{CipherSuite, NamedGroup};

#[tokio::test]
async fn what_is_said_over_tls_is_answered() {
    let papers = Papers::new();
    let server = papers.serve_tls("").await;
    for versions in [vec![&TLS12], vec![&TLS13]] {
        let caller = Caller { versions, ..Caller::default() };
        let reply = caller.ask(&papers, &server, &get("/metrics")).await.unwrap();
        assert_eq!((reply.status(), reply.text()), (200, "a_total 1\n"));
        reply.check_dress();
    }
    let h1 = Caller { protocols: vec!["h2", "http/1.1"], ..Caller::default() };
    assert_eq!(h1.ask(&papers, &server, &get("/")).await.unwrap().status(), 200);
    let h2 = Caller { protocols: vec!["h2"], ..Caller::default() };
    assert!(h2.ask(&papers, &server, &get("/")).await.is_err());
}

#[tokio::test]
async fn who_speaks_plainly_to_the_tls_port_is_told() {
    let papers = Papers::new();
    let server = papers.serve_tls("").await;
    let reply = server.get("/metrics").await;
    assert_eq!(reply.status(), 400, "{reply:?}");
    assert!(reply.text().contains("this port speaks TLS only"));
    reply.check_dress();
    let post = get("/-/reload").replace("GET", "POST");
    assert_eq!(server.ask(&post).await.status(), 400);
}

#[tokio::test]
async fn the_names_in_the_certificate_are_names_that_we_are_known_by() {
    let papers = Papers::new();
    let server = papers.serve_tls("").await;
    for (host, status) in [("served.example:11310", 200), ("evil.example:11310", 403)] {
        let request = format!("POST /-/reload HTTP/1.1\r\nHost: {host}\r\n\r\n");
        let reply = Caller::default().ask(&papers, &server, &request).await.unwrap();
        assert_eq!(reply.status(), status, "{host}");
    }
}

/// One row: with these keys, this client gets in or is cut.
async fn check(papers: &Papers, keys: &str, caller: Caller, is_in: bool) {
    let server = papers.serve_tls(keys).await;
    let reply = caller.ask(papers, &server, &get("/metrics")).await;
    let who = caller.identity;
    match is_in {
        true => assert_eq!(reply.unwrap().status(), 200, "{keys} {who:?}"),
        false => assert!(reply.is_err(), "{keys} {who:?}"),
    }
}

#[tokio::test]
async fn each_client_auth_type_asks_for_what_it_says() {
    let papers = Papers::new();
    // Nothing, a foreign certificate, one of our CA.
    for (auth, want) in [
        ("NoClientCert", [true, true, true]),
        ("RequestClientCert", [true, true, true]),
        ("RequireAnyClientCert", [false, true, true]),
        ("VerifyClientCertIfGiven; client_ca_file: ca.crt", [true, false, true]),
        ("RequireAndVerifyClientCert; client_ca_file: ca.crt", [false, false, true]),
    ] {
        let identities = [None, Some("foreign"), Some("other")];
        for versions in [vec![&TLS12], vec![&TLS13]] {
            for (identity, is_in) in identities.into_iter().zip(want) {
                let caller = Caller { identity, versions: versions.clone(), ..Caller::default() };
                check(&papers, &format!("client_auth_type: {auth}"), caller, is_in).await;
            }
        }
    }
}

#[tokio::test]
async fn a_certificate_must_bear_an_allowed_name() {
    let papers = Papers::new();
    let verified = "client_auth_type: RequireAndVerifyClientCert; client_ca_file: ca.crt";
    for (names, want) in [
        ("[prometheus.example]", [true, false]),
        ("[a.example, other.example]", [false, true]),
        ("[Prometheus.example, prometheus, .example]", [false, false]),
        ("[127.0.0.9]", [true, true]),
        ("[127.0.0.8]", [false, false]),
    ] {
        for (identity, is_in) in ["prometheus", "other"].into_iter().zip(want) {
            let keys = format!("{verified}; client_allowed_sans: {names}");
            check(&papers, &keys, Caller::with(identity), is_in).await;
        }
    }
}

#[tokio::test]
async fn versions_suites_and_curves_are_kept_to() {
    let papers = Papers::new();
    let old = || Caller { versions: vec![&TLS12], ..Caller::default() };
    let new = || Caller { versions: vec![&TLS13], ..Caller::default() };
    check(&papers, "min_version: TLS13", old(), false).await;
    check(&papers, "min_version: TLS13", new(), true).await;
    check(&papers, "max_version: TLS12", new(), false).await;
    check(&papers, "max_version: TLS12", old(), true).await;
    let suite = |suite: CipherSuite| {
        let mut caller = old();
        caller.provider.cipher_suites.retain(|own| own.suite() == suite);
        caller
    };
    let keys = "cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]";
    let (of_128, of_256) = (
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    );
    check(&papers, keys, suite(of_128), true).await;
    check(&papers, keys, suite(of_256), false).await;
    // Those of TLS 1.3 are always there.
    check(&papers, keys, new(), true).await;
    let curve = |name: NamedGroup| {
        let mut caller = Caller::default();
        caller.provider.kx_groups.retain(|own| own.name() == name);
        caller
    };
    check(&papers, "curve_preferences: [CurveP384]", curve(NamedGroup::secp384r1), true).await;
    check(&papers, "curve_preferences: [CurveP384]", curve(NamedGroup::X25519), false).await;
}

#[tokio::test]
async fn a_handshake_that_takes_too_long_is_cut() {
    let papers = Papers::new();
    let server = papers.serve(&tls(""), Limits { handshake: SOON, ..lenient() }).await;
    // Nothing, and the beginning of a record that announces more.
    for said in ["", "\u{16}\u{3}\u{1}\u{2}"] {
        let mut client = server.connect().await;
        client.send(said).await;
        assert_eq!(client.closed().await, 0, "{said:?}");
    }
    let reply = Caller::default().ask(&papers, &server, &get("/-/healthy")).await;
    assert_eq!(reply.unwrap().status(), 200);
}

#[tokio::test]
async fn who_has_not_shaken_hands_makes_room_and_keeps_nobody_from_stopping() {
    let papers = Papers::new();
    let mut server = papers.serve(&tls(""), Limits { connections: 1, ..lenient() }).await;
    let mut silent = server.connect().await;
    let reply = Caller::default().ask(&papers, &server, &get("/-/healthy")).await;
    assert_eq!(reply.unwrap().status(), 200);
    assert_eq!(silent.closed().await, 0);
    let mut silent = server.connect().await;
    server.stop.take();
    assert_eq!(silent.closed().await, 0);
    soon(server.task).await.unwrap().unwrap();
}
