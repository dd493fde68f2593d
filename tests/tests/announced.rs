//! A box says in the network that OSC is taken there, by systemd-resolved and a file that `chronus apply-config` makes. Seen
//! from another host: the box is a network namespace, with the resolved of this machine or of Debian's package.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use chronus_tests::build::{project, target};
use chronus_tests::engine::{Folder, call};
use chronus_tests::names::{PTR, Record, SRV, ask};
use chronus_tests::other_host::OtherHost;
use chronus_tests::skipped;
use nix::sys::signal::Signal;

/// Questions, a second apart: resolved first asks around for seconds whether the name is free.
const QUESTIONS: u32 = 30;

/// Runs resolved at $1 in a box of the name $2, whose end of the cable is $3, with the files of the folder $4. It has a user
/// and folders of its own, and is told of the cable as networkd would do it.
const SCRIPT: &str = r#"
set -e
mount --make-rprivate /
hostname "$2"
cp /etc/passwd /etc/group "$4/"
echo "systemd-resolve:x:992:992::/:/usr/sbin/nologin" >>"$4/passwd"
echo "systemd-resolve:x:992:" >>"$4/group"
mount --bind "$4/passwd" /etc/passwd
mount --bind "$4/group" /etc/group
mount -t tmpfs none /run
mkdir -p /run/systemd/dnssd /run/systemd/netif/links
for service in osc oscjson; do
    [ ! -e "$4/$service.dnssd" ] || cp "$4/$service.dnssd" /run/systemd/dnssd/
done
printf 'ADMIN_STATE=configured\nOPER_STATE=routable\nMDNS=yes\n' >"/run/systemd/netif/links/$(cat "/sys/class/net/$3/ifindex")"
echo OPER_STATE=routable >/run/systemd/netif/state
mkdir -p /etc/systemd
mount -t tmpfs none /etc/systemd
cp "$5" /etc/systemd/resolved.conf
chmod -R a+rX /run/systemd
exec "$1"
"#;

/// The program, fetched once if need be and unpacked, not installed; or why it is not there.
fn resolved() -> Result<PathBuf, String> {
    let installed = PathBuf::from("/usr/lib/systemd/systemd-resolved");
    let folder = target().join("resolved");
    let unpacked = folder.join("lib/systemd/systemd-resolved");
    if installed.exists() {
        return Ok(installed);
    }
    if !unpacked.exists() {
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let script = "apt-get download systemd-resolved && dpkg-deb -x systemd-resolved_*.deb .";
        let fetched = Command::new("sh").args(["-c", script]).current_dir(&folder).output();
        let fetched = fetched.map_err(|error| error.to_string())?;
        if !fetched.status.success() {
            return Err(format!("there is no systemd-resolved: {}", String::from_utf8_lossy(&fetched.stderr).trim()));
        }
    }
    let starts = Command::new(&unpacked).arg("--version").output().is_ok_and(|output| output.status.success());
    if starts { Ok(unpacked) } else { Err("Debian's systemd-resolved does not start on this machine".to_owned()) }
}

/// A resolved that runs as that of a box, and ends with its owner.
struct Resolved(Child);

impl Resolved {
    fn start(program: &Path, host: &OtherHost, name: &str, files: &Path) -> Self {
        let configuration = project().join("board/overlay/etc/systemd/resolved.conf.d/chronus.conf");
        let mut command = Command::new("ip");
        command.args(["netns", "exec", host.name(), "unshare", "--mount", "--uts", "bash", "-c", SCRIPT, "bash"]);
        command.arg(program).arg(name).arg(format!("{}b", host.name())).arg(files).arg(configuration);
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("ip starts"))
    }
}

impl Drop for Resolved {
    fn drop(&mut self) {
        // By its id: every step of the script becomes the next one.
        chronus_tests::process::send(self.0.id(), Signal::SIGTERM);
        let _ = self.0.wait();
    }
}

/// Asks from the host at the other end of the cable.
fn asked(host: &OtherHost, name: &str, kind: u16, times: u32) -> Option<Record> {
    let IpAddr::V4(own) = OtherHost::HERE else { unreachable!("it is one of IPv4") };
    let asking = || {
        host.enter_neighbour();
        ask(own, name, kind, times)
    };
    std::thread::scope(|scope| scope.spawn(asking).join().expect("no panic"))
}

#[test]
fn programs_that_look_for_osc_find_the_box_and_its_port_and_none_where_osc_is_off() {
    let program = match resolved() {
        Ok(program) => program,
        Err(reason) => return skipped("the announcement in the network", &reason),
    };
    // OSC, and OSCQuery beside it, at a port of its own, and not at all.
    for (osc, port, query) in [
        ("listen = \"0.0.0.0:6123\"", Some(6123_u16), Some(6124_u16)),
        ("query = \"0.0.0.0:8080\"", Some(5005), Some(8080)),
        ("query = \"off\"", Some(5005), None),
        ("listen = \"off\"", None, None),
    ] {
        let host = match OtherHost::new().and_then(OtherHost::with_neighbour) {
            Ok(host) => host,
            Err(reason) => return skipped("the announcement in the network", &reason),
        };
        let folder = Folder::new("announced");
        let (file, into) = (folder.file("chronus.toml"), folder.file("run"));
        std::fs::write(&file, format!("schema = 1\n[osc]\n{osc}\n")).expect("a file");
        let words = ["apply-config", file.to_str().expect("text"), "--into", into.to_str().expect("text")];
        let (code, told, _) = call(&words);
        assert_eq!(code, 0, "{told}");
        assert_eq!(into.join("osc.dnssd").exists(), port.is_some());
        assert_eq!(into.join("oscjson.dnssd").exists(), query.is_some());
        let _resolved = Resolved::start(&program, &host, "chronus-test", &into);
        // Its name is told in any case: so it is there, and what is not announced is not only late.
        assert!(
            asked(&host, "chronus-test.local", chronus_tests::names::A, QUESTIONS).is_some(),
            "resolved does not answer"
        );
        for (kind, port) in [("_osc._udp.local", port), ("_oscjson._tcp.local", query)] {
            let found = asked(&host, kind, PTR, if port.is_some() { QUESTIONS } else { 3 });
            assert_eq!(found.is_some(), port.is_some(), "{kind}: {found:?}");
            let (Some(found), Some(port)) = (found, port) else { continue };
            let name = format!("chronus-test.{kind}");
            assert_eq!(found.name.as_deref(), Some(name.as_str()));
            let service = asked(&host, &name, SRV, QUESTIONS).expect("where it is");
            assert_eq!(service.bytes[4..6], port.to_be_bytes());
            assert_eq!(service.name.as_deref(), Some("chronus-test.local"));
        }
    }
}
