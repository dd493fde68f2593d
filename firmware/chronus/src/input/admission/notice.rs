//! What is said of a flood: one reply to who floods, and one line in the log.

use std::net::SocketAddr;

use rt::clock::NANOSECONDS;

use super::super::refusal::{Code, Refusal};
use super::super::stream::sender_name;
use super::{SENDER, Verdict};

/// Least time between two lines in the log, in nanoseconds: a second. With forged addresses there can be thousands of
/// floods in one.
const LOG_INTERVAL_NS: u64 = NANOSECONDS;

/// Tells of floods and counts them.
#[derive(Default)]
pub struct Notices {
    /// Floods that have begun.
    pub floods: u64,
    next_line_ns: u64,
    unlogged: u64,
}

impl Notices {
    /// Tells of a flood if one begins with this verdict over a datagram of `sender`, which is sent what `reply` is
    /// given.
    pub fn tell(&mut self, verdict: Verdict, sender: SocketAddr, now_ns: u64, reply: impl FnOnce(&[u8])) {
        match verdict {
            Verdict::Take(_) | Verdict::Drop => return,
            Verdict::Tell => tell_sender(reply),
            Verdict::Note => {}
        }
        self.floods += 1;
        if now_ns < self.next_line_ns {
            self.unlogged += 1;
            return;
        }
        self.next_line_ns = now_ns + LOG_INTERVAL_NS;
        let who = match verdict {
            Verdict::Note => "a crowd of many senders".to_owned(),
            _ => sender_name(sender),
        };
        let others = match std::mem::take(&mut self.unlogged) {
            0 => String::new(),
            number => format!(" ({number} other floods were not told in this log)"),
        };
        log::warn!("{who} floods the engine with OSC and is kept out until it sends less; others are served{others}");
    }
}

fn tell_sender(reply: impl FnOnce(&[u8])) {
    let text = format!(
        "you send more than {} datagrams at once or {} a second; what you send is dropped, a second at a time, until \
         you send less",
        SENDER.burst, SENDER.per_second
    );
    if let Some(bytes) = Refusal::new("-", Code::Flood, text).to_packet() {
        reply(&bytes);
    }
}
