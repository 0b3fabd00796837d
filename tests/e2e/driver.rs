//! A kiosk in one process, without a display: the real app, store, drivers and
//! simulators; only the window is a testing one. The only file that knows the
//! unstable testing crate.

use hardware::printer::Profile;
use hardware::printer::sim::{Faults, PrinterSim};
use i_slint_backend_testing::{
    AccessibleRole, ElementHandle, TestingBackend, TestingBackendOptions, mock_elapsed_time,
};
use kiosk::app::{App, AppEvent, screen_name};
use kiosk::assemble::assemble;
use kiosk::bank::sim as bank;
use kiosk::clock::{machine_ms, mono_ms};
use kiosk::commands::simulated::{SimulatedShop, replaced};
use kiosk::config::Configuration;
use kiosk::mailbox::{Inbox, mailbox};
use kiosk::view::{Post, Presenter, connect};
use kiosk_ui::MainWindow;
use slint::platform::{PointerEventButton, WindowEvent};
use slint::{ComponentHandle, PhysicalSize};
use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Longest wait for anything a journey waits for; a passing run waits less.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a shopper of the tests may stand before a screen: a machine that is slow is not a shopper who left.
const QUIET_S: u32 = 600;

/// The time zone in which it is noon now, for shop and head office: whenever the tests run, none of them meets
/// midnight, a happy hour or a change of the clocks.
pub fn noon() -> chrono_tz::Tz {
    static NOON: OnceLock<chrono_tz::Tz> = OnceLock::new();
    *NOON.get_or_init(|| {
        let hour = machine_ms().div_euclid(3_600_000).rem_euclid(24);
        // These names count hours west of Greenwich.
        let name = match hour - 12 {
            west @ 0.. => format!("Etc/GMT+{west}"),
            east => format!("Etc/GMT{east}"),
        };
        name.parse().unwrap()
    })
}

/// Simulated devices in a directory of their own, with the demo's catalogue.
pub struct Shop {
    devices: SimulatedShop,
    pub dir: tempfile::TempDir,
    pub config: Configuration,
}

impl Deref for Shop {
    type Target = SimulatedShop;

    fn deref(&self) -> &SimulatedShop {
        &self.devices
    }
}

impl DerefMut for Shop {
    fn deref_mut(&mut self) -> &mut SimulatedShop {
        &mut self.devices
    }
}

impl Shop {
    /// A shop with every device, at its own ports.
    pub fn open() -> Self {
        kiosk::logging::start();
        let dir = tempfile::tempdir().unwrap();
        let devices = SimulatedShop::open(dir.path(), bank::Behaviour::default()).unwrap();
        let text = std::fs::read_to_string(&devices.config_path).unwrap();
        let text = replaced(&text, "Asia/Ho_Chi_Minh", noon().name()).unwrap();
        std::fs::write(&devices.config_path, text).unwrap();
        let mut config = kiosk::config::load(&devices.config_path).unwrap();
        config.file.times.idle_warn_after_s = QUIET_S;
        config.file.times.faces_s = QUIET_S;
        let shop = Self {
            devices,
            dir,
            config,
        };
        shop.fill_catalogue();
        shop
    }

    fn fill_catalogue(&self) {
        let opened = kiosk::assemble::open_store(&self.config, |_| {}).unwrap();
        let read = kiosk::commands::import_for_tests(&opened.store, &self.config);
        assert!(read.unwrap() > 300);
        drop(opened.store);
        opened.thread.join().unwrap();
    }

    /// Puts a printer with a slow head in the place of the shop's: what it prints can be cut off in the middle, however
    /// slow this machine is.
    pub fn with_slow_printer(&mut self) {
        let mut profile = Profile::named("xprinter-clone").unwrap();
        profile.head_mm_per_s = 20;
        let port = self.dir.path().join("dev/slow-printer");
        let paper = self.dir.path().join("paper");
        let printer = PrinterSim::run_on_pty(&port, &paper, profile.clone(), Faults::default());
        self.devices.printer = printer.unwrap();
        self.config.file.printer.as_mut().unwrap().port = port;
        self.config.printer_profile = Some(profile);
    }

