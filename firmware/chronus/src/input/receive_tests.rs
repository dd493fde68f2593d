use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::sys::socket::getsockopt;

use super::*;

/// What an unprivileged user gets from an untouched kernel (net.core.rmem_max of most distributions).
const DEFAULT_BUDGET: usize = 212_992;

fn local(host: &str) -> SocketAddr {
    format!("{host}:0").parse().unwrap()
}

/// Receives until `wanted` datagrams are there, or none has come for three seconds: longer than any thread
/// is kept waiting on a busy machine.
fn drain(receiver: &mut Receiver, wanted: usize) -> Vec<Datagram> {
    let mut received = Vec::new();
    let mut last = Instant::now();
    while received.len() < wanted && last.elapsed() < Duration::from_secs(3) {
        receiver
            .receive_batch(&mut |datagram| {
                received.push(datagram);
                last = Instant::now();
            })
            .unwrap();
    }
    received
}

fn monotonic_ns() -> u64 {
    Clocks::read().unwrap().arrival(None)
}

#[test]
fn datagrams_come_with_sender_and_time_over_both_protocols() {
    for host in ["127.0.0.1", "[::1]"] {
        let Ok(mut receiver) = Receiver::bind(local(host)) else {
            assert_eq!(host, "[::1]", "only IPv6 may be missing");
            continue;
        };
        let sender = UdpSocket::bind(local(host)).unwrap();
        // The time of arrival, not of the thread's waking up 30 ms later. The kernel switches timestamps on in a work
        // queue of its own, which on a busy machine comes after the first datagrams.
        let in_time = (0..10).any(|_| {
            let before = monotonic_ns();
            sender.send_to(b"/test\0\0\0", receiver.local_address().unwrap()).unwrap();
            let sent = monotonic_ns();
            std::thread::sleep(Duration::from_millis(30));
            let received = drain(&mut receiver, 1);
            assert_eq!(received[0].bytes, b"/test\0\0\0");
            assert_eq!(received[0].sender, sender.local_addr().unwrap());
            assert!(!received[0].truncated);
            (before..=sent + 5_000_000).contains(&(received[0].arrival_ns + 100_000))
        });
        assert!(in_time, "no datagram of ten has its time of arrival");
    }
}

#[test]
fn an_oversized_datagram_is_marked_and_not_kept_and_the_largest_is() {
    let mut receiver = Receiver::bind(local("127.0.0.1")).unwrap();
    let sender = UdpSocket::bind(local("127.0.0.1")).unwrap();
    for size in [0, MAX_DATAGRAM_BYTES, MAX_DATAGRAM_BYTES + 1, 65_000] {
        sender.send_to(&vec![b'/'; size], receiver.local_address().unwrap()).unwrap();
    }
    let received = drain(&mut receiver, 4);
    let sizes: Vec<_> = received.iter().map(|datagram| (datagram.bytes.len(), datagram.truncated)).collect();
    assert_eq!(sizes, [(0, false), (MAX_DATAGRAM_BYTES, false), (0, true), (0, true)]);
}

/// Sends a burst at full speed while the receiving thread runs; returns the numbers that came, and drops.
fn burst(mut receiver: Receiver, count: u32) -> (Vec<u32>, u64) {
    let target = receiver.local_address().unwrap();
    let started = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let receiving = scope.spawn(|| {
            started.store(true, Ordering::Release);
            let received = drain(&mut receiver, count as usize);
            (received, receiver.kernel_drops())
        });
        while !started.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        let sender = UdpSocket::bind(local("127.0.0.1")).unwrap();
        let mut bytes = b"/mod/sine/freq\0\0,i\0\0\0\0\0\0".to_vec();
        for number in 0..count {
            bytes[20..].copy_from_slice(&number.to_be_bytes());
            sender.send_to(&bytes, target).unwrap();
        }
        let (received, drops) = receiving.join().unwrap();
        let number = |datagram: &Datagram| u32::from_be_bytes(datagram.bytes[20..].try_into().unwrap());
        let times = |pair: &[Datagram]| (pair[0].arrival_ns, pair[1].arrival_ns);
        let backwards = received.windows(2).map(times).find(|(first, second)| first > second);
        assert_eq!(backwards, None, "a time of arrival before that of the datagram in front");
        (received.iter().map(number).collect(), drops)
    })
}

