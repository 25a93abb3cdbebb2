//! What Prometheus saw is held against the ledger.

use super::*;
use crate::ledger::chain::GENESIS;

fn series(instance: &str, name: &str, values: &[(i64, u64)]) -> Series {
    let values: Vec<_> = values.iter().map(|(at, n)| (*at, n.to_string())).collect();
    let metric = serde_json::json!({ "__name__": name, "instance": instance });
    serde_json::from_value(serde_json::json!({ "metric": metric, "values": values })).unwrap()
}

#[test]
fn heights_and_heads_of_one_moment_belong_together() {
    let heights = [series("a", "h", &[(1, 5), (2, 6), (3, 7)]), series("b", "h", &[(1, 1)])];
    let heads = [series("b", "d", &[(2, 9)]), series("a", "d", &[(1, 50), (3, 70)])];
    let found: Vec<(u64, u64)> =
        sightings(&heights, &heads).iter().map(|s| (s.height, s.first_bits)).collect();
    assert_eq!(found, [(5, 50), (7, 70)]);
}

#[test]
fn a_cut_and_another_head_are_told() {
    let (one, two) = (GENESIS.after(b"1"), GENESIS.after(b"1").after(b"2"));
    let heads = BTreeMap::from([(0, GENESIS), (1, one), (2, two)]);
    let saw = |height: u64, head: Head| Sighting {
        by: Default::default(),
        height,
        first_bits: head.first_bits(),
    };
    for (height_max, sightings, want) in [
        (2, vec![saw(0, GENESIS), saw(1, one), saw(2, two)], vec![]),
        (3, vec![saw(2, two), saw(3, GENESIS)], vec!["cut off from entry 3 on"]),
        (2, vec![saw(2, GENESIS), saw(1, two)], vec!["another head after entry 1,"]),
        (9, vec![saw(1, two)], vec!["from entry 3 on", "after entry 1,"]),
    ] {
        let told = Testimony { height_max, sightings }.against(2, &heads);
        assert_eq!(told.len(), want.len(), "{told:?}");
        assert!(told.iter().zip(&want).all(|(told, want)| told.contains(want)), "{told:?}");
    }
}

#[test]
fn a_query_is_escaped_and_numbers_are_whole() {
    assert_eq!(escaped("a_b{c=\"d é\"}[1s]"), "a_b%7Bc%3D%22d%20%C3%A9%22%7D%5B1s%5D");
    for (text, want) in [("12", Some(12)), ("NaN", None), ("-1", None), ("+Inf", None), ("x", None)]
    {
        assert_eq!(Sample(0.0, text.into()).number(), want, "{text}");
    }
}
