use abi::{Block, Command, Operation, Stamp};
use shm::{Mapping, ScoreMemory};

use super::*;
use crate::input::{Request, When, interpret_message};

const RATE: u32 = 48_000;

/// The patch at power-on with a delay and a reverb behind it, and its envelope open.
fn score() -> ScoreMemory {
    let words = |address: &str, words: &[&str]| rosc::OscMessage {
        addr: format!("/patch/{address}"),
        args: words.iter().map(|word| rosc::OscType::from(*word)).collect(),
    };
    let mut wiring = Box::new(*crate::input::catalogue::power_on());
    let mut operations = Vec::new();
    let messages = [
        words("create", &["echo", "delay"]),
        words("create", &["room", "reverb"]),
        words("connect", &["filter", "echo"]),
        words("connect", &["echo", "room"]),
        words("connect", &["room", "out"]),
        words("commit", &[]),
    ];
    for message in messages {
        for request in interpret_message(&message, When::Arrival(0), RATE, &wiring) {
            let Ok(Request::Apply(intent)) = request else { panic!("{message:?}: {request:?}") };
            wiring.follow(&intent.operation, RATE);
            operations.push(intent.operation);
        }
    }
    operations.push(Operation::Gate(2, true));
    let command = |operation| Command { stamp: Stamp::from_frame(0), operation };
    ScoreMemory::create(&operations.into_iter().map(command).collect::<Vec<_>>()).unwrap()
}

/// A worker without its process.
struct Played {
    score: ScoreMemory,
    state: Box<EngineState>,
    scratch: Box<Scratch>,
}

impl Played {
    fn new() -> Self {
        Self { score: score(), state: EngineState::at_start(RATE), scratch: bytemuck::zeroed_box() }
    }

    /// One that goes on from the same state, with nothing on its tapes.
    fn successor(&self) -> Self {
        Self { state: self.state.clone(), ..Self::new() }
    }

    /// Renders so many blocks, and publishes each to those slots that want it.
    fn play(&mut self, blocks: usize, to: &[&SlotMemory]) -> Vec<Block> {
        let one = |_| {
            let mut block = Block::SILENCE;
            self.state.render_next(&self.score, None, &|_| {}, (&mut self.scratch, &mut block)).unwrap();
            to.iter().for_each(|slot| publish(&self.state, &mut self.scratch, slot));
            block
        };
        (0..blocks).map(one).collect()
    }
}

fn slots() -> [Mapping<SlotMemory>; 2] {
    ["tapes-0", "tapes-1"].map(|name| Mapping::create(name).unwrap())
}

/// Blocks after which all of both tapes is written.
const LONG: usize = 400;

#[test]
fn who_takes_over_sounds_the_same_though_each_slot_lacks_blocks_of_its_own() {
    let slots = slots();
    let [first, second] = &slots;
    let mut played = Played::new();
    for turn in 0..LONG / 20 {
        // Now one worker is away, now the other.
        let here: [&SlotMemory; 1] = [if turn % 2 == 0 { first } else { second }];
        played.play(20, &here);
    }
    first.damage_tape(0, LONG as u64 - 30, 12_345);
    let mut successor = played.successor();
    assert!(!read(&successor.state, &mut successor.scratch, [first, first]), "half of it is not there");
    assert!(!take_over(&successor.state, &mut successor.scratch, first, second), "damaged, and the other was away");
    first.restore_tape(0, LONG as u64 - 30, played.state.written(&mut played.scratch, 0, 29).unwrap());
    assert!(take_over(&successor.state, &mut successor.scratch, first, second));
    // Now the first has all of it.
    let mut third = played.successor();
    assert!(read(&third.state, &mut third.scratch, [first, first]));
    let heard = played.play(LONG, &[]);
    assert!(heard.iter().any(|block| *block != Block::SILENCE));
    assert!(heard == successor.play(LONG, &[]) && heard == third.play(LONG, &[]));
    assert_eq!(played.state, successor.state);
}

#[test]
fn what_was_copied_with_a_state_is_put_back_with_it() {
    let slots = slots();
    let slots = slots.each_ref().map(|slot| &**slot);
    let mut played = Played::new();
    assert_eq!(copy(&played.state, slots), Some(Vec::new()), "no tapes yet");
    played.play(LONG, &slots);
    let copied = copy(&played.state, slots).unwrap();
    assert_eq!(copied.len(), 376 * RECORD_WORDS + 24 * 4 * RECORD_WORDS);
    let mut other = played.successor();
    put(&other.state, &mut other.scratch, &copied);
    assert!(played.play(LONG, &[]) == other.play(LONG, &[]));
    assert_eq!(copy(&played.state, slots), None, "those blocks were not published");
}

#[test]
fn who_wrote_something_else_to_a_tape_has_another_state() {
    let (mut one, mut other) = (Played::new(), Played::new());
    one.play(10, &[]);
    other.play(10, &[]);
    assert_eq!(one.state, other.state);
    let words = other.state.written(&mut other.scratch, 0, 1).unwrap();
    assert!(words[100] != 0, "something sounds by then");
    words[100] ^= 1 << 20;
    // Heard after the time of the delay.
    let (heard, wrong) = (one.play(LONG, &[]), other.play(LONG, &[]));
    assert!(heard != wrong && one.state != other.state);
}
