//! Wrong arithmetic: a bit that flips in a worker's state or in a block is seen where it first differs, the guilty
//! worker is named and replaced, and nothing wrong is heard.

use chronus_tests::build::{Build, kills};
use chronus_tests::engine::{Engine, Folder, number, render, told};
use chronus_tests::instrument_score::of_either;
use chronus_tests::recording::Recording;
use chronus_tests::score::Score;
use chronus_tests::undisturbed::{undisturbed, undisturbed_before};

/// What came of a run with flipped bits.
#[derive(Debug, Default)]
struct Count {
    flipped: u64,
    right: u64,
    wrong: u64,
    undecided: u64,
    damaged: u64,
    differing: u64,
}

/// Plays a score of so many blocks in which the workers of a slot flip bits.
fn play(sink: &str, slot: usize, blocks: u64, seed: u64) -> (Count, u64) {
    let folder = Folder::new("arithmetic");
    let (score, played) = (folder.file("score.osc"), folder.file("played.wav"));
    // The whole instrument, too, of which a piece takes several times as long.
    let blocks = if seed.is_multiple_of(2) { blocks / 5 } else { blocks };
    of_either(blocks, seed).write(&score);
    let (blocks, sink) = (blocks.to_string(), format!("{sink}:{}", played.display()));
    render(Build::Release, &score, &folder.file("reference.wav"), &["--blocks", &blocks]);
    let score = score.to_str().expect("a path of text");
    let arguments = ["--score", score, "--sink", &sink, "--blocks", &blocks, "--osc", "off"];
    let engine = Engine::start_with(Build::Faults, &arguments, &[("CHRONUS_FAULTS", &format!("flip{slot}"))]);
    let (code, output) = engine.wait();
    assert_eq!(code, 0, "{output}");
    let played = Recording::read(&played);
    let differing = played.differing_blocks(&Recording::read(&folder.file("reference.wav"))).len() as u64;
    let count = Count {
        flipped: told(&output, "flipped bits"),
        right: told(&output, "rightly named"),
        wrong: told(&output, "wrongly named"),
        undecided: told(&output, "undecided"),
        damaged: told(&output, "damaged copies"),
        differing,
    };
    (count, told(&output, "late blocks"))
}

#[test]
fn of_many_flipped_bits_none_is_heard_and_the_guilty_worker_is_named() {
    // 1,000, or as many as the long run asks for.
    let wanted = kills() / 5;
    let mut sum = Count::default();
    for round in 0.. {
        let (count, _) = play("free", round / 2 % 2, 50_000, 40 + round as u64);
        sum.flipped += count.flipped;
        sum.right += count.right;
        sum.wrong += count.wrong;
        sum.undecided += count.undecided;
        sum.damaged += count.damaged;
        sum.differing += count.differing;
        if sum.flipped >= wanted {
            break;
        }
    }
    println!("{sum:?}");
    // Flips in a published block are seen as damage of a copy, and flips in a published snapshot touch nothing.
    assert!(sum.right > sum.flipped / 4 && sum.damaged > sum.flipped / 10, "too few flips were found");
    assert!(sum.wrong * 1000 <= sum.right, "named the wrong one");
    assert_eq!((sum.differing, sum.undecided), (0, 0));
}

#[test]
fn in_real_time_no_flipped_bit_is_heard_either() {
    undisturbed(|| {
        let (count, late) = play("paced", 0, 2000, 77);
        println!("{count:?}, {late} late blocks");
        assert!(count.flipped > 50 && count.wrong == 0, "{count:?}");
        assert!(count.differing <= 2 * late, "{count:?}");
        late
    });
}

#[test]
fn lockstep_is_back_within_four_blocks_of_a_wrong_one() {
    undisturbed_before(|witnesses| {
        let folder = Folder::new("arithmetic-rejoin");
        let score = folder.file("score.osc");
        Score::torture(48_000, 20_000, 3).write(&score);
        let score = score.to_str().expect("a path of text");
        let arguments = ["--score", score, "--sink", "paced", "--osc", "127.0.0.1:0"];
        let engine = Engine::start_with(Build::Faults, &arguments, &[("CHRONUS_FAULTS", "flip1")]);
        let status = engine.wait_until("forty wrong workers", |status| number(status, "slots.1.wrong") >= 40);
        assert_eq!(number(&status, "slots.0.wrong"), 0);
        let [most, median] = ["max", "p50"].map(|of| number(&status, &format!("rejoin_blocks.{of}")));
        println!("{} wrong workers; lockstep after {median} blocks, at most {most}", number(&status, "slots.1.wrong"));
        number(&status, "late_blocks") + witnesses.slow_return(most)
    });
}
