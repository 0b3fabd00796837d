//! Terminal, bank and printer: each keeps its own memory through every power cut of the kiosk.

use std::collections::BTreeMap;

use checkout::till::*;
use checkout::{Currency, Money};

use crate::rng::Dice;

/// Answers a device sends: after how many milliseconds, and what.
pub type Mail = Vec<(u64, Event)>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Txn {
    /// Asked; the shopper is at it. `approves` is fate, `at` when it is decided.
    Running { approves: bool, at: u64 },
    /// Approved and unconfirmed; the terminal decides by itself at this time.
    Held { until: u64, keeps: bool },
    /// The shopper's money is gone to the shop.
    Charged,
    /// No money moved, and none will.
    Nothing,
}

#[derive(Default)]
pub struct Terminal {
    pub txns: BTreeMap<AttemptId, (i64, Txn)>,
    pub asked_twice: Option<AttemptId>,
    /// Which payment a reversal takes back.
    pub reversals: BTreeMap<AttemptId, String>,
}

fn approval(attempt: AttemptId) -> CardApproval {
    CardApproval {
        reference: format!("T1/{attempt}"),
        approval_code: "123456".to_owned(),
        scheme: "NAPAS".to_owned(),
    }
}

impl Terminal {
    pub fn prepare(&mut self, attempt: AttemptId, dice: &mut Dice, mail: &mut Mail) {
        let said = match dice.below(100) {
            0..85 => TerminalSaid::Prepared {
                baseline: format!("{}", self.txns.len()),
            },
            85..92 => TerminalSaid::NotStarted(NotStartedReason::Busy),
            92..95 => TerminalSaid::Lost,
            _ => return,
        };
        send(dice, mail, 300, Event::Terminal { attempt, said });
    }

    pub fn ask(
        &mut self,
        attempt: AttemptId,
        amount: i64,
        now: u64,
        dice: &mut Dice,
        mail: &mut Mail,
    ) {
        if self.txns.contains_key(&attempt) {
            self.asked_twice = Some(attempt);
            return;
        }
        let approves = dice.chance(75);
        let at = now + dice.between(2_000, 30_000);
        self.txns
            .insert(attempt, (amount, Txn::Running { approves, at }));
        let said = TerminalSaid::Progress(TerminalPrompt::PresentCard);
        send(dice, mail, 100, Event::Terminal { attempt, said });
        let after = at - now;
        if dice.chance(1) {
            // Garbled: an end without an approval; what is true only the terminal knows.
            let said = TerminalSaid::Completed;
            return send(dice, mail, after, Event::Terminal { attempt, said });
        }
        let said = match (dice.chance(85), approves) {
            (true, true) => TerminalSaid::Approved(approval(attempt)),
            (true, false) => TerminalSaid::Declined(DeclineReason::NoCard),
            // The line is cut; the terminal goes on.
            (false, _) if dice.chance(50) => TerminalSaid::Lost,
            (false, _) => return,
        };
        let early = matches!(said, TerminalSaid::Lost) && dice.chance(50);
        send(
            dice,
            mail,
            if early { after / 2 } else { after },
            Event::Terminal { attempt, said },
        );
    }

    /// What staff order. Money that goes back is money taken with the sign turned round.
    pub fn order(
        &mut self,
        attempt: AttemptId,
        order: &TerminalOrder,
        now: u64,
        dice: &mut Dice,
        mail: &mut Mail,
    ) {
        match order {
            TerminalOrder::Refund { amount } => {
                self.ask(attempt, -amount.minor, now, dice, mail);
            }
            TerminalOrder::Reversal { amount, reference } => {
                self.pass(now);
                let before = self.reversals.iter().find(|(_, of)| *of == reference);
                let before = before.map(|(attempt, _)| self.txns.get(attempt).map(|(_, t)| *t));
                let said = match before {
                    Some(Some(Txn::Charged)) => {
                        TerminalSaid::Declined(DeclineReason::AlreadyReversed)
                    }
                    _ if dice.chance(10) => {
                        TerminalSaid::Declined(DeclineReason::ReversalImpossible)
                    }
                    _ => {
                        self.reversals.insert(attempt, reference.clone());
                        return self.ask(attempt, -amount.minor, now, dice, mail);
                    }
                };
                send(dice, mail, 500, Event::Terminal { attempt, said });
            }
            TerminalOrder::DayClose => {
                let said = match dice.below(10) {
                    0..5 => {
                        TerminalSaid::DayEnded(TerminalDayEnd::Closed(TerminalTotals::default()))
                    }
                    5 => TerminalSaid::NotStarted(NotStartedReason::Busy),
                    6 => TerminalSaid::InDoubt(Doubt::NoAnswer),
                    7 => TerminalSaid::Lost,
                    _ => return,
                };
                send(dice, mail, 5_000, Event::Terminal { attempt, said });
            }
        }
    }

