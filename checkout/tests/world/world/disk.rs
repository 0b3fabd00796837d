//! The disk, and the power it needs.

use checkout::till::*;

use super::{Broken, World, Writing};
use crate::check::Violation;
use crate::shop;

impl World {
    pub(super) fn write(
        &mut self,
        ticket: Ticket,
        facts: Vec<Fact>,
        state: Box<TillState>,
    ) -> Result<(), Violation> {
        if self.writing.is_some() {
            return Err("two writes at once".to_owned());
        }
        let slow = match self.dice.below(200) {
            0 => 15_000,
            1..6 => 400,
            _ => 4,
        };
        let done_at = self.time + self.dice.between(1, slow);
        self.writing = Some(Writing {
            ticket,
            facts,
            state,
            done_at,
        });
        if self.broken == Some(Broken::StoreAnswersEarly) {
            self.post(0, Event::Stored(ticket));
        }
        Ok(())
    }

    pub(super) fn finish_writing(&mut self) -> Result<(), Violation> {
        let Some(writing) = self.writing.take() else {
            return Ok(());
        };
        let ticket = writing.ticket;
        if let Some((fault, until)) = self.store_fault {
            if self.time < until && self.acts_left > 0 {
                return self.step(Event::StoreFailed { ticket, fault });
            }
            self.store_fault = None;
        }
        self.persist(writing)?;
        if self.acts_left > 0 && self.dice.below(1_000) < 6 {
            return self.power_cut();
        }
        if self.dice.chance(3) {
            self.post(50, Event::Stored(ticket));
        }
        self.step(Event::Stored(ticket))
    }

    pub(super) fn persist(&mut self, writing: Writing) -> Result<(), Violation> {
        self.before_last = self.durable.take();
        self.durable = Some(*writing.state);
        self.journal.append(writing.facts)
    }

    /// The kiosk dies and starts again; everything else in the shop goes on.
    pub(super) fn power_cut(&mut self) -> Result<(), Violation> {
        self.stats.power_cuts += 1;
        if let Some(writing) = self.writing.take()
            && self.dice.chance(50)
        {
            self.persist(writing)?;
        }
        if self.broken == Some(Broken::StoreForgetsLastWrite) {
            self.durable = self.before_last.clone();
        }
        // What was under way inside the kiosk is gone; a late word of a device may still come.
        let mut late = Vec::new();
        for (at, seq, event) in self.mail.drain(..) {
            let device = matches!(event, Event::Terminal { .. } | Event::Printer { .. });
            if device && self.dice.chance(20) {
                late.push((at, seq, event));
            }
        }
        self.mail = late;
        self.questions.restart(&self.journal.intended);
        self.time += self.dice.between(800, 40_000);
        self.boot_at = self.time.saturating_sub(self.dice.between(0, 9_000));
        self.disturbed_at = self.time;
        self.wake_at = None;
        let seed = self.seed ^ self.dice.roll();
        // What is read back is what was written, through the row's own text.
        let row = serde_json::to_string(&self.durable).map_err(|error| error.to_string())?;
        let mut state: Option<TillState> =
            serde_json::from_str(&row).map_err(|error| error.to_string())?;
        if state != self.durable {
            return Err("the state row does not read back".to_owned());
        }
        if let Some(state) = &mut state {
            let unsent = PrintOutcome::Failed(PrinterFault::Offline);
            state.recall_prints(|job| (!self.spooled.contains(&job)).then_some(unsent));
            state.recall_slips(|job| (!self.spooled.contains(&job)).then_some(unsent));
        }
        self.till = Till::new(shop::config(self.seed), state, seed, self.now());
        self.power_on();
        Ok(())
    }
}
