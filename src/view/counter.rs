//! The window and its event loop: the one place where Slint's thread, the app
//! and the mailbox meet.

use super::{Post, Presenter, connect, frames};
use crate::app::{App, AppEvent};
use crate::assemble::{StartError, assemble};
use crate::clock::mono_ms;
use crate::config::{ConfigError, Configuration};
use crate::format::Language;
use crate::mailbox::{Inbox, mailbox};
use crate::remedy;
use crate::watchdog::{Notifier, Pulse, both_moved};
use anyhow::{Context, Result};
use checkout::till::Screen as TillScreen;
use kiosk_ui::{MainWindow, OutOfOrderAdapter, OutReason, Screen, ShellAdapter};
use slint::{ComponentHandle, Timer, TimerMode};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// How often countdowns and "asked 2 s ago" move, where there is one.
const REFRESH_MS: u64 = 1000;
/// How often a kiosk that could not open tries again.
const RETRY: Duration = Duration::from_secs(5);

/// Opens the window and runs the counter in it until it closes. A
/// configuration that cannot be used is shown, not returned.
///
/// # Errors
/// Only what happens before there is a window; everything later is on screen.
pub fn run(config: Result<Configuration, ConfigError>, size: Option<(u32, u32)>) -> Result<()> {
    let counter = Counter::open(config.as_ref().ok(), size)?;
    match config {
        Ok(config) => counter.start(config),
        Err(error) => {
            tracing::error!(%error, "configuration");
            counter.refuse(Fault::Config(error));
        }
    }
    counter.run()
}

/// The window, and the app behind it once it could be put together.
struct Counter {
    shared: Rc<RefCell<Shared>>,
}

struct Shared {
    presenter: Presenter,
    app: Option<App>,
    inbox: Option<Inbox<AppEvent>>,
    wake: Timer,
    retry: Timer,
    pulse: Arc<Pulse>,
    first_frame_logged: bool,
    /// Why there is no app.
    fault: Option<Rc<Fault>>,
    /// Language of the screen while there is no app.
    language: Language,
}

thread_local! {
    /// The counter of this thread's event loop: other threads wake it by a
    /// closure that cannot carry it.
    static COUNTER: RefCell<Option<Rc<RefCell<Shared>>>> = const { RefCell::new(None) };
}

impl Counter {
    fn open(config: Option<&Configuration>, size: Option<(u32, u32)>) -> Result<Self> {
        let backend = slint::BackendSelector::new().renderer_name("software".into());
        backend.select().context(
            "no screen: start under a display server (DISPLAY), or with the kms build on a display",
        )?;
        let ui = MainWindow::new().context("the window cannot be made")?;
        kiosk_ui::install(&ui);
        let screen = config.map(|config| &config.file.screen);
        match size.or_else(|| {
            let screen = screen.filter(|screen| !screen.fullscreen)?;
            Some((screen.width_px, screen.height_px))
        }) {
            Some((width, height)) => {
                ui.window()
                    .set_size(slint::PhysicalSize::new(width, height));
            }
            None => ui.window().set_fullscreen(true),
        }
        frames::answer_touches(ui.window());
        let shared = Rc::new(RefCell::new(Shared {
            presenter: Presenter::new(ui),
            app: None,
            inbox: None,
            wake: Timer::default(),
            retry: Timer::default(),
            pulse: Arc::new(Pulse::default()),
            first_frame_logged: false,
            fault: None,
            language: config.map_or(Language::Vietnamese, |config| config.language),
        }));
        COUNTER.set(Some(shared.clone()));
        let counter = Self { shared };
        counter.answer_language();
        Ok(counter)
    }

    /// Puts the kiosk together, or shows why not and tries again.
    fn start(&self, config: Configuration) {
        let (post, inbox) = mailbox(|| {
            // The loop may have ended; then nobody needs to be woken.
            let _ = slint::invoke_from_event_loop(drain);
        });
        match assemble(&config, &post) {
            Ok(kiosk) => {
                let weak = Rc::downgrade(&self.shared);
                let touch: Post = Rc::new(move |event| {
                    if let Some(shared) = weak.upgrade() {
                        handle(&shared, event);
                    }
                });
                {
                    let mut shared = self.shared.borrow_mut();
                    connect(shared.presenter.window(), &touch);
                    let mut app = kiosk.app;
                    app.start();
                    shared.app = Some(app);
                    shared.fault = None;
                    shared.inbox = Some(inbox);
                }
                refresh(&self.shared);
                Self::notify_ready(&self.shared.borrow().pulse);
            }
            Err(error) => self.cannot_start(config, error),
        }
    }

