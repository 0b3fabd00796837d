//! Time: every screen that could stay for ever has a limit, and what happens then.

use super::{
    AttemptStatus, Deadline, Event, Front, PrintOutcome, TenderKind, TerminalSaid, Till, VisitEnd,
    What,
};

/// A moment at which something has to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    Notice,
    LookUp,
    StaffIdle,
    AttractLanguage,
    IdleWarning,
    IdleOver,
    Attempt,
    BankCheck,
    Exit,
    HelpOnExit,
    Watch,
    /// The terminal is asked again about an attempt that staff settled.
    Settled,
    /// The terminal's time for an order of staff is over.
    Order,
    /// Nothing to do but to look again (a write to retry, a price that changes by time).
    Look,
}

/// Timers fired per step; more than any screen has, so a chain always ends.
const FIRED_MAX: u32 = 16;
/// How long an offer's window must stay over before it is forgotten: a clock that is wrong for a while
/// must not make the kiosk forget whom it owes a look.
const WATCH_GRACE_MS: u64 = 3_600_000;
/// Left-behind offers are looked at this often at most.
const WATCH_PAUSE_MAX_MS: u64 = 3_600_000;

impl Till {
    /// Does what is due. Each timer that fires moves its own deadline.
    pub(super) fn run_timers(&mut self) {
        for _ in 0..FIRED_MAX {
            let due = self
                .timers()
                .into_iter()
                .flatten()
                .filter(|(at, _)| *at <= self.now.mono_ms);
            let Some((_, timer)) = due
                .filter(|(_, timer)| *timer != Timer::Look)
                .min_by_key(|(at, _)| *at)
            else {
                break;
            };
            self.fire(timer);
        }
        if !self.is_overdue() {
            self.overdue_since_mono_ms = None;
        }
        self.reprice_with_time();
    }

    pub(super) fn next_timer_mono_ms(&self) -> Option<u64> {
        let next = self.timers().into_iter().flatten().map(|(at, _)| at).min();
        next.map(|at| at.max(self.now.mono_ms + 1))
    }

    fn fire(&mut self, timer: Timer) {
        match timer {
            Timer::Notice => self.notice = None,
            Timer::LookUp => self.look_up_timed_out(),
            Timer::StaffIdle => self.sign_out(),
            Timer::AttractLanguage => self.attract_lang = None,
            Timer::IdleWarning => self.warn_idle(),
            Timer::IdleOver => self.idle_is_over(),
            Timer::Attempt => self.attempt_timed_out(),
            Timer::BankCheck => self.bank_is_silent(),
            Timer::Exit => self.exit_timed_out(),
            Timer::HelpOnExit => self.end_help(),
            Timer::Watch => self.windows_are_over(),
            Timer::Settled => self.ask_about_settled(),
            Timer::Order => self.order_timed_out(),
            Timer::Look => {}
        }
    }

    fn timers(&self) -> [Option<(u64, Timer)>; 10] {
        let limits = &self.config.limits;
        let staff_idle = self.staff.as_ref().filter(|_| !self.order_is_running());
        let staff_idle = staff_idle.map(|staff| {
            (
                staff.last_mono_ms.saturating_add(limits.staff_idle_ms),
                Timer::StaffIdle,
            )
        });
        let attract = (self.front == Front::Attract && self.attract_lang.is_some()).then(|| {
            (
                self.input_mono_ms.saturating_add(limits.idle_ms),
                Timer::AttractLanguage,
            )
        });
        [
            self.notice
                .as_ref()
                .map(|(_, until)| (*until, Timer::Notice)),
            self.look_ups
                .front()
                .map(|pending| (pending.deadline_mono_ms, Timer::LookUp)),
            staff_idle,
            attract,
            self.front_timer(),
            self.watch_timer(),
            self.settled_ask_mono_ms.map(|at| (at, Timer::Settled)),
            self.order_timer().map(|at| (at, Timer::Order)),
            self.gate.retry_at_mono_ms().map(|at| (at, Timer::Look)),
            self.gate
                .silent_at_mono_ms()
                .filter(|at| *at > self.now.mono_ms)
                .map(|at| (at, Timer::Look)),
        ]
    }

