//! Senders of a stream: known everywhere by an address as senders of datagrams are, but by one that no datagram comes
//! from, so that nothing that is for one of them ever goes to the other.

use std::net::{SocketAddr, SocketAddrV6};

/// The sender at the other end of a connection with this number, which is not 0. The number stands in the flow
/// information, which is 0 in the address of any datagram; the rest is the address itself.
pub fn sender_of_stream(peer: SocketAddr, number: u32) -> SocketAddr {
    let (address, scope) = match peer {
        SocketAddr::V4(v4) => (v4.ip().to_ipv6_mapped(), 0),
        SocketAddr::V6(v6) => (*v6.ip(), v6.scope_id()),
    };
    SocketAddrV6::new(address, peer.port(), number, scope).into()
}

/// Whether this is a sender of a stream.
pub fn is_stream(sender: SocketAddr) -> bool {
    matches!(sender, SocketAddr::V6(v6) if v6.flowinfo() != 0)
}

/// A sender in words: address and port, and `tcp` before those of a stream.
pub fn sender_name(sender: SocketAddr) -> String {
    let plain = SocketAddr::new(sender.ip().to_canonical(), sender.port());
    if is_stream(sender) { format!("tcp {plain}") } else { plain.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::host_of;

    #[test]
    fn a_stream_is_no_sender_of_datagrams_and_of_the_same_host() {
        for peer in ["10.0.0.1:77", "[2001:db8::1]:77"].map(|text| text.parse::<SocketAddr>().unwrap()) {
            let [first, second] = [1, 2].map(|number| sender_of_stream(peer, number));
            assert!(is_stream(first) && !is_stream(peer) && first != peer && first != second);
            assert_eq!(host_of(first.ip()), host_of(peer.ip()));
            assert_eq!(sender_name(first), format!("tcp {peer}"));
            assert_eq!(sender_name(peer), peer.to_string());
        }
    }
}