    fn cannot_start(&self, config: Configuration, error: StartError) {
        tracing::error!(%error, "the counter cannot open");
        self.refuse(Fault::Start(error));
        let again = Self {
            shared: self.shared.clone(),
        };
        let config = RefCell::new(Some(config));
        let shared = self.shared.borrow();
        shared.retry.start(TimerMode::SingleShot, RETRY, move || {
            if let Some(config) = config.take() {
                again.start(config);
            }
        });
    }

    /// Shows why there is no counter.
    fn refuse(&self, fault: Fault) {
        tracing::info!(
            screen = "out-of-order",
            code = fault.reason().1,
            "screen at start"
        );
        self.shared.borrow_mut().fault = Some(Rc::new(fault));
        show_fault(&self.shared);
    }

    /// While there is no counter, only the language can be changed; the counter connects its own callbacks later.
    fn answer_language(&self) {
        let weak = Rc::downgrade(&self.shared);
        let shared = self.shared.borrow();
        let shell = shared.presenter.window().global::<ShellAdapter>();
        shell.on_next_language(move || {
            if let Some(shared) = weak.upgrade() {
                {
                    let mut shared = shared.borrow_mut();
                    shared.language = shared.language.next();
                }
                show_fault(&shared);
            }
        });
    }

    fn run(&self) -> Result<()> {
        let window = self.shared.borrow().presenter.window().clone_strong();
        window.run().context("the screen was lost")?;
        // Devices and store end with the app, in its order.
        let app = self.shared.borrow_mut().app.take();
        drop(app);
        COUNTER.set(None);
        Ok(())
    }

    /// Tells the supervisor, and pings it from a timer of the UI loop.
    fn notify_ready(pulse: &Arc<Pulse>) {
        let Some(notifier) = Notifier::from_env() else {
            return;
        };
        notifier.send("READY=1");
        let Some(every) = notifier.ping_every() else {
            return;
        };
        let pulse = pulse.clone();
        let mut last = (u64::MAX, u64::MAX);
        let timer = Timer::default();
        timer.start(TimerMode::Repeated, every, move || {
            pulse.ui_moved();
            let store = COUNTER.with_borrow(|counter| {
                let shared = counter.as_ref()?.try_borrow().ok()?;
                shared.app.as_ref().map(App::store)
            });
            if let Some(store) = store {
                let pulse = pulse.clone();
                store.run(|_| Ok(()), move |_| pulse.store_moved());
            }
            if both_moved(&pulse, &mut last) {
                notifier.send("WATCHDOG=1");
            }
        });
        // Lives as long as the process.
        std::mem::forget(timer);
    }
}

/// Ends the counter of this program, from any thread; `false` when there is
/// none to end.
pub fn close() -> bool {
    slint::quit_event_loop().is_ok()
}

/// The window of this thread's counter.
pub(super) fn window() -> Option<MainWindow> {
    COUNTER.with_borrow(|counter| {
        let shared = counter.as_ref()?.try_borrow().ok()?;
        Some(shared.presenter.window().clone_strong())
    })
}

/// Why there is no counter behind the window.
enum Fault {
    Config(ConfigError),
    Start(StartError),
}

impl Fault {
    /// What it looks like on the screen, and its code for whoever looks after the kiosk.
    fn reason(&self) -> (OutReason, &'static str) {
        use crate::store::StoreError as Store;
        let error = match self {
            Self::Config(_) => return (OutReason::Device, "E-CONFIG"),
            Self::Start(error) => error,
        };
        match error {
            StartError::Clock(_) => (OutReason::Clock, "E-CLOCK"),
            StartError::Device(_) => (OutReason::Device, "E-DEVICE"),
            StartError::NoRandomness => (OutReason::Device, "E-RANDOM"),
            StartError::Store(store) => {
                let code = match store {
                    Store::MissingDirectory(_) => "E-STORE-DIR",
                    Store::ReadOnly(_) => "E-STORE-READONLY",
                    Store::Full(_) => "E-STORE-FULL",
                    Store::Damaged { .. } => "E-STORE-DAMAGED",
                    Store::Newer { .. } => "E-STORE-NEWER",
                    Store::Foreign(_) => "E-STORE-FOREIGN",
                    Store::UnreadableState(_) => "E-STATE",
                    Store::Locked(_) | Store::Busy => "E-STORE-LOCKED",
                    _ => "E-STORE",
                };
                (OutReason::MoneyStore, code)
            }
        }
    }

