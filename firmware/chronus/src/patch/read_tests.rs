use abi::Operation;

use super::*;

/// The patch at power-on, set by `pick`.
fn set(rate: u32, pick: impl Fn(&dsp::kernel::Parameter) -> f64) -> Box<Wiring> {
    let mut wiring = Box::new(*catalogue::power_on());
    for (_, place, parameter) in catalogue::parameters(catalogue::power_on()) {
        wiring.follow(&Operation::Set(place, parameter.clamp(pick(parameter), rate)), rate);
    }
    wiring
}

fn read_whole(text: &str, rate: u32) -> Contents {
    let contents = read(text.as_bytes(), rate).unwrap();
    assert_eq!(contents.left_out, [""; 0], "{text}");
    contents
}

#[test]
fn all_values_come_back_to_the_last_bit() {
    for rate in abi::RATES {
        let share = |share: f64| {
            set(rate, move |parameter| parameter.minimum + (parameter.maximum.at(rate) - parameter.minimum) * share)
        };
        // The smallest that a clamped value can be, too.
        let tiny = set(rate, |_| f64::from(f32::MIN_POSITIVE));
        for wiring in (0..200).map(|step| share(f64::from(step) / 199.0)).chain([tiny]) {
            let text = write(&wiring);
            let contents = read_whole(&text, rate);
            assert_eq!(contents.text, text);
            assert!(contents.is_power_on);
            let set: Vec<_> = contents.values.iter().map(|message| (&message.addr, &message.args[0])).collect();
            for (address, value) in catalogue::values(&wiring) {
                let is_it = |argument: &OscType| match argument {
                    OscType::Double(found) => *found == value,
                    choice => matches!(choice, OscType::String(_)),
                };
                assert!(set.iter().any(|(known, argument)| **known == address && is_it(argument)), "{address}");
            }
        }
    }
}

#[test]
fn a_patch_comes_back_as_it_was_made() {
    let own = "schema = 2\n[module.keys]\ntype = \"voice\"\nvoices = 8\n[module.saw]\ntype = \"osc\"\n\
               [module.env]\ntype = \"adsr\"\nattack = 3\n[[connection]]\nfrom = \"keys\"\nto = \"saw\"\n\
               [[connection]]\nfrom = \"keys\"\nto = \"env\"\n[[connection]]\nfrom = \"saw\"\nto = \"env\"\n\
               [[connection]]\nfrom = \"env\"\nto = \"out\"\namount = 0.3\n[[connection]]\nfrom = \"keys.velocity\"\nto = \"saw.width\"";
    let first = read_whole(own, 48_000);
    let again = read_whole(&first.text, 48_000);
    assert_eq!((&again.text, &again.patch), (&first.text, &first.patch));
    assert_eq!((first.patch.len(), first.patch.last().unwrap().addr.as_str()), (1 + 3 + 5 + 1, "/patch/commit"));
    assert!(first.text.contains("\n[module.env]\ntype = \"adsr\"\nattack = 3.0 # ms\n"), "{}", first.text);
    assert!(first.text.contains("to = \"out\"\namount = 0.3\n"), "{}", first.text);
}

#[test]
fn as_many_voices_come_back_as_were_committed() {
    for voices in [1, 64] {
        let own = format!("schema = 2\n[module.keys]\ntype = \"voice\"\nvoices = {voices}\n");
        let contents = read_whole(&own, 48_000);
        assert!(contents.text.contains(&format!("\nvoices = {voices}.0\n")), "{}", contents.text);
        // Set, but not committed: that is not what was played.
        let mut wiring = Box::new(*catalogue::power_on());
        for message in contents.patch.iter().take(2).chain(&contents.values).chain(contents.patch.last()) {
            for request in interpret_message(message, When::Arrival(0), 48_000, &wiring) {
                let Ok(Request::Apply(intent)) = request else { panic!("{request:?}") };
                wiring.follow(&intent.operation, 48_000);
            }
        }
        let (place, _) = catalogue::parameter(&wiring, "keys", "voices").unwrap();
        wiring.follow(&Operation::Set(place, 7.0), 48_000);
        assert!(write(&wiring).contains(&format!("\nvoices = {voices}.0\n")), "{}", write(&wiring));
    }
}

#[test]
fn a_person_can_read_and_write_it() {
    let text = write(catalogue::power_on());
    assert!(text.contains("\n[module.sine]\ntype = \"sine\"\nfreq = 440.0 # Hz\ngain = 0.5\n"), "{text}");
    assert!(text.contains("\nmode = \"lowpass\"\n"), "{text}");
    let own = read_whole("schema = 1\nfilter.mode = 2\n[sine]\nfreq = 99999999", 48_000);
    assert!(own.text.contains("mode = \"bandpass\"") && own.text.contains("freq = 23990.0"), "{}", own.text);
    assert!(own.patch.is_empty() && own.is_power_on);
}

