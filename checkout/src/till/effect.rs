//! What a till wants done.

use serde::{Deserialize, Serialize};

use super::event::CardApproval;
use super::fact::Fact;
use super::gate::Durable;
use super::order::{OrderKind, TerminalOrder};
use super::sale::Sale;
use super::state::{AttemptId, Lang, PrintJobId, QrOffer, TillState, Voucher};
use crate::barcode::Code;
use crate::money::Money;

/// Names one question to the store or the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ticket(pub u64);

/// One thing to do. Those that touch money, paper or the drawer carry a [`Durable`]: proof,
/// made only when `Stored` came back, that their row is on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Effect {
    /// Write facts and state in one transaction, then say `Stored` or `StoreFailed`.
    /// Never more than one is open.
    Store {
        /// To answer with.
        ticket: Ticket,
        /// Rows for the journal, in order.
        facts: Vec<Fact>,
        /// The one state row, replacing the last.
        state: Box<TillState>,
    },
    /// Find the item for a code.
    LookUp {
        /// To answer with.
        ticket: Ticket,
        /// The code; try its `candidates` in order.
        code: Box<Code>,
    },
    /// Register with the terminal and report its last transaction (`Prepared` or `NotStarted`). Moves no money.
    PrepareTerminal {
        /// The attempt.
        attempt: AttemptId,
        /// What will be asked.
        amount: Money,
        /// Proof.
        durable: Durable,
    },
    /// Ask the terminal for money, exactly once per attempt.
    AskTerminal {
        /// The attempt.
        attempt: AttemptId,
        /// How much.
        amount: Money,
        /// What `Prepared` said.
        baseline: String,
        /// Proof.
        durable: Durable,
    },
    /// The approval is on disk: confirm it to the terminal, then say `Completed` or `Lost`.
    ConfirmTerminal {
        /// The attempt.
        attempt: AttemptId,
        /// Proof.
        durable: Durable,
    },
    /// Ask the terminal to give the attempt up; its answer to the attempt still decides.
    AbortTerminal {
        /// The attempt.
        attempt: AttemptId,
    },
    /// Order something other than a payment of the terminal, exactly once per attempt. Answered as `AskTerminal` is;
    /// a day close with `DayEnded`, `NotStarted` or `InDoubt`.
    OrderTerminal {
        /// The attempt.
        attempt: AttemptId,
        /// What.
        order: TerminalOrder,
        /// What `Prepared` said; `None` for a day close.
        baseline: Option<String>,
        /// Proof.
        durable: Durable,
    },
    /// How closing the terminal's day ended is on disk, whatever it was: who waited for it may go on.
    TerminalDayEnded {
        /// The attempt.
        attempt: AttemptId,
        /// Proof.
        durable: Durable,
    },
    /// Find out what became of an attempt; answer with `Recovered`.
    RecoverTerminal {
        /// The attempt.
        attempt: AttemptId,
        /// What was ordered.
        kind: OrderKind,
        /// What was asked.
        amount: Money,
        /// The terminal's last transaction before it.
        baseline: Option<String>,
        /// The approval we have seen, if any.
        approval: Option<CardApproval>,
        /// Proof.
        durable: Durable,
    },
    /// Make a QR offer at the bank side; answer with `Offered` or `NotOffered`. Idempotent on `order_code`.
    AskBank {
        /// The attempt.
        attempt: AttemptId,
        /// How much.
        amount: Money,
        /// The code to put into the transfer, 9 characters.
        order_code: String,
        /// Proof.
        durable: Durable,
    },
    /// Keep looking for money for this offer: on the screen after a restart, or off it.
    WatchBank {
        /// The attempt.
        attempt: AttemptId,
        /// The code in the transfer.
        order_code: String,
        /// How much was asked.
        amount: Money,
        /// The offer, when there was one.
        offer: Option<Box<QrOffer>>,
        /// Its code is on the screen.
        shown: bool,
    },
    /// Ask the bank about this offer now.
    CheckBank {
        /// The attempt.
        attempt: AttemptId,
    },
    /// Cancel the offer at the bank; answer with `Cancelled`, `CancelUnknown` or a credit. Keep watching it.
    CancelBank {
        /// The attempt.
        attempt: AttemptId,
    },
    /// The late window of this offer is over.
    StopWatching {
        /// The attempt.
        attempt: AttemptId,
    },
    /// This credit is on disk; it need not be said again.
    AckCredit {
        /// The attempt.
        attempt: AttemptId,
        /// The bank's id of the credit.
        credit: String,
        /// Proof.
        durable: Durable,
    },
    /// Print a receipt.
    Print {
        /// To answer with.
        job: PrintJobId,
        /// What to print.
        receipt: Box<Sale>,
        /// 0 for the original; any other is marked as a copy.
        copy_number: u32,
        /// Proof.
        durable: Durable,
    },
    /// Print the claim slip of a payment in doubt.
    PrintSlip {
        /// To answer with.
        job: PrintJobId,
        /// What it says.
        slip: Box<ClaimSlip>,
        /// 0 for the original; any other is marked as a copy.
        copy_number: u32,
        /// Proof.
        durable: Durable,
    },
    /// Print a voucher's paper; answers come under `job` and are for staff to see.
    PrintVoucher {
        /// To answer with.
        job: PrintJobId,
        /// What to print.
        voucher: Box<Voucher>,
        /// The shopper's language.
        lang: Lang,
        /// Proof.
        durable: Durable,
    },
    /// Open the cash drawer.
    OpenDrawer {
        /// Proof.
        durable: Durable,
    },
    /// Whether somebody waits for staff: for a lamp, where there is one.
    HelpLamp(bool),
    /// Send a `Tick` at this time; replaces the last `WakeAt`.
    WakeAt {
        /// Monotonic milliseconds.
        mono_ms: u64,
    },
}

/// What a shopper takes home of a card payment in doubt: no receipt, a number to ask for it by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimSlip {
    /// The attempt.
    pub attempt: AttemptId,
    /// How much was asked.
    pub amount: Money,
    /// When the attempt began, unix milliseconds (untrusted).
    pub started_wall_ms: i64,
    /// Offset of the shop's clock then, in minutes.
    pub utc_offset_min: i32,
    /// The shopper's language.
    pub lang: Lang,
    /// The terminal's last transaction before it, opaque to the till; the lane finds the terminal's name in it.
    pub baseline: Option<String>,
    /// The approval, if one was seen.
    pub approval: Option<CardApproval>,
}

/// The effects of one step, in the order they must be carried out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    list: Vec<Effect>,
}

impl Effects {
    /// None yet.
    pub fn new() -> Effects {
        Effects::default()
    }

    pub(super) fn push(&mut self, effect: Effect) {
        self.list.push(effect);
    }

    /// Takes all effects out, in order.
    pub fn drain(&mut self) -> impl Iterator<Item = Effect> + '_ {
        self.list.drain(..)
    }

    /// The effects, in order.
    pub fn as_slice(&self) -> &[Effect] {
        &self.list
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}
