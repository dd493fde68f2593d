//! What became of OSCQuery.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;

/// Counts, and where it is asked.
#[derive(Default)]
pub struct QueryCounters {
    /// Where it is asked; empty where it is off.
    pub address: OnceLock<SocketAddr>,
    /// Connections now.
    pub open: AtomicU64,
    /// WebSockets of these.
    pub sockets: AtomicU64,
    /// Connections that were taken.
    pub accepted: AtomicU64,
    /// Connections that were refused: too many.
    pub refused: AtomicU64,
    /// Requests that were answered.
    pub requests: AtomicU64,
    /// Closed because their clients did not read, or sent too slowly.
    pub slow: AtomicU64,
    /// Closed because what came was no request, or no WebSocket.
    pub broken: AtomicU64,
    /// Requests and messages that were too many.
    pub dropped: AtomicU64,
}
