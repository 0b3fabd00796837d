//! A screen of its own for the measurements: Xvfb, its pixels, its frames as they come, and a finger.

use super::processes::Running;
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::damage::{ConnectionExt as _, ReportLevel};
use x11rb::protocol::xproto::{
    BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ConnectionExt as _, ImageFormat, MOTION_NOTIFY_EVENT,
    Window,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

/// Width of the screen, in pixels.
pub(super) const WIDTH: u16 = 1080;
/// Height of the screen, in pixels.
pub(super) const HEIGHT: u16 = 1920;
/// Where nothing can be touched: a finger that leaves a control here has not tapped it.
const NOWHERE: Point = Point { x: 2, y: 2 };

/// A place on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Point {
    /// From the left.
    pub(super) x: i16,
    /// From the top.
    pub(super) y: i16,
}

/// The running screen.
pub(super) struct Screen {
    /// Ends with this handle.
    _server: Running,
    display: String,
    connection: RustConnection,
    root: Window,
    /// When something was drawn. The server says so itself (DAMAGE), so nothing is polled.
    drawn: Receiver<Instant>,
}

impl Screen {
    /// Starts an X server on a free display, and listens to what is drawn on it.
    ///
    /// # Errors
    /// When Xvfb is absent or lacks an extension.
    pub(super) fn start() -> Result<Self> {
        let mode = format!("{WIDTH}x{HEIGHT}x24");
        let mut child = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", &mode])
            .args(["-nolisten", "tcp", "-noreset", "-br"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("Xvfb cannot be started; install xvfb")?;
        let stdout = child.stdout.take().context("Xvfb says nothing")?;
        let server = Running(child);
        let mut number = String::new();
        BufReader::new(stdout).read_line(&mut number)?;
        if number.trim().is_empty() {
            bail!("Xvfb did not start");
        }
        let display = format!(":{}", number.trim());
        let (connection, screen) = RustConnection::connect(Some(&display))?;
        let root = connection.setup().roots[screen].root;
        let drawn = listen(&display, root)?;
        Ok(Self {
            _server: server,
            display,
            connection,
            root,
            drawn,
        })
    }

    /// For `DISPLAY`.
    pub(super) fn display(&self) -> &str {
        &self.display
    }

    /// Colours (0xRRGGBB) of `rows` whole rows from `top`.
    ///
    /// # Errors
    /// When the server is gone.
    pub(super) fn rows(&self, top: i16, rows: u16) -> Result<Vec<u32>> {
        let image = self
            .connection
            .get_image(ImageFormat::Z_PIXMAP, self.root, 0, top, WIDTH, rows, !0)?
            .reply()?;
        let pixels = image.data.as_chunks::<4>().0.iter();
        Ok(pixels
            .map(|bytes| u32::from_le_bytes(*bytes) & 0x00ff_ffff)
            .collect())
    }

    /// Whether there is a picture: more than a ground of one colour or two.
    ///
    /// # Errors
    /// As [`Self::rows`].
    pub(super) fn painted(&self) -> Result<bool> {
        let mut colours = Vec::new();
        for row in (1..8).map(|part| part * (HEIGHT / 8)) {
            for colour in self.rows(i16::try_from(row)?, 1)? {
                if !colours.contains(&colour) {
                    colours.push(colour);
                }
                if colours.len() > 4 {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Whether the middle of the screen has this colour.
    ///
    /// # Errors
    /// As [`Self::rows`].
    pub(super) fn shows(&self, colour: u32) -> Result<bool> {
        let row = self.rows(i16::try_from(HEIGHT / 2)?, 1)?;
        Ok(row.get(usize::from(WIDTH / 2)) == Some(&colour))
    }

    /// Forgets what was drawn so far.
    pub(super) fn forget(&self) -> usize {
        self.drawn.try_iter().count()
    }

    /// When something is drawn next after `since`; `None` when nothing is within `patience`.
    ///
    /// # Errors
    /// When the server is gone.
    pub(super) fn next_drawn(&self, since: Instant, patience: Duration) -> Result<Option<Instant>> {
        let until = Instant::now() + patience;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.drawn.recv_timeout(left) {
                Ok(at) if at >= since => return Ok(Some(at)),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => return Ok(None),
                Err(RecvTimeoutError::Disconnected) => bail!("the X server is gone"),
            }
        }
    }

    /// Waits until nothing has been drawn for `silence`; the last thing drawn, if anything was.
    ///
    /// # Errors
    /// When it never stops, or the server is gone.
    pub(super) fn settle(&self, silence: Duration) -> Result<Option<Instant>> {
        let until = Instant::now() + Duration::from_secs(30);
        let mut last = None;
        loop {
            match self.drawn.recv_timeout(silence) {
                Ok(at) => last = Some(at),
                Err(RecvTimeoutError::Timeout) => return Ok(last),
                Err(RecvTimeoutError::Disconnected) => bail!("the X server is gone"),
            }
            if Instant::now() > until {
                bail!("the screen never comes to rest");
            }
        }
    }

    /// When `done` is first true of the screen after something was drawn since `since`.
    ///
    /// # Errors
    /// When it is not within `patience`.
    pub(super) fn until(
        &self,
        since: Instant,
        patience: Duration,
        mut done: impl FnMut(&Self) -> Result<bool>,
    ) -> Result<Instant> {
        let until = Instant::now() + patience;
        while Instant::now() < until {
            if let Some(at) = self.next_drawn(since, Duration::from_millis(200))?
                && done(self)?
            {
                return Ok(at);
            }
        }
        bail!("what was expected is not on the screen after {patience:?}")
    }

    fn fake(&self, kind: u8, detail: u8, at: Point) -> Result<Instant> {
        let now = Instant::now();
        self.connection
            .xtest_fake_input(kind, detail, 0, self.root, at.x, at.y, 0)?;
        self.connection.flush()?;
        Ok(now)
    }

    /// Puts the finger down; when that was.
    ///
    /// # Errors
    /// When the server is gone.
    pub(super) fn press(&self, at: Point) -> Result<Instant> {
        self.fake(MOTION_NOTIFY_EVENT, 0, at)?;
        self.fake(BUTTON_PRESS_EVENT, 1, at)
    }

    /// Lifts the finger where it is; when that was.
    ///
    /// # Errors
    /// When the server is gone.
    pub(super) fn release(&self, at: Point) -> Result<Instant> {
        self.fake(BUTTON_RELEASE_EVENT, 1, at)
    }

    /// Slides the finger off and lifts it: no tap.
    ///
    /// # Errors
    /// When the server is gone.
    pub(super) fn slide_off(&self) -> Result<()> {
        self.fake(MOTION_NOTIFY_EVENT, 0, NOWHERE)?;
        self.fake(BUTTON_RELEASE_EVENT, 1, NOWHERE)?;
        Ok(())
    }
}

/// Says when something is drawn, from a connection and thread of their own, so that the time is taken at once.
/// The thread ends with the server.
fn listen(display: &str, root: Window) -> Result<Receiver<Instant>> {
    let (connection, _) = RustConnection::connect(Some(display))?;
    connection.damage_query_version(1, 1)?.reply()?;
    let damage = connection.generate_id()?;
    connection
        .damage_create(damage, root, ReportLevel::RAW_RECTANGLES)?
        .check()?;
    let (sender, drawn) = channel();
    std::thread::Builder::new()
        .name("frames".into())
        .spawn(move || {
            while let Ok(event) = connection.wait_for_event() {
                let now = Instant::now();
                let gone = matches!(event, Event::DamageNotify(_)) && sender.send(now).is_err();
                if gone {
                    return;
                }
            }
        })?;
    Ok(drawn)
}
