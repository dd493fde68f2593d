//! Help that teaches.

/// What there is.
pub const OVERVIEW: &str = "\
Chronus: a synthesizer that keeps playing. Two workers render the same sound; kill one and nothing is heard.

  chronus run                      start the engine: OSC on port 5005, sound on the default card
  chronus send /test               play a note (440 Hz)
  chronus send /mod/sine/freq 220  turn a knob
  chronus send /gate/adsr 0        let the note go
  chronus status                   how it is doing, and the process ids of the workers
  kill -9 PID                      try it

Commands:
  run       play, live or from a score, to a sound card or into a WAV file       (chronus run --help)
  render    a score into a WAV file, as fast as possible, without workers        (chronus render --help)
  send      one OSC message to a running engine, and print its answer            (chronus send --help)
  status    the counters of a running engine                                     (chronus status --help)
  controls  its knobs and buttons, live: to check the wiring                     (chronus controls --help)
  record    what is being played, or what was played until now, into a WAV file  (chronus record --help)
  --version, --help

Commands of the box:
  selftest      what the machine should be, what it is, and what does not hold   (chronus selftest --help)
  jig           walks a builder through light, tone and controls: PASS or what fails (chronus jig --help)
  tune          sets what of it can be set while the kernel runs                 (chronus tune --help)
  check-config  what is wrong with chronus.toml                                  (chronus check-config --help)
  apply-config  makes of it what the parts of the box read                       (chronus apply-config --help)
  keep-learned  makes of what a control has learned the new chronus.toml         (chronus keep-learned --help)

All addresses, ranges and replies are in PROTOCOL.md.
Exit codes: 0 good, 1 failed at its work, 2 wrong usage.
";

const RUN: &str = "\
chronus run [OPTION...]: the engine.

  --sink SINK        where the sound goes (default: auto)
                       auto            the sound server where there is one; else the best sound card: on a Pi's pins,
                                       at USB, built in, never HDMI (`chronus status` says which and why); with
                                       --real-time require one is waited for, else without any as paced
                       alsa[:PCM]      an ALSA device: alsa, alsa:hw:0, alsa:plughw:1,0 (`aplay -L` lists them);
                                       one that is busy, absent or pulled out is taken when it is there
                       paced[:OUT.wav] no sound card: a timer at the real rate, into a WAV file if named
                       free:OUT.wav    as fast as possible, into a WAV file
  --osc ADDR:PORT    where OSC is taken (default: 0.0.0.0:5005; port 0 for any free one; off for none)
  --osc-query ADDR:PORT
                     where programs ask what can be sent (OSCQuery: HTTP and WebSockets), to build a panel by themselves
                     (default: as OSC, one port above: 0.0.0.0:5006; port 0 for any free one; off for nowhere)
  --score FILE       play this score (the format of scsynth -N) from block 0 on, and end with it
  --keep-score FILE  keep what is played live as a score: `chronus render FILE OUT.wav` gives the same sound again,
                     up to the ramp at the end. If the rate was not 48000, render needs the same --rate
  --patch FILE       keep the values of all parameters there, a second after they last changed, and set them again at
                     the next start (not with --score, which is to sound the same every time)
  --recordings FOLDER
                     where `chronus record` puts its WAV files; without it nothing can be recorded
  --recording-format F
                     24 (default: integers of 24 bits) or float (32 bits, bit for bit what was played)
  --led LIGHT        what says how it goes: gpio:N (a pin of a Raspberry Pi), led:NAME (/sys/class/leds/NAME), off
                     (default); TROUBLESHOOTING.md has its patterns, `chronus status` the same in words
  --seconds S        end after S seconds          --blocks N   end after N blocks of 256 frames
  --rate HZ          44100, 48000 or 96000 (default: 48000, or what the card has if it has not that)
  --lead N           blocks rendered ahead, 1 to 4 (default 2). Each adds one block (5.3 ms at 48 kHz) of latency and
                     as much time for the workers to be late without being heard
  --periods N        periods in the sound card's buffer, 2 (default) to 4
  --workers N        2 (default); 1 for comparison: then a hang is heard (kill -STOP PID)
  --real-time MODE   auto (default: a refusal is a warning), require (a refusal is fatal), off
  --cores A,S0,S1    cores of the audio thread and the two workers (default with 4 or more cores: 1,2,3)
  --config FILE      the same options as TOML: [engine] sink, rate, lead, workers, periods, real_time, cores,
                     patch, recordings, recording_format; [osc] listen, query; [led] status; [[control]]: knobs and buttons on a Raspberry Pi's pins, each
                     explained in board/common/chronus.toml. The command line wins

