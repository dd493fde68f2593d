//! Time in the music: every word of the clock and of tracks, live, under kills, bit for bit as the kept score; and steps on
//! their exact frames through the whole engine.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chronus_tests::build::Build;
use chronus_tests::engine::{Engine, Folder, render};
use chronus_tests::live::Live;
use chronus_tests::random::Random;
use chronus_tests::recording::Recording;
use chronus_tests::score::Score;
use chronus_tests::undisturbed::undisturbed;
use rosc::{OscBundle, OscMessage, OscPacket, OscTime, OscType};

/// How long is played: long enough for some hundred kills and words.
const PLAYED: Duration = Duration::from_secs(8);

fn words(address: &str, words: &[&str]) -> OscMessage {
    with(address, words, &[])
}

fn with(address: &str, words: &[&str], more: &[OscType]) -> OscMessage {
    let words = words.iter().map(|word| OscType::from(*word));
    OscMessage { addr: address.to_owned(), args: words.chain(more.iter().cloned()).collect() }
}

/// The patch at power-on, and beside it a voice; a track for each.
fn tracks() -> Vec<OscMessage> {
    let patch = [
        words("/patch/create", &["keys", "voice"]),
        words("/patch/create", &["saw", "osc"]),
        words("/patch/create", &["env", "adsr"]),
        words("/patch/create", &["amp", "vca"]),
        words("/patch/connect", &["keys", "saw"]),
        words("/patch/connect", &["keys", "env"]),
        words("/patch/connect", &["saw", "amp"]),
        words("/patch/connect", &["env", "amp.level"]),
        with("/patch/connect", &["amp", "out"], &[OscType::Float(0.3)]),
        words("/patch/commit", &[]),
    ];
    let tracks = [
        words("/seq/create", &["kick"]),
        words("/seq/pattern", &["kick", "X..x..x."]),
        words("/seq/assign", &["kick", "gate", "adsr"]),
        words("/seq/create", &["bass"]),
        words("/seq/pattern", &["bass", "xxXxx"]),
        words("/seq/assign", &["bass", "gate", "keys"]),
        words("/seq/assign", &["bass", "param", "pitch", "keys", "note"]),
        words("/seq/param_lane", &["bass", "pitch", "33,36,40,45,33,57,61"]),
        words("/seq/start", &["kick"]),
        words("/seq/start", &["bass"]),
        with("/clock/tempo", &[], &[OscType::Float(174.0)]),
        words("/clock/start", &[]),
    ];
    patch.into_iter().chain(tracks).collect()
}