    /// Waits for paper that says this: what is printed is on the sheet, and in its file a moment later.
    pub fn until_paper(&self, words: &str) {
        let give_up = Instant::now() + PATIENCE;
        while !self.paper().contains(words) {
            assert!(
                Instant::now() < give_up,
                "{words} is not on:\n{}",
                self.paper()
            );
            let more = self.sheets().len() + 1;
            self.printer
                .wait_for_sheets(more, Duration::from_millis(100));
        }
    }

    /// Paper printed so far, as text.
    pub fn paper(&self) -> String {
        self.sheets().join("\n")
    }

    /// Each cut sheet as text, oldest first.
    pub fn sheets(&self) -> Vec<String> {
        let mut sheets: Vec<PathBuf> = std::fs::read_dir(self.dir.path().join("paper"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|kind| kind == "txt"))
            .collect();
        sheets.sort();
        let texts = sheets
            .iter()
            .map(|path| std::fs::read_to_string(path).unwrap());
        texts.collect()
    }
}

/// The counter with its window.
pub struct Counter {
    pub app: Rc<RefCell<App>>,
    pub ui: MainWindow,
    presenter: Rc<RefCell<Presenter>>,
    inbox: Inbox<AppEvent>,
    /// What the window's callbacks act on; emptied to let go of it.
    touch: Rc<RefCell<Option<Rc<RefCell<App>>>>>,
    store_thread: std::thread::JoinHandle<()>,
}

impl Counter {
    /// Opens the counter of a shop in a window of the given size.
    pub fn open(config: &Configuration, width: u32, height: u32) -> Self {
        let backend = TestingBackend::new(TestingBackendOptions {
            mock_time: true,
            threading: false,
            renderer_name: Some("software".into()),
        });
        // The second counter of a test (a restart) finds the platform set.
        let _ = slint::platform::set_platform(Box::new(backend));
        let ui = MainWindow::new().unwrap();
        kiosk_ui::install(&ui);
        ui.window().set_size(PhysicalSize::new(width, height));
        ui.show().unwrap();
        let (post, inbox) = mailbox(|| {});
        let kiosk = assemble(config, &post).unwrap();
        let app = Rc::new(RefCell::new(kiosk.app));
        let presenter = Rc::new(RefCell::new(Presenter::new(ui.clone_strong())));
        let touch = Rc::new(RefCell::new(Some(app.clone())));
        let touched = touch.clone();
        let show = Rc::downgrade(&presenter);
        let post: Post = Rc::new(move |event| {
            if let (Some(app), Some(show)) = (touched.borrow().as_ref(), show.upgrade()) {
                app.borrow_mut().handle(event);
                show.borrow_mut().show(&app.borrow().model());
            }
        });
        connect(&ui, &post);
        app.borrow_mut().start();
        let counter = Self {
            app,
            ui,
            presenter,
            inbox,
            touch,
            store_thread: kiosk.store_thread,
        };
        counter.show();
        counter
    }

    fn show(&self) {
        self.presenter.borrow_mut().show(&self.app.borrow().model());
        mock_elapsed_time(Duration::from_millis(300));
    }

