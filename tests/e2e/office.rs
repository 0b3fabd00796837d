//! A real head office with its payment relay, its providers in software, and a counter that is enrolled there.

use crate::cable::Cable;
use crate::driver::{Counter, Shop, noon};
use crate::journeys::{sign_in, with_a_coffee};
use ::headoffice::clock::Clock;
use ::headoffice::relay::settings::{Keys, Payment};
use ::headoffice::today::Today;
use ::headoffice::{Config, Running};
use checkout::till::{Screen, TenderKind, TillState};
use kiosk::assemble::{key_file, open_store};
use kiosk::bank::sim::providers;
use kiosk::clock::machine_ms;
use kiosk::config::BankMode;
use kiosk::store::LaneMarks;
use kiosk::sync::{EnrolError, enrol};
use payqr::provider::bank::{Account, Faults, PayOsShop, SePayShop, Settings};
use payqr::provider::sepay::Auth;
use payqr::provider::{Provider, Secret};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use touchpoint::Lane;

pub const STORE: &str = "Tạp hóa Hoa Sen";

/// A head office on the database in `dir`, at `listen` (port 0 picks one).
pub fn office(dir: &Path, listen: SocketAddr) -> Running {
    ::headoffice::start(settings(dir, listen)).unwrap()
}

/// Head office's settings, in the zone of the shop.
fn settings(dir: &Path, listen: SocketAddr) -> Config {
    let mut config = Config::new(dir);
    config.listen = listen;
    config.time_zone = noon();
    config
}

/// Any port of an address that is this process's alone. What listens there may go and come back: nobody else is given
/// its port meanwhile, and no connection begins at it.
pub fn anywhere() -> SocketAddr {
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    ([127, 0x40 | high & 0x3f, middle, low], 0).into()
}

/// What `kiosk enroll` does, while the counter is closed.
pub fn enrol_with(shop: &Shop, url: &str, code: &str) -> Result<(), EnrolError> {
    let opened = open_store(&shop.config, |_| {}).unwrap();
    let answer = enrol(&opened.store, &key_file(&shop.config), url, code, "Quầy 1");
    let enrolled = opened.store.call(|engine| engine.enrolment()).unwrap();
    assert_eq!(enrolled.is_some(), answer.is_ok(), "only a yes is kept");
    drop(opened.store);
    opened.thread.join().unwrap();
    answer.map(|answer| assert_eq!(answer.store, STORE))
}

/// From a filled basket to the attract screen: card, receipt, a face.
pub fn pay_by_card_and_tap(counter: &Counter, face: &str) {
    counter.tap("Thanh toán");
    counter.until_screen("pay");
    counter.tap("Thẻ");
    counter.until_screen("tap");
    counter.tap(face);
    counter.until("the end of the visit", |counter| {
        if counter.screen() == "reasons" {
            counter.tap("Bỏ qua");
        }
        counter.screen() == "attract"
    });
}

/// The day of the kiosk's sales as head office has it.
pub fn day(counter: &Counter, office: &Running) -> Today {
    let store = counter.app.borrow().store();
    let date = store.call(|engine| engine.last_business_date()).unwrap();
    office.today(date.as_deref()).unwrap()
}

/// Events the kiosk has recorded, in all lanes.
pub fn recorded(counter: &Counter) -> u64 {
    let store = counter.app.borrow().store();
    let lanes = store.call(|engine| engine.lanes()).unwrap();
    lanes.iter().map(|mark| mark.last_seq).sum()
}

/// Where the kiosk's money lane stands.
pub fn money(counter: &Counter) -> LaneMarks {
    let store = counter.app.borrow().store();
    let lanes = store.call(|engine| engine.lanes()).unwrap();
    let mut money = lanes.into_iter().filter(|mark| mark.lane == Lane::Money);
    money.next().unwrap()
}

/// Waits until head office's receipts for all that was recorded have come back: the next block holds only what is
/// recorded from now on.
pub fn until_answered(counter: &Counter) {
    counter.until("every receipt of head office", |counter| {
        let store = counter.app.borrow().store();
        let lanes = store.call(|engine| engine.lanes()).unwrap();
        let recorded = lanes.iter().any(|mark| mark.last_seq > 0);
        recorded && lanes.iter().all(|mark| mark.stored_upto == mark.last_seq)
    });
}

/// Events of a lane in head office's database in `dir`, of the only kiosk there.
pub fn kept(dir: &Path, lane: Lane) -> u64 {
    let database = rusqlite::Connection::open(dir.join("headoffice.sqlite")).unwrap();
    let stored = "SELECT coalesce(sum(next_seq - 1), 0) FROM head WHERE lane = ?1";
    let stored: i64 = database
        .query_row(stored, [lane.number()], |row| row.get(0))
        .unwrap();
    u64::try_from(stored).unwrap()
}

