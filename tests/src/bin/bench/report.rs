//! The page.

use serde_json::Value;

use crate::figures::Figures;
use crate::measure::{Commands, Deaths, Steady};

fn told(status: &Value, path: &str) -> f64 {
    let value = path.split('.').fold(status, |value, key| &value[key]);
    value.as_f64().unwrap_or_else(|| panic!("{path} is no number"))
}

/// Median, 99th percentile and largest of one of the engine's own histograms.
fn cells(status: &Value, path: &str) -> String {
    ["p50", "p99", "max"].map(|of| format!("{:.1}", told(status, &format!("{path}.{of}")))).join(" | ")
}

/// All that was measured.
pub struct Measured {
    /// One worker.
    pub one: Steady,
    /// Two workers.
    pub two: Steady,
    /// Two workers on cores that do not sleep.
    pub awake: Steady,
    /// Kills.
    pub deaths: Deaths,
    /// Notes.
    pub commands: Commands,
    /// Wake-ups of an ordinary thread.
    pub machine: Figures,
}

/// BENCHMARKS.md.
pub fn page(measured: &Measured) -> String {
    let Measured { one, two, awake, deaths, commands, machine } = measured;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let model = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = model
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown processor", |text| text.trim_start_matches([' ', '\t', ':']));
    let work = told(&two.status, "audio.work_us.p50");
    let redundant_blocks = cells(&deaths.status, "rejoin_blocks");
    format!(
        "\
# Figures

Measured by `scripts/bench` in one run, which writes this page. Machine: {model}, {cores} shared cores, no
real-time kernel, no sound card (paced sink), 48 kHz, 256 frames = 5333 us, lead 2. Real time: {real_time}.
On such a machine the medians and ratios mean something, the largest values tell of its other users.
*Cores kept awake* means an endless loop of lowest priority on each, because a virtual core that sleeps between two
blocks comes back with cold caches, and waking it costs a switch of the hypervisor. Nothing here was measured on a
Raspberry Pi.

## In time

| what | median | p99 | largest |
|---|---|---|---|
| audio thread's own work on a block, us (choose, compare, check, hand over, watch) | {work_cells} |
| of it choosing and comparing two copies, us | {choosing} |
| the same with the cores kept awake, us | {awake_work} |
| besides, its system call that wakes both workers, us | {waking} |
| the same with the cores kept awake, us | {awake_waking} |
| audio thread woken after it was due, us | {wake_up} |
| for comparison: an ordinary thread on this machine, us | {machine} |
| kill -> death known, us ({kills} kills) | {known} |
| kill -> both slots publish the same block again, ms | {redundant} |
| the same in blocks, from the death being known | {redundant_blocks} |
| command -> first changed sample, frames ({notes} notes; promised {promised}) | {latency} |
| its jitter, frames from the median | {jitter} |

## Shares and ratios

| what | figure | goal |
|---|---|---|
| audio thread, of a block's time | {work_share:.3} % | |
| audio thread's own work, median; with the cores kept awake | {work:.1} us; {awake_median:.1} us | 2 us |
| workers' processor time for a block, one worker -> two | {one_us:.1} -> {two_us:.1} us, ratio {workers_ratio:.2} | 2.1 |
| whole engine's processor time, one worker -> two | {one_share:.2} -> {two_share:.2} % of a core, ratio {share_ratio:.2} | 2.1 |
| jitter of a command, p99 | {jitter_p99:.1} frames | 16 frames |
| resident memory: supervisor; each worker | {resident} | |
| late blocks, divergences in all of this | {late}, {divergences} | 0, 0 |

## Beside the original

The Python system Chronus replaces, measured on a machine of this kind with every sample stored:

| what | original | Chronus |
|---|---|---|
| kill of a worker -> sound of the other one | 11.1 ms median, 14.9 ms at most | no sample differs, so there is nothing to time |
| silent blocks in 400 ms after it | 67 of 69 | 0 |
| sound right afterwards without a new command | 0 of 14 | every time: see tests/tests/hitless.rs |
| supervisor stuck for good after a kill | 7 of 28 | 0 of {kills} |
| gate -> sound | 14.8 ms, and 40.9 ms ever after the first failover | {latency_ms:.1} ms, before and after |
| burst of 300 datagrams | the last value lost, 10 of 10 | none of 5000 lost: see tests/tests/protocol.rs |
| processor and memory | 16.8 % of a core, 144 MB | {two_share:.2} % of a core, {memory:.0} MB |
",
        real_time = two.status["real_time"].as_str().unwrap_or("unknown"),
        work_cells = cells(&two.status, "audio.work_us"),
        awake_work = cells(&awake.status, "audio.work_us"),
        awake_waking = cells(&awake.status, "audio.waking_us"),
        awake_median = told(&awake.status, "audio.work_us.p50"),
        waking = cells(&two.status, "audio.waking_us"),
        choosing = cells(&two.status, "audio.choosing_us"),
        wake_up = cells(&two.status, "audio.wake_up_us"),
        machine = machine.cells(1),
        kills = deaths.known_us.count(),
        known = deaths.known_us.cells(0),
        redundant = deaths.redundant_ms.cells(1),
        notes = commands.frames.count(),
        promised = commands.promised,
        latency = commands.frames.cells(1),
        jitter = commands.jitter.cells(1),
        jitter_p99 = commands.jitter.quantile(0.99),
        work_share = work / 53.33,
        one_us = one.workers_us,
        two_us = two.workers_us,
        workers_ratio = two.workers_us / one.workers_us,
        one_share = one.share * 100.0,
        two_share = two.share * 100.0,
        share_ratio = two.share / one.share,
        resident = two.resident.iter().map(|kib| format!("{:.1} MB", *kib as f64 / 1024.0)).collect::<Vec<_>>().join(", "),
        late = told(&two.status, "late_blocks") + told(&deaths.status, "late_blocks"),
        divergences = told(&two.status, "divergences") + told(&deaths.status, "divergences"),
        latency_ms = commands.frames.quantile(0.5) / 48.0,
        memory = two.resident.iter().sum::<u64>() as f64 / 1024.0,
    )
}