    /// Name of the till's screen.
    pub fn screen(&self) -> &'static str {
        screen_name(&self.app.borrow().model().view.screen)
    }

    /// Handles what comes until `done`, or fails after [`PATIENCE`].
    pub fn until(&self, what: &str, done: impl Fn(&Self) -> bool) {
        let give_up = Instant::now() + PATIENCE;
        while !done(self) {
            assert!(Instant::now() < give_up, "no {what}; on {}", self.screen());
            self.turn();
        }
    }

    /// Waits for a screen of the till.
    pub fn until_screen(&self, name: &str) {
        self.until(name, |counter| counter.screen() == name);
    }

    /// One turn of the loop: an event, or the till's own timer.
    pub fn turn(&self) {
        let wake = self.app.borrow().wake_at_mono_ms();
        let wait = wake.map_or(200, |at| at.saturating_sub(mono_ms()).min(200));
        match self.inbox.wait(Duration::from_millis(wait.max(1))) {
            Some(event) => self.app.borrow_mut().handle(event),
            None => self.app.borrow_mut().timer(),
        }
        self.take_all();
        self.show();
    }

    /// Handles what has come; whether anything had.
    fn take_all(&self) -> bool {
        let mut came = false;
        while let Some(event) = self.inbox.take() {
            self.app.borrow_mut().handle(event);
            came = true;
        }
        came
    }

    /// The enabled element with this label inside the window: a control before a mere text
    /// (a code typed so far may read like one of the keys below it).
    fn element(&self, label: &str) -> ElementHandle {
        let size = self.ui.window().size();
        let found: Vec<ElementHandle> = ElementHandle::find_by_accessible_label(&self.ui, label)
            .filter(|element| element.accessible_enabled() != Some(false))
            .filter(|element| {
                let (at, area) = (element.absolute_position(), element.size());
                at.x + area.width / 2. < size.width as f32
                    && at.y + area.height / 2. < size.height as f32
                    && area.width > 0.
            })
            .collect();
        assert!(
            !found.is_empty(),
            "nothing says {label:?} on {}; there is: {:?}",
            self.screen(),
            self.labels()
        );
        let control = found
            .iter()
            .find(|element| element.accessible_role() == Some(AccessibleRole::Button));
        control.or(found.first()).unwrap().clone()
    }

    /// Every label on the screen.
    pub fn labels(&self) -> Vec<String> {
        let query = i_slint_backend_testing::ElementQuery::from_root(&self.ui);
        let all = query.match_descendants().find_all();
        all.iter()
            .filter_map(|element| Some(element.accessible_label()?.to_string()))
            .collect()
    }

    /// Whether something on the screen has this label.
    pub fn says(&self, label: &str) -> bool {
        self.labels().iter().any(|known| known.contains(label))
    }

    /// Touches the element with this label, as a finger does: the loop has handled what came before.
    pub fn tap(&self, label: &str) {
        if self.take_all() {
            self.show();
        }
        let element = self.element(label);
        let side = element.size().width.min(element.size().height);
        assert!(side >= 40., "{label:?} is too small to touch: {side}");
        element.mock_single_click(PointerEventButton::Left);
        self.show();
    }

    /// Touches a place of the window, whatever is there.
    pub fn touch_at(&self, x: f32, y: f32) {
        let position = slint::LogicalPosition::new(x, y);
        let button = PointerEventButton::Left;
        let window = self.ui.window();
        for event in [
            WindowEvent::PointerPressed { position, button },
            WindowEvent::PointerReleased { position, button },
        ] {
            window.dispatch_event(event);
        }
        self.show();
    }

    /// The frame as it would be on the glass, kept as PNG when `KIOSK_SHOTS`
    /// names a directory.
    pub fn shot(&self, name: &str) -> slint::SharedPixelBuffer<slint::Rgba8Pixel> {
        let frame = self.ui.window().take_snapshot().unwrap();
        if let Some(dir) = std::env::var_os("KIOSK_SHOTS") {
            write_png(&Path::new(&dir).join(format!("{name}.png")), &frame);
        }
        frame
    }

    /// The power goes: the app and its threads are gone, the store file stays.
    pub fn power_cut(self) {
        let Self {
            app,
            presenter,
            inbox,
            ui,
            touch,
            store_thread,
        } = self;
        drop(inbox);
        let _ = ui.hide();
        touch.take();
        drop(presenter);
        drop(ui);
        drop(app);
        store_thread.join().unwrap();
    }
}

fn write_png(path: &Path, frame: &slint::SharedPixelBuffer<slint::Rgba8Pixel>) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let file = std::fs::File::create(path).unwrap();
    let mut encoder = png::Encoder::new(file, frame.width(), frame.height());
    encoder.set_color(png::ColorType::Rgba);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(frame.as_bytes()).unwrap();
}
