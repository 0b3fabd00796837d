//! Where time comes from, so that tests can move it.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use std::time::{SystemTime, UNIX_EPOCH};

/// A source of wall-clock time.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// The machine's clock set wrong by so many milliseconds.
    Wrong(Arc<AtomicI64>),
    /// A clock that shows what it was last set to, in milliseconds since 1970-01-01 UTC.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A manual clock showing `now_ms`, and the handle that moves it.
    #[must_use]
    pub fn manual(now_ms: i64) -> (Self, Arc<AtomicI64>) {
        let handle = Arc::new(AtomicI64::new(now_ms));
        (Self::Manual(Arc::clone(&handle)), handle)
    }

    /// The machine's clock, wrong by `by_ms`, and the handle that sets it.
    #[must_use]
    pub fn wrong(by_ms: i64) -> (Self, Arc<AtomicI64>) {
        let handle = Arc::new(AtomicI64::new(by_ms));
        (Self::Wrong(Arc::clone(&handle)), handle)
    }

    /// Milliseconds since 1970-01-01 UTC.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        match self {
            Self::System => machine_ms(),
            Self::Wrong(by) => machine_ms().saturating_add(by.load(Ordering::SeqCst)),
            Self::Manual(handle) => handle.load(Ordering::SeqCst),
        }
    }
}

fn machine_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|elapsed| i64::try_from(elapsed.as_millis()).ok())
        .unwrap_or_default()
}
