use std::sync::Arc;

use abi::{Operation, Place, Stamp};
use shm::LogWriter;

use super::*;

const RATE: u32 = 48_000;
const SINE_FREQ: Place = Place { row: 1, parameter: 0 };

fn at(frame: u64, operation: Operation) -> Command {
    Command { stamp: Stamp::from_frame(frame), operation }
}

/// What was heard of 60 blocks with a score, live commands and late blocks; and what is kept of it, in minutes of 20.
fn heard() -> (SharedMemory, Kept, Vec<Block>) {
    let score: Vec<_> = (0..50).map(|step| at(step * 300, Operation::Set(SINE_FREQ, 200.0 + step as f64))).collect();
    let memory = SharedMemory::create(&score).unwrap();
    let mut log = LogWriter::new();
    let live = (0..60).map(|step| at(step * 256 + 7, Operation::Gate(2, step % 3 == 0)));
    let live: Vec<_> = live.chain([at(15_300, Operation::Silence)]).collect();
    for command in &live {
        log.add(&memory.log, command.stamp, command.operation, 0).unwrap();
    }
    memory.log.skip(CommandPlace::Log(30));
    memory.log.skip(CommandPlace::Score(20));
    // The last one at the end of a minute: the next begins with a ramp.
    let late = vec![5..6, 10..13, 39..40];
    let (mut state, mut concealment) = (EngineState::at_start(RATE), Concealment::default());
    let (mut minutes, mut blocks) = (Vec::new(), Vec::new());
    let mut scratch = bytemuck::zeroed_box::<Scratch>();
    for number in 0..60 {
        if number % 20 == 0 {
            let own = |command: &&Command| (number..number + 20).contains(&command.stamp.block);
            let applied = (0..).zip(&live).filter(|(index, _)| *index != 30).map(|(_, command)| command);
            minutes.push(Arc::new(Minute {
                state: state.clone(),
                tapes: Vec::new(),
                commands: applied.filter(own).copied().collect(),
            }));
        }
        memory.log.seal_one();
        let mut block = Block::SILENCE;
        state.render_next(&memory.score, Some(&memory.log), &|_| {}, (&mut scratch, &mut block)).unwrap();
        if late.iter().any(|stretch| stretch.contains(&number)) {
            concealment.late(&mut block);
        } else {
            concealment.arrived(&mut block);
        }
        blocks.push(block);
    }
    (memory, Kept { minutes, late, blocks: 0..60 }, blocks)
}

fn rendered(kept: &Kept, first: u64, memory: &SharedMemory) -> (Rendered, Vec<(u64, Block)>) {
    let mut blocks = Vec::new();
    let write = |number, block: &Block| {
        blocks.push((number, *block));
        Ok(())
    };
    (render(kept, first, memory, write).unwrap(), blocks)
}

#[test]
fn what_was_heard_is_rendered_again_bit_for_bit_from_anywhere() {
    let (memory, kept, heard) = heard();
    assert!(heard.iter().filter(|block| block.samples != [0.0; abi::SAMPLES]).count() > 40, "it sounds");
    for first in 0..60 {
        let (came, blocks) = rendered(&kept, first, &memory);
        assert_eq!((came.blocks, came.differing), (60 - first, 0));
        for (number, block) in blocks {
            assert!(block == heard[number as usize], "block {number}, from {first}");
        }
    }
    let (came, _) = rendered(&kept, 0, &memory);
    assert_eq!(came.compared, 2);
}

#[test]
fn from_a_later_minute_on_it_is_the_same_where_the_one_before_is_forgotten() {
    let (memory, mut kept, heard) = heard();
    kept.minutes.drain(..2);
    kept.blocks = 40..60;
    // The block before the first is known to have been late.
    let (_, blocks) = rendered(&kept, 40, &memory);
    assert!(blocks.iter().all(|(number, block)| *block == heard[*number as usize]));
    kept.late.pop();
    let (_, blocks) = rendered(&kept, 40, &memory);
    assert!(blocks[0].1 != heard[40] && blocks[1].1 == heard[41], "only the ramp is another");
}

#[test]
fn a_state_that_was_another_is_told_and_gone_on_with() {
    let (memory, mut kept, _) = heard();
    let (nothing, mut wrong) = (ScoreMemory::create(&[]).unwrap(), EngineState::at_start(RATE));
    let mut scratch = bytemuck::zeroed_box::<Scratch>();
    for _ in 0..20 {
        let out = (&mut *scratch, &mut Block::SILENCE.clone());
        wrong.render_next(&nothing, None, &|_| {}, out).unwrap();
    }
    let commands = kept.minutes[1].commands.clone();
    kept.minutes[1] = Arc::new(Minute { state: wrong, tapes: Vec::new(), commands });
    let (came, blocks) = rendered(&kept, 0, &memory);
    assert_eq!((came.compared, came.differing, blocks.len()), (2, 2, 60));
}
