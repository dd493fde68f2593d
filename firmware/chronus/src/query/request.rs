//! The head of an HTTP request: what of it matters here, or why it is refused.

use httparse::{EMPTY_HEADER, Status as Parsed};

/// Bytes of a head, with all its headers: four times what a browser sends.
pub const MOST_REQUEST_BYTES: usize = 8 << 10;
/// Headers of a request: a browser sends some fifteen.
const MOST_HEADERS: usize = 64;

/// An answer's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// 101.
    SwitchingProtocols,
    /// 200.
    Ok,
    /// 204.
    NoContent,
    /// 400.
    BadRequest,
    /// 404.
    NotFound,
    /// 405.
    MethodNotAllowed,
    /// 408.
    RequestTimeout,
    /// 426.
    UpgradeRequired,
    /// 429.
    TooManyRequests,
    /// 431.
    HeadTooLarge,
    /// 503.
    Unavailable,
}

impl Status {
    /// Number and words, as they stand in an answer.
    pub fn line(self) -> &'static str {
        match self {
            Self::SwitchingProtocols => "101 Switching Protocols",
            Self::Ok => "200 OK",
            Self::NoContent => "204 No Content",
            Self::BadRequest => "400 Bad Request",
            Self::NotFound => "404 Not Found",
            Self::MethodNotAllowed => "405 Method Not Allowed",
            Self::RequestTimeout => "408 Request Timeout",
            Self::UpgradeRequired => "426 Upgrade Required",
            Self::TooManyRequests => "429 Too Many Requests",
            Self::HeadTooLarge => "431 Request Header Fields Too Large",
            Self::Unavailable => "503 Service Unavailable",
        }
    }
}

/// What is asked with which method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// GET.
    Get,
    /// HEAD: the same without the body.
    Head,
    /// OPTIONS: what a browser asks before a page of another origin may ask.
    Options,
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// How it is asked.
    pub verb: Verb,
    /// The address that is asked for, decoded, with its slash at the beginning.
    pub path: String,
    /// What of it, if that is said: an attribute.
    pub query: Option<String>,
    /// Whether more may follow on this connection.
    pub stays: bool,
    /// The key of a client that wants a WebSocket.
    pub key: Option<String>,
    /// The origin of the page that asks, if it is one.
    pub origin: Option<String>,
}

