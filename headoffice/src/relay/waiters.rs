//! Long polls: a bounded number of questions held open, each woken the moment its order changes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// Questions held open at once; the next is told to come back.
pub const WAITERS_MAX: usize = 512;

#[derive(Debug, Default)]
struct Inner {
    orders: HashMap<String, (watch::Sender<u64>, usize)>,
    waiting: usize,
}

/// Everybody who waits for news.
#[derive(Debug, Default, Clone)]
pub struct Waiters {
    inner: Arc<Mutex<Inner>>,
}

/// One who waits. Dropping it stops waiting.
#[derive(Debug)]
pub struct Waiting {
    order: String,
    news: watch::Receiver<u64>,
    inner: Arc<Mutex<Inner>>,
}

impl Waiters {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }

    /// Begins to wait for news of an order; `None` at the limit. Look at the order after this, not before: news
    /// between the two would be lost.
    #[must_use]
    pub fn begin(&self, order: &str) -> Option<Waiting> {
        let mut inner = self.lock();
        if inner.waiting >= WAITERS_MAX {
            return None;
        }
        inner.waiting += 1;
        let entry = inner.orders.entry(order.to_owned());
        let (sender, count) = entry.or_insert_with(|| (watch::Sender::new(0), 0));
        *count += 1;
        Some(Waiting {
            order: order.to_owned(),
            news: sender.subscribe(),
            inner: Arc::clone(&self.inner),
        })
    }

    /// Wakes everybody who waits for this order.
    pub fn wake(&self, order: &str) {
        if let Some((sender, _)) = self.lock().orders.get(order) {
            sender.send_modify(|version| *version = version.wrapping_add(1));
        }
    }

    /// How many wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.lock().waiting
    }
}

impl Waiting {
    /// Returns at the next news since it began, or since it last returned.
    pub async fn news(&mut self) {
        // The sender lives as long as anybody waits.
        let _ = self.news.changed().await;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut inner = lock(&self.inner);
        inner.waiting = inner.waiting.saturating_sub(1);
        if let Some((_, count)) = inner.orders.get_mut(&self.order) {
            *count -= 1;
            if *count == 0 {
                inner.orders.remove(&self.order);
            }
        }
    }
}

/// Every change is one assignment: a panic elsewhere leaves it whole.
fn lock(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_number_of_waiters_is_bounded_and_given_back() {
        // Proves that the limit refuses, that a finished wait makes room, and that nothing is kept afterwards.
        let waiters = Waiters::default();
        let mut held: Vec<Waiting> = (0..WAITERS_MAX)
            .map(|number| waiters.begin(&format!("O{}", number % 7)).unwrap())
            .collect();
        assert!(waiters.begin("O1").is_none());
        held.pop();
        assert!(waiters.begin("O1").is_some());
        held.clear();
        assert_eq!(waiters.waiting(), 0);
        assert!(waiters.lock().orders.is_empty());
    }

    #[tokio::test]
    async fn news_between_beginning_and_waiting_is_not_lost() {
        // Proves that a wake after `begin` is seen by a later `news`, and that other orders do not wake it.
        let waiters = Waiters::default();
        let mut mine = waiters.begin("A").unwrap();
        waiters.wake("A");
        mine.news().await;
        waiters.wake("B");
        let second = tokio::time::timeout(std::time::Duration::from_millis(1), mine.news());
        assert!(second.await.is_err());
    }
}
