//! Ctrl-C and SIGTERM, for commands that have something to put away.

use anyhow::Result;
use tokio::signal::unix::{SignalKind, signal};

/// Calls `act` on a thread of its own when this program is asked to end.
///
/// # Errors
/// When the system has no more threads, or refuses the signals.
pub(super) fn on_end(act: impl FnOnce() + Send + 'static) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        )
    };
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
            });
            act();
        })?;
    Ok(())
}
