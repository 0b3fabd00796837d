//! A bank in software with the three providers in front of it: their requests,
//! answers and notices, and all that goes wrong with them.
//!
//! Pure: time is a parameter and chance comes from a seed, so a day at the bank
//! can be played a hundred thousand times and again exactly. [`Bank::handle`]
//! answers the request a relay would send over HTTP, [`Bank::due`] gives the
//! notices a provider would send by now. `kiosk sim bank` puts sockets around
//! it; a test can leave them out.
//!
//! The ledger ([`Bank::ledger`]) is the truth: whatever providers tell or keep
//! to themselves, those transfers are the money that moved.
//!
//! Built with the feature `simulator`.

mod chance;
mod fault;
mod http;
mod payos_face;
mod pix_face;
mod push;
mod sepay_face;

pub use fault::{Armed, Fault, FaultError, Faults, Mangle};
pub use http::{Method, Probe, Request, Response};
pub use push::Push;

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;
use thiserror::Error;

use super::credit::{Currency, Provider};
use super::sepay::Auth;
use super::signature::Secret;
use crate::code::{PaymentCode, decode};
use crate::pix::PixTarget;
use chance::Chance;
use push::Plan;

/// An account of the shop.
#[derive(Debug, Clone)]
pub struct Account {
    /// BIN of its bank.
    pub bin: String,
    /// Number.
    pub number: String,
    /// Holder.
    pub holder: String,
    /// Name of the bank.
    pub bank: String,
}

/// A shop at payOS.
#[derive(Debug, Clone)]
pub struct PayOsShop {
    /// Client id.
    pub client_id: String,
    /// API key.
    pub api_key: Secret,
    /// Checksum key.
    pub checksum_key: Secret,
    /// Where money goes. Each order has a virtual account of its own.
    pub account: Account,
    /// Where notices go; `POST /confirm-webhook` changes it.
    pub webhook_url: Option<String>,
}

/// A shop at SePay.
#[derive(Debug, Clone)]
pub struct SePayShop {
    /// Bearer token of the API.
    pub api_token: Secret,
    /// How notices are proven.
    pub auth: Auth,
    /// The watched account.
    pub account: Account,
    /// Where notices go.
    pub webhook_url: Option<String>,
}

/// A shop at a Pix provider.
#[derive(Debug, Clone)]
pub struct PixShop {
    /// OAuth client id.
    pub client_id: String,
    /// OAuth client secret.
    pub client_secret: Secret,
    /// Receiver key.
    pub key: String,
    /// Merchant name in the code.
    pub name: String,
    /// Merchant city in the code.
    pub city: String,
    /// Host of the payload location.
    pub host: String,
    /// Where notices go, without `/pix`; `PUT /webhook/{key}` changes it.
    pub webhook_url: Option<String>,
}

/// How a bank begins.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// payOS in front of it.
    pub payos: Option<PayOsShop>,
    /// SePay in front of it.
    pub sepay: Option<SePayShop>,
    /// A Pix provider in front of it.
    pub pix: Option<PixShop>,
    /// Pay every created order by itself after this time, milliseconds.
    pub pay_after_ms: Option<i64>,
    /// Divides the providers' waits between two tries of a notice, and before a
    /// replay; 0 and 1 leave them as they are. Times inside of requests, answers
    /// and signatures stay true.
    pub time_scale: u32,
    /// Seed of chance.
    pub seed: u64,
    /// Number of the first transfer. References are made from it; a bank that
    /// begins anew takes a higher one, because no bank gives a reference twice.
    pub first_number: u64,
}

/// An order as its provider knows it. SePay has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Order {
    /// Whose.
    pub provider: Provider,
    /// payOS order code or Pix txid.
    pub id: String,
    /// The provider's own id.
    pub link_id: String,
    /// Amount asked for, minor units.
    pub amount_minor: i64,
    /// Amount asked for before the last revision.
    pub previous_amount_minor: Option<i64>,
    /// Text the transfer should carry.
    pub memo: String,
    /// Virtual account (payOS) or location (Pix) that leads to it.
    pub place: String,
    /// Made at, unix milliseconds.
    pub created_ms: i64,
    /// Shown as expired from, unix milliseconds.
    pub expires_ms: Option<i64>,
    /// Cancelled at, unix milliseconds.
    pub cancelled_ms: Option<i64>,
    /// Why.
    pub cancel_reason: Option<String>,
    /// Revisions so far.
    pub revision: u32,
    /// Its transfers, by their place in the ledger.
    pub transfers: Vec<usize>,
}

