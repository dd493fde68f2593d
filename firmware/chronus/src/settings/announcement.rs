//! How a box is found by programs that look for OSC in the network (DNS-SD, RFC 6763): a file for systemd-resolved for each
//! way in which it can be asked or played. It tells the box's name already.

use std::net::SocketAddr;

use toml::{Table, Value};

use crate::command_line::{QueryChoice, RunOptions};

/// The file about OSC; `None` if nobody in the network could send anything: OSC is off, or for programs on the box alone.
pub fn announcement(osc: &Table) -> Option<String> {
    service("_osc._udp", listen(osc)?)
}

/// The file about OSCQuery; `None` if nobody in the network could ask anything.
pub fn query_announcement(osc: &Table) -> Option<String> {
    let choice = match osc.get("query").and_then(Value::as_str) {
        Some(query) => QueryChoice::parse(query).ok()?,
        None => RunOptions::default().query,
    };
    service("_oscjson._tcp", choice.address(listen(osc)?)?)
}

/// Where OSC is taken.
fn listen(osc: &Table) -> Option<SocketAddr> {
    match osc.get("listen").and_then(Value::as_str) {
        // What is not `off` was checked.
        Some(listen) => listen.parse().ok(),
        None => RunOptions::default().osc,
    }
}

fn service(kind: &str, address: SocketAddr) -> Option<String> {
    // %H is the box's name. Which port is free is known only when the engine has it.
    let reachable = !address.ip().is_loopback() && address.port() != 0;
    reachable.then(|| format!("[Service]\nName=%H\nType={kind}\nPort={}\n", address.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_network_can_reach_is_announced_with_its_port() {
        let told = |listen: &str| announcement(&toml::from_str(&format!("listen = {listen:?}")).unwrap());
        assert!(announcement(&Table::new()).unwrap().contains("Type=_osc._udp\nPort=5005\n"));
        assert!(told("0.0.0.0:6000").unwrap().ends_with("Port=6000\n"));
        assert!(told("[::]:6000").is_some());
        assert_eq!([told("off"), told("127.0.0.1:5005"), told("[::1]:5005")], [None, None, None]);
    }

    #[test]
    fn oscquery_is_announced_where_it_is_asked() {
        let told = |text: &str| query_announcement(&toml::from_str(text).unwrap());
        let at = |port: u16| Some(format!("[Service]\nName=%H\nType=_oscjson._tcp\nPort={port}\n"));
        for (text, announced) in [
            ("", at(5006)),
            ("listen = '0.0.0.0:6000'", at(6001)),
            ("query = '0.0.0.0:8080'", at(8080)),
            ("listen = '127.0.0.1:6000'", None),
            ("listen = '127.0.0.1:6000'\nquery = '0.0.0.0:8080'", at(8080)),
            ("query = '127.0.0.1:8080'", None),
            ("query = 'off'", None),
            ("listen = 'off'", None),
            ("listen = '0.0.0.0:65535'", None),
        ] {
            assert_eq!(told(text), announced, "{text}");
        }
    }
}
