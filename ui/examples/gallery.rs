//! Draws every screen into a folder, as the kiosk would show it.
//!
//! `cargo run -p kiosk-ui --example gallery -- FOLDER [case-prefix] [language] [portrait|landscape|small]`

#![allow(clippy::unwrap_used)]

#[path = "../tests/sample/mod.rs"]
mod sample;
#[path = "../tests/window/mod.rs"]
mod window;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().expect("the folder to draw into");
    let prefix = arguments.next().unwrap_or_default();
    let language = arguments.next();
    let size = arguments.next();
    std::fs::create_dir_all(&folder).unwrap();
    let window = window::open();
    for picture in window::pictures() {
        let wanted = picture.case.name.starts_with(&prefix)
            && language
                .as_ref()
                .is_none_or(|language| picture.language == language)
            && size.as_ref().is_none_or(|size| picture.size.name == size);
        if wanted {
            let shot = window::draw(&window, &picture);
            let path = std::path::Path::new(&folder).join(format!("{}.png", picture.name()));
            window::write_png(&path, shot.width(), shot.height(), shot.as_bytes());
        }
    }
}
