//! One cable between the box and a laptop, and nobody there who gives addresses: the box is found by its name, answers, and
//! lets in who has the key. The laptop is a network namespace.

use std::net::Ipv4Addr;
use std::process::{Command, Output, Stdio};

use chronus_tests::engine::{Folder, status_of};
use chronus_tests::guest::{self, Guest};
use chronus_tests::names::{A, ask};
use chronus_tests::other_host::enter_network;
use chronus_tests::skipped;

/// The laptop's own address, which run-box gave it.
const LAPTOP: Ipv4Addr = Ipv4Addr::new(169, 254, 7, 7);

/// Questions after the box's name, a second apart: it asks around for seconds of its own time whether its address is free,
/// and that time may be slow.
const QUESTIONS: u32 = 300;

/// What this machine lacks for it.
fn lacking() -> Option<&'static str> {
    let works = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        let output = command.args(arguments).stdin(Stdio::null()).output();
        output.is_ok_and(|output| output.status.success())
    };
    if !works("unshare", &["--net", "true"]) {
        return Some("this user may have no network namespace; run as root");
    }
    if !works("unshare", &["--net", "ip", "tuntap", "add", "dev", "cable", "mode", "tap"]) {
        return Some(
            "there is no tap device (/dev/net/tun), or no ip; as root: modprobe tun; apt-get install iproute2",
        );
    }
    (!works("ssh", &["-V"])).then_some("ssh is not installed; as root: apt-get install openssh-client")
}

/// Does this as the laptop does: in the network namespace of that process.
fn on_laptop<R: Send>(process: u32, work: impl FnOnce() -> R + Send) -> R {
    let entering = || {
        enter_network(format!("/proc/{process}/ns/net").as_ref());
        work()
    };
    std::thread::scope(|scope| scope.spawn(entering).join().expect("no panic"))
}

/// Asks all at the cable for the address of NAME.local until somebody answers.
fn find(name: &str) -> Option<Ipv4Addr> {
    let bytes: [u8; 4] = ask(LAPTOP, &format!("{name}.local"), A, QUESTIONS)?.bytes.try_into().ok()?;
    Some(bytes.into())
}

/// Runs something on the box by SSH, with the key in this file.
fn ssh(process: u32, folder: &Folder, key: &str, address: Ipv4Addr, words: &str) -> Output {
    let known = format!("UserKnownHostsFile={}", folder.file("known").display());
    let mut command = Command::new("nsenter");
    command.arg(format!("--net=/proc/{process}/ns/net")).arg("ssh").arg("-i").arg(folder.file(key));
    for option in ["IdentitiesOnly=yes", "BatchMode=yes", "StrictHostKeyChecking=accept-new", &known] {
        command.args(["-F", "none", "-o", option]);
    }
    command.arg(format!("root@{address}")).arg(words).stdin(Stdio::null()).output().expect("nsenter starts")
}

/// Makes a pair of keys; the public one.
fn make_key(folder: &Folder, name: &str) -> String {
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(folder.file(name)).status();
    assert!(made.expect("ssh-keygen of openssh-client").success());
    std::fs::read_to_string(folder.file(&format!("{name}.pub"))).expect("a key").trim().to_owned()
}

#[test]
fn with_one_cable_to_a_laptop_the_box_is_found_by_name_and_lets_in_who_has_the_key() {
    if guest::root().is_none() {
        return;
    }
    if let Some(reason) = lacking() {
        return skipped("cable", reason);
    }
    let folder = Folder::new("box-cable");
    let (own, _) = (make_key(&folder, "own"), make_key(&folder, "strange"));
    let disk = guest::disk_configured(&folder, &format!("\n[ssh]\nkeys = [\"{own}\"]\n"));
    let mut guest = Guest::start(&disk, &folder.file("."), &["--no-sound", "--real-time", "--cable"]);
    guest.wait_for_engine();
    let machine = guest.id();
    let address = on_laptop(machine, || find("chronus-test")).expect("the box answers to its name");
    assert!(address.is_link_local(), "{address}: nobody has given it another");
    let status = on_laptop(machine, || status_of(&format!("{address}:5005")));
    assert!(status["block"].as_u64().is_some_and(|block| block > 0), "{status}");

    guest.wait_until("systemctl --quiet is-active chronus-ssh.service");
    let output = ssh(machine, &folder, "own", address, "id -u; chronus status");
    let told = String::from_utf8_lossy(&output.stdout);
    let journal = guest.run("journalctl -b -u chronus-ssh --no-pager -o cat; ls -la /run/chronus/ssh");
    assert!(output.status.success() && told.starts_with("0\n"), "{output:?}\n{journal}");
    assert!(told.contains("workers"), "{told}");
    let refused = ssh(machine, &folder, "strange", address, "true");
    let reason = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(255) && reason.contains("Permission denied (publickey)"), "{refused:?}");
    println!("found at {address}");
}
