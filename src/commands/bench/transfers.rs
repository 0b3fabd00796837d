//! From the credit at the plain relay of `kiosk sim bank` to "paid", without a window: by a question held open for news, and by asking alone.

use super::report::Row;
use super::samples::Samples;
use super::shop::Shop;
use crate::app::{App, AppEvent};
use crate::assemble::{Kiosk, assemble_with};
use crate::bank::{
    Answer, Asked, Capabilities, Known, ProviderError, QrPaymentProvider, RelayProvider,
};
use crate::clock::mono_ms;
use crate::mailbox::{Inbox, mailbox};
use anyhow::{Context, Result, bail};
use checkout::till::{Event, Screen, TenderKind};
use std::time::{Duration, Instant};

/// What each way may take, at the 95th percentile.
const PUSH_LIMIT: Duration = Duration::from_millis(1_500);
const POLL_LIMIT: Duration = Duration::from_millis(3_500);
/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(30);
/// Credits come at any moment between two questions: the pause before each, in milliseconds, grows by this and wraps.
const PAUSE_STEP_MS: u64 = 137;
const PAUSE_MS_MAX: u64 = 1_100;

/// The relay without a question held open.
struct PollOnly(RelayProvider);

impl QrPaymentProvider for PollOnly {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            confirm: crate::bank::Confirm::Poll,
            long_poll_ms_max: 0,
            ..self.0.capabilities()
        }
    }

    fn create(&self, asked: &Asked) -> Result<Answer, ProviderError> {
        self.0.create(asked)
    }

    fn observe(&self, order: &str, known: Known, _: Duration) -> Result<Answer, ProviderError> {
        self.0.observe(order, known, Duration::ZERO)
    }

    fn cancel(&self, order: &str) -> Result<Answer, ProviderError> {
        self.0.cancel(order)
    }
}

/// The rows about transfers; no kiosk may be running on the shop.
///
/// # Errors
/// When the kiosk cannot be put together or a payment does not come to its end.
pub(super) fn rows(shop: &Shop, samples: usize) -> Result<Vec<Row>> {
    let samples = samples.clamp(1, 40);
    // Once: the bank remembers every order code, and a till that counts from one again would repeat them.
    shop.forget_visit()?;
    let push = measure(shop, false, samples)?;
    let poll = measure(shop, true, samples)?;
    let row = |what: &'static str, measured: &Samples, limit: Duration, hold: &'static str| Row {
        what,
        measured: measured.p50_p95(),
        hold,
        rival: "Odoo's self-order kiosk polls its server every 5 s (not run here)".into(),
        met: Some(measured.percentile(95) <= limit),
        how: format!(
            "From the moment the simulated bank has the credit, at another time within its questions in each of {} sales, \
             to the till's view saying paid, with the sale on disk: the real lane, relay client, till and store in one \
             process. The picture follows within a frame.",
            measured.len()
        ),
    };
    Ok(vec![
        row(
            "credit at the simulated relay to paid, by push (a question held open)",
            &push,
            PUSH_LIMIT,
            "p95 ≤ 1.5 s",
        ),
        row(
            "credit at the simulated relay to paid, by poll",
            &poll,
            POLL_LIMIT,
            "p95 ≤ 3.5 s",
        ),
    ])
}

fn measure(shop: &Shop, poll_only: bool, samples: usize) -> Result<Samples> {
    let relay = RelayProvider::new(&format!("http://{}", shop.devices.bank.address))?;
    let provider: Box<dyn QrPaymentProvider> = match poll_only {
        true => Box::new(PollOnly(relay)),
        false => Box::new(relay),
    };
    let (post, inbox) = mailbox(|| {});
    let Kiosk {
        mut app,
        store_thread,
        sync,
    } = assemble_with(&shop.config, &post, Some(provider))?;
    app.start();
    let mut measured = Samples::default();
    for number in 0..samples {
        measured.push(pay_once(shop, &mut app, &inbox, number as u64)?);
    }
    drop((app, sync, inbox));
    let _ = store_thread.join();
    Ok(measured)
}

/// One coffee by QR; how long after the credit it is paid.
fn pay_once(shop: &Shop, app: &mut App, inbox: &Inbox<AppEvent>, number: u64) -> Result<Duration> {
    until(app, inbox, "the attract screen", |screen| {
        matches!(screen, Screen::Attract { .. })
    })?;
    let store = app.store();
    let entries = store.call(|engine| engine.entries())?;
    let item = entries
        .into_iter()
        .map(|entry| entry.item)
        .find(|item| item.unit.is_piece() && item.min_age.is_none() && !item.prices.is_empty());
    app.step(Event::Chosen(Box::new(item.context("an item to buy")?)));
    app.step(Event::Pay);
    app.step(Event::ChooseTender(TenderKind::Qr));
    until(
        app,
        inbox,
        "the code",
        |screen| matches!(screen, Screen::Qr(qr) if qr.offer.is_some()),
    )?;
    let (code, amount_minor) = match &app.model().view.screen {
        Screen::Qr(qr) => (qr.order_code.clone(), qr.amount.minor),
        _ => bail!("the code went away"),
    };
    let pause = Duration::from_millis(number * PAUSE_STEP_MS % PAUSE_MS_MAX);
    let paying = Instant::now() + pause;
    while Instant::now() < paying {
        turn(app, inbox, paying);
    }
    shop.devices.bank.bank.pay(&code, amount_minor);
    let credited = Instant::now();
    let is_paid = |screen: &Screen| matches!(screen, Screen::Paid(_) | Screen::Tap { .. });
    until(app, inbox, "the payment", is_paid)?;
    let took = credited.elapsed();
    for _ in 0..3 {
        app.step(Event::Skip);
    }
    Ok(took)
}

fn turn(app: &mut App, inbox: &Inbox<AppEvent>, until: Instant) {
    let wake = app
        .wake_at_mono_ms()
        .map_or(50, |at| at.saturating_sub(mono_ms()).min(50));
    let left = until.saturating_duration_since(Instant::now());
    let wait = Duration::from_millis(wake.max(1)).min(left.max(Duration::from_millis(1)));
    match inbox.wait(wait) {
        Some(event) => app.handle(event),
        None => app.timer(),
    }
}

fn until(
    app: &mut App,
    inbox: &Inbox<AppEvent>,
    what: &str,
    done: impl Fn(&Screen) -> bool,
) -> Result<()> {
    let give_up = Instant::now() + PATIENCE;
    while !done(&app.model().view.screen) {
        if Instant::now() > give_up {
            bail!("no {what} within {PATIENCE:?}");
        }
        turn(app, inbox, give_up);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::shop::close;
    use super::*;

    #[test]
    fn both_ways_are_measured_on_real_sales() {
        // Proves: the rows can be made, by push and by poll, from sales that really were paid.
        let dir = tempfile::tempdir().unwrap();
        let shop = Shop::open(dir.path()).unwrap();
        let rows = rows(&shop, 2).unwrap();
        assert_eq!(rows.len(), 2);
        assert!(
            rows.iter().all(|row| row.measured.contains("n = 2")),
            "{rows:?}"
        );
        let opened = shop.store().unwrap();
        let figures = opened.store.call(|engine| engine.day_figures()).unwrap();
        assert_eq!(figures.sales, 4);
        close(opened);
    }
}
