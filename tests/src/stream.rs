//! A client that plays over TCP.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::os::fd::AsRawFd;
use std::time::Duration;

use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, bind, connect, socket};
use rosc::{OscMessage, OscPacket, OscType, encoder};

/// The byte that begins and ends a packet of SLIP.
const END: u8 = 0xC0;

/// How packets follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// A size before each.
    Size,
    /// Between END bytes.
    Slip,
}

impl Framing {
    /// A packet as it goes into the stream.
    pub fn wrap(self, packet: &[u8]) -> Vec<u8> {
        if self == Self::Size {
            return [&(packet.len() as u32).to_be_bytes()[..], packet].concat();
        }
        let escaped = packet.iter().flat_map(|byte| match byte {
            0xC0 => vec![0xDB, 0xDC],
            0xDB => vec![0xDB, 0xDD],
            byte => vec![*byte],
        });
        [END].into_iter().chain(escaped).chain([END]).collect()
    }
}

/// A message as bytes.
pub fn message(address: &str, arguments: Vec<OscType>) -> Vec<u8> {
    let message = OscMessage { addr: address.to_owned(), args: arguments };
    encoder::encode(&OscPacket::Message(message)).expect("a message encodes")
}

/// A client.
pub struct StreamClient {
    /// Its end of the connection.
    pub socket: TcpStream,
    framing: Framing,
}

impl StreamClient {
    /// Connects from this machine.
    pub fn connect(address: &str, framing: Framing) -> Self {
        Self::of(TcpStream::connect(address).expect("a connection"), framing)
    }

    /// Connects from one of the addresses of this machine, 127.0.0.`host`.
    pub fn connect_from(host: u8, address: &str, framing: Framing) -> Self {
        let address: SocketAddrV4 = address.parse().expect("an IPv4 address");
        let fd = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).expect("a socket");
        let own = SockaddrIn::from(SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, host), 0));
        bind(fd.as_raw_fd(), &own).expect("a loopback address");
        connect(fd.as_raw_fd(), &SockaddrIn::from(address)).expect("a connection");
        Self::of(fd.into(), framing)
    }

    fn of(socket: TcpStream, framing: Framing) -> Self {
        socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a time limit");
        socket.set_nodelay(true).expect("an option");
        Self { socket, framing }
    }

    /// How its packets follow each other.
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// Sends bytes as they are.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).expect("it is sent");
    }

    /// Sends a message.
    pub fn send(&mut self, address: &str, arguments: Vec<OscType>) {
        let bytes = self.framing.wrap(&message(address, arguments));
        self.send_bytes(&bytes);
    }

    /// The next packet that comes back; `None` at the end of the connection.
    pub fn receive(&mut self) -> Option<OscMessage> {
        let bytes = match self.framing {
            Framing::Size => {
                let mut size = [0; 4];
                self.read(&mut size)?;
                let mut bytes = vec![0; u32::from_be_bytes(size) as usize];
                self.read(&mut bytes)?;
                bytes
            }
            Framing::Slip => self.receive_slip()?,
        };
        let (_, packet) = rosc::decoder::decode_udp(&bytes).expect("the answer is OSC");
        let OscPacket::Message(message) = packet else { panic!("the answer is a message") };
        Some(message)
    }

    /// Sends a message and gives what it is answered with.
    pub fn ask(&mut self, address: &str, arguments: Vec<OscType>) -> OscMessage {
        self.send(address, arguments);
        self.receive().expect("an answer")
    }

    /// Waits until all that was sent is applied.
    pub fn sync(&mut self) {
        let answer = self.ask("/sync", vec![OscType::Int(1)]);
        assert_eq!((answer.addr.as_str(), &answer.args[0]), ("/synced", &OscType::Int(1)));
    }

    fn receive_slip(&mut self) -> Option<Vec<u8>> {
        let (mut bytes, mut escaped) = (Vec::new(), false);
        loop {
            let mut byte = [0];
            self.read(&mut byte)?;
            match (std::mem::take(&mut escaped), byte[0]) {
                (true, 0xDC) => bytes.push(0xC0),
                (true, 0xDD) => bytes.push(0xDB),
                (true, other) => panic!("{other} is not escaped"),
                (false, 0xDB) => escaped = true,
                (false, END) if bytes.is_empty() => {}
                (false, END) => return Some(bytes),
                (false, byte) => bytes.push(byte),
            }
        }
    }

    fn read(&mut self, bytes: &mut [u8]) -> Option<()> {
        match self.socket.read_exact(bytes) {
            Ok(()) => Some(()),
            Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => None,
            Err(error) => panic!("no answer: {error}"),
        }
    }
}
