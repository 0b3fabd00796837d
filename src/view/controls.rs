//! Where the controls of the screen are, for a pointer from outside.

use kiosk_ui::ControlsAdapter;
use slint::ComponentHandle;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

/// Something on the screen that can be touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// Its words, in the language on the screen.
    pub label: String,
    /// The middle of its visible part, from the window's upper left corner, in
    /// physical pixels.
    pub middle_px: (i32, i32),
    /// Whether a touch does something.
    pub enabled: bool,
}

/// Asks the counter's window from another thread. `None` when there is no
/// window yet, or it does not answer in time.
pub fn ask(patience: Duration) -> Option<Vec<Control>> {
    let (tell, told) = channel();
    slint::invoke_from_event_loop(move || collect(tell)).ok()?;
    told.recv_timeout(patience).ok()
}

/// Collects what the controls answer. Runs in the event loop.
fn collect(tell: Sender<Vec<Control>>) {
    let Some(ui) = super::counter::window() else {
        return;
    };
    let found = Rc::new(RefCell::new(Vec::new()));
    let adapter = ui.global::<ControlsAdapter>();
    let (answers, window) = (found.clone(), ui.as_weak());
    adapter.on_here(move |label, at, width, height, enabled| {
        let Some(ui) = window.upgrade() else {
            return;
        };
        let size = ui.window().size().to_logical(ui.window().scale_factor());
        let across = middle(at.x, width, size.width);
        let down = middle(at.y, height, size.height);
        if let (Some(x), Some(y)) = (across, down) {
            let scale = ui.window().scale_factor();
            answers.borrow_mut().push(Control {
                label: label.into(),
                middle_px: ((x * scale) as i32, (y * scale) as i32),
                enabled,
            });
        }
    });
    adapter.set_question(adapter.get_question().wrapping_add(1));
    // The controls answer now, not with the next frame.
    slint::platform::update_timers_and_animations();
    // Whoever asked may have stopped waiting.
    let _ = tell.send(found.take());
}

/// Middle of what is visible of a side from `start`, `length` long, in a window
/// of this extent; `None` when nothing is.
fn middle(start: f32, length: f32, extent: f32) -> Option<f32> {
    let (from, to) = (start.max(0.), (start + length).min(extent));
    (to - from >= 1.).then_some((from + to) / 2.)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_that_of_the_visible_part() {
        // Proves that a pointer is never sent outside of the window or of the control.
        assert_eq!(middle(10., 20., 100.), Some(20.));
        assert_eq!(middle(-30., 40., 100.), Some(5.));
        assert_eq!(middle(90., 40., 100.), Some(95.));
        assert_eq!(middle(100., 40., 100.), None);
        assert_eq!(middle(-40., 40., 100.), None);
    }
}
