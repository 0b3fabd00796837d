//! Chains of plain exchanges: registration, preparation, recovery, status, day close.

use super::*;

impl ZvtEngine {
    pub(super) fn end_exchange(&mut self, now_ms: u64, end: End, out: &mut Output) {
        self.exchange = None;
        self.keep_alive_at_ms = now_ms + self.timeouts.keep_alive_ms;
        if matches!(end, End::TimedOut) {
            out.close = true;
            if std::mem::take(&mut self.registered) {
                self.report_down(&LinkFault::NoAnswer, out);
            }
        }
        match self.job.take() {
            Some(Job::Register) => self.registered(now_ms, end, out),
            Some(Job::Status { asked }) => self.status_known(asked, &end, out),
            Some(Job::PrepareStatus(attempt)) => self.prepare_status(now_ms, attempt, &end, out),
            Some(Job::PrepareLast(attempt)) => self.prepare_last(attempt, end, out),
            Some(Job::RecoverStatus) => self.recover_status(now_ms, &end, out),
            Some(Job::RecoverLast) => self.recover_last(now_ms, end, out),
            Some(Job::DayClose(attempt)) => day_closed(attempt, end, out),
            other => self.job = other,
        }
    }

    pub(super) fn registered(&mut self, now_ms: u64, end: End, out: &mut Output) {
        let why = match end {
            // One byte is the condition asked for before the connection was made anew.
            End::Completed(apdu, _) if apdu.data.len() == 1 => LinkFault::NoAnswer,
            End::Completed(apdu, _) => {
                let id = StatusInformation::parse(&apdu).identity.terminal_id;
                self.terminal_id = id.or(self.terminal_id.take());
                self.registered = true;
                self.down = None;
                let terminal_id = self.terminal_id.clone();
                out.events
                    .push(TerminalEvent::Link(LinkState::Up { terminal_id }));
                if let Some(doubt) = self.doubt.as_mut() {
                    doubt.next_try_ms = now_ms;
                }
                return;
            }
            End::Refused(code) => {
                let reason = DeclineReason::from_zvt(code);
                LinkFault::RegistrationRefused { code, reason }
            }
            End::TimedOut => LinkFault::NoAnswer,
        };
        self.report_down(&why, out);
        out.close = true;
    }

    /// Says once why the link is down; the next try says it again only if the reason changed.
    pub(super) fn report_down(&mut self, why: &LinkFault, out: &mut Output) {
        if self.down.as_ref() != Some(why) {
            self.down = Some(why.clone());
            let why = why.clone();
            out.events
                .push(TerminalEvent::Link(LinkState::Down { why }));
        }
    }

    pub(super) fn status_known(&mut self, asked: bool, end: &End, out: &mut Output) {
        let Some(status) = status_of(end) else { return };
        if asked || self.last_status != Some(status) {
            out.events.push(TerminalEvent::Status(status));
        }
        self.last_status = Some(status);
    }

    pub(super) fn prepare_status(
        &mut self,
        now_ms: u64,
        attempt: AttemptId,
        end: &End,
        out: &mut Output,
    ) {
        let why = match status_of(end) {
            Some(TerminalStatus::Ready | TerminalStatus::NotReported) => {
                let enquiry = command::repeat_receipt(self.checked.password);
                self.begin(now_ms, &enquiry, Job::PrepareLast(attempt), out);
                return;
            }
            Some(TerminalStatus::Busy) => NotReady::Busy,
            Some(status) => NotReady::Condition(status),
            None => NotReady::NoAnswer,
        };
        out.events.push(TerminalEvent::NotPrepared { attempt, why });
    }

    pub(super) fn prepare_last(&mut self, attempt: AttemptId, end: End, out: &mut Output) {
        let baseline = match end {
            End::Completed(_, Some(status)) => {
                if self.terminal_id.is_none() {
                    self.terminal_id = status.identity.terminal_id.clone();
                }
                self.remember(&status.identity);
                Baseline::Last(status.identity)
            }
            // It neither showed one nor said that there is none.
            End::Completed(_, None) => Baseline::Unavailable,
            End::Refused(NOT_POSSIBLE) => Baseline::Unavailable,
            End::Refused(code @ (0x9C | 0xA0)) => {
                let why = NotReady::Refused {
                    code,
                    reason: DeclineReason::from_zvt(code),
                };
                out.events.push(TerminalEvent::NotPrepared { attempt, why });
                return;
            }
            End::Refused(code) => Baseline::Empty { code },
            End::TimedOut => {
                let why = NotReady::NoAnswer;
                out.events.push(TerminalEvent::NotPrepared { attempt, why });
                return;
            }
        };
        out.events
            .push(TerminalEvent::Prepared { attempt, baseline });
    }

