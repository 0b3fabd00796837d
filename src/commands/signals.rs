//! Ctrl-C and SIGTERM, for commands that have something to put away, and SIGPIPE for those that
//! have not.

use anyhow::Result;
use nix::sys::signal::{SigHandler, Signal};
use tokio::signal::unix::{SignalKind, signal};

/// From now on this program ends quietly when nobody reads its output any more, as programs on a
/// command line do. Rust ignores the signal otherwise, and the next line would be a panic.
///
/// # Errors
/// When the system refuses it.
pub(super) fn end_with_the_reader() -> Result<()> {
    // SAFETY: the default action runs no code of this program.
    unsafe { nix::sys::signal::signal(Signal::SIGPIPE, SigHandler::SigDfl) }?;
    Ok(())
}

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
