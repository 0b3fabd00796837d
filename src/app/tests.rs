//! The loop body with a real store and no devices.

use super::*;
use crate::assemble::assemble;
use crate::mailbox::{Inbox, mailbox};

/// An app on a disk of its own, at the attract screen.
struct Bench {
    app: App,
    inbox: Inbox<AppEvent>,
    store_thread: std::thread::JoinHandle<()>,
    _dir: tempfile::TempDir,
}

impl Bench {
    fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = crate::testing::configuration();
        config.file.store.dir = dir.path().to_path_buf();
        config.file.scanner = None;
        config.file.printer = None;
        config.file.terminal = None;
        config.file.bank = None;
        let (post, inbox) = mailbox(|| {});
        let kiosk = assemble(&config, &post).unwrap();
        let mut app = kiosk.app;
        app.start();
        Self {
            app,
            inbox,
            store_thread: kiosk.store_thread,
            _dir: dir,
        }
    }

    fn close(self) {
        drop(self.inbox);
        drop(self.app);
        self.store_thread.join().unwrap();
    }
}

#[test]
fn a_spent_wake_time_is_not_armed_again() {
    // Proves that a wake time that has come is forgotten unless the till names a new one, and that one ahead is kept.
    let mut bench = Bench::open();
    let now = bench.app.clock.now().mono_ms;
    for spent in [0, now] {
        bench.app.wake_at_mono_ms = Some(spent);
        bench.app.timer();
        let next = bench.app.wake_at_mono_ms();
        assert!(
            next.is_none_or(|at| at > now),
            "{next:?} has come already, at {now}"
        );
    }
    bench.app.handle(AppEvent::Till(Event::Start));
    let idle = bench.app.wake_at_mono_ms().expect("a visit has a limit");
    assert!(idle > now);
    bench.app.timer();
    assert_eq!(bench.app.wake_at_mono_ms(), Some(idle), "kept, not moved");
    bench.close();
}

#[test]
fn two_kiosks_fresh_from_the_box_give_different_visit_ids() {
    // Proves that the seed of visit ids comes from neither the clock nor the disk.
    let id = |bench: &mut Bench| {
        bench.app.handle(AppEvent::Till(Event::Start));
        let visit = bench.app.till.state().visit.clone();
        visit.expect("a visit has begun").id
    };
    let (mut first, mut second) = (Bench::open(), Bench::open());
    assert_ne!(id(&mut first), id(&mut second));
    first.close();
    second.close();
}
