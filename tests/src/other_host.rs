//! Another host: a network namespace with a cable to this one. Needs root and the program `ip`.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sched::{CloneFlags, setns};

/// A host that is gone with its owner. There is one at a time: its addresses, of the network that is set aside for
/// tests of network devices (RFC 2544), are always the same.
pub struct OtherHost {
    name: String,
    /// Where the near end of the cable is, if not on this host.
    neighbour: Option<String>,
}

impl OtherHost {
    /// This host's address on the cable.
    pub const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 18, 77, 1));
    /// The other host's address.
    pub const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 18, 77, 2));

    /// Makes the host and the cable.
    ///
    /// # Errors
    /// Why not, for a test that is skipped then.
    pub fn new() -> Result<Self, String> {
        let name = format!("chl{}", std::process::id());
        let host = Self { name: name.clone(), neighbour: None };
        let (here, there) = (format!("{name}a"), format!("{name}b"));
        let network = |address: IpAddr| format!("{address}/24");
        let steps = [
            format!("netns add {name}"),
            format!("link add {here} type veth peer name {there} netns {name}"),
            format!("addr add {} dev {here}", network(Self::HERE)),
            format!("link set {here} up"),
            format!("-n {name} addr add {} dev {there}", network(Self::THERE)),
            format!("-n {name} link set {there} up"),
        ];
        for step in steps {
            if !ip(&step) {
                return Err(format!("'ip {step}' failed; it takes root, and iproute2"));
            }
        }
        Ok(host)
    }

    /// Puts the near end of the cable into a third host, its neighbour, which has no other cable: what it sends to all can go
    /// nowhere else.
    ///
    /// # Errors
    /// Why not.
    pub fn with_neighbour(mut self) -> Result<Self, String> {
        let (near, neighbour) = (format!("{}a", self.name), format!("{}n", self.name));
        self.neighbour = Some(neighbour.clone());
        for step in [
            format!("netns add {neighbour}"),
            format!("link set {near} netns {neighbour}"),
            format!("-n {neighbour} addr add {}/24 dev {near}", Self::HERE),
            format!("-n {neighbour} link set {near} up"),
            format!("-n {neighbour} route add default dev {near}"),
        ] {
            if !ip(&step) {
                return Err(format!("'ip {step}' failed"));
            }
        }
        Ok(self)
    }

    /// Makes the calling thread one of the neighbour.
    pub fn enter_neighbour(&self) {
        let neighbour = self.neighbour.as_ref().expect("there is one");
        enter_network(format!("/var/run/netns/{neighbour}").as_ref());
    }

    /// Its name: `ip netns exec NAME` runs a program there; its end of the cable is NAMEb.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Makes the calling thread one of the other host; its sockets from here on are there.
    pub fn enter(&self) {
        enter_network(format!("/var/run/netns/{}", self.name).as_ref());
    }
}

/// Takes the calling thread into this network namespace; its sockets from here on are there.
///
/// # Panics
/// If there is none, or only root may do so.
pub fn enter_network(namespace: &Path) {
    let namespace = File::open(namespace).expect("the namespace is there");
    setns(namespace, CloneFlags::CLONE_NEWNET).expect("root may enter it");
}

impl Drop for OtherHost {
    fn drop(&mut self) {
        // Both ends of the cable go with the namespace.
        self.neighbour.iter().chain([&self.name]).for_each(|name| _ = ip(&format!("netns del {name}")));
    }
}

fn ip(words: &str) -> bool {
    let done = Command::new("ip").args(words.split(' ')).stdout(Stdio::null()).stderr(Stdio::null()).status();
    done.is_ok_and(|status| status.success())
}
