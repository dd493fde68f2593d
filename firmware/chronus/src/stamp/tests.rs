use super::*;
use rosc::OscType;
use shm::LogReader;

const SENDER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9);
const OPEN: Operation = Operation::Gate(2, true);
const CLOSE: Operation = Operation::Gate(2, false);

fn stamper() -> Stamper {
    let memory = SharedMemory::create(&[]).unwrap();
    let clock = Arc::new(AudioClock::new(48_000));
    Stamper::new(Arc::new(memory), clock, Arc::new(Counters::default()), 48_000, 2, false, None)
}

fn seal(stamper: &Stamper, blocks: usize) {
    for _ in 0..blocks {
        stamper.memory.log.seal_one();
    }
}

fn logged(stamper: &Stamper) -> Vec<(u64, Operation)> {
    let mut reader = LogReader::new(&stamper.memory.log, 0);
    std::iter::from_fn(|| {
        let command = reader.peek(u64::MAX).unwrap()?.command;
        reader.take();
        Some((command.stamp.to_frame(), command.operation))
    })
    .collect()
}

fn tag_in(nanoseconds: u64) -> OscTime {
    let wall = rt::clock::realtime() + nanoseconds;
    let fractional = (((wall % NANOSECONDS) << 32) / NANOSECONDS) as u32;
    OscTime { seconds: (wall / NANOSECONDS + SECONDS_1900_TO_1970) as u32, fractional }
}

#[test]
fn a_message_takes_effect_a_constant_time_after_its_arrival() {
    let mut stamper = stamper();
    stamper.clock.start(0, 1_000_000_000);
    for milliseconds in [0, 3, 50] {
        stamper.accept(OPEN, When::Arrival(1_000_000_000 + milliseconds * 1_000_000), SENDER).unwrap();
    }
    let frames: Vec<_> = logged(&stamper).iter().map(|(frame, _)| frame - command_latency(2)).collect();
    assert_eq!(frames, [0, 144, 2400]);
}

#[test]
fn tagged_commands_wait_are_sorted_and_keep_their_distance() {
    let mut stamper = stamper();
    stamper.clock.start(0, rt::clock::monotonic());
    let tag = tag_in(300_000_000);
    let later = OscTime { seconds: tag.seconds + 1, fractional: tag.fractional };
    stamper.accept(CLOSE, When::TimeTag(later, 0), SENDER).unwrap();
    stamper.accept(OPEN, When::TimeTag(tag, 0), SENDER).unwrap();
    assert_eq!((logged(&stamper).len(), stamper.counters.waiting.load(Ordering::Relaxed)), (0, 2));
    assert!(stamper.time_to_next().unwrap() < Duration::from_millis(300));
    // Two seconds pass: the beat began two seconds earlier. (What waits keeps its frame.)
    stamper.clock.start(0, rt::clock::monotonic() - 2 * NANOSECONDS);
    for (sealed, in_the_log) in [(0, 0), (50, 1), (190, 2)] {
        // None goes further ahead of the device than the furthest block.
        seal(&stamper, sealed);
        stamper.release_due().unwrap();
        assert_eq!(logged(&stamper).len(), in_the_log);
    }
    let logged = logged(&stamper);
    assert_eq!((logged[0].1, logged[1].1), (OPEN, CLOSE));
    assert_eq!(logged[1].0 - logged[0].0, 48_000);
}

#[test]
fn a_tag_of_next_year_is_refused() {
    let mut stamper = stamper();
    stamper.clock.start(0, rt::clock::monotonic());
    let refusal = stamper.accept(OPEN, When::TimeTag(tag_in(365 * 86_400 * NANOSECONDS), 0), SENDER).unwrap_err();
    assert_eq!(refusal.0, Code::TooFar);
    assert_eq!(logged(&stamper).len(), 0);
}

#[test]
fn a_device_that_stands_still_makes_no_later_command_late() {
    let mut stamper = stamper();
    stamper.clock.start(0, 1_000_000_000);
    // Five seconds in which nothing is sealed; then the device goes on and the clock follows it.
    stamper.accept(OPEN, When::Arrival(6_000_000_000), SENDER).unwrap();
    assert_eq!(logged(&stamper)[0].0, MOST_BLOCKS_AHEAD * FRAMES as u64);
    stamper.clock.start(0, 6_000_000_000);
    seal(&stamper, 30);
    stamper.accept(CLOSE, When::Arrival(6_200_000_000), SENDER).unwrap();
    assert_eq!(logged(&stamper)[1].0, 9600 + command_latency(2));
    assert_eq!(stamper.counters.late_commands.load(Ordering::Relaxed), 0);
}

