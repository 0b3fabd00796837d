//! The embedded pictures and their resampling.

#![allow(clippy::unwrap_used)]

mod sample;
mod window;

use kiosk_ui::{Pictures, picture, picture_keys};
use slint::{ComponentHandle, Image, Rgba8Pixel, SharedPixelBuffer};

// Proves that every embedded picture decodes, and that a resampled one has the asked size and keeps a flat colour.
#[test]
fn embedded_pictures_decode_and_fit() {
    let window = window::open();
    kiosk_ui::install(&window);
    let pictures = window.global::<Pictures>();
    assert!(picture_keys().count() >= 5, "the five faces are embedded");
    for key in picture_keys() {
        let image = picture(key).unwrap_or_else(|| panic!("{key} decodes"));
        for side in [50, 128] {
            let small = pictures.invoke_fit(image.clone(), side).size();
            assert_eq!(small.width.max(small.height), side as u32, "{key}");
        }
    }
    assert!(picture("no such picture").is_none());

    let mut flat = SharedPixelBuffer::<Rgba8Pixel>::new(7, 5);
    let colour = Rgba8Pixel::new(10, 200, 30, 255);
    flat.make_mut_slice().fill(colour);
    let small = pictures
        .invoke_fit(Image::from_rgba8(flat), 3)
        .to_rgba8()
        .unwrap();
    assert_eq!((small.width(), small.height()), (3, 2));
    assert!(small.as_slice().iter().all(|pixel| *pixel == colour));
}

// Proves that the five faces are five different pictures and nothing else answers.
#[test]
fn five_faces_differ() {
    let window = window::open();
    kiosk_ui::install(&window);
    let pictures = window.global::<Pictures>();
    let faces: Vec<_> = (1..=5)
        .map(|face| pictures.invoke_face(face).to_rgba8().unwrap())
        .collect();
    for (index, face) in faces.iter().enumerate() {
        assert!(
            faces[index + 1..]
                .iter()
                .all(|other| other.as_bytes() != face.as_bytes())
        );
    }
    assert_eq!(pictures.invoke_face(6).size().width, 0);
}