    pub fn confirm(&mut self, attempt: AttemptId, now: u64, dice: &mut Dice, mail: &mut Mail) {
        self.pass(now);
        let Some((_, txn)) = self.txns.get_mut(&attempt) else {
            return;
        };
        let said = match *txn {
            Txn::Held { .. } | Txn::Charged => {
                // The confirmation itself may be lost on the line.
                if dice.chance(5) {
                    TerminalSaid::Lost
                } else {
                    *txn = Txn::Charged;
                    match dice.below(100) {
                        0..88 => TerminalSaid::Completed,
                        88..92 => TerminalSaid::Lost,
                        // The protocol broke off after the money had moved.
                        92..95 => TerminalSaid::Declined(DeclineReason::Aborted),
                        _ => return,
                    }
                }
            }
            Txn::Nothing | Txn::Running { .. } => TerminalSaid::Declined(DeclineReason::Aborted),
        };
        send(dice, mail, 500, Event::Terminal { attempt, said });
    }

    pub fn abort(&mut self, attempt: AttemptId, now: u64, dice: &mut Dice, mail: &mut Mail) {
        self.pass(now);
        if let Some((_, txn)) = self.txns.get_mut(&attempt)
            && matches!(txn, Txn::Running { .. })
            && dice.chance(80)
        {
            *txn = Txn::Nothing;
            let said = TerminalSaid::Declined(DeclineReason::Aborted);
            send(dice, mail, 400, Event::Terminal { attempt, said });
        }
    }

    pub fn recover(&mut self, attempt: AttemptId, now: u64, dice: &mut Dice, mail: &mut Mail) {
        self.pass(now);
        let recovery = match dice.below(100) {
            0..12 => Recovery::Unreachable,
            12..18 => Recovery::Foreign {
                seen: "T1/0".to_owned(),
            },
            18..22 => return,
            _ => match self.settle(attempt) {
                true => Recovery::Paid(approval(attempt)),
                false if dice.chance(20) => Recovery::TakenBack,
                false => Recovery::NotCharged,
            },
        };
        send(
            dice,
            mail,
            2_000,
            Event::Terminal {
                attempt,
                said: TerminalSaid::Recovered(recovery),
            },
        );
    }

    /// Ends whatever is open about the attempt; whether the shopper was charged.
    pub fn settle(&mut self, attempt: AttemptId) -> bool {
        let txn = &mut self.txns.entry(attempt).or_insert((0, Txn::Nothing)).1;
        *txn = match *txn {
            Txn::Charged | Txn::Held { keeps: true, .. } => Txn::Charged,
            _ => Txn::Nothing,
        };
        *txn == Txn::Charged
    }

    /// What the terminal does by itself as time passes.
    pub fn pass(&mut self, now: u64) {
        for (_, txn) in self.txns.values_mut() {
            if let Txn::Running { approves, at } = *txn
                && now >= at
            {
                let keeps = at % 2 == 0;
                *txn = if approves {
                    Txn::Held {
                        until: at + 30_000,
                        keeps,
                    }
                } else {
                    Txn::Nothing
                };
            }
            if let Txn::Held { until, keeps } = *txn
                && now >= until
            {
                *txn = if keeps { Txn::Charged } else { Txn::Nothing };
            }
        }
    }

    pub fn charged(&self) -> impl Iterator<Item = (AttemptId, i64)> + '_ {
        let charged = self
            .txns
            .iter()
            .filter(|(_, (_, txn))| *txn == Txn::Charged);
        charged.map(|(attempt, (amount, _))| (*attempt, *amount))
    }
}

#[derive(Default)]
pub struct Bank {
    /// Nobody asks it for this kiosk, and it tells this kiosk nothing.
    pub is_mute: bool,
    pub offers: BTreeMap<AttemptId, Offer>,
    pub credits: Vec<BankCredit>,
}

pub struct Offer {
    pub cancelled: bool,
}

pub struct BankCredit {
    pub attempt: AttemptId,
    pub credit: Credit,
    pub acked: bool,
    pub said_again_at: u64,
}

impl Bank {
    pub fn ask(
        &mut self,
        attempt: AttemptId,
        amount: i64,
        order_code: &str,
        dice: &mut Dice,
        mail: &mut Mail,
    ) {
        self.offers
            .entry(attempt)
            .or_insert(Offer { cancelled: false });
        let said = match dice.below(100) {
            0..90 => BankSaid::Offered(QrOffer {
                payload: format!("QR {order_code} {amount}"),
                payee: "HOA SEN".to_owned(),
                bank: "VCB".to_owned(),
                account_tail: "5678".to_owned(),
            }),
            90..95 => BankSaid::NotOffered(NotStartedReason::Unreachable),
            _ => return,
        };
        send(dice, mail, 800, Event::Bank { attempt, said });
    }

