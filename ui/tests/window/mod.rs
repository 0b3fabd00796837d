//! A window without a display: real pixels from the software renderer, a mock clock, element queries.

#![allow(dead_code, clippy::unwrap_used)]

use std::path::Path;

use i_slint_backend_testing::{TestingBackend, TestingBackendOptions, mock_elapsed_time};
use kiosk_ui::{AccessAdapter, MainWindow};
use slint::{ComponentHandle, PhysicalSize, Rgba8Pixel, SharedPixelBuffer};

use crate::sample::{self, CASES, Case};

/// A screen size a kiosk has.
#[derive(Clone, Copy)]
pub struct Size {
    pub name: &'static str,
    pub width: u32,
    pub height: u32,
}

pub const SIZES: [Size; 3] = [
    Size {
        name: "portrait",
        width: 1080,
        height: 1920,
    },
    Size {
        name: "landscape",
        width: 1920,
        height: 1080,
    },
    Size {
        name: "small",
        width: 1280,
        height: 800,
    },
];

/// How the shopper asked the screen to be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Look {
    Normal,
    Large,
    Contrast,
    Reach,
}

/// One picture to draw.
#[derive(Clone, Copy)]
pub struct Picture {
    pub case: &'static Case,
    pub language: &'static str,
    pub size: Size,
    pub look: Look,
}

impl Picture {
    pub fn name(&self) -> String {
        let look = match self.look {
            Look::Normal => "",
            Look::Large => "-large",
            Look::Contrast => "-contrast",
            Look::Reach => "-reach",
        };
        format!(
            "{}{look}-{}-{}",
            self.case.name, self.size.name, self.language
        )
    }
}

/// Every screen in both languages and three sizes, and the key screens in every look.
pub fn pictures() -> Vec<Picture> {
    let mut all = Vec::new();
    for case in CASES {
        for size in SIZES {
            for language in ["vi", "en"] {
                all.push(Picture {
                    case,
                    language,
                    size,
                    look: Look::Normal,
                });
            }
        }
        if case.key {
            for look in [Look::Large, Look::Contrast, Look::Reach] {
                all.push(Picture {
                    case,
                    language: "vi",
                    size: SIZES[0],
                    look,
                });
            }
        }
    }
    all
}

/// Makes this thread's window.
pub fn open() -> MainWindow {
    slint::platform::set_platform(Box::new(TestingBackend::new(TestingBackendOptions {
        mock_time: true,
        threading: false,
        renderer_name: Some("software".into()),
    })))
    .expect("one platform for this thread");
    let window = MainWindow::new().expect("the window opens without a display");
    window.show().expect("the window shows without a display");
    window
}

/// Brings the window into the state of `picture`, from the same start every time.
pub fn arrange(window: &MainWindow, picture: &Picture) {
    window
        .window()
        .set_size(PhysicalSize::new(picture.size.width, picture.size.height));
    reset(window);
    sample::fill(window, picture.language);
    let access = window.global::<AccessAdapter>();
    access.set_large_text(picture.look == Look::Large);
    access.set_high_contrast(picture.look == Look::Contrast);
    access.set_reach(picture.look == Look::Reach);
    (picture.case.set)(window);
    window.set_screen(picture.case.screen);
    // Change handlers (the window's size among them) run when time passes; twice, for what follows from what.
    mock_elapsed_time(std::time::Duration::from_millis(20));
    mock_elapsed_time(std::time::Duration::from_millis(20));
}

/// Undoes what single cases set and `sample::fill` does not.
fn reset(window: &MainWindow) {
    use kiosk_ui::*;
    window.set_screen(Screen::Starting);
    let attract = window.global::<AttractAdapter>();
    attract.set_can_resume(false);
    attract.set_service_line("".into());
    let shop = window.global::<ShopAdapter>();
    shop.set_notice(Notice::default());
    shop.set_searching(false);
    shop.set_search_text("".into());
    shop.set_weigh_phase(WeighPhase::Closed);
    let out = window.global::<OutOfOrderAdapter>();
    out.set_alone(false);
    out.set_detail("".into());
    out.set_technical("".into());
    let staff = window.global::<StaffAdapter>();
    staff.set_weight_waiting(false);
    staff.set_message("".into());
    staff.set_asks_to_close(false);
    staff.set_weight_problem(WeightProblem::None);
    let coupon = window.global::<CouponAdapter>();
    coupon.set_open(false);
    coupon.set_problem(CouponProblem::None);
    window
        .global::<PayAdapter>()
        .set_tenders(sample::model(Vec::new()));
    window.global::<QrAdapter>().set_phase(QrPhase::Waiting);
    window.global::<CashAdapter>().set_phase(CashPhase::Waiting);
    window.global::<PaidAdapter>().set_e_receipt_open(false);
    window.global::<AgeAdapter>().set_phase(AgePhase::Waiting);
}

/// The picture's pixels.
pub fn draw(window: &MainWindow, picture: &Picture) -> SharedPixelBuffer<Rgba8Pixel> {
    arrange(window, picture);
    window
        .window()
        .take_snapshot()
        .expect("the software renderer draws")
}

/// Writes RGBA bytes as a PNG without alpha.
pub fn write_png(path: &Path, width: u32, height: u32, rgba: &[u8]) {
    let file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    let mut encoder = png::Encoder::new(file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::Up);
    let rgb: Vec<u8> = rgba
        .chunks_exact(4)
        .flat_map(|pixel| [pixel[0], pixel[1], pixel[2]])
        .collect();
    encoder
        .write_header()
        .unwrap()
        .write_image_data(&rgb)
        .unwrap();
}
