//! Journal before effect: deeds wait here until the rows they rest on are on disk.
//!
//! One batch is with the store at a time. What happens meanwhile collects in the next batch,
//! so a state row never tells of facts that are not in the same or an earlier transaction.
//! A failed batch goes back in front of the collected one and is tried again, for ever.

use serde::Serialize;

use super::effect::{ClaimSlip, Effect, Ticket};
use super::event::{CardApproval, StoreFault};
use super::fact::Fact;
use super::order::{OrderKind, TerminalOrder};
use super::sale::Sale;
use super::state::{AttemptId, Lang, PrintJobId, TillState, Voucher};
use crate::money::Money;

/// Proof that the row an effect rests on is on disk. Only the gate can make one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Durable(());

/// Something to do once the rows before it are on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    PrepareTerminal {
        attempt: AttemptId,
        amount: Money,
    },
    AskTerminal {
        attempt: AttemptId,
        amount: Money,
        baseline: String,
    },
    ConfirmTerminal {
        attempt: AttemptId,
    },
    OrderTerminal {
        attempt: AttemptId,
        order: TerminalOrder,
        baseline: Option<String>,
    },
    TerminalDayEnded {
        attempt: AttemptId,
    },
    RecoverTerminal {
        attempt: AttemptId,
        kind: OrderKind,
        amount: Money,
        baseline: Option<String>,
        approval: Option<CardApproval>,
    },
    AskBank {
        attempt: AttemptId,
        amount: Money,
        order_code: String,
    },
    AckCredit {
        attempt: AttemptId,
        credit: String,
    },
    Print {
        job: PrintJobId,
        receipt: Box<Sale>,
        copy_number: u32,
    },
    PrintSlip {
        job: PrintJobId,
        slip: Box<ClaimSlip>,
        copy_number: u32,
    },
    PrintVoucher {
        job: PrintJobId,
        voucher: Box<Voucher>,
        lang: Lang,
    },
    OpenDrawer,
    ShowOffer {
        attempt: AttemptId,
    },
    ShowPaid,
    ShowReasons,
}

