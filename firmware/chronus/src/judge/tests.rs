use super::*;
use abi::{Operation, Stamp};
use shm::LogWriter;

/// Where the phase of the sine is among the words of a state, from their end: what the modules remember is at the end, and
/// the sine is the first of them, with the envelope's nine lanes and the filter's four behind it.
const PHASE_WORD: usize = (1 + 9 + 4) * 4;

/// Memory in which both slots have rendered so many blocks of a note; the second one flips a bit of its state before
/// the block `flipped`, and goes on with it.
fn rendered(blocks: u64, flipped: u64) -> SharedMemory {
    let memory = SharedMemory::create(&[]).unwrap();
    let mut log = LogWriter::new();
    for block in 0..blocks {
        log.add(&memory.log, Stamp { block, frame: 3 }, Operation::Gate(2, block % 5 == 0), 0).unwrap();
        memory.log.seal_one();
    }
    for (number, slot) in memory.slots.iter().enumerate() {
        let mut state = EngineState::at_start(48_000);
        slot.publish_snapshot(0, state.as_words(), 0);
        let (mut scratch, mut block) = (bytemuck::zeroed_box::<Scratch>(), Block::SILENCE);
        for index in 0..blocks {
            if (number, index) == (1, flipped) {
                let place = state.as_words().len() - PHASE_WORD;
                let words: &mut [u64] = bytemuck::cast_slice_mut(std::slice::from_mut(&mut *state));
                // The phase of the sine: it stays wrong.
                words[place] ^= 1 << 20;
            }
            state.render_next(&memory.score, Some(&memory.log), &|_| {}, (&mut scratch, &mut block)).unwrap();
            slot.publish_block(index, &block);
            slot.publish_snapshot(index + 1, state.as_words(), state.log_index);
        }
    }
    memory
}

fn judge(memory: SharedMemory) -> Judge {
    Judge::new(Arc::new(memory), Arc::default(), Arc::default())
}

#[test]
fn the_one_that_is_wrong_is_named_by_whichever_block_is_asked_about() {
    for flipped in 3..12 {
        let judge = judge(rendered(12, flipped));
        for block in flipped..12 {
            assert_eq!(judge.judge(block), Verdict::Wrong(1), "flipped before {flipped}, asked about {block}");
        }
        assert_eq!(judge.judge(flipped - 1), Verdict::Neither);
    }
}

#[test]
fn a_wrong_block_with_a_right_state_is_named_too() {
    let memory = rendered(6, u64::MAX);
    // A later block takes the place of this one in the ring, and then it is published anew, wrongly.
    memory.slots[0].publish_block(4 + shm::RING_BLOCKS as u64, &Block::SILENCE);
    memory.slots[0].publish_block(4, &Block { samples: [0.1; abi::SAMPLES] });
    assert_eq!(judge(memory).judge(4), Verdict::Wrong(0));
}

#[test]
fn without_a_state_on_which_both_agree_nobody_is_named() {
    // Two flips, long before the oldest state that is kept.
    let memory = rendered(40, 2);
    assert_eq!(judge(memory).judge(39), Verdict::Unknown);
}

#[test]
fn an_answer_is_given_once() {
    let judge = judge(rendered(6, 4));
    assert!(!judge.answer());
    judge.doubt.ask(5);
    assert!(judge.answer() && !judge.answer());
    assert_eq!(judge.doubt.answer(5), Some(Verdict::Wrong(1)));
}
