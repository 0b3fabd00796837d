//! The program's one loop body: an event comes in, the till steps, its effects
//! go out, the screen is told.
//!
//! Everything here runs on the UI thread and never waits: the store, the
//! devices and the bank have threads of their own and answer through the
//! [`Mailbox`].

mod browse;
pub(crate) mod commit;
mod day;
mod desk;
mod event;
mod give_back;
mod names;
mod panels;
#[cfg(test)]
mod tests;
mod weight;

pub use browse::Browse;
pub use day::{Day, DayReport, Paper, Said};
pub use desk::{Desk, DeskView, PinProblem, cash_due, notes};
pub use event::{AppEvent, UiEvent};
pub use give_back::{GiveBackPad, Typing, of_review};
pub use names::{screen_name, store_fault};
pub use panels::{Access, Panel, Panels};
pub use weight::TypedWeight;

use crate::clock::Clock;
use crate::config::Configuration;
use crate::devices::Devices;
use crate::format::Language;
use crate::journal::Scribe;
use crate::mailbox::Mailbox;
use crate::store::{StorageLevel, Store};
use crate::sync::SyncHandle;
use checkout::Now;
use checkout::barcode::Code;
use checkout::till::{
    Effect, Effects, Event, Lang, LookUpResult, Screen, StaffEvent, StaffId, StoreFault, Ticket,
    Till, TillState, View,
};

/// All that one screen needs to be drawn.
#[derive(Debug)]
pub struct Model<'a> {
    /// The till's view.
    pub view: &'a View,
    /// The till's state, for staff screens.
    pub state: &'a TillState,
    /// This instant.
    pub now: Now,
    /// The shop.
    pub config: &'a Configuration,
    /// Language on the screen.
    pub language: Language,
    /// The shop's clock.
    pub clock: Clock,
    /// Grid and search.
    pub browse: &'a Browse,
    /// Whom the kiosk's own QR codes pay, `BANK/ACCOUNT`.
    pub payee: Option<String>,
    /// Staff pad.
    pub desk: &'a Desk,
    /// Business day and papers of the staff.
    pub day: &'a Day,
    /// Panels over the till's screens.
    pub panels: &'a Panels,
    /// How much room the disk has.
    pub space: StorageLevel,
    /// When the terminal was last asked about a payment in doubt.
    pub recovery_asked_mono_ms: Option<u64>,
}

/// The counter program between its threads.
pub struct App {
    till: Till,
    clock: Clock,
    config: Configuration,
    scribe: Scribe,
    store: Store,
    devices: Devices,
    mailbox: Mailbox<AppEvent>,
    sync: SyncHandle,
    browse: Browse,
    desk: Desk,
    day: Day,
    panels: Panels,
    view: View,
    space: StorageLevel,
    recovery_asked_mono_ms: Option<u64>,
    wake_at_mono_ms: Option<u64>,
}

/// What an [`App`] is made of.
pub struct Parts {
    /// The till, recovered from the last durable state.
    pub till: Till,
    /// The shop's configuration.
    pub config: Configuration,
    /// Facts to journal events.
    pub scribe: Scribe,
    /// The store thread.
    pub store: Store,
    /// The device threads.
    pub devices: Devices,
    /// Where answers come back.
    pub mailbox: Mailbox<AppEvent>,
    /// The sync thread.
    pub sync: SyncHandle,
}

impl App {
    /// The program, ready for its first event.
    pub fn new(parts: Parts) -> Self {
        let clock = Clock::new(parts.config.zone);
        let view = parts.till.view(clock.now());
        Self {
            clock,
            view,
            browse: Browse::new(
                parts.config.promotions.clone(),
                parts.config.file.attract.promo_picture.clone(),
            ),
            desk: Desk::default(),
            day: Day::default(),
            panels: Panels::default(),
            space: StorageLevel::Plenty,
            recovery_asked_mono_ms: None,
            wake_at_mono_ms: None,
            till: parts.till,
            config: parts.config,
            scribe: parts.scribe,
            store: parts.store,
            devices: parts.devices,
            mailbox: parts.mailbox,
            sync: parts.sync,
        }
    }

    /// Asks for what the first screens show and wakes the till once.
    pub fn start(&mut self) {
        tracing::info!(screen = screen_name(&self.view.screen), "screen at start");
        self.ask_categories();
        self.ask_products();
        self.step(Event::Tick);
    }

