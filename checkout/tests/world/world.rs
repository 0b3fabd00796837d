//! One seed, one world: a kiosk, its devices, people, and everything that goes wrong.

mod acts;
mod disk;
mod orders;

use std::collections::BTreeSet;

use checkout::Now;
use checkout::till::*;

use crate::check::{Journal, Violation};
use crate::devices::{self, Bank, Mail, Terminal, Txn};
use crate::questions::Questions;
use crate::rng::Dice;
use crate::shop;

/// Rules broken on purpose, to see that the checks notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The store says "stored" before it is.
    StoreAnswersEarly,
    /// What a power cut finds on disk is one write behind what was said.
    StoreForgetsLastWrite,
    /// The terminal is asked twice for one attempt.
    TerminalAskedTwice,
    /// One transfer is told under two references, as if it had not been recognised again.
    CreditCountedTwice,
    /// The questions about earlier offers never leave the kiosk.
    OffersNotAskedAbout,
}

const START_WALL_MS: i64 = 1_795_000_000_000;
/// Shoppers' acts per world.
const ACTS: u32 = 60;
/// An abandoned kiosk is back on the attract screen by then.
const AWAY_LIMIT_MS: u64 = 1_200_000;
/// All is settled by then, once people stop and staff work.
const QUIET_LIMIT_MS: u64 = 3 * 3_600_000;

struct Writing {
    ticket: Ticket,
    facts: Vec<Fact>,
    state: Box<TillState>,
    done_at: u64,
}

#[derive(Default, Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    pub sales: u64,
    pub power_cuts: u64,
    pub unknowns: u64,
    pub reviews: u64,
    pub parked: u64,
    pub shorts: u64,
    pub checks: u64,
    pub words: u64,
    pub vouchers: u64,
    pub give_backs: u64,
    pub days: u64,
    pub steps: u64,
}

pub struct World {
    dice: Dice,
    broken: Option<Broken>,
    till: Till,
    durable: Option<TillState>,
    before_last: Option<TillState>,
    journal: Journal,
    terminal: Terminal,
    bank: Bank,
    mail: Vec<(u64, u64, Event)>,
    posted: u64,
    writing: Option<Writing>,
    store_fault: Option<(StoreFault, u64)>,
    drawer_opened: u64,
    originals: BTreeSet<u64>,
    slips: BTreeSet<PrintJobId>,
    /// The printer's spool: jobs whose start is on disk. Nothing of any other job left the kiosk.
    spooled: BTreeSet<PrintJobId>,
    time: u64,
    boot_at: u64,
    clock_error_ms: i64,
    wake_at: Option<u64>,
    shopper_at: u64,
    staff_at: u64,
    chaos_at: u64,
    acts_left: u32,
    away_since: Option<u64>,
    disturbed_at: u64,
    seed: u64,
    parked_codes: Vec<String>,
    /// Codes on vouchers' papers, for ever: used ones are tried again.
    voucher_codes: Vec<String>,
    questions: Questions,
    pub stats: Stats,
}

/// Runs one seed to the end.
pub fn run(seed: u64, broken: Option<Broken>) -> Result<Stats, Violation> {
    let mut world = World::new(seed, broken);
    world.power_on();
    while world.acts_left > 0 {
        world.advance()?;
    }
    world.quiet()?;
    Ok(world.stats)
}

impl World {
    fn new(seed: u64, broken: Option<Broken>) -> World {
        let config = shop::config(seed);
        let is_mute = config.qr_confirm == QrConfirm::Staff;
        let now = Now {
            wall_ms: START_WALL_MS,
            utc_offset_min: 420,
            mono_ms: 0,
        };
        World {
            dice: Dice::new(seed),
            broken,
            till: Till::new(config, None, seed, now),
            durable: None,
            before_last: None,
            journal: Journal::default(),
            terminal: Terminal::default(),
            bank: Bank {
                is_mute,
                ..Bank::default()
            },
            mail: Vec::new(),
            posted: 0,
            writing: None,
            store_fault: None,
            drawer_opened: 0,
            originals: BTreeSet::new(),
            slips: BTreeSet::new(),
            spooled: BTreeSet::new(),
            time: 1_000,
            boot_at: 0,
            clock_error_ms: 0,
            wake_at: None,
            shopper_at: 1_500,
            staff_at: 20_000,
            chaos_at: 60_000,
            acts_left: ACTS,
            away_since: None,
            disturbed_at: 0,
            seed,
            parked_codes: Vec::new(),
            voucher_codes: Vec::new(),
            questions: Questions::default(),
            stats: Stats::default(),
        }
    }

