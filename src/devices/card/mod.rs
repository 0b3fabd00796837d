//! The card terminal: the till's proofs become the driver's tokens, the
//! driver's outcomes become the till's words. Unknown stays unknown.

#[cfg(test)]
mod matrix;
mod orders;
mod words;

pub use words::SeenTransaction;

use super::{Report, device, terminal_said};
use crate::app::AppEvent;
use crate::config::Terminal;
use checkout::Money;
use checkout::till::{
    AttemptId, CardApproval, DeviceKind, DeviceState, Effect, Event, NotStartedReason, Recovery,
    TerminalSaid,
};
use hardware::terminal as hw;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use words::{card_approval, day_ended, finished, not_ready, order_kind, read_baseline};
use words::{read_reference, recovery, shopper_prompt, write_baseline};

type Pending = Arc<Mutex<BTreeMap<AttemptId, hw::Approval>>>;

fn lock(pending: &Pending) -> MutexGuard<'_, BTreeMap<AttemptId, hw::Approval>> {
    // Every change is one insert or removal; a panicked holder left it whole.
    pending.lock().unwrap_or_else(|broken| broken.into_inner())
}

/// Ties attempt numbers of this journal to the driver's 16-byte ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Namespace([u8; 8]);

impl Namespace {
    fn of_journal(journal: &str) -> Self {
        let digest = touchpoint::chain::sha256(journal.as_bytes());
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&digest[..8]);
        Self(bytes)
    }

    fn wide(self, attempt: AttemptId) -> hw::AttemptId {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.0);
        bytes[8..].copy_from_slice(&attempt.0.to_be_bytes());
        hw::AttemptId(bytes)
    }

    /// `None` for an attempt of another journal.
    fn narrow(self, attempt: hw::AttemptId) -> Option<AttemptId> {
        let (name, number) = attempt.0.split_at(8);
        let number: [u8; 8] = number.try_into().ok()?;
        (name == self.0).then(|| AttemptId(u64::from_be_bytes(number)))
    }
}

/// What the journal row says, for the driver's tokens. Made only from effects,
/// which carry the till's own proof that the row is on disk.
struct Row {
    attempt: hw::AttemptId,
    step: hw::JournalStep,
    /// `None` for a day close.
    amount: Option<hw::Amount>,
}

impl hw::JournalProof for Row {
    fn attempt(&self) -> hw::AttemptId {
        self.attempt
    }
    fn step(&self) -> hw::JournalStep {
        self.step
    }
    fn amount(&self) -> Option<hw::Amount> {
        self.amount
    }
}

/// The card lane.
pub struct CardLane {
    terminal: Box<dyn hw::PaymentTerminal>,
    namespace: Namespace,
    currency: hw::Currency,
    pending: Pending,
    report: Report,
}

/// Why there is no card lane.
#[derive(Debug, thiserror::Error)]
pub enum CardLaneError {
    /// The terminal's address is not HOST:PORT.
    #[error("terminal.tcp: {0:?} is not HOST:PORT. Write for example 192.168.1.50:20007")]
    Address(String),
    /// The driver refused its settings.
    #[error(transparent)]
    Config(#[from] hw::ConfigError),
    /// The currency has no number the terminal knows.
    #[error("shop.currency: card terminals of this kind do not know {0}. Remove [terminal]")]
    Currency(String),
}

impl CardLane {
    /// Starts the terminal of the configuration.
    ///
    /// # Errors
    /// [`CardLaneError`].
    pub fn spawn(
        config: &Terminal,
        currency: checkout::Currency,
        journal: &str,
        report: Report,
    ) -> Result<Self, CardLaneError> {
        let mut settings = hw::TerminalConfig::zvt(connection(config)?, currency.code());
        settings.password.clone_from(&config.password);
        Self::around(currency, journal, report, |listener| {
            let terminal = hw::TerminalDriver::spawn(settings, move |event| listener.hear(event))?;
            Ok(Box::new(terminal))
        })
    }

    /// The lane around a driver that tells everything to the listener.
    fn around(
        currency: checkout::Currency,
        journal: &str,
        report: Report,
        start: impl FnOnce(Listener) -> Result<Box<dyn hw::PaymentTerminal>, hw::ConfigError>,
    ) -> Result<Self, CardLaneError> {
        let code = currency.code();
        let number = hw::Currency::from_alpha(code)
            .ok_or_else(|| CardLaneError::Currency(code.to_owned()))?;
        let namespace = Namespace::of_journal(journal);
        let pending = Pending::default();
        let listener = Listener {
            namespace,
            currency,
            pending: pending.clone(),
            report: report.clone(),
        };
        Ok(Self {
            terminal: start(listener)?,
            namespace,
            currency: number,
            pending,
            report,
        })
    }