/// Something that is told the clock or a track next.
fn next(random: &mut Random) -> Vec<OscMessage> {
    let pick = |random: &mut Random, all: &[&'static str]| all[random.below(all.len() as u64) as usize];
    let float = |random: &mut Random, low: f64, high: f64| OscType::Float(random.between(low, high) as f32);
    let track = pick(random, &["kick", "bass", "kick", "bass", "spare"]);
    let one = match random.below(24) {
        0 | 1 => with("/clock/tempo", &[], &[float(random, 20.0, 1200.0)]),
        2 => with("/seq/bpm", &[track], &[float(random, 60.0, 400.0)]),
        3 => words("/clock/start", &[]),
        4 => return vec![words("/clock/stop", &[]), words("/clock/continue", &[])],
        5 => words("/clock/continue", &[]),
        6 => {
            let steps: String = (0..1 + random.below(64)).map(|_| pick(random, &["X", "x", "."])).collect();
            words("/seq/pattern", &[track, &steps])
        }
        7 => words("/seq/pattern", &[track, pick(random, &["X...x...", "xX", "..x", "Xx.Xx.x.|xXxX xxXX"])]),
        8 | 9 => {
            let values: Vec<_> = (0..1 + random.below(64)).map(|_| float(random, 100.0, 6000.0)).collect();
            with("/seq/param_lane", &[track, "cutoff"], &values)
        }
        10 => words("/seq/assign", &[track, "param", "cutoff", "filter", "cutoff"]),
        11 => words("/seq/assign", &[track, "param", pick(random, &["pitch", "cutoff"]), ""]),
        12 => words("/seq/assign", &["bass", "param", "pitch", "keys", "note"]),
        13 => words("/seq/assign", &[track, "gate", pick(random, &["adsr", "env", "keys", ""])]),
        14 => with("/seq/gate_len", &[track], &[float(random, 0.0, 1.2)]),
        15 => with("/seq/config", &[track, "swing"], &[float(random, 0.4, 0.8)]),
        16 => {
            let more = [float(random, 0.2, 1.2), OscType::from("seed"), OscType::Int(random.below(99) as i32)];
            with("/seq/config", &[track, "probability"], &more)
        }
        17 => with("/seq/config", &[track, "division"], &[OscType::Int(random.below(17) as i32)]),
        18 => with("/seq/config", &[track], &[float(random, 90.0, 200.0), OscType::Int(12), OscType::Int(4)]),
        19 => words(pick(random, &["/seq/stop", "/seq/start", "/seq/start"]), &[track]),
        20 => words(pick(random, &["/seq/reset", "/seq/reset_all"]), &[track]),
        21 => {
            let makes = [words("/seq/create", &["spare"]), words("/seq/start", &["spare"])];
            let plays = [words("/seq/assign", &["spare", "gate", "env"]), words("/seq/pattern", &["spare", "x.X"])];
            return makes.into_iter().chain(plays).collect();
        }
        22 => words("/seq/delete", &["spare"]),
        _ => {
            // What is assigned to it lapses.
            let patch = [
                words("/patch/delete", &["env"]),
                words("/patch/create", &["env", "adsr"]),
                words("/patch/connect", &["keys", "env"]),
                words("/patch/connect", &["env", "amp.level"]),
                words("/patch/commit", &[]),
            ];
            return patch.into();
        }
    };
    vec![one]
}

/// Plays while workers are killed; how many blocks were late.
fn play(seed: u64) -> u64 {
    let live = Live::start(Build::Release, &format!("time-{seed}"), &[], &[]);
    tracks().into_iter().for_each(|message| live.send_message(message));
    let clock = ["tempo", "start", "stop", "continue"].map(|word| format!("/clock/{word}"));
    let all = "create delete config pattern lane lane_part assign start stop reset reset_all gate_len";
    let addresses = clock.into_iter().chain(all.split(' ').map(|word| format!("/seq/{word}")));
    live.play_under_kills(PLAYED, seed, Duration::from_millis(25), next, addresses)
}

#[test]
fn what_tracks_play_live_sounds_as_its_kept_score_though_workers_die() {
    for seed in [1, 2] {
        undisturbed(|| play(seed));
    }
}

/// Frame of a step, counted from the frame of the start: floor(step * 60 * rate / (tempo * steps per beat)).
fn frame_of(step: u64, rate: u64, thousandths: u64, division: u64) -> usize {
    (u128::from(step) * 60_000 * u128::from(rate) / u128::from(thousandths * division)) as usize
}

/// Makes each note of a track on the envelope at power-on an edge.
fn sharp(score: &mut Score, pattern: &str) {
    for (address, value) in [
        ("/mod/adsr/attack", 0.1),
        ("/mod/adsr/release", 0.1),
        ("/mod/filter/cutoff", 20_000.0),
        ("/mod/sine/freq", 3_000.0),
    ] {
        score.at(0, address, vec![OscType::Float(value)]);
    }
    for message in track_of(pattern) {
        score.at(0, &message.addr, message.args);
    }
}

fn track_of(pattern: &str) -> [OscMessage; 5] {
    [
        words("/seq/create", &["kick"]),
        words("/seq/pattern", &["kick", pattern]),
        words("/seq/assign", &["kick", "gate", "adsr"]),
        with("/seq/gate_len", &["kick"], &[OscType::Float(0.05)]),
        words("/seq/start", &["kick"]),
    ]
}

#[test]
fn ten_minutes_at_174_beats_a_minute_are_on_their_frames_through_the_whole_engine() {
    const BLOCKS: &str = "112500";
    let folder = Folder::new("time-exact");
    let mut score = Score::new(48_000);
    sharp(&mut score, "X");
    score.at(4_800, "/clock/tempo", vec![OscType::Double(174.0)]).at(4_800, "/clock/start", vec![]);
    let file = folder.file("score.osc");
    score.write(&file);
    let (played, rendered) = (folder.file("played.wav"), folder.file("rendered.wav"));
    let (text, sink) = (file.to_str().expect("text"), format!("free:{}", played.display()));
    let arguments = ["--score", text, "--sink", &sink, "--blocks", BLOCKS, "--osc", "off"];
    assert_eq!(Engine::start(Build::Release, &arguments).wait().0, 0);
    render(Build::Release, &file, &rendered, &["--blocks", BLOCKS]);
    let recording = Recording::read(&played);
    assert!(recording.frames == Recording::read(&rendered).frames, "two workers play what one renders");
    let onsets = recording.onsets();
    let end = recording.frames.len();
    let expected: Vec<_> =
        (0..).map(|step| 4_800 + frame_of(step, 48_000, 174_000, 4)).take_while(|frame| *frame < end).collect();
    let first = onsets.iter().zip(&expected).position(|(is, should)| is != should);
    println!("{} onsets, the last one at frame {:?}", onsets.len(), onsets.last());
    assert_eq!((first, onsets.len()), (None, expected.len()), "the first step that is elsewhere");
    assert!(onsets.len() > 6_900);
}

/// A bundle of these messages with a time tag.
fn at(time: u64, content: Vec<OscMessage>) -> OscPacket {
    let content = content.into_iter().map(OscPacket::Message).collect();
    let timetag = OscTime { seconds: (time >> 32) as u32, fractional: time as u32 };
    OscPacket::Bundle(OscBundle { timetag, content })
}

/// So long from now, as a time tag.
fn later(wait: Duration) -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970") + wait;
    let fraction = (u64::from(since_1970.subsec_nanos()) << 32) / 1_000_000_000;
    ((since_1970.as_secs() + 2_208_988_800) << 32) + fraction
}

