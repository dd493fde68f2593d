use super::*;
use abi::Block;

fn watched(test: impl FnOnce(&SharedMemory, &Counters, &Alarm)) {
    let memory = SharedMemory::create(&[]).unwrap();
    let counters = Counters::default();
    counters.slots.iter().for_each(|slot| slot.epoch.store(1, Ordering::Relaxed));
    test(&memory, &counters, &Alarm::new().unwrap());
}

const PERIOD: u64 = 5_333_333;

/// Lets so many periods pass, in each of which a block is sealed and the slots marked publish it.
fn pass(watch: &mut Watch, periods: std::ops::Range<u64>, publishing: [bool; 2]) {
    for period in periods {
        for slot in (0..2).filter(|slot| publishing[*slot]) {
            watch.memory.slots[slot].publish_block(period, &Block::SILENCE);
        }
        watch.declare_laggards(period + 1, (period + 1) * PERIOD);
    }
}

#[test]
fn a_worker_that_stands_still_is_declared_within_four_blocks_and_no_other() {
    watched(|memory, counters, alarm| {
        let slots = &memory.slots;
        let mut watch = Watch::new(memory, counters, alarm, PERIOD);
        slots.iter().for_each(|slot| slot.join(0));
        pass(&mut watch, 0..20, [true, true]);
        pass(&mut watch, 20..22, [false, true]);
        assert_eq!((alarm.declared(0), alarm.declared(1)), (0, 0));
        pass(&mut watch, 22..24, [false, true]);
        assert_eq!((alarm.declared(0), alarm.declared(1)), (1, 0));
    });
}

#[test]
fn a_machine_without_time_is_no_fault_of_its_workers() {
    watched(|memory, counters, alarm| {
        let slots = &memory.slots;
        let mut watch = Watch::new(memory, counters, alarm, PERIOD);
        slots.iter().for_each(|slot| slot.join(0));
        pass(&mut watch, 0..11, [false, false]);
        // Caught up with all at once.
        for sealed in 12..30 {
            watch.declare_laggards(sealed, 11 * PERIOD + sealed);
        }
        assert_eq!((alarm.declared(0), alarm.declared(1)), (0, 0));
        pass(&mut watch, 30..32, [false, false]);
        assert_eq!((alarm.declared(0), alarm.declared(1)), (1, 1));
    });
}

#[test]
fn a_period_is_no_shorter_for_a_worker_while_the_audio_thread_catches_up() {
    watched(|memory, counters, alarm| {
        let mut watch = Watch::new(memory, counters, alarm, PERIOD);
        memory.slots.iter().for_each(|slot| slot.join(0));
        pass(&mut watch, 0..20, [true, true]);
        // A block in half a period and a little more, as it is while the first of them is missing.
        let mut look = |half| watch.declare_laggards(20 + half, 20 * PERIOD + half * (PERIOD / 2 + 1));
        // The first of twelve looks comes half a period after the last block.
        (1..=22).for_each(&mut look);
        assert_eq!((alarm.declared(0), alarm.declared(1)), (0, 0));
        (23..=24).for_each(&mut look);
        assert_eq!((alarm.declared(0), alarm.declared(1)), (1, 1));
    });
}

#[test]
fn a_replacement_that_catches_up_is_left_alone_and_one_that_never_will_is_not() {
    watched(|memory, counters, alarm| {
        let slots = &memory.slots;
        let mut watch = Watch::new(memory, counters, alarm, PERIOD);
        slots[0].join(0);
        slots[1].join(0);
        for period in 100..150 {
            // Slot 0 does two blocks a period and catches up, slot 1 does one in two periods and falls behind.
            slots[0].publish_block((period - 100) * 2, &Block::SILENCE);
            slots[1].publish_block((period - 100) / 2, &Block::SILENCE);
            watch.declare_laggards(period, period * PERIOD);
        }
        assert_eq!((alarm.declared(0), alarm.declared(1)), (0, 1));
    });
}

#[test]
fn a_joining_slot_is_in_lockstep_only_with_the_same_block() {
    watched(|memory, counters, alarm| {
        let slots = &memory.slots;
        let mut watch = Watch::new(memory, counters, alarm, PERIOD);
        counters.slots[0].set_state(SlotState::Joining);
        slots[1].join(0);
        slots[1].publish_block(5, &Block::SILENCE);
        slots[0].join(5);
        watch.played(4, [false, true]);
        assert_eq!(counters.slots[0].state(), SlotState::Joining);
        slots[0].publish_block(5, &Block { samples: [0.1; abi::SAMPLES] });
        watch.played(4, [false, true]);
        assert_eq!(counters.slots[0].state(), SlotState::Joining);
        slots.iter().for_each(|slot| slot.publish_block(6, &Block::SILENCE));
        watch.played(4, [false, true]);
        assert_eq!(counters.slots[0].state(), SlotState::Lockstep);
    });
}

