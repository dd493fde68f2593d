//! Clients that do what no client should, each with sockets of its own.

use std::io::IoSlice;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::libc;
use nix::sys::socket::{ControlMessage, MsgFlags, SockaddrIn, sendmsg};
use rosc::{OscBundle, OscMessage, OscPacket, OscTime, OscType, encoder};

use crate::random::Random;

/// Seconds from the epoch of OSC time (1900) to that of the wall clock (1970).
const SECONDS_1900_TO_1970: u64 = 2_208_988_800;

/// The largest datagram that UDP over IPv4 can carry.
const LARGEST_DATAGRAM: usize = 65_507;

/// Messages in a bundle of many: it stays below the 32 KiB that the engine reads.
const MESSAGES_IN_A_BUNDLE: usize = 1000;

/// How long a client sends, and what it got back.
pub struct Abuser {
    socket: UdpSocket,
    /// Codes of the error replies read so far.
    pub codes: Vec<String>,
    /// Datagrams sent.
    pub sent: u64,
}

/// A message, encoded.
pub fn message(address: &str, arguments: Vec<OscType>) -> OscPacket {
    OscPacket::Message(OscMessage { addr: address.to_owned(), args: arguments })
}

/// A bundle for a time so far from now.
pub fn bundle_in(time: Duration, content: Vec<OscPacket>) -> OscPacket {
    let due = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock that is right") + time;
    let fractional = ((u64::from(due.subsec_nanos()) << 32) / 1_000_000_000) as u32;
    let timetag = OscTime { seconds: (due.as_secs() + SECONDS_1900_TO_1970) as u32, fractional };
    OscPacket::Bundle(OscBundle { timetag, content })
}

fn encode(packet: &OscPacket) -> Vec<u8> {
    encoder::encode(packet).expect("a packet encodes")
}

/// A good command; what it sets is what is set from the start.
fn harmless() -> OscPacket {
    message("/mod/sine/gain", vec![OscType::Float(0.5)])
}

impl Abuser {
    /// A client of the engine at `target`, sending from any port of `own`.
    pub fn new(own: &str, target: SocketAddr) -> Self {
        let socket = UdpSocket::bind((own, 0)).expect("a socket");
        socket.connect(target).expect("a connection");
        socket.set_nonblocking(true).expect("a socket that does not wait");
        Self { socket, codes: Vec::new(), sent: 0 }
    }

    fn send(&mut self, bytes: &[u8]) {
        // A full send buffer is no reason to stop.
        self.sent += u64::from(self.socket.send(bytes).is_ok());
        if self.sent.is_multiple_of(64) {
            self.read_replies();
        }
    }

    /// Reads what came back.
    pub fn read_replies(&mut self) {
        let mut reply = [0; 2048];
        while let Ok(length) = self.socket.recv(&mut reply) {
            let Ok((_, OscPacket::Message(reply))) = rosc::decoder::decode_udp(&reply[..length]) else { continue };
            if let Some(OscType::String(code)) = reply.args.get(1).filter(|_| reply.addr == "/error") {
                self.codes.push(code.clone());
            }
        }
    }

    /// How often it was told `code`.
    pub fn told(&mut self, code: &str) -> usize {
        self.read_replies();
        self.codes.iter().filter(|told| *told == code).count()
    }

    /// Sends the same again and again, as fast as it can, for a while.
    fn repeat(&mut self, bytes: &[u8], time: Duration) {
        let start = Instant::now();
        while start.elapsed() < time {
            for _ in 0..256 {
                self.send(bytes);
            }
        }
    }

    /// A good command as often as this machine can.
    pub fn flood(&mut self, time: Duration) {
        self.repeat(&encode(&harmless()), time);
    }

    /// Datagrams as large as there are.
    pub fn oversized(&mut self, time: Duration) {
        self.repeat(&vec![b'/'; LARGEST_DATAGRAM], time);
    }

    /// What is no OSC, at a pace that is no flood but far beyond that of replies.
    pub fn garbage(&mut self, datagrams: u64) {
        let mut random = Random::new(4);
        for _ in 0..datagrams {
            let bytes: Vec<u8> = (0..random.below(100)).map(|_| random.bits() as u8).collect();
            self.send(&bytes);
            std::thread::sleep(Duration::from_micros(50));
        }
    }

    /// Addresses that nobody has, in a patch of many modules: to say which one was meant takes a thousand times what a note
    /// does.
    pub fn dear(&mut self, datagrams: u64) {
        let (now, text) = (Duration::ZERO, |text: String| OscType::String(text));
        let module = |number| message("/patch/create", vec![text(format!("module{number}")), text("mixer".to_owned())]);
        self.send(&encode(&bundle_in(now, (0..58).map(module).collect())));
        let unknown = (0..700).map(|number| message(&format!("/mod/modul{number}/level"), vec![])).collect();
        let bytes = encode(&bundle_in(now, unknown));
        (0..datagrams).for_each(|_| self.send(&bytes));
    }

