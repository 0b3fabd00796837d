//! The till's promises, one story each.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "world/shop.rs"]
mod shop;

use checkout::till::*;
use checkout::{Currency, Money, Now, Quantity};

const WALL_MS: i64 = 1_795_000_000_000;
const COFFEE: &str = "6291041500213";
const MILK: &str = "9501101531000";
const BEER: &str = "]E00036000241457";

/// A till on a desk: the disk answers at once unless it is held, everything else by hand.
struct Desk {
    till: Till,
    mono_ms: u64,
    wall_ms: i64,
    disk: Disk,
    done: Vec<Effect>,
    facts: Vec<Fact>,
    durable: Option<TillState>,
}

#[derive(Clone, Copy, PartialEq)]
enum Disk {
    Works,
    Held,
    Fails(StoreFault),
}

impl Desk {
    fn new() -> Desk {
        Desk::with(shop::config(1))
    }

    fn with(config: TillConfig) -> Desk {
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

    fn now(&self) -> Now {
        Now {
            wall_ms: self.wall_ms,
            utc_offset_min: 420,
            mono_ms: self.mono_ms,
        }
    }

    fn does(&mut self, event: Event) -> &mut Desk {
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
    fn wait(&mut self, ms: u64) -> &mut Desk {
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

    fn scan(&mut self, text: &str) -> &mut Desk {
        self.does(Event::Scanned(Scan::new(text)))
    }

    fn staff(&mut self, event: StaffEvent) -> &mut Desk {
        self.does(Event::Staff(StaffEvent::SignedIn {
            staff: StaffId("S1".into()),
        }));
        self.does(Event::Staff(event))
    }

    fn terminal(&mut self, attempt: u64, said: TerminalSaid) -> &mut Desk {
        self.does(Event::Terminal {
            attempt: AttemptId(attempt),
            said,
        })
    }

    fn bank(&mut self, attempt: u64, said: BankSaid) -> &mut Desk {
        self.does(Event::Bank {
            attempt: AttemptId(attempt),
            said,
        })
    }

    fn credit(&mut self, attempt: u64, id: &str, minor: i64) -> &mut Desk {
        let amount = Money::new(minor, Currency::VND);
        self.bank(
            attempt,
            BankSaid::Credit(Credit {
                id: id.into(),
                amount,
            }),
        )
    }

    fn offered(&mut self, attempt: u64) -> &mut Desk {
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
    fn disk_answers(&mut self) -> &mut Desk {
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

    fn restart(&mut self) -> &mut Desk {
        self.mono_ms = 0;
        let (config, state) = (self.till.config().clone(), self.durable.clone());
        self.till = Till::new(config, state, 2, self.now());
        self.done.clear();
        self.disk = Disk::Works;
        self.does(Event::Tick)
    }

    fn view(&self) -> View {
        self.till.view(self.now())
    }

    fn screen(&self) -> Screen {
        self.view().screen
    }

    fn notice(&self) -> Notice {
        self.view().notice.expect("a notice is shown")
    }

    fn did(&self, wanted: impl Fn(&Effect) -> bool) -> bool {
        self.done.iter().any(wanted)
    }

    fn recorded(&self, wanted: impl Fn(&What) -> bool) -> usize {
        self.facts.iter().filter(|fact| wanted(&fact.what)).count()
    }

    fn sale(&self) -> Sale {
        let sales = self.facts.iter().filter_map(|fact| match &fact.what {
            What::SaleCompleted(sale) => Some((**sale).clone()),
            _ => None,
        });
        sales.last().expect("a sale")
    }

    /// A coffee (25,000 đ) at the pay screen.
    fn coffee_at_pay() -> Desk {
        let mut desk = Desk::new();
        desk.scan(COFFEE).does(Event::Pay);
        assert!(matches!(desk.screen(), Screen::Pay(_)));
        desk
    }

    /// Asked for 25,000 đ by card, the terminal is running.
    fn card_running() -> Desk {
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

    fn qr_showing() -> Desk {
        let mut desk = Desk::coffee_at_pay();
        desk.does(Event::ChooseTender(TenderKind::Qr)).offered(1);
        assert!(matches!(desk.screen(), Screen::Qr(qr) if qr.step == QrStep::Waiting));
        desk
    }
}

fn approval() -> CardApproval {
    CardApproval {
        reference: "T/1".into(),
        approval_code: "42".into(),
        scheme: "NAPAS".into(),
    }
}

#[test]
fn a_scan_starts_a_visit_and_fills_the_basket() {
    // Proves scanning works from the attract screen and on the shop screen, merging pieces.
    let mut desk = Desk::new();
    assert!(matches!(desk.screen(), Screen::Attract { parked: 0 }));
    desk.scan(COFFEE).scan(COFFEE).scan(MILK);
    assert!(matches!(desk.screen(), Screen::Shop));
    let basket = desk.view().basket;
    assert_eq!(basket.lines.len(), 2);
    assert_eq!(basket.total.minor, 86_500);
    assert_eq!(
        desk.recorded(|what| matches!(what, What::VisitStarted { .. })),
        1
    );
    assert_eq!(
        desk.recorded(|what| matches!(
            what,
            What::ItemAdded {
                by: AddedBy::Scan,
                ..
            }
        )),
        3
    );
}

#[test]
fn every_bad_scan_has_its_own_answer() {
    // Proves wrong check digits, unknown codes, expired labels and scans elsewhere are told apart.
    let mut desk = Desk::new();
    desk.scan("6291041500214");
    assert!(matches!(desk.notice(), Notice::Scan(ScanRefusal::Code(_))));
    desk.scan("NOSUCH");
    assert_eq!(desk.notice(), Notice::Scan(ScanRefusal::UnknownItem));
    desk.scan("(01)06291041500213(17)250101");
    assert!(matches!(desk.notice(), Notice::Expired { .. }));
    desk.scan(COFFEE).does(Event::Pay).scan(MILK);
    assert_eq!(desk.notice(), Notice::Scan(ScanRefusal::NotHere));
    assert_eq!(desk.view().basket.lines.len(), 1);
    assert_eq!(
        desk.recorded(|what| matches!(what, What::ScanRefused { .. })),
        4
    );
}

#[test]
fn ambiguous_and_weighed_items_ask() {
    // Proves several items for one code are offered, and a weighed item waits for its weight.
    let mut desk = Desk::new();
    desk.scan("TWIN");
    let Screen::Choose { items } = desk.screen() else {
        panic!("{:?}", desk.screen())
    };
    desk.does(Event::Chosen(Box::new(items[1].clone())));
    assert_eq!(desk.view().basket.total.minor, 12_345);
    let banana = shop::items().remove(3);
    desk.does(Event::Weighed {
        quantity: Quantity::grams(500),
    });
    desk.does(Event::Chosen(Box::new(banana)));
    assert!(matches!(desk.screen(), Screen::Weigh { .. }));
    desk.does(Event::Weighed {
        quantity: Quantity::grams(846),
    });
    assert_eq!(desk.view().basket.total.minor, 12_345 + 23_688);
    let label = shop::codes().remove(3);
    desk.scan(&label);
    assert_eq!(desk.view().basket.total.minor, 12_345 + 2 * 23_688);
}

#[test]
fn a_card_payment_waits_for_the_disk_at_every_step() {
    // Proves prepare, ask, confirm and print leave the till only after their rows are on disk.
    let mut desk = Desk::coffee_at_pay();
    desk.disk = Disk::Held;
    desk.done.clear();
    desk.does(Event::ChooseTender(TenderKind::Card));
    assert!(!desk.did(|effect| matches!(effect, Effect::PrepareTerminal { .. })));
    desk.disk_answers();
    assert!(desk.did(|effect| matches!(effect, Effect::PrepareTerminal { .. })));
    desk.terminal(
        1,
        TerminalSaid::Prepared {
            baseline: "7".into(),
        },
    );
    assert!(!desk.did(|effect| matches!(effect, Effect::AskTerminal { .. })));
    desk.disk_answers();
    assert!(desk.did(
        |effect| matches!(effect, Effect::AskTerminal { amount, .. } if amount.minor == 25_000)
    ));
    desk.terminal(1, TerminalSaid::Approved(approval()));
    assert!(!desk.did(|effect| matches!(effect, Effect::ConfirmTerminal { .. })));
    desk.disk_answers();
    assert!(desk.did(|effect| matches!(effect, Effect::ConfirmTerminal { .. })));
    desk.terminal(1, TerminalSaid::Completed);
    assert!(matches!(desk.screen(), Screen::Saving { .. }));
    assert!(!desk.did(|effect| matches!(effect, Effect::Print { .. })));
    desk.disk_answers();
    assert!(matches!(desk.screen(), Screen::Paid(_)));
    assert!(desk.did(|effect| matches!(effect, Effect::Print { copy_number: 0, .. })));
    let sale = desk.sale();
    assert_eq!((sale.receipt_number, sale.total_minor), (1, 25_000));
    assert_eq!(sale.tenders[0].reference.as_deref(), Some("T/1"));
}

#[test]
fn a_lost_card_answer_is_unknown_until_somebody_knows() {
    // Proves silence never means declined: the screen stays, survives a restart, and recovery decides.
    let mut desk = Desk::card_running();
    desk.wait(240_000);
    let Screen::Unknown { attempt, .. } = desk.screen() else {
        panic!("{:?}", desk.screen())
    };
    assert_eq!(attempt.to_string(), "A-0001");
    assert!(desk.did(|effect| matches!(effect, Effect::RecoverTerminal { .. })));
    desk.terminal(1, TerminalSaid::Declined(DeclineReason::NoCard))
        .does(Event::CancelTender);
    desk.wait(600_000);
    assert!(matches!(desk.screen(), Screen::Unknown { .. }));
    desk.restart();
    assert!(matches!(desk.screen(), Screen::Unknown { .. }));
    assert!(desk.did(
        |effect| matches!(effect, Effect::RecoverTerminal { baseline: Some(b), .. } if b == "7")
    ));
    assert!(!desk.did(|effect| matches!(effect, Effect::AskTerminal { .. })));
    desk.terminal(1, TerminalSaid::Recovered(Recovery::NotCharged));
    assert!(matches!(desk.notice(), Notice::NotCharged { .. }));
    assert!(matches!(desk.screen(), Screen::Pay(_)));
    assert_eq!(
        desk.recorded(|what| matches!(what, What::AttemptDeclined { .. })),
        0
    );
}

#[test]
fn a_restart_finds_the_payment_in_each_state() {
    // Proves a restart before arming is certain "not started", after it is a question, and a found payment completes the sale.
    let mut desk = Desk::coffee_at_pay();
    desk.does(Event::ChooseTender(TenderKind::Card)).restart();
    assert!(matches!(desk.screen(), Screen::Pay(_)));
    assert!(matches!(
        desk.notice(),
        Notice::NotStarted {
            reason: NotStartedReason::Restarted,
            ..
        }
    ));
    let mut desk = Desk::card_running();
    desk.terminal(1, TerminalSaid::Approved(approval()))
        .restart();
    assert!(matches!(desk.screen(), Screen::Unknown { .. }));
    desk.terminal(1, TerminalSaid::Recovered(Recovery::Paid(approval())));
    assert!(matches!(desk.screen(), Screen::Paid(_)));
    let mut desk = Desk::qr_showing();
    desk.restart();
    assert!(matches!(desk.screen(), Screen::Qr(qr) if qr.offer.is_some()));
    assert!(desk.did(|effect| matches!(effect, Effect::WatchBank { .. })));
}

#[test]
fn staff_decides_what_the_terminal_cannot() {
    // Proves a foreign transaction needs a signed-in person, who settles the attempt once.
    let mut desk = Desk::card_running();
    desk.terminal(1, TerminalSaid::Lost);
    desk.terminal(1, TerminalSaid::Recovered(Recovery::Foreign));
    assert!(matches!(
        desk.screen(),
        Screen::Unknown {
            needs_staff: true,
            ..
        }
    ));
    let decide = StaffEvent::ResolveAttempt {
        attempt: AttemptId(1),
        decision: AttemptDecision::Paid,
        note: "slip 17".into(),
    };
    desk.does(Event::Staff(decide.clone()));
    assert_eq!(desk.notice(), Notice::StaffOnly);
    desk.staff(decide);
    assert!(matches!(desk.screen(), Screen::Paid(_)));
    assert_eq!(desk.sale().tenders.len(), 1);
}

#[test]
fn a_terminal_that_contradicts_itself_locks_the_card_lane() {
    // Proves money after "declined" opens a review and no card is asked for until staff looked.
    let mut desk = Desk::card_running();
    desk.terminal(1, TerminalSaid::Declined(DeclineReason::NoCard));
    desk.terminal(1, TerminalSaid::Approved(approval()));
    desk.terminal(1, TerminalSaid::Approved(approval()));
    assert_eq!(desk.till.state().reviews.len(), 1);
    desk.does(Event::ChooseTender(TenderKind::Card));
    let locked = Notice::TenderUnavailable {
        kind: TenderKind::Card,
        why: Availability::Locked,
    };
    assert_eq!(desk.notice(), locked);
    let review = desk.till.state().reviews[0].id;
    let decision = ReviewDecision::NoMoney;
    desk.staff(StaffEvent::ResolveReview {
        review,
        decision,
        note: String::new(),
    });
    desk.does(Event::Staff(StaffEvent::SignedOut))
        .does(Event::ChooseTender(TenderKind::Card));
    assert!(matches!(desk.screen(), Screen::Card { .. }));
}

#[test]
fn a_qr_offer_is_shown_only_from_the_disk_and_paid_only_by_the_bank() {
    // Proves the offer appears after its row is stored, and one credit counts once.
    let mut desk = Desk::coffee_at_pay();
    desk.does(Event::ChooseTender(TenderKind::Qr));
    desk.disk = Disk::Held;
    desk.offered(1);
    assert!(matches!(desk.screen(), Screen::Qr(qr) if qr.offer.is_none()));
    let mut desk = Desk::qr_showing();
    desk.does(Event::Done).does(Event::ExtendOffer);
    assert!(matches!(desk.screen(), Screen::Qr(_)));
    desk.credit(1, "FT1", 25_000).credit(1, "FT1", 25_000);
    assert!(matches!(desk.screen(), Screen::Paid(_)));
    assert_eq!(desk.till.state().reviews.len(), 0);
    let acks = desk
        .done
        .iter()
        .filter(|effect| matches!(effect, Effect::AckCredit { .. }));
    assert_eq!(acks.count(), 2);
}

#[test]
fn under_over_and_late_transfers_are_never_silently_kept() {
    // Proves a short transfer leaves the rest due, an excess and a late one become reviews.
    let mut desk = Desk::qr_showing();
    desk.credit(1, "FT1", 10_000);
    assert!(matches!(desk.notice(), Notice::PaidPart { due, .. } if due.minor == 15_000));
    desk.does(Event::Back);
    assert_eq!(desk.notice(), Notice::MoneyTaken);
    desk.does(Event::ChooseTender(TenderKind::Qr))
        .offered(2)
        .credit(2, "FT2", 20_000);
    assert!(matches!(desk.screen(), Screen::Paid(_)));
    let review = desk.till.state().reviews[0].clone();
    assert_eq!(
        (review.kind, review.amount_minor),
        (ReviewKind::OverPaid, 5_000)
    );
    desk.wait(60_000);
    assert!(matches!(desk.screen(), Screen::Attract { .. }));
    desk.credit(2, "FT3", 15_000);
    let review = desk.till.state().reviews[1].clone();
    assert_eq!(
        (review.kind, review.amount_minor),
        (ReviewKind::OrphanCredit, 15_000)
    );

    let mut desk = Desk::qr_showing();
    desk.wait(180_000 + 60_000 + 20_500);
    assert!(matches!(desk.screen(), Screen::Attract { parked: 1 }));
    desk.credit(1, "FT9", 25_000);
    assert_eq!(desk.till.state().reviews[0].kind, ReviewKind::LateCredit);
    let code = desk.till.state().parked[0].code.clone();
    desk.does(Event::Resume(code)).does(Event::Pay);
    assert!(matches!(desk.screen(), Screen::Paid(_)));
    assert!(desk.till.state().reviews.is_empty());
}

#[test]
fn a_left_offer_that_pays_while_the_card_runs_is_held_back() {
    // Proves money for a left offer waits while the card may be charging, and pays if it is not.
    let mut desk = Desk::qr_showing();
    desk.does(Event::CancelTender)
        .bank(1, BankSaid::CancelUnknown);
    assert!(matches!(desk.notice(), Notice::StillWatching { .. }));
    desk.does(Event::ChooseTender(TenderKind::Card));
    assert!(desk.did(|effect| matches!(effect, Effect::CheckBank { .. })));
    desk.terminal(
        2,
        TerminalSaid::Prepared {
            baseline: "7".into(),
        },
    );
    desk.credit(1, "FT1", 25_000);
    assert!(matches!(desk.screen(), Screen::Card { .. }));
    assert_eq!(desk.till.state().reviews.len(), 1);
    desk.terminal(2, TerminalSaid::Declined(DeclineReason::NoCard));
    assert!(matches!(desk.screen(), Screen::Paid(_)));
    assert!(desk.till.state().reviews.is_empty());
}

#[test]
fn cash_is_rounded_changed_and_the_drawer_waits() {
    // Proves staff must take cash, rounding touches only cash, change is right, the drawer opens last.
    let mut desk = Desk::new();
    let twin = shop::items().remove(6);
    desk.does(Event::Touched)
        .does(Event::Chosen(Box::new(twin)))
        .does(Event::Pay);
    desk.does(Event::ChooseTender(TenderKind::Cash));
    assert!(matches!(desk.screen(), Screen::Cash { amount, exact, .. }
        if amount.minor == 12_500 && exact.minor == 12_345));
    desk.does(Event::Staff(StaffEvent::CashTaken {
        received_minor: 20_000,
    }));
    assert_eq!(desk.notice(), Notice::StaffOnly);
    desk.disk = Disk::Held;
    desk.staff(StaffEvent::CashTaken {
        received_minor: 20_000,
    });
    assert!(!desk.did(|effect| matches!(effect, Effect::OpenDrawer { .. })));
    let mut desk = Desk::with(shop::config(1));
    let twin = shop::items().remove(6);
    desk.does(Event::Touched)
        .does(Event::Chosen(Box::new(twin)))
        .does(Event::Pay);
    desk.does(Event::ChooseTender(TenderKind::Cash));
    desk.staff(StaffEvent::CashTaken {
        received_minor: 20_000,
    });
    let sale = desk.sale();
    assert_eq!(
        (sale.rounding_minor, sale.change_minor, sale.paid().minor),
        (155, 7_500, 12_500)
    );
    assert!(desk.did(|effect| matches!(effect, Effect::OpenDrawer { .. })));
}

#[test]
fn one_sale_takes_many_tenders() {
    // Proves part by card and the rest in cash makes one sale whose tenders add up.
    let mut desk = Desk::coffee_at_pay();
    desk.does(Event::SetPart(Some(10_000)))
        .does(Event::ChooseTender(TenderKind::Card));
    desk.terminal(
        1,
        TerminalSaid::Prepared {
            baseline: "7".into(),
        },
    );
    desk.terminal(1, TerminalSaid::Approved(approval()))
        .terminal(1, TerminalSaid::Completed);
    assert!(matches!(desk.screen(), Screen::Pay(pay) if pay.due.minor == 15_000));
    desk.does(Event::ChooseTender(TenderKind::Cash));
    desk.staff(StaffEvent::CashTaken {
        received_minor: 5_000,
    });
    assert!(matches!(desk.screen(), Screen::Pay(pay) if pay.due.minor == 10_000));
    desk.does(Event::ChooseTender(TenderKind::Cash));
    desk.staff(StaffEvent::CashTaken {
        received_minor: 10_000,
    });
    let amounts: Vec<i64> = desk
        .sale()
        .tenders
        .iter()
        .map(|tender| tender.amount_minor)
        .collect();
    assert_eq!(amounts, [10_000, 5_000, 10_000]);
}

#[test]
fn idle_warns_can_be_extended_and_parks() {
    // Proves any input counts, the countdown can be extended, and the basket is parked, never wiped.
    let mut desk = Desk::new();
    desk.scan(COFFEE).wait(89_000);
    desk.does(Event::Weighed {
        quantity: Quantity::grams(1),
    })
    .wait(89_000);
    assert!(matches!(desk.screen(), Screen::Shop));
    desk.wait(2_000);
    assert!(matches!(desk.screen(), Screen::Idle));
    assert_eq!(desk.view().deadline.unwrap().span_ms, 20_000);
    desk.does(Event::ExtendIdle);
    assert!(matches!(desk.screen(), Screen::Shop));
    desk.wait(110_500);
    let Screen::Parked { code, .. } = desk.screen() else {
        panic!("{:?}", desk.screen())
    };
    assert_eq!(code.len(), 4);
    desk.wait(20_500);
    assert!(matches!(desk.screen(), Screen::Attract { parked: 1 }));
    desk.restart().does(Event::Resume(code.to_lowercase()));
    assert_eq!(desk.view().basket.total.minor, 25_000);
    assert!(matches!(desk.screen(), Screen::Shop));
}

#[test]
fn parked_baskets_expire_for_shoppers_but_not_for_staff() {
    // Proves the code works for 15 minutes, guessing is locked, and staff can still fetch it.
    let mut desk = Desk::new();
    desk.scan(COFFEE).does(Event::Park);
    let Screen::Parked { code, .. } = desk.screen() else {
        panic!("{:?}", desk.screen())
    };
    desk.does(Event::Done).wait(901_000);
    desk.does(Event::Resume(code.clone()));
    assert_eq!(desk.notice(), Notice::ParkedNotFound);
    for _ in 0..5 {
        desk.does(Event::Resume("XXXX".into()));
    }
    assert_eq!(desk.notice(), Notice::TooManyCodes);
    desk.staff(StaffEvent::ResumeParked(code))
        .does(Event::Staff(StaffEvent::SignedOut));
    assert_eq!(desk.view().basket.total.minor, 25_000);
}

#[test]
fn a_part_paid_basket_left_behind_keeps_its_money() {
    // Proves money on an abandoned basket is a review until the basket is fetched and paid.
    let mut desk = Desk::qr_showing();
    desk.credit(1, "FT1", 10_000).does(Event::Abandon);
    assert_eq!(desk.till.state().reviews[0].kind, ReviewKind::PartPaid);
    let code = desk.till.state().parked[0].code.clone();
    desk.does(Event::Staff(StaffEvent::SignedIn {
        staff: StaffId("S1".into()),
    }));
    desk.does(Event::Staff(StaffEvent::DiscardParked(code.clone())));
    assert_eq!(desk.notice(), Notice::MoneyTaken);
    desk.does(Event::Staff(StaffEvent::SignedOut))
        .does(Event::Done);
    desk.wait(1_000_000).does(Event::Resume(code));
    assert!(matches!(desk.screen(), Screen::Pay(pay) if pay.due.minor == 15_000));
    assert!(desk.till.state().reviews.is_empty());
}

#[test]
fn a_failing_disk_is_said_and_survived() {
    // Proves no new sale on a broken disk, a payment kept and retried, and paid only once stored.
    let mut desk = Desk::card_running();
    desk.terminal(1, TerminalSaid::Approved(approval()));
    desk.disk = Disk::Fails(StoreFault::Full);
    desk.terminal(1, TerminalSaid::Completed);
    assert!(matches!(
        desk.screen(),
        Screen::OutOfOrder {
            fault: StoreFault::Full,
            basket_kept: true,
            attempt: Some(AttemptId(1))
        }
    ));
    desk.wait(120_000);
    assert!(matches!(desk.screen(), Screen::OutOfOrder { .. }));
    assert!(!desk.did(|effect| matches!(effect, Effect::Print { .. })));
    desk.disk = Disk::Works;
    desk.wait(10_500);
    assert_eq!(
        desk.recorded(|what| matches!(what, What::SaleCompleted(_))),
        1
    );
    assert!(desk.did(|effect| matches!(effect, Effect::Print { .. })));
    desk.wait(30_000);
    desk.disk = Disk::Fails(StoreFault::ReadOnly);
    desk.does(Event::Device {
        which: DeviceKind::Scale,
        state: DeviceState::Down,
    });
    desk.does(Event::Touched).scan(COFFEE);
    assert!(matches!(
        desk.screen(),
        Screen::OutOfOrder {
            basket_kept: false,
            ..
        }
    ));
}

#[test]
fn age_is_confirmed_by_a_person() {
    // Proves restricted items hold the payment, and refusal takes only them out.
    let mut desk = Desk::new();
    desk.scan(COFFEE).scan(BEER).does(Event::Pay);
    assert!(matches!(desk.screen(), Screen::AgeCheck { min_age: 18 }));
    assert!(desk.did(|effect| matches!(effect, Effect::HelpLamp(true))));
    desk.does(Event::Staff(StaffEvent::AgeApproved));
    assert!(matches!(desk.screen(), Screen::AgeCheck { .. }));
    desk.staff(StaffEvent::AgeRefused);
    assert!(matches!(desk.screen(), Screen::Shop));
    assert_eq!(desk.view().basket.lines.len(), 1);
    desk.scan(BEER)
        .does(Event::Pay)
        .staff(StaffEvent::AgeApproved);
    assert!(matches!(desk.screen(), Screen::Pay(pay) if pay.due.minor == 45_300));
}

#[test]
fn help_is_counted_and_answered() {
    // Proves help lights the lamp, is answered by signing in, and returns to the same place.
    let mut desk = Desk::new();
    desk.scan(COFFEE).does(Event::CallHelp);
    assert!(matches!(desk.screen(), Screen::Help { .. }));
    desk.wait(7_000).staff(StaffEvent::HelpDone);
    assert!(matches!(desk.screen(), Screen::Shop));
    assert_eq!(
        desk.recorded(|what| matches!(what, What::HelpAnswered { wait_ms: 7_000, .. })),
        1
    );
    assert_eq!(
        desk.recorded(|what| matches!(what, What::HelpEnded { answered: true, .. })),
        1
    );
}

#[test]
fn the_exit_tap_is_one_durable_answer() {
    // Proves one tap per sale, reasons only once it is stored, and the attract screen in the end.
    let mut desk = Desk::qr_showing();
    desk.credit(1, "FT1", 25_000).wait(3_000);
    assert!(matches!(desk.screen(), Screen::Tap { chosen: None, .. }));
    desk.disk = Disk::Held;
    desk.done.clear();
    desk.does(Event::Face(2)).does(Event::Face(5));
    assert!(matches!(
        desk.screen(),
        Screen::Tap {
            chosen: Some(2),
            ..
        }
    ));
    desk.disk = Disk::Works;
    desk.disk_answers();
    let Screen::Reasons { face: 2, reasons } = desk.screen() else {
        panic!("{:?}", desk.screen())
    };
    assert_eq!(reasons.last().map(String::as_str), Some("other"));
    desk.does(Event::Reasons(vec![reasons[0].clone(), "made up".into()]));
    assert!(matches!(desk.screen(), Screen::Thanks { .. }));
    assert_eq!(
        desk.recorded(|what| matches!(what, What::Tapped { face: 2, .. })),
        1
    );
    assert_eq!(
        desk.recorded(
            |what| matches!(what, What::ReasonsGiven { reasons, .. } if reasons.len() == 1)
        ),
        1
    );
    desk.wait(4_500);
    assert!(matches!(desk.screen(), Screen::Attract { .. }));
}

#[test]
fn an_unanswered_tap_times_out() {
    // Proves the tap takes at most its 8 seconds, thanks 4, and the timeout is recorded.
    let mut desk = Desk::qr_showing();
    desk.credit(1, "FT1", 25_000).wait(2_500 + 8_000 + 4_000);
    assert!(matches!(desk.screen(), Screen::Attract { .. }));
    assert_eq!(
        desk.recorded(|what| matches!(
            what,
            What::TapSkipped {
                timed_out: true,
                ..
            }
        )),
        1
    );
}

#[test]
fn the_printer_never_decides_the_sale() {
    // Proves a failed receipt is offered as a code and listed, and after a restart only a copy is printed.
    let mut desk = Desk::qr_showing();
    desk.credit(1, "FT1", 25_000);
    let failed = PrinterSaid::Failed(PrinterFault::NoPaper);
    desk.does(Event::Printer {
        job: PrintJobId(1),
        said: failed,
    });
    assert!(matches!(desk.screen(), Screen::Paid(paid) if paid.offer_e_receipt));
    assert_eq!(desk.view().staff_items, 1);
    desk.does(Event::Printer {
        job: PrintJobId(1),
        said: PrinterSaid::Printed,
    });
    assert_eq!(desk.view().staff_items, 0);
    let mut desk = Desk::qr_showing();
    desk.credit(1, "FT1", 25_000).restart();
    assert!(matches!(desk.screen(), Screen::Paid(_)));
    assert!(desk.did(|effect| matches!(effect, Effect::Print { copy_number: 1, .. })));
    let sale = Box::new(desk.sale());
    desk.staff(StaffEvent::Reprint(sale));
    assert!(desk.did(|effect| matches!(effect, Effect::Print { copy_number: 2, .. })));
}

#[test]
fn coupons_count_until_money_is_taken() {
    // Proves a coupon scanned on the pay screen lowers the total, and not any more once money came.
    let mut desk = Desk::coffee_at_pay();
    desk.scan("giam10");
    assert!(matches!(desk.screen(), Screen::Pay(pay) if pay.due.minor == 22_500));
    desk.does(Event::ChooseTender(TenderKind::Qr))
        .offered(1)
        .credit(1, "FT1", 2_500);
    desk.does(Event::RemoveCoupon("GIAM10".into()));
    assert_eq!(desk.notice(), Notice::MoneyTaken);
    assert_eq!(desk.view().basket.total.minor, 22_500);
}

#[test]
fn the_shopper_can_change_language_at_any_time() {
    // Proves the language follows the shopper and returns to the shop's own afterwards.
    let mut desk = Desk::new();
    desk.does(Event::SetLanguage(Lang::new("en")));
    assert_eq!(desk.view().lang, Lang::new("en"));
    desk.does(Event::Touched);
    assert_eq!(desk.view().lang, Lang::new("en"));
    desk.does(Event::SetLanguage(Lang::new("xx")))
        .does(Event::SetLanguage(Lang::new("vi")));
    assert_eq!(desk.view().lang, Lang::new("vi"));
    desk.wait(115_000)
        .does(Event::SetLanguage(Lang::new("en")))
        .wait(90_000);
    assert_eq!(desk.view().lang, Lang::new("vi"));
}

#[test]
fn configuration_changes_only_on_the_attract_screen() {
    // Proves a price change never disturbs a basket.
    let mut desk = Desk::new();
    let config = shop::config(2);
    assert!(desk.till.reconfigure(config.clone()));
    desk.scan(COFFEE);
    assert!(!desk.till.reconfigure(config));
}
