//! Cells of CSV files (RFC 4180) that a spreadsheet may open.

use serde_json::Value;

/// A value as a cell; lists are joined by blanks, and what a spreadsheet would take for a formula is kept from it.
pub fn cell(value: &serde_json::Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    };
    // A spreadsheet takes a cell that begins like this for a formula.
    let is_formula = text.starts_with(['=', '+', '@', '\t', '\r'])
        || text.starts_with('-') && text.parse::<f64>().is_err();
    let text = if is_formula { format!("'{text}") } else { text };
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn cells_are_quoted_and_never_formulas() {
        for (value, want) in [
            (json!(null), ""),
            (json!("plain"), "plain"),
            (json!("a,b"), "\"a,b\""),
            (json!("say \"x\""), "\"say \"\"x\"\"\""),
            (json!(["a", "b"]), "a b"),
            (json!(-300), "-300"),
            (json!(true), "true"),
            (json!("=1+1"), "'=1+1"),
            (json!("@x"), "'@x"),
        ] {
            assert_eq!(cell(&value), want);
        }
    }
}
