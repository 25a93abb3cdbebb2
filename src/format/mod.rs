//! From a line (bytes) to an event, or to the reason why it is none.

pub mod spec;
pub mod stamp;

pub use spec::{Field, Format, Match, MessageFormat, Spec};
