//! The sound.
#![no_std]
#![forbid(unsafe_code)]
