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

fn foreign() -> Recovery {
    Recovery::Foreign {
        seen: "T1/18".into(),
    }
}

/// In doubt, and settled by staff.
fn settled(decision: AttemptDecision) -> Desk {
    let mut desk = Desk::card_running();
    desk.terminal(1, TerminalSaid::InDoubt(Doubt::NoAnswer));
    desk.done.clear();
    desk.staff(StaffEvent::ResolveAttempt {
        attempt: AttemptId(1),
        decision,
        note: "slip 17".into(),
    });
    desk
}

fn asked_about(desk: &Desk, wanted: u64) -> bool {
    desk.did(|effect| {
        matches!(effect, Effect::RecoverTerminal { attempt, baseline: Some(b), .. }
            if attempt.0 == wanted && b == "7")
    })
}

fn prepared(desk: &Desk, wanted: u64) -> bool {
    desk.did(
        |effect| matches!(effect, Effect::PrepareTerminal { attempt, .. } if attempt.0 == wanted),
    )
}

#[test]
fn after_staff_decided_the_terminal_is_asked_once_more_and_the_next_card_is_taken() {
    // Proves nothing of a settled doubt keeps the next card out: the terminal is asked first, also after a restart, and
    // whatever it answers, the new attempt goes on.
    for restarts in [false, true] {
        let mut desk = settled(AttemptDecision::NotCharged);
        assert!(asked_about(&desk, 1), "asked although staff decided");
        if restarts {
            desk.restart();
            assert!(asked_about(&desk, 1), "and again after the restart");
        }
        desk.done.clear();
        desk.does(Event::ChooseTender(TenderKind::Card));
        assert!(asked_about(&desk, 1) && !prepared(&desk, 2));
        desk.terminal(1, TerminalSaid::Recovered(Recovery::Unreachable));
        assert!(prepared(&desk, 2));
        desk.terminal(
            2,
            TerminalSaid::Prepared {
                baseline: "8".into(),
            },
        );
        assert!(desk.did(|e| matches!(e, Effect::AskTerminal { attempt, .. } if attempt.0 == 2)));
        assert_eq!(desk.till.state().settled, None);
        desk.terminal(2, TerminalSaid::Approved(approval()))
            .terminal(2, TerminalSaid::Completed);
        assert!(matches!(desk.screen(), Screen::Paid(_)));
        assert!(desk.till.state().reviews.is_empty());
    }
}

#[test]
fn an_order_that_ends_after_staff_decided_is_asked_about_at_once() {
    // Proves a driver that notices its doubt late is not left with it.
    let mut desk = settled(AttemptDecision::NotCharged);
    desk.terminal(1, TerminalSaid::Recovered(Recovery::Unreachable));
    desk.done.clear();
    desk.terminal(1, TerminalSaid::Lost);
    assert!(asked_about(&desk, 1));
    desk.terminal(1, TerminalSaid::Recovered(Recovery::NotCharged));
    desk.done.clear();
    desk.does(Event::ChooseTender(TenderKind::Card));
    assert!(prepared(&desk, 2), "nothing is left to be asked");
}

#[test]
fn a_terminal_that_says_otherwise_than_staff_opens_a_review() {
    // Proves neither money staff called not taken nor a sale staff called paid is lost when the terminal knows better.
    let mut desk = settled(AttemptDecision::NotCharged);
    desk.terminal(1, TerminalSaid::Recovered(Recovery::Paid(approval())));
    let review = desk.till.state().reviews[0].clone();
    assert_eq!(
        (review.kind, review.amount_minor),
        (ReviewKind::Contradiction, 25_000)
    );
    let mut desk = settled(AttemptDecision::Paid);
    assert!(matches!(desk.screen(), Screen::Paid(_)));
    desk.terminal(1, TerminalSaid::Recovered(Recovery::NotCharged));
    desk.terminal(1, TerminalSaid::Recovered(Recovery::NotCharged));
    let reviews = desk.till.state().reviews.clone();
    assert_eq!(reviews.len(), 1);
    assert_eq!(
        (reviews[0].kind, reviews[0].amount_minor),
        (ReviewKind::Unpaid, -25_000)
    );
    let mut desk = settled(AttemptDecision::Paid);
    desk.terminal(1, TerminalSaid::Recovered(Recovery::Paid(approval())));
    assert!(desk.till.state().reviews.is_empty());
}

#[test]
fn a_payment_given_back_is_no_decline_and_may_be_paid_again() {
    // Proves "charged and given back" has a state and a notice of its own, from the terminal and from staff.
    let mut desk = Desk::card_running();
    desk.terminal(1, TerminalSaid::Lost)
        .terminal(1, TerminalSaid::Recovered(Recovery::TakenBack));
    assert_eq!(
        desk.notice(),
        Notice::Voided {
            attempt: AttemptId(1)
        }
    );
    let visit = desk.till.state().visit.clone().unwrap();
    assert_eq!(visit.attempts[0].status, AttemptStatus::Voided);
    let mut desk = settled(AttemptDecision::TakenBack);
    assert!(matches!(desk.notice(), Notice::Voided { .. }));
    desk.does(Event::Staff(StaffEvent::SignedOut));
    assert!(matches!(desk.screen(), Screen::Pay(_)));
}