/// A transfer that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Transfer {
    /// Counts up.
    pub number: u64,
    /// SePay's UUID of it.
    pub uuid: String,
    /// The bank's reference, never given twice.
    pub reference: String,
    /// Which provider watches the account.
    pub provider: Provider,
    /// Account of the shop.
    pub account: String,
    /// Virtual account it was sent to.
    pub virtual_account: Option<String>,
    /// Amount, minor units; below zero when it left the account.
    pub amount_minor: i64,
    /// Currency.
    pub currency: Currency,
    /// Text, as the banks left it.
    pub memo: String,
    /// Booked at, unix milliseconds.
    pub at_ms: i64,
    /// In the provider's list from then on, unix milliseconds: a bank may tell
    /// the provider later than it books.
    pub listed_ms: i64,
    /// Order it belongs to, where the provider knows.
    pub order: Option<String>,
    /// Notices of it that were answered with success.
    pub notices: u32,
    /// Money given back (Pix).
    pub refunds: Vec<GivenBack>,
}

/// A refund of a Pix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GivenBack {
    /// The shop's id.
    pub id: String,
    /// Amount, minor units.
    pub amount_minor: i64,
    /// Asked for at, unix milliseconds.
    pub requested_ms: i64,
    /// Whether it ends as done.
    pub succeeds: bool,
}

/// Why a payer cannot pay.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PayError {
    /// The code is none of a shop here.
    #[error("the code cannot be paid here: {what}")]
    Code {
        /// Why.
        what: String,
    },
    /// The code names no amount.
    #[error("the code names no amount; give one")]
    NoAmount,
    /// No such provider or order.
    #[error("no open order; give provider, memo and amount_minor, or the text of a code")]
    NoOrder,
}

/// What a payer is about to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Which provider watches the account.
    pub provider: Provider,
    /// Order the code leads to.
    pub order: Option<String>,
    /// Amount, minor units; below zero takes money out.
    pub amount_minor: i64,
    /// Text.
    pub memo: String,
}

/// The bank.
#[derive(Debug)]
pub struct Bank {
    settings: Settings,
    faults: Faults,
    chance: Chance,
    orders: BTreeMap<(Provider, String), Order>,
    /// Newest order of each provider, for `pay_old_amount` and control.
    newest: BTreeMap<Provider, String>,
    /// Virtual account, link or location to order.
    places: BTreeMap<String, (Provider, String)>,
    transfers: Vec<Transfer>,
    by_uuid: BTreeMap<String, usize>,
    sepay_rows: Vec<usize>,
    payers: BTreeMap<(i64, u64), Payment>,
    plans: BTreeMap<(i64, u64), Plan>,
    in_flight: BTreeMap<u64, Plan>,
    next_tie: u64,
    requests: BTreeMap<String, VecDeque<i64>>,
    tokens: BTreeMap<String, i64>,
    /// Amount asked for by the order before the newest, by provider.
    asked_before: BTreeMap<Provider, i64>,
}

