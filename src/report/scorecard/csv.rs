//! Figures for a spreadsheet: a row for each partner and month.

use serde_json::Value;

use super::{Figures, KPIS, Scorecard};
use crate::report::csv::cell;
use crate::verdict::Verdict;

/// RFC 4180, with a header. A cell is empty where there is nothing to tell; ratios are from 0 to 1.
pub fn csv(cards: &[Scorecard]) -> String {
    let mut columns: Vec<String> =
        ["partner", "month", "adherence_ratio", "coverage_ratio", "runs"]
            .map(String::from)
            .to_vec();
    columns.extend(Verdict::ALL.iter().map(|verdict| verdict.to_string()));
    columns.extend(["provisional", "judged", "unacknowledged"].map(String::from));
    columns.extend(KPIS.iter().map(|kpi| format!("kpi_{}", kpi.key)));
    columns.extend(TIMES.map(String::from));
    let mut text = columns.join(",") + "\r\n";
    for card in cards {
        for figures in card.before.iter().chain([&card.figures]) {
            text += &line(card, figures);
        }
    }
    text
}

const TIMES: [&str; 4] = [
    "business_hours_seconds",
    "outside_window_seconds",
    "notice_least_seconds",
    "notice_median_seconds",
];

fn line(card: &Scorecard, figures: &Figures) -> String {
    let mut values: Vec<Value> = vec![
        card.partner.as_str().into(),
        figures.month.as_str().into(),
        figures.adherence_ratio.into(),
        figures.coverage_ratio.into(),
        figures.runs.into(),
    ];
    values.extend(Verdict::ALL.iter().map(|verdict| figures.of(*verdict).into()));
    values.extend([figures.provisional, figures.judged, figures.unacknowledged].map(Value::from));
    let count = |key| figures.kpis.get(key).copied().unwrap_or(0).into();
    values.extend(KPIS.iter().map(|kpi| -> Value { count(kpi.key) }));
    let number = |number: &Option<serde_json::Number>| -> Value {
        number.clone().map_or(Value::Null, Value::Number)
    };
    values.push(Value::Number(figures.business_hours_seconds.clone()));
    values.push(Value::Number(figures.outside_window_seconds.clone()));
    values.extend([&figures.notice_least_seconds, &figures.notice_median_seconds].map(number));
    values.iter().map(cell).collect::<Vec<_>>().join(",") + "\r\n"
}
