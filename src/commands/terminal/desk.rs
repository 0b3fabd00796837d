//! One order at a terminal, from the journal's row to how it ended, with everything said that is
//! known.
//!
//! The order of things is fixed: what an earlier run left open is asked about first; an order is
//! written down before it is sent; an approval is written down before it is acknowledged; and
//! after an answer that leaves the order in doubt nothing further is ordered until it is settled.

use super::journal::{Entry, FileJournal, Ordered, Source, Verdict};
use super::words;
use crate::format::Language;
use anyhow::{Context, Result};
use hardware::terminal::doctor::Finding;
use hardware::terminal::{
    Amount, Approval, Armed, AttemptId, Baseline, Durable, LinkFault, LinkState, NotStarted,
    OrderKind, Outcome, Payment, PaymentTerminal, Recovered, Refund, Reversal, TerminalConfig,
    TerminalDriver, TerminalEvent, TerminalHandle, TerminalStatus, Unknown,
};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How a command ended; the exit code says the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It happened: money moved as ordered, the day is closed, the terminal is ready.
    Done,
    /// The terminal said no. No money moved.
    Declined,
    /// Nothing of the order was sent, or the terminal would not begin. No money moved.
    NotStarted,
    /// It is not known whether money moved. Run the same command again: it asks first.
    Unknown,
    /// An earlier order turned out to have happened; this one was not sent.
    EarlierHappened,
}

impl Ending {
    /// 0 done, 3 declined, 4 not started, 5 unknown, 6 the earlier one happened. (1 is any other
    /// error and 2 a wrong command line.)
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Declined => 3,
            Self::NotStarted => 4,
            Self::Unknown => 5,
            Self::EarlierHappened => 6,
        }
    }
}

/// What is wanted of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Money from a card.
    Pay(Amount),
    /// Money to a card.
    Refund(Amount),
    /// The transaction with this receipt number taken back.
    Reverse(u16, Amount),
}

impl Wanted {
    fn amount(self) -> Amount {
        match self {
            Self::Pay(amount) | Self::Refund(amount) | Self::Reverse(_, amount) => amount,
        }
    }

    fn kind(self) -> OrderKind {
        match self {
            Self::Pay(_) => OrderKind::Payment,
            Self::Refund(_) => OrderKind::Refund,
            Self::Reverse(..) => OrderKind::Reversal,
        }
    }
}

/// Where it happens and how long it may take.
#[derive(Clone, Debug)]
pub struct Place {
    /// Settings of the driver.
    pub config: TerminalConfig,
    /// `HOST:PORT` or a path, as the journal writes it.
    pub name: String,
    /// Longest wait for the first connection.
    pub connect: Duration,
    /// Whether an order that ends in doubt is asked about at once.
    pub ask_at_once: bool,
}

/// A terminal, its journal and somebody who reads what is said.
pub struct Desk<'a> {
    pub(super) place: Place,
    pub(super) journal: &'a mut FileJournal,
    pub(super) language: Language,
    pub(super) say: &'a mut dyn FnMut(String),
}

/// An order that has left.
pub struct Sent {
    handle: TerminalHandle,
    events: Receiver<TerminalEvent>,
    attempt: AttemptId,
}

impl<'a> Desk<'a> {
    /// A desk that says what it knows with `say`, a line at a time.
    pub fn new(
        place: Place,
        journal: &'a mut FileJournal,
        language: Language,
        say: &'a mut dyn FnMut(String),
    ) -> Self {
        Self {
            place,
            journal,
            language,
            say,
        }
    }

    /// Orders `wanted`, once, after what an earlier run left open is settled.
    ///
    /// # Errors
    /// The journal cannot be written or the settings are wrong; nothing was sent that the journal
    /// does not know.
    pub fn order(&mut self, wanted: Wanted) -> Result<Ending> {
        if let Some(why) = self.does_not_fit(wanted.amount()) {
            return Ok(self.not_started(&why));
        }
        if let Some(ending) = self.settle_earlier()? {
            self.tell("Lệnh mới KHÔNG được gửi.", "The new order was NOT sent.");
            return Ok(ending);
        }
        match self.send(wanted)? {
            Ok(sent) => self.finish(sent),
            Err(ending) => Ok(ending),
        }
    }

    /// Settles what an earlier run left open, and orders nothing.
    ///
    /// # Errors
    /// As for [`Self::order`].
    pub fn recover(&mut self) -> Result<Ending> {
        if self.journal.open_entry().is_none() {
            self.tell("Không có giao dịch nào chưa rõ.", "Nothing is in doubt.");
            return Ok(Ending::Done);
        }
        Ok(self.settle_earlier()?.unwrap_or(Ending::Done))
    }