Ctrl-C or SIGTERM ends it: the sound is ramped down, the workers end, the WAV file is whole.
CHRONUS_LOG=debug shows more.
";

const RENDER: &str = "\
chronus render SCORE OUT.wav [--blocks N | --seconds S] [--rate HZ]

Renders a score into a WAV file (32-bit float, stereo) in one process, as fast as it can: the reference that
`chronus run --score SCORE` equals bit for bit, whatever is killed meanwhile.
A score is what scsynth -N renders from: for each bundle a big-endian 32-bit byte count and an OSC bundle with a
time tag counted from 0. It ends with its last time tag, rounded up to a block; --blocks or --seconds say otherwise.
--rate HZ is 48000 unless said otherwise, and has to be said for a score kept (--keep-score) at another rate.
";

const SEND: &str = "\
chronus send [ADDR:PORT] ADDRESS [ARGUMENT...]

Sends one OSC message (default: to 127.0.0.1:5005) and prints what comes back. Exit code 1 if that is an error.
Numbers, true and false are recognised; s:TEXT, i:5, f:5, d:5, h:5 force a type.

  chronus send /test                        a note to start with
  chronus send /mod/filter/cutoff 400       any parameter: /mod/MODULE/NAME
  chronus send '/mod/*/gain' 0.1            patterns as in OSC 1.0 (quote them)
  chronus send /gate/adsr 0
  chronus send 192.168.1.20:5005 /version   another machine
";

const STATUS: &str = "\
chronus status [--all | --json] [ADDR:PORT]

Asks a running engine (default: 127.0.0.1:5005) how it is doing: first whether all is well, then the workers and
their process ids, the sound card, commands, and what happened since the start. --all prints every counter
(PROTOCOL.md explains each), --json the same for programs.
";

const RECORD: &str = "\
chronus record start [NAME] | stop | status | keep MINUTES [NAME]   [--server ADDR:PORT]

Records what a running engine plays (default: 127.0.0.1:5005) into WAV files, in the folder that it was started with
(chronus run --recordings FOLDER; on a box /data/recordings).

  start [NAME]         from now on, into NAME.wav; without a name into the day's next number, 2026-05-01-001.wav
  stop                 ends it
  status               what is being recorded, and how far back `keep` reaches
  keep MINUTES [NAME]  what was played in the last minutes (30 at most), though nobody recorded it: it is rendered again
                       from the commands, the same to the bit, and so takes a while

A name has letters, digits, spaces and - _ . and is no path. What is there is never overwritten. A file larger than 4 GiB
is a RF64 file, which programs for sound read. A file is whole at any time but for its last two seconds, also if the power
is cut. If the disk is full the recording ends, and the music goes on.
";

const CONTROLS: &str = "\
chronus controls [--json] [ADDR:PORT]

Shows the knobs, buttons and switches of a running engine (default: 127.0.0.1:5005), anew whenever one of them is moved,
until Ctrl-C: what each is for, its value, how often it was moved, how many edges its pins had, how many of them were
lost. Turn each knob slowly by one detent each way: right and left count one each. If they count two, its resolution is
half; if they count none at every second detent, too; if they are the wrong way round, exchange its two pins. --json
prints it once, for programs.