#[test]
fn what_is_unknown_or_no_value_is_left_out_by_name_and_the_rest_is_taken() {
    let text = "schema = 1\nextra = 5\n[sine]\nfreq = 220\ngian = 1\ngain = nan\n[filter]\nmode = \"brick\"\n\
                q = [1]\n[\"*\"]\nfreq = 1\n[reverb]\nroom.size = 1\n\"a\\nb\" = 2\n";
    let contents = read(text.as_bytes(), 48_000).unwrap();
    assert_eq!(contents.values.len(), 1, "{:?}", contents.values);
    let left_out = contents.left_out.join("; ");
    for word in ["extra", "sine.gian", "/mod/sine/gian", "sine.gain: NaN", "filter.mode", "filter.q", "*.freq"] {
        assert!(left_out.contains(word), "{word} is not in {left_out}");
    }
    assert!(!left_out.contains('\n') && contents.left_out.len() == 8, "{left_out}");
    let many: String = (0..20).map(|number| format!("unknown{number} = 1\n")).collect();
    let contents = read(format!("schema = 1\n{many}").as_bytes(), 48_000).unwrap();
    assert_eq!((contents.left_out.len(), contents.left_out[NAMED].as_str()), (NAMED + 1, "and 12 more"));
    let patch = "schema = 2\nextra = 1\n[module.\"*\"]\ntype = \"osc\"\n[module.a]\ntype = \"theremin\"\n[module.b]\n\
                 [module.c]\ntype = \"lfo\"\nshape = 9.5\n[[connection]]\nfrom = \"c\"\n[[connection]]\nfrom = \"c\"\n\
                 to = \"c.freq\"\n[[connection]]\nfrom = \"x\"\nto = \"out\"";
    assert!(is_patch(patch.as_bytes()) && !is_patch(b"schema = 2\nextra = 1"));
    let contents = read(patch.as_bytes(), 48_000).unwrap();
    let left_out = contents.left_out.join("; ");
    for word in [
        "extra",
        "small letters",
        "theremin",
        "b: the module needs a type",
        "`from` and `to`",
        "hear itself",
        "x to out",
    ] {
        assert!(left_out.contains(word), "{word} is not in {left_out}");
    }
    assert_eq!(contents.patch.len(), 3, "{:?}", contents.patch);
}

#[test]
fn tempo_and_tracks_come_back_as_they_were() {
    let own = "schema = 3\n[clock]\ntempo = 174.0\n[module.keys]\ntype = \"voice\"\n[module.env]\ntype = \"adsr\"\n\
               [[connection]]\nfrom = \"keys\"\nto = \"env\"\n[[connection]]\nfrom = \"env\"\nto = \"out\"\n\
               [[track]]\nname = \"kick\"\npattern = \"X..x\"\ngate = \"env\"\nswing = 0.6\nstarted = true\nseed = -3\n\
               [[track.lane]]\nname = \"a\"\nvalues = [0.1, 2, 300.5]\nmodule = \"env\"\nparameter = \"attack\"\n\
               [[track]]\nname = \"bass\"\ngate = \"keys\"\ndivision = 3\ngate_len = 1.0\nprobability = 0.25\n\
               [[track.lane]]\nname = \"pitch\"\nvalues = [33]\nmodule = \"keys\"\nparameter = \"note\"\n";
    let first = read_whole(own, 48_000);
    let again = read_whole(&first.text, 48_000);
    assert_eq!((&again.text, again.tracks.as_ref().unwrap().len()), (&first.text, 2 * 6 + 3 + 3 + 4));
    for line in [
        "tempo = 174.0 ",
        "pattern = \"X..x\"",
        "swing = 0.6\n",
        "seed = -3",
        "values = [0.1, 2.0, 300.5]",
        "parameter = \"note\"",
    ] {
        assert!(first.text.contains(line), "{line} in {}", first.text);
    }
    assert!(first.values.iter().any(|message| message.addr == "/clock/tempo"));
    assert!(first.text.matches("started = true").count() == 1 && !first.text.contains("running"));
    // A file of before knows of no tracks, and has nothing to say of them.
    assert!(read_whole("schema = 2\n", 48_000).tracks.is_none());
    let told = read(b"schema = 2\n[[track]]\nname = \"a\"", 48_000).unwrap().left_out;
    assert!(told[0].contains("track"), "{told:?}");
}

#[test]
fn of_a_track_that_is_bad_in_parts_the_rest_is_taken() {
    let own = "schema = 3\n[clock]\ntempo = \"fast\"\nswing = 1\n[[track]]\nname = \"kick\"\npattern = \"o\"\ngate = \"none\"\n\
               swing = true\ncolor = 1\n[[track.lane]]\nvalues = [1]\n[[track]]\npattern = \"x\"\n";
    let contents = read(own.as_bytes(), 48_000).unwrap();
    assert_eq!(contents.tracks.unwrap(), [message("/seq/create", &["kick"])]);
    assert_eq!(contents.left_out.len(), 8, "{:?}", contents.left_out);
}
