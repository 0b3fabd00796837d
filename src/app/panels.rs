//! Panels that lie over the till's screens and change nothing at the till
//! until they are sent.

use super::UiEvent;
use checkout::till::{Event, PrintOutcome, Screen};
use std::collections::BTreeSet;

/// Characters of a parked basket's code.
pub const PARKED_CODE_LENGTH: usize = 4;
const COUPON_LENGTH_MAX: usize = 20;

/// A panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Panel {
    /// Large text, contrast, reach, time.
    Access,
    /// "What do we record?"
    Privacy,
    /// Fetching a parked basket.
    Resume,
    /// Typing a coupon.
    Coupon,
    /// The PIN pad.
    Staff,
}

/// What the shopper asked of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the switches")]
pub struct Access {
    pub large_text: bool,
    pub high_contrast: bool,
    pub reach: bool,
    pub more_time: bool,
}

/// What lies over the till's screen.
#[derive(Debug, Default)]
pub struct Panels {
    /// The open one.
    pub open: Option<Panel>,
    /// Code typed so far.
    pub resume_code: String,
    /// Coupon typed so far.
    pub coupon: String,
    /// Reasons touched and not sent yet.
    pub reasons: BTreeSet<String>,
    /// The receipt's code is shown.
    pub e_receipt_open: bool,
    /// It was shown by itself for this sale, because the paper did not come.
    pub e_receipt_offered: bool,
    /// The shopper's wishes; gone with the visit.
    pub access: Access,
    /// More time was given in this quiet spell already.
    pub time_given: bool,
}

impl Panels {
    /// Opens a panel, empty.
    pub fn open(&mut self, panel: Panel) {
        self.open = Some(panel);
        self.resume_code.clear();
        self.coupon.clear();
    }

    /// Closes whatever is open.
    pub fn close(&mut self) {
        self.open = None;
    }

    /// The till went to another screen.
    pub fn screen_changed(&mut self, next: &Screen) {
        self.reasons.clear();
        // "Paid" goes over into the exit tap by itself.
        self.e_receipt_open &= matches!(next, Screen::Tap { .. });
        if self.open != Some(Panel::Staff) {
            self.open = None;
        }
    }

    /// Shows the receipt's code by itself, once, when the paper is not to be had or in doubt. It goes again when the
    /// printer came back and the paper is there.
    pub fn offer_e_receipt(&mut self, screen: &Screen) {
        let (Screen::Paid(paid) | Screen::Tap { paid, chosen: None }) = screen else {
            return;
        };
        match paid.print {
            Some(PrintOutcome::Failed(_) | PrintOutcome::Unknown) if !self.e_receipt_offered => {
                self.e_receipt_offered = true;
                self.e_receipt_open = true;
            }
            Some(PrintOutcome::Printed | PrintOutcome::Sent) if self.e_receipt_offered => {
                self.e_receipt_offered = false;
                self.e_receipt_open = false;
            }
            _ => {}
        }
    }

    /// A touch on a panel; what it asks of the till, if anything.
    pub fn touch(&mut self, event: UiEvent) -> Option<Event> {
        match event {
            UiEvent::ResumeKey(key) => {
                if self.resume_code.chars().count() < PARKED_CODE_LENGTH {
                    self.resume_code.push_str(&key);
                }
                None
            }
            UiEvent::ResumeErase => {
                self.resume_code.pop();
                None
            }
            UiEvent::ResumeSubmit => Some(Event::Resume(std::mem::take(&mut self.resume_code))),
            UiEvent::CouponKey(key) => {
                if self.coupon.chars().count() < COUPON_LENGTH_MAX {
                    self.coupon.push_str(&key);
                }
                None
            }
            UiEvent::CouponErase => {
                self.coupon.pop();
                None
            }
            UiEvent::CouponApply => {
                self.open = None;
                Some(Event::EnterCoupon(std::mem::take(&mut self.coupon)))
            }
            UiEvent::ToggleReason(id) => {
                if !self.reasons.remove(&id) {
                    self.reasons.insert(id);
                }
                None
            }
            UiEvent::SendReasons => {
                let reasons = std::mem::take(&mut self.reasons);
                Some(Event::Reasons(reasons.into_iter().collect()))
            }
            UiEvent::OpenEReceipt(open) => {
                self.e_receipt_open = open;
                None
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_bounded_and_sent_once() {
        // Proves that the keypad cannot overflow and forgets what it sent.
        let mut panels = Panels::default();
        panels.open(Panel::Resume);
        for key in ["A", "7", "K", "2", "9"] {
            assert_eq!(panels.touch(UiEvent::ResumeKey(key.into())), None);
        }
        let sent = panels.touch(UiEvent::ResumeSubmit);
        assert_eq!(sent, Some(Event::Resume("A7K2".into())));
        assert!(panels.resume_code.is_empty());
    }

    #[test]
    fn reasons_toggle_and_are_sent_together() {
        // Proves that a second touch takes a reason back.
        let mut panels = Panels::default();
        for id in ["price", "staff", "price"] {
            panels.touch(UiEvent::ToggleReason(id.into()));
        }
        let sent = panels.touch(UiEvent::SendReasons);
        assert_eq!(sent, Some(Event::Reasons(vec!["staff".into()])));
    }
}
