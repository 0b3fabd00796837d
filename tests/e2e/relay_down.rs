//! Bank, head office or both gone, at every moment of a payment by QR, with the real relay: the screen says so, there is
//! another way to pay, and no money is lost.

use crate::driver::Counter;
use crate::journeys::with_a_coffee;
use crate::office::*;
use checkout::till::{BankLink, ReviewKind, Screen, TenderKind};
use payqr::provider::Provider;

fn link(counter: &Counter) -> BankLink {
    match &counter.app.borrow().model().view.screen {
        Screen::Qr(qr) => qr.link,
        other => panic!("{other:?}"),
    }
}

/// Sales of the day, as the kiosk has them on disk.
fn sales(counter: &Counter) -> u64 {
    let store = counter.app.borrow().store();
    store.call(|engine| engine.day_figures()).unwrap().sales
}

/// Which lines are cut.
#[derive(Clone, Copy, Debug)]
struct Down {
    bank: bool,
    office: bool,
}

const EVERY_WAY: [Down; 3] = [
    Down {
        bank: true,
        office: false,
    },
    Down {
        bank: false,
        office: true,
    },
    Down {
        bank: true,
        office: true,
    },
];

impl Down {
    fn name(self) -> &'static str {
        match (self.bank, self.office) {
            (true, true) => "both",
            (true, false) => "bank",
            _ => "head-office",
        }
    }

    fn begins(self, shop: &Relayed) {
        if self.bank {
            shop.to_bank.cut();
        }
        if self.office {
            shop.to_office.cut();
        }
    }

    fn ends(self, shop: &Relayed) {
        if self.bank {
            shop.to_bank.mend();
        }
        if self.office {
            shop.to_office.mend();
        }
    }
}

fn to_the_tenders(shop: &Relayed) -> Counter {
    let counter = with_a_coffee(&shop.shop);
    counter.tap("Thanh toán");
    counter.until_screen("pay");
    counter
}

#[test]
fn whatever_goes_down_under_a_code_the_shopper_pays_in_cash_and_late_money_is_found() {
    // Proves, for bank, head office and both: the silence is said, cash waits for a bounded question, going on is the
    // shopper's touch, the transfer that was made all the same is found after the line is back, once, and staff see it.
    for down in EVERY_WAY {
        let shop = Relayed::open(Provider::PayOs);
        let counter = to_the_tenders(&shop);
        counter.tap("Quét mã QR");
        let (code, payload) = code_on_the_glass(&counter);
        down.begins(&shop);
        counter.until("the silence said", |counter| {
            link(counter) == BankLink::Unreachable
        });
        assert!(
            counter.says("Chưa hỏi được ngân hàng"),
            "{down:?}: {:?}",
            counter.labels()
        );
        counter.shot(&format!("down-{}-code", down.name()));
        counter.tap("Trả cách khác");
        counter.until_screen("pay");
        counter.shot(&format!("down-{}-pay", down.name()));
        counter.tap("Tiền mặt");
        counter.until_screen("bank-check");
        counter.until("the bounded wait over", |counter| {
            counter.says("Ngân hàng chưa trả lời")
        });
        counter.shot(&format!("down-{}-check", down.name()));
        counter.tap("Tôi chưa trả, tiếp tục");
        // The shopper had paid after all: the bank has it, and nobody here can know.
        shop.pay(&payload, None);
        count_cash(&counter, &["2", "5", "0", "0", "0"]);
        assert_eq!(tenders(&counter), [(TenderKind::Cash, 25_000)]);
        tap_and_leave(&counter);
        assert!(state(&counter).reviews.is_empty(), "{down:?}");
        down.ends(&shop);
        counter.until("the late money", |counter| {
            !state(counter).reviews.is_empty()
        });
        let reviews = state(&counter).reviews;
        assert_eq!(reviews.len(), 1, "{down:?}: {reviews:?}");
        assert_eq!(
            (
                reviews[0].kind,
                reviews[0].amount_minor,
                reviews[0].order_code.as_ref()
            ),
            (ReviewKind::LateCredit, 25_000, Some(&code)),
            "{down:?}"
        );
        assert_eq!(sales(&counter), 1, "{down:?}");
        counter.power_cut();
    }
}