    /// Takes back what it has edited.
    pub fn abort(&mut self) {
        self.send(&encode(&message("/patch/abort", vec![])));
    }

    /// Bundles nested 1,000 deep.
    pub fn nested(&mut self, datagrams: u64) {
        let now = Duration::ZERO;
        let bytes = encode(&(0..1000).fold(harmless(), |inner, _| bundle_in(now, vec![inner])));
        for _ in 0..datagrams {
            self.send(&bytes);
        }
    }

    /// Commands for next year.
    pub fn a_year_ahead(&mut self, datagrams: u64) {
        let bytes = encode(&bundle_in(Duration::from_secs(365 * 86_400), vec![harmless()]));
        for _ in 0..datagrams {
            self.send(&bytes);
        }
    }

    /// So many commands for half an hour from now.
    pub fn fill_the_waiting_room(&mut self, bundles: usize) {
        let content = vec![harmless(); MESSAGES_IN_A_BUNDLE];
        let bytes = encode(&bundle_in(Duration::from_secs(1800), content));
        for _ in 0..bundles {
            self.send(&bytes);
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Every address there is and patterns for all of them, with arguments of all kinds, in full bundles.
    pub fn every_address(&mut self, rounds: usize) {
        let modules = crate::power_on::addresses().into_iter();
        let patterns =
            ["/mod/*/*", "/*/*/*", "/{mod,gate,engine}/*", "/*", "/[!x]*/?*", "/mod/{sine,adsr,filter}/[a-z]*"];
        let others = ["/gate/adsr", "/engine/freq", "/engine/gain", "/test", "/status", "/version", "/error"];
        let addresses: Vec<_> = modules.chain(patterns.into_iter().chain(others).map(str::to_owned)).collect();
        let arguments = [
            vec![],
            vec![OscType::Float(0.5)],
            vec![OscType::Int(i32::MIN)],
            vec![OscType::Double(f64::NAN)],
            vec![OscType::String("on".to_owned())],
            vec![OscType::Blob(vec![0; 8])],
            vec![OscType::Nil, OscType::Inf],
        ];
        for round in 0..rounds {
            for arguments in &arguments {
                let all: Vec<_> = addresses.iter().map(|address| message(address, arguments.clone())).collect();
                let all: Vec<_> = all.into_iter().cycle().skip(round).take(500).collect();
                self.send(&encode(&bundle_in(Duration::ZERO, all)));
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

/// Good commands as often as this machine can, each from another address of 127.0.0.0/8. Gives how many.
pub fn forge(target: SocketAddr, time: Duration) -> u64 {
    let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    let SocketAddr::V4(target) = target else { panic!("IPv4 has a network of loopback addresses") };
    let (target, bytes) = (SockaddrIn::from(target), encode(&harmless()));
    let (start, mut sent) = (Instant::now(), 0_u64);
    while start.elapsed() < time {
        for _ in 0..256 {
            // A large odd factor, so that neighbours do not follow each other: 2^24 addresses, each once in a while.
            let address = 0x7F00_0000 | (sent.wrapping_mul(0x009E_3779) as u32 & 0x00FF_FFFF) | 1;
            let own = libc::in_pktinfo {
                ipi_ifindex: 0,
                ipi_spec_dst: libc::in_addr { s_addr: address.to_be() },
                ipi_addr: libc::in_addr { s_addr: 0 },
            };
            let control = [ControlMessage::Ipv4PacketInfo(&own)];
            let parts = [IoSlice::new(&bytes)];
            let flags = MsgFlags::MSG_DONTWAIT;
            sent += u64::from(sendmsg(socket.as_raw_fd(), &parts, &control, flags, Some(&target)).is_ok());
        }
    }
    sent
}

/// Good commands as often as this machine can, from so many ports of one address in turn. Gives how many, and how
/// often any of the ports was told that it floods.
pub fn many_ports(own: &str, target: SocketAddr, ports: usize, time: Duration) -> (u64, usize) {
    let mut clients: Vec<_> = (0..ports).map(|_| Abuser::new(own, target)).collect();
    let (start, bytes) = (Instant::now(), encode(&harmless()));
    while start.elapsed() < time {
        clients.iter_mut().for_each(|client| client.send(&bytes));
    }
    std::thread::sleep(Duration::from_millis(50));
    let told = clients.iter_mut().map(|client| client.told("flood")).sum();
    (clients.iter().map(|client| client.sent).sum(), told)
}
