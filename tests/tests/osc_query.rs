//! OSCQuery: whoever asks is told what can be sent in the patch that is there, and hears what is set.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::time::Duration;

use chronus_tests::build::Build;
use chronus_tests::client::Client;
use chronus_tests::engine::{Engine, call, number, status_of};
use chronus_tests::process;
use chronus_tests::query::{Asker, Heard, Panel, get, query_address};
use chronus_tests::service::Service;
use dsp::instrument::{KINDS, Kind};
use nix::sys::signal::Signal;
use rosc::OscType;
use serde_json::{Value, json};

const RATE: u32 = 48_000;

fn paced() -> Engine {
    Engine::start(Build::Release, &["--osc", "127.0.0.1:0", "--sink", "paced"])
}

fn text(word: &str) -> OscType {
    OscType::String(word.to_owned())
}

/// Waits until all is applied that was sent.
fn sync(client: &Client) {
    client.send("/sync", vec![OscType::Int(1)]);
    client.next("/synced");
}

/// What `/get` tells of all parameters.
fn values(client: &Client, count: usize) -> BTreeMap<String, f32> {
    client.send("/get", vec![text("/mod/*/*")]);
    let mut values = BTreeMap::new();
    while values.len() < count {
        for message in client.messages().expect("an answer") {
            let [OscType::Float(value)] = message.args[..] else { panic!("{message:?}") };
            values.insert(message.addr, value);
        }
    }
    values
}

/// A node of a tree.
fn node<'a>(tree: &'a Value, path: &str) -> &'a Value {
    path.split('/').filter(|name| !name.is_empty()).fold(tree, |node, name| &node["CONTENTS"][name])
}

#[test]
fn every_parameter_is_told_as_the_table_and_get_say() {
    let engine = paced();
    let (client, address) = (Client::of(&engine.address()), query_address(&engine));
    client.send("/patch/clear", vec![]);
    let kinds = || KINDS.iter().filter(|kind| kind.kind != Kind::Out);
    for kind in kinds() {
        client.send("/patch/create", vec![text(&format!("a-{}", kind.name)), text(kind.name)]);
    }
    let all: Vec<_> = kinds()
        .flat_map(|kind| kind.parameters.iter().map(move |row| (format!("/mod/a-{}/{}", kind.name, row.name), row)))
        .collect();
    // Each to something of its own, that no default is.
    for (number, (path, row)) in all.iter().enumerate() {
        let share = 0.3 + 0.001 * number as f64;
        let value = row.minimum + (row.maximum.at(RATE) - row.minimum) * share;
        client.send(path, vec![OscType::Double(value)]);
    }
    sync(&client);
    // What is edited is there beside what is played.
    let (tree, told) = (get(&address, "/").json(), values(&client, all.len()));
    for (path, row) in &all {
        let node = node(&tree, path);
        assert_eq!(node["FULL_PATH"], json!(path));
        assert_eq!((&node["ACCESS"], &node["DESCRIPTION"]), (&json!(3), &json!(row.description)), "{path}");
        let value = told[path.as_str()];
        if row.choices.is_empty() {
            assert_eq!((&node["TYPE"], &node["CLIPMODE"]), (&json!("f"), &json!(["both"])), "{path}");
            assert_eq!(node["RANGE"], json!([{ "MIN": row.minimum, "MAX": row.maximum.at(RATE) }]), "{path}");
            assert_eq!(node["VALUE"][0].as_f64().expect("a number") as f32, value, "{path}");
        } else {
            assert_eq!((&node["TYPE"], &node["RANGE"]), (&json!("s"), &json!([{ "VALS": row.choices }])), "{path}");
            assert_eq!(node["VALUE"], json!([row.choices[value as usize]]), "{path}");
            assert_eq!(node["OVERLOADS"][0]["VALUE"], json!([value as i64]), "{path}");
        }
        let unit = match row.unit {
            "" => Value::Null,
            "Hz" => json!(["time.hz"]),
            "ms" => json!(["time.ms"]),
            "cent" => json!(["time.cents"]),
            "dB" => json!(["gain.db"]),
            other => json!([other]),
        };
        assert_eq!(node["UNIT"], unit, "{path}");
        assert_eq!(get(&address, &format!("{path}?VALUE")).json(), json!({ "VALUE": node["VALUE"] }), "{path}");
        std::thread::sleep(Duration::from_millis(20));
    }
    let modules = node(&tree, "/mod")["CONTENTS"].as_object().expect("modules");
    assert!(kinds().all(|kind| modules[&format!("a-{}", kind.name)]["DESCRIPTION"] == json!(kind.description)
        || kind.parameters.is_empty()));
    let gate = node(&tree, "/gate/a-adsr");
    assert_eq!((&gate["TYPE"], &gate["ACCESS"], &gate["VALUE"]), (&json!("T"), &json!(2), &Value::Null));
    assert_eq!(node(&tree, "/note/on")["RANGE"][0], json!({ "VALS": ["a-voice"] }));
    println!("{} parameters of {} types", all.len(), modules.len());
    assert_eq!(engine.stop().0, 0);
}

