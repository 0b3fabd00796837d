//! The engine as the driver's thread sees it.

use super::*;

impl Engine for ZvtEngine {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            protocol: "ZVT",
            recovery: RecoveryMeans::LastTransaction,
            can_hold: self.profile.can_hold(),
            can_reject: true,
            can_abort: true,
            can_reverse: true,
            can_refund: true,
            can_close_day: true,
            amount_digits: AMOUNT_DIGITS,
        }
    }

    fn link_up(&mut self, now_ms: u64, out: &mut Output) {
        self.transport = Some(if self.serial {
            Transport::serial(SerialTimers {
                inter_byte_ms: self.timeouts.inter_byte_ms,
                acknowledge_ms: self.timeouts.acknowledge_ms,
            })
        } else {
            Transport::tcp()
        });
        self.registered = false;
        self.answer_owed = false;
        match self.registration() {
            Ok(apdu) => self.begin(now_ms, &apdu, Job::Register, out),
            Err(error) => self.report_down(
                &LinkFault::PortUnsuitable {
                    detail: error.to_string(),
                },
                out,
            ),
        }
    }

    fn link_down(&mut self, now_ms: u64, why: &LinkFault, out: &mut Output) {
        let was_up = std::mem::take(&mut self.registered);
        self.transport = None;
        self.exchange = None;
        match self.job.take() {
            Some(Job::Money { order, .. }) => {
                let outcome = Outcome::Unknown {
                    why: Unknown::LinkLost,
                };
                out.events
                    .push(self.admission.finish(order.attempt, outcome));
            }
            Some(Job::PrepareStatus(attempt) | Job::PrepareLast(attempt)) => {
                let why = NotReady::NotConnected;
                out.events.push(TerminalEvent::NotPrepared { attempt, why });
            }
            Some(Job::DayClose(attempt)) => {
                let outcome = DayCloseOutcome::Unknown {
                    why: Unknown::LinkLost,
                };
                out.events
                    .push(TerminalEvent::EndOfDay { attempt, outcome });
            }
            _ => {}
        }
        let waiting = std::mem::take(&mut self.waiting);
        refuse_all(waiting, &NotStarted::NotConnected, out);
        self.try_recovery_again(now_ms);
        self.last_status = None;
        // A link that never came up was already reported with its reason.
        if was_up || self.down.is_none() {
            self.report_down(why, out);
        }
    }

    fn bytes(&mut self, now_ms: u64, bytes: &[u8], out: &mut Output) {
        let Some(transport) = self.transport.as_mut() else {
            return;
        };
        let incoming = transport.push(now_ms, bytes);
        out.wire.extend(transport.take_wire());
        for one in incoming {
            self.incoming(now_ms, one, out);
        }
    }

    fn command(&mut self, now_ms: u64, command: Command, out: &mut Output) {
        let running = match self.job.as_mut() {
            Some(Job::Money { order, .. }) => Some(order),
            _ => None,
        };
        let step = match (command, running) {
            (Command::ApprovalStored(stored), Some(order)) => {
                let stored = stored.into_value();
                if order.attempt == stored.attempt {
                    order.on_stored(&stored)
                } else {
                    return;
                }
            }
            (Command::ApprovalRefused(attempt), Some(order)) if order.attempt == attempt => {
                order.on_store_refused()
            }
            (Command::Abort(attempt), Some(order)) if order.attempt == attempt => {
                if order.accepted {
                    self.send_abort(now_ms, out);
                } else {
                    order.abort_wanted = true;
                }
                return;
            }
            // The order already ended as unknown; recovery decides.
            (Command::ApprovalStored(_) | Command::ApprovalRefused(_), _) => return,
            (Command::Recover(request), _) => return self.accept_recovery(now_ms, request, out),
            (abort @ Command::Abort(_), _) => {
                return refuse_all([abort], &NotStarted::Busy, out);
            }
            (other, _) => return self.accept_command(now_ms, other, out),
        };
        if let Some(Job::Money { deadline_ms, .. }) = self.job.as_mut()
            && step.reply.is_some()
        {
            *deadline_ms = now_ms + self.timeouts.completion_ms;
        }
        self.carry_out(now_ms, step, out);
    }

    fn tick(&mut self, now_ms: u64, out: &mut Output) {
        if let Some(transport) = self.transport.as_mut() {
            let incoming = transport.tick(now_ms);
            out.wire.extend(transport.take_wire());
            for one in incoming {
                self.incoming(now_ms, one, out);
            }
        }
        self.money_timers(now_ms, out);
        self.other_timers(now_ms, out);
        self.next(now_ms, out);
    }

    fn deadline_ms(&self) -> Option<u64> {
        let transport = self.transport.as_ref().and_then(Transport::deadline_ms);
        let exchange = self.exchange.as_ref().map(|exchange| exchange.deadline_ms);
        let money = match &self.job {
            Some(Job::Money {
                order, deadline_ms, ..
            }) => Some(
                order
                    .deadline_ms()
                    .map_or(*deadline_ms, |hold| hold.min(*deadline_ms)),
            ),
            _ => None,
        };
        let idle = self.registered && self.job.is_none();
        let doubt = self.doubt.as_ref().map(|doubt| {
            if idle {
                doubt.until_ms.min(doubt.next_try_ms)
            } else {
                doubt.until_ms
            }
        });
        let keep_alive = idle.then_some(self.keep_alive_at_ms);
        [transport, exchange, money, doubt, keep_alive]
            .into_iter()
            .flatten()
            .min()
    }

    fn stop(&mut self, out: &mut Output) {
        self.end_money(
            Outcome::Unknown {
                why: Unknown::DriverStopped,
            },
            out,
        );
        let waiting = std::mem::take(&mut self.waiting);
        refuse_all(waiting, &NotStarted::NotConnected, out);
    }
}
