//! Shoppers and staff: they see only the screen.

use checkout::Quantity;
use checkout::till::*;

use crate::rng::Dice;
use crate::shop;

/// What a person does next.
pub enum Act {
    /// Something at the kiosk.
    Do(Event),
    /// Sends money by phone for the offer on the screen: amount and how late it arrives.
    Transfer {
        attempt: AttemptId,
        amount: i64,
        delay: u64,
        odd: Odd,
    },
    /// Goes away.
    Leave,
    /// Looks and waits.
    Wait,
}

/// What is odd about a transfer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Odd {
    No,
    /// The app hung, and the shopper sent it again.
    Twice,
    /// Sent in dollars.
    Foreign,
}

pub fn shopper(view: &View, known_codes: &[String], dice: &mut Dice) -> Act {
    let tired = matches!(view.screen, Screen::AgeCheck { .. } | Screen::Help { .. });
    if dice.chance(if tired { 12 } else { 2 }) {
        return Act::Leave;
    }
    if dice.chance(2) {
        return Act::Do(Event::CallHelp);
    }
    if dice.chance(6) {
        return Act::Do(stray(view, known_codes, dice));
    }
    match &view.screen {
        Screen::Attract { .. } => match dice.below(10) {
            0..4 => Act::Do(Event::Touched),
            4..8 => scan(dice),
            8 if !known_codes.is_empty() => Act::Do(Event::Resume(dice.pick(known_codes).clone())),
            _ => Act::Do(Event::SetLanguage(Lang::new("en"))),
        },
        Screen::Shop => shopping(view, dice),
        Screen::Weigh { .. } => match dice.below(10) {
            0..8 => Act::Do(Event::Weighed {
                quantity: Quantity::milli(dice_i64(dice, 1, 3_000)),
            }),
            8 => Act::Do(Event::Back),
            _ => scan(dice),
        },
        Screen::Choose { items } => Act::Do(Event::Chosen(Box::new(dice.pick(items).clone()))),
        Screen::AgeCheck { .. } if dice.chance(20) => Act::Do(Event::Back),
        Screen::Pay(pay) => paying(pay, dice),
        Screen::Underpaid(_) => match dice.below(10) {
            0..7 => {
                let kinds = [TenderKind::Qr, TenderKind::Card, TenderKind::Cash];
                Act::Do(Event::ChooseTender(*dice.pick(&kinds)))
            }
            7 => Act::Do(Event::Back),
            _ => Act::Wait,
        },
        Screen::BankCheck(check) if check.silent => match dice.below(10) {
            0..6 => Act::Do(Event::GoOn),
            6..8 => Act::Do(Event::ExtendOffer),
            8 => Act::Do(Event::Back),
            _ => Act::Wait,
        },
        Screen::BankCheck(_) if dice.chance(5) => Act::Do(Event::CancelTender),
        Screen::Card { .. } if dice.chance(10) => Act::Do(Event::CancelTender),
        Screen::Unknown { .. } if dice.chance(30) => Act::Do(Event::PrintSlip),
        Screen::Qr(qr) => qr_paying(qr, dice),
        Screen::Cash { .. } if dice.chance(10) => Act::Do(Event::CancelTender),
        Screen::Tap { .. } if dice.chance(70) => {
            Act::Do(Event::Face(u8::try_from(dice.between(1, 5)).unwrap_or(3)))
        }
        Screen::Tap { .. } => Act::Do(Event::Skip),
        Screen::Reasons { reasons, .. } if dice.chance(60) => {
            Act::Do(Event::Reasons(vec![dice.pick(reasons).clone()]))
        }
        Screen::Reasons { .. } | Screen::Thanks { .. } => Act::Leave,
        Screen::Help { .. } if dice.chance(30) => Act::Do(Event::CancelHelp),
        Screen::Idle if dice.chance(80) => Act::Do(Event::ExtendIdle),
        Screen::Parked { .. } => Act::Do(Event::Done),
        _ => Act::Wait,
    }
}

/// Buttons the screen does not even show.
fn stray(view: &View, known_codes: &[String], dice: &mut Dice) -> Event {
    let line = view.basket.lines.first().map(|line| line.line.id);
    match dice.below(15) {
        0 => Event::Back,
        13 => Event::GoOn,
        1 => Event::Pay,
        2 => Event::ChooseTender(*dice.pick(&[TenderKind::Qr, TenderKind::Card, TenderKind::Cash])),
        3 => Event::CancelTender,
        4 => Event::ExtendOffer,
        5 => Event::Park,
        6 => Event::Abandon,
        7 => Event::Face(9),
        8 => Event::Skip,
        9 => Event::Resume(
            known_codes
                .first()
                .cloned()
                .unwrap_or_else(|| "XXXX".to_owned()),
        ),
        10 => line.map_or(Event::Touched, Event::Remove),
        11 => Event::EnterCoupon("GIAM10".to_owned()),
        12 => Event::Staff(StaffEvent::CashTaken {
            received_minor: 1_000_000,
        }),
        _ => Event::Scanned(Scan::new(dice.pick(&shop::codes()).clone())),
    }
}

fn scan(dice: &mut Dice) -> Act {
    let codes = shop::codes();
    // Most people scan things that exist.
    let code = if dice.chance(70) {
        &codes[usize::try_from(dice.below(5)).unwrap_or(0)]
    } else {
        dice.pick(&codes)
    };
    Act::Do(Event::Scanned(Scan::new(code.clone())))
}

