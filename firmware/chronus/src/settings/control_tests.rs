use super::*;

const ENCODER_TEXT: &str = "kind = \"encoder\"\npins = [17, 27]\naddress = \"/mod/filter/cutoff\"\nmin = 40.0\n\
    max = 12000\ncurve = \"log\"\nsteps = 96\nacceleration = 3.0\nresolution = \"full\"\n";
const BUTTON_TEXT: &str = "kind = \"button\"\npin = 22\npress = \"/gate/adsr 1\"\nrelease = \"/gate/adsr 0\"\n\
    long_press = \"/test\"\ndouble_press = \"/panic\"\n";

fn read(text: &str) -> (Option<Control>, Vec<Remark>) {
    read_control(1, &toml::from_str(text).unwrap_or_else(|error| panic!("{text}\n{error}")), &mut Pins::new())
}

fn right(text: &str) -> Control {
    let (control, remarks) = read(text);
    assert_eq!(remarks, [], "{text}");
    control.unwrap()
}

#[test]
fn every_key_is_taken() {
    let encoder = right(ENCODER_TEXT);
    let travel = Travel { minimum: 40.0, maximum: 12_000.0, curve: Curve::Logarithmic, steps: 96 };
    let address = "/mod/filter/cutoff".to_owned();
    let kind = Kind::Encoder(Encoder { resolution: Resolution::Full, acceleration: 3.0, address, travel });
    assert_eq!(encoder, Control { pins: vec![17, 27], pull: Pull::Up, active_low: true, bouncing: 2_250_000, kind });
    let more = "pull = \"down\"\nactive_low = true\ndebounce_ms = 0.5\n";
    let button = right(&format!("{BUTTON_TEXT}{more}"));
    assert_eq!((button.pull, button.active_low, button.bouncing), (Pull::Down, true, 500_000));
    assert_eq!(button.words(), "/gate/adsr 1, /gate/adsr 0, /test, /panic");
    let switch = right("kind = \"switch\"\npin = 5\non = \"/mod/filter/mode bandpass\"\npull = \"down\"");
    assert_eq!(
        (switch.words().as_str(), switch.active_low, switch.bouncing),
        ("/mod/filter/mode bandpass", false, 10_000_000)
    );
}

#[test]
fn what_is_not_said_is_as_the_parameter_is() {
    let travel =
        |address: &str| match right(&format!("kind = \"encoder\"\npins = [5, 6]\naddress = \"{address}\"")).kind {
            Kind::Encoder(encoder) => encoder.travel,
            other => panic!("{other:?}"),
        };
    assert_eq!(travel("/engine/gain"), Travel { minimum: 0.0, maximum: 1.0, curve: Curve::Linear, steps: 96 });
    assert_eq!((travel("/mod/filter/q").curve, travel("/mod/filter/mode").steps), (Curve::Logarithmic, 6));
}

#[test]
fn an_unknown_key_is_left_out_with_the_nearest_name() {
    for (more, key, hint) in
        [("stpes = 4", "stpes", "did you mean steps?"), ("release = 1", "release", "kind encoder has no key release")]
    {
        let (control, remarks) = read(&format!("{ENCODER_TEXT}{more}\n"));
        assert!(control.is_some() && remarks.len() == 1, "{remarks:?}");
        assert_eq!((remarks[0].key.as_deref(), remarks[0].severity), (Some(key), Severity::Warning));
        assert!(remarks[0].text.contains(hint), "{remarks:?}");
    }
}