/// Plays bundles with time tags; how many blocks were late.
fn play_stamped() -> u64 {
    let live = Live::start(Build::Release, "time-stamped", &[], &[]);
    let mut set_up = Score::new(48_000);
    sharp(&mut set_up, "X...");
    set_up.messages().into_iter().for_each(|message| live.send_message(message));
    let first = later(Duration::from_millis(400));
    let start = words("/clock/start", &[]);
    let one = at(first, vec![with("/clock/tempo", &[], &[OscType::Int(174)]), start.clone()]);
    // Half a second later it begins anew, with another pattern. In one datagram: the engine looks at both its clocks for each,
    // and on a machine that keeps it waiting in between it sees them differ by as much.
    let other = at(first + (1 << 31), vec![words("/seq/pattern", &["kick", "Xx"]), start]);
    let OscPacket::Bundle(OscBundle { timetag, .. }) = one else { panic!("it is a bundle") };
    live.send_packet(&OscPacket::Bundle(OscBundle { timetag, content: vec![one, other] }));
    std::thread::sleep(Duration::from_millis(1500));
    let outcome = live.finish();
    let frame =
        |time: OscTime| u64::from(time.seconds) * 48_000 + ((u64::from(time.fractional) * 48_000 + (1 << 31)) >> 32);
    let starts = outcome.commands.iter().filter(|(_, message)| message.addr == "/clock/start");
    let starts: Vec<_> = starts.map(|(time, _)| frame(*time) as usize).collect();
    let [one, other] = starts[..] else { panic!("{starts:?}") };
    if outcome.late == 0 {
        assert_eq!(other - one, 24_000, "half a second");
        let expected = [one, one + frame_of(4, 48_000, 174_000, 4)].into_iter();
        let expected: Vec<_> = expected.chain((0..5).map(|step| other + frame_of(step, 48_000, 174_000, 4))).collect();
        assert_eq!(outcome.onsets[..expected.len()], expected, "{}", outcome.output);
    }
    outcome.assert_explained().late
}

#[test]
fn a_bundle_with_a_time_tag_starts_the_clock_on_its_frame() {
    undisturbed(play_stamped);
}

#[test]
fn what_is_no_word_is_told_and_the_tracks_are_told_as_they_are() {
    let live = Live::start(Build::Release, "time-words", &[], &[]);
    let refused = [
        (with("/clock/tempo", &[], &[OscType::Float(f32::NAN)]), "not_finite", "nothing changed"),
        (words("/seq/create", &["Kick"]), "bad_edit", "small letters"),
        (words("/seq/start", &["kick"]), "bad_edit", "there are none yet"),
        (words("/clock/temp", &["1"]), "unknown_address", "did you mean /clock/tempo?"),
    ];
    for (message, code, text) in refused {
        live.send_message(message);
        let [_, found, said] = live.error();
        assert!(found == code && said.contains(text), "{found}: {said}");
    }
    track_of("X.x.").into_iter().for_each(|message| live.send_message(message));
    live.send_message(with("/clock/tempo", &[], &[OscType::Int(1_000_000_000)]));
    live.send_message(words("/seq/pattern", &["kick", &"x".repeat(65)]));
    assert!(live.error()[2].contains("at most 64"));
    live.send_message(words("/get", &["/clock/tempo"]));
    assert_eq!(live.answer("/clock/tempo"), [OscType::Float(999.0)]);
    live.send_message(words("/seq/list", &[]));
    let told = live.bundle();
    for message in
        [words("/seq/create", &["kick"]), words("/seq/pattern", &["kick", "X.x."]), words("/seq/start", &["kick"])]
    {
        assert!(told.contains(&message), "{message:?} in {told:?}");
    }
    assert_eq!(live.answer("/seq/list.reply"), [OscType::Int(1), OscType::Bool(false)]);
    live.finish().assert_explained();
}