/// Receive buffer that holds a whole burst even if the receiving thread is not scheduled once meanwhile: the
/// kernel counts 768 bytes for a small datagram, 1280 on some machines.
const HOLDS_A_BURST: usize = 5000 * 1280;

#[test]
fn a_burst_of_5000_loses_none() {
    let receiver = Receiver::bind(local("127.0.0.1")).unwrap();
    let budget = getsockopt(&receiver.socket, sockopt::RcvBuf).unwrap();
    let (numbers, drops) = burst(receiver, 5000);
    // With a small budget that cannot be raised it is the scheduler that decides.
    if budget >= HOLDS_A_BURST || drops == 0 {
        assert!(numbers == (0..5000).collect::<Vec<_>>(), "{} of 5000 came, {drops} dropped", numbers.len());
    }
}

#[test]
fn on_the_default_budget_nothing_is_lost_unnoticed() {
    let mut receiver = Receiver::bind_with_buffer(local("127.0.0.1"), DEFAULT_BUDGET, false).unwrap();
    let target = receiver.local_address().unwrap();
    let sender = UdpSocket::bind(local("127.0.0.1")).unwrap();
    // Far more than fit, with nobody receiving: the worst that scheduling can do.
    for _ in 0..5000 {
        sender.send_to(b"/test\0\0\0", target).unwrap();
    }
    let mut taken = 0;
    receiver.receive_batch(&mut |_| taken += 1).unwrap();
    assert!((200..5000).contains(&taken), "{taken}");
    sender.send_to(b"/test\0\0\0", target).unwrap();
    receiver.receive_batch(&mut |_| taken += 1).unwrap();
    assert_eq!(taken + receiver.kernel_drops(), 5001);
}

#[test]
fn what_the_kernel_dropped_before_a_socket_was_taken_over_is_not_counted_again() {
    let mut receiver = Receiver::bind_with_buffer(local("127.0.0.1"), 4096, false).unwrap();
    let target = receiver.local_address().unwrap();
    let sender = UdpSocket::bind(local("127.0.0.1")).unwrap();
    for _ in 0..2 {
        (0..200).for_each(|_| _ = sender.send_to(b"/test\0\0\0", target).unwrap());
        receiver.receive_batch(&mut drop).unwrap();
    }
    assert!(receiver.kernel_drops() > 0, "nothing was dropped");
    let socket = receiver.socket().try_clone().unwrap();
    drop(receiver);
    let mut receiver = Receiver::adopt(socket).unwrap();
    sender.send_to(b"/test\0\0\0", target).unwrap();
    drain(&mut receiver, 1);
    assert_eq!(receiver.kernel_drops(), 0);
}

#[test]
fn what_the_kernel_drops_is_counted_and_times_stay_right() {
    let mut receiver = Receiver::bind_with_buffer(local("127.0.0.1"), 4096, false).unwrap();
    let target = receiver.local_address().unwrap();
    let sender = UdpSocket::bind(local("127.0.0.1")).unwrap();
    let mut taken = 0;
    for _ in 0..2 {
        for _ in 0..200 {
            sender.send_to(b"/test\0\0\0", target).unwrap();
        }
        receiver.receive_batch(&mut |_| taken += 1).unwrap();
    }
    sender.send_to(b"/test\0\0\0", target).unwrap();
    std::thread::sleep(Duration::from_millis(30));
    let now = monotonic_ns();
    let last = drain(&mut receiver, 1);
    assert_eq!(taken + receiver.kernel_drops(), 400);
    assert!(now - last[0].arrival_ns > 20_000_000, "the kernel's timestamp was lost beside the drop count");
}

