//! A day of a box: one start, and what is done to the engine until the power goes.

use std::ops::Range;
use std::path::Path;

use chronus_tests::build::Build;
use chronus_tests::engine::{Folder, render, told};
use chronus_tests::guest::Guest;
use chronus_tests::score::{Score, audible_patch};
use chronus_tests::sound_card::{Frame, card_frames, pieces, quantised, recorded};
use rosc::OscType;

/// What the sound card of a box played, in the machine's folder.
pub const CARD: &str = "hda.wav";

/// What systemd-analyze says of our units.
pub struct Analysis {
    pub verified: (i32, String),
    pub exposure: f64,
}

/// What a healthy box tells of itself after its start.
pub struct Health {
    pub state: String,
    pub failed: String,
    pub journal: String,
    pub kernel: String,
    pub tainted: String,
    pub selftest: (i32, String),
    /// What systemd-analyze says; `None` where the image has none.
    pub analysis: Option<Analysis>,
}

/// One run of the engine, its reference, and what was found of it in the recording of the card.
pub struct Take {
    pub reference: Vec<Frame>,
    pub said: String,
    /// Which frames of the recording are of its time.
    pub recorded: Range<usize>,
}

/// A day of a box: everything that one start can show.
pub struct Day {
    pub health: Health,
    pub played: Vec<Frame>,
    pub score: Take,
    /// Frames that the sound card had taken from the last engine of the score but one, when that was held still.
    pub taken: u64,
    pub live: Take,
    pub without_card: (String, String),
    pub full: String,
    pub removed: Take,
}

/// Lives through it.
pub fn live_through(root: &Path) -> Day {
    let folder = Folder::new("box");
    // Before the box starts: while it waits for this machine it would play, which costs more than all that is tested.
    write_score(&folder);
    let mut guest = Guest::start(&root.join("disk"), &folder.file("."), &["--throw-away"]);
    guest.wait_for_engine();
    // The engine as the box starts it has the card that comes after it.
    guest.wait_for_sound_card();
    let health = examine(&mut guest);
    println!("{}", guest.run("systemd-analyze; cat /run/chronus/data; free -k | sed -n 2p"));
    guest.run("grep -v patch /run/chronus/engine.toml >/run/agent/take.toml");
    guest.run("mkdir -p /run/agent/kept && chown chronus:chronus /run/agent/kept");
    let (score, taken) = play_score_in_time(&mut guest, &folder);
    let (live, without_card) = play_live(&mut guest, &folder);
    let full = fill_data(&mut guest);
    let removed = remove_card(&mut guest, &folder);
    guest.cut_power();
    Day { health, played: card_frames(&folder.file(CARD)), score, taken, live, without_card, full, removed }
}

fn examine(guest: &mut Guest) -> Health {
    let (_, state) = guest.attempt("systemctl is-system-running --wait");
    Health {
        state,
        failed: guest.run("systemctl list-units --failed --plain --no-legend --no-pager"),
        journal: guest.run("journalctl -b --no-pager -o cat"),
        kernel: guest.run("dmesg | tail -n 60"),
        selftest: guest.attempt("chronus selftest"),
        tainted: guest.run("cat /proc/sys/kernel/tainted"),
        analysis: analyse(guest),
    }
}

fn analyse(guest: &mut Guest) -> Option<Analysis> {
    if guest.attempt("command -v systemd-analyze").0 != 0 {
        return None;
    }
    let exposure = guest.run("systemd-analyze security chronus.service --no-pager | tail -n 1");
    Some(Analysis {
        verified: guest.attempt(
            "cd /usr/lib/systemd/system && systemd-analyze verify --recursive-errors=no --man=no chronus*.service chronus-learned.path",
        ),
        exposure: exposure.split_whitespace().find_map(|word| word.parse().ok()).expect("a figure"),
    })
}

