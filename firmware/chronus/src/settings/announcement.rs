//! How a box is found by programs that look for OSC in the network (DNS-SD, RFC 6763): a file for systemd-resolved, which
//! tells the box's name already.

use std::net::SocketAddr;

use toml::{Table, Value};

use crate::command_line::RunOptions;

/// The file; `None` if nobody in the network could send anything: OSC is off, or for programs on the box alone.
pub fn announcement(osc: &Table) -> Option<String> {
    let address = match osc.get("listen").and_then(Value::as_str) {
        // What is not `off` was checked.
        Some(listen) => listen.parse::<SocketAddr>().ok()?,
        None => RunOptions::default().osc?,
    };
    // %H is the box's name.
    let service = format!("[Service]\nName=%H\nType=_osc._udp\nPort={}\n", address.port());
    (!address.ip().is_loopback()).then_some(service)
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
}