    fn now(&self) -> Now {
        Now {
            wall_ms: START_WALL_MS + i64::try_from(self.time).unwrap_or(0) + self.clock_error_ms,
            utc_offset_min: 420,
            mono_ms: self.time - self.boot_at,
        }
    }

    fn power_on(&mut self) {
        self.post(0, Event::Tick);
    }

    fn post(&mut self, after: u64, event: Event) {
        self.posted += 1;
        self.mail.push((self.time + after, self.posted, event));
    }

    fn deliver(&mut self, mail: Mail) {
        for (after, event) in mail {
            self.post(after, event);
        }
    }

    // ---- time ----

    /// Goes to the next moment at which anything happens, and lets it happen.
    fn advance(&mut self) -> Result<(), Violation> {
        let next_mail = self.mail.iter().map(|(at, seq, _)| (*at, *seq)).min();
        let wake = self.wake_at.map(|mono| mono + self.boot_at);
        let writing = self.writing.as_ref().map(|writing| writing.done_at);
        let moments = [
            next_mail.map(|(at, _)| at),
            wake,
            writing,
            self.bank.next_say(),
            Some(self.shopper_at).filter(|_| self.acts_left > 0),
            Some(self.staff_at),
            Some(self.chaos_at).filter(|_| self.acts_left > 0),
        ];
        let next = moments.into_iter().flatten().min().unwrap_or(self.time);
        self.time = self.time.max(next);
        self.terminal.pass(self.time);
        if writing.is_some_and(|at| at <= self.time) {
            return self.finish_writing();
        }
        if let Some((at, seq)) = next_mail.filter(|(at, _)| *at <= self.time) {
            let index = self
                .mail
                .iter()
                .position(|(a, s, _)| (*a, *s) == (at, seq))
                .unwrap_or(0);
            let (_, _, event) = self.mail.swap_remove(index);
            return if self.is_stale(&event) {
                Ok(())
            } else {
                self.step(event)
            };
        }
        if wake.is_some_and(|at| at <= self.time) {
            self.wake_at = None;
            return self.step(Event::Tick);
        }
        if self.bank.next_say().is_some_and(|at| at <= self.time) {
            let mut mail = Mail::new();
            self.bank.say(self.time, &mut self.dice, &mut mail);
            if self.broken == Some(Broken::CreditCountedTwice) {
                mail.extend(
                    mail.clone()
                        .into_iter()
                        .map(|(after, event)| (after, renamed(event))),
                );
            }
            self.deliver(mail);
            return Ok(());
        }
        if self.acts_left > 0 && self.shopper_at <= self.time {
            return self.shopper_acts();
        }
        if self.staff_at <= self.time {
            return self.staff_acts();
        }
        if self.acts_left > 0 && self.chaos_at <= self.time {
            return self.chaos();
        }
        Ok(())
    }

    /// A terminal does not approve what it has dropped meanwhile (mostly).
    fn is_stale(&mut self, event: &Event) -> bool {
        let Event::Terminal {
            attempt,
            said: TerminalSaid::Approved(_),
        } = event
        else {
            return false;
        };
        let txn = self.terminal.txns.get(attempt).map(|(_, txn)| *txn);
        txn == Some(Txn::Nothing) && self.dice.chance(80)
    }

    fn chaos(&mut self) -> Result<(), Violation> {
        self.chaos_at = self.time + self.dice.between(10_000, 240_000);
        match self.dice.below(10) {
            0..3 => {
                self.power_cut()?;
            }
            3..5 => {
                let faults = [
                    StoreFault::Full,
                    StoreFault::ReadOnly,
                    StoreFault::Broken,
                    StoreFault::Busy,
                ];
                let until = self.time + self.dice.between(200, 60_000);
                self.store_fault = Some((*self.dice.pick(&faults), until));
            }
            5 => self.clock_error_ms -= 3_600_000,
            6 => self.clock_error_ms += 7_200_000,
            7 => self.clock_error_ms = if self.dice.chance(10) { 172_800_000 } else { 0 },
            _ => {
                let which =
                    *self
                        .dice
                        .pick(&[DeviceKind::Terminal, DeviceKind::Bank, DeviceKind::Printer]);
                let state = *self.dice.pick(&[DeviceState::Up, DeviceState::Down]);
                self.step(Event::Device { which, state })?;
                self.post(
                    20_000,
                    Event::Device {
                        which,
                        state: DeviceState::Up,
                    },
                );
            }
        }
        Ok(())
    }

