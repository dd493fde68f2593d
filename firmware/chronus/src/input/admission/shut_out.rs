//! Who is shut out now, for the filter in the kernel.

use std::net::SocketAddr;

use rt::socket_filter::MOST_SENDERS;

/// Senders that are shut out, each until its time. More than a filter may have are left to the table of senders.
#[derive(Clone, Debug, Default)]
pub struct ShutOut {
    senders: Vec<(SocketAddr, u64)>,
    changed: bool,
}

impl ShutOut {
    /// Shuts out a sender that is not shut out, until a time in nanoseconds.
    pub fn add(&mut self, sender: SocketAddr, until_ns: u64) {
        if self.senders.len() < MOST_SENDERS {
            self.senders.push((sender, until_ns));
            self.changed = true;
        }
    }

    /// Lets those in again whose time is over; gives who is shut out now, if that has changed.
    pub fn update(&mut self, now_ns: u64) -> Option<Vec<SocketAddr>> {
        let before = self.senders.len();
        self.senders.retain(|(_, until_ns)| *until_ns > now_ns);
        let changed = std::mem::take(&mut self.changed) || self.senders.len() != before;
        changed.then(|| self.senders.iter().map(|(sender, _)| *sender).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_let_in_again_at_its_time_and_there_are_never_too_many() {
        let sender = |port: usize| SocketAddr::from(([10, 0, 0, 1], port as u16));
        let mut shut_out = ShutOut::default();
        assert_eq!(shut_out.update(0), None);
        for port in 0..100 {
            shut_out.add(sender(port), 1000 + port as u64);
        }
        assert_eq!(shut_out.update(10).unwrap().len(), MOST_SENDERS);
        assert_eq!(shut_out.update(999), None);
        assert_eq!(shut_out.update(1001).unwrap()[0], sender(2));
        shut_out.add(sender(99), 1005);
        assert!(shut_out.update(1002).unwrap().contains(&sender(99)));
        assert_eq!(shut_out.update(9999), Some(vec![]));
        assert_eq!(shut_out.update(99_999), None);
    }
}