    fn amount(&self, amount: Money) -> hw::Amount {
        hw::Amount::new(u64::try_from(amount.minor).unwrap_or(0), self.currency)
    }

    /// Sends one effect to the terminal.
    pub fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::PrepareTerminal { attempt, .. } => {
                tracing::debug!(%attempt, "card: prepare");
                let sent = self.terminal.prepare(self.namespace.wide(attempt));
                self.or_not_started(attempt, sent);
            }
            Effect::AskTerminal {
                attempt,
                amount,
                baseline,
                ..
            } => self.authorise(attempt, amount, &baseline),
            Effect::ConfirmTerminal { attempt, .. } => self.confirm(attempt),
            Effect::AbortTerminal { attempt } => {
                let wide = self.namespace.wide(attempt);
                if let Err(error) = self.terminal.abort(wide) {
                    tracing::warn!(%error, %attempt, "abort");
                }
            }
            Effect::OrderTerminal {
                attempt,
                order,
                baseline,
                ..
            } => self.order(attempt, &order, baseline.as_deref()),
            Effect::RecoverTerminal {
                attempt,
                kind,
                amount,
                baseline,
                approval,
                ..
            } => {
                let kind = order_kind(kind);
                self.recover(
                    attempt,
                    kind,
                    amount,
                    baseline.as_deref(),
                    approval.as_ref(),
                );
            }
            _ => {}
        }
    }

    fn or_not_started(&self, attempt: AttemptId, sent: Result<(), hw::CommandRefused>) {
        if let Err(error) = sent {
            tracing::warn!(%error, %attempt, "card terminal");
            let said = TerminalSaid::NotStarted(NotStartedReason::Busy);
            terminal_said(&self.report, attempt, said);
        }
    }

    fn authorise(&self, attempt: AttemptId, amount: Money, baseline: &str) {
        tracing::debug!(%attempt, "card: ask");
        let wide = self.namespace.wide(attempt);
        let payment = hw::Payment {
            attempt: wide,
            amount: self.amount(amount),
            baseline: read_baseline(baseline),
        };
        let row = Row {
            attempt: wide,
            step: hw::JournalStep::Armed,
            amount: Some(payment.amount),
        };
        let sent = hw::Armed::new(payment, row)
            .map_err(hw::CommandRefused::from)
            .and_then(|armed| self.terminal.authorise(armed));
        self.or_not_started(attempt, sent);
    }

    fn confirm(&self, attempt: AttemptId) {
        tracing::debug!(%attempt, "card: confirm");
        let approval = lock(&self.pending).remove(&attempt);
        let stored = approval.map(|approval| {
            let row = Row {
                attempt: approval.attempt,
                step: hw::JournalStep::Approved,
                amount: Some(approval.amount),
            };
            hw::Durable::new(approval, row)
                .map_err(hw::CommandRefused::from)
                .and_then(|approval| self.terminal.approval_stored(approval))
        });
        // Without a pending approval the terminal's word came before a restart:
        // only recovery can tell what became of it.
        if !matches!(stored, Some(Ok(()))) {
            terminal_said(&self.report, attempt, TerminalSaid::Lost);
        }
    }

    fn recover(
        &self,
        attempt: AttemptId,
        kind: hw::OrderKind,
        amount: Money,
        baseline: Option<&str>,
        approval: Option<&CardApproval>,
    ) {
        tracing::debug!(%attempt, "card: recover");
        let wide = self.namespace.wide(attempt);
        let amount = self.amount(amount);
        let request = hw::RecoverRequest {
            attempt: wide,
            kind,
            amount,
            baseline: baseline.map_or(hw::Baseline::Unavailable, read_baseline),
            approval: approval.map(|known| hw::Approval {
                attempt: wide,
                kind,
                amount,
                identity: read_reference(&known.reference, amount),
                scheme: Some(known.scheme.clone()),
                card: None,
            }),
        };
        if let Err(error) = self.terminal.recover(request) {
            tracing::warn!(%error, %attempt, "recovery");
            let said = TerminalSaid::Recovered(Recovery::Unreachable);
            terminal_said(&self.report, attempt, said);
        }
    }
}

