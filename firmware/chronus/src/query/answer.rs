//! The answer to a request: a node, an attribute of one, who this is, or why not.

use std::net::SocketAddr;

use serde::Serialize;
use serde_json::json;

use super::node::{Attribute, EXTENSIONS, Node};
use super::request::{Request, Status, Verb};
use super::tree::Tree;

/// What is said of the engine itself.
pub struct Host {
    /// The machine's name.
    pub name: String,
    /// Where OSC is taken.
    pub osc: SocketAddr,
}

/// An answer.
pub struct Answer {
    /// Its status.
    pub status: Status,
    /// JSON, or nothing.
    pub body: String,
}

impl Answer {
    /// A refusal, with its reason.
    pub fn refused(status: Status, why: &str) -> Self {
        Self { status, body: json!({ "ERROR": why }).to_string() }
    }

    fn of(value: &impl Serialize) -> Self {
        serde_json::to_string(value).map_or_else(
            |_| Self::refused(Status::Unavailable, "the answer cannot be written"),
            |body| Self { status: Status::Ok, body },
        )
    }

    /// As it is sent to a client whose request was of this kind; `stays` says whether the connection does.
    pub fn to_bytes(&self, verb: Verb, stays: bool) -> Vec<u8> {
        // Nothing here is secret, and a page that shows the box must be able to read it, wherever it was loaded from.
        let mut head = format!(
            "HTTP/1.1 {}\r\nAccess-Control-Allow-Origin: *\r\nCache-Control: no-store\r\nConnection: {}\r\n",
            self.status.line(),
            if stays { "keep-alive" } else { "close" }
        );
        match self.status {
            Status::NoContent => {}
            _ => head += &format!("Content-Type: application/json\r\nContent-Length: {}\r\n", self.body.len()),
        }
        match self.status {
            Status::MethodNotAllowed => head += "Allow: GET, HEAD, OPTIONS\r\n",
            Status::UpgradeRequired => head += "Sec-WebSocket-Version: 13\r\n",
            Status::TooManyRequests | Status::Unavailable => head += "Retry-After: 1\r\n",
            _ => {}
        }
        if verb == Verb::Options {
            head += "Allow: GET, HEAD, OPTIONS\r\nAccess-Control-Allow-Methods: GET, HEAD\r\n\
                     Access-Control-Allow-Headers: *\r\nAccess-Control-Max-Age: 86400\r\n";
        }
        head += "\r\n";
        if verb != Verb::Head {
            head += &self.body;
        }
        head.into_bytes()
    }
}

/// Answers a request that came to this address of the machine.
pub fn answer(request: &Request, tree: &Tree, host: &Host, local: SocketAddr) -> Answer {
    let nothing = || Answer { status: Status::NoContent, body: String::new() };
    if request.verb == Verb::Options {
        return nothing();
    }
    // Whatever it is asked of.
    if request.query.as_deref() == Some("HOST_INFO") {
        return Answer::of(&host_info(host, local));
    }
    let Some(node) = Node::at(tree, &request.path) else {
        return Answer::refused(Status::NotFound, "there is no such address in the patch as it is");
    };
    let Some(name) = &request.query else { return Answer::of(&node) };
    match Attribute::named(name) {
        None => Answer::refused(Status::BadRequest, "there is no such attribute"),
        Some(attribute) => node.attribute(attribute).map_or_else(nothing, |value| Answer::of(&value)),
    }
}

fn host_info(host: &Host, local: SocketAddr) -> serde_json::Value {
    // Who has come here by an address of this machine sends to the same one, if OSC is taken at all of them.
    let osc = if host.osc.ip().is_unspecified() { local.ip() } else { host.osc.ip() };
    let extensions: serde_json::Map<_, _> = EXTENSIONS.iter().map(|name| ((*name).to_owned(), true.into())).collect();
    json!({
        "NAME": host.name,
        "EXTENSIONS": extensions,
        "OSC_IP": osc.to_canonical().to_string(),
        "OSC_PORT": host.osc.port(),
        "OSC_TRANSPORT": "UDP",
        "WS_IP": local.ip().to_canonical().to_string(),
        "WS_PORT": local.port(),
    })
}
