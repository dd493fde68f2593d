//! The page's part on OSC over TCP.

use crate::input::{MAX_DATAGRAM_BYTES, STREAM_PLACES};

/// In Markdown.
pub fn streams() -> String {
    [("{connections}", STREAM_PLACES.all), ("{host}", STREAM_PLACES.of_a_host), ("{bytes}", MAX_DATAGRAM_BYTES)]
        .into_iter()
        .fold(STREAMS.to_string(), |text, (place, number)| text.replace(place, &number.to_string()))
}

const STREAMS: &str = "\
## TCP

What is said on this page of a datagram holds for a packet, a message or a bundle, that comes by a TCP connection. In the
stream packets follow each other in one of two ways, told apart by the first byte of the connection; replies come in the
same way.

| first byte | framing |
|---|---|
| 0xC0 | SLIP (OSC 1.1): END, the packet, END; RFC 1055 |
| any other | the size of the packet as a big-endian int32, the packet (OSC 1.0) |

- A packet has at most {bytes} bytes. After a larger one, or one that is not framed so, the connection gets an `/error`
  (`oversized` or `malformed`) and is closed; what was whole before that has been taken.
- There are at most {connections} connections, {host} of a host. Whoever comes on top gets the error `full` and is closed.
- A connection is a sender, and counts into the limits of its host as its datagrams do. What is dropped is counted in
  `tcp.dropped` and told: `flood`, or `full` if the engine's queue is. Bytes beyond the limit of a sender are not lost but read
  later.
- Whoever does not read replies is closed once some 300 KB wait for it (`tcp.slow`). Who is only quiet stays; who is not there any
  more, cable and all, is closed after a minute and a half. A client that ends its own half gets replies for one more second.
- When the engine is ended, or was killed and goes on, connections end with it, and the next engine listens anew: clients
  connect again. Datagrams that come meanwhile are kept, what is sent by a connection is not. Subscriptions are to be renewed.
- If another program has the TCP port the engine says so in its log and takes OSC over UDP alone.
";