impl Bank {
    /// A bank without money.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            chance: Chance::new(settings.seed),
            settings,
            faults: Faults::default(),
            orders: BTreeMap::new(),
            newest: BTreeMap::new(),
            places: BTreeMap::new(),
            transfers: Vec::new(),
            by_uuid: BTreeMap::new(),
            sepay_rows: Vec::new(),
            payers: BTreeMap::new(),
            plans: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            next_tie: 0,
            requests: BTreeMap::new(),
            tokens: BTreeMap::new(),
            asked_before: BTreeMap::new(),
        }
    }

    /// Sets the faults in force from now on.
    pub fn set_faults(&mut self, faults: Faults) {
        self.faults = faults;
    }

    /// The faults in force.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Every transfer, in the order they were booked.
    #[must_use]
    pub fn ledger(&self) -> &[Transfer] {
        &self.transfers
    }

    /// Every order.
    pub fn orders(&self) -> impl Iterator<Item = &Order> {
        self.orders.values()
    }

    /// One order.
    #[must_use]
    pub fn order(&self, provider: Provider, id: &str) -> Option<&Order> {
        self.orders.get(&(provider, id.to_owned()))
    }

    /// What has arrived for an order, minor units.
    #[must_use]
    pub fn received_minor(&self, order: &Order) -> i64 {
        let arrived = order
            .transfers
            .iter()
            .filter_map(|at| self.transfers.get(*at));
        arrived.map(|transfer| transfer.amount_minor).sum()
    }

    fn tie(&mut self) -> u64 {
        self.next_tie += 1;
        self.next_tie
    }

    /// Takes in a new order; `false` when the id is taken.
    fn open(&mut self, order: Order, now_ms: i64) -> bool {
        let key = (order.provider, order.id.clone());
        if self.orders.contains_key(&key) {
            return false;
        }
        if let Some(before) = self.newest.get(&order.provider)
            && let Some(before) = self.orders.get(&(order.provider, before.clone()))
        {
            self.asked_before
                .insert(order.provider, before.amount_minor);
        }
        self.newest.insert(order.provider, order.id.clone());
        for place in [&order.place, &order.link_id] {
            self.places.insert(place.clone(), key.clone());
        }
        let payment = self.usual_payment(&order);
        self.orders.insert(key, order);
        if let Some(after_ms) = self.settings.pay_after_ms {
            self.intend(payment, now_ms + after_ms);
        }
        true
    }

    fn usual_payment(&self, order: &Order) -> Payment {
        Payment {
            provider: order.provider,
            order: Some(order.id.clone()),
            amount_minor: order.amount_minor,
            memo: order.memo.clone(),
        }
    }

    /// What the newest order of a provider that nothing has arrived for asks.
    #[must_use]
    pub fn newest_open(&self, provider: Provider) -> Option<Payment> {
        let id = self.newest.get(&provider)?;
        let order = self.orders.get(&(provider, id.clone()))?;
        let open = order.transfers.is_empty() && order.cancelled_ms.is_none();
        open.then(|| self.usual_payment(order))
    }

    /// What a payer's app reads out of a code: VietQR to a shop's or an order's
    /// account, or a Pix location.
    ///
    /// # Errors
    /// A code of nobody here, or one without amount when none is given.
    pub fn scan(&self, code: &str, amount_minor: Option<i64>) -> Result<Payment, PayError> {
        let refused = |what: &str| PayError::Code { what: what.into() };
        let decoded = decode(code.as_bytes()).map_err(|error| refused(&error.to_string()))?;
        match decoded.code {
            PaymentCode::VietQr(qr) => {
                let asked = qr.amount_dong.and_then(|dong| i64::try_from(dong).ok());
                let amount_minor = amount_minor.or(asked).ok_or(PayError::NoAmount)?;
                let account = qr.account;
                let memo = qr.memo.unwrap_or_default();
                let (provider, order) = match self.places.get(&account) {
                    Some((provider, id)) => (*provider, Some(id.clone())),
                    None if self.is_sepay_account(&account) => (Provider::SePay, None),
                    None => return Err(refused("its account is not of a shop here")),
                };
                Ok(Payment {
                    provider,
                    order,
                    amount_minor,
                    memo,
                })
            }
            PaymentCode::Pix(qr) => match qr.target {
                PixTarget::Location { location, .. } => {
                    let key = self.places.get(&location);
                    let order = key.and_then(|key| self.orders.get(key));
                    let order = order.ok_or_else(|| refused("its location is unknown"))?;
                    let mut payment = self.usual_payment(order);
                    payment.amount_minor = amount_minor.unwrap_or(payment.amount_minor);
                    payment.memo.clear();
                    Ok(payment)
                }
                PixTarget::Key { .. } => Err(refused("static Pix codes are not simulated")),
            },
            _ => Err(refused("neither VietQR nor Pix")),
        }
    }

    fn is_sepay_account(&self, account: &str) -> bool {
        let shop = self.settings.sepay.as_ref();
        shop.is_some_and(|shop| shop.account.number == account)
    }

    /// A payer sends money, with whatever faults strike: another amount, twice,
    /// late. Returns when each transfer will be booked.
    pub fn pay(&mut self, payment: Payment, now_ms: i64) -> Vec<i64> {
        let due_ms = self.intend(payment, now_ms);
        self.advance(now_ms);
        due_ms
    }

    fn intend(&mut self, mut payment: Payment, now_ms: i64) -> Vec<i64> {
        let late_ms = self.strike(|fault| match fault {
            Fault::PayAfterExpiry(ms) => Some(*ms),
            _ => None,
        });
        let old = self.strikes(&Fault::PayOldAmount);
        let order = payment.order.clone();
        let order = order.and_then(|id| self.orders.get(&(payment.provider, id)));
        if old && let Some(order) = order {
            let before = self.asked_before.get(&payment.provider).copied();
            let before = order.previous_amount_minor.or(before);
            payment.amount_minor = before.unwrap_or(payment.amount_minor);
        }
        let expires_ms = order.and_then(|order| order.expires_ms);
        let due_ms = late_ms.map_or(now_ms, |late| expires_ms.unwrap_or(now_ms) + late);
        let due_ms = due_ms.max(now_ms);
        let changed_minor = self.strike(|fault| match fault {
            Fault::Under(minor) => Some(-*minor),
            Fault::Over(minor) => Some(*minor),
            _ => None,
        });
        if let (Some(changed), true) = (changed_minor, payment.amount_minor > 0) {
            // However much less: a payer does not take money.
            payment.amount_minor = payment.amount_minor.saturating_add(changed).max(1);
        }
        let copies = if self.strikes(&Fault::PayTwice) { 2 } else { 1 };
        for _ in 0..copies {
            self.plan_payment(payment.clone(), due_ms);
        }
        vec![due_ms; copies]
    }

    fn plan_payment(&mut self, payment: Payment, due_ms: i64) {
        let tie = self.tie();
        self.payers.insert((due_ms, tie), payment);
    }

    /// Books every payment that is due.
    pub fn advance(&mut self, now_ms: i64) {
        while let Some(entry) = self.payers.first_entry() {
            if entry.key().0 > now_ms {
                break;
            }
            let ((due_ms, _), payment) = entry.remove_entry();
            self.book(payment, due_ms);
        }
    }

    /// Books a transfer and plans its notice. Nothing but a zero amount keeps a
    /// transfer from happening: banks know nothing of orders.
    fn book(&mut self, payment: Payment, at_ms: i64) {
        if payment.amount_minor == 0 {
            return;
        }
        let mangle = self.strike(|fault| match fault {
            Fault::MangleMemo(mangle) => Some(*mangle),
            _ => None,
        });
        let memo = mangle.map_or(payment.memo.clone(), |mangle| mangle.apply(&payment.memo));
        let listed_late_ms = self.strike(|fault| match fault {
            Fault::LateRow(ms) if payment.provider == Provider::SePay => Some(*ms),
            _ => None,
        });
        let listed_ms = at_ms.saturating_add(listed_late_ms.unwrap_or(0));
        let number = self.settings.first_number + self.transfers.len() as u64;
        let place = self.transfers.len();
        let key = payment.order.clone().map(|id| (payment.provider, id));
        let order = key.and_then(|key| self.orders.get_mut(&key));
        let virtual_account = order
            .as_ref()
            .filter(|order| order.provider == Provider::PayOs)
            .map(|order| order.place.clone());
        let known = order.is_some();
        if let Some(order) = order {
            order.transfers.push(place);
        }
        let (account, currency) = self.account_of(payment.provider);
        let reference = match payment.provider {
            Provider::Pix => pix_face::end_to_end_id(number, at_ms),
            _ => format!("FT{number:013}"),
        };
        let uuid = self.chance.uuid();
        self.by_uuid.insert(uuid.clone(), place);
        if payment.provider == Provider::SePay {
            self.sepay_rows.push(place);
        }
        self.transfers.push(Transfer {
            number,
            uuid,
            reference,
            provider: payment.provider,
            account,
            virtual_account,
            amount_minor: payment.amount_minor,
            currency,
            memo,
            at_ms,
            listed_ms,
            order: payment.order.filter(|_| known),
            notices: 0,
            refunds: Vec::new(),
        });
        self.plan_notice(place, listed_ms);
    }

    fn account_of(&self, provider: Provider) -> (String, Currency) {
        let settings = &self.settings;
        match provider {
            Provider::PayOs => {
                let shop = settings.payos.as_ref();
                let number = shop.map(|shop| shop.account.number.clone());
                (number.unwrap_or_default(), Currency::Vnd)
            }
            Provider::SePay => {
                let shop = settings.sepay.as_ref();
                let number = shop.map(|shop| shop.account.number.clone());
                (number.unwrap_or_default(), Currency::Vnd)
            }
            Provider::Pix => {
                let key = settings.pix.as_ref().map(|shop| shop.key.clone());
                (key.unwrap_or_default(), Currency::Brl)
            }
        }
    }

    /// When something happens next by itself: a payment or a notice.
    #[must_use]
    pub fn next_ms(&self) -> Option<i64> {
        let payer = self.payers.keys().next().map(|(due_ms, _)| *due_ms);
        let notice = self.plans.keys().next().map(|(due_ms, _)| *due_ms);
        payer.into_iter().chain(notice).min()
    }

    fn strike<T>(&mut self, pick: impl Fn(&Fault) -> Option<T>) -> Option<T> {
        self.faults.strike(&mut self.chance, pick)
    }

    fn strikes(&mut self, fault: &Fault) -> bool {
        self.faults.strikes(&mut self.chance, fault)
    }

    /// Cancels an order, or lets the payer win the race. `false` when money is
    /// already there.
    fn cancel(
        &mut self,
        provider: Provider,
        id: &str,
        reason: Option<String>,
        now_ms: i64,
    ) -> bool {
        let key = (provider, id.to_owned());
        if self.strikes(&Fault::CancelRacePaid)
            && let Some(order) = self.orders.get(&key)
            && order.transfers.is_empty()
        {
            let payment = self.usual_payment(order);
            self.book(payment, now_ms);
        }
        let Some(order) = self.orders.get_mut(&key) else {
            return false;
        };
        if !order.transfers.is_empty() {
            return false;
        }
        if order.cancelled_ms.is_none() {
            order.cancelled_ms = Some(now_ms);
            order.cancel_reason = reason;
        }
        true
    }
}
