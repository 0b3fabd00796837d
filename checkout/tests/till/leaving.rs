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
