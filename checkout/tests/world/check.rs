//! What must hold: at every effect, at every picture on the screen, and once all is quiet.

use std::collections::{BTreeMap, BTreeSet};

use checkout::till::*;

use crate::devices::{Bank, Terminal};

/// A broken promise, with what broke it.
pub type Violation = String;

/// What the disk holds, as the checks need it.
#[derive(Default)]
pub struct Journal {
    pub sales: Vec<Sale>,
    pub intended: BTreeSet<AttemptId>,
    pub armed: BTreeSet<AttemptId>,
    pub approved: BTreeSet<AttemptId>,
    pub offers: BTreeSet<AttemptId>,
    pub unknown: BTreeSet<AttemptId>,
    pub credits: BTreeSet<String>,
    /// What counted on a person's word.
    pub seen: BTreeMap<AttemptId, i64>,
    /// What is open on vouchers, by review.
    pub vouchers: BTreeMap<ReviewId, i64>,
    pub vouchers_redeemed: u64,
    pub taps: BTreeMap<u64, u32>,
    pub slips: BTreeSet<PrintJobId>,
    pub drawer_openings: u64,
    pub cash_minor: i64,
    pub settled_minor: i64,
    /// Given back, by the payment it belongs to.
    given_back: BTreeMap<AttemptId, i64>,
    pub give_backs: u64,
    pub terminal_days: u64,
    days_asked: BTreeSet<AttemptId>,
    given_by: BTreeSet<AttemptId>,
    pub facts: u64,
}

impl Journal {
    pub fn append(&mut self, facts: Vec<Fact>) -> Result<(), Violation> {
        for fact in facts {
            self.facts += 1;
            self.note(fact.what)?;
        }
        Ok(())
    }