    /// Asks for the terminal's condition.
    ///
    /// # Errors
    /// The settings are wrong.
    pub fn status(&mut self) -> Result<Ending> {
        if let Some(entry) = self.journal.open_entry().cloned() {
            let what = self.describe(&entry.ordered);
            self.tell(
                &format!("Chưa rõ kết quả: {what}"),
                &format!("In doubt: {what}"),
            );
        }
        let (handle, events) = self.connect()?;
        if !self.wait_up(&events) {
            return Ok(Ending::NotStarted);
        }
        handle.status()?;
        let until = Instant::now() + self.place.connect;
        loop {
            match self.next(&events, until) {
                Some(TerminalEvent::Status(status)) => {
                    let finding = Finding::Condition(status);
                    self.tell(&finding.text_vi(), &finding.text_en());
                    let ready =
                        matches!(status, TerminalStatus::Ready | TerminalStatus::NotReported);
                    return Ok(if ready {
                        Ending::Done
                    } else {
                        Ending::NotStarted
                    });
                }
                Some(other) => self.hear(&other),
                None => {
                    self.tell("Máy thẻ không trả lời.", "The terminal does not answer.");
                    return Ok(Ending::NotStarted);
                }
            }
        }
    }

    /// Why `amount` cannot be ordered from this terminal; checked before anything is sent.
    fn does_not_fit(&self, amount: Amount) -> Option<NotStarted> {
        let digits = self.place.config.protocol.amount_digits();
        if amount.minor == 0 {
            return Some(NotStarted::AmountIsZero);
        }
        (amount.minor >= 10u64.saturating_pow(u32::from(digits))).then_some(
            NotStarted::AmountDoesNotFit {
                minor: amount.minor,
                digits,
            },
        )
    }

    /// `None` when the way is free for a new order.
    pub(super) fn settle_earlier(&mut self) -> Result<Option<Ending>> {
        let Some(entry) = self.journal.open_entry().cloned() else {
            return Ok(None);
        };
        let what = self.describe(&entry.ordered);
        self.tell(
            &format!("Lần chạy trước dừng giữa chừng: {what}. Đang hỏi máy thẻ."),
            &format!("An earlier run did not finish: {what}. Asking the terminal."),
        );
        let attempt = entry.ordered.attempt;
        if entry.ordered.place != self.place.name
            || entry.ordered.protocol != self.place.config.protocol
        {
            let place = &entry.ordered.place;
            self.tell(
                &format!("Giao dịch đó ở máy thẻ khác ({place}). Chạy lại với máy thẻ đó."),
                &format!("That was at another terminal ({place}). Run again with that one."),
            );
            return Ok(Some(Ending::Unknown));
        }
        if entry.request().is_none() {
            self.tell(
                "Không rõ máy thẻ đã kết toán chưa; không có tiền nào bị nghi ngờ.",
                "It is not known whether the day was closed; no money is in doubt.",
            );
            self.journal
                .closed(attempt, Verdict::Unsettled, Source::Recovery)?;
            return Ok(None);
        }
        let (handle, events) = self.connect()?;
        let ending = self.ask(&entry, &handle, &events)?;
        Ok(match ending {
            Ending::Done => Some(Ending::EarlierHappened),
            Ending::Unknown => Some(Ending::Unknown),
            _ => None,
        })
    }

    /// Asks the terminal what became of `entry` and settles it as far as it says.
    fn ask(
        &mut self,
        entry: &Entry,
        handle: &TerminalHandle,
        events: &Receiver<TerminalEvent>,
    ) -> Result<Ending> {
        let Some(request) = entry.request() else {
            return Ok(Ending::Unknown);
        };
        let attempt = request.attempt;
        handle.recover(request)?;
        let recovered = loop {
            match events.recv() {
                Ok(TerminalEvent::Recovered {
                    attempt: of,
                    recovered,
                }) if of == attempt => {
                    break recovered;
                }
                Ok(other) => self.hear(&other),
                Err(_) => return Ok(self.still_unknown(attempt)),
            }
        };
        match recovered {
            Recovered::Happened { approval, .. } => {
                let evidence = words::approval(&approval, self.language);
                self.tell(
                    &format!("Bằng chứng của máy thẻ: {evidence}"),
                    &format!("Evidence of the terminal: {evidence}"),
                );
                self.journal.approved(&approval)?;
                self.settle(attempt, Verdict::Happened, Source::Recovery)?;
                self.done(&approval);
                Ok(Ending::Done)
            }
            Recovered::DidNotHappen(how) => {
                self.settle(attempt, Verdict::DidNotHappen, Source::Recovery)?;
                self.did_not_happen(attempt, how);
                Ok(Ending::Declined)
            }
            Recovered::Foreign { seen } => {
                let seen = words::identity(&seen, self.language);
                self.tell(
                    &format!("Giao dịch cuối của máy thẻ là của người khác: {seen}"),
                    &format!("The terminal's last transaction is another one: {seen}"),
                );
                Ok(self.still_unknown(attempt))
            }
            Recovered::CannotTell { why } => {
                let why = words::not_ready(&why, self.language);
                (self.say)(why);
                Ok(self.still_unknown(attempt))
            }
        }
    }

