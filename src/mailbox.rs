//! The one queue into the UI loop.
//!
//! Every thread posts here; the UI loop takes what has come and handles it one
//! by one. The queue is bounded: a full queue makes the posting thread wait
//! (device and store threads may wait, the UI thread never posts).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

/// Events that may wait for the UI loop.
const EVENTS_MAX: usize = 1024;

type Wake = Arc<dyn Fn() + Send + Sync>;

/// The posting end; cheap to clone, one for every thread.
pub struct Mailbox<T> {
    sender: SyncSender<T>,
    pending: Arc<AtomicBool>,
    wake: Wake,
}

impl<T> Clone for Mailbox<T> {
    fn clone(&self) -> Self {
        Self {
            sender: self.sender.clone(),
            pending: self.pending.clone(),
            wake: self.wake.clone(),
        }
    }
}

/// The taking end, owned by the UI loop.
pub struct Inbox<T> {
    receiver: Receiver<T>,
    pending: Arc<AtomicBool>,
}

/// A mailbox whose `wake` is called once whenever an empty queue got something.
pub fn mailbox<T>(wake: impl Fn() + Send + Sync + 'static) -> (Mailbox<T>, Inbox<T>) {
    let (sender, receiver) = sync_channel(EVENTS_MAX);
    let pending = Arc::new(AtomicBool::new(false));
    let mailbox = Mailbox {
        sender,
        pending: pending.clone(),
        wake: Arc::new(wake),
    };
    (mailbox, Inbox { receiver, pending })
}

impl<T> Mailbox<T> {
    /// Posts an event. `false` when the UI loop has ended.
    pub fn post(&self, event: T) -> bool {
        if self.sender.send(event).is_err() {
            return false;
        }
        if !self.pending.swap(true, Ordering::AcqRel) {
            (self.wake)();
        }
        true
    }
}

impl<T: Send + 'static> Mailbox<T> {
    /// Posts without ever waiting, for the UI thread itself: a thread of its
    /// own waits in its place when the queue is full.
    pub fn post_soon(&self, event: T) {
        match self.sender.try_send(event) {
            Ok(()) => {
                if !self.pending.swap(true, Ordering::AcqRel) {
                    (self.wake)();
                }
            }
            Err(TrySendError::Full(event)) => {
                let mailbox = self.clone();
                std::thread::spawn(move || mailbox.post(event));
            }
            Err(TrySendError::Disconnected(_)) => {}
        }
    }
}

impl<T> Inbox<T> {
    /// The next event, if one has come. Call until `None` after each wake.
    pub fn take(&self) -> Option<T> {
        if let Ok(event) = self.receiver.try_recv() {
            return Some(event);
        }
        // Only now may a poster wake us again; look once more, in case one
        // posted between the empty look and the reset.
        self.pending.store(false, Ordering::Release);
        self.receiver.try_recv().ok()
    }

    /// The next event, waiting for it up to `timeout`. For loops without a
    /// window: tests and the bench.
    pub fn wait(&self, timeout: std::time::Duration) -> Option<T> {
        self.take()
            .or_else(|| self.receiver.recv_timeout(timeout).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn nothing_is_lost_and_wakes_are_few() {
        // Proves that every event arrives in order and an awake loop is not woken again.
        let wakes = Arc::new(AtomicUsize::new(0));
        let counter = wakes.clone();
        let (mailbox, inbox) = mailbox(move || {
            counter.fetch_add(1, Ordering::SeqCst);
        });
        for n in 0..100 {
            assert!(mailbox.post(n));
        }
        assert_eq!(wakes.load(Ordering::SeqCst), 1);
        let taken: Vec<i32> = std::iter::from_fn(|| inbox.take()).collect();
        assert_eq!(taken, (0..100).collect::<Vec<_>>());
        mailbox.post(1);
        assert_eq!(wakes.load(Ordering::SeqCst), 2);
        drop(inbox);
        assert!(!mailbox.post(2));
    }
}
