//! The words that make patches and play them: live, under kills, every type of module, and the sound is that of the kept
//! score, bit for bit.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chronus_tests::build::Build;
use chronus_tests::engine::Folder;
use chronus_tests::instrument_score;
use chronus_tests::live::Live;
use chronus_tests::random::Random;
use chronus_tests::score::Score;
use chronus_tests::undisturbed::undisturbed;
use rosc::{OscBundle, OscMessage, OscPacket, OscTime, OscType};

/// How long is played: long enough for some hundred kills and a hundred commits.
const PLAYED: Duration = Duration::from_secs(6);

fn words(address: &str, words: &[&str]) -> OscMessage {
    OscMessage { addr: address.to_owned(), args: words.iter().map(|word| OscType::from(*word)).collect() }
}

fn connect(source: &str, destination: &str, amount: f32) -> OscMessage {
    let mut message = words("/patch/connect", &[source, destination]);
    message.args.push(OscType::Float(amount));
    message
}

/// A patch with a module of every type, whose voices go two ways to the output.
fn whole_patch() -> Vec<OscMessage> {
    let made = instrument_score::patch().into_iter();
    let made = made.map(|(address, args)| OscMessage { addr: address.to_owned(), args });
    made.chain([words("/patch/commit", &[])]).collect()
}

