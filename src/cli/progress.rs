//! How far a long command has come: a bar on standard error, if that is a terminal.

use super::table::clean;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const TEMPLATE: &str = "{msg} {bar:30} {bytes}/{total_bytes} {eta}";
const COUNT_TEMPLATE: &str = "{msg} {bar:30} {human_pos}/{human_len} {eta}";

/// Redraws a second; each one is a system call, and a replay has better things to do.
const DRAWS_PER_SECOND: u8 = 10;

/// A progress bar. It disappears when it is dropped, so that what is printed then stands alone.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Of `total` bytes; drawn on standard error only if that is a terminal. The label is cleaned.
    pub fn bytes(total: u64, label: &str) -> Progress {
        Progress::on(ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND), total, label, TEMPLATE)
    }

    /// Of `total` things.
    pub fn count(total: u64, label: &str) -> Progress {
        let target = ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND);
        Progress::on(target, total, label, COUNT_TEMPLATE)
    }

    /// So many more are done.
    pub fn advance(&self, more: u64) {
        self.bar.inc(more);
    }

    /// Runs `print` while the bar is away, for lines that are to stay.
    pub fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }

    fn on(target: ProgressDrawTarget, total: u64, label: &str, template: &str) -> Progress {
        let bar = ProgressBar::with_draw_target(Some(total), target);
        // A test holds the template to its form.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(clean(label).into_owned());
        Progress { bar }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::TermLike;
    use std::io;
    use std::sync::{Arc, Mutex};

    /// A terminal that remembers what was written to it.
    #[derive(Clone, Debug, Default)]
    struct Paper(Arc<Mutex<Vec<String>>>);

    impl Paper {
        fn note(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push(text.to_owned());
            Ok(())
        }

        fn text(&self) -> String {
            self.0.lock().unwrap().concat()
        }
    }

    impl TermLike for Paper {
        fn width(&self) -> u16 {
            80
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.note(text)
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.note(text)
        }
        fn clear_line(&self) -> io::Result<()> {
            self.note("<clear>")
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn check(total: u64, label: &str, steps: &[u64], want: &str) {
        let paper = Paper::default();
        let target = ProgressDrawTarget::term_like(Box::new(paper.clone()));
        let progress = Progress::on(target, total, label, TEMPLATE);
        for bytes in steps {
            progress.advance(*bytes);
        }
        progress.bar.force_draw();
        assert!(paper.text().contains(want), "{want:?} in {:?}", paper.text());
        drop(progress);
        assert!(paper.text().ends_with("<clear>"), "{:?}", paper.text());
    }

    #[test]
    fn the_bar_shows_what_is_done() {
        check(
            4096,
            "hostco.log",
            &[1024, 1024],
            "hostco.log ███████████████░░░░░░░░░░░░░░░ 2.00 KiB/4.00 KiB",
        );
        check(0, "empty", &[], "0 B/0 B");
        check(10, "more", &[7, 7], "14 B/10 B");
        check(10, "a\u{1b}[2J{bar}\n", &[], "a\\u{1b}[2J{bar}\\u{a} ");
    }

    #[test]
    fn what_is_printed_aside_is_not_overwritten() {
        let paper = Paper::default();
        let target = ProgressDrawTarget::term_like(Box::new(paper.clone()));
        let progress = Progress::on(target, 10, "log", TEMPLATE);
        progress.advance(1);
        progress.bar.force_draw();
        assert_eq!(progress.aside(|| paper.note("a sentence").map(|()| 7)).unwrap(), 7);
        let text = paper.text();
        let (before, after) = text.split_once("a sentence").unwrap();
        assert!(before.ends_with("<clear>"), "{before:?}");
        assert!(after.contains("log "), "{after:?}");
    }

    #[test]
    fn nothing_is_drawn_where_nobody_looks() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
        assert!(ProgressStyle::with_template(COUNT_TEMPLATE).is_ok());
        let progress = Progress::on(ProgressDrawTarget::hidden(), 10, "log", COUNT_TEMPLATE);
        progress.advance(3);
        assert!(progress.bar.is_hidden());
        assert_eq!(progress.bar.position(), 3);
    }
}
