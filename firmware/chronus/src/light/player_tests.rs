use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::super::kernel::KernelLight;
use super::super::lamp::Switch;
use super::super::state::TRUST;
use super::*;
use crate::appliance::MadeUp;

/// Where the made-up machine has its light.
const FOLDER: &str = "sys/class/leds/chronus:status";

/// A machine with a light of the kernel's.
fn machine(triggers: &str) -> (MadeUp, PathBuf) {
    let made_up = MadeUp::new("light");
    for (file, content) in [("max_brightness", "255\n"), ("brightness", "0\n"), ("trigger", triggers), ("pattern", "")]
    {
        made_up.write(&format!("{FOLDER}/{file}"), content);
    }
    let folder = made_up.machine().path(FOLDER);
    (made_up, folder)
}

fn kernel_player() -> (MadeUp, PathBuf, Player) {
    let (made_up, folder) = machine("none timer [pattern]\n");
    let player = Player::new(Lamp::open(&folder).unwrap());
    (made_up, folder, player)
}

fn shown(state: LightState, since: u64, now: u64) -> Shown {
    Shown { state, since, until: now + TRUST }
}

/// What is to be seen of a state.
fn wanted(state: LightState, since: u64, now: u64) -> bool {
    Pattern::of(state).at(now - since).on
}

/// Takes what was written, if anything was, as the kernel does.
fn take_over(folder: &Path, light: &mut KernelLight, now: u64) -> bool {
    let file = folder.join("pattern");
    let text = std::fs::read_to_string(&file).unwrap();
    if !text.is_empty() {
        light.arm(&text, now).unwrap();
        std::fs::write(file, "").unwrap();
    }
    !text.is_empty()
}

#[test]
fn each_state_is_seen_to_the_millisecond_and_telling_it_again_is_not() {
    for state in LightState::all(4) {
        let (_made_up, folder, mut player) = kernel_player();
        let (mut light, mut told) = (KernelLight::default(), 0);
        let mut next = 0;
        for now in 0..15_000 {
            if now == next {
                next += player.show(&shown(state, 0, now), now).min(100);
                told += u64::from(take_over(&folder, &mut light, now));
            }
            assert_eq!(light.is_on(now), wanted(state, 0, now), "{state:?} after {now} ms");
        }
        assert_eq!(told, 15_000 / REARM, "{state:?} is told anew, and no more often than it has to be");
    }
}

#[test]
fn when_nobody_tells_it_any_more_it_leaves_solid_by_itself() {
    let (_made_up, folder, mut player) = kernel_player();
    let mut light = KernelLight::default();
    player.show(&shown(LightState::Healthy, 0, 0), 0);
    assert!(take_over(&folder, &mut light, 0));
    let dark: Vec<u64> = (0..15_000).filter(|now| !light.is_on(*now)).collect();
    assert_eq!(dark[0], TRUST + 50, "the first dark");
    assert!(dark[0] < 2000 && dark.len() as u64 > (15_000 - TRUST) * 2 / 5, "and ten times a second from then on");
}

proptest! {
    // Each has a folder and thousands of milliseconds of its own.
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever the changes, and however late the thread is (but not as late as the dead): at each moment the light is
    /// that of the state it was told last, and of no third one.
    #[test]
    fn between_two_states_there_is_no_third(
        script in prop::collection::vec((0_usize..10, 1_u64..1200, 1_u64..REARM * 2), 1..20),
    ) {
        let (_made_up, folder, mut player) = kernel_player();
        let (mut light, mut now) = (KernelLight::default(), 0);
        for (place, length, late) in script {
            let (state, since) = (LightState::all(2)[place], now);
            let end = now + length;
            let mut next = now;
            while now < end {
                if now >= next {
                    next = now + player.show(&shown(state, since, now), now).min(100) + late;
                    take_over(&folder, &mut light, now);
                }
                prop_assert_eq!(light.is_on(now), wanted(state, since, now), "{:?} after {} ms", state, now - since);
                now += 1;
            }
        }
    }
}

struct Recorder(Arc<Mutex<Vec<bool>>>);

impl Switch for Recorder {
    fn set(&mut self, on: bool) -> Result<(), String> {
        self.0.lock().unwrap().push(on);
        Ok(())
    }
}

#[test]
fn a_light_that_is_switched_by_us_has_the_same_edges() {
    for state in LightState::all(4) {
        let edges = Arc::new(Mutex::new(Vec::new()));
        let mut player = Player::new(Lamp::Switched(Box::new(Recorder(edges.clone()))));
        let mut next = 0;
        for now in 0..10_000 {
            if now == next {
                next += player.show(&shown(state, 0, now), now).min(100);
            }
            assert_eq!(edges.lock().unwrap().last(), Some(&wanted(state, 0, now)), "{state:?} after {now} ms");
        }
        assert!(edges.lock().unwrap().windows(2).all(|pair| pair[0] != pair[1]), "switched only when it changes");
    }
}

#[test]
fn a_light_that_goes_and_comes_is_taken_again() {
    let (made_up, folder, mut player) = kernel_player();
    player.show(&shown(LightState::Healthy, 0, 0), 0);
    made_up.remove(FOLDER);
    for now in [500, 1000] {
        assert_eq!(player.show(&shown(LightState::Healthy, 0, now), now), REARM, "tried again, and not in a hurry");
        assert!(player.complained);
    }
    // The file for the text is there when the trigger is.
    made_up.write(&format!("{FOLDER}/trigger"), "[none] pattern\n");
    player.show(&shown(LightState::Healthy, 0, 1500), 1500);
    assert!(player.complained);
    assert_eq!(std::fs::read_to_string(folder.join("trigger")).unwrap(), "pattern\n");
    made_up.write(&format!("{FOLDER}/pattern"), "");
    player.show(&shown(LightState::Healthy, 0, 2000), 2000);
    assert!(!player.complained && take_over(&folder, &mut KernelLight::default(), 2000));
    player.end();
    let mut light = KernelLight::default();
    assert!(take_over(&folder, &mut light, 0) && (0..5000).all(|now| !light.is_on(now)), "dark when asked to end");
}

#[test]
fn without_the_trigger_it_is_switched_and_what_is_no_light_is_refused() {
    let (_made_up, folder) = machine("none [heartbeat] timer\n");
    let mut player = Player::new(Lamp::open(&folder).unwrap());
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!(read("trigger"), "none\n", "another trigger would go on blinking it");
    player.show(&shown(LightState::Healthy, 0, 0), 0);
    assert_eq!(read("brightness"), "255\n");
    player.end();
    assert_eq!(read("brightness"), "0\n");
    std::fs::write(folder.join("max_brightness"), "0\n").unwrap();
    assert!(Lamp::open(&folder).err().unwrap().contains("brightness"));
    assert!(Lamp::open(&folder.join("absent")).err().unwrap().contains("absent"));
}
