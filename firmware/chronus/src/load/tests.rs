//! What the load thread makes of what it sees.
use super::*;

/// A load thread that is not running, and one worker: this process.
fn load() -> Load {
    let load = Load {
        memory: Arc::new(SharedMemory::create(&[]).unwrap()),
        counters: Arc::default(),
        rate: 48_000,
        workers: 2,
        stop: Arc::default(),
    };
    load.counters.slots[0].pid.store(std::process::id(), Ordering::Relaxed);
    load
}

/// Publishes blocks up to `end` with so many commands each.
fn publish(slot: &SlotMemory, end: BlockNumber, commands: u64) {
    for number in slot.published()..end {
        slot.note_commands(number, commands);
        slot.publish_block(number, &abi::Block::SILENCE);
    }
}

/// Keeps the processor busy until this process has used so many nanoseconds more.
fn compute(time: u64) {
    let used = || rt::process::processor_time(std::process::id()).unwrap();
    let end = used() + time;
    while used() < end {
        std::hint::black_box(0);
    }
}

#[test]
fn a_worker_is_measured_by_what_it_used_for_the_blocks_it_has_published() {
    let (load, mut seen) = (load(), Seen::default());
    let slot = &load.memory.slots[0];
    assert!(load.work(0, &mut seen).is_none(), "not joined");
    slot.join(10);
    assert!(load.work(0, &mut seen).is_none(), "nothing rendered: this is its start");
    publish(slot, 12, 1);
    assert!(load.work(0, &mut seen).is_none(), "the first look");
    compute(20_000_000);
    assert!(load.work(0, &mut seen).is_none(), "no block yet");
    publish(slot, 16, 300);
    let work = load.work(0, &mut seen).unwrap();
    assert!(work.block >= 5_000_000, "20 ms for four blocks: {}", work.block);
    assert_eq!((work.commands, most_commands(slot)), (Some((1200, 4)), 300));
    publish(slot, 300, 0);
    assert_eq!(load.work(0, &mut seen).unwrap().commands, None, "more than are known");
    assert_eq!(most_commands(slot), 0);
    load.counters.slots[0].pid.store(1, Ordering::Relaxed);
    publish(slot, 310, 0);
    assert!(load.work(0, &mut seen).is_none(), "another worker");
}

#[test]
fn commands_are_charged_for_what_takes_far_more_than_a_block() {
    let costs = Costs { block: 10_000, ..Costs::default() };
    let work = |block, commands| Work { block, commands };
    assert_eq!(thousand_commands(&work(5_010_000, Some((1_000_000, 10))), &costs), Some(50_000));
    assert_eq!(thousand_commands(&work(90_000, Some((1000, 10))), &costs), None, "that is waking up and publishing");
    assert_eq!(thousand_commands(&work(5_010_000, Some((0, 10))), &costs), None);
    assert_eq!(thousand_commands(&work(5_010_000, None), &costs), None);
}

#[test]
fn a_worker_has_no_more_than_its_share_of_the_cores() {
    let need = |workers| Load { workers, ..load() }.need(&Costs::default(), &mut [Seen::default(); 2]);
    assert_eq!((need(1).period, need(1).available), (5_333_333, 5_333_333));
    assert_eq!(need(4096).available, 5_333_333 * rt::cores::available() as u64 / 4096);
}
