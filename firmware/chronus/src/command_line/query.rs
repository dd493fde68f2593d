//! `--osc-query`: where it is asked what can be sent.

use std::net::SocketAddr;

use super::options::Wrong;

/// A port that a program without special rights may listen at, for an example.
const FIRST_PORT: u16 = 1024;

/// Where OSCQuery is to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryChoice {
    /// At the address of OSC, one port above.
    BesideOsc,
    /// Nowhere.
    Off,
    /// Here.
    At(SocketAddr),
}

impl QueryChoice {
    /// The address, where OSC is taken at `osc`, as it was said; `None` for nowhere.
    pub fn address(self, osc: SocketAddr) -> Option<SocketAddr> {
        match self {
            Self::Off => None,
            Self::At(address) => Some(address),
            // Of any free port, and of the last, there is none above that is known to be free.
            Self::BesideOsc if osc.port() == 0 => Some(osc),
            Self::BesideOsc => Some(SocketAddr::new(osc.ip(), osc.port().checked_add(1).unwrap_or(0))),
        }
    }

    /// Reads what was said.
    ///
    /// # Errors
    /// If it is no address and not `off`.
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let wrong = |_| {
            Wrong(format!(
                "--osc-query {text}: needs ADDR:PORT, such as 0.0.0.0:5006 (all networks), 127.0.0.1:5006 (this machine \
                 only), or off"
            ))
        };
        if text == "off" { Ok(Self::Off) } else { text.parse().map(Self::At).map_err(wrong) }
    }

    /// Checks whether it goes together with where OSC is taken; `None` for nowhere.
    ///
    /// # Errors
    /// If OSCQuery would tell of nothing, or OSC over TCP has its port.
    pub fn check(self, osc: Option<SocketAddr>) -> Result<(), Wrong> {
        let Self::At(address) = self else { return Ok(()) };
        match osc {
            None => Err(Wrong(format!("--osc-query {address}: it tells where OSC is taken, and OSC is off"))),
            Some(osc) if osc.port() == address.port() && osc.port() != 0 => {
                let other = osc.port().checked_add(1).unwrap_or(FIRST_PORT);
                Err(Wrong(format!(
                    "--osc-query {address}: OSC over TCP has this port; take another one, such as {other}"
                )))
            }
            Some(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_asked_beside_osc_unless_it_is_said_where() {
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        for (osc, beside) in
            [("0.0.0.0:5005", "0.0.0.0:5006"), ("[::1]:65535", "[::1]:0"), ("127.0.0.1:0", "127.0.0.1:0")]
        {
            assert_eq!(QueryChoice::BesideOsc.address(at(osc)), Some(at(beside)));
            assert_eq!(QueryChoice::Off.address(at(osc)), None);
            assert_eq!(QueryChoice::parse("127.0.0.1:7").unwrap().address(at(osc)), Some(at("127.0.0.1:7")));
        }
        assert!(QueryChoice::parse("5006").unwrap_err().0.contains("ADDR:PORT"));
        let query = QueryChoice::parse("0.0.0.0:5005").unwrap();
        assert!(query.check(Some(at("127.0.0.1:5005"))).unwrap_err().0.contains("such as 5006"));
        assert!(query.check(None).unwrap_err().0.contains("OSC is off"));
        assert!(query.check(Some(at("127.0.0.1:5007"))).is_ok() && QueryChoice::Off.check(None).is_ok());
        assert!(QueryChoice::BesideOsc.check(None).is_ok());
    }
}
