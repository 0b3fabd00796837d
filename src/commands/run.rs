//! `kiosk run`: the counter.

use super::ConfigArg;
use anyhow::{Context, Result};
use clap::Args;

/// Arguments of `kiosk run`.
#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// Which kiosk.
    #[command(flatten)]
    pub config: ConfigArg,
    /// Window size instead of the whole screen, such as 1080x1920.
    #[arg(long, value_name = "WxH")]
    pub window: Option<String>,
}

/// Opens the counter and runs until the window closes.
///
/// # Errors
/// Only what happens before there is a window; everything later is on screen.
pub fn run(args: RunArgs) -> Result<()> {
    let size = args.window.as_deref().map(parse_size).transpose()?;
    let config = crate::config::load(&args.config.config);
    if let Err(error) = &config {
        eprintln!("kiosk: {error}");
    }
    crate::view::counter::run(config, size)
}

fn parse_size(text: &str) -> Result<(u32, u32)> {
    let parse = || {
        let (width, height) = text.split_once('x')?;
        Some((width.parse().ok()?, height.parse().ok()?))
    };
    parse().with_context(|| format!("--window {text:?}: write it as 1080x1920"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_size_is_two_numbers() {
        // Proves that a mistyped size is refused with the right form in the message.
        assert_eq!(parse_size("1080x1920").unwrap(), (1080, 1920));
        for wrong in ["", "1080", "1080x", "x1920", "1080X1920", "-1x2"] {
            assert!(
                parse_size(wrong)
                    .unwrap_err()
                    .to_string()
                    .contains("1080x1920")
            );
        }
    }
}
