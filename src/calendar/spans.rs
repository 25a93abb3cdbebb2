//! Sets of instants as lists of spans: putting them together, taking away, cutting to a range.

use crate::time::Span;

/// The spans in order, adjoining and overlapping ones as one.
pub(super) fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    spans.dedup_by(|next, kept| {
        let touches = next.start <= kept.end;
        if touches {
            kept.end = kept.end.max(next.end);
        }
        touches
    });
    spans
}

/// The spans without what `cuts` (merged) cover. Order is kept, nothing is merged.
pub(super) fn without(spans: &[Span], cuts: &[Span]) -> Vec<Span> {
    let mut left = Vec::with_capacity(spans.len());
    for span in spans {
        let mut start = span.start;
        for cut in from(cuts, span.start).take_while(|cut| cut.start < span.end) {
            left.extend(Span::new(start, cut.start));
            start = cut.end;
        }
        left.extend(Span::new(start, span.end));
    }
    left
}

/// Merged spans, cut to `range`, in order.
pub(super) fn clipped(spans: &[Span], range: Span) -> impl Iterator<Item = Span> {
    from(spans, range.start)
        .take_while(move |span| span.start < range.end)
        .filter_map(move |span| Span::new(span.start.max(range.start), span.end.min(range.end)))
}

/// Those of the merged spans that end after `t`.
fn from(spans: &[Span], t: crate::time::Instant) -> impl Iterator<Item = &Span> {
    let first = spans.partition_point(|span| span.end <= t);
    spans.iter().skip(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Instant;
    use proptest::prelude::*;

    fn span((start, length): (i64, i64)) -> Span {
        let at = |seconds| Instant::from_timestamp(seconds, 0).unwrap();
        Span::new(at(start), at(start + length)).unwrap()
    }

    fn any_spans() -> impl Strategy<Value = Vec<Span>> {
        prop::collection::vec((0..60_i64, 1..15_i64).prop_map(span), 0..8)
    }

    /// The whole seconds that the spans hold.
    fn seconds(spans: &[Span]) -> Vec<i64> {
        let inside = |s: &i64| {
            let t = Instant::from_timestamp(*s, 0).unwrap();
            spans.iter().any(|span| span.contains(t))
        };
        (-1..80).filter(inside).collect()
    }

    fn apart(spans: &[Span]) -> bool {
        spans.windows(2).all(|pair| pair[0].end < pair[1].start)
    }

    proptest! {
        #[test]
        fn merging_keeps_every_second_and_leaves_gaps(spans in any_spans()) {
            let merged = merged(spans.clone());
            prop_assert_eq!(seconds(&merged), seconds(&spans));
            prop_assert!(apart(&merged), "{merged:?}");
        }

        #[test]
        fn taking_away_leaves_exactly_the_rest(spans in any_spans(), cuts in any_spans()) {
            let cut = seconds(&cuts);
            let expected: Vec<i64> =
                seconds(&spans).into_iter().filter(|s| !cut.contains(s)).collect();
            prop_assert_eq!(seconds(&without(&spans, &merged(cuts))), expected);
        }

        #[test]
        fn clipping_is_the_common_part(spans in any_spans(), range in (0..60_i64, 1..30_i64)) {
            let range = span(range);
            let got: Vec<Span> = clipped(&merged(spans.clone()), range).collect();
            let within = seconds(&[range]);
            let expected: Vec<i64> =
                seconds(&spans).into_iter().filter(|s| within.contains(s)).collect();
            prop_assert_eq!(seconds(&got), expected);
            prop_assert!(apart(&got));
        }
    }
}