    /// What to draw now.
    pub fn model(&self) -> Model<'_> {
        Model {
            view: &self.view,
            state: self.till.state(),
            now: self.clock.now(),
            config: &self.config,
            language: self.language(),
            clock: self.clock,
            browse: &self.browse,
            payee: self.till.config().payee.clone(),
            desk: &self.desk,
            day: &self.day,
            panels: &self.panels,
            space: self.space,
            recovery_asked_mono_ms: self.recovery_asked_mono_ms,
        }
    }

    /// The language on the screen.
    pub fn language(&self) -> Language {
        Language::from_code(&self.view.lang.0).unwrap_or(self.config.language)
    }

    /// When the till wants its next tick, monotonic milliseconds.
    pub fn wake_at_mono_ms(&self) -> Option<u64> {
        self.wake_at_mono_ms
    }

    /// The store's handle, for whoever watches over the store thread.
    pub fn store(&self) -> Store {
        self.store.clone()
    }

    /// The PIN pad counts down.
    pub fn is_pad_locked(&self) -> bool {
        self.desk.locked_ms(self.clock.now().mono_ms) > 0
    }

    /// Lets go of the devices; nothing reaches the world after this.
    pub fn stop(&mut self) {
        self.devices = Devices::none(self.mailbox.clone());
    }

    /// The timer went off.
    pub fn timer(&mut self) {
        self.step(Event::Tick);
    }

    /// Handles one event whole.
    pub fn handle(&mut self, event: AppEvent) {
        match event {
            AppEvent::Till(event) => self.till_event(event),
            AppEvent::Products { question, found } => self.browse.take(question, found),
            AppEvent::Categories(found) => self.browse.take_categories(found),
            AppEvent::Day(figures) => self.day.take(figures),
            AppEvent::Report(made) => self.report_made(made),
            AppEvent::Refundable(found) => self.refundable_found(found),
            AppEvent::Paper { job_no, said } => self.day.paper_said(job_no, said),
            AppEvent::Pin(who) => self.pin_checked(who),
            AppEvent::Reprint(sale) => self.print_copy_of(sale),
            AppEvent::Space(level) => self.space = level,
            AppEvent::Health(fault) => self.desk.storage = fault,
            AppEvent::Ui(event) => self.ui(event),
        }
    }

    /// A disk that is nearly full takes no new shopper; one that is being
    /// served is served to the end.
    fn no_room_for_sales(&self) -> bool {
        self.space == StorageLevel::NoSales && matches!(self.view.screen, Screen::Attract { .. })
    }

    /// A touch anywhere is a sign of life, whoever answers it. On the attract
    /// screen only its own controls begin a visit: a touch there that lands on
    /// "English" must not be taken for "start" first.
    fn touched(&mut self) {
        self.panels.time_given = false;
        if !matches!(self.view.screen, Screen::Attract { .. }) {
            self.step(Event::Touched);
        }
    }

    fn till_event(&mut self, event: Event) {
        if event == Event::Touched {
            self.touched();
            return;
        }
        if matches!(event, Event::Start | Event::Scanned(_)) {
            if self.no_room_for_sales() {
                return;
            }
            self.panels.close();
        }
        self.step(event);
    }

    /// One step of the till, and its effects.
    pub fn step(&mut self, event: Event) {
        let mut effects = Effects::new();
        let now = self.clock.now();
        self.till.step(now, event, &mut effects);
        let list: Vec<Effect> = effects.drain().collect();
        for effect in list {
            self.carry_out(now, effect);
        }
        // The till names a time only when it changes, and never one that has come: this one is spent. Kept, it would
        // wake the loop for ever.
        if self.wake_at_mono_ms.is_some_and(|at| at <= now.mono_ms) {
            self.wake_at_mono_ms = None;
        }
        let view = self.till.view(now);
        self.screen_changed(&view);
        self.panels.offer_e_receipt(&view.screen);
        self.view = view;
        self.give_more_time();
    }

    /// The shopper asked for more time: the first "are you still there?" of a
    /// quiet spell is answered for them.
    fn give_more_time(&mut self) {
        match self.view.screen {
            Screen::Idle if self.panels.access.more_time && !self.panels.time_given => {
                self.panels.time_given = true;
                self.step(Event::ExtendIdle);
            }
            _ => {}
        }
    }

    fn screen_changed(&mut self, next: &View) {
        let was_attract = matches!(self.view.screen, Screen::Attract { .. });
        let is_attract = matches!(next.screen, Screen::Attract { .. });
        if is_attract && !was_attract {
            // Nothing of one shopper is left for the next.
            self.panels = Panels::default();
            self.browse.reset();
            self.ask_products();
        }
        if std::mem::discriminant(&next.screen) != std::mem::discriminant(&self.view.screen) {
            tracing::info!(screen = screen_name(&next.screen), "screen");
            self.panels.screen_changed(&next.screen);
        }
        if self.desk.signed_in != next.staff.is_some() {
            self.desk.signed_in = next.staff.is_some();
            if next.staff.is_none() {
                self.desk.close();
                self.day.close();
            }
        }
    }

    fn carry_out(&mut self, now: Now, effect: Effect) {
        match effect {
            Effect::Store {
                ticket,
                facts,
                state,
            } => self.commit(now, ticket, &facts, &state),
            Effect::LookUp { ticket, code } => self.look_up(ticket, &code),
            Effect::WakeAt { mono_ms } => self.wake_at_mono_ms = Some(mono_ms),
            Effect::PrintVoucher { voucher, lang, .. } => self.print_voucher(&voucher, &lang),
            Effect::TerminalDayEnded { .. } => self.terminal_day_ended(),
            other => {
                if matches!(other, Effect::RecoverTerminal { .. }) {
                    self.recovery_asked_mono_ms = Some(now.mono_ms);
                }
                self.devices.carry_out(other);
            }
        }
    }

    fn commit(
        &mut self,
        now: Now,
        ticket: Ticket,
        facts: &[checkout::till::Fact],
        state: &TillState,
    ) {
        let commit = match commit::encode(&mut self.scribe, now, facts, state) {
            Ok(commit) => commit,
            Err(error) => {
                tracing::error!(%error, "facts cannot be written");
                let fault = StoreFault::Broken;
                let event = Event::StoreFailed { ticket, fault };
                self.post(AppEvent::Till(event));
                return;
            }
        };
        let mailbox = self.mailbox.clone();
        let sync = self.sync.clone();
        let basket_lines = state.visit.as_ref().map_or(0, |v| v.basket.lines.len());
        self.store.commit(commit, move |result| {
            let event = match result {
                Ok(_) => {
                    tracing::debug!(basket_lines, "stored");
                    sync.news();
                    Event::Stored(ticket)
                }
                Err(error) => {
                    tracing::error!(%error, "the store did not commit");
                    let fault = store_fault(&error);
                    Event::StoreFailed { ticket, fault }
                }
            };
            mailbox.post(AppEvent::Till(event));
        });
    }

    /// Posts from the UI thread itself, where waiting would be for ever.
    fn post(&self, event: AppEvent) {
        self.mailbox.post_soon(event);
    }

    fn look_up(&self, ticket: Ticket, code: &Code) {
        let mailbox = self.mailbox.clone();
        self.store.lookup(code.candidates.clone(), move |result| {
            let found = match result {
                Ok(mut found) => match found.len() {
                    0 => LookUpResult::None,
                    1 => LookUpResult::One(Box::new(found.remove(0).item)),
                    _ => LookUpResult::Many(found.into_iter().map(|f| f.item).collect()),
                },
                Err(error) => {
                    tracing::warn!(%error, "look-up failed");
                    LookUpResult::Failed
                }
            };
            mailbox.post(AppEvent::Till(Event::LookedUp { ticket, found }));
        });
    }

    fn ask_categories(&self) {
        let mailbox = self.mailbox.clone();
        self.store.run(
            |engine| engine.categories(),
            move |result| {
                mailbox.post(AppEvent::Categories(result));
            },
        );
    }

    fn ask_products(&mut self) {
        let mailbox = self.mailbox.clone();
        let question = self.browse.next_question();
        let ask = self.browse.ask();
        self.store.run(
            move |engine| ask.run(engine),
            move |found| {
                mailbox.post(AppEvent::Products { question, found });
            },
        );
    }

    fn ui(&mut self, event: UiEvent) {
        self.touched();
        match event {
            UiEvent::OpenPanel(panel) => self.panels.open(panel),
            UiEvent::ClosePanel => self.panels.close(),
            UiEvent::SetAccess(change, on) => change(&mut self.panels.access, on),
            UiEvent::ChangeQuantity(line, by) => self.change_quantity(&line, by),
            UiEvent::RemoveAgeLimited => self.remove_age_limited(),
            UiEvent::NextLanguage => {
                let next = self.language().next();
                self.step(Event::SetLanguage(Lang::new(next.code())));
            }
            UiEvent::OpenSearch
            | UiEvent::CloseSearch
            | UiEvent::TypeSearch(_)
            | UiEvent::EraseSearch
            | UiEvent::ClearSearch
            | UiEvent::ChooseCategory(_) => {
                if self.browse.touch(&event) {
                    self.ask_products();
                }
            }
            UiEvent::AddProduct(id) => self.add_product(&id),
            UiEvent::CancelWeight => self.step(Event::Back),
            UiEvent::DismissNotice => {}
            UiEvent::ResumeKey(_)
            | UiEvent::ResumeErase
            | UiEvent::ResumeSubmit
            | UiEvent::CouponKey(_)
            | UiEvent::CouponErase
            | UiEvent::CouponApply
            | UiEvent::ToggleReason(_)
            | UiEvent::SendReasons
            | UiEvent::OpenEReceipt(_) => {
                if let Some(event) = self.panels.touch(event) {
                    self.step(event);
                }
            }
            event => self.desk_touch(event),
        }
    }

    fn add_product(&mut self, id: &str) {
        let item = match &self.view.screen {
            Screen::Choose { items } => items.iter().find(|item| item.id.0.to_string() == id),
            _ => self.browse.item(id),
        };
        if let Some(item) = item.cloned() {
            // The keyboard makes room for the basket, so that it is seen.
            self.browse.searching = false;
            self.step(Event::Chosen(Box::new(item)));
        }
    }

    fn change_quantity(&mut self, line: &str, by_pieces: i64) {
        let lines = self.view.basket.lines.iter();
        let found = lines
            .map(|view| &view.line)
            .find(|l| l.id.0.to_string() == line);
        if let Some((line, quantity)) = found.map(|line| (line.id, line.quantity)) {
            let quantity = crate::view::changed(quantity, by_pieces);
            self.step(Event::SetQuantity { line, quantity });
        }
    }

    fn remove_age_limited(&mut self) {
        let lines = self.view.basket.lines.iter().map(|view| &view.line);
        let limited = lines.filter(|line| line.item.min_age.is_some());
        let limited: Vec<_> = limited.map(|line| line.id).collect();
        for line in limited {
            self.step(Event::Remove(line));
        }
    }

    fn desk_touch(&mut self, event: UiEvent) {
        if self.day_touch(&event) || self.give_back_touch(&event) {
            return;
        }
        if matches!(event, UiEvent::PinSubmit) {
            if let Some(pin) = self.desk.submit_pin(self.clock.now().mono_ms) {
                self.check_pin(pin);
            }
            return;
        }
        if let Some(number) = desk::copy_wanted(&event, self.till.state()) {
            self.fetch_sale(number);
            return;
        }
        let asked = self.desk.touch(&event, &self.view, self.till.state());
        if let Some(event) = asked {
            self.step(event);
        }
    }

    /// Reads a sale back from the store, to print a marked copy of its receipt.
    fn fetch_sale(&self, receipt_number: u64) {
        let mailbox = self.mailbox.clone();
        self.store.run(
            move |engine| engine.sale_json(receipt_number),
            move |result| {
                let json = result.ok().flatten();
                match json.and_then(|json| serde_json::from_str(&json).ok()) {
                    Some(sale) => {
                        mailbox.post(AppEvent::Reprint(sale));
                    }
                    None => tracing::warn!(receipt_number, "no such sale to print again"),
                }
            },
        );
    }

    /// Checks a PIN on a thread of its own: hashing takes longer than a frame.
    fn check_pin(&mut self, pin: String) {
        let mailbox = self.mailbox.clone();
        let staff = self.config.file.staff.clone();
        let spawned = std::thread::Builder::new()
            .name("pin".into())
            .spawn(move || {
                let who = crate::staff::who(&staff, &pin);
                mailbox.post(AppEvent::Pin(who));
            });
        if let Err(error) = spawned {
            tracing::error!(%error, "no thread to check a PIN");
            self.desk.pin_failed(self.clock.now().mono_ms);
        }
    }

    fn pin_checked(&mut self, who: Option<String>) {
        match who {
            Some(id) => {
                self.desk.pin_right();
                self.panels.close();
                self.ask_day();
                let staff = StaffId(id);
                self.step(Event::Staff(StaffEvent::SignedIn { staff }));
            }
            None => {
                tracing::info!("PIN refused");
                self.desk.pin_failed(self.clock.now().mono_ms);
            }
        }
    }
}
