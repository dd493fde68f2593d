//! The walk with a script at the terminal and an engine that is made up.

use super::*;

/// An engine that answers as it is told to, and notes what it was asked.
struct MadeUp {
    lamp: &'static str,
    card: &'static str,
    asked: Vec<String>,
    /// How often it still says "identify".
    identifies: usize,
    /// What is counted at its controls, at each look; none if it has no controls.
    counts: Vec<Vec<OscType>>,
}

impl MadeUp {
    fn new(lamp: &'static str, card: &'static str) -> Self {
        Self { lamp, card, asked: Vec::new(), identifies: 0, counts: Vec::new() }
    }
}

impl Engine for MadeUp {
    fn ask(&mut self, address: &str, arguments: &[&str]) -> Result<Vec<OscMessage>, String> {
        self.asked.push([&[address], arguments].concat().join(" "));
        let string = |text: &str| OscType::String(text.to_owned());
        let reply = |args| vec![OscMessage { addr: format!("{address}.reply"), args }];
        Ok(match address {
            "/led" => {
                let state = if self.identifies > 0 { "identify" } else { "one-worker" };
                self.identifies = self.identifies.saturating_sub(1);
                reply(vec![string(state), OscType::Int(0), string(self.lamp)])
            }
            "/identify" => {
                self.identifies = 2;
                Vec::new()
            }
            "/health" => reply(["sink", "alsa:hw:0", "sound_card", self.card].map(string).to_vec()),
            "/version" => reply(vec![]),
            "/test" | "/gate/adsr" => Vec::new(),
            "/controls" if self.counts.len() > 1 => reply(self.counts.remove(0)),
            "/controls" => reply(self.counts.first().cloned().unwrap_or_default()),
            other => return Err(format!("{other} was refused")),
        })
    }
}

/// A walk with these answers: whether all is well, what was said, what the engine was asked.
fn walked(mut engine: MadeUp, answers: &str) -> (bool, String, Vec<String>) {
    let mut output = Vec::new();
    let good = walk(&mut engine, answers.as_bytes(), &mut output);
    (good, String::from_utf8(output).unwrap(), engine.asked)
}

#[test]
fn a_good_box_passes() {
    let (good, said, asked) = walked(MadeUp::new("gpio:23", "playing"), "y\ny\ny\ny\n");
    assert!(good && said.ends_with("\nPASS: light, sound (left out: controls)\n"), "{said}");
    assert!(said.contains("\"one-worker\": solid, with a short wink"), "what is shown after the five seconds: {said}");
    let expected = [
        "/version",
        "/led",
        "/identify",
        "/led",
        "/led",
        "/led",
        "/health",
        "/health",
        "/test",
        "/gate/adsr 0",
        "/controls",
    ];
    assert_eq!(asked, expected);
}

#[test]
fn what_fails_is_named_and_the_rest_is_looked_at() {
    for (lamp, card, answers, failed) in [
        ("gpio:23", "playing", "n\ny\ny\n", "FAIL: light: gpio:23 did not blink"),
        ("gpio:23", "playing", "y\nn\ny\ny\n", "FAIL: light: gpio:23 did not show \"one-worker\""),
        ("none: no such folder", "playing", "y\ny\n", "FAIL: light: no such folder"),
        ("gpio:23", "playing", "y\ny\nn\n", "FAIL: sound: the tone was not heard"),
        ("gpio:23", "playing", "y\ny\ny\nn\n", "FAIL: sound: it is not silent"),
        ("gpio:23", "waiting", "y\ny\n", "FAIL: sound: no sound card plays (sound_card waiting"),
    ] {
        let (good, said, asked) = walked(MadeUp::new(lamp, card), answers);
        assert!(!good && said.contains(failed) && !said.contains("PASS"), "{said}");
        assert_eq!(said.matches("FAIL").count(), 1, "{said}");
        assert!(asked.contains(&"/health".to_owned()), "the sound too: {asked:?}");
        let (on, off) = (asked.contains(&"/test".to_owned()), asked.contains(&"/gate/adsr 0".to_owned()));
        assert_eq!(on, off, "a tone that was begun is ended: {asked:?}");
    }
}

