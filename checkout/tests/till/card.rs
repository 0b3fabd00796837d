//! Card payments, lost answers, restarts, a failing disk.

use checkout::till::*;

use crate::desk::*;

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
