//! A kiosk in miniature around a terminal driver: journal, events, waiting.
#![allow(dead_code, clippy::unwrap_used)]

use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use hardware::terminal::{
    Amount, Approval, Armed, AttemptId, Baseline, Connection, Currency, DayClose, DayCloseOutcome,
    Durable, JournalProof, JournalStep, LinkState, NotReady, Outcome, Payment, PaymentTerminal,
    RecoverRequest, Recovered, Refund, Reversal, TerminalConfig, TerminalDriver, TerminalEvent,
    TerminalHandle, TerminalSim, Timeouts,
};

/// Longest wait for an event; far above anything a healthy run needs.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Stands for the store's commit receipt.
pub struct Stored {
    pub attempt: AttemptId,
    pub step: JournalStep,
    pub amount: Option<Amount>,
}

impl JournalProof for Stored {
    fn attempt(&self) -> AttemptId {
        self.attempt
    }
    fn step(&self) -> JournalStep {
        self.step
    }
    fn amount(&self) -> Option<Amount> {
        self.amount
    }
}

pub fn attempt(number: u8) -> AttemptId {
    AttemptId([number; 16])
}

pub fn armed(attempt: AttemptId, amount: Amount, baseline: Baseline) -> Armed<Payment> {
    let proof = Stored {
        attempt,
        step: JournalStep::Armed,
        amount: Some(amount),
    };
    Armed::new(
        Payment {
            attempt,
            amount,
            baseline,
        },
        proof,
    )
    .unwrap()
}

pub fn durable(approval: &Approval) -> Durable<Approval> {
    let proof = Stored {
        attempt: approval.attempt,
        step: JournalStep::Approved,
        amount: Some(approval.amount),
    };
    Durable::new(approval.clone(), proof).unwrap()
}

/// Limits for tests in which nothing may run into a limit, also on a machine that does something
/// else for a second. The limits themselves are proven in simulated time.
pub fn patient() -> Timeouts {
    Timeouts {
        reconnect_ms: 1,
        poll_ms: 10,
        connect_ms: 30_000,
        inter_byte_ms: 10_000,
        acknowledge_ms: 30_000,
        reply_ms: 30_000,
        recover_ms: 50_000,
        ..Timeouts::default()
    }
}

pub struct Rig {
    pub handle: TerminalHandle,
    pub events: Receiver<TerminalEvent>,
    /// Every event seen, as a log would show it.
    pub log: Vec<String>,
}

impl Rig {
    pub fn new(sim: &TerminalSim, currency: &str, timeouts: Timeouts) -> Self {
        let mut config = TerminalConfig::zvt(sim.connection(), currency);
        config.timeouts = timeouts;
        Self::with(config)
    }

    pub fn with(config: TerminalConfig) -> Self {
        let (sender, events) = channel();
        let handle = TerminalDriver::spawn(config, move |event| {
            let _ = sender.send(event);
        })
        .unwrap();
        Self {
            handle,
            events,
            log: Vec::new(),
        }
    }

