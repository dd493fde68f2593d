//! What else the machine is busy with: processor, disk and network, for the whole time.

use std::fs::File;
use std::io::{Seek, Write};
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use chronus_tests::engine::Folder;

/// Bytes written between two syncs: a sync then means work for the disk, and many come each second.
const WRITTEN_AT_ONCE: usize = 1 << 20;

/// Bytes of a datagram: most of what an Ethernet frame carries.
const DATAGRAM: usize = 1024;

/// Time between two bursts of datagrams: a fraction of a period, so that each block meets some.
const BURST_INTERVAL: Duration = Duration::from_millis(1);

/// How busy the machine is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strength {
    /// Threads that only compute, at normal priority.
    pub threads: u64,
    /// The file that is written over and over, in MiB.
    pub disk_mib: u64,
    /// Datagrams a second.
    pub datagrams: u64,
}

impl Strength {
    /// All cores; a file that any temporary folder holds; a fifth of what loopback can carry on one core, so that the
    /// datagrams are not another busy thread.
    pub fn usual() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
        Self { threads, disk_mib: 64, datagrams: 20_000 }
    }
}

/// The threads that keep it busy. They end when this is dropped.
pub struct Hogs {
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Hogs {
    /// Starts them.
    pub fn start(strength: Strength) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let mut hogs = Self { over, threads: Vec::new() };
        for _ in 0..strength.threads {
            hogs.add(|over| while !over.load(Ordering::Relaxed) {});
        }
        if strength.disk_mib > 0 {
            hogs.add(move |over| write_over_and_over(strength.disk_mib, over));
        }
        if strength.datagrams > 0 {
            hogs.add(move |over| send_to_oneself(strength.datagrams, over));
        }
        hogs
    }

    fn add(&mut self, work: impl FnOnce(&AtomicBool) + Send + 'static) {
        let over = self.over.clone();
        self.threads.push(std::thread::spawn(move || work(&over)));
    }
}

impl Drop for Hogs {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn write_over_and_over(mib: u64, over: &AtomicBool) {
    let folder = Folder::new("soak-disk");
    let mut file = File::create(folder.file("busy")).expect("a file in the temporary folder");
    let bytes = vec![0x5A; WRITTEN_AT_ONCE];
    while !over.load(Ordering::Relaxed) {
        let _ = file.rewind();
        for _ in 0..mib {
            // A full disk is the recorder's trouble, which is counted; here it is no reason to stop.
            if over.load(Ordering::Relaxed) || file.write_all(&bytes).and_then(|()| file.sync_data()).is_err() {
                break;
            }
        }
    }
}

fn send_to_oneself(per_second: u64, over: &AtomicBool) {
    let [from, to] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").expect("a socket"));
    let target = to.local_addr().expect("an address");
    to.set_nonblocking(true).expect("a socket that does not wait");
    let (bytes, mut taken) = ([0x5A; DATAGRAM], [0; DATAGRAM]);
    let burst = (per_second / 1000).max(1);
    while !over.load(Ordering::Relaxed) {
        for _ in 0..burst {
            let _ = from.send_to(&bytes, target);
        }
        while to.recv(&mut taken).is_ok() {}
        std::thread::sleep(BURST_INTERVAL);
    }
}