/// The tempo and the tracks as they are told, and whether the clock runs.
fn listed(live: &Live) -> (Vec<OscMessage>, bool) {
    live.send_message(words("/seq/list", &[]));
    let told = live.bundle();
    let [_, OscType::Bool(running)] = live.answer("/seq/list.reply")[..] else {
        panic!("a number, and whether it runs")
    };
    (told, running)
}

#[test]
fn tempo_and_tracks_are_kept_and_saved_and_wait_for_a_start() {
    let folder = Folder::new("time-kept");
    let patch = folder.file("last.toml");
    let arguments = ["--patch", patch.to_str().expect("text")];
    let live = Live::start(Build::Release, "time-kept-first", &arguments, &[]);
    tracks().into_iter().for_each(|message| live.send_message(message));
    std::thread::sleep(Duration::from_millis(300));
    let (made, running) = listed(&live);
    assert!(running && made.len() > 15, "{made:?}");
    live.send_message(words("/patch/save", &["mine"]));
    assert_eq!(live.answer("/patch/save.reply"), [OscType::from("mine")]);
    live.finish().assert_explained();

    let live = Live::start(Build::Release, "time-kept-again", &arguments, &[]);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(listed(&live), (made.clone(), false), "as it was, but for the clock");
    for message in
        [words("/seq/delete", &["kick"]), words("/seq/pattern", &["bass", "x"]), words("/seq/create", &["more"])]
    {
        live.send_message(message);
    }
    live.send_message(words("/patch/load", &["mine"]));
    assert_eq!(live.answer("/patch/load.reply"), [OscType::from("mine")]);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(listed(&live).0, made);
    // One of the program's own knows of no tracks: they stay, and play nothing that there is any more.
    live.send_message(words("/patch/load", &["pad"]));
    assert_eq!(live.answer("/patch/load.reply"), [OscType::from("pad")]);
    std::thread::sleep(Duration::from_millis(300));
    let left = listed(&live).0;
    assert!(left.contains(&words("/seq/create", &["kick"])), "{left:?}");
    assert!(!left.iter().any(|message| message.addr == "/seq/assign"), "{left:?}");
    live.finish().assert_explained();
}

#[test]
fn a_preset_is_made_at_one_frame_and_one_without_tracks_leaves_those_that_there_are() {
    let folder = Folder::new("time-bare");
    let patch = folder.file("last.toml");
    let live = Live::start(Build::Release, "time-bare", &["--patch", patch.to_str().expect("text")], &[]);
    live.send_message(words("/patch/save", &["bare"]));
    assert_eq!(live.answer("/patch/save.reply"), [OscType::from("bare")]);
    live.send_message(words("/seq/create", &["kick"]));
    for name in ["acid", "bare"] {
        std::thread::sleep(Duration::from_millis(300));
        live.send_message(words("/patch/load", &[name]));
        assert_eq!(live.answer("/patch/load.reply"), [OscType::from(name)]);
    }
    std::thread::sleep(Duration::from_millis(300));
    let left = listed(&live).0;
    assert!(left.contains(&words("/seq/create", &["line"])), "{left:?}");
    let outcome = live.finish();
    outcome.assert_explained();
    let times: Vec<_> = outcome.commands.iter().map(|(tag, one)| ((tag.seconds, tag.fractional), &*one.addr)).collect();
    let commits: Vec<_> = times.iter().filter(|(_, address)| *address == "/patch/commit").map(|one| one.0).collect();
    let [acid, bare] = commits[..] else { panic!("two commits: {commits:?}") };
    let others: Vec<_> = times.iter().filter(|(time, _)| ![acid, bare].contains(time)).map(|one| one.1).collect();
    assert_eq!(others, ["/seq/create"], "but for the track made by hand all is at the frames of the commits");
}