    fn watch_timer(&self) -> Option<(u64, Timer)> {
        let watched = self
            .state
            .watched
            .iter()
            .map(|watched| watched.until_wall_ms);
        let vouchers = self
            .state
            .vouchers
            .iter()
            .map(|voucher| voucher.until_wall_ms);
        let until = watched.chain(vouchers).min()?;
        if until < self.now.wall_ms {
            let since = self.overdue_since_mono_ms;
            let at = since.map_or(self.now.mono_ms, |since| {
                since.saturating_add(WATCH_GRACE_MS)
            });
            return Some((at, Timer::Watch));
        }
        let left = until.saturating_sub(self.now.wall_ms).saturating_add(1);
        let pause = u64::try_from(left).unwrap_or(0).min(WATCH_PAUSE_MAX_MS);
        Some((self.now.mono_ms.saturating_add(pause), Timer::Look))
    }

    fn is_overdue(&self) -> bool {
        self.watch_timer()
            .is_some_and(|(_, timer)| timer == Timer::Watch)
    }

    /// A window is over by the wall clock, which may be wrong: it must stay so for a while.
    fn windows_are_over(&mut self) {
        let now = self.now.mono_ms;
        let since = *self.overdue_since_mono_ms.get_or_insert(now);
        if now.saturating_sub(since) >= WATCH_GRACE_MS {
            self.overdue_since_mono_ms = None;
            self.end_watches();
            self.end_vouchers();
        }
    }

    /// The limit of the screen the shopper is on.
    fn front_timer(&self) -> Option<(u64, Timer)> {
        let limits = &self.config.limits;
        let after = |ms: u64| self.entered_mono_ms.saturating_add(ms);
        match &self.front {
            Front::Attract => None,
            Front::Paid if !self.paid_shown => None,
            Front::Paid | Front::Tap | Front::Reasons(_) | Front::Thanks if self.help.open => {
                let at = self.input_mono_ms.saturating_add(limits.staff_wait_ms);
                Some((at, Timer::HelpOnExit))
            }
            Front::Paid => Some((after(limits.paid_ms), Timer::Exit)),
            Front::Tap if self.paper_is_missing() => {
                Some((after(limits.tap_ms.max(limits.code_ms)), Timer::Exit))
            }
            Front::Tap => Some((after(limits.tap_ms), Timer::Exit)),
            Front::Reasons(_) => Some((after(limits.reasons_ms), Timer::Exit)),
            Front::Thanks => Some((after(limits.thanks_ms), Timer::Exit)),
            Front::Parked { .. } => Some((after(limits.parked_screen_ms), Timer::Exit)),
            Front::Tender => self.attempt_timer(),
            Front::BankCheck(check) if !check.silent => {
                let at = check.since_mono_ms.saturating_add(limits.offer_check_ms);
                Some((at, Timer::BankCheck))
            }
            Front::Age | Front::Weigh => Some(self.idle_timer(limits.staff_wait_ms)),
            _ if self.help.open => Some(self.idle_timer(limits.staff_wait_ms)),
            Front::Shop
            | Front::Choose(..)
            | Front::Pay
            | Front::Underpaid(_)
            | Front::BankCheck(_) => Some(self.idle_timer(limits.idle_ms)),
        }
    }

    /// The shopper has no proven receipt and may take it with a phone.
    fn paper_is_missing(&self) -> bool {
        let visit = self.state.visit.as_ref();
        let print = visit.and_then(|visit| visit.print.as_ref());
        print.is_some_and(|print| {
            matches!(
                print.outcome,
                PrintOutcome::Failed(_) | PrintOutcome::Unknown
            )
        })
    }

    fn idle_timer(&self, limit_ms: u64) -> (u64, Timer) {
        match self.idle_warned_mono_ms {
            Some(at) => (
                at.saturating_add(self.config.limits.idle_warning_ms),
                Timer::IdleOver,
            ),
            None => (
                self.input_mono_ms.saturating_add(limit_ms),
                Timer::IdleWarning,
            ),
        }
    }

