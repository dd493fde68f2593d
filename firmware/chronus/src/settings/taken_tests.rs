use std::os::unix::fs::symlink;
use std::path::PathBuf;

use super::*;
use crate::appliance::MadeUp;

const BOX: &str = "# Mine.\nschema = 1\n\n[ssh]\nkeys = []\n\n[[control]]   # the big knob\nkind = \"encoder\"\npins = [17, 27]\n\
    address = \"/mod/sine/gain\" # loud\nsteps = 50\n\n[[control]]\nkind = \"button\"\npin = 22\npress = \"/gate/adsr 1\"\n\
    long_press = \"/test\"\n";
const ENGINE: &str = "[surface]\nfile = \"/box/chronus.toml\"\n\n[[control]]\nkind = \"encoder\"\npins = [17, 27]\n\
    address = \"/mod/sine/gain\"\nsteps = 50\n";
const KNOB: &str = "request = 7\n\n[[control]]\nkind = \"encoder\"\npins = [17, 27]\naddress = \"/mod/filter/q\"\nmin = 0.5\n\
    max = 10.0\ncurve = \"log\"\nsteps = 40\n";

/// A box with this on BOX, the results of a start, and something left.
struct Box {
    made_up: MadeUp,
}

impl Box {
    fn new(text: &str) -> Self {
        let made_up = MadeUp::new("taken");
        made_up.write("box/chronus.toml", text);
        made_up.write("run/engine.toml", ENGINE);
        made_up.write("left/empty", "");
        Self { made_up }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.made_up.machine().path(path)
    }

    fn keep(&self) -> Result<(), String> {
        keep_learned(&self.path("left/learned.toml"), &self.path("box/chronus.toml"), &self.path("run"))
    }

    fn keep_left(&self, text: &str) -> Result<(), String> {
        self.made_up.write("left/learned.toml", text);
        self.keep()
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap_or_default()
    }

    /// Nothing was made, and nothing lies about.
    fn assert_untouched(&self, why: &str) {
        assert_eq!(
            (self.read("run/engine.toml"), self.read("box/chronus.toml").as_str()),
            (ENGINE.to_owned(), BOX),
            "{why}"
        );
        assert!(!self.path("left/learned.toml").exists(), "{why}");
    }
}

#[test]
fn what_a_control_is_for_becomes_a_new_text_and_all_else_stays() {
    let made_up = Box::new(BOX);
    made_up.keep_left(KNOB).unwrap();
    let new = made_up.read("run/learned.toml");
    let expected = BOX
        .replace("/mod/sine/gain", "/mod/filter/q")
        .replace("steps = 50\n", "steps = 40\nmin = 0.5\nmax = 10.0\ncurve = \"log\"\n");
    let words = |text: &str| -> Vec<String> {
        let mut words: Vec<_> = text.lines().map(str::to_owned).collect();
        words.sort();
        words
    };
    assert_eq!(words(&new), words(&expected));
    assert_eq!(made_up.read("run/learned"), "7 checked\n");
    // The engine that is started next knows it; BOX is for the script.
    assert!(made_up.read("run/engine.toml").contains("/mod/filter/q"));
    assert_eq!(made_up.read("box/chronus.toml"), BOX);
    assert!(!made_up.path("left/learned.toml").exists());
    // What a button does besides stays.
    let button = "request = 8\n[[control]]\nkind = \"button\"\npin = 22\npress = \"/panic\"\n";
    made_up.keep_left(button).unwrap();
    assert_eq!(made_up.read("run/learned.toml"), BOX.replace("/gate/adsr 1", "/panic"));
}