    fn remedy(&self, language: Language) -> &'static str {
        match self {
            Self::Config(error) => remedy::of_config(error, language),
            Self::Start(error) => remedy::of_start(error, language),
        }
    }

    /// One English line, as the log has it.
    fn technical(&self) -> String {
        match self {
            Self::Config(error) => error.to_string(),
            Self::Start(error) => error.to_string(),
        }
    }
}

/// Says on the screen why there is no counter.
fn show_fault(shared: &Rc<RefCell<Shared>>) {
    let (ui, language, fault) = {
        let shared = shared.borrow();
        let ui = shared.presenter.window().clone_strong();
        (ui, shared.language, shared.fault.clone())
    };
    let Some(fault) = fault else {
        return;
    };
    if let Err(error) = kiosk_ui::select_language(language.code()) {
        tracing::error!(%error, "language");
    }
    let (reason, code) = fault.reason();
    let out = ui.global::<OutOfOrderAdapter>();
    out.set_reason(reason);
    out.set_code(code.into());
    out.set_detail(fault.remedy(language).into());
    out.set_technical(fault.technical().into());
    out.set_alone(true);
    ui.set_screen(Screen::OutOfOrder);
}

/// Takes what the threads posted. Runs in the event loop.
fn drain() {
    let shared = COUNTER.with_borrow(Clone::clone);
    let Some(shared) = shared else {
        return;
    };
    while let Some(event) = {
        let shared = shared.borrow();
        shared.inbox.as_ref().and_then(Inbox::take)
    } {
        with_app(&shared, |app| app.handle(event));
    }
    refresh(&shared);
}

fn handle(shared: &Rc<RefCell<Shared>>, event: AppEvent) {
    with_app(shared, |app| app.handle(event));
    refresh(shared);
}

fn with_app(shared: &Rc<RefCell<Shared>>, act: impl FnOnce(&mut App)) {
    if let Some(app) = shared.borrow_mut().app.as_mut() {
        act(app);
    }
}

/// Shows the model and arms the one timer: the till's wish, or the next second
/// of a countdown, or the next minute of the attract screen's clock.
fn refresh(shared: &Rc<RefCell<Shared>>) {
    let mut borrowed = shared.borrow_mut();
    let shared = &mut *borrowed;
    let Some(app) = shared.app.as_ref() else {
        return;
    };
    let model = app.model();
    shared.presenter.show(&model);
    frames::draw_soon(shared.presenter.window().window());
    if !shared.first_frame_logged {
        shared.first_frame_logged = true;
        tracing::info!(since_start_ms = mono_ms(), "first screen");
    }
    let now_ms = model.now.mono_ms;
    let wake = app.wake_at_mono_ms().map(|at| at.saturating_sub(now_ms));
    let tick = match model.view.screen {
        TillScreen::Attract { .. } => Some(next_minute_ms(model.now.wall_ms)),
        TillScreen::Qr(_)
        | TillScreen::Idle
        | TillScreen::Help { .. }
        | TillScreen::Unknown { .. } => Some(REFRESH_MS),
        _ if model.panels.open.is_some() && app.is_pad_locked() => Some(REFRESH_MS),
        _ => None,
    };
    match wake.into_iter().chain(tick).min() {
        Some(wait_ms) => {
            let wait = Duration::from_millis(wait_ms.max(1));
            shared.wake.start(TimerMode::SingleShot, wait, on_timer);
        }
        None => shared.wake.stop(),
    }
}

fn next_minute_ms(wall_ms: i64) -> u64 {
    u64::try_from(60_000 - wall_ms.rem_euclid(60_000)).unwrap_or(60_000)
}

fn on_timer() {
    let shared = COUNTER.with_borrow(Clone::clone);
    let Some(shared) = shared else {
        return;
    };
    with_app(&shared, App::timer);
    refresh(&shared);
}