    // ---- the kiosk ----

    fn step(&mut self, event: Event) -> Result<(), Violation> {
        self.stats.steps += 1;
        let mut effects = Effects::new();
        let now = self.now();
        self.till.step(now, event, &mut effects);
        let list: Vec<Effect> = effects.drain().collect();
        for effect in list {
            if self.acts_left > 0 && self.dice.below(1_000) < 4 {
                return self.power_cut();
            }
            self.carry_out(effect)?;
        }
        self.look()
    }

    fn look(&mut self) -> Result<(), Violation> {
        let view = self.till.view(self.now());
        self.journal.allow_view(&view)?;
        self.stats.shorts += u64::from(matches!(view.screen, Screen::Underpaid(_)));
        self.stats.checks += u64::from(matches!(view.screen, Screen::BankCheck(_)));
        if let Screen::Parked { code, .. } = &view.screen
            && !self.parked_codes.contains(code)
        {
            self.stats.parked += 1;
            self.parked_codes.insert(0, code.clone());
            self.parked_codes.truncate(3);
        }
        let in_doubt = matches!(
            view.screen,
            Screen::Unknown { .. } | Screen::Saving { .. } | Screen::OutOfOrder { .. }
        );
        if in_doubt || matches!(view.screen, Screen::Attract { .. }) || view.storage.is_some() {
            self.disturbed_at = self.time;
        }
        let since = self.away_since.map(|left| left.max(self.disturbed_at));
        if since.is_some_and(|since| self.time - since > AWAY_LIMIT_MS) {
            return Err(format!(
                "nobody is here, and the screen stays: {:?}",
                view.screen
            ));
        }
        Ok(())
    }

    fn carry_out(&mut self, effect: Effect) -> Result<(), Violation> {
        self.journal.allow(&effect, self.drawer_opened)?;
        let (time, mut mail) = (self.time, Mail::new());
        let dice = &mut self.dice;
        match effect {
            Effect::Store {
                ticket,
                facts,
                state,
            } => {
                self.questions
                    .before_tenders(&facts, &state, self.boot_at)?;
                return self.write(ticket, facts, state);
            }
            Effect::LookUp { ticket, code } => {
                let found = if dice.chance(3) {
                    LookUpResult::Failed
                } else {
                    shop::look_up(&code.candidates)
                };
                if !dice.chance(3) {
                    devices::send(dice, &mut mail, 5, Event::LookedUp { ticket, found });
                }
            }
            Effect::PrepareTerminal { attempt, .. } => {
                self.terminal.prepare(attempt, dice, &mut mail)
            }
            Effect::AskTerminal {
                attempt, amount, ..
            } => {
                self.terminal
                    .ask(attempt, amount.minor, time, dice, &mut mail);
                if self.broken == Some(Broken::TerminalAskedTwice) {
                    self.terminal
                        .ask(attempt, amount.minor, time, dice, &mut mail);
                }
                if let Some(attempt) = self.terminal.asked_twice {
                    return Err(format!("the terminal was asked twice for {attempt}"));
                }
            }
            Effect::ConfirmTerminal { attempt, .. } => {
                self.terminal.confirm(attempt, time, dice, &mut mail)
            }
            Effect::AbortTerminal { attempt } => {
                self.terminal.abort(attempt, time, dice, &mut mail)
            }
            Effect::RecoverTerminal { attempt, .. } => {
                self.terminal.recover(attempt, time, dice, &mut mail)
            }
            Effect::AskBank {
                attempt,
                amount,
                order_code,
                ..
            } => {
                self.bank
                    .ask(attempt, amount.minor, &order_code, dice, &mut mail);
            }
            Effect::CheckBank { attempt } => {
                if self.broken != Some(Broken::OffersNotAskedAbout) {
                    self.questions.asked(attempt, time);
                }
                self.bank.check(attempt, dice, &mut mail);
            }
            Effect::CancelBank { attempt } => self.bank.cancel(attempt, dice, &mut mail),
            Effect::AckCredit { credit, .. } => self.bank.ack(&credit),
            Effect::Print {
                job,
                receipt,
                copy_number,
                ..
            } => {
                let number = receipt.receipt_number;
                let starts = devices::print(job, dice, &mut mail);
                if starts {
                    self.spooled.insert(job);
                    if copy_number == 0 && !self.originals.insert(number) {
                        return Err(format!("two originals of receipt {number}"));
                    }
                }
            }
            Effect::PrintSlip {
                job, copy_number, ..
            } => {
                if devices::print(job, dice, &mut mail) {
                    self.spooled.insert(job);
                    if copy_number == 0 && !self.slips.insert(job) {
                        return Err(format!("slip {job:?} was printed twice"));
                    }
                }
            }
            Effect::OpenDrawer { .. } => self.drawer_opened += 1,
            Effect::WakeAt { mono_ms } => self.wake_at = Some(mono_ms),
            Effect::PrintVoucher { voucher, .. } => {
                if !self.journal.vouchers.contains_key(&voucher.review) {
                    return Err(format!("on paper, but not on disk: {voucher:?}"));
                }
                if !self.voucher_codes.contains(&voucher.code) {
                    self.voucher_codes.push(voucher.code.clone());
                }
            }
            Effect::OrderTerminal { attempt, order, .. } => {
                self.terminal.order(attempt, &order, time, dice, &mut mail);
                if let Some(attempt) = self.terminal.asked_twice {
                    return Err(format!("the terminal was asked twice for {attempt}"));
                }
            }
            Effect::TerminalDayEnded { .. } => {}
            Effect::WatchBank { .. } | Effect::StopWatching { .. } | Effect::HelpLamp(_) => {}
        }
        self.deliver(mail);
        Ok(())
    }

