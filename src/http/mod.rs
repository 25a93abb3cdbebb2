//! The HTTP/1 server: routes, limits and the care for slow or hostile clients. It knows nothing of
//! maintenance; what it says comes from a [`Backend`].
//!
//! One request takes this way: [`server`] admits the connection, [`handshake`] encrypts it, [`stream`] watches its bytes,
//! [`conversation`] keeps the stage (and so the deadline) it is in, [`site`] checks the request
//! (by [`web`] also its sender), [`making`] asks the backend, [`answer`] dresses the reply.

mod admission;
mod answer;
mod checks;
mod connection;
mod conversation;
mod encoding;
mod handshake;
mod head;
mod inquiry;
mod limits;
mod making;
mod names;
mod problem;
mod query;
mod routes;
mod server;
mod site;
mod stream;
#[cfg(test)]
mod tests;
mod web;

pub use answer::METRICS_TYPE;
pub use inquiry::Inquiry;
pub use limits::Limits;
pub use names::Names;
pub use problem::Problem;
pub use query::{RunQuery, WindowQuery};
pub use server::serve;
pub use web::Web;

/// What the server serves. Every method but [`Backend::healthy`] and
/// [`Backend::ready`] is called off the async threads and
/// may take its time; a panic in one of them becomes a 500.
pub trait Backend: Send + Sync + 'static {
    /// The exposition, Prometheus text format 0.0.4.
    ///
    /// # Errors
    /// Any problem; 503 while the first catch-up is not done.
    fn metrics(&self) -> Result<String, Problem>;

    /// Whether the program does its work, ready or not. Called on an async thread: it must not block.
    ///
    /// # Errors
    /// The reason why it does not (503).
    fn healthy(&self) -> Result<(), String>;

    /// Whether the program is ready to be scraped. Called on an async thread: it must not block.
    ///
    /// # Errors
    /// The reason why it is not (503).
    fn ready(&self) -> Result<(), String>;

    /// Loads the configuration again.
    ///
    /// # Errors
    /// What is wrong with it (500); the old one is still in force.
    fn reload(&self) -> Result<(), String>;

    /// The status page, HTML in the style of [`crate::report::style`]. No scripts, no images, no foreign resources:
    /// the policy forbids them.
    ///
    /// # Errors
    /// Any problem.
    fn status(&self) -> Result<String, Problem>;

    /// The case of a run as a page of the same kind; `None` becomes a 404.
    ///
    /// # Errors
    /// Any problem.
    fn case(&self, id: &str) -> Result<Option<String>, Problem>;

    /// The runs that match.
    ///
    /// # Errors
    /// Any problem, such as a 400 for a `since` or a `verdict` that means nothing.
    fn runs(&self, query: &RunQuery) -> Result<serde_json::Value, Problem>;

    /// One run by its id; `None` becomes a 404.
    ///
    /// # Errors
    /// Any problem.
    fn run(&self, id: &str) -> Result<Option<serde_json::Value>, Problem>;

    /// The sources and how they are.
    fn sources(&self) -> serde_json::Value;

    /// Windows, freezes, business hours and changes ahead.
    ///
    /// # Errors
    /// Any problem, such as a 400 for a `from` that is not a time.
    fn windows(&self, query: &WindowQuery) -> Result<Windows, Problem>;

    /// Whether a run may start. `from`: who asks, as far as the server knows.
    ///
    /// # Errors
    /// Any problem: 400 for a question that means nothing, 429 for too many, 503 while there is no answer.
    fn may_start(&self, inquiry: &Inquiry, from: &str) -> Result<serde_json::Value, Problem>;
}

/// What is ahead, in the form that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Windows {
    Rows(serde_json::Value),
    /// An iCalendar file.
    Calendar(String),
}
