//! The counter as one state machine: events in, effects out.
//!
//! [`Till::step`] takes one [`Event`] and appends [`Effect`]s; [`Till::view`] is what the screen
//! shows. The program and the simulator drive the same code. Effects that touch money, paper
//! or the drawer carry a [`Durable`]: proof that the row they rest on is on disk.

mod bank_check;
mod boot;
mod card;
mod codes;
mod config;
mod credit;
mod doubt;
mod effect;
mod event;
mod exit;
mod fact;
mod gate;
mod idle;
mod order;
mod order_end;
mod ordering;
mod parking;
mod payment;
mod printed;
mod qr;
mod random;
mod sale;
mod screen;
mod shopping;
mod staff;
mod staff_transfer;
mod state;
mod terminal_day;
mod view;
mod voucher;
mod weighing;

pub use config::{ConfigFault, Limits, QrConfirm, REASONS_MAX, ReasonsConfig, TillConfig};
pub use effect::{ClaimSlip, Effect, Effects, Ticket};
pub use event::*;
pub use fact::{AddedBy, DrawerReason, Fact, Place, VisitEnd, What};
pub use gate::Durable;
pub use order::*;
pub use printed::*;
pub use sale::{Sale, SaleLine, Tender, TenderKind};
pub use state::*;
pub use terminal_day::*;
pub use view::*;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::barcode::Code;
use crate::clock::Now;
use crate::item::Item;
use crate::money::Money;
use crate::pricing::{Priced, PricingError};
use gate::{Deed, Gate};
use idle::is_input;
use random::Random;

/// Facts that may wait for a broken disk before shoppers' events are put off.
const BACKLOG_MAX: usize = 500;

/// One counter. See the [module](self).
#[derive(Clone, Debug)]
pub struct Till {
    config: TillConfig,
    state: TillState,
    gate: Gate,
    random: Random,
    now: Now,
    out: Vec<Effect>,
    front: Front,
    entered_mono_ms: u64,
    input_mono_ms: u64,
    idle_warned_mono_ms: Option<u64>,
    help: Help,
    staff: Option<Staff>,
    devices: BTreeMap<DeviceKind, DeviceState>,
    unrecorded_devices: BTreeSet<DeviceKind>,
    notice: Option<(Notice, u64)>,
    look_ups: VecDeque<PendingLookUp>,
    pay_wanted: bool,
    priced: Option<Result<Priced, PricingError>>,
    priced_minute: i64,
    part_minor: Option<i64>,
    live: Live,
    /// The same about the order of staff at the terminal.
    order_live: Live,
    order_ended: Option<OrderEnded>,
    paid_shown: bool,
    lamp: bool,
    wake_at: Option<u64>,
    attract_lang: Option<Lang>,
    wrong_codes: u32,
    codes_locked_until: u64,
    settled_ask_mono_ms: Option<u64>,
    /// Since when a window (of a watched offer, of a voucher) is over by the wall clock.
    overdue_since_mono_ms: Option<u64>,
}

/// Where the shopper is, in more detail than must survive a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Front {
    Attract,
    Shop,
    /// What is weighed stands in the visit.
    Weigh,
    Choose(Vec<Item>, Option<Box<Code>>),
    Age,
    Pay,
    /// A transfer was too small.
    Underpaid(AttemptId),
    /// Earlier offers are asked about before another way to pay.
    BankCheck(BankCheck),
    /// The active attempt decides.
    Tender,
    /// The sale is done; shown once it is on disk.
    Paid,
    Tap,
    Reasons(Vec<String>),
    Thanks,
    Parked {
        code: String,
        until_wall_ms: i64,
        tendered_minor: i64,
        lang: Lang,
    },
}

/// The question about earlier offers.
#[derive(Clone, Debug, PartialEq, Eq)]
struct BankCheck {
    /// What begins once all have answered.
    kind: TenderKind,
    /// Offers the bank has not answered about since.
    pending: BTreeSet<AttemptId>,
    since_mono_ms: u64,
    /// It took too long, and the shopper was told.
    silent: bool,
    link: BankLink,
}

#[derive(Clone, Debug, Default)]
struct Help {
    open: bool,
    since_mono_ms: u64,
    answered: bool,
}

#[derive(Clone, Debug)]
struct Staff {
    id: StaffId,
    last_mono_ms: u64,
}

#[derive(Clone, Debug)]
struct PendingLookUp {
    ticket: Ticket,
    visit: VisitId,
    code: Box<Code>,
    deadline_mono_ms: u64,
}