To bind a control: chronus send /controls/learn /mod/filter/q  and move it. It is written into the configuration file.
";

const SELFTEST: &str = "\
chronus selftest [--json]

Shows what a box should be, for sound that is never late, and what this machine is: kernel, cores, interrupts, clock,
radio, file systems, and the rights of a running engine. It changes nothing. As root it sees all; else some lines may be
not known. Exit code 0 if all that applies holds, 1 otherwise. --json prints it for programs.
";

const JIG: &str = "\
chronus jig [ADDR:PORT]

For whoever has built a box: walks through the light, a test tone and each knob, button and switch, says what should be
seen, heard or done, asks whether it was, and compares what the controls have counted. Ends with PASS, or with FAIL and what to look at. It asks the running engine (default: 127.0.0.1:5005), so
it may run on a laptop beside the box. The tone sets sine.freq and sine.gain. Exit code 0 for PASS, 1 for FAIL.
";

const TUNE: &str = "\
chronus tune

Sets what of the selftest's conditions can be set while the kernel runs: irqaffinity, governor, rt_throttling,
fair_server, interrupt_threads. Says only what could not be set. It may be run again at any time, and has to be after a
sound card was plugged in. Needs root. Exit code 0 if all of these hold or do not apply, 1 otherwise.
";

const CHECK_CONFIG: &str = "\
chronus check-config FILE

Reads chronus.toml, the file on the card of a box, as the box does at its start, and says what is wrong with it: line,
reason, and what would be right. It writes nothing. Exit code 0 if nothing is wrong, 1 if something is.
";

const APPLY_CONFIG: &str = "\
chronus apply-config FILE --into FOLDER

Says the same as check-config, and writes into FOLDER, each file at once or not at all:

  engine.toml      what `chronus run --config` takes: [engine], [osc], [led] and each [[control]], over a box's
                   own defaults
  name             the box's name in the network: [box] name, else by its serial number, such as chronus-1a2b
  hat              lines for the firmware: the sound card on the pins, [audio] hat, and the light, [led] status; none,
                   so that both stay as they are, if hat is missing in a FILE with mistakes
  authorized_keys  who may log in: [ssh] keys; empty if nobody may
  osc.dnssd        how it is found by programs that look for OSC in the network, for systemd-resolved; none if OSC is
                   off
  oscjson.dnssd    the same for programs that ask by OSCQuery what can be sent
  status.txt       what was found, for a person

The rest is written whatever is in FILE, and also if there is none: an unknown key is left out, and so is a wrong SSH key;
any other wrong value costs its section or its control, a file that cannot be understood costs all settings. Exit code 0 if
nothing is wrong, 1 if something is.
";

const KEEP_LEARNED: &str = "\
chronus keep-learned LEFT --file FILE --into FOLDER

For the box's service of that name, as root: takes away LEFT, in which the engine has left what a control is for since
/controls/learn, and writes into FOLDER learned.toml, the whole new text of FILE (chronus.toml), and the same into
engine.toml there. LEFT is distrusted: it may say what one control of FILE is for, and nothing else. What became of it is in
FOLDER, in the file learned. FILE is not written. Exit code 0 if there is a new text, 1 and why if not.
";

/// The help of a command; `None` if there is no such command.
pub fn help_text(command: &str) -> Option<&'static str> {
    match command {
        "run" => Some(RUN),
        "render" => Some(RENDER),
        "send" => Some(SEND),
        "status" => Some(STATUS),
        "controls" => Some(CONTROLS),
        "record" => Some(RECORD),
        "selftest" => Some(SELFTEST),
        "jig" => Some(JIG),
        "tune" => Some(TUNE),
        "check-config" => Some(CHECK_CONFIG),
        "apply-config" => Some(APPLY_CONFIG),
        "keep-learned" => Some(KEEP_LEARNED),
        _ => None,
    }
}