    /// Prepares, writes down and sends; `Err` when it did not come to that.
    ///
    /// # Errors
    /// As for [`Self::order`].
    pub fn send(&mut self, wanted: Wanted) -> Result<Result<Sent, Ending>> {
        let (handle, events) = self.connect()?;
        let can = handle.capabilities();
        let able = match wanted {
            Wanted::Pay(_) => true,
            Wanted::Refund(_) => can.can_refund,
            Wanted::Reverse(..) => can.can_reverse,
        };
        if !able {
            return Ok(Err(self.not_started(&NotStarted::Unsupported)));
        }
        if !self.wait_up(&events) {
            return Ok(Err(Ending::NotStarted));
        }
        let attempt = AttemptId(uuid::Uuid::now_v7().into_bytes());
        let Some(baseline) = self.prepare(&handle, &events, attempt)? else {
            return Ok(Err(Ending::NotStarted));
        };
        let (amount, kind) = (wanted.amount(), wanted.kind());
        let receipt = match wanted {
            Wanted::Reverse(receipt, _) => Some(receipt),
            _ => None,
        };
        let ordered = self.ordered(attempt, kind, Some(amount), receipt, baseline.clone());
        let what = self.describe(&ordered);
        let proof = self.journal.armed(ordered)?;
        self.tell(
            &format!("Đã ghi sổ, đang gửi: {what}"),
            &format!("On disk, sending: {what}"),
        );
        match wanted {
            Wanted::Pay(_) => {
                let order = Payment {
                    attempt,
                    amount,
                    baseline,
                };
                handle.authorise(Armed::new(order, proof)?)?;
            }
            Wanted::Refund(_) => {
                let order = Refund {
                    attempt,
                    amount,
                    baseline,
                };
                handle.refund(Armed::new(order, proof)?)?;
            }
            Wanted::Reverse(receipt_number, _) => {
                let order = Reversal {
                    attempt,
                    receipt_number,
                    amount,
                    baseline,
                };
                handle.reverse(Armed::new(order, proof)?)?;
            }
        }
        Ok(Ok(Sent {
            handle,
            events,
            attempt,
        }))
    }

    pub(super) fn ordered(
        &self,
        attempt: AttemptId,
        kind: OrderKind,
        amount: Option<Amount>,
        receipt: Option<u16>,
        baseline: Baseline,
    ) -> Ordered {
        Ordered {
            at_ms: crate::clock::wall_ms(),
            attempt,
            protocol: self.place.config.protocol,
            place: self.place.name.clone(),
            kind,
            amount,
            receipt,
            baseline,
        }
    }

    /// Waits for the end of an order that has left and settles it.
    ///
    /// # Errors
    /// As for [`Self::order`]; the order is then still open and the next run asks about it.
    pub fn finish(&mut self, sent: Sent) -> Result<Ending> {
        let Sent {
            handle,
            events,
            attempt,
        } = sent;
        let outcome = loop {
            match events.recv() {
                Ok(TerminalEvent::ApprovalPending { approval }) if approval.attempt == attempt => {
                    self.store(&handle, approval)?;
                }
                Ok(TerminalEvent::Finished {
                    attempt: of,
                    outcome,
                }) if of == attempt => {
                    break outcome;
                }
                Ok(other) => self.hear(&other),
                Err(_) => {
                    break Outcome::Unknown {
                        why: Unknown::DriverStopped,
                    };
                }
            }
        };
        match outcome {
            Outcome::Approved(approval) => {
                self.settle(attempt, Verdict::Happened, Source::Terminal)?;
                self.done(&approval);
                Ok(Ending::Done)
            }
            Outcome::Declined { reason } => {
                self.settle(attempt, Verdict::DidNotHappen, Source::Terminal)?;
                self.declined(reason);
                Ok(Ending::Declined)
            }
            Outcome::NotStarted { why } => {
                self.settle(attempt, Verdict::DidNotHappen, Source::Terminal)?;
                Ok(self.not_started(&why))
            }
            Outcome::Unknown { why } => {
                let why = words::unknown(&why, self.language);
                self.tell(
                    &format!("Chưa rõ: {why}. Xin đừng trả lại lần nữa."),
                    &format!("In doubt: {why}. Please do not pay again."),
                );
                let entry = self.journal.open_entry().cloned();
                match entry.filter(|_| self.place.ask_at_once) {
                    Some(entry) => self.ask(&entry, &handle, &events),
                    None => Ok(self.still_unknown(attempt)),
                }
            }
        }
    }