#[test]
fn no_datagram_is_older_than_the_one_in_front() {
    let mut receiver = Receiver::bind(local("127.0.0.1")).unwrap();
    let front = monotonic_ns() + 60_000_000_000;
    receiver.last_arrival_ns = front;
    let sender = UdpSocket::bind(local("127.0.0.1")).unwrap();
    sender.send_to(b"/test\0\0\0", receiver.local_address().unwrap()).unwrap();
    assert_eq!(drain(&mut receiver, 1)[0].arrival_ns, front);
}

#[test]
fn waiting_ends_without_a_datagram() {
    let mut receiver = Receiver::bind(local("127.0.0.1")).unwrap();
    let start = Instant::now();
    receiver.receive_batch(&mut |_| panic!("nothing was sent")).unwrap();
    assert!(start.elapsed() >= Duration::from_millis(90));
}

#[test]
fn a_reply_to_someone_who_has_gone_does_no_harm() {
    let mut receiver = Receiver::bind(local("127.0.0.1")).unwrap();
    let gone = UdpSocket::bind(local("127.0.0.1")).unwrap().local_addr().unwrap();
    receiver.socket().connect(gone).unwrap();
    receiver.socket().send(b"/error\0\0").unwrap();
    std::thread::sleep(Duration::from_millis(20));
    receiver.receive_batch(&mut |_| panic!("nothing was sent")).unwrap();
}

#[test]
fn a_port_in_use_is_explained() {
    let first = Receiver::bind(local("127.0.0.1")).unwrap();
    let error = Receiver::bind(first.local_address().unwrap()).map(|_| ()).unwrap_err();
    assert!(error.contains("--osc ADDR:PORT") && error.contains("another program"), "{error}");
    let error = Receiver::bind("192.0.2.1:5005".parse().unwrap()).map(|_| ()).unwrap_err();
    assert!(error.contains("no interface"), "{error}");
}

#[test]
fn a_flood_is_told_once_and_kept_away_by_the_kernel_while_others_are_heard() {
    let mut receiver = Receiver::bind(local("127.0.0.1")).unwrap();
    let target = receiver.local_address().unwrap();
    let [flooder, client] = [(); 2].map(|()| UdpSocket::bind(local("127.0.0.1")).unwrap());
    flooder.set_nonblocking(true).unwrap();
    let (mut from_flooder, mut from_client, mut sent) = (0, 0, 0);
    let start = Instant::now();
    // Long enough to be let in again and shut out again.
    while start.elapsed() < Duration::from_millis(2500) {
        for _ in 0..500 {
            flooder.send_to(b"/test\0\0\0", target).unwrap();
        }
        client.send_to(b"/version", target).unwrap();
        sent += 1;
        receiver
            .receive_batch(&mut |datagram| match &datagram.bytes[..] {
                b"/version" => from_client += 1,
                _ => from_flooder += 1,
            })
            .unwrap();
    }
    println!("{} sent by the flooder, {from_flooder} taken; {from_client} of {sent} of the other", 500 * sent);
    // The burst, and what is allowed at two or three looks and in between.
    assert!((8192..=8192 + 3 * 1024 + 50_000).contains(&from_flooder), "{from_flooder}");
    assert_eq!((from_client, receiver.kernel_drops(), receiver.floods()), (sent, 0, 1));
    assert_eq!(from_flooder + receiver.flood_drops(), 500 * sent);
    let by_kernel = u64::from(receiver.drops.kernel_counter());
    assert!(by_kernel * 2 > receiver.flood_drops(), "the kernel dropped only {by_kernel}");
    let told = std::iter::from_fn(|| flooder.recv(&mut [0; 1024]).ok()).count();
    assert_eq!(told, 1);
}