#[test]
fn a_tagged_command_waits_while_the_log_is_full() {
    // Without a beat everything is due at once.
    let mut stamper = stamper();
    let mut fill = |port: u16| {
        let sender = SocketAddr::new(SENDER.ip(), port);
        (0..shm::LOG_RECORDS).filter(|_| stamper.accept(OPEN, When::Arrival(0), sender).is_ok()).count()
    };
    // One sender cannot fill it, two can.
    let first = fill(1);
    assert!((shm::LOG_RECORDS / 4 * 3..shm::LOG_RECORDS * 9 / 10).contains(&first), "{first}");
    assert_eq!(first + fill(2), shm::LOG_RECORDS - 1);
    assert_eq!(stamper.accept(CLOSE, When::TimeTag(tag_in(0), 0), SENDER), Ok(()));
    assert_eq!((stamper.waiting.length(), stamper.counters.waiting.load(Ordering::Relaxed)), (1, 1));
}

#[test]
fn who_has_filled_its_share_of_the_waiting_commands_leaves_room_for_others() {
    let mut stamper = stamper();
    stamper.clock.start(0, rt::clock::monotonic());
    let tag = When::TimeTag(tag_in(60 * NANOSECONDS), 0);
    let taken = (0..2 * ROOM.sender).filter(|_| stamper.accept(OPEN, tag, SENDER).is_ok()).count();
    assert_eq!(taken, ROOM.sender);
    let (code, text) = stamper.accept(OPEN, tag, SENDER).unwrap_err();
    assert!(code == Code::Full && text.contains("16384 commands of yours"), "{text}");
    assert_eq!(stamper.accept(OPEN, tag, ([127, 0, 0, 1], 10).into()), Ok(()));
    // Played, they no longer count.
    stamper.clock.start(0, rt::clock::monotonic() - 61 * NANOSECONDS);
    seal(&stamper, 12_000);
    stamper.release_due().unwrap();
    assert_eq!((stamper.waiting.length(), stamper.accept(OPEN, tag, SENDER)), (0, Ok(())));
}

#[test]
fn what_waits_is_taken_over_with_its_time_and_not_with_its_frame() {
    let mut dead = stamper();
    dead.beat = true;
    dead.clock.start(0, rt::clock::monotonic());
    for (operation, milliseconds) in [(CLOSE, 400), (OPEN, 300)] {
        dead.accept(operation, When::TimeTag(tag_in(milliseconds * 1_000_000), 0), SENDER).unwrap();
    }
    // The beat begins a while later, with another block.
    let (clock, counters) = (Arc::new(AudioClock::new(48_000)), Arc::new(Counters::default()));
    let mut stamper = Stamper::new(dead.memory.clone(), clock, counters, 48_000, 2, true, None);
    stamper.release_due().unwrap();
    assert_eq!((stamper.waiting.length(), stamper.time_to_next()), (2, Some(BEAT_INTERVAL)));
    stamper.clock.start(1000, rt::clock::monotonic());
    stamper.release_due().unwrap();
    assert_eq!((logged(&stamper).len(), stamper.waiting.length()), (0, 2));
    stamper.clock.start(1000, rt::clock::monotonic() - 2 * NANOSECONDS);
    seal(&stamper, 1042);
    stamper.release_due().unwrap();
    seal(&stamper, 20);
    stamper.release_due().unwrap();
    let logged = logged(&stamper);
    assert_eq!((logged[0].1, logged[1].1, stamper.waiting.length()), (OPEN, CLOSE, 0));
    // As far from each other as their tags, which were made one after the other.
    assert!((4700..=4800).contains(&(logged[1].0 - logged[0].0)), "{logged:?}");
    assert_eq!(stamper.counters.late_commands.load(Ordering::Relaxed), 0);
    assert!((1000 * 256 + 14_400 - 4800..=1000 * 256 + 14_400).contains(&logged[0].0), "{}", logged[0].0);
    // A third one finds nothing that waits, and the log as it is.
    let (clock, counters) = (Arc::new(AudioClock::new(48_000)), Arc::new(Counters::default()));
    let third = Stamper::new(stamper.memory.clone(), clock, counters, 48_000, 2, true, None);
    assert_eq!((third.waiting.length(), third.log.length()), (0, 2));
}