/// What is known about the active attempt only while the program runs.
#[derive(Clone, Debug, Default)]
struct Live {
    since_mono_ms: u64,
    /// Card: `AskTerminal` has left the till.
    asked: bool,
    /// Card: `ConfirmTerminal` has left the till.
    confirmed: bool,
    prompt: Option<TerminalPrompt>,
    cancelling_since: Option<u64>,
    recover_asked: u32,
    recover_at_mono_ms: Option<u64>,
    needs_staff: bool,
    /// Card: the terminal is asked about an attempt before, first.
    waits_for_settled: bool,
    /// QR: the offer is on disk and on the screen.
    shown: bool,
    until_mono_ms: u64,
    span_ms: u64,
    extensions: u32,
    checked_mono_ms: Option<u64>,
    link: BankLink,
    /// QR, while cancelling: the bank's last word about the offer, `true` when no money can come.
    cancel_said: Option<bool>,
    /// QR, while cancelling: other offers of the visit still to be answered about.
    unasked: BTreeSet<AttemptId>,
}

impl Till {
    /// A till going on from `state`, the last durable snapshot (`None` for a fresh journal).
    /// `seed` must differ at every start (visit ids are made from it). What a restart makes
    /// necessary is done in the first [`step`](Till::step); send a `Tick` at once.
    pub fn new(config: TillConfig, state: Option<TillState>, seed: u64, now: Now) -> Till {
        let mut state = state.unwrap_or_default();
        let before_first = config.first_receipt_number.max(1) - 1;
        state.counters.receipt = state.counters.receipt.max(before_first);
        let mut till = Till {
            config,
            state,
            gate: Gate::default(),
            random: Random::new(seed),
            now,
            out: Vec::new(),
            front: Front::Attract,
            entered_mono_ms: now.mono_ms,
            input_mono_ms: now.mono_ms,
            idle_warned_mono_ms: None,
            help: Help::default(),
            staff: None,
            devices: BTreeMap::new(),
            unrecorded_devices: BTreeSet::new(),
            notice: None,
            look_ups: VecDeque::new(),
            pay_wanted: false,
            priced: None,
            priced_minute: now.wall_ms.div_euclid(60_000),
            part_minor: None,
            live: Live::default(),
            order_live: Live::default(),
            order_ended: None,
            paid_shown: false,
            lamp: false,
            wake_at: None,
            attract_lang: None,
            wrong_codes: 0,
            codes_locked_until: 0,
            settled_ask_mono_ms: None,
            overdue_since_mono_ms: None,
        };
        till.restore();
        till
    }

    /// What happens when `event` happens at `now`. Effects are appended in the order they must
    /// be carried out. Never panics, whatever the event.
    pub fn step(&mut self, now: Now, event: Event, effects: &mut Effects) {
        let mono_ms = now.mono_ms.max(self.now.mono_ms);
        self.now = Now { mono_ms, ..now };
        if is_input(&event) {
            self.input();
        }
        self.handle(event);
        self.run_timers();
        self.flush();
        for effect in self.out.drain(..) {
            effects.push(effect);
        }
    }

    /// The durable part, as the next write will hold it.
    pub fn state(&self) -> &TillState {
        &self.state
    }

    /// What the till was told about the shop.
    pub fn config(&self) -> &TillConfig {
        &self.config
    }

    /// Whether nothing would be disturbed by new configuration: attract screen, all on disk.
    pub fn can_reconfigure(&self) -> bool {
        self.state.visit.is_none()
            && self.state.order.is_none()
            && self.front == Front::Attract
            && self.gate.backlog() == 0
    }

