use super::{
    parts::{
        ACCOUNTS, BankWire, Dice, Event, PREFIXES, PROVIDERS, Payer, SEPAY, STORES, Sale, Tally,
        account_of,
    },
    shop::{payments, settings},
};
use headoffice::{
    Clock, Config, Relay, Store,
    relay::{Account, gate::Caller, settings::Payment},
};
use payqr::{
    OrderCode, StorePrefix, VietQr,
    provider::{
        Provider,
        bank::{self, Bank, Faults, Payment as Transfer},
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};
use touchpoint::{
    DeviceId, SigningKey,
    relay::{OrderOffer, OrderState},
    wire::{EnrolRequest, Signed},
};

/// 2026-11-28 08:00 in Vietnam.
const BEGIN_MS: i64 = 1_795_827_600_000;
const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 3_600_000;

const FAULTS: &str = "drop_push 20%
dup 8 15%
delay 240000 5%
reorder 20000 30%
replay 301 5%
bad_sig 4%
missing_sig 3%
http 429 retry-after 2 4%
http 503 6%
http 500 4%
http200 code=20 1%
lost_response_after_commit 4%
cancel_race_paid 30%
mangle_memo prefix 30%
mangle_memo strip 10%
mangle_memo upper 10%
late_row 600000 5%";

#[derive(Debug, Clone)]
pub struct Options {
    pub sales: u32,
    pub seed: u64,
    pub folder: PathBuf,
    /// One kill in so many steps, on average.
    pub kill_every: u64,
    /// A sale on each account every so often.
    pub pace_ms: i64,
}

pub struct World {
    pub options: Options,
    pub bank: Bank,
    pub sales: Vec<Sale>,
    pub tally: Tally,
    pub payments: Vec<Payment>,
    dice: Dice,
    events: BTreeMap<(i64, u64), Event>,
    tie: u64,
    turns: u64,
    now_ms: i64,
    steady: Arc<AtomicI64>,
    wall: Arc<AtomicI64>,
    skew_ms: i64,
    running: Option<(Arc<Store>, Relay)>,
    devices: Vec<DeviceId>,
}

impl World {
    pub fn new(options: Options) -> Self {
        let steady = Arc::new(AtomicI64::new(BEGIN_MS));
        let wall = Arc::new(AtomicI64::new(BEGIN_MS));
        let mut bank = Bank::new(settings(options.seed, "https://relay"));
        bank.set_faults(Faults::read(FAULTS).unwrap());
        let mut world = Self {
            bank,
            sales: Vec::new(),
            tally: Tally::default(),
            payments: payments("http://127.0.0.1:1"),
            dice: Dice(options.seed ^ 0xD1CE),
            events: BTreeMap::new(),
            tie: 0,
            turns: 0,
            now_ms: BEGIN_MS,
            steady,
            wall,
            skew_ms: 0,
            running: None,
            devices: Vec::new(),
            options,
        };
        world.start();
        world.devices = STORES
            .iter()
            .zip(1_u8..)
            .map(|(store, seed)| enrol(world.store(), store, seed))
            .collect();
        world
    }

    pub fn store(&self) -> &Arc<Store> {
        &self.running.as_ref().unwrap().0
    }

    pub fn relay(&self) -> &Relay {
        &self.running.as_ref().unwrap().1
    }

    fn start(&mut self) {
        let mut config = Config::new(&self.options.folder);
        config.clock = Clock::Manual(Arc::clone(&self.wall));
        let store = Arc::new(Store::open(&config).unwrap());
        let steady = Clock::Manual(Arc::clone(&self.steady));
        let relay = Relay::open_with_steady(Arc::clone(&store), &self.payments, steady).unwrap();
        self.running = Some((store, relay));
    }

    /// The power goes and comes back: what is in memory is gone, what is on disk is there.
    fn kill(&mut self) {
        self.tally.kills += 1;
        let (store, relay) = self.running.take().unwrap();
        drop(relay);
        if self.tally.leaked < 100 {
            // As after a crash: nothing is closed or folded in.
            self.tally.leaked += 1;
            std::mem::forget(store);
        }
        self.start();
    }

    fn strikes(&mut self) -> bool {
        let every = self.options.kill_every;
        every > 0 && self.dice.below(every) == 0
    }

    fn plan(&mut self, after_ms: i64, event: Event) {
        self.tie += 1;
        self.events
            .insert((self.now_ms + after_ms, self.tie), event);
    }

    pub fn play(&mut self) {
        for index in 0..self.options.sales as usize {
            let sale = self.draw(index);
            let at_ms = (index as i64 / 3) * self.options.pace_ms + self.dice.between(0, 2_000);
            self.sales.push(sale);
            self.plan(at_ms, Event::Offer(index));
            if self.dice.below(200) == 0 {
                self.plan(at_ms, Event::Orphan(index % 3));
            }
            if index % 500 == 0 {
                self.plan(at_ms, Event::Skew);
            }
        }
        let mut quiet_after_ms = None;
        loop {
            let event = self.events.keys().next().map(|(at, _)| *at);
            if event.is_none() && quiet_after_ms.is_none() {
                // Nothing new happens: a day for every last look.
                quiet_after_ms = Some(self.now_ms + 26 * HOUR_MS);
            }
            let relay = self.relay();
            let due = relay
                .accounts()
                .iter()
                .filter_map(|account| next_of(account));
            let next = due.chain(event).chain(self.bank.next_ms()).min();
            let Some(next) = next.filter(|next| quiet_after_ms.is_none_or(|end| *next < end))
            else {
                break;
            };
            self.turns += 1;
            if self.turns.is_multiple_of(1_000) {
                // As the server does every twenty seconds.
                self.store().checkpoint().unwrap();
            }
            self.now_ms = self.now_ms.max(next);
            self.set_clocks();
            self.happen();
            self.deliver();
            self.ask();
        }
    }

    fn set_clocks(&self) {
        self.steady.store(self.now_ms, Ordering::SeqCst);
        self.wall
            .store(self.now_ms + self.skew_ms, Ordering::SeqCst);
    }

    fn draw(&mut self, index: usize) -> Sale {
        let account = index % 3;
        let prefix = StorePrefix::new(PREFIXES[account]).unwrap();
        let payer = match self.dice.below(100) {
            0..=2 => Payer::Under,
            3..=4 => Payer::Completes,
            5..=6 => Payer::Over,
            7..=8 => Payer::Twice,
            9..=11 => Payer::Late,
            12..=15 => Payer::Nothing,
            16..=18 => Payer::Races,
            19..=20 => Payer::Forgets,
            21 if account == SEPAY => Payer::CutOff,
            22 if account == SEPAY => Payer::NoCode,
            23 if account == SEPAY => Payer::ToldLater,
            _ => Payer::Exact,
        };
        Sale {
            account,
            code: OrderCode::new(prefix, (index as u32).wrapping_mul(7_919) % (1 << 30)).unwrap(),
            amount: 1_000 * self.dice.between(5, 900),
            payer,
            shown: false,
            withdrawn_ms: None,
            looked: false,
        }
    }

    fn happen(&mut self) {
        while let Some(entry) = self.events.first_entry() {
            if entry.key().0 > self.now_ms {
                break;
            }
            match entry.remove() {
                Event::Offer(index) => self.offer(index),
                Event::Look(index) => self.look(index),
                Event::Pay(index, amount) => self.pay(index, amount),
                Event::Withdraw(index) => self.withdraw(index),
                Event::Orphan(account) => self.orphan(account),
                Event::Skew => self.skew_ms = self.dice.between(-10 * MINUTE_MS, 10 * MINUTE_MS),
            }
            self.set_clocks();
        }
    }

    fn caller(&self, account: usize) -> Caller {
        Caller {
            device: self.devices[account].clone(),
            nonce: [0; 16],
        }
    }

    fn offer(&mut self, index: usize) {
        let sale = self.sales[index].clone();
        if sale.payer == Payer::ToldLater && !sale.shown {
            // The kiosk draws the code by itself; the relay hears of it after the money.
            self.sales[index].shown = true;
            self.plan(5 * SECOND_MS, Event::Pay(index, sale.amount));
            return self.plan(10 * MINUTE_MS, Event::Offer(index));
        }
        let offer = OrderOffer {
            amount_minor: sale.amount,
            attempt: index.to_string(),
            currency: if PROVIDERS[sale.account] == Provider::Pix {
                "BRL".into()
            } else {
                "VND".into()
            },
            open_for_ms: Some(120_000),
            order: sale.code.to_string(),
        };
        let caller = self.caller(sale.account);
        self.relay().offer(&caller, &offer).unwrap().unwrap();
        if self.strikes() {
            self.kill();
            // The kiosk has no answer and offers again.
            let known = self.relay().offer(&caller, &offer).unwrap().unwrap();
            assert!(!known, "an offer that was made is made");
        }
        if sale.payer != Payer::ToldLater {
            self.plan(0, Event::Look(index));
        }
    }

    /// The kiosk waits for its code; then the shopper sees it.
    fn look(&mut self, index: usize) {
        let sale = self.sales[index].clone();
        let caller = self.caller(sale.account);
        let code = sale.code.to_string();
        let order = self.relay().order(&caller, &code).unwrap().unwrap();
        let answer = self.relay().answer(order, [0; 16]);
        match answer.state {
            OrderState::Creating => self.plan(SECOND_MS, Event::Look(index)),
            _ if answer.reason.is_some() => self.tally.offers_refused += 1,
            _ if sale.account != SEPAY && answer.qr.is_none() => {
                self.plan(SECOND_MS, Event::Look(index));
            }
            _ => self.show(index),
        }
    }

    fn show(&mut self, index: usize) {
        self.sales[index].shown = true;
        let sale = self.sales[index].clone();
        let soon = self.dice.between(4 * SECOND_MS, 40 * SECOND_MS);
        let amount = sale.amount;
        match sale.payer {
            Payer::Exact | Payer::CutOff | Payer::NoCode | Payer::ToldLater => {
                self.plan(soon, Event::Pay(index, amount));
            }
            Payer::Under => {
                self.plan(soon, Event::Pay(index, 200));
                self.plan(3 * MINUTE_MS, Event::Withdraw(index));
            }
            Payer::Completes => {
                self.plan(soon, Event::Pay(index, 200));
                self.plan(soon + 30 * SECOND_MS, Event::Pay(index, amount - 200));
            }
            Payer::Over => self.plan(soon, Event::Pay(index, amount + 50_000)),
            Payer::Twice => {
                self.plan(soon, Event::Pay(index, amount));
                self.plan(soon + 5 * SECOND_MS, Event::Pay(index, amount));
            }
            Payer::Late => {
                self.plan(2 * MINUTE_MS, Event::Withdraw(index));
                let late = self.dice.between(5 * MINUTE_MS, 20 * HOUR_MS);
                self.plan(late, Event::Pay(index, amount));
            }
            Payer::Nothing => self.plan(2 * MINUTE_MS, Event::Withdraw(index)),
            Payer::Races => {
                self.plan(2 * MINUTE_MS - 100, Event::Pay(index, amount));
                self.plan(2 * MINUTE_MS, Event::Withdraw(index));
            }
            Payer::Forgets => {}
        }
    }

    /// The payer scans what is on the glass, or types, as people and banks do.
    fn pay(&mut self, index: usize, amount: i64) {
        let sale = self.sales[index].clone();
        let transfer = if sale.account != SEPAY {
            let order = self.store().order(&sale.code.to_string()).unwrap().unwrap();
            let qr = order.made.unwrap().qr;
            self.bank.scan(&qr, Some(amount)).unwrap()
        } else {
            let memo = match sale.payer {
                Payer::CutOff => sale.code.to_string()[..6].to_owned(),
                Payer::NoCode => "cam on quan".to_owned(),
                _ => sale.code.to_string(),
            };
            let qr = VietQr::account("970436", "0022004000222")
                .with_amount(amount as u64)
                .with_memo(&memo)
                .encode()
                .unwrap();
            self.bank.scan(&qr, None).unwrap()
        };
        self.bank.pay(transfer, self.now_ms);
    }

    fn orphan(&mut self, account: usize) {
        let provider = PROVIDERS[account];
        if provider != Provider::PayOs {
            let transfer = Transfer {
                provider,
                order: None,
                amount_minor: 77_000,
                memo: "tien nha thang nay".into(),
            };
            self.bank.pay(transfer, self.now_ms);
        }
    }

    fn withdraw(&mut self, index: usize) {
        let sale = self.sales[index].clone();
        let caller = self.caller(sale.account);
        let code = sale.code.to_string();
        let order = self.relay().order(&caller, &code).unwrap().unwrap();
        // The last look, as the HTTP side does it; the bank may not answer.
        let before = self.relay().ask_now(&order);
        for _ in 0..15 {
            self.ask();
            if self.relay().answered_ms(&order) != before {
                break;
            }
            self.now_ms += 100;
            self.set_clocks();
        }
        let order = self.relay().order(&caller, &code).unwrap().unwrap();
        self.sales[index].looked = self.relay().answered_ms(&order) != before;
        self.relay().withdraw(&order).unwrap();
        let order = self.relay().order(&caller, &code).unwrap().unwrap();
        if order.withdrawn {
            self.sales[index].withdrawn_ms = Some(self.now_ms);
        }
        if self.strikes() {
            self.kill();
        }
    }

    /// Notices the bank sends by now, and some that somebody else sends.
    fn deliver(&mut self) {
        for push in self.bank.due(self.now_ms) {
            self.tally.pushes += 1;
            let name = ACCOUNTS[account_of(push.provider)];
            let provider = push.provider.name();
            if self.dice.below(50) == 0 {
                self.forge(provider, name, &push);
            }
            let dies_before = self.strikes();
            if dies_before {
                self.kill();
                self.bank.pushed(push.id, false, self.now_ms);
                continue;
            }
            let account = Arc::clone(self.relay().account_named(provider, name).unwrap());
            let header = |name: &str| push.header_value(name).map(str::to_owned);
            let answer = self.relay().push(&account, &push.body, &header);
            let taken = answer.status == 200;
            self.tally.pushes_refused += u64::from(!taken);
            // Dies after the credit is durable and before the provider hears it.
            let dies_after = self.strikes();
            self.bank.pushed(push.id, taken && !dies_after, self.now_ms);
            if dies_after {
                self.kill();
            }
        }
    }

    /// Somebody changes the amount of a notice they saw, or makes one up.
    fn forge(&mut self, provider: &str, name: &str, push: &bank::Push) {
        self.tally.forged_by_us += 1;
        let text = String::from_utf8_lossy(&push.body)
            .replace("\"amount\":", "\"amount\":9")
            .replace("\"transferAmount\":", "\"transferAmount\":9")
            .replace("\"valor\":\"", "\"valor\":\"9");
        let account = Arc::clone(self.relay().account_named(provider, name).unwrap());
        let header = |name: &str| push.header_value(name).map(str::to_owned);
        let answer = self.relay().push(&account, text.as_bytes(), &header);
        // Pix proves no notice: it is taken for a hint, and what it says of money for nothing.
        let proves = push.provider != Provider::Pix;
        self.tally.forged_taken += u64::from(proves && answer.status == 200);
    }

    /// Every question that is due.
    fn ask(&mut self) {
        for (index, provider) in PROVIDERS.into_iter().enumerate() {
            loop {
                let kill = self.strikes().then(|| self.dice.below(2) == 0);
                let (_, relay) = self.running.as_ref().unwrap();
                let account = Arc::clone(&relay.accounts()[index]);
                let mut wire = BankWire {
                    bank: &mut self.bank,
                    provider,
                    now_ms: self.now_ms,
                    kill,
                    killed: false,
                    failed: false,
                };
                let asked = relay.step(&account, &mut wire).is_some();
                let (killed, failed) = (wire.killed, wire.failed);
                if !asked {
                    break;
                }
                self.tally.questions += 1;
                self.tally.questions_failed += u64::from(failed || killed);
                // Also right after the answer was kept.
                if killed || self.strikes() {
                    self.kill();
                }
            }
        }
    }

    /// Codes of the sales of which `wanted` is true.
    pub fn codes(&self, wanted: impl Fn(&Sale) -> bool) -> BTreeSet<String> {
        let found = self.sales.iter().filter(|sale| wanted(sale));
        found.map(|sale| sale.code.to_string()).collect()
    }
}

fn next_of(account: &Account) -> Option<i64> {
    account.next_question_ms()
}

fn enrol(store: &Store, name: &str, seed: u8) -> DeviceId {
    let key = SigningKey::from_bytes(&[seed; 32]);
    let request = EnrolRequest {
        code: store.enrolment_code(name).unwrap(),
        name: format!("Quầy {seed}"),
        public_key: key.verifying_key().to_bytes(),
    };
    let signed = Signed::new(&key, &request).unwrap();
    store.enrol(&signed).unwrap().unwrap().device
}