#[test]
fn the_tree_follows_the_patch_and_panels_are_told() {
    let engine = paced();
    let (client, address) = (Client::of(&engine.address()), query_address(&engine));
    let mut panel = Panel::connect(&address, None);
    assert_eq!(get(&address, "/mod/low").status, 404);
    client.send("/patch/create", vec![text("low"), text("svf")]);
    let changed = |heard: &Heard| *heard == Heard::Command("PATH_CHANGED".to_owned(), "/".to_owned());
    let heard = panel.hear_until(changed);
    let command = |word: &str, path: &str| Heard::Command(word.to_owned(), path.to_owned());
    assert_eq!(
        heard,
        [
            command("PATH_ADDED", "/mod/low/mode"),
            command("PATH_ADDED", "/mod/low/cutoff"),
            command("PATH_ADDED", "/mod/low/q"),
            command("PATH_CHANGED", "/")
        ]
    );
    assert_eq!(get(&address, "/mod/low/q?VALUE").json()["VALUE"][0].as_f64().expect("a number") as f32, 0.707);
    panel.command("LISTEN", "/mod/low/q");
    assert_eq!(panel.next("/mod/low/q").args, [OscType::Float(0.707)]);
    // It was never committed: so it is gone at once.
    client.send("/patch/abort", vec![]);
    let heard = panel.hear_until(changed);
    assert!(heard.contains(&command("PATH_REMOVED", "/mod/low/q")), "{heard:?}");
    assert_eq!(get(&address, "/mod/low").status, 404);
    // Who comes later is told of what comes later.
    let mut other = Panel::connect(&address, None);
    client.send("/patch/delete", vec![text("adsr")]);
    client.send("/patch/commit", vec![]);
    for panel in [&mut panel, &mut other] {
        let heard = panel.hear_until(changed);
        assert!(heard.contains(&command("PATH_REMOVED", "/gate/adsr")), "{heard:?}");
        assert!(!heard.contains(&command("PATH_REMOVED", "/mod/low/q")), "{heard:?}");
    }
    assert_eq!(get(&address, "/gate").status, 404);
    // A patch that is another one altogether is one message, however many addresses that are.
    (0..10).for_each(|number| client.send("/patch/create", vec![text(&format!("mix{number}")), text("mixer")]));
    sync(&client);
    while panel.hear_within(Duration::from_millis(300)).is_some() {}
    client.send("/patch/abort", vec![]);
    assert_eq!(panel.hear(), command("PATH_CHANGED", "/"));
    assert_eq!(panel.hear_within(Duration::from_millis(300)), None);
    assert_eq!(engine.stop().0, 0);
}

#[test]
fn what_is_listened_to_is_told_until_it_is_ignored() {
    let engine = paced();
    let (client, address) = (Client::of(&engine.address()), query_address(&engine));
    let mut panel = Panel::connect(&address, None);
    let (cutoff, mode, alias) = ("/mod/filter/cutoff", "/mod/filter/mode", "/engine/freq");
    // What has no value, or is nothing, says nothing; and what is none of ours is none.
    for path in ["/gate/adsr", "/mod/filter", "/nothing", cutoff, mode, alias] {
        panel.command("LISTEN", path);
    }
    panel.command("DANCE", "/x");
    panel.send_text("{\"COMMAND\": \"LISTEN\"}");
    let mut first = [(); 3].map(|()| match panel.hear() {
        Heard::Osc(message) => (message.addr, message.args[0].clone()),
        other => panic!("{other:?}"),
    });
    first.sort_by(|one, other| one.0.cmp(&other.0));
    let expected = [(alias, OscType::Float(440.0)), (cutoff, OscType::Float(1000.0)), (mode, text("lowpass"))];
    assert_eq!(first, expected.map(|(path, value)| (path.to_owned(), value)));
    client.send(cutoff, vec![OscType::Int(500)]);
    assert_eq!(panel.hear(), Heard::Osc(message(cutoff, OscType::Float(500.0))));
    client.send(mode, vec![OscType::Int(1)]);
    assert_eq!(panel.hear(), Heard::Osc(message(mode, text("highpass"))));
    // Others are not listened to.
    client.send("/mod/filter/q", vec![OscType::Int(5)]);
    panel.command("IGNORE", cutoff);
    panel.sync();
    client.send(cutoff, vec![OscType::Int(600)]);
    client.send("/mod/sine/freq", vec![OscType::Int(330)]);
    sync(&client);
    assert_eq!(panel.hear(), Heard::Osc(message(alias, OscType::Float(330.0))));
    assert_eq!(panel.hear_within(Duration::from_millis(300)), None);
    assert_eq!(engine.stop().0, 0);
}

