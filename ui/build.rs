//! Compiles the screens (fonts embedded, Vietnamese bundled, element names only for tests) and lists the pictures.

use std::fmt::Write as _;
use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=lang");
    println!("cargo:rerun-if-changed=pictures");
    list_pictures();
    let config = slint_build::CompilerConfiguration::new()
        .with_style("fluent-light".into())
        .embed_resources(slint_build::EmbedResourcesKind::EmbedFiles)
        .with_bundled_translations("lang")
        .with_default_translation_context(slint_build::DefaultTranslationContext::None)
        .with_debug_info(std::env::var_os("CARGO_FEATURE_TESTABLE").is_some());
    slint_build::compile_with_config("main.slint", config).expect("the screens compile");
}

/// Writes a sorted table of (key, bytes) for every PNG in `pictures`.
fn list_pictures() {
    let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo names the crate's folder");
    let folder = Path::new(&root).join("pictures");
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .expect("ui/pictures exists")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "png"))
        .collect();
    paths.sort_by_key(|path| path.file_stem().map(|stem| stem.to_os_string()));
    let mut table = String::from("static PICTURE_FILES: &[(&str, &[u8])] = &[\n");
    for path in paths {
        let key = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .expect("picture names are plain text");
        writeln!(table, "    ({key:?}, include_bytes!({path:?})),").expect("a string takes text");
    }
    table.push_str("];\n");
    let out = std::env::var("OUT_DIR").expect("cargo names the output folder");
    std::fs::write(Path::new(&out).join("picture_files.rs"), table)
        .expect("the output folder is writable");
}