#[test]
fn a_moment_is_the_tag_that_means_it() {
    let mut stamper = stamper();
    let now = rt::clock::monotonic();
    assert_eq!(stamper.moment(now).1, None);
    stamper.clock.start(0, now - NANOSECONDS);
    for later in [0, 1, 12_345_678_901] {
        let (tag, frame) = stamper.moment(now + later);
        assert_eq!(stamper.monotonic_time_of(tag), now + later, "to the nanosecond");
        assert_eq!(frame, Some(48_000 + (later * 48 + 500_000) / 1_000_000));
    }
}

#[test]
fn who_is_late_is_told_by_how_much_and_who_is_not_is_not() {
    let mut stamper = stamper();
    stamper.clock.start(0, rt::clock::monotonic() - NANOSECONDS);
    seal(&stamper, 190);
    let soon = tag_in(NANOSECONDS / 2);
    let half_a_second_ago = OscTime { seconds: soon.seconds - 1, ..soon };
    stamper.accept(OPEN, When::TimeTag(half_a_second_ago, 0), SENDER).unwrap();
    stamper.accept(OPEN, When::TimeTag(tag_in(NANOSECONDS / 10), 0), ([10, 0, 0, 1], 1).into()).unwrap();
    stamper.accept(OPEN, When::Arrival(rt::clock::monotonic()), ([10, 0, 0, 2], 1).into()).unwrap();
    let told: Vec<_> = stamper.take_late().iter().map(|late| (late.sender, late.frames)).collect();
    assert_eq!(told.len(), 1);
    assert!(told[0].0 == SENDER && told[0].1.abs_diff(190 * 256 - 24_000) < 4800, "{told:?}");
    assert!(stamper.take_late().is_empty());
}

#[test]
fn a_sync_waits_for_all_that_its_sender_sent_before() {
    let mut stamper = stamper();
    let memory = stamper.memory.clone();
    let play = |stamper: &Stamper, blocks: u64, consumed| {
        memory.slots[0].publish_snapshot(blocks, &[0; 4], consumed);
        stamper.counters.blocks.store(blocks, Ordering::Relaxed);
    };
    stamper.clock.start(0, rt::clock::monotonic());
    stamper.accept(OPEN, When::TimeTag(tag_in(NANOSECONDS), 0), SENDER).unwrap();
    stamper.accept(OPEN, When::Arrival(rt::clock::monotonic()), SENDER).unwrap();
    stamper.sync(OscType::Int(4), rt::clock::monotonic(), SENDER).unwrap();
    let other = ([10, 0, 0, 1], 1).into();
    stamper.sync(OscType::Int(5), rt::clock::monotonic(), other).unwrap();
    play(&stamper, 9, 0);
    assert!(stamper.take_synced().is_empty(), "nothing is applied");
    play(&stamper, 9, 1);
    let ids =
        |stamper: &mut Stamper| stamper.take_synced().into_iter().map(|done| (done.id, done.stamp)).collect::<Vec<_>>();
    let at_once = ids(&mut stamper);
    assert!(at_once.len() == 1 && at_once[0].0 == OscType::Int(5) && at_once[0].1.block < 9, "{at_once:?}");
    // A second passes.
    stamper.clock.start(0, rt::clock::monotonic() - NANOSECONDS);
    seal(&stamper, 180);
    stamper.release_due().unwrap();
    play(&stamper, 180, 1);
    assert!(stamper.take_synced().is_empty(), "what waited is not applied");
    let stamp = logged(&stamper).last().map(|(frame, _)| Stamp::from_frame(*frame)).unwrap();
    play(&stamper, stamp.block, 2);
    assert!(stamper.take_synced().is_empty(), "its block is not played");
    play(&stamper, stamp.block + 1, 2);
    assert_eq!(ids(&mut stamper), [(OscType::Int(4), stamp)]);
}
