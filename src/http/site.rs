//! From a request to its answer: the checks, the route, the call to the backend.

use super::admission::Admission;
use super::answer::{self, Answer, CALENDAR_TYPE, JSON_TYPE, METRICS_TYPE, TEXT_TYPE};
use super::conversation::Conversation;
use super::limits::{Limits, URL_BYTES};
use super::making::{Kind, Making};
use super::query::{RunQuery, WindowQuery};
use super::routes::Route;
use super::web::Rules;
use super::{Backend, Inquiry, Problem, Web, Windows, checks, encoding};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Request, StatusCode};
use std::net::IpAddr;
use std::sync::Arc;
use tokio::time::timeout;

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client {
    pub(super) address: IpAddr,
    pub(super) is_encrypted: bool,
}

/// The backend behind its limits and the questions to its clients.
pub(super) struct Site {
    backend: Arc<dyn Backend>,
    web: Arc<Web>,
    limits: Limits,
    making: Making,
}

impl Site {
    pub(super) fn new(
        backend: Arc<dyn Backend>,
        web: Arc<Web>,
        limits: Limits,
        admission: Arc<Admission>,
    ) -> Site {
        let making = Making::new(backend.clone(), admission, &limits);
        Site { backend, web, limits, making }
    }

    /// The web configuration as it is now.
    pub(super) async fn rules(&self) -> Rules {
        self.web.rules().await
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Answers one request, whatever it is.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
        client: Client,
        conversation: &Conversation,
    ) -> Answer {
        let rules = self.rules().await;
        if rules.tls().is_some() && !client.is_encrypted {
            let problem = Problem::bad_request("this port speaks TLS only");
            return answer::closing(answer::problem(&problem));
        }
        // What follows a body is never read as a request: see `head`.
        let is_last = checks::has_body(request.headers());
        let route = Route::of(request.uri().path());
        let checked = self.checked(request, route.as_ref(), conversation, &rules, client);
        let mut answer = match checked.await {
            Ok(answer) => answer,
            Err(problem) => refused(&problem, route.as_ref()),
        };
        for (name, value) in rules.headers() {
            answer.headers_mut().insert(name, value.clone());
        }
        if is_last { answer::closing(answer) } else { answer }
    }

    async fn checked(
        &self,
        request: Request<Incoming>,
        route: Option<&Route>,
        conversation: &Conversation,
        rules: &Rules,
        client: Client,
    ) -> Result<Answer, Problem> {
        checks::form(&request, conversation)?;
        self.check_size(&request)?;
        let (head, body) = request.into_parts();
        let login = self.admit(rules, client, &head.headers).await?;
        let route = checks::method(&head.method, route)?;
        checks::encoding(&head.headers)?;
        let body = self.swallow(body).await?;
        conversation.serving();
        if route.changes() {
            let served = if client.is_encrypted { rules.served_names() } else { &[] };
            checks::same_site(&head, self.web.names(), (client.is_encrypted, served))?;
            checks::no_form(&head.headers)?;
        }
        let from = match login {
            Some(name) => format!("{} as {name}", client.address),
            None => client.address.to_string(),
        };
        self.serve(route, &head, (&body, from)).await
    }

    /// Gives back the name of a login. Nothing is told before this, not even which pages there are.
    async fn admit(
        &self,
        rules: &Rules,
        client: Client,
        headers: &HeaderMap,
    ) -> Result<Option<String>, Problem> {
        let admitted = self.web.admit(rules, client.address, headers);
        let late = || Err(Problem::unavailable("too many logins are being checked"));
        timeout(self.limits.request, admitted).await.unwrap_or_else(|_| late())
    }

    fn check_size(&self, request: &Request<Incoming>) -> Result<(), Problem> {
        let uri = request.uri();
        // The target is kept in parts; scheme and host cannot push a short path over the limit.
        let url_bytes = uri.path_and_query().map_or(0, |target| target.as_str().len());
        if URL_BYTES < url_bytes {
            let detail = format!("the URL is longer than {URL_BYTES} bytes");
            return Err(Problem::new(StatusCode::URI_TOO_LONG, detail));
        }
        if (self.limits.body_bytes as u64) < request.body().size_hint().lower() {
            return Err(self.too_large());
        }
        Ok(())
    }