    /// Takes new configuration; refused (`false`) unless [`can_reconfigure`](Till::can_reconfigure).
    pub fn reconfigure(&mut self, config: TillConfig) -> bool {
        if !self.can_reconfigure() {
            return false;
        }
        self.config = config;
        self.attract_lang = None;
        true
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Staff(event) => self.on_staff(event),
            Event::Terminal { attempt, said } if self.is_order(attempt) => self.on_order(said),
            Event::Terminal { attempt, said } => self.on_terminal(attempt, said),
            Event::Bank { attempt, said } => self.on_bank(attempt, said),
            Event::Printer { job, said } => self.on_printer(job, said),
            Event::Device { which, state } => self.on_device(which, state),
            Event::Stored(ticket) => self.on_stored(ticket),
            Event::StoreFailed { ticket, fault } => self.on_store_failed(ticket, fault),
            Event::LookedUp { ticket, found } => self.on_looked_up(ticket, found),
            Event::Tick => {}
            Event::Touched => {
                // Whoever types on a staff pad touches the screen and does nothing else for a while.
                if let Some(staff) = &mut self.staff {
                    staff.last_mono_ms = self.now.mono_ms;
                    // Their own panel lies over the attract screen: nobody began to shop.
                    if self.front == Front::Attract {
                        return;
                    }
                }
                self.on_shopper(Event::Touched);
            }
            event => self.on_shopper(event),
        }
    }

    /// Buttons and scans. While the disk fails only those count that start nothing new.
    fn on_shopper(&mut self, event: Event) {
        let harmless = matches!(
            event,
            Event::CancelTender
                | Event::CallHelp
                | Event::CancelHelp
                | Event::ExtendIdle
                | Event::ExtendOffer
                | Event::Skip
                | Event::Done
                | Event::Park
                | Event::Abandon
        );
        if self.is_blocked() && !harmless && !self.paid_shown {
            return;
        }
        match event {
            Event::Touched | Event::Start => self.touched(),
            Event::SetLanguage(lang) => self.set_language(lang),
            Event::Scanned(scan) => self.on_scan(&scan),
            Event::Chosen(item) => self.on_chosen(*item),
            Event::Weighed { quantity } => self.on_weighed(quantity),
            Event::SetQuantity { line, quantity } => self.set_quantity(line, quantity),
            Event::Remove(line) => self.remove_line(line, None),
            Event::EnterCoupon(code) if self.is_voucher(&code) => self.redeem_voucher(&code),
            Event::EnterCoupon(code) => self.enter_coupon(&code),
            Event::RemoveCoupon(code) => self.remove_coupon(&code),
            Event::Pay => self.pay(),
            Event::SetPart(part) => self.set_part(part),
            Event::ChooseTender(kind) => self.choose_tender(kind),
            Event::CancelTender => self.cancel_tender(),
            Event::ExtendOffer if self.bank_check().is_some() => self.ask_bank_again(),
            Event::ExtendOffer => self.extend_offer(),
            Event::GoOn => self.go_on_unasked(),
            Event::Back => self.back(),
            Event::Park => self.park_by_shopper(),
            Event::Resume(code) => self.resume(&code, false),
            Event::Abandon => self.abandon(),
            Event::PrintSlip => self.print_slip(false),
            Event::CallHelp => self.call_help(),
            Event::CancelHelp => self.end_help(),
            Event::Face(face) => self.on_face(face),
            Event::Reasons(reasons) => self.on_reasons(&reasons),
            Event::Skip | Event::Done => self.skip(),
            _ => {}
        }
    }

    fn is_blocked(&self) -> bool {
        self.gate.fault(self.now.mono_ms).is_some() || self.gate.backlog() > BACKLOG_MAX
    }

    fn touched(&mut self) {
        match self.front {
            Front::Attract => self.start_visit(),
            Front::Paid | Front::Thanks | Front::Parked { .. } => self.skip(),
            _ => {}
        }
    }

    fn back(&mut self) {
        match &self.front {
            _ if self.help.open => self.end_help(),
            Front::Age if !self.basket_is_open() => self.tell(Notice::MoneyTaken),
            Front::Weigh | Front::Choose(..) | Front::Age => self.enter(Front::Shop),
            Front::Pay => self.leave_pay(),
            Front::Underpaid(_) | Front::BankCheck(_) => self.enter(Front::Pay),
            Front::Tender => self.cancel_tender(),
            Front::Parked { .. } => self.skip(),
            _ => {}
        }
    }

    fn on_device(&mut self, which: DeviceKind, state: DeviceState) {
        let news = self.devices.insert(which, state) != Some(state);
        if news {
            self.unrecorded_devices.insert(which);
        }
        self.record_devices();
        if news && which == DeviceKind::Printer && state != DeviceState::Down {
            self.resend_unsent();
        }
    }

    /// A device that flaps while the disk fails must not fill the memory: its last state is
    /// recorded once there is room again.
    fn record_devices(&mut self) {
        if self.gate.backlog() > BACKLOG_MAX {
            return;
        }
        for which in std::mem::take(&mut self.unrecorded_devices) {
            if let Some(&state) = self.devices.get(&which) {
                self.record_outside(What::DeviceChanged { which, state });
            }
        }
    }

    fn on_stored(&mut self, ticket: Ticket) {
        let Some((deeds, durable)) = self.gate.stored(ticket) else {
            return;
        };
        for deed in deeds {
            self.do_deed(deed, durable);
        }
    }

    fn on_store_failed(&mut self, ticket: Ticket, fault: StoreFault) {
        let (min, max) = (
            self.config.limits.store_retry_min_ms,
            self.config.limits.store_retry_max_ms,
        );
        let pause = |failures: u32| min.saturating_mul(1 << failures.min(16)).min(max);
        self.gate.failed(ticket, fault, self.now.mono_ms, pause);
    }

    /// The row is on disk. A deed whose reason is gone meanwhile (cancelled, timed out) is dropped.
    fn do_deed(&mut self, deed: Deed, durable: Durable) {
        let wanted = match &deed {
            Deed::PrepareTerminal { attempt, .. } | Deed::AskBank { attempt, .. } => {
                self.active_status(*attempt) == Some(&AttemptStatus::Intended)
                    || self.order_is(*attempt, &AttemptStatus::Intended)
            }
            Deed::OrderTerminal { attempt, .. } => {
                let armed = self.order_is(*attempt, &AttemptStatus::Armed);
                let first = armed && !self.order_live.asked;
                self.order_live.asked |= armed;
                first
            }
            Deed::ConfirmTerminal { attempt } if self.is_order(*attempt) => {
                let approved = self.order_is(*attempt, &AttemptStatus::Approved);
                self.order_live.confirmed |= approved;
                if approved {
                    self.note_order(Step::Confirmed);
                }
                approved
            }
            Deed::AskTerminal { attempt, .. } => {
                let armed = self.active_status(*attempt) == Some(&AttemptStatus::Armed);
                let first = armed && !self.live.asked;
                self.live.asked |= armed;
                first
            }
            Deed::ConfirmTerminal { attempt } => {
                let approved = self.active_status(*attempt) == Some(&AttemptStatus::Approved);
                self.live.confirmed |= approved;
                if approved {
                    self.note(Step::Confirmed);
                }
                approved
            }
            Deed::RecoverTerminal { attempt, .. } => {
                self.active_status(*attempt) == Some(&AttemptStatus::Unknown)
                    || self.order_is(*attempt, &AttemptStatus::Unknown)
                    || self.is_settled(*attempt)
            }
            Deed::ShowOffer { attempt } => {
                self.show_offer(*attempt);
                false
            }
            Deed::ShowPaid => {
                self.show_paid();
                false
            }
            Deed::ShowReasons => {
                self.show_reasons();
                false
            }
            Deed::AckCredit { .. }
            | Deed::Print { .. }
            | Deed::PrintSlip { .. }
            | Deed::PrintVoucher { .. }
            | Deed::TerminalDayEnded { .. }
            | Deed::OpenDrawer => true,
        };
        if let Some(effect) = deed.effect(durable)
            && wanted
        {
            self.out.push(effect);
        }
    }

    /// Hands the next batch to the store and keeps lamp and alarm clock right.
    fn flush(&mut self) {
        self.record_devices();
        if let Some(store) = self.gate.next_store(self.now.mono_ms, &mut self.state) {
            self.out.push(store);
        }
        let lamp = self.wants_lamp();
        if lamp != self.lamp {
            self.lamp = lamp;
            self.out.push(Effect::HelpLamp(lamp));
        }
        let wake_at = self.next_timer_mono_ms();
        if wake_at != self.wake_at {
            self.wake_at = wake_at;
            if let Some(mono_ms) = wake_at {
                self.out.push(Effect::WakeAt { mono_ms });
            }
        }
    }

    fn wants_lamp(&self) -> bool {
        let active = self.active().map(|attempt| &attempt.status);
        self.help.open
            || matches!(self.front, Front::Age | Front::Weigh)
            || matches!(
                active,
                Some(AttemptStatus::Waiting | AttemptStatus::Unknown)
            )
    }

    // ---- small things everybody needs ----

    fn input(&mut self) {
        self.input_mono_ms = self.now.mono_ms;
        self.idle_warned_mono_ms = None;
    }

    fn enter(&mut self, front: Front) {
        if front != Front::Weigh {
            self.leave_weighing();
        }
        self.front = front;
        self.entered_mono_ms = self.now.mono_ms;
        self.pay_wanted = false;
    }

    fn record(&mut self, what: What) {
        let visit = self.state.visit.as_ref().map(|visit| visit.id.clone());
        self.gate.fact(Fact {
            at: self.now,
            visit,
            what,
        });
    }

    /// A fact that belongs to no visit.
    fn record_outside(&mut self, what: What) {
        self.gate.fact(Fact {
            at: self.now,
            visit: None,
            what,
        });
    }

    fn tell(&mut self, notice: Notice) {
        let until = self
            .now
            .mono_ms
            .saturating_add(self.config.limits.notice_ms);
        self.notice = Some((notice, until));
    }

    fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.config.rules.currency)
    }

    fn active(&self) -> Option<&Attempt> {
        let visit = self.state.visit.as_ref()?;
        visit
            .attempts
            .iter()
            .find(|attempt| Some(attempt.id) == visit.active)
    }

    fn active_mut(&mut self) -> Option<&mut Attempt> {
        let visit = self.state.visit.as_mut()?;
        let active = visit.active;
        visit
            .attempts
            .iter_mut()
            .find(|attempt| Some(attempt.id) == active)
    }

    fn active_status(&self, attempt: AttemptId) -> Option<&AttemptStatus> {
        self.active()
            .filter(|active| active.id == attempt)
            .map(|active| &active.status)
    }

    fn set_active_status(&mut self, status: AttemptStatus) {
        if let Some(attempt) = self.active_mut() {
            attempt.status = status;
        }
    }
}