    // ---- the end ----

    /// No more shoppers, no more accidents, staff at work: all must come to rest and add up.
    fn quiet(&mut self) -> Result<(), Violation> {
        self.away_since = Some(self.time);
        self.disturbed_at = self.time;
        let until = self.time + QUIET_LIMIT_MS;
        while !self.is_at_rest() {
            if self.time > until {
                let view = self.till.view(self.now());
                return Err(format!("never came to rest: {:?}", view.screen));
            }
            self.advance()?;
        }
        self.is_bounded()?;
        let state = self.till.state().clone();
        self.journal.balance(&state, &self.terminal, &self.bank)?;
        self.stats.sales = self.journal.sales.len() as u64;
        self.stats.unknowns = self.journal.unknown.len() as u64;
        self.stats.reviews = state.counters.review;
        self.stats.words = self.journal.seen.len() as u64;
        self.stats.vouchers = self.journal.vouchers_redeemed;
        self.stats.give_backs = self.journal.give_backs;
        self.stats.days = self.journal.terminal_days;
        Ok(())
    }

    fn is_bounded(&self) -> Result<(), Violation> {
        let state = self.till.state();
        let bounded = state.parked.len() <= PARKED_MAX
            && state.watched.len() <= WATCHED_MAX
            && state.unprinted.len() <= UNPRINTED_MAX
            && state.seen_credits.len() <= SEEN_CREDITS_MAX
            && state.closed_cards.len() <= CLOSED_CARDS_MAX
            && state.unconfirmed.len() <= UNCONFIRMED_MAX
            && state.vouchers.len() <= VOUCHERS_MAX;
        if bounded {
            Ok(())
        } else {
            Err("a list grew beyond its bound".to_owned())
        }
    }

    fn is_at_rest(&self) -> bool {
        let state = self.till.state();
        state.visit.is_none()
            && self.till.can_reconfigure()
            && self.mail.is_empty()
            && self.writing.is_none()
            && (self.bank.is_mute || self.bank.credits.iter().all(|credit| credit.acked))
            && state
                .unconfirmed
                .iter()
                .all(|entry| entry.looked_up.is_some())
            && !state
                .reviews
                .iter()
                .any(|r| matches!(r.kind, ReviewKind::Contradiction | ReviewKind::GaveBack))
    }
}

/// The same news of a credit under another reference.
fn renamed(event: Event) -> Event {
    match event {
        Event::Bank {
            attempt,
            said: BankSaid::Credit(credit),
        } => Event::Bank {
            attempt,
            said: BankSaid::Credit(Credit {
                id: format!("{}/2", credit.id),
                ..credit
            }),
        },
        other => other,
    }
}
