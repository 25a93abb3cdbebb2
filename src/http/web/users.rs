//! Who may come in by name and password, and the work of finding out.

use bcrypt::HashParts;
use std::collections::HashMap;

/// A hash as it is and as it is written. Not to be printed.
struct Hash {
    text: String,
    cost: u32,
}

/// The users and their bcrypt hashes. Not to be printed.
#[derive(Default)]
pub(super) struct Users {
    hashes: HashMap<String, Hash>,
    cost_max: u32,
}

impl Users {
    /// Adds a user; the hash must be one by [`parse_hash`].
    pub(super) fn add(&mut self, name: &str, text: &str, parts: &HashParts) {
        let hash = Hash { text: text.to_owned(), cost: parts.get_cost() };
        self.cost_max = self.cost_max.max(hash.cost);
        self.hashes.insert(name.to_owned(), hash);
    }

    /// Everybody may come in.
    pub(super) fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// The hash of a user as written, empty for an unknown one.
    pub(super) fn hash_of(&self, name: &str) -> &str {
        self.hashes.get(name).map_or("", |hash| &hash.text)
    }

    /// Whether the password is the user's. A no takes the same time for whomever, known or not.
    /// Tens of milliseconds of pure work: not for an async thread.
    pub(super) fn check(&self, name: &str, password: &[u8]) -> bool {
        let known = self.hashes.get(name);
        let nobody = format!("$2b${:02}${}", self.cost_max, ".".repeat(53));
        let hash = known.map_or(nobody.as_str(), |hash| &hash.text);
        let is_right = bcrypt::verify(password, hash).unwrap_or(false) && known.is_some();
        if !is_right {
            for cost in self.padding(name) {
                // Done for the time that it takes.
                std::hint::black_box(bcrypt::hash_with_salt(password, cost, [0; 16]).is_ok());
            }
        }
        is_right
    }

    /// The costs of the work that brings a no up to the time of the dearest hash: each step of the
    /// cost doubles the work, so `2^c + 2^c + 2^(c+1) + ... + 2^(max-1) = 2^max`.
    fn padding(&self, name: &str) -> std::ops::Range<u32> {
        self.hashes.get(name).map_or(self.cost_max, |hash| hash.cost)..self.cost_max
    }
}

/// The dearest hash that is taken: one check takes seconds.
const COST_MAX: u32 = 16;
/// The cheapest that bcrypt has.
const COST_MIN: u32 = 4;

/// A hash as bcrypt writes it.
///
/// # Errors
/// It is none, as a sentence that does not contain it.
pub(super) fn parse_hash(text: &str) -> Result<HashParts, String> {
    let parts: HashParts = text.parse().map_err(|_| "this is not a bcrypt hash".to_owned())?;
    if text.starts_with("$2x$") {
        return Err("hashes of the broken form $2x$ are not taken".into());
    }
    let cost = parts.get_cost();
    if !(COST_MIN..=COST_MAX).contains(&cost) {
        return Err(format!("a bcrypt hash of cost {cost}"));
    }
    Ok(parts)
}

/// What [`parse_hash`] takes, in words.
pub(super) const HASH_FORM: &str =
    "$2y$, $2b$ or $2a$ with a cost from 4 to 16, as `htpasswd -nB -C 10 NAME` prints it";

#[cfg(test)]
mod tests {
    use super::*;

    fn users(rows: &[(&str, &str, u32)]) -> Users {
        let mut users = Users::default();
        for (name, password, cost) in rows {
            let text = bcrypt::hash(password, *cost).unwrap();
            users.add(name, &text, &parse_hash(&text).unwrap());
        }
        users
    }

    #[test]
    fn a_password_opens_for_its_user_only() {
        let users = users(&[("ada", "one", 4), ("bob", "two", 5)]);
        for (name, password, want) in [
            ("ada", "one", true),
            ("bob", "two", true),
            ("ada", "two", false),
            ("bob", "one", false),
            ("Ada", "one", false),
            ("eve", "one", false),
            ("eve", "", false),
            ("ada", "", false),
            ("ada", "one\0", false),
            ("ada", "onetwo", false),
        ] {
            assert_eq!(users.check(name, password.as_bytes()), want, "{name} {password:?}");
        }
        assert!(Users::default().is_empty() && !users.is_empty());
    }

    #[test]
    fn a_no_takes_the_same_work_for_everybody() {
        let users = users(&[("ada", "one", 4), ("bob", "two", 6), ("eve", "three", 7)]);
        for name in ["ada", "bob", "eve", "nobody", ""] {
            let own = users.hashes.get(name).map_or(users.cost_max, |hash| hash.cost);
            let work: u64 = 1_u64 << own;
            let work = work + users.padding(name).map(|cost| 1_u64 << cost).sum::<u64>();
            assert_eq!(work, 1 << 7, "{name}");
        }
    }

    #[test]
    fn hashes_are_told_from_other_texts() {
        let tail = ".".repeat(53);
        for (text, want) in [
            (format!("$2y$10${tail}"), Ok(10)),
            (format!("$2b$04${tail}"), Ok(4)),
            (format!("$2a$16${tail}"), Ok(16)),
            (format!("$2a$17${tail}"), Err("a bcrypt hash of cost 17")),
            (format!("$2a$03${tail}"), Err("a bcrypt hash of cost 3")),
            (format!("$2x$10${tail}"), Err("hashes of the broken form $2x$ are not taken")),
            (format!("$2y$10${tail}."), Err("this is not a bcrypt hash")),
            (format!("$2y$1é${}", ".".repeat(52)), Err("this is not a bcrypt hash")),
            ("hunter2".into(), Err("this is not a bcrypt hash")),
            (String::new(), Err("this is not a bcrypt hash")),
        ] {
            let got = parse_hash(&text).map(|parts| parts.get_cost());
            assert_eq!(got, want.map_err(str::to_owned), "{text}");
        }
    }
}
