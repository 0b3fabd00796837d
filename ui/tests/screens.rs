//! Every screen, looked at: pictures against references, touch targets, reach, idling, the QR code's own pixels.

#![allow(clippy::unwrap_used)]

mod sample;
mod window;

use std::path::{Path, PathBuf};

use i_slint_backend_testing::{AccessibleRole, ElementHandle, ElementQuery, mock_elapsed_time};
use kiosk_ui::*;
use slint::platform::{PointerEventButton, WindowEvent};
use slint::{ComponentHandle, LogicalPosition, Rgba8Pixel, SharedPixelBuffer};
use window::{Look, Picture, SIZES, Size};

/// Part of the pixels that may differ, in parts per million: glyph edges differ by a bit between processors.
const DIFFERENT_PIXELS_MAX_PPM: usize = 200;
/// How far a channel may be off before a pixel counts as different, of 255.
const CHANNEL_DISTANCE_MAX: u8 = 40;
/// Smallest side of anything that can be touched, in design units.
const TOUCH_MIN_UNITS: f32 = 64.0;

fn references() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/references")
}

/// A half of the size (a third of the largest), each channel to 64 steps: small files that still show every line.
fn reduce(shot: &SharedPixelBuffer<Rgba8Pixel>) -> (u32, u32, Vec<u8>) {
    let by = if shot.width() > 1500 { 3 } else { 2 };
    let (width, height) = (shot.width() / by, shot.height() / by);
    let pixels = shot.as_slice();
    let mut small = Vec::with_capacity((width * height * 4) as usize);
    for y in 0..height {
        for x in 0..width {
            let mut sums = [0u32; 3];
            for at in 0..by * by {
                let (from_x, from_y) = (x * by + at % by, y * by + at / by);
                let pixel = pixels[(from_y * shot.width() + from_x) as usize];
                sums[0] += u32::from(pixel.r);
                sums[1] += u32::from(pixel.g);
                sums[2] += u32::from(pixel.b);
            }
            // To the nearest multiple of four, so that flat fills stay flat and keep their tint.
            small.extend(sums.map(|sum| ((sum / (by * by) + 2) / 4 * 4).min(255) as u8));
            small.push(255);
        }
    }
    (width, height, small)
}

/// Reads an RGB reference; `None` when there is none.
fn read_reference(path: &Path) -> Option<(u32, u32, Vec<u8>)> {
    let file = std::io::BufReader::new(std::fs::File::open(path).ok()?);
    let mut decoder = png::Decoder::new(file);
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let (width, height) = reader.info().size();
    let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut rgb).unwrap();
    Some((width, height, rgb))
}

/// Colours of a reference's palette that are its most frequent ones.
const FREQUENT_COLOURS: usize = 160;