fn connection(config: &Terminal) -> Result<hw::Connection, CardLaneError> {
    if let Some(tcp) = &config.tcp {
        let address = || CardLaneError::Address(tcp.clone());
        let (host, port) = tcp.rsplit_once(':').ok_or_else(address)?;
        return Ok(hw::Connection::Tcp {
            host: host.to_owned(),
            port: port.parse().map_err(|_| address())?,
        });
    }
    let path = config.port.clone().unwrap_or_default();
    Ok(hw::Connection::Serial {
        path: path.to_string_lossy().into_owned(),
        baud: config.baud,
        two_stop_bits: true,
        seven_even: false,
    })
}

/// The driver's side.
struct Listener {
    namespace: Namespace,
    currency: checkout::Currency,
    pending: Pending,
    report: Report,
}

impl Listener {
    fn hear(&self, event: hw::TerminalEvent) {
        use hw::TerminalEvent as Said;
        match event {
            Said::Link(link) => {
                let state = match link {
                    hw::LinkState::Up { .. } => DeviceState::Up,
                    hw::LinkState::Down { .. } => DeviceState::Down,
                };
                device(&self.report, DeviceKind::Terminal, state);
            }
            Said::Prepared { attempt, baseline } => {
                let baseline = write_baseline(&baseline);
                self.say(attempt, TerminalSaid::Prepared { baseline });
            }
            Said::NotPrepared { attempt, why } => {
                tracing::warn!(%why, "card terminal not ready");
                self.say(attempt, TerminalSaid::NotStarted(not_ready(&why)));
            }
            Said::Prompt { attempt, prompt } => {
                self.say(attempt, TerminalSaid::Progress(shopper_prompt(prompt)));
            }
            Said::ApprovalPending { approval } => {
                let said = TerminalSaid::Approved(card_approval(&approval));
                if let Some(attempt) = self.namespace.narrow(approval.attempt) {
                    lock(&self.pending).insert(attempt, approval.clone());
                }
                self.say(approval.attempt, said);
            }
            Said::Finished { attempt, outcome } => {
                self.forget(attempt);
                self.say(attempt, finished(outcome));
            }
            Said::Recovered { attempt, recovered } => {
                self.say(attempt, TerminalSaid::Recovered(recovery(recovered)));
            }
            Said::EndOfDay { attempt, outcome } => {
                self.say(attempt, day_ended(outcome, self.currency));
            }
            Said::StrayApproval { .. } => {
                tracing::error!("the card terminal approved something nobody ordered");
            }
            Said::UnmaskedCardNumber => {
                tracing::error!(
                    "the card terminal sends unmasked card numbers; have it configured"
                );
            }
            _ => {}
        }
    }

    /// An order that ended asks for no confirmation any more.
    fn forget(&self, attempt: hw::AttemptId) {
        if let Some(attempt) = self.namespace.narrow(attempt) {
            lock(&self.pending).remove(&attempt);
        }
    }

    fn say(&self, attempt: hw::AttemptId, said: TerminalSaid) {
        if let Some(attempt) = self.namespace.narrow(attempt) {
            tracing::debug!(%attempt, said = said_in_a_word(&said), "card terminal");
            self.report
                .post(AppEvent::Till(Event::Terminal { attempt, said }));
        }
    }
}

/// For the log, without what the terminal said of itself.
fn said_in_a_word(said: &TerminalSaid) -> &'static str {
    match said {
        TerminalSaid::Prepared { .. } => "prepared",
        TerminalSaid::NotStarted(_) => "not started",
        TerminalSaid::Progress(_) => "progress",
        TerminalSaid::Approved(_) => "approved",
        TerminalSaid::Declined(_) => "declined",
        TerminalSaid::Completed => "completed",
        TerminalSaid::Lost | TerminalSaid::InDoubt(_) => "in doubt",
        TerminalSaid::Recovered(_) => "recovered",
        TerminalSaid::DayEnded(_) => "day ended",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_of_another_journal_are_not_ours() {
        // Proves that a reused terminal cannot answer for a restored journal's attempt.
        let ours = Namespace::of_journal("0190a1b2-0000-7000-8000-000000000001");
        let other = Namespace::of_journal("0190a1b2-0000-7000-8000-000000000002");
        assert_eq!(ours.narrow(ours.wide(AttemptId(142))), Some(AttemptId(142)));
        assert_eq!(ours.narrow(other.wide(AttemptId(142))), None);
    }
}
