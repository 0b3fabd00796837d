//! The watcher against a bank in this process.
#![allow(clippy::unwrap_used)]

use super::super::{Capabilities, Health, Offer, Refund, RelayProvider, sim};
use super::*;
use std::sync::mpsc::{self, Receiver};

fn watch(behaviour: sim::Behaviour) -> (sim::Running, BankHandle, Receiver<BankEvent>) {
    let running = sim::start(([127, 0, 0, 1], 0).into(), behaviour).unwrap();
    let provider = RelayProvider::new(&format!("http://{}", running.address)).unwrap();
    let (tell, told) = mpsc::channel();
    let handle = spawn(Arc::new(provider), move |event| {
        let _ = tell.send(event);
    })
    .unwrap();
    (running, handle, told)
}

fn offer() -> Asked {
    Asked {
        offer: Offer {
            order: "HS7K2M9QX".into(),
            amount_minor: 5000,
            currency: "VND".into(),
        },
        attempt: "A-0001".into(),
        open_for_ms: 180_000,
    }
}

fn until(events: &Receiver<BankEvent>, wanted: impl Fn(&BankEvent) -> bool) -> BankEvent {
    loop {
        let event = events.recv_timeout(Duration::from_secs(20)).unwrap();
        if wanted(&event) {
            return event;
        }
    }
}

#[test]
fn money_that_comes_after_leaving_the_screen_is_still_told() {
    // Proves that a withdrawn offer stays watched and late money is reported.
    let (running, handle, events) = watch(sim::Behaviour::default());
    handle.offer(offer());
    until(&events, |e| matches!(e, BankEvent::Offered { .. }));
    running.bank.pay("HS7K2M9QX", 5000);
    handle.withdraw("HS7K2M9QX".into());
    until(
        &events,
        |event| matches!(event, BankEvent::Answered { answer, .. } if answer.received_minor() == 5000),
    );
}

#[test]
fn an_error_is_told_and_asked_again() {
    // Proves that busy answers are silence, not refusals, and that the money is found after.
    let (running, handle, events) = watch(sim::Behaviour {
        busy_answers: 2,
        ..sim::Behaviour::default()
    });
    handle.offer(offer());
    until(&events, |e| matches!(e, BankEvent::Silent { .. }));
    until(&events, |e| matches!(e, BankEvent::Offered { .. }));
    running.bank.pay("HS7K2M9QX", 5000);
    until(
        &events,
        |event| matches!(event, BankEvent::Answered { answer, .. } if answer.received_minor() == 5000),
    );
}

#[test]
fn a_refused_offer_is_over() {
    // Proves that a refusal is told once, with the bank's words.
    let (_running, handle, events) = watch(sim::Behaviour {
        refuse: Some("account closed".into()),
        ..sim::Behaviour::default()
    });
    handle.offer(offer());
    let event = until(&events, |e| matches!(e, BankEvent::Refused { .. }));
    assert!(
        matches!(event, BankEvent::Refused { why, .. } if why.to_string().contains("account closed"))
    );
}

/// A bank side whose long questions are answered by hand and whose short ones at once.
struct ByHand {
    long: Mutex<Receiver<()>>,
    asked: mpsc::Sender<String>,
}

fn nothing() -> Answer {
    Answer {
        credits: Vec::new(),
        withdrawn: false,
        cancelled: false,
        creating: false,
        refused: false,
        made: None,
        asked_ago_ms: Some(0),
        health: Health::Answers,
        revision: 1,
    }
}

impl QrPaymentProvider for ByHand {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            confirm: Confirm::PollAndPush,
            enforces_amount: false,
            cancel: false,
            late_window_ms: None,
            refund: Refund::None,
            long_poll_ms_max: 1,
        }
    }

    fn create(&self, _: &Asked) -> Result<Answer, ProviderError> {
        Ok(nothing())
    }

    fn observe(&self, order: &str, _: Known, wait: Duration) -> Result<Answer, ProviderError> {
        if !wait.is_zero() {
            let _ = self.asked.send(format!("long {order}"));
            let _ = self.long.lock().unwrap().recv();
        }
        Ok(nothing())
    }

    fn cancel(&self, _: &str) -> Result<Answer, ProviderError> {
        Ok(nothing())
    }
}

#[test]
fn a_long_question_never_keeps_another_offer_waiting() {
    // Proves: while news of the code on the screen is waited for, an earlier offer is asked
    // about and answered.
    let (answer_long, long) = mpsc::channel();
    let (asked, long_asked) = mpsc::channel();
    let (tell, told) = mpsc::channel();
    let provider = Arc::new(ByHand {
        long: Mutex::new(long),
        asked,
    });
    let handle = spawn(provider, move |event| {
        let _ = tell.send(event);
    })
    .unwrap();
    handle.offer(offer());
    let held = long_asked.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!(held, "long HS7K2M9QX");
    handle.check("EARLIER00".into());
    until(
        &told,
        |event| matches!(event, BankEvent::Answered { order, .. } if order == "EARLIER00"),
    );
    drop(answer_long);
}

#[test]
fn two_hundred_offers_watched_at_a_start_are_all_asked_about() {
    // Proves that no offer is dropped however many are watched again at once.
    let (running, handle, events) = watch(sim::Behaviour::default());
    let code = |number: usize| format!("HS{number:07}");
    for number in 0..200 {
        handle.watch(code(number), false);
    }
    running.bank.pay(&code(199), 5000);
    let mut missing: std::collections::BTreeSet<String> = (0..200).map(code).collect();
    while !missing.is_empty() {
        if let BankEvent::Answered { order, .. } = until(&events, |_| true) {
            missing.remove(&order);
        }
    }
}