/// Waits until head office has every event of the kiosk, and checks that none
/// of them is there twice, unread or unknown.
pub fn until_complete(counter: &Counter, office: &Running) -> Today {
    counter.until("every event at head office", |counter| {
        day(counter, office).completeness.stored >= recorded(counter)
    });
    let today = day(counter, office);
    assert_eq!(today.completeness.stored, recorded(counter));
    assert_eq!(today.completeness.missing, 0);
    assert_eq!(today.completeness.quarantined, 0);
    assert_eq!(today.completeness.devices.len(), 1);
    today
}

/// Sales and their total in đồng.
pub fn sold(today: &Today) -> (u64, i64) {
    let totals = today.sales.by_currency.iter();
    let total = totals.map(|currency| currency.total_minor).sum();
    (today.sales.count, total)
}

/// The shop's account as its bank knows it.
fn the_account(number: &str) -> Account {
    Account {
        bin: "970436".into(),
        number: number.into(),
        holder: "CONG TY TNHH HOA SEN".into(),
        bank: "Vietcombank".into(),
    }
}

/// payOS in front of a simulated bank where every code is paid by itself after that time, or when a test says so.
pub fn payos(number: &str, pay_after_ms: Option<i64>) -> (providers::Running, Payment) {
    let key = |word: &str| Secret::new(format!("{word}-0123456789abcdef"));
    let shop = PayOsShop {
        client_id: "client-0123456789abcdef".into(),
        api_key: key("api"),
        checksum_key: key("checksum"),
        account: the_account(number),
        webhook_url: None,
    };
    let settings = Settings {
        payos: Some(shop),
        pay_after_ms,
        first_number: 1_000,
        ..Settings::default()
    };
    let doors = [(Provider::PayOs, anywhere())];
    let bank = providers::start(settings, Faults::default(), &doors).unwrap();
    let payment = Payment {
        name: "hoasen".into(),
        account_number: number.into(),
        stores: Vec::new(),
        url: bank.address(Provider::PayOs).unwrap(),
        requests_per_second: 10,
        keys: Keys::PayOs {
            client_id: key("client"),
            api_key: key("api"),
            checksum_key: key("checksum"),
            page: "https://payos.vn".into(),
        },
    };
    (bank, payment)
}

/// A head office with that account.
pub fn office_with(dir: &Path, listen: SocketAddr, payment: &Payment) -> Running {
    let mut config = settings(dir, listen);
    config.payments = vec![payment.clone()];
    ::headoffice::start(config).unwrap()
}

/// An enrolled counter that asks head office about its codes.
pub fn with_relay(shop: &mut Shop, office: &Running) -> Counter {
    let bank = shop.config.file.bank.as_mut().unwrap();
    bank.mode = BankMode::Relay;
    bank.relay_url = None;
    let code = office.enrolment_code(STORE).unwrap();
    enrol_with(shop, &office.url(), &code).unwrap();
    with_a_coffee(shop)
}

pub fn show_code(counter: &Counter) {
    counter.tap("Thanh toán");
    counter.until_screen("pay");
    counter.tap("Quét mã QR");
    counter.until("the code on the glass", |counter| {
        matches!(&counter.app.borrow().model().view.screen, Screen::Qr(qr) if qr.offer.is_some())
    });
}

pub fn account(shop: &Shop) -> String {
    let bank = shop.config.file.bank.as_ref();
    bank.unwrap().account.clone()
}

/// SePay in front of a simulated bank, for the account with this number.
pub fn sepay(number: &str) -> (providers::Running, Payment) {
    let token = Secret::new("token-0123456789abcdef");
    let webhook = Auth::Signature(Secret::new("webhook-0123456789abcdef"));
    let shop = SePayShop {
        api_token: token.clone(),
        auth: webhook.clone(),
        account: the_account(number),
        webhook_url: None,
    };
    let settings = Settings {
        sepay: Some(shop),
        first_number: 1_000,
        ..Settings::default()
    };
    let doors = [(Provider::SePay, anywhere())];
    let bank = providers::start(settings, Faults::default(), &doors).unwrap();
    let payment = Payment {
        name: "hoasen".into(),
        account_number: number.into(),
        stores: Vec::new(),
        url: bank.address(Provider::SePay).unwrap(),
        requests_per_second: 3,
        keys: Keys::SePay { token, webhook },
    };
    (bank, payment)
}

