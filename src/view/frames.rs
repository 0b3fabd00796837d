//! Frames at once.
//!
//! Under X11 Slint draws what changed one refresh of the monitor after it changed, counted by a timer of its own: at
//! 60 Hz an answer to a finger comes 16 ms later than it could. A kiosk changes the screen a few times for each touch,
//! so nothing is gained by waiting; the window is asked to draw as soon as the event that changed it is over.
//! Straight on a display controller (`kms`) the page flip sets the pace and nothing is needed here.

#[cfg(feature = "desktop")]
use i_slint_backend_winit::winit::event::{TouchPhase, WindowEvent};
#[cfg(feature = "desktop")]
use i_slint_backend_winit::{EventResult, WinitWindowAccessor};

/// Draws what changed once the running event is over. Without a change nothing is drawn.
#[cfg(feature = "desktop")]
pub fn draw_soon(window: &slint::Window) {
    window.with_winit_window(|window| window.request_redraw());
}

/// Draws what changed once the running event is over.
#[cfg(not(feature = "desktop"))]
pub fn draw_soon(_window: &slint::Window) {}

/// Makes every touch of `window` be answered by a frame of its own.
#[cfg(feature = "desktop")]
pub fn answer_touches(window: &slint::Window) {
    window.on_winit_window_event(|window, event| {
        // Moves keep the monitor's pace: there are more of them than frames.
        let answered = match event {
            WindowEvent::MouseInput { .. } => true,
            WindowEvent::Touch(touch) => touch.phase != TouchPhase::Moved,
            _ => false,
        };
        if answered {
            // The window system calls back for it after this event.
            draw_soon(window);
        }
        EventResult::Propagate
    });
}

/// Makes every touch of `window` be answered by a frame of its own.
#[cfg(not(feature = "desktop"))]
pub fn answer_touches(_window: &slint::Window) {}