#[test]
fn the_evidence_says_what_happened_in_order_and_stays_bounded() {
    // Proves staff see each step with its time, and that days of silence do not fill the memory.
    let mut desk = Desk::card_running();
    desk.terminal(1, TerminalSaid::Approved(approval()))
        .terminal(1, TerminalSaid::InDoubt(Doubt::Contradiction));
    for round in 0..60 {
        let said = if round % 2 == 0 {
            foreign()
        } else {
            Recovery::Unreachable
        };
        desk.terminal(1, TerminalSaid::Recovered(said));
    }
    desk.terminal(1, TerminalSaid::Recovered(Recovery::Unreachable));
    let visit = desk.till.state().visit.clone().unwrap();
    let history = &visit.attempts[0].history;
    let steps: Vec<Step> = history.iter().map(|moment| moment.step.clone()).collect();
    assert_eq!(
        steps[..4],
        [
            Step::Armed,
            Step::Approved,
            Step::Confirmed,
            Step::InDoubt(Doubt::Contradiction)
        ]
    );
    assert_eq!(history.len(), HISTORY_MAX);
    assert_eq!(history.last().unwrap().times, 2);
    assert!(matches!(
        desk.screen(),
        Screen::Unknown {
            why: Some(Doubt::Contradiction),
            needs_staff: true,
            ..
        }
    ));
}

#[test]
fn a_claim_slip_is_on_disk_first_and_printed_once_unless_staff_ask() {
    // Proves the slip waits for its row, is not printed twice by touching twice, and that a second one is a copy.
    let mut desk = Desk::card_running();
    desk.does(Event::PrintSlip);
    assert!(!desk.did(|effect| matches!(effect, Effect::PrintSlip { .. })));
    desk.terminal(1, TerminalSaid::Lost);
    desk.disk = Disk::Held;
    desk.done.clear();
    desk.does(Event::PrintSlip).does(Event::PrintSlip);
    assert!(!desk.did(|effect| matches!(effect, Effect::PrintSlip { .. })));
    desk.disk_answers();
    desk.disk = Disk::Works;
    let printed = |desk: &Desk| -> Vec<(u64, u32, i64)> {
        let slips = desk.done.iter().filter_map(|effect| match effect {
            Effect::PrintSlip {
                job,
                slip,
                copy_number,
                ..
            } => Some((job.0, *copy_number, slip.amount.minor)),
            _ => None,
        });
        slips.collect()
    };
    assert_eq!(printed(&desk), [(1, 0, 25_000)]);
    let says = |desk: &mut Desk, job, said| {
        let job = PrintJobId(job);
        desk.does(Event::Printer { job, said });
    };
    // Out of paper before the first byte: still the same slip, by another job.
    says(&mut desk, 1, PrinterSaid::Failed(PrinterFault::NoPaper));
    assert!(matches!(
        desk.screen(),
        Screen::Unknown {
            slip: Some(PrintOutcome::Failed(PrinterFault::NoPaper)),
            ..
        }
    ));
    desk.does(Event::PrintSlip);
    assert_eq!(printed(&desk)[1], (2, 0, 25_000));
    says(&mut desk, 2, PrinterSaid::Started);
    says(&mut desk, 2, PrinterSaid::Printed);
    desk.does(Event::PrintSlip);
    assert_eq!(printed(&desk).len(), 2, "the shopper has one");
    desk.staff(StaffEvent::PrintSlip);
    assert_eq!(printed(&desk)[2], (3, 1, 25_000));
    // The power goes while it prints: nobody can tell.
    desk.restart();
    assert!(matches!(
        desk.screen(),
        Screen::Unknown {
            slip: Some(PrintOutcome::Unknown),
            ..
        }
    ));
    let count = |wanted: fn(&What) -> bool| desk.recorded(wanted);
    assert_eq!(count(|what| matches!(what, What::SlipQueued { .. })), 3);
    assert_eq!(count(|what| matches!(what, What::SlipPrinted { .. })), 1);
    assert_eq!(count(|what| matches!(what, What::SlipFailed { .. })), 1);
    assert_eq!(count(|what| matches!(what, What::SlipUnknown { .. })), 1);
}

#[test]
fn staff_decides_what_the_terminal_cannot() {
    // Proves a foreign transaction needs a signed-in person, who settles the attempt once.
    let mut desk = Desk::card_running();
    desk.terminal(1, TerminalSaid::Lost);
    desk.terminal(1, TerminalSaid::Recovered(foreign()));
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