fn message(address: &str, value: OscType) -> rosc::OscMessage {
    rosc::OscMessage { addr: address.to_owned(), args: vec![value] }
}

#[test]
fn host_info_names_ports_that_answer() {
    let engine = paced();
    let address = query_address(&engine);
    for path in ["/?HOST_INFO", "/nothing?HOST_INFO", "?HOST_INFO"] {
        assert_eq!(get(&address, path).json()["OSC_TRANSPORT"], json!("UDP"), "{path}");
    }
    let info = get(&address, "/?HOST_INFO").json();
    let at = |what: &str| {
        format!("{}:{}", info[format!("{what}_IP")].as_str().expect("an IP"), info[format!("{what}_PORT")])
    };
    assert_eq!((at("OSC"), at("WS")), (engine.address(), address));
    assert!(number(&status_of(&at("OSC")), "query.requests") >= 4);
    Panel::connect(&at("WS"), None).sync();
    let extensions = info["EXTENSIONS"].as_object().expect("extensions");
    assert!(
        ["ACCESS", "VALUE", "RANGE", "DESCRIPTION", "LISTEN", "PATH_CHANGED"]
            .iter()
            .all(|name| extensions[*name] == true)
    );
    assert_eq!(engine.stop().0, 0);
}

#[test]
fn what_cannot_be_answered_has_its_status() {
    let engine = paced();
    let mut asker = Asker::connect(&query_address(&engine));
    for (target, status) in [
        ("/", 200),
        ("/mod/filter", 200),
        ("/mod/filter/", 200),
        ("/mod/filter/q?RANGE", 200),
        ("/mod/filter/q?FULL_PATH", 200),
        ("/mod?CONTENTS", 200),
        ("/mod/filter/q?CONTENTS", 204),
        ("/mod/filter/q?TAGS", 204),
        ("/mod/filter/mode?CLIPMODE", 204),
        ("/mod?TYPE", 204),
        ("/gate/adsr?VALUE", 204),
        ("/mod/filter/q?COLOUR", 400),
        ("/mod/filter/nothing", 404),
        ("/mod/filter/q/x", 404),
        ("/mod/*/q", 404),
        ("/nothing?VALUE", 404),
    ] {
        // All of it over one connection.
        let answer = asker.get(target);
        assert_eq!(answer.status, status, "{target}: {answer:?}");
        assert!(answer.head.contains("\r\nAccess-Control-Allow-Origin: *\r\n"), "{answer:?}");
        assert_eq!(answer.body.is_empty(), status == 204, "{target}");
    }
    let whole = asker.get("/").body.len();
    asker.send(b"HEAD / HTTP/1.1\r\n\r\nOPTIONS / HTTP/1.1\r\nOrigin: http://x\r\n\r\n");
    let head = asker.head().expect("a head");
    assert!(head.contains(&format!("Content-Length: {whole}\r\n")), "{head}");
    assert!(asker.head().expect("a head").contains("Access-Control-Allow-Methods: GET, HEAD\r\n"));
    assert_eq!(asker.get("/mod").status, 200);
    for (request, status) in [
        ("POST /mod HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 405),
        ("GET /mod HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 400),
        ("nonsense\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n", 426),
        ("GET / HTTP/1.0\r\n\r\n", 200),
        ("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 200),
    ] {
        let mut asker = Asker::connect(&query_address(&engine));
        asker.send(request.as_bytes());
        assert_eq!(asker.answer().expect("an answer").status, status, "{request}");
        assert!(asker.answer().is_none(), "{request}: it is closed");
    }
    assert_eq!(engine.number("query.broken"), 4);
    assert_eq!(engine.stop().0, 0);
}

#[test]
fn osc_by_a_websocket_is_taken_and_answered_as_by_tcp_but_not_from_pages_of_others() {
    let engine = paced();
    let address = query_address(&engine);
    let mut panel = Panel::connect(&address, None);
    panel.send("/mod/filter/cutoff", vec![OscType::Int(700)]);
    panel.sync();
    panel.send("/get", vec![text("/mod/filter/cutoff")]);
    assert_eq!(panel.hear(), Heard::Osc(message("/mod/filter/cutoff", OscType::Float(700.0))));
    panel.send("/health", vec![]);
    // Longer than a small frame.
    assert!(panel.next("/health.reply").args.len() > 100);
    panel.send("/nothing", vec![]);
    assert_eq!(panel.next("/error").args[1], text("unknown_address"));
    panel.send_binary(b"junk".to_vec());
    assert_eq!(panel.next("/error").args[1], text("malformed"));
    let local = format!("http://{}", address.replace("127.0.0.1", "localhost"));
    for (origin, may) in [
        ("http://127.0.0.1:8080", true),
        (local.as_str(), true),
        ("http://evil.example", false),
        ("http://10.0.0.1:8080", false),
        ("null", false),
    ] {
        let mut page = Panel::connect(&address, Some(origin));
        page.send("/mod/filter/q", vec![OscType::Int(3)]);
        if may {
            page.sync();
        } else {
            assert_eq!(page.next("/error").args[1], text("forbidden"), "{origin}");
        }
        // It may look.
        page.command("LISTEN", "/mod/filter/q");
        page.next("/mod/filter/q");
    }
    // Two of q, one of cutoff: nothing else was set.
    engine.wait_until("all", |status| number(status, "commands.applied") == 3);
    assert_eq!(engine.number("query.dropped"), 3);
    assert_eq!(engine.stop().0, 0);
}

#[test]
fn it_can_be_elsewhere_or_off_and_what_is_wrong_is_said() {
    let engine = Engine::start(Build::Release, &["--osc", "127.0.0.1:0", "--sink", "paced", "--osc-query", "off"]);
    assert!(engine.status()["query"].is_null());
    assert_eq!(engine.stop().0, 0);
    let more = ["--osc", "127.0.0.1:0", "--sink", "paced", "--osc-query", "[::1]:0"];
    let engine = Engine::start(Build::Release, &more);
    let address = query_address(&engine);
    assert!(address.starts_with("[::1]:"));
    // Somebody else has that port: OSC is taken all the same.
    let second = Engine::start(Build::Release, &["--osc", "127.0.0.1:0", "--sink", "paced", "--osc-query", &address]);
    assert!(second.status()["query"].is_null());
    assert_eq!((second.stop().0, engine.stop().0), (0, 0));
    for (arguments, said) in [
        (vec!["--osc-query", "5006"], "needs ADDR:PORT"),
        (vec!["--osc", "127.0.0.1:5005", "--osc-query", "0.0.0.0:5005"], "OSC over TCP has this port"),
        (vec!["--osc", "off", "--osc-query", "0.0.0.0:5006"], "OSC is off"),
    ] {
        let (code, _, told) = call(&[&["run"], &arguments[..]].concat());
        assert!(code == 2 && told.contains(said), "{arguments:?}: {told}");
    }
}

#[test]
fn connections_end_with_a_killed_engine_and_the_next_one_answers_at_the_same_port() {
    // Free again when it is taken.
    let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
    let address = free.to_string();
    let mut service = Service::new("query", &["--sink", "paced", "--osc", "127.0.0.1:0", "--osc-query", &address]);
    let engine = service.start();
    engine.wait_for_lockstep();
    let mut panel = Panel::connect(&address, None);
    panel.send("/mod/filter/cutoff", vec![OscType::Int(777)]);
    panel.sync();
    assert!(process::send(engine.id(), Signal::SIGKILL));
    engine.wait();
    assert_eq!(panel.hear(), Heard::Closed(None), "it ends with the engine");
    let engine = service.start();
    assert_eq!(query_address(&engine), address);
    assert_eq!(get(&address, "/mod/filter/cutoff?VALUE").json(), json!({ "VALUE": [777.0] }), "what was set is set");
    assert_eq!(engine.number("restarts"), 1);
    assert_eq!(engine.stop().0, 0);
}