#[test]
fn a_wrong_value_is_refused_with_its_reason_and_an_example() {
    for (right, wrong, hint) in [
        ("\"encoder\"", "\"pot\"", "analogue input"),
        ("\"encoder\"", "\"enocder\"", "did you mean encoder?"),
        ("\"encoder\"", "7", "there is encoder, button, switch"),
        ("[17, 27]", "[17]", "two BCM numbers"),
        ("[17, 27]", "17", "two BCM numbers"),
        ("[17, 27]", "[17, 17]", "both contacts are at GPIO 17"),
        ("[17, 27]", "[17, 18]", "bit clock of a sound card"),
        ("[17, 27]", "[0, 27]", "EEPROM"),
        ("[17, 27]", "[17, 40]", "no GPIO 40"),
        ("cutoff", "cutof", "did you mean /mod/filter/cutoff"),
        ("/mod/filter/cutoff", "/status", "asks for an answer"),
        ("40.0", "1.0", "from 10 to 47990"),
        ("40.0", "\"40\"", "a number is needed, without quotation marks. For example: min = 10.0"),
        ("12000", "30.0", "max must be above min. For example: min = 10.0 and max = 47990.0"),
        ("pins =", "pin =", "an encoder has two: pins = [17, 27]"),
        ("\"log\"", "\"exp\"", "there is lin, log"),
        ("96", "0", "whole number from 1 to 10000"),
        ("96", "9.5", "whole number"),
        ("3.0", "nan", "from 1 to 100"),
        ("\"full\"", "\"whole\"", "full, half, quarter"),
    ] {
        let (control, remarks) = read(&ENCODER_TEXT.replace(right, wrong));
        assert!(control.is_none() && !remarks.is_empty(), "{wrong}: {remarks:?}");
        assert!(
            remarks.iter().any(|remark| remark.severity == Severity::Error && remark.text.contains("For example: "))
        );
        assert!(remarks[0].text.contains(hint), "{remarks:?}");
    }
    for (right, wrong, hint) in [
        ("/gate/adsr 1", "/gate/adrs 1", "did you mean /gate/adsr"),
        ("/gate/adsr 1", "gate 1", "begins with /"),
        ("/gate/adsr 1", "/gate/adsr", "a value is missing"),
        ("/panic", "/version", "asks for an answer"),
        ("22", "\"22\"", "one BCM number"),
    ] {
        let (control, remarks) = read(&BUTTON_TEXT.replace(right, wrong));
        assert!(control.is_none() && remarks[0].text.contains(hint), "{wrong}: {remarks:?}");
    }
    let log = "kind = \"encoder\"\npins = [5, 6]\naddress = \"/mod/sine/gain\"\ncurve = \"log\"";
    assert!(read(log).1[0].text.contains("must be above 0"));
    for missing in ["pin = 5", "kind = \"button\"", "kind = \"encoder\"\npins = [5, 6]"] {
        assert!(read(missing).1[0].text.contains("it has no "), "{missing}");
    }
}

#[test]
fn a_pin_belongs_to_one_control() {
    let tables: Vec<Table> =
        [ENCODER_TEXT, &BUTTON_TEXT.replace("22", "27")].map(|text| toml::from_str(text).unwrap()).into();
    let wrong = read_controls(&tables).unwrap_err();
    assert!(
        wrong.contains("number 2: pin = 27") && wrong.contains("GPIO 27 is used by control 1 (encoder); take another"),
        "{wrong}"
    );
    assert!(wrong.ends_with("For example: pin = 22"), "neither 17 nor 27, and nothing is left out: {wrong}");
    assert_eq!(read_controls(&tables[..1]).unwrap().len(), 1);
}

#[test]
fn there_are_more_pins_than_examples_of_them() {
    // All that examples are made of, and then one more button and one more knob.
    let pins = [17, 27, 22, 23, 24, 25, 5, 6, 16, 26, 12];
    let buttons = pins.map(|pin| format!("kind = \"button\"\npin = {pin}\npress = \"/panic\""));
    let knob = "kind = \"encoder\"\npins = [4, 13]\naddress = \"/mod/filter/q\"".to_owned();
    let tables: Vec<Table> = buttons.into_iter().chain([knob]).map(|text| toml::from_str(&text).unwrap()).collect();
    assert_eq!(read_controls(&tables).unwrap().len(), 12);
    let twice: Vec<Table> = tables.iter().chain(&tables[10..]).cloned().collect();
    assert!(read_controls(&twice).unwrap_err().contains("GPIO 12 is used by control 11"));
}

#[test]
fn a_knob_on_choices_has_no_step_between_them() {
    let knob = |steps: u32| {
        let text = "kind = \"encoder\"\npins = [5, 6]\naddress = \"/mod/filter/mode\"";
        read(&format!("{text}\nsteps = {steps}\n"))
    };
    assert!(knob(2).1.is_empty() && knob(1).1.is_empty());
    let (control, remarks) = knob(96);
    assert!(control.is_none() && remarks[0].text.contains("steps"), "{remarks:?}");
}
