//! What the checkpoint remembers of a file comes back as it was.

use super::memo;
use crate::time::Instant;

#[test]
fn what_a_checkpoint_remembers_comes_back() {
    let last: Option<Instant> = chrono::DateTime::from_timestamp(1_773_100_800, 500_000_000);
    for header in [None, Some("time,event,a b")] {
        for last in [None, last] {
            let (again, at) = memo::read(&memo::write(header, last));
            assert_eq!((again.as_deref(), at), (header, last));
        }
    }
}
