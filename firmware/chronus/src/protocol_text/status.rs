//! The page's part on the status: every key and what it means.

/// In Markdown.
pub const STATUS: &str = "\
## Status

`/status.reply` has the shape of scsynth's, so that programs made for that can show it: 1 (i), modules of the patch that is heard
(i), voices it may sound at once (i), tracks (i), types of modules (i), the share of the period that a worker has lately used in
percent (f), the same or what a block costs without commands, whichever is more (f), and the sample rate in Hz twice (d): the engine
knows no other than that of the card.

`/health.reply` holds pairs of a key (string) and a value. Keys are dotted; a number in a key is a place in a list.
`chronus status --json` prints the same as nested JSON. More keys may follow in later versions.

| key | type | meaning |
|---|---|---|
| `version` | s | version of Chronus |
| `block` | h | blocks played; a block has 256 frames |
| `rate` | i | sample rate in Hz |
| `lead` | i | blocks the workers render ahead |
| `sink` | s | where the sound goes |
| `restarts` | h | times the engine was killed and started again by a service manager, and went on where it was |
| `continued_at_block` | h | the block this engine began with: 0, or where the one before it was killed; counts but `block` and `commands.applied` begin anew there |
| `late_blocks` | h | blocks that no worker had ready in time; heard as a short gap |
| `xruns` | h | times the sound card ran dry |
| `divergences` | h | times the two workers did not agree; the one that is wrong is found and replaced |
| `divergences_undecided` | h | times it could not be found out which one was wrong |
| `slots.N.slot` | i | number of the slot, 0 or 1 |
| `slots.N.pid` | i | process id of its worker |
| `slots.N.epoch` | h | how many workers the slot has had |
| `slots.N.state` | s | `lockstep` is good; `joining`, `behind`, `down` while it is replaced |
| `slots.N.deaths` | h | workers of the slot that ended without being asked to |
| `slots.N.declared` | h | workers that were hung and therefore killed |
| `slots.N.wrong` | h | workers that had computed wrongly and therefore were killed |
| `slots.N.death_known_ns` | h | when the last death was known, on CLOCK_MONOTONIC |
| `slots.N.redundant_ns` | h | when the slot was last seen in lockstep again |
| `started_over` | h | times the sound began anew, with all defaults, because no worker survived its state |
| `commands.received` | h | commands that came in |
| `commands.applied` | h | commands that are in the sound by now |
| `commands.refused` | h | commands and datagrams that were refused; each is answered with `/error` within the limits above |
| `commands.quarantined` | h | commands that a worker died of and that are left out for ever |
| `commands.late` | h | commands that took effect after their time tag or their constant latency |
| `commands.waiting` | h | commands that wait for their time tag |
| `commands.latency_frames` | h | frames from a message's arrival to its effect |
| `network.dropped_by_kernel` | h | datagrams lost because they came faster than they were taken |
| `network.dropped_by_queue` | h | datagrams lost because they came faster than they were worked off |
| `network.dropped_flood` | h | datagrams dropped because their senders flood; while one is kept out, all that the kernel drops |
| `network.floods` | h | floods that have begun |
| `network.replies_withheld` | h | replies not sent because of the limits above |
| `network.dump_left_out` | h | messages that `/dumpOSC` did not print because they were too many |
| `tcp.open` | h | connections now; these six only where OSC is taken over TCP |
| `tcp.accepted` | h | connections that were taken |
| `tcp.refused` | h | connections that were refused because there were too many |
| `tcp.slow` | h | connections that were closed because their clients did not read |
| `tcp.broken` | h | connections that were closed because what came was neither of both framings |
| `tcp.dropped` | h | messages that were dropped because they were too many: a flood, or a full queue |
| `query.address` | s | where OSCQuery is asked; these nine only where it is |
| `query.open` | h | connections of OSCQuery now |
| `query.sockets` | h | WebSockets of these |
| `query.accepted` | h | connections that were taken |
| `query.refused` | h | connections that were refused because there were too many |
| `query.requests` | h | requests that were answered |
| `query.slow` | h | connections that were closed because their clients did not read, or sent too slowly |
| `query.broken` | h | connections that were closed because what came was no request, or no WebSocket |
| `query.dropped` | h | requests and messages that were dropped because they were too many, or from a web page of others |
| `quarantine.N.command` | s | a quarantined command, with its value; the newest eight, 0 being the newest |
| `quarantine.N.block` | h | the block it was for |
| `quarantine.N.sender` | s | who sent it: address and port; `nobody` for a score or the kept patch, or if it was sent to the engine before this one |
| `damaged_copies` | h | blocks in shared memory whose checksum was wrong; not played |
| `not_finite` | h | samples that were no number; played as silence |
| `recorder_drops` | h | blocks missing in the WAV file because the disk was too slow or full |
| `sound_card` | s | playing, lost, waiting (it was not there at the start) or none; a card that is back is taken |
| `card.device` | s | the card that was chosen, by a name that is always the same, or `none`; these only with `--sink auto` |
| `card.name` | s | its id and name |
| `card.why` | s | why this one |
| `card.others.N.other_card` | s | another card there was when it was chosen |
| `card.others.N.why_not` | s | why it was not taken |
| `card.refused` | s | why the card could not be had when it was tried last; absent while one plays |
| `device_lost` | h | times the sound card was lost |
| `device_reopened` | h | times a sound card was taken that had not been there |
| `patch.file` | s | where the values of all parameters are kept; these four only with `--patch` |
| `patch.state` | s | kept (there is nothing to write), changed (written soon), failing (it cannot be written), or waiting (it was not there yet) |
| `patch.loaded` | h | values that were set from it at the start |
| `patch.written` | h | times it was written since |
| `record.folder` | s | where recordings go; only with `--recordings` |
| `record.state` | s | recording, off, or failed: the last one broke off |
| `record.file` | s | the present recording, or the last one; these four only if there was one |
| `record.first_block` | h | the number of its first block |
| `record.frames` | h | frames in it |
| `record.missing` | h | frames of these that are silence because the disk was too slow |
| `record.why` | s | why the last one broke off, if it did |
| `record.keeping` | s | the file into which the past is being rendered, if it is |
| `record.past_s` | h | seconds that `/record/keep` can go back |
| `data` | s | what became of the partition on which a box keeps things: ok, repaired, anew (it was beyond repair), absent or failed (nothing is kept), not yet (it is looked at); only on a box |
| `led.state` | s | what the light says: silent, identify, card-lost, fault-survived, one-worker, saving, configuration-error, waiting-for-card, starting or healthy; also where there is no light |
| `led.code` | i | with configuration-error, how often it blinks: TROUBLESHOOTING.md says for what; else 0 |
| `led.lamp` | s | the light, as --led names it; off, or none and why |
| `real_time` | s | which real-time rights were granted |
| `selftest.held` | h | conditions of `chronus selftest` that hold; looked at once a minute, absent in the first ten seconds |
| `selftest.not_applicable` | h | conditions of which this machine has nothing of the kind |
| `selftest.failed.N` | s | names of those that do not hold; on a machine that is no box there are many |
| `selftest.unknown.N` | s | names of those that the engine cannot see and `chronus tune` has not seen for it |
| `audio.clock_origin_ns` | h | when frame 0 was due, on CLOCK_MONOTONIC |
| `audio.work_us` | | figures: the audio thread's own work on a block, microseconds |
| `audio.waking_us` | | figures: waking the workers, microseconds |
| `audio.choosing_us` | | figures: choosing and comparing the copies of a block, microseconds |
| `audio.wake_up_us` | | figures: how late the audio thread woke, microseconds |
| `load.block_us` | f | microseconds that a block takes without commands, measured about once a second |
| `load.block_percent` | f | the same as a share of the period |
| `load.modules.N.name` | s | a module of the patch |
| `load.modules.N.us` | f | microseconds of the block that it takes |
| `load.modules.N.percent` | f | the same as a share of the period |
| `load.command_us` | f | microseconds that a command takes |
| `load.commands_most` | h | most commands that a block has had |
| `load.worker_us` | f | processor time a worker has lately used for a block, with commands and all; the higher one of both |
| `load.worker_percent` | f | the same as a share of the period |
| `load.overloads` | h | times that blocks were late because they needed more than the period |
| `rejoin_blocks` | | figures: blocks from a known death to lockstep |
| `declared_lag_blocks` | | figures: blocks behind when declared hung |

Figures are four keys below the name: `count` (h), `p50`, `p99`, `max`: how many, and the values that half, 99 of 100
and all of them do not exceed.
";
