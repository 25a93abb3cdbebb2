//! What is found in an object, where a broken one is broken, and serde_json as a second opinion.

use proptest::prelude::*;

use super::*;
use crate::format::tests::scanned;

const KEYS: &[&str] = &["a", "b", "a.b", "x.y.z"];

fn check(line: &str, want: &[(&str, &str)]) {
    let found = scanned(KEYS, |keys, put| scan(line, keys, put));
    let want = want.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    assert_eq!(found, Ok(want), "{line}");
}

fn check_fault(line: &str, column: usize, detail: &str) {
    let fault = scanned(KEYS, |keys, put| scan(line, keys, put)).unwrap_err();
    assert_eq!((fault.at, fault.detail), (Some(column - 1), detail), "{line}");
}

#[test]
fn wanted_values_are_found() {
    check("{}", &[]);
    check(r#" { "a" : "x" , "q":1 } "#, &[("a", "x")]);
    check(r#"{"a":1,"b":-1.50e3}"#, &[("a", "1"), ("b", "-1.50e3")]);
    check(r#"{"a":true,"b":null}"#, &[("a", "true"), ("b", "null!")]);
    check(r#"{"a":"null","b":""}"#, &[("a", "null"), ("b", "")]);
    check(r#"{"a":"say \"hi\" \u00fc"}"#, &[("a", "say \"hi\" ü")]);
    check(r#"{"\u0061":"x"}"#, &[("a", "x")]);
    check(r#"{"a":"first","a":"last"}"#, &[("a", "last")]);
    check(r#"{"a":"first","a":null}"#, &[("a", "null!")]);
    check("{\"a\":\"raw\ttab\"}", &[("a", "raw\ttab")]);
}

#[test]
fn nested_keys_are_found_by_their_path() {
    check(r#"{"a":{"b":"x"}}"#, &[("a", "unfit!"), ("a.b", "x")]);
    check(r#"{"a.b":"x"}"#, &[("a.b", "x")]);
    check(r#"{"a.b":"x","a":{"b":"y"}}"#, &[("a", "unfit!"), ("a.b", "y")]);
    check(r#"{"x":{"y":{"z":1,"b":2}},"b":3}"#, &[("x.y.z", "1"), ("b", "3")]);
    check(r#"{"x":{"y.z":1}}"#, &[("x.y.z", "1")]);
    check(r#"{"x.y":{"z":1}}"#, &[("x.y.z", "1")]);
    check(r#"{"x":{"y":{"z":{"z":1}}}}"#, &[("x.y.z", "unfit!")]);
    check(r#"{"q":{"a":1,"a.b":2}}"#, &[]);
    check(r#"{"x":[{"y":{"z":1}}]}"#, &[]);
}

#[test]
fn arrays_of_texts_are_lists() {
    check(r#"{"a":["x", 1, true, null, "y"]}"#, &[("a", "[x|1|true|y]")]);
    check(r#"{"a":[]}"#, &[("a", "[]")]);
    check(r#"{"a":[["x"]]}"#, &[("a", "unfit!")]);
    check(r#"{"a":["x",{"b":1}]}"#, &[("a", "unfit!")]);
    let texts = |n: usize| format!(r#"{{"a":[{}]}}"#, vec!["1"; n].join(","));
    check(&texts(65), &[("a", "unfit!")]);
    check(&texts(1000), &[("a", "unfit!")]);
    check(&texts(64), &[("a", &format!("[{}]", ["1"; 64].join("|")))]);
}

#[test]
fn broken_lines_say_where_and_why() {
    check_fault("", 1, "expected a json object");
    check_fault("[]", 1, "expected a json object");
    check_fault("x {}", 1, "expected a json object");
    check_fault("{} x", 4, "expected nothing behind the json object");
    check_fault(r#"{"a":1}}"#, 8, "expected nothing behind the json object");
    check_fault("{a:1}", 2, "expected a key in quotes");
    check_fault(r#"{"a":1,}"#, 8, "expected a key in quotes");
    check_fault(r#"{"a" 1}"#, 6, "expected a colon");
    check_fault(r#"{"a":1 "b":2}"#, 8, "expected a comma or a closing brace");
    check_fault(r#"{"a":[1 2]}"#, 9, "expected a comma or a closing bracket");
    check_fault(r#"{"a":"x"#, 6, "the string that starts here does not end");
    check_fault(r#"{"a":"x\"#, 8, "no such escape in json");
    check_fault(r#"{"q":"\x41"}"#, 7, "no such escape in json");
    check_fault(r#"{"q":"\u00g0"}"#, 7, "no such escape in json");
    for value in ["", "tru", "nul", "01", "1.", ".5", "+1", "1e", "-", "NaN", "0x1", "'x'"] {
        check_fault(&format!(r#"{{"a":{value}}}"#), 6, "expected a json value");
    }
    let deep = format!(r#"{{"q":{}"#, "[".repeat(100));
    check_fault(&deep, 5 + DEPTH_MAX, "nested too deeply");
    let deep = r#"{"q":"#.repeat(100);
    check_fault(&deep, 1 + 5 * DEPTH_MAX, "nested too deeply");
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::btree_map("[abxyz.]{1,3}", inner, 0..6)
                .prop_map(|m| serde_json::Value::Object(m.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_serde_json_writes_is_read(a in any::<String>(), q in any_json(), b in any::<f64>()) {
        let line = serde_json::json!({"a": a, "q": q, "b": b}).to_string();
        let found = scanned(KEYS, |keys, put| scan(&line, keys, put)).unwrap();
        prop_assert_eq!(&found["a"], &a);
        if b.is_finite() {
            prop_assert_eq!(found["b"].parse::<f64>().unwrap(), b);
        }
    }

    /// Mutated lines are accepted exactly when serde_json accepts them.
    #[test]
    fn the_grammar_is_that_of_serde_json(
        q in any_json(),
        at in any::<prop::sample::Index>(),
        with in r#"[\[\]{}",:\\0-9eE+.truefalsn -]{0,3}"#,
    ) {
        let line = serde_json::json!({"q": q, "z": 1}).to_string();
        let border = line.floor_char_boundary(at.index(line.len()));
        let after = line.floor_char_boundary(border + 1);
        let line = format!("{}{with}{}", &line[..border], &line[after..]);
        let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&line).is_ok()
            && line.trim_start().starts_with('{');
        let ours = scanned(KEYS, |keys, put| scan(&line, keys, put)).is_ok();
        prop_assert_eq!(ours, theirs, "{}", line);
    }
}