#[test]
fn whatever_else_is_left_changes_nothing() {
    let also = |more: &str| format!("{KNOB}{more}\n");
    for (text, reason) in [
        (String::new(), "not one [[control]]"),
        ("[[control".to_owned(), "no TOML"),
        (also("pull = \"off\""), "more than what"),
        (also("debounce_ms = 0"), "more than what"),
        (also("[ssh]\nkeys = [\"ssh-ed25519 AAAA\"]"), "not one [[control]]"),
        (also("[[control]]\nkind = \"button\"\npin = 22"), "not one [[control]]"),
        (KNOB.replace("request = 7\n", ""), "not one [[control]]"),
        (KNOB.replace("= 7", "= -7"), "not one [[control]]"),
        (KNOB.replace("/mod/filter/q", "/no/such"), "no right [[control]]"),
        (KNOB.replace("max = 10.0", "max = 1e9"), "no right [[control]]"),
        (KNOB.replace("[17, 27]", "[17, 21]"), "no right [[control]]"),
        (KNOB.replace("[17, 27]", "[5, 6]"), "no [[control]] there has these pins"),
        ("request = 7\n[[control]]\nkind = \"switch\"\npin = 22\non = \"/panic\"\n".to_owned(), "of another kind"),
        (format!("{KNOB}#{}", "x".repeat(1024)), "no file of at most 1024 bytes"),
    ] {
        let made_up = Box::new(BOX);
        let said = made_up.keep_left(&text).expect_err(&text);
        assert!(said.contains(reason), "{text}: {said}");
        made_up.assert_untouched(&text);
        let answer = made_up.read("run/learned");
        assert!(answer.is_empty() || answer == format!("7 {said}\n"), "{answer}");
    }
}

#[test]
fn what_is_no_plain_file_is_not_read() {
    // Each with what an attacker would like to have read: a right binding, under another name.
    let outside = |made_up: &Box| {
        made_up.made_up.write("secret/file", KNOB);
        made_up.path("secret/file")
    };
    let left = |made_up: &Box| made_up.path("left/learned.toml");
    type Trick<'a> = &'a dyn Fn(&Box);
    let tricks: [(&str, Trick); 5] = [
        ("a link", &|made_up| symlink(outside(made_up), left(made_up)).unwrap()),
        ("a second name", &|made_up| std::fs::hard_link(outside(made_up), left(made_up)).unwrap()),
        ("a link to a device", &|made_up| symlink("/dev/zero", left(made_up)).unwrap()),
        ("a folder", &|made_up| made_up.made_up.write("left/learned.toml/in/it", KNOB)),
        ("a pipe", &|made_up| {
            nix::unistd::mkfifo(&left(made_up), nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
        }),
    ];
    for (what, trick) in tricks {
        let made_up = Box::new(BOX);
        trick(&made_up);
        let said = made_up.keep().expect_err(what);
        assert!(said.contains("what was left"), "{what}: {said}");
        made_up.assert_untouched(what);
        let secret = made_up.path("secret/file");
        assert!(!secret.exists() || made_up.read("secret/file") == KNOB, "{what}");
    }
    let made_up = Box::new(BOX);
    assert!(made_up.keep().unwrap_err().contains("cannot be read"), "there is nothing");
}

#[test]
fn where_box_is_not_there_or_its_file_damaged_that_is_said() {
    for (text, reason) in
        [("[[control", "cannot be understood"), ("schema = 1\n", "no [[control]] there has these pins")]
    {
        let said = Box::new(text).keep_left(KNOB).unwrap_err();
        assert!(said.contains(reason), "{said}");
    }
    let made_up = Box::new(BOX);
    std::fs::remove_file(made_up.path("box/chronus.toml")).unwrap();
    made_up.keep_left(KNOB).unwrap_err();
    let answer = made_up.read("run/learned");
    assert!(answer.starts_with("7 ") && answer.contains("chronus.toml cannot be read"), "{answer}");
    // It holds for the engine that is started next all the same.
    assert!(made_up.read("run/engine.toml").contains("/mod/filter/q"));
}

#[test]
fn an_engine_that_could_not_start_with_it_keeps_what_it_has() {
    let made_up = Box::new(BOX);
    // At its rate the engine refuses nothing; a file of another version may.
    let strange = format!("[engine]\nunknown = 1\n\n{ENGINE}");
    made_up.made_up.write("run/engine.toml", &strange);
    made_up.keep_left(KNOB).unwrap();
    assert_eq!(made_up.read("run/engine.toml"), strange);
}
