//! What a control has learned, on its way from the engine, which may not write to the card, into chronus.toml on BOX
//! (`usr/lib/chronus/configure learned`, `chronus keep-learned`).

use chronus_tests::build::{Build, chronus, project};
use chronus_tests::made_up_box::MadeUpBox;
use chronus_tests::script::told;

const TOML: &str = "# Of the stage.\nschema = 1\n\n[[control]]   # the big one\nkind = \"encoder\"\npins = [17, 27]\n\
    address = \"/mod/filter/cutoff\" # left hand\n";
const LEFT: &str = "request = 7\n\n[[control]]\nkind = \"encoder\"\npins = [17, 27]\naddress = \"/mod/filter/q\"\nmin = 0.1\n\
    max = 20.0\ncurve = \"log\"\nsteps = 96\n";

/// A box with a card, whose BOX has this chronus.toml, and with the program itself. The device of BOX is told.
fn with_card() -> Option<(MadeUpBox, String)> {
    let mut made_up = MadeUpBox::new("learned")?;
    let device = made_up.device(8)?;
    std::fs::copy(chronus(Build::Release), made_up.path("chronus-program")).expect("the program is copied");
    made_up.stand_in("chronus", "exec /chronus-program \"$@\"");
    made_up.write("toml", TOML);
    let made =
        format!("mkfs.ext4 -q -F /dev/{device} && mount /dev/{device} /box && cp /toml /box/chronus.toml && echo made");
    let told = told(&made_up.run(&made));
    assert!(told.ends_with("made\n"), "{told}");
    Some((made_up, device))
}

/// Leaves this as the engine does, and has it written with BOX mounted as on a box; what is then said, and the file.
fn learned(made_up: &MadeUpBox, device: &str, left: &str, before: &str) -> (String, String) {
    made_up.write("run/chronus-learned/learned.toml", left);
    let _ = std::fs::remove_file(made_up.path("run/chronus/learned"));
    let words = format!(
        "mount -o ro /dev/{device} /box; {before}; /chronus/configure learned; grep -q ' /box .* rw,' /proc/mounts && echo open
         cp /box/chronus.toml /run/written; ls /box /run/chronus-learned"
    );
    let said = told(&made_up.run(&words));
    let answer = std::fs::read_to_string(made_up.path("run/chronus/learned")).unwrap_or_default();
    assert!(!said.contains("open") && !said.contains(".new") && !said.contains("learned.toml"), "{said}");
    (format!("{answer}{said}"), std::fs::read_to_string(made_up.path("run/written")).unwrap_or_default())
}

#[test]
fn a_binding_is_on_the_card_with_all_comments_and_once() {
    let Some((made_up, device)) = with_card() else { return };
    let (said, written) = learned(&made_up, &device, LEFT, ":");
    assert!(said.starts_with("7 kept\n"), "{said}");
    for kept in ["# Of the stage.", "[[control]]   # the big one", "\"/mod/filter/q\" # left hand"] {
        assert!(written.contains(kept), "{kept}: {written}");
    }
    // The same once more: nothing is written.
    made_up.stand_in("mount", "case $2 in remount,*) echo remounted ;; esac\nexec \"$(real mount)\" \"$@\"");
    let (said, again) = learned(&made_up, &device, &LEFT.replace("= 7", "= 8"), ":");
    assert!(said.starts_with("8 kept\n") && !said.contains("remounted"), "{said}");
    assert_eq!(again, written);
}

#[test]
fn what_is_more_than_a_binding_never_reaches_the_card() {
    let Some((made_up, device)) = with_card() else { return };
    made_up.stand_in("mount", "case $2 in remount,*) echo remounted ;; esac\nexec \"$(real mount)\" \"$@\"");
    for left in [format!("{LEFT}pull = \"off\"\n"), format!("{LEFT}[ssh]\nkeys = []\n"), "rubbish".to_owned()] {
        let (said, written) = learned(&made_up, &device, &left, ":");
        assert!(!said.contains("kept") && !said.contains("remounted") && said.contains("what was left"), "{said}");
        assert_eq!(written, TOML);
    }
}

#[test]
fn a_card_that_takes_nothing_is_said_and_the_next_engine_knows_it_all_the_same() {
    let Some((made_up, device)) = with_card() else { return };
    let engine = "[[control]]\nkind = \"encoder\"\npins = [17, 27]\naddress = \"/mod/filter/cutoff\"\n";
    let next =
        |made_up: &MadeUpBox| std::fs::read_to_string(made_up.path("run/chronus/engine.toml")).expect("its file");
    // Its lock is closed.
    made_up.write("run/chronus/engine.toml", engine);
    let (said, written) = learned(
        &made_up,
        &device,
        LEFT,
        &format!("umount /box; blockdev --setro /dev/{device}; mount -o ro,noload /dev/{device} /box"),
    );
    assert!(said.starts_with("7 the BOX partition cannot be made writable") && written == TOML, "{said}");
    assert!(next(&made_up).contains("/mod/filter/q"));
    told(&made_up.run(&format!("blockdev --setrw /dev/{device}")));
    // It is gone.
    made_up.write("run/chronus/engine.toml", engine);
    let (said, _) = learned(&made_up, &device, LEFT, "umount /box");
    assert!(said.starts_with("7 ") && said.contains("/box/chronus.toml cannot be read"), "{said}");
    assert!(next(&made_up).contains("/mod/filter/q"));
    // It is full.
    made_up.stand_in("cp", "case $2 in /box/*) echo half >\"$2\"; exit 1 ;; esac\nexec \"$(real cp)\" \"$@\"");
    let (said, written) = learned(&made_up, &device, LEFT, ":");
    assert!(said.starts_with("7 the BOX partition could not be written to") && written == TOML, "{said}");
}

/// The lines of a unit, without comments.
fn unit(name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(project().join("systemd").join(name)).expect("a unit");
    text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn the_engine_leaves_it_where_it_is_looked_for() {
    let has = |name: &str, line: &str| assert!(unit(name).iter().any(|one| one == line), "{name}: {line}");
    has("chronus.service", "RuntimeDirectory=chronus-learned");
    has("chronus-learned.path", "PathExists=/run/chronus-learned/learned.toml");
    has("chronus-learned.service", "ExecStart=/usr/lib/chronus/configure learned");
    has("chronus-learned.service", "ReadWritePaths=-/box /run/chronus -/run/chronus-learned");
    // Whoever leaves things in a loop comes to an end, and it is not the service that says so.
    has("chronus-learned.path", "TriggerLimitBurst=30");
    has("chronus-learned.service", "StartLimitIntervalSec=0");
    let source =
        std::fs::read_to_string(project().join("firmware/chronus/src/settings/bindings.rs")).expect("a source");
    assert!(source.contains("\"/run/chronus-learned/learned.toml\"") && source.contains("ANSWER: &str = \"learned\""));
    // The engine's own unit is given nothing of the card or of what is made of it.
    let writable: Vec<_> =
        unit("chronus.service").into_iter().filter(|line| line.starts_with("ReadWritePaths=")).collect();
    assert!(writable.iter().all(|line| !line.contains("/box") && !line.contains("/run")), "{writable:?}");
    // Every kind of unit is installed on an image.
    let package = std::fs::read_to_string(project().join("buildroot/package/chronus/chronus.mk")).expect("the package");
    assert!(package.contains("for unit in $(@D)/*.*; do"), "{package}");
}