/// Starts the engine anew, as its unit does, with more arguments; and with its parameters at their defaults, not at
/// those that are kept: what it plays must be known. How many frames its card had played before.
pub fn start_take(guest: &mut Guest, folder: &Folder, more: &str) -> usize {
    let place = "/run/systemd/system/chronus.service.d";
    let start = "ExecStart=\\nExecStart=/usr/bin/chronus run --config /run/agent/take.toml";
    // Its words are wanted even when there is no card to read a program from that shows the journal.
    let words = "StandardOutput=append:/run/agent/words\\nStandardError=inherit";
    let lines = format!("[Service]\\nRestart=on-failure\\nReadWritePaths=/run/agent/kept\\n{words}\\n{start} {more}");
    guest.run(&format!("rm -f /run/agent/words; mkdir -p {place} && printf '{lines}\\n' >{place}/take.conf"));
    guest.run("systemctl daemon-reload && systemctl restart chronus.service");
    recorded(&folder.file(CARD))
}

/// What the engine has said since the start of the take.
fn words(guest: &mut Guest) -> String {
    guest.run("cat /run/agent/words")
}

/// Writes the score, and what it should sound like: score.osc and score.wav.
fn write_score(folder: &Folder) {
    let score = folder.file("score.osc");
    Score::audible(48_000, SCORE_BLOCKS, 31).write(&score);
    render(Build::Release, &score, &folder.file("score.wav"), &["--blocks", &SCORE_BLOCKS.to_string()]);
}

/// Plays the score until the card has not run dry, three times at most: this machine's four cores are one, which an engine
/// shares with all that goes on at its start. A card may run dry for less than a period without a driver that notices.
fn play_score_in_time(guest: &mut Guest, folder: &Folder) -> (Take, u64) {
    let mut take = 1;
    loop {
        let (played, taken) = play_score(guest, folder);
        let heard = &card_frames(&folder.file(CARD))[played.recorded.clone()];
        // What is wrong in another way is for the test to tell.
        let dry = pieces(heard, &played.reference).map_or(0, |pieces| pieces.len().saturating_sub(ENGINES));
        if dry == 0 || take == 3 {
            return (played, taken);
        }
        println!("the card ran dry {dry} times in take {take} of the score, which is played again");
        take += 1;
    }
}

/// Engines that play the score one after the other.
pub const ENGINES: usize = 3;

/// Also gives how many frames the card had taken from the second engine when that was held still, and then killed.
fn play_score(guest: &mut Guest, folder: &Folder) -> (Take, u64) {
    guest.put(&folder.file("score.osc"), "/run/agent/score.osc");
    let before = start_take(guest, folder, "--score /run/agent/score.osc");
    let killed = "kills=0; while [ $kills -lt 12 ]; do kill -9 $(worker) && kills=$((kills + 1)); usleep 60000; done";
    guest.run(killed);
    // Found by the audio thread, which has it killed.
    guest.run("stopped=$(worker); kill -STOP $stopped; while kill -0 $stopped 2>/dev/null; do usleep 1000; done");
    guest.run("usleep 100000; last=$(engine); kill -9 $last; while kill -0 $last 2>/dev/null; do usleep 1000; done");
    guest.wait_for_engine();
    // More than the hundred blocks after which an engine is taken to endure. Then the next one is held still, to see what
    // the card has had of it, before it dies.
    let card = "sed -n 's/^appl_ptr *: *//p' /proc/asound/Intel/pcm0p/sub0/status";
    let taken = guest.run(&format!("usleep 800000; kill -STOP $(engine); usleep 50000; {card}; kill -9 $(engine)"));
    guest.wait_until("grep -q '^played' /run/agent/words && ! systemctl --quiet is-active chronus.service");
    let said = words(guest) + &guest.run("systemctl show chronus.service -p NRestarts -p Result");
    let mut reference = quantised(&folder.file("score.wav"));
    // It ends with the score; the last block is faded out.
    reference.truncate((told(&said, "played") as usize - 1) * 256);
    let recorded = before..recorded(&folder.file(CARD));
    (Take { reference, said, recorded }, taken.parse().expect("a number of frames"))
}

/// Blocks of the score: five seconds, of which the deaths take two.
const SCORE_BLOCKS: u64 = 1000;