    /// Reads the body; most routes have no use for one.
    async fn swallow(&self, body: Incoming) -> Result<Bytes, Problem> {
        if body.is_end_stream() {
            return Ok(Bytes::new());
        }
        let limited = Limited::new(body, self.limits.body_bytes);
        match timeout(self.limits.body, limited.collect()).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(self.too_large()),
            Ok(Err(_)) => Err(Problem::bad_request("the body of the request cannot be read")),
            Err(_) => {
                let detail = "the body of the request took too long";
                Err(Problem::new(StatusCode::REQUEST_TIMEOUT, detail))
            }
        }
    }

    async fn serve(
        &self,
        route: &Route,
        head: &Parts,
        (body, from): (&[u8], String),
    ) -> Result<Answer, Problem> {
        let query = head.uri.query().unwrap_or_default();
        match route {
            Route::Status => self.page(head, |backend| Ok(answer::page(backend.status()?))).await,
            Route::Case(id) => {
                let id = id.clone();
                self.page(head, move |backend| match backend.case(&id)? {
                    Some(page) => Ok(answer::page(page)),
                    None => Err(no_run(&id)),
                })
                .await
            }
            Route::Metrics => {
                let gzip = encoding::wants_gzip(&head.headers);
                let key = if gzip { "metrics, packed" } else { "metrics" };
                let work = move |backend: &dyn Backend| exposition(backend.metrics()?, gzip);
                self.making.shared(Kind::Exposition, key.to_owned(), work).await
            }
            Route::Healthy => match self.backend.healthy() {
                Ok(()) => Ok(answer::ok(TEXT_TYPE, "healthy\n")),
                Err(reason) => Err(Problem::unavailable(reason)),
            },
            Route::Ready => match self.backend.ready() {
                Ok(()) => Ok(answer::ok(TEXT_TYPE, "ready\n")),
                Err(reason) => Err(Problem::unavailable(reason)),
            },
            Route::Runs => {
                let query = RunQuery::parse(query)?;
                self.page(head, move |backend| Ok(json(&backend.runs(&query)?))).await
            }
            Route::Run(id) => {
                let id = id.clone();
                self.page(head, move |backend| match backend.run(&id)? {
                    Some(run) => Ok(json(&run)),
                    None => Err(no_run(&id)),
                })
                .await
            }
            Route::Sources => self.page(head, |backend| Ok(json(&backend.sources()))).await,
            Route::Windows => {
                let query = WindowQuery::parse(query)?;
                self.page(head, move |backend| {
                    Ok(match backend.windows(&query)? {
                        Windows::Rows(rows) => json(&rows),
                        Windows::Calendar(file) => answer::ok(CALENDAR_TYPE, file),
                    })
                })
                .await
            }
            Route::MayStart => {
                let inquiry = Inquiry::posted(query, body)?;
                checks::posts(&head.method, &inquiry)?;
                let work =
                    move |backend: &dyn Backend| Ok(json(&backend.may_start(&inquiry, &from)?));
                self.making.one(Kind::Question, work).await
            }
            Route::Reload => {
                let work = |backend: &dyn Backend| {
                    backend.reload().map_err(Problem::internal)?;
                    Ok(answer::ok(TEXT_TYPE, "reloaded\n"))
                };
                self.making.one(Kind::Question, work).await
            }
        }
    }

    /// Makes a page that everybody is shown who asks for the same.
    async fn page(
        &self,
        head: &Parts,
        work: impl FnOnce(&dyn Backend) -> Result<Answer, Problem> + Send + 'static,
    ) -> Result<Answer, Problem> {
        let target = head.uri.path_and_query().map_or("", |target| target.as_str());
        self.making.shared(Kind::Page, target.to_owned(), work).await
    }

    fn too_large(&self) -> Problem {
        let detail = format!("the body is longer than {} bytes", self.limits.body_bytes);
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    }
}

fn refused(problem: &Problem, route: Option<&Route>) -> Answer {
    let mut answer = answer::problem(problem);
    if let (StatusCode::METHOD_NOT_ALLOWED, Some(route)) = (problem.status, route) {
        answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static(route.allow()));
    }
    if problem.status == StatusCode::UNAUTHORIZED {
        // RFC 7617, section 2.
        let challenge = HeaderValue::from_static("Basic realm=\"offhours\", charset=\"UTF-8\"");
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    answer
}

fn no_run(id: &str) -> Problem {
    Problem::not_found(format!("there is no run {id:?}"))
}

fn json(value: &serde_json::Value) -> Answer {
    answer::ok(JSON_TYPE, value.to_string())
}

fn exposition(text: String, gzip: bool) -> Result<Answer, Problem> {
    let mut answer = if gzip {
        let packed = encoding::gzip(&text).map_err(|error| Problem::internal(error.to_string()))?;
        let mut answer = answer::ok(METRICS_TYPE, packed);
        answer.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        answer
    } else {
        answer::ok(METRICS_TYPE, text)
    };
    answer.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    Ok(answer)
}