#[test]
fn again_and_nonsense_and_silence() {
    let (good, said, asked) = walked(MadeUp::new("gpio:23", "playing"), "a\nwhat?\nYES\na\ny\na\ny\ny\n");
    assert!(good && said.contains("y, n or a, please"), "{said}");
    let count = |what: &str| asked.iter().filter(|asked| *asked == what).count();
    assert_eq!((count("/identify"), count("/test"), count("/gate/adsr 0")), (2, 2, 2));
    let (good, said, _) = walked(MadeUp::new("gpio:23", "playing"), "y\n");
    assert!(!good && said.matches("nobody answered").count() == 2, "{said}");
}

#[test]
fn what_is_not_there_is_left_out_and_an_engine_that_is_not_there_fails() {
    let (good, said, _) = walked(MadeUp::new("off", "playing"), "y\ny\n");
    assert!(good && said.ends_with("PASS: sound (left out: light, controls)\n"), "{said}");
    struct Absent;
    impl Engine for Absent {
        fn ask(&mut self, _: &str, _: &[&str]) -> Result<Vec<OscMessage>, String> {
            Err("no Chronus answers".to_owned())
        }
    }
    let mut output = Vec::new();
    assert!(!walk(&mut Absent, "y\ny\ny\ny\n".as_bytes(), &mut output));
    assert!(String::from_utf8(output).unwrap().contains("FAIL: engine: no Chronus answers"));
}

/// What is told of a control.
fn control(place: usize, kind: &str, counts: &[(&str, i64)]) -> Vec<OscType> {
    let key = |name: &str| OscType::String(format!("controls.{place}.{name}"));
    let text = |text: &str| OscType::String(text.to_owned());
    let mut pairs = vec![key("kind"), text(kind), key("pins"), text("17 27"), key("does"), text("/mod/filter/q")];
    pairs.extend(counts.iter().flat_map(|(name, count)| [key(name), OscType::Long(*count)]));
    pairs
}

#[test]
fn each_control_counts_what_is_done_and_what_it_does_not_is_named_with_what_to_do() {
    let knob = |right, left, lost| control(0, "encoder", &[("right", right), ("left", left), ("lost", lost)]);
    let button = |closed, opened| control(0, "button", &[("closed", closed), ("opened", opened)]);
    let switch = |closed, opened| control(0, "switch", &[("closed", closed), ("opened", opened)]);
    let none = || knob(100, 50, 1);
    for (counts, answers, failed) in [
        (vec![none(), none(), knob(106, 50, 1), knob(106, 50, 1), knob(106, 56, 1)], "y\ny\n", ""),
        // Once more, and then right.
        (vec![none(), none(), knob(103, 50, 1), knob(109, 50, 1), knob(109, 50, 1), knob(109, 56, 1)], "a\ny\ny\n", ""),
        (vec![none(), none(), none()], "y\n", "nothing was counted"),
        (vec![none(), none(), knob(100, 56, 1)], "y\n", "exchange the two numbers in pins"),
        (vec![none(), none(), knob(112, 50, 1)], "y\n", "resolution = \"half\""),
        (vec![none(), none(), knob(124, 50, 1)], "y\n", "resolution = \"quarter\""),
        (vec![none(), none(), knob(103, 50, 1)], "y\n", "every second detent"),
        (vec![none(), none(), knob(105, 51, 1)], "y\n", "5 were counted that way, and 1 the other"),
        (vec![none(), none(), knob(106, 50, 2)], "y\n", "1 edges lost"),
        (vec![none(), none()], "n\n", "could not be moved"),
        (vec![button(0, 0), button(0, 0), button(6, 6)], "y\n", ""),
        (vec![button(0, 0), button(0, 0), button(7, 7)], "y\n", "of 6 presses 7"),
        (vec![switch(3, 3), switch(3, 3), switch(4, 4)], "y\n", ""),
        (vec![switch(3, 3), switch(3, 3), switch(3, 3)], "y\n", "closed 0 times"),
    ] {
        let engine = MadeUp { counts, ..MadeUp::new("off", "playing") };
        let (good, said, _) = walked(engine, &format!("y\ny\n{answers}"));
        assert_eq!(good, failed.is_empty(), "{said}");
        assert!(
            said.contains(if good { "PASS: sound, controls (left out: light)" } else { failed }),
            "{failed}: {said}"
        );
    }
}
