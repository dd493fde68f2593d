//! Tests of the options of `chronus run`.

use super::*;

fn parse(text: &str) -> Result<RunOptions, Wrong> {
    RunOptions::parse(&text.split_whitespace().map(OsString::from).collect::<Vec<_>>())
}

#[test]
fn every_option_is_taken() {
    let options = parse(
        "--sink paced:x.wav --osc 127.0.0.1:0 --score s.osc --seconds 2 --workers 1 --rate 96000 --lead 4 \
         --periods 3 --real-time off --cores 0,1,1",
    )
    .unwrap();
    assert_eq!(options.sink, SinkChoice::Paced(Some("x.wav".into())));
    assert_eq!((options.blocks, options.workers, options.rate, options.lead), (Some(750), 1, 96_000, 4));
    assert_eq!((options.periods, options.real_time, options.cores), (3, RealTime::Off, Some([0, 1, 1])));
    assert_eq!(parse("--sink alsa:hw:0,0").unwrap().sink, SinkChoice::Alsa("hw:0,0".to_owned()));
    assert_eq!(parse("--sink alsa").unwrap().sink, SinkChoice::Alsa("default".to_owned()));
    assert_eq!(parse("--osc off").unwrap().osc, None);
}

#[test]
fn a_rate_that_nobody_named_may_become_another_and_seconds_stay_seconds() {
    let options = parse("--seconds 2").unwrap();
    assert!(!options.rate_named && parse("--rate 48000").unwrap().rate_named);
    assert_eq!((options.blocks, options.at_rate(96_000).blocks), (Some(375), Some(750)));
    assert_eq!(parse("--blocks 9").unwrap().at_rate(96_000).blocks, Some(9));
    assert_eq!(parse("").unwrap().at_rate(96_000).blocks, None);
}

#[test]
fn what_cannot_be_is_refused_with_what_can() {
    for (text, hint) in [
        ("--rate 22050", "44100, 48000, 96000"),
        ("--lead 0", "1 to 4"),
        ("--lead five", "1 to 4"),
        ("--workers 3", "2 survive"),
        ("--sink jack", "alsa"),
        ("--sink free:x.wav", "--seconds"),
        ("--osc here", "ADDR:PORT"),
        ("--seconds -1", "seconds"),
        ("--seconds nan", "seconds"),
        ("--seconds", "needs a value"),
        ("--seconds 1 --blocks 9", "leave one of them out"),
        ("--config", "needs a value"),
        ("--osc off --keep-score x.osc", "OSC is off"),
        ("--osc off --patch x.toml", "OSC is off"),
        ("--score x.osc --patch x.toml", "the same every time"),
        ("--keep-score x.osc --patch x.osc", "named twice"),
        ("--cores 1,2", "three"),
        ("--periods 1", "2, 3 or 4"),
        ("--real-time please", "require"),
        ("--led on", "gpio:N"),
        ("--volume 11", "chronus run --help"),
        ("--config /nowhere.toml", "/nowhere.toml"),
    ] {
        let wrong = parse(text).expect_err(text);
        assert!(wrong.0.contains(hint), "{text}: {wrong}");
    }
}

#[test]
fn the_command_line_wins_over_the_file_and_a_bad_file_names_the_line() {
    let path = std::env::temp_dir().join(format!("chronus-configuration-{}.toml", std::process::id()));
    let read = |content: &str, more: &str| {
        std::fs::write(&path, content).unwrap();
        parse(&format!("--config {} {more}", path.display()))
    };
    let good =
        "\u{feff}[engine]\r\nrate = 96000\r\nlead = 3\r\npatch = \"p\"\r\n[osc]\r\nlisten = \"127.0.0.1:7000\"\r\n";
    let options = read(good, "--lead 1").unwrap();
    assert_eq!((options.patch, read(good, "--patch q").unwrap().patch), (Some("p".into()), Some("q".into())));
    assert_eq!((options.rate, options.lead, options.osc.unwrap().port()), (96_000, 1, 7000));
    // In either spelling, and wherever the file is named.
    for words in ["--lead=1 --sink=paced --config PATH", "--config=PATH --lead 1", "--lead 1 --config=PATH"] {
        let options = parse(&words.replace("PATH", &path.display().to_string())).unwrap();
        assert_eq!((options.rate, options.lead), (96_000, 1), "{words}");
    }
    assert_eq!(read(good, "--seconds 1").unwrap().blocks, Some(375), "seconds are those of the file's rate");
    for (bad, hint) in
        [("[engine]\nrates = 1", "rates"), ("[engine]\nrate = \"x\"", "line 2"), ("[engine]\nlead = 9", "1 to 4")]
    {
        let wrong = read(bad, "").expect_err(bad);
        assert!(wrong.0.contains(hint), "{bad}: {wrong}");
    }
    std::fs::remove_file(&path).unwrap();
}
