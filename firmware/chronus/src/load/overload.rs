//! When an overload begins and ends, and what is said of it. It knows no thread and no memory.

use rt::clock::NANOSECONDS;

use super::measure::Costs;

/// How long no block may have been late before the overload is over: what comes again within a second is heard as one.
const QUIET: u64 = NANOSECONDS;

/// What blocks have lately needed. Times are nanoseconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Need {
    /// The period.
    pub period: u64,
    /// How much of a period each worker can have: less if there are more workers than cores.
    pub available: u64,
    /// What was measured.
    pub costs: Costs,
    /// Processor time a worker has used for a block, if that is known.
    pub worker: Option<u64>,
    /// Most commands that one of the newest blocks had.
    pub commands: u64,
}

impl Need {
    /// What the commands of the block with the most of them take.
    fn of_commands(&self) -> u64 {
        (u128::from(self.commands) * u128::from(self.costs.thousand_commands) / 1000) as u64
    }

    /// What the dearest of the newest blocks needed: by its commands, or by what the workers used, if that is more.
    fn of_a_block(&self) -> u64 {
        (self.costs.block + self.of_commands()).max(self.worker.unwrap_or(0))
    }

    /// Whether blocks need more than there is.
    fn is_too_much(&self) -> bool {
        self.of_a_block() > self.available
    }

    /// What is said when an overload begins, with `late` late blocks so far.
    fn text(&self, late: u64) -> String {
        let microseconds = |time: u64| format!("{:.1} us", time as f64 / 1e3);
        let with_share = |time: u64| format!("{:.1} us ({:.1} %)", time as f64 / 1e3, self.percent(time));
        let modules = dsp::MODULES.iter().zip(self.costs.modules);
        let modules = modules.map(|(module, time)| format!("{} {}", module.name(), with_share(time)));
        let workers = self.worker.map_or_else(String::new, |time| {
            format!("; a worker has lately used {} of the processor for a block", with_share(time))
        });
        format!(
            "overload: blocks need more than the period of {}; {late} late so far. Up to {} commands in a block, \
             {:.3} us each, take {}; without them a block takes {}: {}{workers}. {}",
            microseconds(self.period),
            self.commands,
            self.costs.thousand_commands as f64 / 1e6,
            with_share(self.of_commands()),
            with_share(self.costs.block),
            modules.collect::<Vec<_>>().join(", "),
            self.advice(),
        )
    }

    fn percent(&self, time: u64) -> f64 {
        time as f64 / self.period.max(1) as f64 * 100.0
    }

    /// What to do. It depends on what takes the most.
    fn advice(&self) -> &'static str {
        let (commands, block) = (self.of_commands(), self.costs.block);
        if 2 * (commands + block) < self.of_a_block() {
            "The workers are slower than that explains: their cores are shared, or throttled by heat"
        } else if commands > block {
            "Spread the commands over more blocks, or send fewer"
        } else {
            "Play at a lower --rate, or on a faster machine"
        }
    }
}

/// The overload that is going on, if one is.
#[derive(Default)]
pub struct Overload {
    /// Late blocks at the last look.
    late: u64,
    going_on: Option<GoingOn>,
}

struct GoingOn {
    late_before: u64,
    began: u64,
    last_late: u64,
}

impl Overload {
    /// Looks at the count of late blocks and at what blocks need, at `now` on CLOCK_MONOTONIC. Gives what is to be said:
    /// one message when an overload begins, one when it is over. A late block with another reason, such as two dead
    /// workers or a busy machine, begins none.
    pub fn look(&mut self, now: u64, late: u64, need: &Need) -> Option<String> {
        let before = std::mem::replace(&mut self.late, late);
        let news = late > before;
        match &mut self.going_on {
            None if news && need.is_too_much() => {
                self.going_on = Some(GoingOn { late_before: before, began: now, last_late: now });
                Some(need.text(late - before))
            }
            None => None,
            Some(going_on) if news => {
                going_on.last_late = now;
                None
            }
            Some(going_on) if now - going_on.last_late >= QUIET => {
                let late = late - going_on.late_before;
                let seconds = (going_on.last_late - going_on.began) as f64 / NANOSECONDS as f64;
                self.going_on = None;
                Some(format!(
                    "the overload is over: {late} blocks were late, the last about {seconds:.1} s after the first; \
                     sound and latency are as before"
                ))
            }
            Some(_) => None,
        }
    }

    /// Whether one is going on.
    pub fn is_going_on(&self) -> bool {
        self.going_on.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: u64 = 5_333_333;

    fn need(commands: u64, worker: Option<u64>) -> Need {
        let costs = Costs { block: 16_000, modules: [6_000, 3_000, 8_000], thousand_commands: 20_000 };
        Need { period: PERIOD, available: PERIOD, costs, worker, commands }
    }

    #[test]
    fn an_overload_is_told_once_when_it_begins_and_once_when_it_is_over() {
        let (mut overload, step) = (Overload::default(), NANOSECONDS / 4);
        let (quiet, loud) = (need(3, Some(40_000)), need(600_000, None));
        let mut said = Vec::new();
        let late = [0, 0, 5, 20, 20, 30, 30, 30, 30, 30, 30, 30, 33, 33, 33, 33, 33];
        for (look, late) in late.into_iter().enumerate() {
            let need = if [2, 3, 12].contains(&look) { &loud } else { &quiet };
            said.extend(overload.look(look as u64 * step, late, need).map(|text| (look, text)));
        }
        let places: Vec<_> = said.iter().map(|(look, _)| *look).collect();
        assert_eq!(places, [2, 9, 12, 16], "{said:?}");
        for part in [
            "period of 5333.3 us",
            "5 late",
            "600000 commands in a block, 0.020 us each, take 12000.0 us (225.0 %)",
            "a block takes 16.0 us (0.3 %): sine 6.0 us (0.1 %), adsr 3.0 us (0.1 %), filter 8.0 us (0.2 %)",
            "Spread the commands",
        ] {
            assert!(said[0].1.contains(part), "{part} is missing in: {}", said[0].1);
        }
        assert!(said[1].1.contains("30 blocks were late, the last about 0.8 s"), "{}", said[1].1);
        assert!(said[3].1.contains("3 blocks"), "{}", said[3].1);
    }

    #[test]
    fn late_blocks_for_another_reason_are_no_overload() {
        let mut overload = Overload::default();
        for (look, late) in [3, 9, 9, 40].into_iter().enumerate() {
            assert_eq!(overload.look(look as u64, late, &need(200_000, Some(PERIOD - 1))), None);
        }
        assert!(!overload.is_going_on());
        // Late blocks of long ago are not those of a block that is dear now.
        assert_eq!(overload.look(9, 40, &need(600_000, None)), None);
    }

    #[test]
    fn what_the_workers_use_counts_and_the_advice_fits_the_cause() {
        for (need, advice) in [
            (need(1, Some(2 * PERIOD)), "throttled"),
            (need(600_000, Some(2 * PERIOD)), "Spread"),
            (Need { available: 10_000, ..need(1, None) }, "lower --rate"),
        ] {
            let text = Overload::default().look(0, 1, &need).expect("an overload");
            assert!(text.contains(advice), "{text}");
        }
        let text = Overload::default().look(0, 1, &need(1, Some(2 * PERIOD))).expect("an overload");
        assert!(text.contains("lately used 10666.7 us (200.0 %)"), "{text}");
    }
}