    pub fn check(&mut self, attempt: AttemptId, dice: &mut Dice, mail: &mut Mail) {
        if self.is_mute {
            return;
        }
        let said = match dice.below(100) {
            0..70 => BankSaid::Checked { asked_ago_ms: 0 },
            // Asked before the question: no answer to it.
            70..80 => BankSaid::Checked {
                asked_ago_ms: 60_000,
            },
            80..88 => BankSaid::Slow,
            88..95 => BankSaid::Unreachable,
            _ => return,
        };
        send(dice, mail, 500, Event::Bank { attempt, said });
    }

    pub fn cancel(&mut self, attempt: AttemptId, dice: &mut Dice, mail: &mut Mail) {
        if dice.chance(15) {
            return;
        }
        let paid = self.credits.iter().any(|credit| credit.attempt == attempt);
        let said = match self.offers.get_mut(&attempt) {
            Some(offer) if !paid && !self.is_mute && dice.chance(80) => {
                offer.cancelled = true;
                BankSaid::Cancelled
            }
            _ => BankSaid::CancelUnknown,
        };
        send(dice, mail, 700, Event::Bank { attempt, said });
    }

    /// The shopper's app sends money; false when the bank refuses. Banks do not always keep to a
    /// cancellation.
    pub fn pay(
        &mut self,
        attempt: AttemptId,
        amount: Money,
        now: u64,
        delay: u64,
        dice: &mut Dice,
    ) -> bool {
        let offer = self.offers.get(&attempt);
        if offer.is_none_or(|offer| offer.cancelled && dice.chance(80)) {
            return false;
        }
        let id = format!("FT{:05}", self.credits.len());
        let credit = Credit { id, amount };
        let said_again_at = now + delay;
        self.credits.push(BankCredit {
            attempt,
            credit,
            acked: false,
            said_again_at,
        });
        true
    }

    /// Credits are said until they are acknowledged.
    pub fn say(&mut self, now: u64, dice: &mut Dice, mail: &mut Mail) {
        for credit in self
            .credits
            .iter_mut()
            .filter(|c| !c.acked && c.said_again_at <= now)
        {
            credit.said_again_at = now + 20_000;
            let said = BankSaid::Credit(credit.credit.clone());
            send(
                dice,
                mail,
                200,
                Event::Bank {
                    attempt: credit.attempt,
                    said,
                },
            );
        }
    }

    pub fn next_say(&self) -> Option<u64> {
        if self.is_mute {
            return None;
        }
        self.credits
            .iter()
            .filter(|c| !c.acked)
            .map(|c| c.said_again_at)
            .min()
    }

    /// Whether money came for the attempt, as the bank's own list has it.
    pub fn came(&self, attempt: AttemptId, now: u64) -> bool {
        let mut credits = self.credits.iter();
        credits.any(|c| {
            let here = c.credit.amount.currency == Currency::VND;
            c.attempt == attempt && here && (c.acked || c.said_again_at <= now)
        })
    }

    /// What the kiosk was told of, in the shop's currency.
    pub fn told(&self) -> impl Iterator<Item = (AttemptId, i64)> + '_ {
        let told = self.credits.iter().filter(|c| c.acked);
        let told = told.filter(|c| c.credit.amount.currency == Currency::VND);
        told.map(|c| (c.attempt, c.credit.amount.minor))
    }

    pub fn ack(&mut self, id: &str) {
        for credit in self.credits.iter_mut().filter(|c| c.credit.id == id) {
            credit.acked = true;
        }
    }
}

/// Takes a job; says whether its start came to the spool, which is before its first byte left.
pub fn print(job: PrintJobId, dice: &mut Dice, mail: &mut Mail) -> bool {
    let refused = dice.chance(10);
    if refused {
        let said = PrinterSaid::Failed(PrinterFault::NoPaper);
        send(dice, mail, 2_500, Event::Printer { job, said });
        return false;
    }
    let said = PrinterSaid::Started;
    send(dice, mail, 200, Event::Printer { job, said });
    let said = match dice.below(100) {
        0..80 => PrinterSaid::Printed,
        80..85 => PrinterSaid::Sent,
        85..93 => PrinterSaid::Unknown,
        _ => return true,
    };
    send(dice, mail, 2_500, Event::Printer { job, said });
    true
}

/// On its way: usually once, sometimes twice, never in a promised order.
pub fn send(dice: &mut Dice, mail: &mut Mail, about_ms: u64, event: Event) {
    let after = about_ms + dice.below(about_ms + 1);
    if dice.chance(6) {
        mail.push((after + dice.below(20_000), event.clone()));
    }
    mail.push((after, event));
}
