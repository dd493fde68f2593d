//! Clients of OSCQuery that nobody here wrote: `oscquery`, `node-osc` and `ws` from npm, python-oscquery from PyPI. They are
//! given where it is asked, as mDNS would tell them (see announced.rs), and find all else by themselves.

use std::path::PathBuf;
use std::process::{Command, Output};

use chronus_tests::build::{Build, target};
use chronus_tests::engine::{Engine, number};
use chronus_tests::query::query_address;
use chronus_tests::skipped;

fn paced() -> Engine {
    Engine::start(Build::Release, &["--osc", "127.0.0.1:0", "--sink", "paced"])
}

/// What a program says, all of it.
fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).trim().to_owned()).concat()
}

/// The folder with the packages of npm, fetched once if need be; or why there are none.
fn from_npm() -> Result<PathBuf, String> {
    let folder = target().join("oscquery-npm");
    if !folder.join("node_modules/ws/package.json").exists() {
        let words = ["install", "--silent", "--no-audit", "--no-fund", "--prefix"];
        let output = Command::new("npm").args(words).arg(&folder).args(["oscquery@1", "node-osc@9", "ws@8"]).output();
        let output = output.map_err(|error| format!("there is no npm: {error}"))?;
        if !output.status.success() {
            return Err(format!("npm cannot install oscquery, node-osc and ws: {}", said(&output)));
        }
    }
    Ok(folder)
}

/// The folder with python-oscquery and what it needs, fetched once if need be; or why there is none.
fn from_pypi() -> Result<PathBuf, String> {
    let folder = target().join("oscquery-pypi");
    if !folder.join("pythonoscquery/osc_query_client.py").exists() {
        let words = ["-m", "pip", "install", "--quiet", "--target"];
        let output = Command::new("python3").args(words).arg(&folder).arg("python-oscquery").output();
        let output = output.map_err(|error| format!("there is no python3: {error}"))?;
        if !output.status.success() {
            return Err(format!("pip cannot install python-oscquery: {}", said(&output)));
        }
    }
    Ok(folder)
}

/// Builds a panel of what it finds, moves every knob there is half way up its range, chooses the last of each choice, and
/// listens to one of them meanwhile.
const NODE: &str = r#"
const { OSCQueryDiscovery } = require("oscquery");
const { Client } = require("node-osc");
const { WebSocket } = require("ws");
// What never comes must not be waited for without end.
setTimeout(() => { console.log("nothing came"); process.exit(1); }, 30000).unref();
(async () => {
    const found = await new OSCQueryDiscovery().queryNewService(process.argv[1], Number(process.argv[2]));
    const { oscIp, oscPort, wsIp, wsPort, extensions } = found.hostInfo;
    if (!extensions.LISTEN) throw new Error("nobody can listen");
    const client = new Client(oscIp, oscPort);
    const socket = new WebSocket(`ws://${wsIp}:${wsPort}/`);
    await new Promise((open, failed) => socket.on("open", open).on("error", failed));
    const heard = new Promise((hear) => socket.on("message", (bytes, binary) => {
        const value = bytes.length >= 4 ? bytes.readFloatBE(bytes.length - 4) : NaN;
        if (binary && value == 3000) hear(bytes.toString("latin1").split("\0")[0]);
    }));
    const knobs = found.flat().filter((method) => method.full_path.startsWith("/mod/"));
    for (const knob of knobs) {
        const { range } = knob.arguments[0];
        const value = range.vals ? range.vals[range.vals.length - 1] : (range.min + range.max) / 2;
        client.send(knob.full_path, value);
    }
    socket.send(JSON.stringify({ COMMAND: "LISTEN", DATA: "/mod/filter/cutoff" }));
    setTimeout(() => client.send("/mod/filter/cutoff", 3000), 300);
    const set = (path) => found.flat().find((method) => method.full_path == path).arguments[0].value;
    console.log(`${await heard} of ${knobs.length}`);
    for (let tries = 0; tries < 100; tries++) {
        await found.update();
        if (set("/mod/filter/cutoff") == 3000 && set("/mod/filter/mode") == "highshelf") break;
        await new Promise((wait) => setTimeout(wait, 50));
    }
    for (const path of ["/mod/filter/cutoff", "/mod/filter/mode", "/mod/adsr/sustain"])
        console.log(path, set(path));
    socket.close();
    client.close();
})().catch((error) => { console.log(String(error)); process.exit(1); });
"#;

#[test]
fn a_panel_from_npm_builds_itself_sets_everything_and_hears_it() {
    let folder = match from_npm() {
        Ok(folder) => folder,
        Err(reason) => return skipped("a client of OSCQuery from npm", &reason),
    };
    let engine = paced();
    let address = query_address(&engine);
    let (host, port) = address.rsplit_once(':').expect("a port");
    let output = Command::new("node").args(["-e", NODE, host, port]).current_dir(&folder).output().expect("node runs");
    let text = said(&output);
    let expected =
        ["/mod/filter/cutoff of 11", "/mod/filter/cutoff 3000", "/mod/filter/mode highshelf", "/mod/adsr/sustain 0.5"];
    assert_eq!(text.lines().collect::<Vec<_>>(), expected, "{text}");
    let status = engine.status();
    assert_eq!((number(&status, "commands.applied"), number(&status, "commands.refused")), (12, 0));
    assert_eq!(number(&status, "query.broken"), 0);
    assert_eq!(engine.stop().0, 0);
}

const PYTHON: &str = r#"
import socket, sys
from zeroconf import ServiceInfo
from pythonoscquery.osc_query_client import OSCQueryClient
kind = "_oscjson._tcp.local."
address = socket.inet_aton(sys.argv[1])
client = OSCQueryClient(ServiceInfo(kind, "box." + kind, addresses=[address], port=int(sys.argv[2])))
host = client.get_host_info()
node = client.query_node("/mod")
print(host.osc_ip, host.osc_port, host.osc_transport)
for module in node.contents:
    for one in module.contents:
        print(one.full_path, one.value[0])
print(client.query_node("/nothing"))
"#;

#[test]
fn python_oscquery_reads_the_modules() {
    let folder = match from_pypi() {
        Ok(folder) => folder,
        Err(reason) => return skipped("python-oscquery", &reason),
    };
    let engine = paced();
    let address = query_address(&engine);
    let (host, port) = address.rsplit_once(':').expect("a port");
    let words = ["-c", PYTHON, host, port];
    let output = Command::new("python3").args(words).env("PYTHONPATH", &folder).output().expect("python3 runs");
    let text = said(&output);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], format!("{} UDP", engine.address().replace(':', " ")), "{text}");
    assert_eq!((lines.len(), lines[12]), (13, "None"), "{text}");
    assert!(lines.contains(&"/mod/filter/mode lowpass") && lines.contains(&"/mod/sine/freq 440.0"), "{text}");
    assert_eq!(engine.stop().0, 0);
}
