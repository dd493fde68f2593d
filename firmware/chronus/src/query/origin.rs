//! Whether what comes by a WebSocket may set anything. Any web page that somebody on a laptop looks at may open a WebSocket
//! to the box, and browsers ask nobody before; they only say whose page it is. So a page may set what it wants if it was
//! loaded from the box itself, or from the machine that the engine runs on; programs that are no browsers say nothing.

use std::net::IpAddr;

/// Whether a client may set values: `origin` is what its browser says, `local` the address it has connected to, `host` the
/// name of this machine.
pub fn may_set(origin: Option<&str>, local: IpAddr, host: &str) -> bool {
    let Some(origin) = origin else { return true };
    // `null` is that of a file, and of a frame that any page may make: so it says nothing.
    let Some(authority) = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")) else {
        return false;
    };
    let name = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => authority.split(':').next(),
    };
    let name = name.unwrap_or_default();
    let local = local.to_canonical();
    // By its number: a page cannot make its own name mean this address and still be one of this number. Names do not do,
    // since anybody's may be made to mean the box a moment later (DNS rebinding); but for those that come from no such server.
    if let Ok(address) = name.parse::<IpAddr>() {
        return address.to_canonical() == local;
    }
    let is_own = !host.is_empty() && name.eq_ignore_ascii_case(&format!("{host}.local"));
    (name == "localhost" && local.is_loopback()) || is_own
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_others_set_nothing() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let lan = address("::ffff:192.168.1.7");
        for (origin, local, may) in [
            (None, lan, true),
            (Some("http://192.168.1.7:8080"), lan, true),
            (Some("https://192.168.1.7"), lan, true),
            (Some("http://chronus-1a2b.local:8080"), lan, true),
            (Some("http://CHRONUS-1A2B.local"), lan, true),
            (Some("http://192.168.1.8"), lan, false),
            (Some("http://localhost:8080"), lan, false),
            (Some("http://127.0.0.1"), lan, false),
            (Some("http://evil.example:5006"), lan, false),
            (Some("http://192.168.1.7.evil.example"), lan, false),
            (Some("http://chronus-1a2b.local.evil.example"), lan, false),
            (Some("null"), lan, false),
            (Some(""), lan, false),
            (Some("file://"), lan, false),
            (Some("chronus-1a2b.local"), lan, false),
            (Some("http://localhost:8080"), address("127.0.0.1"), true),
            (Some("http://[::1]:8080"), address("::1"), true),
            (Some("http://[::2]:8080"), address("::1"), false),
        ] {
            assert_eq!(may_set(origin, local, "chronus-1a2b"), may, "{origin:?}");
        }
        assert!(!may_set(Some("http://.local"), lan, ""));
    }
}
