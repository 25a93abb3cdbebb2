//! The server as its clients see it: raw bytes over loopback sockets.

mod answers;
mod framing;
mod noise;
mod slow;
mod stop;
pub(in crate::http) mod support;
