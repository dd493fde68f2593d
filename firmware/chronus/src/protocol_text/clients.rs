//! The page's part on what a client may ask about its time, and about what it has sent.

use crate::stamp::MOST_SYNCS;

/// In Markdown.
pub fn clients() -> String {
    CLIENTS.replace("{syncs}", &MOST_SYNCS.to_string())
}

const CLIENTS: &str = "\
## Time of a client

A box has no clock that runs without power, so its time of day may be wrong, and it is set when the network has told it.
A client therefore does not send its own time, but asks for the box's. `/clock/ping t` is answered with
`/clock/pong t t2 frame`: `t` as it came (type t, d, h, f or i), `t2` the box's time as an OSC time tag (t), and the
number of the frame that is due at `t2` (h; -1 while nothing plays in real time). `t2` is the middle of the ping's arrival and
its answer, so how long the engine took does not matter.

1. Send a ping with your own time `t1`, and note your time `t4` when the pong comes: `offset = t2 - (t1 + t4) / 2`. It is
   wrong by at most half the round trip `t4 - t1`.
2. Do that eight times, some 50 ms apart, and take the offset of the shortest round trip. Once a second is enough from then
   on, of the last eight again the shortest: clocks drift by some 0.1 ms a second at most. If an offset jumps by more than its round trip
   explains, the box's clock was set: forget all older ones.
3. Stamp a bundle for your time `x` with the tag `x + offset`, far enough ahead for the network and
   `commands.latency_frames`; 50 ms are enough nearly everywhere. A tag `t2 + s` seconds takes effect at frame
   `frame + s * rate`.

A bundle whose tag comes too late takes effect at once, and its sender is told: `/late frames` (i), by how many frames; of
several that are late at a time, by the most.

`/sync id` is answered with `/synced id block frame` when all that this sender sent before it has taken effect: the frame
(i) of the block (h) from which on that is so is in a block that was rendered and handed over to be played. What waits for its time
tag is waited for. `id` is any number and comes back as it is. {syncs} of a sender may wait, 64 of a host, 256 in all; the next
one gets the error `full`.

`/get address` is answered with the message that would set what is set there, as subscribers get it
(`/mod/filter/cutoff 440.0`); a pattern that means several with a bundle of them. What has no value gets the error
`unknown_address`, gates too. `/get`, `/sync`, `/clock/ping`, `/dumpOSC`, `/notify/levels` and `/record/...` themselves are not found by patterns. Of these answers (`/clock/pong` and `/get`) one datagram gets at most 64.

`/dumpOSC 1` has the engine print what arrives into its log (on a box the journal), until `/dumpOSC 0` or its end: 100 lines
at once and 50 a second. What is left out is told with the next line and counted in `network.dump_left_out`.
";
