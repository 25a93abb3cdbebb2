//! What is checked of a request before it is answered; the order is in [`super::site`].

use super::conversation::Conversation;
use super::routes::{Route, is_standard};
use super::{Inquiry, Names, Problem};
use crate::client::NO_BROWSER;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use hyper::{Method, Request, StatusCode, Version};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether the request is followed by a body, be it an empty one.
pub(super) fn has_body(headers: &HeaderMap) -> bool {
    headers.contains_key(header::CONTENT_LENGTH) || headers.contains_key(header::TRANSFER_ENCODING)
}

/// RFC 9112: one Host (section 3.2), one length (section 6.1).
pub(super) fn form(
    request: &Request<Incoming>,
    conversation: &Conversation,
) -> Result<(), Problem> {
    let headers = request.headers();
    let hosts = headers.get_all(header::HOST).iter().count();
    let is_host_missing = request.version() == Version::HTTP_11 && hosts == 0;
    if is_host_missing || 1 < hosts {
        return Err(Problem::bad_request("the request needs one Host field"));
    }
    if has_body(headers) && conversation.is_ambiguous() {
        let detail = "the request states the length of its body more than once";
        return Err(Problem::bad_request(detail));
    }
    Ok(())
}

/// The route, if there is one and it takes the method.
pub(super) fn method<'a>(method: &Method, route: Option<&'a Route>) -> Result<&'a Route, Problem> {
    if !is_standard(method) {
        let detail = format!("the method {method} is not known here");
        return Err(Problem::new(StatusCode::NOT_IMPLEMENTED, detail));
    }
    let route = route.ok_or_else(|| Problem::not_found("there is no such page"))?;
    if route.takes(method) {
        return Ok(route);
    }
    let detail = format!("this page takes {} only", route.allow());
    Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail))
}

/// A small coded body may become a large one; nothing here needs either.
pub(super) fn encoding(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.contains_key(header::CONTENT_ENCODING) {
        let detail = "coded request bodies are not taken";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    Ok(())
}

/// The name under which we were asked, with its port: that of the target, else that of the field (RFC 9112, section 3.2.2).
pub(super) fn authority(head: &Parts) -> Option<Authority> {
    let field = || Authority::try_from(head.headers.get(header::HOST)?.as_bytes()).ok();
    head.uri.authority().cloned().or_else(field)
}

/// Any page in a browser of somebody who can reach us may ask here in its reader's name, and make its own name point
/// at us. Browsers tell of which site the page is, and under which name it was loaded.
pub(super) fn same_site(
    head: &Parts,
    names: &Names,
    (is_encrypted, served): (bool, &[String]),
) -> Result<(), Problem> {
    let refuse = |detail: String| Err(Problem::new(StatusCode::FORBIDDEN, detail));
    let Some(authority) = authority(head) else {
        return refuse("the request does not say under which name it reached us".into());
    };
    // Our own commands say what no page can say: they may call us by any name.
    let is_command = head.headers.contains_key(NO_BROWSER);
    if !is_command && !names.know(authority.host(), served) {
        return refuse(format!(
            "this offhours is not known as {:?}, so it records and changes nothing for such a request; \
             --web.external-url and --web.allowed-host tell it its names",
            authority.host()
        ));
    }
    let is_own = |value: &HeaderValue| matches!(value.as_bytes(), b"same-origin" | b"none");
    let is_foreign = !head.headers.get_all(SEC_FETCH_SITE).iter().all(is_own);
    let is_own = |value: &HeaderValue| {
        let origin = value.to_str().unwrap_or_default();
        names.is_own(origin, &authority, is_encrypted)
    };
    let mut origins = head.headers.get_all(header::ORIGIN).iter();
    if is_foreign || !origins.all(is_own) {
        return refuse("requests from pages of other sites are not taken here".into());
    }
    Ok(())
}

/// A page needs no more than an image to make a browser get something.
pub(super) fn posts(method: &Method, inquiry: &Inquiry) -> Result<(), Problem> {
    if method != Method::POST && inquiry.is_overriding() {
        let detail =
            "override_by and override_reason are put on record by POST only; ask the same by POST";
        return Err(Problem::bad_request(detail));
    }
    Ok(())
}

/// What a form in a web page can send without being asked first whether it may.
const FORM_TYPES: [&str; 3] =
    ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];

/// Old browsers say nothing about the page that made them ask; but a form gives itself away.
pub(super) fn no_form(headers: &HeaderMap) -> Result<(), Problem> {
    let is_form = |value: &HeaderValue| {
        let text = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
        let name = text.split(';').next().unwrap_or_default().trim();
        FORM_TYPES.contains(&name)
    };
    if headers.get_all(header::CONTENT_TYPE).iter().any(is_form) {
        let detail =
            "forms are not taken here; send no body, or JSON as content-type application/json";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    Ok(())
}
