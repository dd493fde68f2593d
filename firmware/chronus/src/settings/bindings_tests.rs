use super::*;
use crate::appliance::MadeUp;
use crate::input::catalogue::power_on;
use crate::surface::Kind;

fn button() -> Control {
    let table = toml::from_str("kind = \"button\"\npin = 22\npress = \"/panic\"").unwrap();
    read_control(1, &table, &mut Pins::new()).0.unwrap()
}

/// What becomes of a binding if the service says this of the request it finds.
fn left_with(answer: &str) -> (Result<(), String>, String) {
    let made_up = MadeUp::new("bindings");
    let path = |name: &str| made_up.machine().path(name);
    let (left, said) = (path("learned.toml"), path("learned"));
    // Of an earlier request: nobody's.
    std::fs::write(&said, "1 kept\n").unwrap();
    let service = std::thread::spawn({
        let (left, said, answer) = (left.clone(), said.clone(), answer.to_owned());
        move || {
            let text = (0..1000).find_map(|_| {
                std::thread::sleep(Duration::from_millis(2));
                std::fs::read_to_string(&left).ok()
            });
            let text = text.expect("it is left");
            let number = text.lines().next().and_then(|line| line.strip_prefix("request = ")).unwrap().to_owned();
            std::fs::write(&said, format!("{number} checked\n")).unwrap();
            std::thread::sleep(Duration::from_millis(20));
            if !answer.is_empty() {
                std::fs::write(&said, format!("{number} {answer}\n")).unwrap();
            }
            text
        }
    });
    let patience = if answer.is_empty() { Duration::from_millis(200) } else { PATIENCE };
    (leave(&left, &said, &button(), patience), service.join().unwrap())
}

#[test]
fn a_binding_is_left_and_what_the_service_says_of_it_is_what_became_of_it() {
    let (kept, text) = left_with("kept");
    assert_eq!(kept, Ok(()));
    assert!(text.ends_with("\n[[control]]\nkind = \"button\"\npin = 22\npress = \"/panic\"\n"), "{text}");
    assert_eq!(left_with("the card is write-protected").0, Err("the card is write-protected".to_owned()));
    assert!(left_with("").0.unwrap_err().contains("nobody says that it was written"));
}

#[test]
fn what_the_next_start_would_refuse_is_not_written() {
    let made_up = MadeUp::new("of-another-patch");
    let file = made_up.machine().path("chronus.toml");
    let text = "[[control]]\nkind = \"encoder\"\npins = [17, 27]\naddress = \"/mod/filter/q\"\n";
    std::fs::write(&file, text).unwrap();
    let table = toml::from_str::<toml::Table>(text).unwrap();
    let (control, _) = read_control(1, table["control"][0].as_table().unwrap(), &mut Pins::new());
    let mut control = control.unwrap();
    let Kind::Encoder(encoder) = &mut control.kind else { panic!("it is one") };
    encoder.address = "/mod/soft/cutoff".to_owned();
    let bindings = Bindings { file: file.clone(), service: None };
    let why = bindings.keep(&control).unwrap_err();
    assert!(why.contains("patch at power-on only, and /mod/soft/cutoff is of another. It holds until"), "{why}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    let control = control.bound_to("/mod/filter/cutoff", 48_000, power_on()).unwrap();
    assert_eq!(bindings.keep(&control), Ok(()));
    assert!(std::fs::read_to_string(&file).unwrap().contains("/mod/filter/cutoff"));
}

#[test]
fn what_is_not_kept_is_told_with_how_long_it_holds_and_what_to_write() {
    let nowhere = Path::new("/nowhere/x").to_owned();
    for (service, holds) in [
        (None, "until the engine ends"),
        (Some([nowhere.clone(), nowhere.clone()]), "until the engine ends or the power goes"),
    ] {
        let bindings = Bindings { file: "/nowhere/chronus.toml".into(), service };
        let why = bindings.keep(&button()).unwrap_err();
        for said in [holds, "/nowhere/", "Write it into /nowhere/chronus.toml by hand", "press = \"/panic\""] {
            assert!(why.contains(said), "{said}: {why}");
        }
    }
}
