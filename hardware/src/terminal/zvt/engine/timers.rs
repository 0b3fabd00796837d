//! What happens when time is up.

use super::*;

impl ZvtEngine {
    pub(super) fn money_timers(&mut self, now_ms: u64, out: &mut Output) {
        let Some(Job::Money {
            order,
            deadline_ms,
            gave_up,
        }) = self.job.as_mut()
        else {
            return;
        };
        if order.deadline_ms().is_some_and(|hold| hold <= now_ms) {
            let step = order.on_hold_due();
            *deadline_ms = now_ms + self.timeouts.completion_ms;
            self.carry_out(now_ms, step, out);
            return;
        }
        if *deadline_ms > now_ms {
            return;
        }
        let why = match (order.accepted, *gave_up) {
            (false, _) => Unknown::NoReply,
            (true, true) => Unknown::NoCompletion,
            (true, false) => {
                // T4 is over: the terminal is told to give up, and gets one more reply time.
                *gave_up = true;
                *deadline_ms = now_ms + self.timeouts.reply_ms;
                self.send_abort(now_ms, out);
                return;
            }
        };
        self.end_money(Outcome::Unknown { why }, out);
        out.close = true;
    }

    pub(super) fn other_timers(&mut self, now_ms: u64, out: &mut Output) {
        let sending = self.transport.as_ref().is_some_and(Transport::is_sending);
        match self.exchange.as_mut() {
            // The reply timer runs from the acknowledged block, which is still being repeated.
            Some(exchange) if exchange.deadline_ms <= now_ms && sending => {
                exchange.deadline_ms = now_ms + self.timeouts.reply_ms;
            }
            Some(exchange) if exchange.deadline_ms <= now_ms => {
                self.end_exchange(now_ms, End::TimedOut, out);
            }
            _ => {}
        }
        if self
            .doubt
            .as_ref()
            .is_some_and(|doubt| doubt.until_ms <= now_ms)
        {
            let why = if self.registered {
                NotReady::NoAnswer
            } else {
                NotReady::NotConnected
            };
            if matches!(self.job, Some(Job::RecoverStatus | Job::RecoverLast)) {
                self.job = None;
                self.exchange = None;
                out.close = true;
            }
            self.recovered(Recovered::CannotTell { why }, out);
        }
        if self.registered && self.job.is_none() && self.keep_alive_at_ms <= now_ms {
            let enquiry = command::status_enquiry(self.checked.password);
            self.begin(now_ms, &enquiry, Job::Status { asked: false }, out);
        }
    }
}
