use super::*;

const SECOND: u64 = 1_000_000_000;

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// `count` small datagrams within a time; gives how many were taken, and how many floods began.
fn send(admission: &mut Admission, from: SocketAddr, count: u64, start_ns: u64, over_ns: u64) -> (u64, u64) {
    let (mut taken, mut begun) = (0, 0);
    for number in 0..count {
        let now = start_ns + over_ns * number / count;
        admission.shut_out.update(now);
        match admission.judge(from, 20, now) {
            Verdict::Take(_) => taken += 1,
            Verdict::Tell | Verdict::Note => begun += 1,
            Verdict::Drop => {}
        }
    }
    (taken, begun)
}

#[test]
fn bursts_of_5000_with_pauses_pass() {
    let mut admission = Admission::new();
    let client = address("192.168.1.9:5000");
    for burst in 1..20 {
        let start = burst * SECOND / 4;
        assert_eq!(send(&mut admission, client, 5000, start, SECOND / 100), (5000, 0), "burst {burst}");
    }
}

#[test]
fn a_flood_is_told_once_shut_out_and_looked_at_again() {
    let mut admission = Admission::new();
    let flooder = address("192.168.1.9:5000");
    let (taken, begun) = send(&mut admission, flooder, 60 * 200_000, SECOND, 60 * SECOND);
    assert_eq!(begun, 1);
    assert!((SENDER.burst + 50 * SECOND_LOOK..SENDER.burst + 70 * SECOND_LOOK).contains(&taken), "{taken}");
    admission.shut_out.add(address("192.168.1.8:1"), 61 * SECOND);
    assert!(admission.shut_out.update(61 * SECOND - 1).unwrap().contains(&flooder));
    // It stops, and is a client as any other after a while.
    assert_eq!(send(&mut admission, flooder, 5000, 65 * SECOND, SECOND / 50), (5000, 0));
    // A flood within ten seconds of the last one is the same; one after that is another.
    assert_eq!(send(&mut admission, flooder, 200_000, 69 * SECOND, SECOND).1, 0);
    assert_eq!(send(&mut admission, flooder, 200_000, 85 * SECOND, SECOND).1, 1);
}

#[test]
fn large_datagrams_are_charged_by_their_size() {
    let mut admission = Admission::new();
    let flooder = address("[fe80::1]:5000");
    let taken = (0..1000).filter(|_| matches!(admission.judge(flooder, 32_768, SECOND), Verdict::Take(_))).count();
    assert_eq!(taken as u64, SENDER.burst / 256);
}

#[test]
fn a_host_with_many_ports_leaves_room_for_others_and_for_who_is_known() {
    let mut admission = Admission::new();
    let (neighbour, stranger) = (address("10.0.0.1:7"), address("10.0.0.2:7"));
    send(&mut admission, neighbour, 1, 0, 1);
    let (mut taken, mut told) = (0, 0);
    // 200,000 a second from 100 ports, for ten seconds; the two others send 100 a second.
    for number in 0..2_000_000 {
        let now = 2 * SECOND + number * 5000;
        let flooder = SocketAddr::from(([10, 0, 0, 1], 1000 + (number % 100) as u16));
        match admission.judge(flooder, 20, now) {
            Verdict::Take(_) => taken += 1,
            Verdict::Tell => told += 1,
            Verdict::Note | Verdict::Drop => {}
        }
        if number % 2000 == 0 {
            assert!(matches!(admission.judge(neighbour, 20, now), Verdict::Take(_)), "datagram {number}");
            assert!(matches!(admission.judge(stranger, 20, now), Verdict::Take(_)), "datagram {number}");
        }
    }
    assert_eq!(told, 1);
    // Each of the 100 is known after a second; none sends as little as a player.
    assert!(taken <= HOST.burst + 10 * HOST.per_second + 100 * PLAYER.burst, "{taken} were taken");
}

#[test]
fn a_million_forged_hosts_are_limited_and_who_is_known_is_served() {
    let mut admission = Admission::new();
    let client = address("10.0.0.1:7");
    send(&mut admission, client, 1, 0, 1);
    let (mut taken, mut noted) = (0, 0);
    for number in 0..1_000_000_u64 {
        let now = 2 * SECOND + number * 1000;
        match admission.judge(SocketAddr::from(((number as u32).wrapping_mul(7919).to_be_bytes(), 9)), 20, now) {
            Verdict::Take(_) => taken += 1,
            Verdict::Note => noted += 1,
            other => assert_eq!(other, Verdict::Drop),
        }
        // 200 a second.
        if number % 5000 == 0 {
            assert!(matches!(admission.judge(client, 20, now), Verdict::Take(_)), "datagram {number}");
        }
    }
    assert_eq!(noted, 1);
    assert!(taken <= EVERYONE.burst + EVERYONE.per_second, "{taken}");
}

#[test]
fn a_player_that_sends_too_much_once_is_one_again_when_that_is_paid() {
    let mut admission = Admission::new();
    let player = address("10.0.0.1:7");
    send(&mut admission, player, 1, 0, 1);
    let mut share = |now| admission.judge(player, 20, now) == Verdict::Take(Share::Player);
    assert_eq!((0..400).filter(|_| share(2 * SECOND)).count() as u64, PLAYER.burst);
    // What was sent beyond it is owed, and fills first.
    assert!(!share(2 * SECOND + SECOND / 2));
    assert!(share(3 * SECOND));
}

#[test]
fn who_is_new_or_sends_a_lot_has_no_share_of_a_player() {
    let mut admission = Admission::new();
    let (player, busy, stranger) = (address("10.0.0.1:7"), address("10.0.0.1:8"), address("10.0.0.2:7"));
    send(&mut admission, player, 1, 0, 1);
    send(&mut admission, busy, 2000, 1, 2 * SECOND);
    for (sender, share) in [(player, Share::Player), (busy, Share::Everyone), (stranger, Share::Everyone)] {
        assert_eq!(admission.judge(sender, 20, 2 * SECOND), Verdict::Take(share), "{sender}");
    }
}

#[test]
fn a_host_is_an_address_or_a_network_of_64_bits() {
    let host = |text: &str| host_of(text.parse().unwrap()).to_string();
    assert_eq!(host("10.1.2.3"), "10.1.2.3");
    assert_eq!(host("::ffff:10.1.2.3"), "10.1.2.3");
    assert_eq!(host("fd00:1:2:3:4:5:6:7"), "fd00:1:2:3::");
}