/// Something that is played or edited next.
fn next(random: &mut Random) -> Vec<OscMessage> {
    let note = |random: &mut Random| OscType::Int(30 + random.below(60) as i32);
    let spare = |random: &mut Random| format!("spare{}", random.below(4));
    let pick = |random: &mut Random, all: &[&'static str]| all[random.below(all.len() as u64) as usize];
    let sources = ["the-osc", "the-sine", "the-svf", "the-vca", "the-noise", "the-pan"];
    let commit = words("/patch/commit", &[]);
    let edit = match random.below(16) {
        0..=4 => {
            let on = OscMessage {
                addr: "/note/on".to_owned(),
                args: vec![OscType::from("the-voice"), note(random), OscType::Float(random.between(0.1, 1.0) as f32)],
            };
            return vec![on];
        }
        5..=7 => {
            let off = OscMessage { addr: "/note/off".to_owned(), args: vec![OscType::from("the-voice"), note(random)] };
            return vec![off];
        }
        8 | 9 => {
            let (name, high) =
                [("the-svf/cutoff", 8000.0), ("the-osc/shape", 2.0), ("the-lfo/freq", 20.0)][random.below(3) as usize];
            let value = OscType::Float(random.between(0.2, high) as f32);
            return vec![OscMessage { addr: format!("/mod/{name}"), args: vec![value] }];
        }
        10 | 11 => words("/patch/create", &[&spare(random), pick(random, &["filter", "svf", "distortion", "vca"])]),
        12 | 13 => connect(pick(random, &sources), &spare(random), 0.5),
        14 => connect(&spare(random), "out", random.between(0.0, 0.5) as f32),
        _ => words("/patch/delete", &[&spare(random)]),
    };
    match random.below(8) {
        0 => vec![edit, words("/patch/abort", &[])],
        1..=4 => vec![edit, commit],
        _ => vec![edit],
    }
}

/// Plays and edits while workers are killed; how many blocks were late.
fn play(seed: u64) -> u64 {
    let live = Live::start(Build::Release, &format!("words-{seed}"), &[], &[]);
    whole_patch().into_iter().for_each(|message| live.send_message(message));
    let addresses = ["clear", "create", "connect", "delete", "abort", "commit"].map(|word| format!("/patch/{word}"));
    let addresses = addresses.into_iter().chain(["/note/on", "/note/off"].map(str::to_owned));
    live.play_under_kills(PLAYED, seed, Duration::from_millis(30), next, addresses)
}

#[test]
fn what_is_edited_and_played_live_sounds_as_its_kept_score_though_workers_die() {
    for seed in [1, 2] {
        undisturbed(|| play(seed));
    }
}

#[test]
fn a_commit_right_after_another_is_refused_and_what_was_edited_is_kept() {
    let live = Live::start(Build::Release, "words-commits", &[], &[]);
    live.send_message(words("/patch/commit", &[]));
    live.send_message(words("/patch/create", &["low", "svf"]));
    live.send_message(words("/patch/commit", &[]));
    let [address, code, text] = live.error();
    assert_eq!((address.as_str(), code.as_str()), ("/patch/commit", "full"), "{text}");
    std::thread::sleep(Duration::from_millis(100));
    live.send_message(words("/patch/commit", &[]));
    live.send_message(words("/patch/create", &["low", "svf"]));
    let [_, code, text] = live.error();
    assert!(code == "bad_edit" && text.contains("already"), "{text}");
    // Until it is played.
    std::thread::sleep(Duration::from_millis(200));
    let outcome = live.finish();
    let commits = outcome.commands.iter().filter(|(_, message)| message.addr == "/patch/commit").count();
    assert_eq!(commits, 2);
}

#[test]
fn while_a_score_edits_nobody_else_does_and_what_it_makes_can_be_set() {
    let folder = Folder::new("words-score");
    let mut score = Score::new(48_000);
    score.at(0, "/patch/create", ["low", "svf"].map(OscType::from).to_vec());
    score.at(480_000, "/patch/commit", vec![]);
    score.write(&folder.file("score.osc"));
    let path = folder.file("score.osc");
    let live = Live::start(Build::Release, "words-of-a-score", &["--score", path.to_str().expect("text")], &[]);
    std::thread::sleep(Duration::from_millis(200));
    live.send("/mod/low/cutoff", vec![OscType::Float(500.0)]);
    live.send_message(words("/patch/create", &["high", "svf"]));
    let [address, code, text] = live.error();
    assert_eq!((address.as_str(), code.as_str()), ("/patch/create", "bad_edit"), "the first error: {text}");
    let (code, said) = live.engine.stop();
    assert_eq!(code, 0, "{said}");
}

/// A bundle of these messages with a time tag so long from now.
fn later(live: &Live, wait: Duration, content: Vec<OscMessage>) {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970") + wait;
    let seconds = (since_1970.as_secs() + 2_208_988_800) as u32;
    let fractional = ((u64::from(since_1970.subsec_nanos()) << 32) / 1_000_000_000) as u32;
    let content = content.into_iter().map(OscPacket::Message).collect();
    live.send_packet(&OscPacket::Bundle(OscBundle { timetag: OscTime { seconds, fractional }, content }));
}

#[test]
fn what_waits_for_a_time_at_which_it_cannot_be_done_is_told_and_in_no_score() {
    let live = Live::start(Build::Release, "words-lapsed", &[], &[]);
    let wait = Duration::from_millis(400);
    let set = |value| OscMessage { addr: "/mod/filter/q".to_owned(), args: vec![OscType::Float(value)] };
    later(&live, wait, vec![set(3.0)]);
    later(&live, wait, vec![words("/patch/commit", &[])]);
    later(&live, wait + Duration::from_millis(1), vec![words("/patch/commit", &[])]);
    for message in [words("/patch/delete", &["filter"]), words("/patch/create", &["filter", "svf"])] {
        live.send_message(message);
    }
    let told: Vec<_> = [(); 2].map(|()| live.error()).into_iter().map(|[address, code, _]| (address, code)).collect();
    let expected = [("/mod/filter/q", "bad_edit"), ("/patch/commit", "full")];
    let expected = expected.map(|(address, code)| (address.to_owned(), code.to_owned()));
    assert_eq!(told, expected);
    std::thread::sleep(Duration::from_millis(200));
    let outcome = live.finish();
    let kept: Vec<_> = outcome.commands.iter().map(|(_, message)| message.addr.as_str()).collect();
    assert_eq!(kept, ["/patch/delete", "/patch/create", "/patch/commit"]);
    outcome.assert_explained();
}

#[test]
fn a_preset_is_made_at_once_and_one_that_was_saved_comes_back() {
    let folder = Folder::new("words-presets");
    let patch = folder.file("last.toml");
    let live = Live::start(Build::Release, "words-preset", &["--patch", patch.to_str().expect("text")], &[]);
    live.send_message(words("/patch/load", &["bell"]));
    assert_eq!(live.answer("/patch/load.reply"), [OscType::from("bell")]);
    live.send_message(words("/patch/save", &["mine"]));
    assert_eq!(live.answer("/patch/save.reply"), [OscType::from("mine")]);
    live.send_message(words("/patch/presets", &[]));
    let names = live.answer("/patch/presets.reply");
    assert!(names.len() == 9 && names.contains(&OscType::from("mine")), "{names:?}");
    live.send_message(words("/patch/load", &["../mine"]));
    assert_eq!(live.error()[1], "failed");
    let on = vec![OscType::from("keys"), OscType::Int(69), OscType::Float(0.8)];
    live.send("/note/on", on);
    std::thread::sleep(Duration::from_millis(500));
    let outcome = live.finish();
    assert!(outcome.audible > 50, "{} blocks of a bell", outcome.audible);
    outcome.assert_explained();
    assert!(std::fs::read_to_string(folder.file("mine.toml")).expect("it is kept").contains("[module.strike]"));
}
