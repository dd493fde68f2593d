use super::*;
use crate::settings::control::{Pins, read_control};

const TEXT: &str = "# Mine.\nschema = 1\n\n[box] # the name\nname = \"x\"\n\n[[control]]   # the big knob\nkind = \"encoder\"\n\
    pins = [17, 27]\naddress = \"/mod/sine/gain\" # loud\nsteps = 50\n\n# Do not touch.\n[[control]]\nkind = \"button\"\npin = 22\n\
    press = \"/gate/adsr 1\"\nrelease = \"/gate/adsr 0\"  # let go\n";

fn controls(text: &str) -> Vec<Control> {
    let tables: toml::Table = toml::from_str(text.trim_start_matches(MARK)).unwrap();
    let tables = tables["control"].as_array().unwrap();
    tables.iter().map(|table| read_control(1, table.as_table().unwrap(), &mut Pins::new()).0.unwrap()).collect()
}

#[test]
fn a_binding_is_written_and_all_comments_stay() {
    let bound = controls(TEXT)[0].bound_to("/mod/filter/cutoff", 48_000, crate::input::catalogue::power_on()).unwrap();
    for text in [TEXT.to_owned(), TEXT.replace('\n', "\r\n"), format!("{MARK}{}", TEXT.replace('\n', "\r\n"))] {
        let written = bind(&text, &bound).unwrap();
        assert_eq!(controls(&written), [bound.clone(), controls(TEXT)[1].clone()], "{written}");
        assert_eq!(written.contains("\r\n"), text.contains("\r\n"));
        assert_eq!(written.starts_with(MARK), text.starts_with(MARK));
        for kept in [
            "# Mine.",
            "[box] # the name",
            "# the big knob",
            "\"/mod/filter/cutoff\" # loud",
            "# Do not touch.",
            "  # let go",
        ] {
            assert!(written.contains(kept), "{kept}: {written}");
        }
        assert!(!written.replace("\r\n", "").contains('\r') && !written.contains("/mod/sine/gain"), "{written}");
    }
}

#[test]
fn what_a_button_no_longer_does_is_taken_out() {
    let bound = controls(TEXT)[1].bound_to("/panic", 48_000, crate::input::catalogue::power_on()).unwrap();
    let written = bind(TEXT, &bound).unwrap();
    assert!(written.contains("press = \"/panic\"") && !written.contains("release"), "{written}");
    assert_eq!(controls(&written)[1], bound);
}

#[test]
fn what_cannot_be_written_is_said_with_what_to_write() {
    let bound = controls(TEXT)[0].bound_to("/mod/filter/q", 48_000, crate::input::catalogue::power_on()).unwrap();
    let elsewhere = Control { pins: vec![5, 6], ..bound.clone() };
    assert!(bind(TEXT, &elsewhere).unwrap_err().contains("no [[control]] there has these pins"));
    assert!(bind("[[control", &bound).unwrap_err().contains("cannot be understood"));
    let wrong = write_binding(Path::new("/nowhere/chronus.toml"), &bound).unwrap_err();
    assert!(wrong.contains("cannot be read"), "{wrong}");
    let folder = std::env::temp_dir().join(format!("chronus-learned-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("chronus.toml");
    std::fs::write(&file, TEXT).unwrap();
    write_binding(&file, &bound).unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), bind(TEXT, &bound).unwrap());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    // Through a link of its owner's, which stays one.
    std::fs::write(&file, TEXT).unwrap();
    let link = folder.join("link.toml");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    write_binding(&link, &bound).unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), bind(TEXT, &bound).unwrap());
    assert!(link.is_symlink());
    std::fs::remove_dir_all(&folder).unwrap();
}