#[test]
fn whatever_goes_down_under_a_code_its_money_pays_the_sale_when_the_line_is_back() {
    // Proves, for bank, head office and both: a shopper who stays and has paid is served when the line is back, in one
    // sale, and while it is gone the code is neither paid nor refused.
    for down in EVERY_WAY {
        let shop = Relayed::open(Provider::PayOs);
        let counter = to_the_tenders(&shop);
        counter.tap("Quét mã QR");
        let (_, payload) = code_on_the_glass(&counter);
        down.begins(&shop);
        shop.pay(&payload, None);
        counter.until("the silence said", |counter| {
            link(counter) == BankLink::Unreachable
        });
        assert_eq!(counter.screen(), "qr");
        down.ends(&shop);
        counter.until_screen("tap");
        assert_eq!(tenders(&counter), [(TenderKind::Qr, 25_000)], "{down:?}");
        tap_and_leave(&counter);
        assert!(state(&counter).reviews.is_empty(), "{down:?}");
        assert_eq!(sales(&counter), 1, "{down:?}");
        counter.power_cut();
    }
}

#[test]
fn without_bank_or_head_office_no_code_is_shown_and_the_shopper_pays_another_way() {
    // Proves, for bank, head office and both, gone before a code could be made: no code comes, the screen says what is
    // wrong, cash is at hand and asks about no code nobody saw, and payment by QR comes back by itself.
    for down in EVERY_WAY {
        let shop = Relayed::open(Provider::PayOs);
        down.begins(&shop);
        let counter = to_the_tenders(&shop);
        counter.tap("Quét mã QR");
        // Long before the time for a code is over.
        counter.until("the silence said while the code is made", |counter| {
            counter.screen() == "qr" && counter.says("Chưa có trả lời")
        });
        counter.shot(&format!("down-{}-stalled", down.name()));
        counter.until("no way to make a code", |counter| {
            counter.screen() == "pay" || counter.says("Chưa hỏi được ngân hàng")
        });
        counter.shot(&format!("down-{}-no-code", down.name()));
        if counter.screen() == "qr" {
            counter.tap("Trả cách khác");
            counter.until_screen("pay");
        }
        counter.shot(&format!("down-{}-no-code-pay", down.name()));
        counter.tap("Tiền mặt");
        count_cash(&counter, &["2", "5", "0", "0", "0"]);
        tap_and_leave(&counter);
        down.ends(&shop);
        crate::journeys::take_a_coffee(&counter);
        counter.tap("Thanh toán");
        counter.until_screen("pay");
        counter.until("a way to pay by code", |counter| {
            counter.says("Quét mã QR") && {
                let app = counter.app.borrow();
                let Screen::Pay(pay) = &app.model().view.screen else {
                    return false;
                };
                pay.options.iter().any(|option| {
                    option.kind == TenderKind::Qr
                        && option.available == checkout::till::Availability::Yes
                })
            }
        });
        counter.tap("Quét mã QR");
        let (_, payload) = code_on_the_glass(&counter);
        shop.pay(&payload, None);
        counter.until_screen("tap");
        assert_eq!(tenders(&counter), [(TenderKind::Qr, 25_000)], "{down:?}");
        tap_and_leave(&counter);
        assert_eq!(sales(&counter), 2, "{down:?}");
        assert!(state(&counter).reviews.is_empty(), "{down:?}");
        counter.power_cut();
    }
}

#[test]
fn a_code_whose_making_was_cut_off_is_taken_back_and_another_one_paid() {
    // Proves: the provider makes a code and its answer is lost on the way, as payOS tells a code only once; the shopper
    // is told to choose again, the code nobody saw is taken back at the provider, and the next one pays the sale.
    let shop = Relayed::open(Provider::PayOs);
    let faults = payqr::provider::bank::Faults::read("lost_response_after_commit x1").unwrap();
    shop.bank.with_bank(|bank| bank.set_faults(faults));
    let counter = to_the_tenders(&shop);
    counter.tap("Quét mã QR");
    counter.until("a word about the code", |counter| counter.screen() == "pay");
    counter.shot("code-answer-lost");
    counter.until("the unseen code taken back", |_| {
        shop.bank.with_bank(|bank| {
            let mut orders = bank.orders();
            orders.any(|order| order.cancelled_ms.is_some())
        })
    });
    counter.tap("Quét mã QR");
    let (_, payload) = code_on_the_glass(&counter);
    shop.pay(&payload, None);
    counter.until_screen("tap");
    assert_eq!(tenders(&counter), [(TenderKind::Qr, 25_000)]);
    counter.power_cut();
}