/// Writes a palette of 256 colours and the rest as their nearest: a third of the bytes.
fn write_indexed_png(path: &Path, width: u32, height: u32, rgba: &[u8]) {
    let mut counts = std::collections::BTreeMap::<[u8; 3], usize>::new();
    let colours: Vec<[u8; 3]> = rgba
        .chunks_exact(4)
        .map(|pixel| [pixel[0], pixel[1], pixel[2]])
        .collect();
    for colour in &colours {
        *counts.entry(*colour).or_default() += 1;
    }
    let mut palette: Vec<([u8; 3], usize)> = counts
        .iter()
        .map(|(colour, count)| (*colour, *count))
        .collect();
    palette.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let mut rare = palette.split_off(palette.len().min(FREQUENT_COLOURS));
    let distance = |a: &[u8; 3], b: &[u8; 3]| {
        (0..3)
            .map(|i| u32::from(a[i].abs_diff(b[i])).pow(2))
            .sum::<u32>()
    };
    // The rest of the palette goes to the colours that are worst served by it: no colour ends far from itself.
    while palette.len() < 256 && !rare.is_empty() {
        let served = |colour: &[u8; 3]| {
            palette
                .iter()
                .map(|(known, _)| distance(colour, known))
                .min()
        };
        let worst = (0..rare.len())
            .max_by_key(|index| served(&rare[*index].0))
            .unwrap();
        palette.push(rare.swap_remove(worst));
    }
    let nearest: std::collections::BTreeMap<[u8; 3], u8> = counts
        .keys()
        .map(|colour| {
            let index = (0..palette.len())
                .min_by_key(|index| distance(colour, &palette[*index].0))
                .unwrap();
            (*colour, index as u8)
        })
        .collect();
    let file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    let mut encoder = png::Encoder::new(file, width, height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(
        palette
            .iter()
            .flat_map(|(colour, _)| *colour)
            .collect::<Vec<u8>>(),
    );
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    let indices: Vec<u8> = colours.iter().map(|colour| nearest[colour]).collect();
    encoder
        .write_header()
        .unwrap()
        .write_image_data(&indices)
        .unwrap();
}

/// Compares `wanted` pictures with their references and names every one that differs.
fn check_references(wanted: impl Fn(&Picture) -> bool) {
    let update = std::env::var_os("KIOSK_UPDATE_REFERENCES").is_some();
    let window = window::open();
    let mut wrong = Vec::new();
    for picture in window::pictures().into_iter().filter(wanted) {
        let (width, height, small) = reduce(&window::draw(&window, &picture));
        let path = references().join(format!("{}.png", picture.name()));
        let different = match read_reference(&path) {
            Some((w, h, rgb)) if (w, h) == (width, height) => small
                .chunks_exact(4)
                .zip(rgb.chunks_exact(3))
                .filter(|(now, then)| {
                    (0..3).any(|i| now[i].abs_diff(then[i]) > CHANNEL_DISTANCE_MAX)
                })
                .count(),
            _ => usize::MAX,
        };
        let allowed = (width * height) as usize * DIFFERENT_PIXELS_MAX_PPM / 1_000_000;
        if different > allowed {
            wrong.push(format!("{}: {different} pixels differ", picture.name()));
            let folder = if update {
                references()
            } else {
                PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            };
            std::fs::create_dir_all(&folder).unwrap();
            write_indexed_png(
                &folder.join(format!("{}.png", picture.name())),
                width,
                height,
                &small,
            );
        }
    }
    assert!(
        wrong.is_empty(),
        "{} (new pictures are in {}); look at each, then run with KIOSK_UPDATE_REFERENCES=1 and commit",
        wrong.join("\n"),
        env!("CARGO_TARGET_TMPDIR"),
    );
}

// Proves that every portrait screen in both languages looks as it was approved.
#[test]
fn portrait_screens_match_their_references() {
    check_references(|picture| picture.look == Look::Normal && picture.size.name == "portrait");
}

// Proves that every screen of 1920×1080 in both languages looks as it was approved.
#[test]
fn landscape_screens_match_their_references() {
    check_references(|picture| picture.look == Look::Normal && picture.size.name == "landscape");
}

// Proves that every screen of 1280×800 in both languages looks as it was approved.
#[test]
fn small_screens_match_their_references() {
    check_references(|picture| picture.look == Look::Normal && picture.size.name == "small");
}

// Proves that large text, high contrast and reach look as they were approved.
#[test]
fn easier_screens_match_their_references() {
    check_references(|picture| picture.look != Look::Normal);
}

/// One thing that can be touched, in design units.
struct Control {
    label: String,
    x: f32,
    y: f32,
    width: f32,
    height: f32,
    scrolls: bool,
}

impl Control {
    fn covers(&self, other: &Control) -> bool {
        let slack = 0.5;
        self.x <= other.x + slack
            && self.y <= other.y + slack
            && self.x + self.width + slack >= other.x + other.width
            && self.y + self.height + slack >= other.y + other.height
    }

    fn overlaps(&self, other: &Control) -> bool {
        let slack = 1.0;
        self.x + slack < other.x + other.width
            && other.x + slack < self.x + self.width
            && self.y + slack < other.y + other.height
            && other.y + slack < self.y + self.height
    }
}

fn scale(size: Size) -> f32 {
    let (width, height) = (size.width as f32, size.height as f32);
    if width > height {
        (width / 1600.0).min(height / 1000.0)
    } else {
        (width / 1080.0).min(height / 1920.0)
    }
}

fn boxed(element: &ElementHandle, scale: f32, scrolls: bool) -> Control {
    let (at, size) = (element.absolute_position(), element.size());
    Control {
        label: element.accessible_label().unwrap_or_default().into(),
        x: at.x / scale,
        y: at.y / scale,
        width: size.width / scale,
        height: size.height / scale,
        scrolls,
    }
}

/// Every button on screen. Panics when the build has no element names, which would make all that follows vacuous.
fn controls(window: &MainWindow, picture: &Picture) -> Vec<Control> {
    let scale = scale(picture.size);
    let all = ElementQuery::from_root(window)
        .match_descendants()
        .find_all();
    assert!(
        !all.is_empty(),
        "no element names: build with feature `testable`"
    );
    let mut scrolling = Vec::new();
    for flickable in ElementQuery::from_root(window)
        .match_descendants()
        .match_inherits("Flickable")
        .find_all()
    {
        for inner in flickable
            .query_descendants()
            .match_accessible_role(AccessibleRole::Button)
            .find_all()
        {
            let inner = boxed(&inner, scale, true);
            scrolling.push((inner.label, inner.x, inner.y));
        }
    }
    let mut controls: Vec<Control> = Vec::new();
    for button in ElementQuery::from_root(window)
        .match_descendants()
        .match_accessible_role(AccessibleRole::Button)
        .find_all()
    {
        let mut control = boxed(&button, scale, false);
        let same = |label: &str, x: f32, y: f32| {
            *label == *control.label && x == control.x && y == control.y
        };
        // A component that inherits another answers once for each: one control all the same.
        if controls
            .iter()
            .any(|known| same(&known.label, known.x, known.y))
        {
            continue;
        }
        control.scrolls = scrolling.iter().any(|(label, x, y)| same(label, *x, *y));
        controls.push(control);
    }
    controls
}

// Proves that every control of every picture has a label, is large enough for a finger, lies inside the window
// and does not lie over another one.
#[test]
fn every_control_is_labelled_large_inside_and_apart() {
    let window = window::open();
    let mut wrong = Vec::new();
    for picture in window::pictures() {
        window::arrange(&window, &picture);
        let controls = controls(&window, &picture);
        let (width, height) = (
            picture.size.width as f32 / scale(picture.size),
            picture.size.height as f32 / scale(picture.size),
        );
        let screen = picture.case.screen;
        if screen != Screen::Starting {
            assert!(
                !controls.is_empty(),
                "{}: no control at all",
                picture.name()
            );
        }
        let mut complain = |control: &Control, what: &str| {
            wrong.push(format!(
                "{}: “{}” {what} ({:.0},{:.0} {:.0}×{:.0})",
                picture.name(),
                control.label,
                control.x,
                control.y,
                control.width,
                control.height
            ));
        };
        let dialog = picture.case.name.starts_with("weigh")
            || picture.case.name == "coupon"
            || matches!(picture.case.name, "paid-e-receipt" | "paid-no-paper");
        for (index, control) in controls.iter().enumerate() {
            if control.label.is_empty() {
                complain(control, "has no label");
            }
            if control.width + 0.5 < TOUCH_MIN_UNITS || control.height + 0.5 < TOUCH_MIN_UNITS {
                complain(control, "is too small");
            }
            let inside = control.x >= -0.5
                && control.y >= -0.5
                && control.x + control.width <= width + 0.5
                && control.y + control.height <= height + 0.5;
            if !inside && !control.scrolls {
                complain(control, "leaves the window");
            }
            for other in &controls[index + 1..] {
                let apart = dialog
                    || control.scrolls
                    || other.scrolls
                    || control.covers(other)
                    || other.covers(control);
                if !apart && control.overlaps(other) {
                    complain(control, &format!("lies over “{}”", other.label));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} faults:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

// Proves that no words leave the window or lie outside of what holds them, in any picture.
#[test]
fn no_words_leave_the_window() {
    let window = window::open();
    let mut wrong = Vec::new();
    for picture in window::pictures() {
        window::arrange(&window, &picture);
        let (width, height) = (picture.size.width as f32, picture.size.height as f32);
        let scrolled: Vec<_> = ElementQuery::from_root(&window)
            .match_descendants()
            .match_inherits("Flickable")
            .find_all()
            .iter()
            .flat_map(|flickable| {
                flickable
                    .query_descendants()
                    .match_inherits("Text")
                    .find_all()
            })
            .map(|text| (text.absolute_position().x, text.absolute_position().y))
            .collect();
        for text in ElementQuery::from_root(&window)
            .match_descendants()
            .match_inherits("Text")
            .find_all()
        {
            let (at, size) = (text.absolute_position(), text.size());
            let inside = at.x >= -0.5
                && at.y >= -0.5
                && at.x + size.width <= width + 0.5
                && at.y + size.height <= height + 0.5;
            if !inside && !scrolled.contains(&(at.x, at.y)) {
                wrong.push(format!(
                    "{}: {:?} at {:.0},{:.0} {:.0}×{:.0}",
                    picture.name(),
                    text.id(),
                    at.x,
                    at.y,
                    size.width,
                    size.height
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} faults:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

// Proves that in reach mode every control of every screen lies in the lower 60 % of a portrait window.
#[test]
fn reach_keeps_every_control_in_the_lower_part() {
    let window = window::open();
    let mut wrong = Vec::new();
    for case in sample::CASES {
        let picture = Picture {
            case,
            language: "vi",
            size: SIZES[0],
            look: Look::Reach,
        };
        window::arrange(&window, &picture);
        for control in controls(&window, &picture) {
            let whole_screen = control.height >= 1900.0;
            if control.y + 0.5 < 1920.0 * 0.4 && !whole_screen && !control.scrolls {
                wrong.push(format!(
                    "{}: “{}” at {:.0}",
                    case.name, control.label, control.y
                ));
            }
            if control.y + control.height > 1920.5 && !control.scrolls {
                wrong.push(format!(
                    "{}: “{}” leaves the window at {:.0}",
                    case.name,
                    control.label,
                    control.y + control.height
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} faults:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// What a phone reads in the window's pixels, and how many pixels wide the code is.
fn scan_qr(shot: &SharedPixelBuffer<Rgba8Pixel>) -> Option<(String, usize)> {
    let (width, height) = (shot.width() as usize, shot.height() as usize);
    let pixels = shot.as_slice();
    let mut image =
        rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| pixels[y * width + x].g);
    let grids = image.detect_grids();
    let grid = grids.first()?;
    let wide = grid.bounds[1].x.abs_diff(grid.bounds[0].x) as usize;
    grid.decode().ok().map(|(_, text)| (text, wide))
}

/// What a phone reads in the window's pixels.
fn read_qr(shot: &SharedPixelBuffer<Rgba8Pixel>) -> Option<String> {
    scan_qr(shot).map(|(text, _)| text)
}

// Proves that the payment code can be read from the drawn screen in both languages, every size and look, black on white even in high contrast.
#[test]
fn the_drawn_payment_code_reads_back() {
    let window = window::open();
    let case = sample::CASES.iter().find(|case| case.name == "qr").unwrap();
    let looks = [Look::Normal, Look::Large, Look::Contrast, Look::Reach];
    let cases = ["vi", "en"]
        .into_iter()
        .flat_map(|language| SIZES.map(|size| (language, size)))
        .flat_map(|(language, size)| looks.map(|look| (language, size, look)));
    for (language, size, look) in cases {
        let picture = Picture {
            case,
            language,
            size,
            look,
        };
        let shot = window::draw(&window, &picture);
        assert_eq!(
            read_qr(&shot).as_deref(),
            Some(sample::QR_TEXT),
            "{}",
            picture.name()
        );
    }
}

// Proves that the largest receipt in a code reads back in every size and look, each module at least five pixels wide.
#[test]
fn the_drawn_receipt_code_reads_back() {
    let window = window::open();
    let mut cases = sample::CASES.iter();
    let case = cases.find(|case| case.name == "paid-no-paper").unwrap();
    let text = sample::long_receipt();
    let modules = qrcode::QrCode::with_error_correction_level(&text, qrcode::EcLevel::L)
        .unwrap()
        .width();
    for size in SIZES {
        for look in [Look::Normal, Look::Large, Look::Contrast, Look::Reach] {
            let picture = Picture {
                case,
                language: "vi",
                size,
                look,
            };
            let shot = window::draw(&window, &picture);
            let (read, wide) = scan_qr(&shot).expect("a code");
            assert_eq!(read, text, "{}", picture.name());
            // Corners lie in the middle of pixels.
            assert!(wide + 2 >= 5 * modules, "{}: {wide} px", picture.name());
        }
    }
}

fn portrait(name: &str) -> Picture {
    let case = sample::CASES.iter().find(|case| case.name == name).unwrap();
    Picture {
        case,
        language: "vi",
        size: SIZES[0],
        look: Look::Normal,
    }
}

// Proves that a control answers while the finger is still down, and acts once when it lifts.
#[test]
fn a_press_shows_at_once_and_acts_on_release() {
    let window = window::open();
    let before = window::draw(&window, &portrait("shop"));
    let (paid, touched) = (
        std::rc::Rc::new(std::cell::Cell::new(0)),
        std::rc::Rc::new(std::cell::Cell::new(0)),
    );
    let count = paid.clone();
    window
        .global::<BasketAdapter>()
        .on_pay(move || count.set(count.get() + 1));
    let count = touched.clone();
    window
        .global::<ShellAdapter>()
        .on_touched(move || count.set(count.get() + 1));

    let position = LogicalPosition::new(540.0, 1800.0);
    let button = PointerEventButton::Left;
    window
        .window()
        .dispatch_event(WindowEvent::PointerPressed { position, button });
    let during = window.window().take_snapshot().unwrap();
    let changed = before
        .as_bytes()
        .iter()
        .zip(during.as_bytes())
        .filter(|(a, b)| a != b)
        .count();
    assert!(
        changed > 50_000,
        "the button changes colour while the finger is down, {changed} bytes did"
    );
    assert_eq!((paid.get(), touched.get()), (0, 1));
    window
        .window()
        .dispatch_event(WindowEvent::PointerReleased { position, button });
    assert_eq!((paid.get(), touched.get()), (1, 1));
}

// Proves that a touch beside every control still counts as somebody being there.
#[test]
fn a_touch_on_empty_ground_is_noticed() {
    let window = window::open();
    window::arrange(&window, &portrait("pay"));
    let touched = std::rc::Rc::new(std::cell::Cell::new(0));
    let count = touched.clone();
    window
        .global::<ShellAdapter>()
        .on_touched(move || count.set(count.get() + 1));
    let (position, button) = (
        LogicalPosition::new(540.0, 1500.0),
        PointerEventButton::Left,
    );
    window
        .window()
        .dispatch_event(WindowEvent::PointerPressed { position, button });
    window
        .window()
        .dispatch_event(WindowEvent::PointerReleased { position, button });
    assert_eq!(touched.get(), 1);
}

// Proves that staff get in by holding the shop's name for two seconds, and not by touching it.
#[test]
fn holding_the_shop_name_opens_the_staff_pad() {
    let window = window::open();
    window::arrange(&window, &portrait("attract"));
    let opened = std::rc::Rc::new(std::cell::Cell::new(0));
    let count = opened.clone();
    window
        .global::<ShellAdapter>()
        .on_open_staff(move || count.set(count.get() + 1));
    let (position, button) = (LogicalPosition::new(200.0, 80.0), PointerEventButton::Left);
    let wait = |ms| mock_elapsed_time(std::time::Duration::from_millis(ms));
    window
        .window()
        .dispatch_event(WindowEvent::PointerPressed { position, button });
    wait(500);
    window
        .window()
        .dispatch_event(WindowEvent::PointerReleased { position, button });
    wait(3000);
    assert_eq!(opened.get(), 0);
    window
        .window()
        .dispatch_event(WindowEvent::PointerPressed { position, button });
    wait(1000);
    wait(1100);
    assert_eq!(opened.get(), 1);
    window
        .window()
        .dispatch_event(WindowEvent::PointerReleased { position, button });
}

// Proves that the language changes on the open screen, and back, and that an unknown one is refused.
#[test]
fn the_language_changes_on_the_open_screen() {
    let window = window::open();
    let picture = portrait("pay");
    window::arrange(&window, &picture);
    let has = |label: &str| {
        ElementHandle::find_by_accessible_label(&window, label)
            .next()
            .is_some()
    };
    assert!(has("Quét mã QR") && !has("Scan a QR code"));
    select_language("en").unwrap();
    assert!(has("Scan a QR code") && !has("Quét mã QR"));
    assert!(select_language("xx").is_err());
    assert!(has("Scan a QR code"));
    select_language("vi").unwrap();
    assert!(has("Quét mã QR"));
}
