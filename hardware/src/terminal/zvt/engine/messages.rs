//! Messages of the terminal.

use super::*;

impl ZvtEngine {
    pub(super) fn incoming(&mut self, now_ms: u64, incoming: Incoming, out: &mut Output) {
        match incoming {
            Incoming::Message(message) => self.message(now_ms, message, out),
            Incoming::NotAcknowledged => {
                if matches!(self.job, Some(Job::Money { .. })) {
                    let why = Unknown::NotAcknowledged;
                    self.end_money(Outcome::Unknown { why }, out);
                } else if self.exchange.is_some() {
                    self.end_exchange(now_ms, End::TimedOut, out);
                }
                out.close = true;
            }
        }
    }

    pub(super) fn message(&mut self, now_ms: u64, message: Redacted, out: &mut Output) {
        let Redacted { apdu, was_unmasked } = message;
        tracing::debug!(target: "terminal", message = ?apdu, "from terminal");
        if was_unmasked && !self.alarm_raised {
            self.alarm_raised = true;
            out.events.push(TerminalEvent::UnmaskedCardNumber);
        }
        match (apdu.class, apdu.command()) {
            (0x80 | 0x84, _) => self.answer(now_ms, &apdu, out),
            (_, 0x04FF) => self.intermediate_status(now_ms, &apdu, out),
            (_, 0x040F) => self.status_information(now_ms, &apdu, out),
            (_, 0x060F) => self.completion(now_ms, apdu, out),
            (_, 0x061E) => self.aborted(now_ms, &apdu, out),
            (_, 0x06D1 | 0x06D3) => {
                let lines = print_lines(&apdu);
                out.events.push(TerminalEvent::ReceiptLines { lines });
                self.accept(now_ms, out);
            }
            _ => self.send(
                now_ms,
                &Apdu::refuse(NOT_POSSIBLE),
                Repeat::OnlyAfterNak,
                out,
            ),
        }
        self.next(now_ms, out);
    }

    pub(super) fn answer(&mut self, now_ms: u64, apdu: &Apdu, out: &mut Output) {
        let completion_at = now_ms + self.timeouts.completion_ms;
        if std::mem::take(&mut self.answer_owed) {
            return;
        }
        if let Some(Job::Money {
            order,
            deadline_ms,
            gave_up,
        }) = self.job.as_mut()
        {
            if !*gave_up {
                *deadline_ms = completion_at;
            }
            let step = order.on_answer(apdu);
            let abort_now = order.accepted && std::mem::take(&mut order.abort_wanted);
            self.carry_out(now_ms, step, out);
            if abort_now {
                self.send_abort(now_ms, out);
            }
            return;
        }
        let Some(exchange) = self.exchange.as_mut() else {
            // An answer to nothing: what comes next would be taken for the answer to something
            // else. Only a fresh connection is in step again.
            out.close = true;
            return;
        };
        if apdu.class == 0x80 || apdu.instruction == 0 {
            exchange.accepted = true;
            exchange.deadline_ms = completion_at;
        } else if !exchange.accepted {
            self.end_exchange(now_ms, End::Refused(apdu.instruction), out);
        }
    }

    pub(super) fn intermediate_status(&mut self, now_ms: u64, apdu: &Apdu, out: &mut Output) {
        // The second byte may set a new T4 in minutes (3.7).
        let minutes = apdu
            .data
            .get(1..2)
            .and_then(bcd::unpack)
            .filter(|minutes| *minutes > 0);
        let deadline = now_ms + minutes.map_or(self.timeouts.completion_ms, |m| m * 60_000);
        match self.job.as_mut() {
            Some(Job::Money {
                order, deadline_ms, ..
            }) => {
                order.accepted = true;
                *deadline_ms = deadline;
                let attempt = order.attempt;
                let code = apdu.data.first().copied().unwrap_or(0xFF);
                if let Some(prompt) = ShopperPrompt::from_zvt(code) {
                    out.events.push(TerminalEvent::Prompt { attempt, prompt });
                }
            }
            _ => {
                if let Some(exchange) = self.exchange.as_mut() {
                    exchange.deadline_ms = deadline;
                }
            }
        }
        self.accept(now_ms, out);
    }

    /// Says `80 00 00`, unless that could be taken for the answer to an approval.
    fn accept(&mut self, now_ms: u64, out: &mut Output) {
        let may = match &self.job {
            Some(Job::Money { order, .. }) => order.may_accept(),
            _ => true,
        };
        if may {
            self.send(now_ms, &Apdu::accept(), Repeat::OnlyAfterNak, out);
        }
    }