    /// Waits for the first event `pick` accepts.
    pub fn wait<T>(&mut self, what: &str, mut pick: impl FnMut(&TerminalEvent) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let event = match self.events.recv_timeout(left) {
                Ok(event) => event,
                Err(error) => panic!("no {what} ({error}); seen so far: {:#?}", self.log),
            };
            self.log.push(format!("{event:?}"));
            if let Some(found) = pick(&event) {
                return found;
            }
        }
    }

    pub fn wait_up(&mut self) {
        self.wait("link up", |event| {
            matches!(event, TerminalEvent::Link(LinkState::Up { .. })).then_some(())
        });
    }

    pub fn prepare(&mut self, attempt: AttemptId) -> Baseline {
        let handle = self.handle.clone();
        handle.prepare(attempt).unwrap();
        self.wait("baseline", |event| match event {
            TerminalEvent::Prepared { baseline, .. } => Some(baseline.clone()),
            // The link may just be coming back; asking again is always safe.
            TerminalEvent::NotPrepared {
                why: NotReady::NotConnected,
                ..
            } => {
                handle.prepare(attempt).unwrap();
                None
            }
            TerminalEvent::NotPrepared { why, .. } => panic!("not prepared: {why}"),
            _ => None,
        })
    }

    pub fn wait_approval(&mut self) -> Approval {
        self.wait("approval", |event| match event {
            TerminalEvent::ApprovalPending { approval } => Some(approval.clone()),
            TerminalEvent::Finished { outcome, .. } => panic!("finished instead: {outcome:?}"),
            _ => None,
        })
    }

    pub fn wait_outcome(&mut self) -> Outcome {
        self.wait("outcome", |event| match event {
            TerminalEvent::Finished { outcome, .. } => Some(outcome.clone()),
            _ => None,
        })
    }

    /// A payment up to its outcome; the approval is stored at once.
    pub fn pay(&mut self, number: u8, amount: Amount) -> (Baseline, Outcome) {
        let baseline = self.prepare(attempt(number));
        self.handle
            .authorise(armed(attempt(number), amount, baseline.clone()))
            .unwrap();
        let handle = self.handle.clone();
        let outcome = self.wait("outcome", |event| match event {
            TerminalEvent::ApprovalPending { approval } => {
                handle.approval_stored(durable(approval)).unwrap();
                None
            }
            TerminalEvent::Finished { outcome, .. } => Some(outcome.clone()),
            _ => None,
        });
        (baseline, outcome)
    }

    /// An order of any kind up to its outcome; the approval is stored at once.
    fn finish(&mut self) -> Outcome {
        let handle = self.handle.clone();
        self.wait("outcome", |event| match event {
            TerminalEvent::ApprovalPending { approval } => {
                handle.approval_stored(durable(approval)).unwrap();
                None
            }
            TerminalEvent::Finished { outcome, .. } => Some(outcome.clone()),
            _ => None,
        })
    }

    pub fn reverse(&mut self, number: u8, receipt_number: u16, amount: Amount) -> Outcome {
        let attempt = attempt(number);
        let baseline = self.prepare(attempt);
        let proof = Stored {
            attempt,
            step: JournalStep::Armed,
            amount: Some(amount),
        };
        let order = Reversal {
            attempt,
            receipt_number,
            amount,
            baseline,
        };
        self.handle
            .reverse(Armed::new(order, proof).unwrap())
            .unwrap();
        self.finish()
    }

    pub fn refund(&mut self, number: u8, amount: Amount) -> Outcome {
        let attempt = attempt(number);
        let baseline = self.prepare(attempt);
        let proof = Stored {
            attempt,
            step: JournalStep::Armed,
            amount: Some(amount),
        };
        let order = Refund {
            attempt,
            amount,
            baseline,
        };
        self.handle
            .refund(Armed::new(order, proof).unwrap())
            .unwrap();
        self.finish()
    }

    pub fn close_day(&mut self, number: u8) -> DayCloseOutcome {
        let attempt = attempt(number);
        let proof = Stored {
            attempt,
            step: JournalStep::Armed,
            amount: None,
        };
        self.handle
            .end_of_day(Armed::new(DayClose { attempt }, proof).unwrap())
            .unwrap();
        self.wait("day close", |event| match event {
            TerminalEvent::EndOfDay { outcome, .. } => Some(outcome.clone()),
            _ => None,
        })
    }

    pub fn recover(
        &mut self,
        number: u8,
        amount: Amount,
        baseline: Baseline,
        approval: Option<Approval>,
    ) -> Recovered {
        let kind = hardware::terminal::OrderKind::Payment;
        let attempt = attempt(number);
        let request = RecoverRequest {
            attempt,
            kind,
            amount,
            baseline,
            approval,
        };
        self.handle.recover(request).unwrap();
        self.wait("recovery", |event| match event {
            TerminalEvent::Recovered { recovered, .. } => Some(recovered.clone()),
            _ => None,
        })
    }
}

pub fn dong(minor: u64) -> Amount {
    Amount::new(minor, Currency::VND)
}

pub fn serial(path: &std::path::Path) -> Connection {
    Connection::Serial {
        path: path.to_string_lossy().into_owned(),
        baud: 9600,
        two_stop_bits: true,
        seven_even: false,
    }
}
