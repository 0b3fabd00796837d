//! A till on a desk, for stories told step by step.

use checkout::till::*;
use checkout::{Currency, Money, Now};

use crate::shop;

pub const WALL_MS: i64 = 1_795_000_000_000;
pub const COFFEE: &str = "6291041500213";
pub const MILK: &str = "9501101531000";
pub const BEER: &str = "]E00036000241457";

/// A till on a desk: the disk answers at once unless it is held, everything else by hand.
pub struct Desk {
    pub till: Till,
    pub mono_ms: u64,
    pub wall_ms: i64,
    pub disk: Disk,
    pub done: Vec<Effect>,
    pub facts: Vec<Fact>,
    pub durable: Option<TillState>,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Disk {
    Works,
    Held,
    Fails(StoreFault),
}

impl Desk {
    pub fn new() -> Desk {
        Desk::with(shop::config(1))
    }

    pub fn with(config: TillConfig) -> Desk {
        let now = Now {
            wall_ms: WALL_MS,
            utc_offset_min: 420,
            mono_ms: 0,
        };
        let mut desk = Desk {
            till: Till::new(config, None, 1, now),
            mono_ms: 0,
            wall_ms: WALL_MS,
            disk: Disk::Works,
            done: Vec::new(),
            facts: Vec::new(),
            durable: None,
        };
        desk.does(Event::Tick);
        desk
    }

    pub fn now(&self) -> Now {
        Now {
            wall_ms: self.wall_ms,
            utc_offset_min: 420,
            mono_ms: self.mono_ms,
        }
    }

    pub fn does(&mut self, event: Event) -> &mut Desk {
        let mut effects = Effects::new();
        self.till.step(self.now(), event, &mut effects);
        let list: Vec<Effect> = effects.drain().collect();
        for effect in list {
            match effect {
                Effect::Store {
                    ticket,
                    facts,
                    state,
                } => match self.disk {
                    Disk::Works => {
                        self.facts.extend(facts);
                        self.durable = Some(*state);
                        self.does(Event::Stored(ticket));
                    }
                    Disk::Held => self.done.push(Effect::Store {
                        ticket,
                        facts,
                        state,
                    }),
                    Disk::Fails(fault) => {
                        self.does(Event::StoreFailed { ticket, fault });
                    }
                },
                Effect::LookUp { ticket, code } => {
                    let found = shop::look_up(&code.candidates);
                    self.does(Event::LookedUp { ticket, found });
                }
                effect => self.done.push(effect),
            }
        }
        self
    }

    /// Lets time pass in steps, as the alarm clock would.
    pub fn wait(&mut self, ms: u64) -> &mut Desk {
        let mut left = ms;
        while left > 0 {
            let part = left.min(500);
            self.mono_ms += part;
            self.wall_ms += i64::try_from(part).unwrap();
            left -= part;
            self.does(Event::Tick);
        }
        self
    }

    pub fn scan(&mut self, text: &str) -> &mut Desk {
        self.does(Event::Scanned(Scan::new(text)))
    }

    pub fn staff(&mut self, event: StaffEvent) -> &mut Desk {
        self.does(Event::Staff(StaffEvent::SignedIn {
            staff: StaffId("S1".into()),
        }));
        self.does(Event::Staff(event))
    }

    pub fn terminal(&mut self, attempt: u64, said: TerminalSaid) -> &mut Desk {
        self.does(Event::Terminal {
            attempt: AttemptId(attempt),
            said,
        })
    }

    pub fn bank(&mut self, attempt: u64, said: BankSaid) -> &mut Desk {
        self.does(Event::Bank {
            attempt: AttemptId(attempt),
            said,
        })
    }

    pub fn credit(&mut self, attempt: u64, id: &str, minor: i64) -> &mut Desk {
        let amount = Money::new(minor, Currency::VND);
        self.bank(
            attempt,
            BankSaid::Credit(Credit {
                id: id.into(),
                amount,
            }),
        )
    }

    /// The bank was asked just now and had nothing.
    pub fn checked(&mut self, attempt: u64) -> &mut Desk {
        self.bank(attempt, BankSaid::Checked { asked_ago_ms: 0 })
    }

    pub fn offered(&mut self, attempt: u64) -> &mut Desk {
        self.bank(
            attempt,
            BankSaid::Offered(QrOffer {
                payload: "QR".into(),
                payee: "HOA SEN".into(),
                bank: "VCB".into(),
                account_tail: "5678".into(),
            }),
        )
    }

    /// The one write held back is on disk now.
    pub fn disk_answers(&mut self) -> &mut Desk {
        let stores = |effect: &Effect| matches!(effect, Effect::Store { .. });
        let index = self.done.iter().position(stores).expect("a write is open");
        let Effect::Store {
            ticket,
            facts,
            state,
        } = self.done.remove(index)
        else {
            unreachable!("just found")
        };
        self.facts.extend(facts);
        self.durable = Some(*state);
        self.done.clear();
        self.does(Event::Stored(ticket))
    }

    pub fn restart(&mut self) -> &mut Desk {
        self.mono_ms = 0;
        let (config, state) = (self.till.config().clone(), self.durable.clone());
        self.till = Till::new(config, state, 2, self.now());
        self.done.clear();
        self.disk = Disk::Works;
        self.does(Event::Tick)
    }

    pub fn view(&self) -> View {
        self.till.view(self.now())
    }

    pub fn screen(&self) -> Screen {
        self.view().screen
    }

    pub fn notice(&self) -> Notice {
        self.view().notice.expect("a notice is shown")
    }

    pub fn did(&self, wanted: impl Fn(&Effect) -> bool) -> bool {
        self.done.iter().any(wanted)
    }

    pub fn recorded(&self, wanted: impl Fn(&What) -> bool) -> usize {
        self.facts.iter().filter(|fact| wanted(&fact.what)).count()
    }

    pub fn sale(&self) -> Sale {
        let mut sales = self.facts.iter().filter_map(|fact| match &fact.what {
            What::SaleCompleted(sale) => Some((**sale).clone()),
            _ => None,
        });
        sales.next_back().expect("a sale")
    }

    /// A coffee (25,000 đ) at the pay screen.
    pub fn coffee_at_pay() -> Desk {
        let mut desk = Desk::new();
        desk.scan(COFFEE).does(Event::Pay);
        assert!(matches!(desk.screen(), Screen::Pay(_)));
        desk
    }

    /// Asked for 25,000 đ by card, the terminal is running.
    pub fn card_running() -> Desk {
        let mut desk = Desk::coffee_at_pay();
        desk.does(Event::ChooseTender(TenderKind::Card));
        desk.terminal(
            1,
            TerminalSaid::Prepared {
                baseline: "7".into(),
            },
        );
        assert!(matches!(
            desk.screen(),
            Screen::Card {
                step: CardStep::Running(_),
                ..
            }
        ));
        desk
    }

    pub fn qr_showing() -> Desk {
        let mut desk = Desk::coffee_at_pay();
        desk.does(Event::ChooseTender(TenderKind::Qr)).offered(1);
        assert!(matches!(desk.screen(), Screen::Qr(qr) if qr.step == QrStep::Waiting));
        desk
    }
}

pub fn approval() -> CardApproval {
    CardApproval {
        reference: "T/1".into(),
        approval_code: "42".into(),
        scheme: "NAPAS".into(),
    }
}
