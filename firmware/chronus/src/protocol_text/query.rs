//! The page's part on OSCQuery.

use crate::query::{ALL_REQUESTS, MOST_PATHS, QUERY_PLACES, REQUESTS};

/// In Markdown.
pub fn query() -> String {
    [
        ("{connections}", QUERY_PLACES.all as u64),
        ("{host}", QUERY_PLACES.of_a_host as u64),
        ("{paths}", MOST_PATHS as u64),
        ("{burst}", REQUESTS.burst),
        ("{rate}", REQUESTS.per_second),
        ("{all_burst}", ALL_REQUESTS.burst),
        ("{all_rate}", ALL_REQUESTS.per_second),
    ]
    .into_iter()
    .fold(QUERY.to_string(), |text, (place, number)| text.replace(place, &number.to_string()))
}

const QUERY: &str = "\
## OSCQuery

Programs that know nothing of Chronus ask it what can be sent, and build their panel by themselves: by OSCQuery (the proposal
of Vidvox), HTTP and WebSockets at one TCP port, one above that of OSC unless `--osc-query ADDR:PORT` says otherwise. A box
announces it as `_oscjson._tcp` by its own name; a computer with Avahi does with `avahi-publish -s NAME _oscjson._tcp 5006`.

| request | answer |
|---|---|
| `GET /` | the whole tree: every address of this page that there is in the patch as it is, with the modules that are being made |
| `GET /mod/filter` | a node with all below it |
| `GET /mod/filter/q?VALUE` | one attribute of it: `FULL_PATH`, `CONTENTS`, `TYPE`, `ACCESS`, `VALUE`, `RANGE`, `DESCRIPTION`, `UNIT`, `CLIPMODE`, `OVERLOADS` |
| `GET /?HOST_INFO` | where OSC is taken (UDP; TCP at the same port), where WebSockets are, what of the proposal there is |

- A parameter has the type `f`, its range, and `VALUE`; one that chooses has `s` and the names in `VALS`, and takes the
  number too (`OVERLOADS`). A gate has `T`. What needs no argument has `I` and takes none as well. What has no value that could
  be asked for has `ACCESS` 2.
- Values are those that a worker has applied: what was just sent is told some 20 ms later. After `/sync` it is there.
- Statuses: 404 no such address, 400 no such attribute or no HTTP, 204 the node has no such attribute, 405 anything but GET,
  HEAD and OPTIONS, 408 a request that takes longer than 5 seconds to come, 431 one of more than 8 KiB, 426 a WebSocket of another version, 429 too many, 503 too
  many connections. Values are set by OSC only, never by HTTP. Web pages of any origin may read.
- A WebSocket takes `{\"COMMAND\": \"LISTEN\", \"DATA\": \"/mod/filter/q\"}`, and `IGNORE`. What is listened to is told at once and
  then when it has changed, 40 times a second at most, as a binary message that would set it (an OSC message, never a bundle).
  When addresses come or go it is told `PATH_ADDED` and `PATH_REMOVED` for each and then `PATH_CHANGED` `/`; of more than
  {paths} at a time only the last.
- OSC in binary messages is taken and answered as by TCP (see TCP): checked, stamped, charged to its sender. **From a web page
  only if it was loaded from the box itself** (by its address, or by `NAME.local`) or, if the engine is on the same computer,
  from there (`localhost`): else any page that somebody on the network looks at could play. Others get the error `forbidden`
  and may look. Programs that are no browsers send no `Origin` and are not meant by this.
- There are at most {connections} connections, {host} of a host; requests of a host {burst} at once and {rate} a second, of all
  {all_burst} and {all_rate}; bytes as replies to OSC. A connection without a request is closed after 15 seconds, and so is one that
  does not read for so long; a WebSocket stays.
- When the engine is ended, or was killed and goes on, connections end with it: connect again, and `LISTEN` again.
";
