//! Which faults come when: first one engine, with all kinds but its own death, in which what grows is found; then with
//! all.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::belongings::{Measured, growth};
use crate::inject::Injector;
use crate::kind::{Deck, Kind};
use crate::performance::Performance;

/// After this time, and when every kind of fault has been there, what is made once has been made: then the engine's
/// belongings are counted for the first time.
const WARM_UP: Duration = Duration::from_secs(60);

/// What grows needs at least so long to show: some ten faults.
const SEARCH: Duration = Duration::from_secs(25);

/// What is left at least for faults with deaths of the main process among them: two or three faults, of which the first
/// is one.
const WITH_DEATHS: Duration = Duration::from_secs(12);

/// Disturbs a performance for so long from `began` on, or until `stop`.
pub fn disturb(
    injector: &mut Injector,
    performance: &Performance,
    (seed, kinds): (u64, &[Kind]),
    (began, time): (Instant, Duration),
    stop: &AtomicBool,
) {
    let mut end = began + time;
    if time > WARM_UP + SEARCH + WITH_DEATHS {
        let others = kinds.iter().copied().filter(|kind| *kind != Kind::KillMain).collect();
        search_for_leaks(injector, performance, &mut Deck::new(seed, others), (began, time), stop);
        // On a machine so busy that the search took longer than it may, the soak does rather than be without a death.
        end = end.max(Instant::now() + WITH_DEATHS);
    }
    let mut deck = Deck::new(seed ^ 2, kinds.to_vec());
    // At once: of a short time nothing else may be left.
    deck.begin_with(Kind::KillMain);
    injector.run(&mut deck, end, stop, |_| false);
    injector.settle();
}

/// Until half of the time is over, or longer if what grows needs longer to show. Belongings can be compared only within
/// one engine, and its death among the faults would leave none that has seen all the others for long.
fn search_for_leaks(
    injector: &mut Injector,
    performance: &Performance,
    deck: &mut Deck,
    (began, time): (Instant, Duration),
    stop: &AtomicBool,
) {
    let latest = began + time - WITH_DEATHS;
    injector.run(deck, latest, stop, |deck| deck.is_through() && began.elapsed() > WARM_UP);
    injector.settle();
    injector.fill_the_queues();
    let before = performance.with(Measured::of);
    let enough = Instant::now() + SEARCH;
    let is_long = enough < latest && !stop.load(Ordering::Relaxed);
    injector.run(deck, latest.min(enough.max(began + time / 2)), stop, |_| false);
    injector.settle();
    injector.tally.searched = u64::from(is_long);
    injector.tally.leaks = growth(&before, &performance.with(Measured::of));
}
