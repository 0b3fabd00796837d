//! After the sale: the receipt and the exit tap.

use checkout::till::*;

use crate::desk::*;

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
    // Proves a failed receipt is offered as a code and listed, and one in doubt is printed again only by staff, as a
    // copy.
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
    assert!(!desk.did(|effect| matches!(effect, Effect::Print { .. })));
    assert!(matches!(desk.screen(), Screen::Paid(paid) if paid.offer_e_receipt));
    let sale = Box::new(desk.sale());
    desk.staff(StaffEvent::Reprint(sale.clone()));
    assert!(desk.did(|effect| matches!(effect, Effect::Print { copy_number: 1, .. })));
    desk.staff(StaffEvent::Reprint(sale));
    assert!(desk.did(|effect| matches!(effect, Effect::Print { copy_number: 2, .. })));
}

#[test]
fn a_receipt_of_which_nothing_left_is_sent_again_as_it_is() {
    // Proves: with a new roll in, and after a restart of which the spool knows that nothing was sent, the original is
    // sent again under a new job, at most three times; a receipt on paper never is.
    let original = |effect: &Effect| matches!(effect, Effect::Print { copy_number: 0, .. });
    let said = |job: u64, said: PrinterSaid| Event::Printer {
        job: PrintJobId(job),
        said,
    };
    let printer = |state| Event::Device {
        which: DeviceKind::Printer,
        state,
    };
    let mut desk = Desk::qr_showing();
    desk.credit(1, "FT1", 25_000);
    for job in 1..=4 {
        desk.does(said(job, PrinterSaid::Failed(PrinterFault::NoPaper)));
        desk.does(printer(DeviceState::Down));
        desk.done.clear();
        desk.does(printer(DeviceState::Up));
        assert_eq!(desk.did(original), job <= 3, "after job {job}");
    }

    let mut desk = Desk::qr_showing();
    desk.credit(1, "FT1", 25_000);
    let unsent = PrintOutcome::Failed(PrinterFault::Offline);
    let state = desk.durable.as_mut().unwrap();
    state.recall_prints(|job| (job == PrintJobId(1)).then_some(unsent));
    desk.restart();
    assert!(desk.did(original));
    desk.does(said(2, PrinterSaid::Started))
        .does(said(2, PrinterSaid::Printed));
    desk.done.clear();
    desk.does(printer(DeviceState::Up));
    assert!(!desk.did(|effect| matches!(effect, Effect::Print { .. })));

    let mut desk = Desk::qr_showing();
    desk.credit(1, "FT1", 25_000);
    let state = desk.durable.as_mut().unwrap();
    state.recall_prints(|_| Some(PrintOutcome::Printed));
    desk.restart();
    assert!(!desk.did(|effect| matches!(effect, Effect::Print { .. })));
    assert_eq!(desk.view().staff_items, 0);
    assert!(matches!(desk.screen(), Screen::Paid(paid) if !paid.offer_e_receipt));
}

#[test]
fn staff_at_their_panel_begin_no_visit() {
    // Proves: touches on the staff panel over the attract screen are a sign of life and nothing more, so that the day can
    // be closed; once staff are gone a touch begins a visit again.
    let mut desk = Desk::new();
    desk.does(Event::Staff(StaffEvent::SignedIn {
        staff: StaffId("S1".into()),
    }));
    desk.does(Event::Touched);
    assert_eq!(desk.till.state().visit, None);
    assert!(matches!(desk.screen(), Screen::Staff(_)));
    desk.does(Event::Staff(StaffEvent::SignedOut));
    assert!(matches!(desk.screen(), Screen::Attract { .. }));
    desk.does(Event::Touched);
    assert!(desk.till.state().visit.is_some());
}

#[test]
fn who_has_no_paper_gets_time_for_the_code() {
    // Proves: the exit tap of a shopper whose receipt did not print stays long enough to scan it, and still ends by itself;
    // with a printed receipt its time is the usual one.
    let at_tap = |said: PrinterSaid| {
        let mut desk = Desk::qr_showing();
        desk.credit(1, "FT1", 25_000).wait(3_000);
        let job = PrintJobId(1);
        desk.does(Event::Printer { job, said });
        desk.wait(10_000);
        let late = matches!(desk.screen(), Screen::Tap { .. });
        desk.wait(11_000);
        assert!(!matches!(desk.screen(), Screen::Tap { .. }));
        late
    };
    assert!(at_tap(PrinterSaid::Failed(PrinterFault::NoPaper)));
    assert!(at_tap(PrinterSaid::Unknown));
    assert!(!at_tap(PrinterSaid::Printed));
    assert!(!at_tap(PrinterSaid::Sent));
}

#[test]
fn a_receipt_sent_to_a_printer_that_cannot_answer_is_no_work_for_staff() {
    // Proves: what such a printer was sent is neither printed nor in doubt: it is recorded as sent, once, nobody has to
    // settle it, the phone code is there for who wants it, and a restart that knows it only from the spool says the same.
    let job = PrintJobId(1);
    let recorded = |fact: &Fact| matches!(fact.what, What::ReceiptSent { copy_number: 0, .. });
    let mut desk = Desk::qr_showing();
    desk.credit(1, "FT1", 25_000);
    for said in [PrinterSaid::Sent, PrinterSaid::Sent, PrinterSaid::Unknown] {
        desk.does(Event::Printer { job, said });
    }
    assert_eq!(desk.view().staff_items, 0);
    assert!(matches!(desk.screen(), Screen::Paid(paid)
        if paid.print == Some(PrintOutcome::Sent) && paid.offer_e_receipt));
    assert_eq!(desk.facts.iter().filter(|fact| recorded(fact)).count(), 1);

    let mut desk = Desk::qr_showing();
    desk.credit(1, "FT1", 25_000);
    let state = desk.durable.as_mut().unwrap();
    state.recall_prints(|_| Some(PrintOutcome::Sent));
    desk.restart();
    assert_eq!(desk.view().staff_items, 0);
    assert_eq!(desk.facts.iter().filter(|fact| recorded(fact)).count(), 1);
}
