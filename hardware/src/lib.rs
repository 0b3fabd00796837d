//! The devices of the counter: receipt printer, card terminal, scanner, scale, drawer.
//!
//! Each device has three parts: a pure protocol codec, a driver (a state machine without
//! input or output, and a thread around it) and a simulator the unmodified driver talks to.

pub mod port;
pub mod printer;
pub mod scanner;
pub mod terminal;
