//! A filter on a UDP socket that drops the datagrams of chosen senders in the kernel, before they take room in the
//! receive buffer or wake anybody. Classic BPF: needs no privileges.
//!
//! The program is one piece for each sender, each of this form, where a check that fails goes on with the next piece:
//!
//! ```text
//!     load the first byte of the IP header, keep its upper half; is it the version, 4 or 6?
//!     load the source address, 32 bits at a time; is each part the sender's?
//!     load the source port: the first 16 bits of what a filter on a UDP socket sees; is it the sender's?
//!     drop
//! ```
//!
//! and at the end: keep the whole datagram. A sender over IPv4 at a socket that takes both protocols sends IPv4
//! packets all the same, so it is looked for as such. The kernel counts what a filter drops as dropped (`SO_RXQ_OVFL`).

use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use libc::{BPF_ABS, BPF_ALU, BPF_B, BPF_H, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_RSH, BPF_W};
use nix::errno::Errno;

/// Senders that one filter may have: 225 instructions at most, of 4,096 that the kernel takes, and the time that
/// each good datagram spends in it stays below that of receiving it.
pub const MOST_SENDERS: usize = 16;

/// Offsets from here on count from the IP header; others from the UDP header. (`SKF_NET_OFF`, as the unsigned
/// number an instruction has.)
const IP_HEADER: u32 = libc::SKF_NET_OFF as u32;
/// Where the source address begins in a header of IPv4 and of IPv6.
const SOURCE: [u32; 2] = [12, 8];
/// What the program returns for a datagram that is kept whole.
const KEEP: u32 = u32::MAX;

fn instruction(code: u32, jump_if_false: u8, operand: u32) -> libc::sock_filter {
    libc::sock_filter { code: code as u16, jt: 0, jf: jump_if_false, k: operand }
}

fn load(size: u32, offset: u32) -> libc::sock_filter {
    instruction(BPF_LD | size | BPF_ABS, 0, offset)
}

/// The piece of one sender.
fn drop_sender(sender: SocketAddr) -> Vec<libc::sock_filter> {
    let (version, source, address) = match sender.ip().to_canonical() {
        IpAddr::V4(v4) => (4, SOURCE[0], v4.octets().to_vec()),
        IpAddr::V6(v6) => (6, SOURCE[1], v6.octets().to_vec()),
    };
    let mut checks = vec![(vec![load(BPF_B, IP_HEADER), instruction(BPF_ALU | BPF_RSH | BPF_K, 0, 4)], version)];
    for (part, word) in address.chunks_exact(4).enumerate() {
        let word = word.iter().fold(0, |word, byte| word << 8 | u32::from(*byte));
        checks.push((vec![load(BPF_W, IP_HEADER.wrapping_add(source + 4 * part as u32))], word));
    }
    checks.push((vec![load(BPF_H, 0)], u32::from(sender.port())));
    // All loads, one comparison for each check, and the end.
    let length = checks.iter().map(|(loads, _)| loads.len() + 1).sum::<usize>() + 1;
    let mut piece = Vec::with_capacity(length);
    for (loads, wanted) in checks {
        piece.extend(loads);
        // Counted from the next instruction; at most 14.
        let to_the_next_piece = (length - piece.len() - 1) as u8;
        piece.push(instruction(BPF_JMP | BPF_JEQ | BPF_K, to_the_next_piece, wanted));
    }
    piece.push(instruction(BPF_RET | BPF_K, 0, 0));
    piece
}

/// Has the kernel drop what these senders (at most [`MOST_SENDERS`], the rest is left alone) send to the socket, and
/// nobody else's any more; none: nobody's. Datagrams that are in the receive buffer already stay there.
///
/// # Errors
/// What the kernel says: `ENOMEM` beyond `net.core.optmem_max`, `EPERM` if a filter was locked. The socket is then as
/// it was.
pub fn drop_senders(socket: BorrowedFd, senders: &[SocketAddr]) -> Result<(), Errno> {
    let mut program: Vec<_> = senders.iter().take(MOST_SENDERS).flat_map(|sender| drop_sender(*sender)).collect();
    if program.is_empty() {
        return set_option(socket, libc::SO_DETACH_FILTER, &0).or_else(|error| match error {
            // There was none.
            Errno::ENOENT => Ok(()),
            error => Err(error),
        });
    }
    program.push(instruction(BPF_RET | BPF_K, 0, KEEP));
    let description = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    set_option(socket, libc::SO_ATTACH_FILTER, &description)
}

/// `T` is what the kernel expects for `option`: an int, or a `sock_fprog` whose program is alive.
fn set_option<T>(socket: BorrowedFd, option: i32, value: &T) -> Result<(), Errno> {
    let (value, size) = (ptr::from_ref(value).cast(), size_of::<T>() as libc::socklen_t);
    // SAFETY: the kernel reads `size` bytes behind `value`, and copies the program before it returns.
    Errno::result(unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, option, value, size) }).map(drop)
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::os::fd::AsFd;
    use std::time::Duration;

    use super::*;

    /// Those of the senders whose datagram comes through.
    fn heard(socket: &UdpSocket, senders: &[UdpSocket], target: SocketAddr) -> Vec<u8> {
        for (number, sender) in senders.iter().enumerate() {
            sender.send_to(&[number as u8], target).unwrap();
        }
        let mut byte = [0];
        std::iter::from_fn(|| socket.recv(&mut byte).ok().map(|_| byte[0])).collect()
    }

    #[test]
    fn chosen_senders_are_dropped_over_both_protocols_and_no_others() {
        for (own, client) in [("127.0.0.1", "127.0.0.1"), ("[::1]", "[::1]"), ("[::]", "127.0.0.1")] {
            let Ok(socket) = UdpSocket::bind(format!("{own}:0")) else {
                assert_ne!(own, "127.0.0.1", "only IPv6 may be missing");
                continue;
            };
            socket.set_read_timeout(Some(Duration::from_millis(30))).unwrap();
            let target = format!("{client}:{}", socket.local_addr().unwrap().port()).parse().unwrap();
            let senders: Vec<_> =
                (0..MOST_SENDERS + 2).map(|_| UdpSocket::bind(format!("{client}:0")).unwrap()).collect();
            let everyone: Vec<u8> = (0..senders.len() as u8).collect();
            let addresses: Vec<_> = senders.iter().map(|sender| sender.local_addr().unwrap()).collect();
            let drop = |senders: &[SocketAddr]| drop_senders(socket.as_fd(), senders).unwrap();
            assert_eq!(heard(&socket, &senders, target), everyone, "{own}");
            drop(&addresses[..1]);
            assert_eq!(heard(&socket, &senders, target), everyone[1..], "{own}");
            // A new filter takes the place of the old one; more than it may have are left alone.
            drop(&addresses[1..]);
            assert_eq!(heard(&socket, &senders, target), [0, everyone.len() as u8 - 1], "{own}");
            drop(&[]);
            drop(&[]);
            assert_eq!(heard(&socket, &senders, target), everyone, "{own}");
        }
    }

    #[test]
    fn the_same_port_of_another_address_is_another_sender() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(30))).unwrap();
        let target = socket.local_addr().unwrap();
        let first = UdpSocket::bind("127.1.2.3:0").unwrap();
        let port = first.local_addr().unwrap().port();
        let Ok(second) = UdpSocket::bind(("127.3.2.1", port)) else { return };
        drop_senders(socket.as_fd(), &[first.local_addr().unwrap()]).unwrap();
        assert_eq!(heard(&socket, &[first, second], target), [1]);
    }
}