/// Ends the engine that was started after so many frames, and renders what it was played.
pub fn finish_take(guest: &mut Guest, folder: &Folder, name: &str, before: usize) -> Take {
    // Not by the service manager, which may have nothing to read any more.
    guest.run("last=$(engine); kill -INT $last; while kill -0 $last 2>/dev/null; do usleep 1000; done");
    let (kept, rendered) = (folder.file(&format!("{name}.osc")), folder.file(&format!("{name}.wav")));
    guest.get(&format!("/run/agent/kept/{name}.osc"), &kept);
    let said = words(guest);
    // The last one is faded out.
    let blocks = told(&said, "played") - 1;
    render(Build::Release, &kept, &rendered, &["--blocks", &blocks.to_string()]);
    // Before it closed the card it has played more silence than may not be in the file yet.
    Take { reference: quantised(&rendered), said, recorded: before..recorded(&folder.file(CARD)) }
}

/// A few bars by OSC, through the network card, while a worker dies at each.
fn perform(guest: &mut Guest, seed: u64) {
    guest.send("/gate/adsr", OscType::Int(1));
    for (count, message) in Score::torture(48_000, 400, seed).messages().into_iter().cycle().take(20).enumerate() {
        guest.send_message(message);
        // Where the sound is broken off can be told only of a sound.
        if count % 4 == 3 {
            for (address, value) in audible_patch(seed * 20 + count as u64) {
                guest.send(address, value);
            }
        }
        guest.run("kill -9 $(worker); usleep 40000");
    }
    guest.run("usleep 100000");
}

fn play_live(guest: &mut Guest, folder: &Folder) -> (Take, (String, String)) {
    let before = start_take(guest, folder, "--keep-score /run/agent/kept/live.osc");
    perform(guest, 5);
    let card = "/sys/bus/pci/drivers/snd_hda_intel";
    guest.run(&format!(
        "basename $(readlink -f /sys/class/sound/$(readlink /proc/asound/Intel)/device) >/run/agent/card && cat /run/agent/card >{card}/unbind"
    ));
    guest.wait_until("! [ -e /proc/asound/Intel ] && usleep 300000");
    let without = guest.status()["sound_card"].to_string();
    guest.run(&format!("cat /run/agent/card >{card}/bind"));
    guest.wait_for_sound_card();
    let again = guest.status()["sound_card"].to_string();
    // Its interrupts are new ones, and get their priority as those of the first did.
    guest.wait_until("chronus selftest | grep -q 'interrupt_threads.*holds.*snd_hda'");
    // And what the system does for a new device is over: this machine's four cores are one, and share its time.
    guest.wait_until("udevadm settle && [ -z \"$(systemctl list-jobs --no-legend)\" ]");
    perform(guest, 6);
    (finish_take(guest, folder, "live", before), (without, again))
}

/// Fills DATA to the last block while the engine plays, and makes room again. What systemd and the engine say of it.
fn fill_data(guest: &mut Guest) -> String {
    guest.run("rm /run/systemd/system/chronus.service.d/take.conf && systemctl daemon-reload");
    guest.run("systemctl restart chronus.service");
    guest.wait_for_engine();
    guest.send("/test", OscType::Int(1));
    // All but the last mebibytes without writing them: that would take minutes.
    guest.run("fallocate -l $(df -k /data | awk 'END { print ($4 - 4096) * 1024 }') /data/recordings/full.wav");
    let (status, _) = guest.attempt("dd if=/dev/zero of=/data/recordings/rest.wav bs=64k");
    assert_ne!(status, 0, "DATA was never full");
    guest.send("/mod/sine/freq", OscType::Float(330.0));
    guest.wait_until("chronus status --all | grep -q 'patch.*failing'");
    guest.run("kill -9 $(worker); usleep 500000; rm /data/recordings/*.wav");
    guest.wait_until("grep -q 'freq = 330' /data/presets/last.toml");
    let status = guest.status();
    let seen = format!("late_blocks={} sound_card={}", status["late_blocks"], status["sound_card"]);
    guest.run("systemctl show chronus.service -p ActiveState -p NRestarts") + "\n" + &seen
}

/// Takes the SD card away while the engine plays; a worker dies afterwards.
fn remove_card(guest: &mut Guest, folder: &Folder) -> Take {
    let before = start_take(guest, folder, "--keep-score /run/agent/kept/removed.osc");
    perform(guest, 7);
    guest.run("echo 1 >/sys/class/block/mmcblk0/device/../../../remove; ! [ -e /dev/mmcblk0 ]");
    perform(guest, 8);
    finish_take(guest, folder, "removed", before)
}