    pub(super) fn recover_status(&mut self, now_ms: u64, end: &End, out: &mut Output) {
        match status_of(end) {
            // A terminal that still has a card in it may still finish the order.
            Some(TerminalStatus::Busy | TerminalStatus::CardInserted) | None => {
                self.try_recovery_again(now_ms);
            }
            Some(_) => {
                let enquiry = command::repeat_receipt(self.checked.password);
                self.begin(now_ms, &enquiry, Job::RecoverLast, out);
            }
        }
    }

    pub(super) fn recover_last(&mut self, now_ms: u64, end: End, out: &mut Output) {
        let Some(doubt) = self.doubt.as_ref() else {
            return;
        };
        let recovered = match end {
            End::TimedOut | End::Refused(0x9C | 0xA0) => {
                self.try_recovery_again(now_ms);
                return;
            }
            End::Refused(code) => judge(&doubt.request, Err(code)),
            // It neither showed one nor said that there is none.
            End::Completed(_, None) if doubt.request.baseline != Baseline::Unavailable => {
                self.try_recovery_again(now_ms);
                return;
            }
            End::Completed(_, None) => judge(&doubt.request, Err(0)),
            End::Completed(_, Some(status)) => {
                let last = LastTransaction {
                    identity: status.identity,
                    scheme: status.scheme,
                    card: status.card,
                };
                judge(&doubt.request, Ok(&last))
            }
        };
        self.recovered(recovered, out);
    }

    pub(super) fn try_recovery_again(&mut self, now_ms: u64) {
        if let Some(doubt) = self.doubt.as_mut() {
            doubt.next_try_ms = now_ms + self.timeouts.poll_ms;
        }
    }

    pub(super) fn recovered(&mut self, recovered: Recovered, out: &mut Output) {
        if let Some(doubt) = self.doubt.take() {
            let attempt = doubt.request.attempt;
            self.admission.recovered(attempt);
            out.events
                .push(TerminalEvent::Recovered { attempt, recovered });
        }
    }

    pub(super) fn accept_command(&mut self, now_ms: u64, command: Command, out: &mut Output) {
        let registering = matches!(self.job, Some(Job::Register));
        if !self.registered && !registering {
            refuse_all([command], &NotStarted::NotConnected, out);
            return;
        }
        let routine = matches!(self.job, None | Some(Job::Register | Job::Status { .. }));
        if self.doubt.is_some() || !routine || self.waiting.len() >= WAITING_COMMANDS {
            refuse_all([command], &NotStarted::Busy, out);
            return;
        }
        self.waiting.push_back(command);
        self.next(now_ms, out);
    }

    pub(super) fn accept_recovery(
        &mut self,
        now_ms: u64,
        request: RecoverRequest,
        out: &mut Output,
    ) {
        let other = self
            .doubt
            .as_ref()
            .is_some_and(|d| d.request.attempt != request.attempt);
        if other || matches!(self.job, Some(Job::Money { .. } | Job::DayClose(_))) {
            refuse_all([Command::Recover(request)], &NotStarted::Busy, out);
            return;
        }
        let until_ms = now_ms + self.timeouts.recover_ms;
        self.doubt = Some(Doubt {
            request,
            until_ms,
            next_try_ms: now_ms,
        });
        self.next(now_ms, out);
    }
}

fn status_of(end: &End) -> Option<TerminalStatus> {
    match end {
        End::Completed(apdu, _) => Some(TerminalStatus::from_zvt(
            TerminalStatusReply::parse(apdu).status,
        )),
        End::Refused(NOT_POSSIBLE) => Some(TerminalStatus::NotReported),
        End::Refused(code) => Some(TerminalStatus::from_zvt(*code)),
        End::TimedOut => None,
    }
}

fn day_closed(attempt: AttemptId, end: End, out: &mut Output) {
    let refused = |code| DayCloseOutcome::Refused {
        reason: DeclineReason::from_zvt(code),
    };
    let outcome = match end {
        End::Completed(_, Some(status)) => match status.result_code.unwrap_or(0) {
            0 => DayCloseOutcome::Closed(status.totals),
            code => refused(code),
        },
        // An end without totals may be the end of something else.
        End::Completed(_, None) => DayCloseOutcome::Unknown {
            why: Unknown::NoResult,
        },
        End::Refused(code) => refused(code),
        End::TimedOut => DayCloseOutcome::Unknown {
            why: Unknown::NoCompletion,
        },
    };
    out.events
        .push(TerminalEvent::EndOfDay { attempt, outcome });
}
