//! A screen nobody touches draws nothing: no caret, no endless motion.

#![allow(clippy::unwrap_used)]

mod sample;

use std::rc::Rc;
use std::time::Duration;

use kiosk_ui::MainWindow;
use slint::platform::software_renderer::{
    MinimalSoftwareWindow, PremultipliedRgbaColor, RepaintBufferType,
};
use slint::platform::{Platform, PlatformError, WindowAdapter};
use slint::{ComponentHandle as _, PhysicalSize};

struct Still {
    window: Rc<MinimalSoftwareWindow>,
    now: Rc<std::cell::Cell<Duration>>,
}

impl Platform for Still {
    fn create_window_adapter(&self) -> Result<Rc<dyn WindowAdapter>, PlatformError> {
        Ok(self.window.clone())
    }

    fn duration_since_start(&self) -> Duration {
        self.now.get()
    }
}

// Proves that every screen, once drawn, asks for no frame in the following minute.
#[test]
fn an_untouched_screen_draws_nothing() {
    const WIDTH: u32 = 540;
    const HEIGHT: u32 = 960;
    let adapter = MinimalSoftwareWindow::new(RepaintBufferType::ReusedBuffer);
    let now = Rc::new(std::cell::Cell::new(Duration::from_secs(1)));
    slint::platform::set_platform(Box::new(Still {
        window: adapter.clone(),
        now: now.clone(),
    }))
    .unwrap();
    let window = MainWindow::new().unwrap();
    adapter.set_size(PhysicalSize::new(WIDTH, HEIGHT));
    window.show().unwrap();
    let mut pixels = vec![PremultipliedRgbaColor::default(); (WIDTH * HEIGHT) as usize];
    let mut draw = || {
        slint::platform::update_timers_and_animations();
        adapter.draw_if_needed(|renderer| {
            renderer.render(&mut pixels, WIDTH as usize);
        })
    };
    for case in sample::CASES {
        sample::fill(&window, "vi");
        (case.set)(&window);
        window.set_screen(case.screen);
        // The first frames settle the layout; then there must be silence.
        for _ in 0..3 {
            now.set(now.get() + Duration::from_millis(16));
            draw();
        }
        for _ in 0..60 {
            now.set(now.get() + Duration::from_secs(1));
            assert!(!draw(), "{} drew a frame nobody asked for", case.name);
        }
    }
}
