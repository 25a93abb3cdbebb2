//! One post of alerts, and whether it was taken.

use hyper::StatusCode;

use crate::client;
use crate::config::Alertmanager;
use crate::report::plain::clean;

/// Characters of an answer that the log is told.
const TOLD_CHARS_MAX: usize = 200;

/// Why a post was not accepted; no secret is in it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{0}")]
    Client(#[from] client::Failure),
    #[error("answered {0}: {1}")]
    Refused(StatusCode, String),
    #[error("answered {0}, but not as Alertmanager does: {1}")]
    Foreign(StatusCode, String),
}

impl Failure {
    /// Something in the post itself is not taken: less of it may be.
    pub(super) fn is_of_content(&self) -> bool {
        use StatusCode as S;
        let of_content = [S::BAD_REQUEST, S::PAYLOAD_TOO_LARGE, S::UNPROCESSABLE_ENTITY];
        matches!(self, Failure::Refused(status, _) if of_content.contains(status))
    }
}

/// Posts alerts.
///
/// # Errors
/// They were not accepted, as far as is known: they are to be posted again.
pub(super) async fn post(settings: &Alertmanager, body: Vec<u8>) -> Result<(), Failure> {
    let answer = client::post(&settings.peer, "/api/v2/alerts", body).await?;
    judge(answer.status, answer.body)
}

/// Whether an answer says that the alerts were taken. A proxy's page for people to log in, or an error that comes
/// with status 200, does not.
fn judge(status: StatusCode, body: Vec<u8>) -> Result<(), Failure> {
    let text = String::from_utf8_lossy(&body);
    let told = || clean(&text.trim().chars().take(TOLD_CHARS_MAX).collect::<String>()).into_owned();
    if !status.is_success() {
        return Err(Failure::Refused(status, told()));
    }
    let is_error = |value: serde_json::Value| value.get("status").is_some_and(|s| s == "error");
    let is_taken =
        text.trim().is_empty() || serde_json::from_str(&text).is_ok_and(|value| !is_error(value));
    if is_taken { Ok(()) } else { Err(Failure::Foreign(status, told())) }
}
