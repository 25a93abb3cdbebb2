//! The routes and the methods they take.
//!
//! Paths are compared as written: nothing is decoded, merged or resolved, so that no spelling of a
//! path but its own leads to it.

use super::query::{Plus, decode};
use hyper::Method;

const RUN_PREFIX: &str = "/api/v1/runs/";
const CASE_PREFIX: &str = "/runs/";

/// What may be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// The status page.
    Status,
    Metrics,
    Healthy,
    Ready,
    Reload,
    Runs,
    /// One run, by its decoded id.
    Run(String),
    /// The case of one run as a page.
    Case(String),
    Sources,
    Windows,
    MayStart,
}

impl Route {
    /// The route of a path as it stands in the request line; `None` is a 404.
    pub(super) fn of(path: &str) -> Option<Route> {
        match path {
            "/" => Some(Route::Status),
            "/metrics" => Some(Route::Metrics),
            "/-/healthy" => Some(Route::Healthy),
            "/-/ready" => Some(Route::Ready),
            "/-/reload" => Some(Route::Reload),
            "/api/v1/runs" => Some(Route::Runs),
            "/api/v1/sources" => Some(Route::Sources),
            "/api/v1/windows" => Some(Route::Windows),
            "/api/v1/may-start" => Some(Route::MayStart),
            _ => {
                let run = path.strip_prefix(RUN_PREFIX).and_then(run_id).map(Route::Run);
                run.or_else(|| path.strip_prefix(CASE_PREFIX).and_then(run_id).map(Route::Case))
            }
        }
    }

    /// The value of the `Allow` field.
    pub(super) fn allow(&self) -> &'static str {
        match self {
            Route::Reload => "POST, PUT",
            // Each question is put on record, so that HEAD would be an odd way to ask.
            Route::MayStart => "GET, POST",
            _ => "GET, HEAD",
        }
    }

    /// Whether what is asked there goes on record or changes something. A question does: a page must not ask in its
    /// reader's name.
    pub(super) fn changes(&self) -> bool {
        matches!(self, Route::MayStart | Route::Reload)
    }

    /// Whether the route takes the method.
    pub(super) fn takes(&self, method: &Method) -> bool {
        self.allow().split(", ").any(|name| name == method.as_str())
    }
}

/// Whether the method is one of HTTP's own (RFC 9110 and PATCH), which a route may refuse (405); any
/// other is not implemented at all (501).
pub(super) fn is_standard(method: &Method) -> bool {
    [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::CONNECT,
        Method::OPTIONS,
        Method::TRACE,
        Method::PATCH,
    ]
    .contains(method)
}

/// The id in one path segment. The dot segments are somebody's try at climbing out.
fn run_id(segment: &str) -> Option<String> {
    if segment.contains('/') {
        return None;
    }
    let id = decode(segment, Plus::Literal)?;
    (!matches!(id.as_str(), "" | "." | "..")).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, want: Option<Route>) {
        assert_eq!(Route::of(path), want, "{path:?}");
    }

    #[test]
    fn only_its_own_spelling_leads_to_a_route() {
        let run = |id: &str| Some(Route::Run(id.to_owned()));
        for (path, want) in [
            ("/", Some(Route::Status)),
            ("/metrics", Some(Route::Metrics)),
            ("/-/healthy", Some(Route::Healthy)),
            ("/-/ready", Some(Route::Ready)),
            ("/-/reload", Some(Route::Reload)),
            ("/api/v1/runs", Some(Route::Runs)),
            ("/api/v1/sources", Some(Route::Sources)),
            ("/api/v1/windows", Some(Route::Windows)),
            ("/api/v1/may-start", Some(Route::MayStart)),
            ("/api/v1/may-start/", None),
            ("/api/v1/runs/hostco-17", run("hostco-17")),
            ("/api/v1/runs/a%2Fb+c%20d", run("a/b+c d")),
            ("/api/v1/runs/...", run("...")),
            ("/runs/17", Some(Route::Case("17".to_owned()))),
            ("/runs/", None),
            ("/runs/..", None),
            ("/runs/1/2", None),
            ("", None),
            ("*", None),
            ("//", None),
            ("//metrics", None),
            ("/metrics/", None),
            ("/Metrics", None),
            ("/%6detrics", None),
            ("/./metrics", None),
            ("/x/../metrics", None),
            ("/%2e%2e/metrics", None),
            ("/metrics%00", None),
            ("/metrics;x", None),
            ("/api/v1/runs/", None),
            ("/api/v1/runs/.", None),
            ("/api/v1/runs/..", None),
            ("/api/v1/runs/%2e%2e", None),
            ("/api/v1/runs/a/b", None),
            ("/api/v1/runs/a/", None),
            ("/api/v1/runs/%ff", None),
            ("/api/v1/runs/%4", None),
            ("/api/v1/sources/", None),
        ] {
            check(path, want);
        }
    }

    #[test]
    fn reading_and_changing_take_their_own_methods() {
        let taken = |route: Route| {
            ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "get", "BREW"]
                .into_iter()
                .filter(|name| route.takes(&Method::from_bytes(name.as_bytes()).unwrap()))
                .collect::<Vec<_>>()
        };
        assert_eq!(taken(Route::Metrics), ["GET", "HEAD"]);
        assert_eq!(taken(Route::Run("a".to_owned())), ["GET", "HEAD"]);
        assert_eq!(taken(Route::Reload), ["POST", "PUT"]);
        assert_eq!(taken(Route::MayStart), ["GET", "POST"]);
        assert!(is_standard(&Method::PATCH));
        assert!(!is_standard(&Method::from_bytes(b"BREW").unwrap()));
        assert!(!is_standard(&Method::from_bytes(b"get").unwrap()));
    }
}