    /// Writes the approval down, then acknowledges it; refuses it when it cannot be written.
    fn store(&mut self, handle: &TerminalHandle, approval: Approval) -> Result<()> {
        let evidence = words::approval(&approval, self.language);
        let attempt = approval.attempt;
        match self.journal.approved(&approval) {
            Ok(proof) => {
                self.tell(
                    &format!("Máy thẻ chuẩn chi, đã ghi sổ: {evidence}"),
                    &format!("The terminal approves, on disk: {evidence}"),
                );
                handle.approval_stored(Durable::new(approval, proof)?)?;
            }
            Err(error) => {
                (self.say)(error.to_string());
                handle.approval_refused(attempt)?;
            }
        }
        Ok(())
    }

    pub(super) fn connect(&self) -> Result<(TerminalHandle, Receiver<TerminalEvent>)> {
        let (sender, events) = channel();
        let handle = TerminalDriver::spawn(self.place.config.clone(), move |event| {
            // Nobody listens any more once the command is over.
            let _ = sender.send(event);
        })
        .context("the settings of the terminal are wrong")?;
        Ok((handle, events))
    }

    /// Waits for the first connection; says why there is none.
    pub(super) fn wait_up(&mut self, events: &Receiver<TerminalEvent>) -> bool {
        let until = Instant::now() + self.place.connect;
        loop {
            match self.next(events, until) {
                Some(TerminalEvent::Link(LinkState::Up { terminal_id })) => {
                    let found = Finding::Connected { terminal_id };
                    self.tell(&found.text_vi(), &found.text_en());
                    return true;
                }
                Some(TerminalEvent::Link(LinkState::Down { why })) => {
                    let passing = matches!(why, LinkFault::Lost { .. } | LinkFault::StartingClean);
                    self.hear(&TerminalEvent::Link(LinkState::Down { why }));
                    if !passing {
                        break;
                    }
                }
                Some(other) => self.hear(&other),
                None => break,
            }
        }
        self.not_started(&NotStarted::NotConnected);
        false
    }

    /// The terminal's last transaction; `None`, with the reason said, when it is not ready.
    fn prepare(
        &mut self,
        handle: &TerminalHandle,
        events: &Receiver<TerminalEvent>,
        attempt: AttemptId,
    ) -> Result<Option<Baseline>> {
        handle.prepare(attempt)?;
        loop {
            match events.recv() {
                Ok(TerminalEvent::Prepared {
                    attempt: of,
                    baseline,
                }) if of == attempt => {
                    let last = words::baseline(&baseline, self.language);
                    self.tell(
                        &format!("Giao dịch cuối của máy thẻ: {last}"),
                        &format!("Last transaction of the terminal: {last}"),
                    );
                    return Ok(Some(baseline));
                }
                Ok(TerminalEvent::NotPrepared { attempt: of, why }) if of == attempt => {
                    let why = words::not_ready(&why, self.language);
                    self.nothing_sent(&why);
                    return Ok(None);
                }
                Ok(other) => self.hear(&other),
                Err(_) => {
                    self.not_started(&NotStarted::NotConnected);
                    return Ok(None);
                }
            }
        }
    }

    fn next(&mut self, events: &Receiver<TerminalEvent>, until: Instant) -> Option<TerminalEvent> {
        let left = until.saturating_duration_since(Instant::now());
        events.recv_timeout(left).ok()
    }

    fn settle(&mut self, attempt: AttemptId, verdict: Verdict, source: Source) -> Result<()> {
        self.journal
            .closed(attempt, verdict, source)
            .with_context(|| {
                format!("how {attempt} ended could not be written; the next run asks the terminal")
            })
    }
}

#[cfg(test)]
impl Sent {
    /// Waits for the approval and leaves it unacknowledged.
    pub(super) fn approval(&self) -> Option<Approval> {
        self.events.iter().find_map(|event| match event {
            TerminalEvent::ApprovalPending { approval } => Some(approval),
            _ => None,
        })
    }
}