fn dice_i64(dice: &mut Dice, from: u64, to: u64) -> i64 {
    i64::try_from(dice.between(from, to)).unwrap_or(1)
}

fn shopping(view: &View, dice: &mut Dice) -> Act {
    let line = view.basket.lines.first().map(|line| line.line.id);
    match (dice.below(100), line) {
        (0..35, _) | (_, None) => scan(dice),
        (35..45, _) => Act::Do(Event::Chosen(Box::new(dice.pick(&shop::items()).clone()))),
        (45..52, Some(line)) => {
            let pieces = u32::try_from(dice.between(0, 5)).unwrap_or(1);
            Act::Do(Event::SetQuantity {
                line,
                quantity: Quantity::pieces(pieces),
            })
        }
        (52..57, Some(line)) => Act::Do(Event::Remove(line)),
        (57..60, _) => Act::Do(Event::Park),
        (60..62, _) => Act::Do(Event::Abandon),
        _ => Act::Do(Event::Pay),
    }
}

fn paying(pay: &PayView, dice: &mut Dice) -> Act {
    match dice.below(100) {
        0..8 => Act::Do(Event::Back),
        8..18 => Act::Do(Event::SetPart(Some(pay.due.minor / 2))),
        18..22 => Act::Do(Event::Scanned(Scan::new("GIAM10"))),
        _ => {
            let kinds = [TenderKind::Qr, TenderKind::Card, TenderKind::Cash];
            Act::Do(Event::ChooseTender(*dice.pick(&kinds)))
        }
    }
}

fn qr_paying(qr: &QrView, dice: &mut Dice) -> Act {
    let attempt = qr.attempt;
    let due = qr.amount.minor;
    if qr.offer.is_none() {
        return Act::Wait;
    }
    let odd_transfer = |amount: i64, delay, odd| Act::Transfer {
        attempt,
        amount,
        delay,
        odd,
    };
    let transfer = |amount: i64, delay| odd_transfer(amount, delay, Odd::No);
    match dice.below(100) {
        0..38 => {
            let delay = dice.between(500, 8_000);
            transfer(due, delay)
        }
        // Paid, and too impatient to wait for the bank's word.
        38..48 => {
            let delay = dice.between(8_000, 120_000);
            transfer(due, delay)
        }
        48..51 => {
            let delay = dice.between(120_000, 7_200_000);
            transfer(due, delay)
        }
        51..55 => transfer((due / 3).max(1), 2_000),
        55..58 => transfer(due + 7_000, 2_000),
        58..60 => odd_transfer(due, 3_000, Odd::Twice),
        60 => odd_transfer(500, 3_000, Odd::Foreign),
        61 => transfer(200, 1_000),
        62..72 => Act::Do(Event::CancelTender),
        72..76 => Act::Do(Event::ExtendOffer),
        _ => Act::Wait,
    }
}

/// What staff does when the lamp is on or the list is not empty; `charged` looks at the
/// terminal's own journal, as a person would.
pub fn staff(
    view: &View,
    charged: impl FnOnce(AttemptId) -> bool,
    came: impl FnOnce(AttemptId) -> bool,
    dice: &mut Dice,
) -> Vec<Event> {
    let signed_in = Event::Staff(StaffEvent::SignedIn {
        staff: StaffId("S7".to_owned()),
    });
    let mut acts = vec![signed_in];
    let event = match &view.screen {
        Screen::AgeCheck { .. } if dice.chance(75) => StaffEvent::AgeApproved,
        Screen::AgeCheck { .. } => StaffEvent::AgeRefused,
        Screen::Weigh { .. } if dice.chance(10) => StaffEvent::WeightRefused,
        // Now and then without the decimal sign, which must be refused.
        Screen::Weigh { .. } => StaffEvent::Weighed {
            quantity: Quantity::milli(dice_i64(dice, 0, 40_000)),
        },
        Screen::Cash { amount, exact, .. } => match dice.below(10) {
            0 => StaffEvent::CashRefused,
            1 => StaffEvent::CashTaken {
                received_minor: exact.minor / 2,
            },
            2..5 => StaffEvent::CashTaken {
                received_minor: amount.minor,
            },
            _ => StaffEvent::CashTaken {
                received_minor: (amount.minor / 100_000 + 1) * 100_000,
            },
        },
        // Now and then somebody believes a picture on a phone.
        Screen::Qr(qr) if came(qr.attempt) || dice.chance(10) => StaffEvent::TransferSeen {
            reference: format!("S{:06}", dice.below(900_000)),
        },
        Screen::Unknown {
            attempt,
            needs_staff: true,
            ..
        } => {
            let attempt = *attempt;
            let decision = match charged(attempt) {
                true => AttemptDecision::Paid,
                false => AttemptDecision::NotCharged,
            };
            StaffEvent::ResolveAttempt {
                attempt,
                decision,
                note: "slip".to_owned(),
            }
        }
        _ => {
            acts.push(Event::Staff(StaffEvent::OpenDrawer));
            StaffEvent::HelpDone
        }
    };
    acts.push(Event::Staff(event));
    acts.push(Event::Staff(StaffEvent::SignedOut));
    acts
}