/// A shop whose codes a real head office asks a provider about, with a cable to cut on either side of it.
pub struct Relayed {
    pub shop: Shop,
    pub bank: providers::Running,
    pub to_bank: Cable,
    pub office: Running,
    pub to_office: Cable,
    /// How wrong head office's clock is.
    pub office_wrong_by_ms: Arc<AtomicI64>,
    config: Config,
    _dir: tempfile::TempDir,
}

impl Relayed {
    /// A shop with that provider, all clocks right.
    pub fn open(provider: Provider) -> Self {
        Self::open_at(provider, 0)
    }

    /// The same, with head office's clock wrong by so much from its start.
    pub fn open_at(provider: Provider, office_wrong_by_ms: i64) -> Self {
        let mut shop = Shop::open();
        let (bank, mut payment) = match provider {
            Provider::SePay => sepay(&account(&shop)),
            _ => payos(&account(&shop), None),
        };
        let (_, door) = bank.doors[0];
        let to_bank = Cable::to(door);
        payment.url = to_bank.url();
        let dir = tempfile::tempdir().unwrap();
        let (clock, office_wrong_by_ms) = Clock::wrong(office_wrong_by_ms);
        let mut config = settings(dir.path(), anywhere());
        config.payments = vec![payment];
        config.clock = clock;
        let office = ::headoffice::start(config.clone()).unwrap();
        let to_office = Cable::to(office.addr);
        let bank_section = shop.config.file.bank.as_mut().unwrap();
        bank_section.mode = BankMode::Relay;
        bank_section.relay_url = None;
        let code = office.enrolment_code(STORE).unwrap();
        enrol_with(&shop, &to_office.url(), &code).unwrap();
        Self {
            shop,
            bank,
            to_bank,
            office,
            to_office,
            office_wrong_by_ms,
            config,
            _dir: dir,
        }
    }

    /// What `headoffice credits settle` does while the server runs: a person says which order a transfer is for.
    pub fn settle(&self, reference: &str, order: &str) {
        let store = ::headoffice::Store::open(&self.config).unwrap();
        store
            .settle_credit("hoasen", reference, "for_sale", "", "Lan", Some(order))
            .unwrap()
            .unwrap();
    }

    /// A payer scans `payload` and sends what it asks for, or another amount; what the ledger then holds.
    pub fn pay(&self, payload: &str, amount_minor: Option<i64>) -> usize {
        self.bank.with_bank(|bank| {
            let payment = bank.scan(payload, amount_minor).unwrap();
            bank.pay(payment, machine_ms());
            bank.ledger().len()
        })
    }

    /// The same with a fault in force for this one transfer.
    pub fn pay_with(&self, fault: &str, payload: &str, amount_minor: Option<i64>) {
        let faults = Faults::read(fault).unwrap();
        self.bank.with_bank(|bank| bank.set_faults(faults));
        self.pay(payload, amount_minor);
        self.bank
            .with_bank(|bank| bank.set_faults(Faults::default()));
    }
}

/// The code on the glass: its order code and what a phone reads.
pub fn code_on_the_glass(counter: &Counter) -> (String, String) {
    counter.until("the code on the glass", |counter| {
        matches!(&counter.app.borrow().model().view.screen, Screen::Qr(qr) if qr.offer.is_some())
    });
    match &counter.app.borrow().model().view.screen {
        Screen::Qr(qr) => {
            let offer = qr.offer.as_ref().unwrap();
            (qr.order_code.clone(), offer.payload.clone())
        }
        other => panic!("{other:?}"),
    }
}

/// From the tenders to cash that staff count, to the end of the sale.
pub fn count_cash(counter: &Counter, digits: &[&str]) {
    counter.until_screen("cash");
    sign_in(counter);
    counter.tap("Đếm tiền");
    for key in digits {
        counter.tap(key);
    }
    counter.tap("Đã nhận tiền mặt");
    counter.until_screen("tap");
}

/// A face, and back to the attract screen.
pub fn tap_and_leave(counter: &Counter) {
    counter.tap("Rất tốt");
    counter.until("the end of the visit", |counter| {
        if counter.screen() == "reasons" {
            counter.tap("Bỏ qua");
        }
        counter.screen() == "attract"
    });
}

pub fn state(counter: &Counter) -> TillState {
    counter.app.borrow().model().state.clone()
}

/// The tenders of the sale that was just made: kind, amount.
pub fn tenders(counter: &Counter) -> Vec<(TenderKind, i64)> {
    let sale = state(counter).visit.unwrap().sale.unwrap();
    let tenders = sale.tenders.iter();
    tenders
        .map(|tender| (tender.kind, tender.amount_minor))
        .collect()
}