impl Deed {
    /// The effect in the world; `None` for deeds that only change what the screen shows.
    pub(super) fn effect(self, durable: Durable) -> Option<Effect> {
        Some(match self {
            Deed::PrepareTerminal { attempt, amount } => Effect::PrepareTerminal {
                attempt,
                amount,
                durable,
            },
            Deed::AskTerminal {
                attempt,
                amount,
                baseline,
            } => Effect::AskTerminal {
                attempt,
                amount,
                baseline,
                durable,
            },
            Deed::ConfirmTerminal { attempt } => Effect::ConfirmTerminal { attempt, durable },
            Deed::OrderTerminal {
                attempt,
                order,
                baseline,
            } => Effect::OrderTerminal {
                attempt,
                order,
                baseline,
                durable,
            },
            Deed::TerminalDayEnded { attempt } => Effect::TerminalDayEnded { attempt, durable },
            Deed::RecoverTerminal {
                attempt,
                kind,
                amount,
                baseline,
                approval,
            } => Effect::RecoverTerminal {
                attempt,
                kind,
                amount,
                baseline,
                approval,
                durable,
            },
            Deed::AskBank {
                attempt,
                amount,
                order_code,
            } => Effect::AskBank {
                attempt,
                amount,
                order_code,
                durable,
            },
            Deed::AckCredit { attempt, credit } => Effect::AckCredit {
                attempt,
                credit,
                durable,
            },
            Deed::Print {
                job,
                receipt,
                copy_number,
            } => Effect::Print {
                job,
                receipt,
                copy_number,
                durable,
            },
            Deed::PrintSlip {
                job,
                slip,
                copy_number,
            } => Effect::PrintSlip {
                job,
                slip,
                copy_number,
                durable,
            },
            Deed::PrintVoucher { job, voucher, lang } => Effect::PrintVoucher {
                job,
                voucher,
                lang,
                durable,
            },
            Deed::OpenDrawer => Effect::OpenDrawer { durable },
            Deed::ShowOffer { .. } | Deed::ShowPaid | Deed::ShowReasons => return None,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Batch {
    facts: Vec<Fact>,
    deeds: Vec<Deed>,
}

/// The waiting rows and deeds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Gate {
    collecting: Batch,
    with_store: Option<(Ticket, Batch)>,
    fault: Option<StoreFault>,
    failures: u32,
    retry_at_mono_ms: Option<u64>,
    sent_mono_ms: u64,
}

/// Consecutive "busy" answers before it is called a fault on the screen.
const BUSY_SHOWN_AFTER: u32 = 3;
/// A store that has not answered for so long is called busy on the screen.
const SILENT_SHOWN_AFTER_MS: u64 = 10_000;

impl Gate {
    pub(super) fn fact(&mut self, fact: Fact) {
        self.collecting.facts.push(fact);
    }

    /// Does `deed` once every fact recorded so far is on disk; the same deed waits only once.
    pub(super) fn after(&mut self, deed: Deed) {
        if !self.collecting.deeds.contains(&deed) {
            self.collecting.deeds.push(deed);
        }
    }

    /// Facts not on disk yet.
    pub(super) fn backlog(&self) -> usize {
        let open = self
            .with_store
            .as_ref()
            .map_or(0, |(_, batch)| batch.facts.len());
        open + self.collecting.facts.len()
    }

    /// What is wrong with the disk, as far as a person should know. A store that does not
    /// answer at all is called busy.
    pub(super) fn fault(&self, mono_ms: u64) -> Option<StoreFault> {
        let silent = self.with_store.is_some()
            && mono_ms.saturating_sub(self.sent_mono_ms) >= SILENT_SHOWN_AFTER_MS;
        match self.fault {
            Some(StoreFault::Busy) if self.failures < BUSY_SHOWN_AFTER && !silent => None,
            None if silent => Some(StoreFault::Busy),
            fault => fault,
        }
    }

    /// When a store that does not answer will be called busy.
    pub(super) fn silent_at_mono_ms(&self) -> Option<u64> {
        self.with_store
            .as_ref()
            .map(|_| self.sent_mono_ms.saturating_add(SILENT_SHOWN_AFTER_MS))
    }

    pub(super) fn retry_at_mono_ms(&self) -> Option<u64> {
        self.retry_at_mono_ms
    }

    /// The next write, if one is due. `state` must already hold what the facts say.
    pub(super) fn next_store(&mut self, mono_ms: u64, state: &mut TillState) -> Option<Effect> {
        let empty = self.collecting.facts.is_empty() && self.collecting.deeds.is_empty();
        let waiting = self.retry_at_mono_ms.is_some_and(|at| mono_ms < at);
        if self.with_store.is_some() || empty || waiting {
            return None;
        }
        self.retry_at_mono_ms = None;
        self.sent_mono_ms = mono_ms;
        state.counters.ticket += 1;
        let ticket = Ticket(state.counters.ticket);
        let batch = std::mem::take(&mut self.collecting);
        let facts = batch.facts.clone();
        self.with_store = Some((ticket, batch));
        Some(Effect::Store {
            ticket,
            facts,
            state: Box::new(state.clone()),
        })
    }

    /// The batch is on disk: its deeds may be done now. Other tickets are ignored.
    pub(super) fn stored(&mut self, ticket: Ticket) -> Option<(Vec<Deed>, Durable)> {
        let (open, batch) = self.with_store.take()?;
        if open != ticket {
            self.with_store = Some((open, batch));
            return None;
        }
        self.fault = None;
        self.failures = 0;
        Some((batch.deeds, Durable(())))
    }

    /// The batch is not on disk: it is tried again after a pause.
    pub(super) fn failed(
        &mut self,
        ticket: Ticket,
        fault: StoreFault,
        mono_ms: u64,
        pause_ms: impl Fn(u32) -> u64,
    ) {
        let Some((open, mut batch)) = self.with_store.take() else {
            return;
        };
        if open != ticket {
            self.with_store = Some((open, batch));
            return;
        }
        batch.facts.append(&mut self.collecting.facts);
        batch.deeds.append(&mut self.collecting.deeds);
        self.collecting = batch;
        self.fault = Some(fault);
        self.retry_at_mono_ms = Some(mono_ms.saturating_add(pause_ms(self.failures)));
        self.failures = self.failures.saturating_add(1);
    }
}