/// A refusal: the status, and why in words.
pub type Refused = (Status, &'static str);

/// Takes a request from the beginning of what has come, with how many bytes it has; `None` while it is not whole.
///
/// # Errors
/// What is wrong with it, after which nothing more is understood.
pub fn take(bytes: &[u8]) -> Result<Option<(Request, usize)>, Refused> {
    let mut headers = [EMPTY_HEADER; MOST_HEADERS];
    let mut head = httparse::Request::new(&mut headers);
    let length = match head.parse(bytes) {
        Ok(Parsed::Complete(length)) if length <= MOST_REQUEST_BYTES => length,
        Ok(Parsed::Partial) if bytes.len() < MOST_REQUEST_BYTES => return Ok(None),
        Ok(_) => return Err((Status::HeadTooLarge, "a request has at most 8 KiB")),
        Err(httparse::Error::TooManyHeaders) => return Err((Status::HeadTooLarge, "a request has at most 64 headers")),
        Err(_) => return Err((Status::BadRequest, "this is no HTTP request")),
    };
    let verb = match head.method {
        Some("GET") => Verb::Get,
        Some("HEAD") => Verb::Head,
        Some("OPTIONS") => Verb::Options,
        _ => return Err((Status::MethodNotAllowed, "ask with GET; values are set by OSC")),
    };
    let of = |name: &str| {
        let mut found = head.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
        found.next().and_then(|header| std::str::from_utf8(header.value).ok()).map(str::trim)
    };
    let lists = |name: &str, word: &str| {
        of(name).is_some_and(|list| list.split(',').any(|item| item.trim().eq_ignore_ascii_case(word)))
    };
    if of("content-length").is_some_and(|length| length != "0") || of("transfer-encoding").is_some() {
        return Err((Status::BadRequest, "a question has no body"));
    }
    let (path, query) = target(head.path.unwrap_or("/")).ok_or((Status::BadRequest, "this is no path"))?;
    let is_old = head.version == Some(0);
    let stays = if is_old { lists("connection", "keep-alive") } else { !lists("connection", "close") };
    let wants_socket = verb == Verb::Get && !is_old && lists("upgrade", "websocket") && lists("connection", "upgrade");
    if wants_socket && of("sec-websocket-version") != Some("13") {
        return Err((Status::UpgradeRequired, "WebSockets of version 13 are taken"));
    }
    let key = of("sec-websocket-key").filter(|_| wants_socket);
    if wants_socket && key.is_none() {
        return Err((Status::BadRequest, "a WebSocket needs a key"));
    }
    let [key, origin] = [key, of("origin")].map(|text| text.map(str::to_owned));
    Ok(Some((Request { verb, path, query, stays, key, origin }, length)))
}

/// Path and query of what stands in the first line, decoded.
fn target(text: &str) -> Option<(String, Option<String>)> {
    // As a proxy is asked; what stands before the path is who was meant.
    let text = match text.strip_prefix("http://") {
        Some(rest) => rest.find(['/', '?']).map_or("/", |at| &rest[at..]),
        None => text,
    };
    let text = text.split('#').next().unwrap_or_default();
    let (path, query) = text.split_once('?').map_or((text, None), |(path, query)| (path, Some(query)));
    let path = decoded(if path.is_empty() { "/" } else { path })?;
    // Clients that build queries of names and values write the name with an equals sign.
    let query = query.filter(|query| !query.is_empty()).map(|query| query.trim_end_matches('=').to_owned());
    path.starts_with('/').then_some((path, query))
}

/// A path without its percent signs (RFC 3986, 2.1).
fn decoded(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn taken(text: &str) -> Result<Option<(Request, usize)>, Refused> {
        take(text.as_bytes())
    }

    #[test]
    fn a_request_is_taken_when_it_is_whole_and_what_follows_is_left() {
        let text = "GET /mod/filter%2Fq?VALUE HTTP/1.1\r\nHost: x\r\nOrigin: http://a\r\n\r\n";
        for end in 0..text.len() {
            assert_eq!(take(&text.as_bytes()[..end]), Ok(None));
        }
        let (request, length) = taken(&format!("{text}GET")).unwrap().unwrap();
        assert_eq!(length, text.len());
        assert_eq!((request.path.as_str(), request.query.as_deref()), ("/mod/filter/q", Some("VALUE")));
        assert_eq!((request.verb, request.stays, request.key), (Verb::Get, true, None));
        assert_eq!(request.origin.as_deref(), Some("http://a"));
    }

    #[test]
    fn what_is_asked_for_is_found_in_all_its_forms() {
        for (line, path, query) in [
            ("/", "/", None),
            ("/?HOST_INFO", "/", Some("HOST_INFO")),
            ("/a?VALUE=", "/a", Some("VALUE")),
            ("/a?", "/a", None),
            ("/a#b?c", "/a", None),
            ("http://box:5006/a?TYPE", "/a", Some("TYPE")),
            ("http://box:5006", "/", None),
        ] {
            let (request, _) = taken(&format!("GET {line} HTTP/1.1\r\n\r\n")).unwrap().unwrap();
            assert_eq!((request.path.as_str(), request.query.as_deref()), (path, query), "{line}");
        }
        for line in ["*", "a", "/%", "/%2", "/%zz", "/%ff", "/%+1"] {
            assert_eq!(taken(&format!("GET {line} HTTP/1.1\r\n\r\n")).unwrap_err().0, Status::BadRequest, "{line}");
        }
    }

    #[test]
    fn what_is_wrong_has_its_status() {
        let many = "a: b\r\n".repeat(MOST_HEADERS + 1);
        let long = "x".repeat(MOST_REQUEST_BYTES);
        for (text, status) in [
            ("POST / HTTP/1.1\r\n\r\n".to_owned(), Status::MethodNotAllowed),
            ("GET / HTTP/1.1\r\nContent-Length: 3\r\n\r\n".to_owned(), Status::BadRequest),
            ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(), Status::BadRequest),
            ("\x01\x02 nonsense\r\n\r\n".to_owned(), Status::BadRequest),
            (format!("GET / HTTP/1.1\r\n{many}\r\n"), Status::HeadTooLarge),
            (format!("GET /{long}"), Status::HeadTooLarge),
            (format!("GET /{long} HTTP/1.1\r\n\r\n"), Status::HeadTooLarge),
            ("GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n".to_owned(), Status::UpgradeRequired),
        ] {
            assert_eq!(taken(&text).unwrap_err().0, status, "{text:.40}");
        }
    }

    #[test]
    fn connections_stay_as_their_clients_want_it() {
        for (head, stays) in [
            ("HTTP/1.1\r\n", true),
            ("HTTP/1.1\r\nConnection: close\r\n", false),
            ("HTTP/1.0\r\n", false),
            ("HTTP/1.0\r\nConnection: Keep-Alive\r\n", true),
        ] {
            assert_eq!(taken(&format!("GET / {head}\r\n")).unwrap().unwrap().0.stays, stays, "{head}");
        }
        let socket = "GET / HTTP/1.1\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                      Sec-WebSocket-Key: abc\r\n\r\n";
        assert_eq!(taken(socket).unwrap().unwrap().0.key.as_deref(), Some("abc"));
    }

    proptest! {
        #[test]
        fn nothing_that_comes_is_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..512), text in "GET [ -~]{0,80} HTTP/1.1\r\n([ -~]{0,40}\r\n){0,4}\r\n") {
            let _ = take(&bytes);
            let _ = take(text.as_bytes());
        }
    }
}