    fn note(&mut self, what: What) -> Result<(), Violation> {
        match what {
            What::SaleCompleted(sale) => {
                check_sale(&sale)?;
                let wanted = self.sales.len() as u64 + 1;
                if sale.receipt_number != wanted {
                    return Err(format!(
                        "receipt {} where {wanted} was due",
                        sale.receipt_number
                    ));
                }
                self.sales.push(*sale);
            }
            What::AttemptIntended { attempt, .. } => {
                once(self.intended.insert(attempt), || {
                    format!("{attempt} intended twice")
                })?;
            }
            What::AttemptArmed { attempt, .. } => {
                once(self.armed.insert(attempt), || {
                    format!("{attempt} armed twice")
                })?;
            }
            What::OrderIntended { attempt, .. } => {
                once(self.intended.insert(attempt), || {
                    format!("{attempt} intended twice")
                })?;
            }
            What::TerminalDayAsked { attempt } => {
                once(self.days_asked.insert(attempt), || {
                    format!("{attempt} asked twice")
                })?;
            }
            What::TerminalDayEnded { .. } => self.terminal_days += 1,
            What::CardGivenBack {
                attempt,
                amount_minor,
                of,
                ..
            } => {
                once(self.given_by.insert(attempt), || {
                    format!("{attempt} gave back twice")
                })?;
                self.give_backs += 1;
                let given = self.given_back.entry(of.attempt).or_default();
                *given += amount_minor;
                let mut tenders = self.sales.iter().flat_map(|sale| &sale.tenders);
                let took = tenders.find(|tender| tender.attempt == of.attempt);
                if took.is_none_or(|took| took.amount_minor < *given) {
                    return Err(format!("{:?} gave back more than it took", of.attempt));
                }
            }
            What::AttemptApproved { attempt, .. } => {
                self.approved.insert(attempt);
            }
            What::AttemptUnknown { attempt, .. } => {
                self.unknown.insert(attempt);
            }
            What::SlipQueued { job, .. } => {
                self.slips.insert(job);
            }
            What::OfferReady { attempt, .. } => {
                self.offers.insert(attempt);
            }
            What::CreditReceived { credit, .. } => {
                let new = self.credits.insert(credit.id.clone());
                once(new, || format!("credit {} counted twice", credit.id))?;
            }
            What::CashTaken {
                received_minor,
                change_minor,
                ..
            } => {
                self.cash_minor += received_minor - change_minor;
            }
            What::DrawerOpened { .. } => self.drawer_openings += 1,
            What::TransferSeen {
                attempt,
                amount_minor,
                ..
            } => {
                let new = self.seen.insert(attempt, amount_minor).is_none();
                once(new, || format!("{attempt} was seen twice"))?;
            }
            What::VoucherIssued {
                review,
                amount_minor,
                ..
            } => *self.vouchers.entry(review).or_default() += amount_minor,
            What::VoucherRedeemed {
                review,
                amount_minor,
                rest_minor,
                ..
            } => {
                let open = self.vouchers.entry(review).or_default();
                *open -= amount_minor + rest_minor;
                if *open < 0 {
                    return Err(format!("the voucher of {review:?} paid twice"));
                }
                self.vouchers_redeemed += 1;
            }
            What::Tapped { receipt_number, .. } => {
                let taps = self.taps.entry(receipt_number).or_default();
                *taps += 1;
                if *taps > 1 {
                    return Err(format!("receipt {receipt_number} was tapped twice"));
                }
            }
            What::ReviewResolved {
                decision,
                amount_minor,
                ..
            } => {
                if matches!(decision, ReviewDecision::Refunded | ReviewDecision::Kept) {
                    self.settled_minor += amount_minor;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What was given back of a payment.
    pub fn given_back(&self, payment: AttemptId) -> i64 {
        self.given_back.get(&payment).copied().unwrap_or(0)
    }

    fn has_receipt(&self, receipt_number: u64) -> bool {
        receipt_number >= 1 && receipt_number <= self.sales.len() as u64
    }

    /// Nothing touches money, paper or the drawer before its row is on disk.
    pub fn allow(&self, effect: &Effect, drawer_opened: u64) -> Result<(), Violation> {
        let durable = match effect {
            Effect::PrepareTerminal { attempt, .. } | Effect::AskBank { attempt, .. } => {
                self.intended.contains(attempt)
            }
            Effect::AskTerminal { attempt, .. } => self.armed.contains(attempt),
            Effect::OrderTerminal {
                attempt,
                order: TerminalOrder::DayClose,
                ..
            } => self.days_asked.contains(attempt),
            Effect::OrderTerminal { attempt, .. } => self.armed.contains(attempt),
            Effect::ConfirmTerminal { attempt, .. } => self.approved.contains(attempt),
            Effect::RecoverTerminal { attempt, .. } => self.unknown.contains(attempt),
            Effect::AckCredit { credit, .. } => self.credits.contains(credit),
            Effect::Print { receipt, .. } => {
                self.has_receipt(receipt.receipt_number)
                    && self.sales[receipt.receipt_number as usize - 1] == **receipt
            }
            Effect::PrintSlip { job, .. } => self.slips.contains(job),
            Effect::OpenDrawer { .. } => drawer_opened < self.drawer_openings,
            _ => true,
        };
        if durable {
            Ok(())
        } else {
            Err(format!("before its row was on disk: {effect:?}"))
        }
    }

    /// The screen claims nothing the disk does not hold.
    pub fn allow_view(&self, view: &View) -> Result<(), Violation> {
        let truth = match &view.screen {
            Screen::Paid(paid) | Screen::Tap { paid, .. } | Screen::Thanks { paid } => {
                self.has_receipt(paid.sale.receipt_number)
            }
            Screen::Qr(qr) => qr.offer.is_none() || self.offers.contains(&qr.attempt),
            Screen::Reasons { .. } => self.taps.contains_key(&(self.sales.len() as u64)),
            _ => true,
        };
        if truth {
            Ok(())
        } else {
            Err(format!("shown, but not on disk: {:?}", view.screen))
        }
    }

    /// Money in equals sales, open reviews and money staff dealt with; no tender is made up.
    pub fn balance(
        &self,
        state: &TillState,
        terminal: &Terminal,
        bank: &Bank,
    ) -> Result<(), Violation> {
        let charged: BTreeMap<AttemptId, i64> = terminal.charged().collect();
        let card: i64 = charged.values().sum();
        let mut told: BTreeMap<AttemptId, i64> = BTreeMap::new();
        for (attempt, amount) in bank.told() {
            *told.entry(attempt).or_default() += amount;
        }
        let transfers: i64 = told.values().sum();
        // On a person's word, and not (yet) said by the bank.
        let backed = |attempt| told.get(attempt).copied().unwrap_or(0);
        let words: i64 = self
            .seen
            .iter()
            .map(|(attempt, seen)| seen - backed(attempt).min(*seen))
            .sum();
        let vouchers: i64 = state
            .vouchers
            .iter()
            .map(|voucher| voucher.amount_minor)
            .sum();
        let in_minor = card + transfers + self.cash_minor;
        let sold: i64 = self.tenders().map(|tender| tender.amount_minor).sum();
        let given_back: i64 = self.given_back.values().sum();
        let sold = sold - given_back;
        let open: i64 = state.reviews.iter().map(|review| review.amount_minor).sum();
        let in_minor = in_minor + words;
        let out_minor = sold + open + vouchers + self.settled_minor;
        if in_minor != out_minor {
            return Err(format!(
                "money in {in_minor} (card {card}, transfers {transfers}, cash {}) is not sales {sold} + reviews {open} + vouchers {vouchers} + settled {}, {words} on a person's word: {:?}",
                self.cash_minor, self.settled_minor, state.reviews
            ));
        }
        self.tenders_are_real(&charged, bank)
    }

    fn tenders(&self) -> impl Iterator<Item = &Tender> {
        self.sales.iter().flat_map(|sale| &sale.tenders)
    }

    fn tenders_are_real(
        &self,
        charged: &BTreeMap<AttemptId, i64>,
        bank: &Bank,
    ) -> Result<(), Violation> {
        let mut cards = BTreeSet::new();
        let mut by_credit: BTreeMap<&str, i64> = BTreeMap::new();
        for tender in self.tenders() {
            match tender.kind {
                TenderKind::Card => {
                    let right = charged.get(&tender.attempt) == Some(&tender.amount_minor);
                    if !right || !cards.insert(tender.attempt) {
                        return Err(format!("no such card payment, or used twice: {tender:?}"));
                    }
                }
                TenderKind::Qr if tender.unconfirmed => {
                    if self.seen.get(&tender.attempt) != Some(&tender.amount_minor) {
                        return Err(format!("nobody said so: {tender:?}"));
                    }
                }
                TenderKind::Qr => {
                    let id = tender.reference.as_deref().unwrap_or("");
                    *by_credit.entry(id).or_default() += tender.amount_minor;
                }
                TenderKind::Cash | TenderKind::Voucher => {}
            }
        }
        for (id, used) in by_credit {
            let credit = bank.credits.iter().find(|credit| credit.credit.id == id);
            if credit.is_none_or(|credit| credit.credit.amount.minor < used) {
                return Err(format!("credit {id} was used for {used}"));
            }
        }
        Ok(())
    }
}

/// Facts that may happen once only.
fn once(new: bool, broken: impl FnOnce() -> Violation) -> Result<(), Violation> {
    if new { Ok(()) } else { Err(broken()) }
}

fn check_sale(sale: &Sale) -> Result<(), Violation> {
    let paid: i64 = sale.tenders.iter().map(|tender| tender.amount_minor).sum();
    let due = sale.total_minor + sale.rounding_minor;
    let lines: i64 = sale
        .lines
        .iter()
        .map(|line| line.net_minor + line.deposit_minor)
        .sum();
    let taxes: i64 = sale.taxes.iter().map(|tax| tax.gross_minor).sum();
    if paid != due || lines != sale.total_minor || taxes != sale.total_minor {
        return Err(format!(
            "sale {} does not add up: {sale:?}",
            sale.receipt_number
        ));
    }
    if sale.rounding_minor.abs() > 250 * sale.tenders.len() as i64 {
        return Err(format!("sale {} is rounded too much", sale.receipt_number));
    }
    if sale.tenders.is_empty() && sale.total_minor != 0 {
        return Err(format!("sale {} has no tender", sale.receipt_number));
    }
    let restricted = sale
        .lines
        .iter()
        .any(|line| line.item == checkout::ItemId(3));
    if restricted && sale.age_confirmed.is_none() {
        return Err(format!(
            "sale {} without the age check",
            sale.receipt_number
        ));
    }
    Ok(())
}
