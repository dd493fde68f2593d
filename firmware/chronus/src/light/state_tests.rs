use proptest::prelude::*;

use super::*;

/// Time between two looks, in milliseconds.
const LOOK: u64 = 100;

fn well() -> Health {
    Health { sounding: true, workers: 2, card: Some(SoundCard::Playing), ..Health::default() }
}

/// The states of a machine that sees this health, look after look, each as often as it says; runs of one are one.
fn course(code: Option<u8>, script: &[(usize, Health)]) -> Vec<(LightState, usize)> {
    let mut machine = StateMachine::new(0, code);
    let looks = script.iter().flat_map(|(count, health)| std::iter::repeat_n(*health, *count));
    let mut course = Vec::<(LightState, usize)>::new();
    for (number, health) in looks.enumerate() {
        let state = machine.look(&health, number as u64 * LOOK).state;
        match course.last_mut() {
            Some((last, count)) if *last == state => *count += 1,
            _ => course.push((state, 1)),
        }
    }
    course
}

#[test]
fn a_day_of_a_box() {
    use LightState::*;
    let (one, gone) = (Health { workers: 1, ..well() }, Health { card: Some(SoundCard::Lost), ..well() });
    let (killed, still) = (Health { faults: 1, ..well() }, Health { sounding: false, faults: 1, ..well() });
    let (asked, saving) = (Health { identify: true, ..killed }, Health { saving: true, ..killed });
    let script = [
        (3, Health::default()),
        (10, well()),
        // A replacement that takes less than a quarter of a second is a fault, one that takes longer is a state.
        (10, killed),
        (6, Health { faults: 1, ..one }),
        (10, killed),
        (10, Health { faults: 1, ..gone }),
        (10, saving),
        (10, asked),
        (20, still),
        (1, killed),
    ];
    let expected = [
        (Starting, 3),
        (Healthy, 10),
        (FaultSurvived, 3),
        (Healthy, 7 + 2),
        (OneWorker, 4),
        (Healthy, 10),
        (CardLost, 10),
        (Saving, 10),
        (Identify, 10),
        (Healthy, 14),
        (Silent, 6),
        (Healthy, 1),
    ];
    assert_eq!(course(None, &script), expected);
}

#[test]
fn a_mistake_in_the_configuration_is_shown_while_nothing_is_more_urgent() {
    use LightState::*;
    let code = ConfigurationError(3);
    let waiting = Health { card: Some(SoundCard::Waiting), ..well() };
    let script = [(2, Health::default()), (5, well()), (5, waiting), (5, Health { workers: 1, ..well() }), (1, well())];
    assert_eq!(course(Some(3), &script), [(Starting, 2), (code, 12), (OneWorker, 3), (code, 1)]);
    assert_eq!(course(None, &script)[1..3], [(Healthy, 5), (Waiting, 5)]);
}

#[test]
fn a_start_that_does_not_end_is_silence() {
    let course = course(Some(2), &[(150, Health { workers: 2, faults: 5, ..Health::default() })]);
    assert_eq!(course, [(LightState::Starting, 100), (LightState::Silent, 50)]);
}

#[test]
fn an_engine_that_goes_on_after_a_death_says_so() {
    let course = course(None, &[(2, Health::default()), (9, Health { faults: 1, ..well() })]);
    assert_eq!(course[..2], [(LightState::Starting, 2), (LightState::FaultSurvived, 3)]);
}

#[test]
fn a_storm_of_faults_does_not_look_like_silence() {
    let mut machine = StateMachine::new(0, None);
    let mut begun: Vec<u64> = Vec::new();
    for time in (0..10_000).step_by(LOOK as usize) {
        let shown = machine.look(&Health { faults: time, ..well() }, time);
        if shown.state == LightState::FaultSurvived && begun.last() != Some(&shown.since) {
            begun.push(shown.since);
        }
    }
    assert!(begun.len() > 30, "{begun:?}");
    assert!(begun.windows(2).all(|pair| pair[1] - pair[0] >= FAULT), "{begun:?}");
}

fn any_health() -> impl Strategy<Value = Health> {
    let card = prop::sample::select(vec![SoundCard::None, SoundCard::Playing, SoundCard::Waiting, SoundCard::Lost]);
    (prop::bool::weighted(0.9), 0_usize..3, 0_u64..2, card, any::<bool>(), prop::bool::weighted(0.1)).prop_map(
        |(sounding, workers, faults, card, saving, identify)| Health {
            sounding,
            workers,
            faults,
            card: Some(card),
            saving,
            identify,
        },
    )
}

proptest! {
    /// Whatever happens: the state that is shown is never hiding one that is known to hold and is more urgent, is never
    /// claimed for longer than something was heard, and does not begin anew while it goes on.
    #[test]
    fn nothing_urgent_is_hidden_and_nothing_is_claimed_for_long(
        code in prop::option::of(1_u8..9),
        script in prop::collection::vec((1_usize..30, any_health(), 1_u64..400), 1..40),
    ) {
        let (mut machine, mut now, mut faults) = (StateMachine::new(0, code), 0, 0);
        let (mut sounded, mut two) = (None::<u64>, None::<u64>);
        let mut before = machine.shown;
        for (count, health, step) in script {
            for _ in 0..count {
                now += step;
                faults += health.faults;
                let health = Health { faults, ..health };
                let shown = machine.look(&health, now);
                if health.sounding {
                    two = if sounded.is_none() { Some(now) } else { two };
                    sounded = Some(now);
                }
                if health.workers == 2 {
                    two = Some(now);
                }
                let heard = sounded.is_some_and(|sounded| now < sounded + TRUST);
                let facts = [
                    (LightState::Silent, sounded.is_some() && !heard),
                    (LightState::Identify, health.identify),
                    (LightState::CardLost, heard && health.card == Some(SoundCard::Lost)),
                    (LightState::OneWorker, heard && two.is_some_and(|two| now >= two + ALONE)),
                    (LightState::Saving, heard && health.saving),
                    (LightState::ConfigurationError(code.unwrap_or(0)), heard && code.is_some()),
                    (LightState::Waiting, heard && health.card == Some(SoundCard::Waiting)),
                    (LightState::Starting, sounded.is_none()),
                ];
                for (state, holds) in facts {
                    prop_assert!(!holds || shown.state <= state, "{:?} hides {state:?}", shown.state);
                    // And the other way round: what is shown is so.
                    let by_time = state == LightState::Silent && sounded.is_none() && now >= LONGEST_START;
                    prop_assert!(shown.state != state || holds || by_time, "{state:?} is not so");
                }
                prop_assert!(shown.until <= sounded.unwrap_or(now) + TRUST);
                prop_assert!(shown.since <= now);
                let goes_on = shown.state == before.state && shown.state != LightState::FaultSurvived;
                prop_assert_eq!(shown.since, if goes_on { before.since } else { shown.since });
                before = shown;
            }
        }
    }
}

#[test]
fn a_code_that_becomes_known_later_is_shown_and_does_not_hide_the_first() {
    for (first, shown) in [(None, 9), (Some(5), 5)] {
        let mut machine = StateMachine::new(0, first);
        let before = machine.look(&well(), 100).state;
        assert_eq!(before, first.map_or(LightState::Healthy, LightState::ConfigurationError));
        machine.note_code(9);
        assert_eq!(machine.look(&well(), 200).state, LightState::ConfigurationError(shown));
    }
}
