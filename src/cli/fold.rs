//! Lines that are wider than the terminal go on below, broken between words and indented.

/// Where a line goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hang {
    /// So many columns in.
    At(usize),
    /// Under the last column that begins in its left half (columns have two spaces between them).
    UnderText,
}

/// The text with every line broken that is wider than `width` columns, at a space; a word that is wider stays
/// whole. Styles have no width.
pub fn fold(text: &str, width: usize, hang: Hang) -> String {
    let mut folded = String::with_capacity(text.len() + text.len() / 8);
    for line in text.split_inclusive('\n') {
        fold_line(line, width, hang, &mut folded);
    }
    folded
}

fn fold_line(line: &str, width: usize, hang: Hang, folded: &mut String) {
    let indent = match hang {
        Hang::At(columns) => columns,
        Hang::UnderText => under_text(line, width),
    };
    let (mut rest, mut begins_at) = (line, 0);
    while let Some(end) = too_wide(rest, width.saturating_sub(begins_at)) {
        let (now, later) = rest.split_at(end);
        folded.push_str(now.trim_end_matches(' '));
        folded.push('\n');
        folded.push_str(&" ".repeat(indent));
        (rest, begins_at) = (later.trim_start_matches(' '), indent);
    }
    folded.push_str(rest);
}

/// Byte offset of the space to break at, if the line is wider than that and there is one between words.
fn too_wide(line: &str, width: usize) -> Option<usize> {
    let is_blank = |at: usize| line.get(..at).is_none_or(|before| before.trim().is_empty());
    let (mut space, mut column) = (None, 0);
    let mut chars = line.trim_end().char_indices();
    while let Some((at, c)) = chars.next() {
        if c == '\u{1b}' {
            // A style ends with `m`.
            chars.by_ref().find(|(_, c)| *c == 'm');
            continue;
        }
        if c == ' ' && !is_blank(at) && (column <= width || space.is_none()) {
            space = Some(at);
        }
        column += 1;
    }
    space.filter(|_| width < column)
}

fn under_text(line: &str, width: usize) -> usize {
    let columns: Vec<char> = line.chars().collect();
    let begins = |at: &usize| {
        let at = *at;
        2 <= at
            && columns.get(at).is_some_and(|c| *c != ' ')
            && columns.get(at - 2..at) == Some(&[' ', ' '])
    };
    (0..=width / 2).rev().find(begins).unwrap_or(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, width: usize, hang: Hang, want: &str) {
        assert_eq!(fold(text, width, hang), want, "{text:?} in {width}");
    }

    #[test]
    fn lines_are_broken_between_words() {
        check("a short line\n", 12, Hang::At(4), "a short line\n");
        check("a longer line here\n", 12, Hang::At(4), "a longer\n    line\n    here\n");
        check("one  two     three\n", 12, Hang::At(2), "one  two\n  three\n");
        check("unbreakable\n", 4, Hang::At(2), "unbreakable\n");
        check("    unbreakable word\n", 8, Hang::At(2), "    unbreakable\n  word\n");
        check(
            "\u{1b}[31mred one two\u{1b}[0m\n",
            11,
            Hang::At(2),
            "\u{1b}[31mred one two\u{1b}[0m\n",
        );
        check(
            "\u{1b}[31mred one two\u{1b}[0m\n",
            9,
            Hang::At(2),
            "\u{1b}[31mred one\n  two\u{1b}[0m\n",
        );
        check("two\nlines and more", 9, Hang::At(1), "two\nlines and\n more");
    }

    #[test]
    fn text_goes_on_under_itself() {
        let want = "  kept  a rule that is\n        long\n";
        check("  kept  a rule that is long\n", 24, Hang::UnderText, want);
        check("no columns here at all\n", 12, Hang::UnderText, "no columns\n  here at\n  all\n");
    }

    proptest! {
        #[test]
        fn no_word_is_lost(text in "[a-z \n]{0,200}", width in 0usize..40, indent in 0usize..10) {
            let folded = fold(&text, width, Hang::At(indent));
            let words = |t: &str| t.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            prop_assert_eq!(words(&folded), words(&text));
        }
    }
}