    fn attempt_timer(&self) -> Option<(u64, Timer)> {
        let limits = &self.config.limits;
        let active = self.active()?;
        let since = |ms: u64| self.live.since_mono_ms.saturating_add(ms);
        let at = match (active.kind, &active.status) {
            (_, AttemptStatus::Waiting) => return Some(self.idle_timer(limits.staff_wait_ms)),
            (TenderKind::Card, AttemptStatus::Intended) => since(limits.terminal_prepare_ms),
            (TenderKind::Card, AttemptStatus::Armed | AttemptStatus::Approved) => {
                since(limits.terminal_answer_ms)
            }
            (_, AttemptStatus::Unknown) => self.live.recover_at_mono_ms?,
            (TenderKind::Qr, AttemptStatus::Intended) => since(limits.offer_create_ms),
            (TenderKind::Qr, AttemptStatus::Showing | AttemptStatus::Checking) => {
                match self.live.cancelling_since {
                    Some(at) => at.saturating_add(limits.offer_cancel_ms),
                    None => self.live.until_mono_ms,
                }
            }
            _ => return None,
        };
        Some((at, Timer::Attempt))
    }

    fn attempt_timed_out(&mut self) {
        match self.active().map(|attempt| attempt.kind) {
            Some(TenderKind::Card) => self.card_timed_out(),
            Some(TenderKind::Qr) => self.offer_timed_out(),
            _ => {}
        }
    }

    fn warn_idle(&mut self) {
        self.idle_warned_mono_ms = Some(self.now.mono_ms);
        let place = self.place();
        if let Some(visit) = &mut self.state.visit {
            visit.counts.idle_warnings = visit.counts.idle_warnings.saturating_add(1);
        }
        self.record(What::IdleWarned { place });
    }

    /// Nobody is here: the basket is parked, never wiped.
    fn idle_is_over(&mut self) {
        self.idle_warned_mono_ms = None;
        if self.front == Front::Tender {
            self.end_attempt(AttemptStatus::Left, None);
        }
        // A credit may just have completed the sale.
        let Some(visit) = self
            .state
            .visit
            .as_ref()
            .filter(|_| self.front != Front::Paid)
        else {
            return;
        };
        if visit.basket.is_empty() && visit.tenders.is_empty() {
            return self.end_visit(VisitEnd::Idle);
        }
        self.park(true);
    }

    /// Promotions and prices change with time; while shopping the screen follows.
    fn reprice_with_time(&mut self) {
        let minute = self.now.wall_ms.div_euclid(60_000);
        if minute != self.priced_minute {
            self.priced_minute = minute;
            if self
                .state
                .visit
                .as_ref()
                .is_some_and(|visit| visit.priced_at.is_none())
            {
                self.reprice();
            }
        }
    }

    /// What the screen counts down to.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        let limits = &self.config.limits;
        let (at_mono_ms, timer) = self.front_timer()?;
        let span_ms = match (timer, &self.front) {
            (Timer::IdleOver, _) => limits.idle_warning_ms,
            (Timer::Exit, Front::Paid) => limits.paid_ms,
            (Timer::Exit, Front::Tap) => limits.tap_ms,
            (Timer::Exit, Front::Reasons(_)) => limits.reasons_ms,
            (Timer::Exit, Front::Thanks) => limits.thanks_ms,
            (Timer::Exit, Front::Parked { .. }) => limits.parked_screen_ms,
            (Timer::Attempt, _) if self.live.shown => self.live.span_ms,
            _ => return None,
        };
        Some(Deadline {
            at_mono_ms,
            span_ms,
        })
    }
}

/// Every kind of input keeps a visit alive: touch, scan, scale, staff, the card at the terminal.
pub(super) fn is_input(event: &Event) -> bool {
    match event {
        Event::Terminal { said, .. } => matches!(said, TerminalSaid::Progress(_)),
        Event::LookedUp { .. }
        | Event::Bank { .. }
        | Event::Printer { .. }
        | Event::Device { .. }
        | Event::Stored(_)
        | Event::StoreFailed { .. }
        | Event::Tick => false,
        _ => true,
    }
}