    pub(super) fn status_information(&mut self, now_ms: u64, apdu: &Apdu, out: &mut Output) {
        let status = StatusInformation::parse(apdu);
        let completion_at = now_ms + self.timeouts.completion_ms;
        if let Some(Job::Money {
            order, deadline_ms, ..
        }) = self.job.as_mut()
        {
            *deadline_ms = completion_at;
            let step = order.on_status(now_ms, status);
            self.carry_out(now_ms, step, out);
            return;
        }
        // Only after the terminal accepted our enquiry is this its answer; before that it would be
        // an approval that nobody stored.
        let asked = matches!(
            self.job,
            Some(Job::PrepareLast(_) | Job::RecoverLast | Job::DayClose(_))
        );
        match self.exchange.as_mut() {
            Some(exchange) if asked && exchange.accepted => {
                exchange.deadline_ms = completion_at;
                exchange.contradicted |= exchange
                    .status
                    .as_ref()
                    .is_some_and(|earlier| *earlier != status);
                exchange.status = Some(status);
                self.send(now_ms, &Apdu::accept(), Repeat::OnlyAfterNak, out);
            }
            _ if status.result_code.is_some_and(|code| code != 0) => {
                self.send(now_ms, &Apdu::accept(), Repeat::OnlyAfterNak, out);
            }
            _ => {
                self.send(now_ms, &Apdu::refuse(0x66), Repeat::OnlyAfterNak, out);
                out.events.push(TerminalEvent::StrayApproval {
                    seen: status.identity,
                });
            }
        }
    }

    /// The end of a command. One that comes before the terminal accepted ours is the end of an
    /// earlier one, repeated because our answer to it was lost.
    pub(super) fn completion(&mut self, now_ms: u64, apdu: Apdu, out: &mut Output) {
        if let Some(Job::Money { order, .. }) = self.job.as_mut()
            && order.accepted
        {
            let step = order.on_completion();
            self.carry_out(now_ms, step, out);
            return;
        }
        self.send(now_ms, &Apdu::accept(), Repeat::OnlyAfterNak, out);
        if let Some(exchange) = self.exchange.as_mut().filter(|e| e.accepted) {
            let status = exchange.status.take().map(Box::new);
            let end = if exchange.contradicted {
                End::TimedOut
            } else {
                End::Completed(apdu, status)
            };
            self.end_exchange(now_ms, end, out);
        }
    }

    /// The end of a command that was aborted; with one from before as for [`Self::completion`].
    pub(super) fn aborted(&mut self, now_ms: u64, apdu: &Apdu, out: &mut Output) {
        let code = apdu.data.first().copied().unwrap_or(0xFF);
        if let Some(Job::Money { order, .. }) = self.job.as_mut()
            && order.accepted
        {
            let step = order.on_abort(code);
            self.carry_out(now_ms, step, out);
            return;
        }
        self.send(now_ms, &Apdu::accept(), Repeat::OnlyAfterNak, out);
        if let Some(exchange) = self.exchange.as_ref().filter(|e| e.accepted) {
            // A success that is then aborted says neither.
            let said_yes = exchange
                .status
                .as_ref()
                .is_some_and(|status| status.result_code == Some(0));
            let end = if said_yes || exchange.contradicted {
                End::TimedOut
            } else {
                End::Refused(code)
            };
            self.end_exchange(now_ms, end, out);
        }
    }

    pub(super) fn carry_out(&mut self, now_ms: u64, step: Step, out: &mut Output) {
        if let Some(reply) = &step.reply {
            self.send(now_ms, reply, Repeat::OnlyAfterNak, out);
        }
        if let Some(approval) = step.approval {
            out.events.push(TerminalEvent::ApprovalPending { approval });
        }
        if let Some(Job::Money { order, .. }) = self.job.as_ref()
            && step.abort_refused
        {
            out.events.push(TerminalEvent::AbortRefused {
                attempt: order.attempt,
            });
        }
        if let Some(outcome) = step.outcome {
            self.end_money(outcome, out);
            self.keep_alive_at_ms = now_ms + self.timeouts.keep_alive_ms;
        }
    }

    pub(super) fn end_money(&mut self, outcome: Outcome, out: &mut Output) {
        if let Some(Job::Money { order, .. }) = self.job.take() {
            self.answer_owed = order.abort_sent;
            if let Outcome::Approved(approval) = &outcome {
                self.remember(&approval.identity);
            }
            out.events
                .push(self.admission.finish(order.attempt, outcome));
        }
    }

    pub(super) fn send_abort(&mut self, now_ms: u64, out: &mut Output) {
        if let Some(Job::Money { order, .. }) = self.job.as_mut() {
            order.abort_sent = true;
            // One repeated after silence could meet the next order.
            self.send(now_ms, &command::abort(), Repeat::OnlyAfterNak, out);
        }
    }
}