#[test]
fn who_lets_the_other_go_first_is_not_declared_and_the_supervisor_hears_of_it() {
    watched(|memory, counters, alarm| {
        let (slots, me) = (&memory.slots, Waiter::Slot(1));
        let mut watch = Watch::new(memory, counters, alarm, PERIOD);
        slots.iter().for_each(|slot| slot.join(0));
        pass(&mut watch, 0..20, [true, true]);
        memory.bell.set_waiting(me, true);
        slots[0].note_applying(Some(CommandPlace::Log(3)));
        pass(&mut watch, 20..21, [false, false]);
        assert!(!alarm.take_stalling(), "one period is no delay");
        pass(&mut watch, 21..22, [false, false]);
        assert!(alarm.take_stalling());
        pass(&mut watch, 22..27, [false, false]);
        assert_eq!((alarm.declared(0), alarm.declared(1)), (0, 0));
        pass(&mut watch, 27..28, [false, false]);
        assert_eq!((alarm.declared(0), alarm.declared(1)), (1, 0));
    });
}

#[test]
fn a_command_that_comes_when_a_worker_hangs_already_gains_it_no_time() {
    watched(|memory, counters, alarm| {
        let mut watch = Watch::new(memory, counters, alarm, PERIOD);
        memory.slots.iter().for_each(|slot| slot.join(0));
        pass(&mut watch, 0..20, [true, true]);
        pass(&mut watch, 20..22, [false, true]);
        memory.slots[0].note_applying(None);
        memory.bell.set_waiting(Waiter::Slot(1), true);
        pass(&mut watch, 22..23, [false, false]);
        assert_eq!((alarm.declared(0), alarm.declared(1)), (1, 0));
    });
}

#[test]
fn a_look_that_came_half_a_period_late_is_followed_by_the_next_one_in_time() {
    watched(|memory, counters, alarm| {
        let mut watch = Watch::new(memory, counters, alarm, PERIOD);
        memory.slots.iter().for_each(|slot| slot.join(0));
        pass(&mut watch, 0..20, [true, true]);
        memory.slots[1].publish_block(20, &Block::SILENCE);
        watch.declare_laggards(21, 21 * PERIOD + PERIOD / 2);
        pass(&mut watch, 21..23, [false, true]);
        assert_eq!((alarm.declared(0), alarm.declared(1)), (1, 0));
    });
}

#[test]
fn a_block_with_many_commands_is_progress() {
    watched(|memory, counters, alarm| {
        let mut watch = Watch::new(memory, counters, alarm, PERIOD);
        memory.slots.iter().for_each(|slot| slot.join(0));
        memory.bell.set_waiting(Waiter::Slot(1), true);
        for period in 0..100 {
            memory.slots[0].note_applying(Some(CommandPlace::Score(period)));
            pass(&mut watch, period..period + 1, [false, false]);
        }
        assert_eq!((alarm.declared(0), alarm.declared(1)), (0, 0));
    });
}

#[test]
fn who_is_held_by_the_kernel_in_an_overload_is_not_declared_and_a_hung_one_is_in_the_end() {
    for (me, period) in [(0, PERIOD), (1, PERIOD), (0, PERIOD / 2)] {
        watched(|memory, counters, alarm| {
            let mut watch = Watch::new(memory, counters, alarm, period);
            memory.slots.iter().for_each(|slot| slot.join(0));
            // Both get on from command to command, and no block comes of it.
            let pass = |watch: &mut Watch, number: u64, both: bool| {
                for slot in (0..2).filter(|slot| both || *slot != me) {
                    memory.slots[slot].note_applying(Some(CommandPlace::Score(number)));
                }
                watch.declare_laggards(number, number * period);
            };
            (1..100).for_each(|number| pass(&mut watch, number, true));
            // The kernel holds one for 50 ms; then it gets on.
            let held = 50_000_000_u64.div_ceil(period);
            (100..100 + held).for_each(|number| pass(&mut watch, number, false));
            assert_eq!(alarm.declared(me), 0);
            (200..210).for_each(|number| pass(&mut watch, number, true));
            (210..300).for_each(|number| pass(&mut watch, number, false));
            assert_eq!((alarm.declared(me), alarm.declared(1 - me)), (1, 0));
        });
    }
}

#[test]
fn who_lets_a_held_one_go_first_in_an_overload_does_not_shorten_its_time() {
    watched(|memory, counters, alarm| {
        let mut watch = Watch::new(memory, counters, alarm, PERIOD);
        memory.slots.iter().for_each(|slot| slot.join(0));
        memory.bell.set_waiting(Waiter::Slot(1), true);
        for number in 1..100 {
            // A block in three periods: both are far behind.
            memory.slots.iter().for_each(|slot| slot.publish_block(number / 3, &Block::SILENCE));
            memory.slots[0].note_applying(Some(CommandPlace::Score(number)));
            watch.declare_laggards(number, number * PERIOD);
        }
        (100..110).for_each(|number| watch.declare_laggards(number, number * PERIOD));
        assert_eq!((alarm.declared(0), alarm.declared(1)), (0, 0));
    });
}
