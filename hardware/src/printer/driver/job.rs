//! The job being printed: what may be sent, what is confirmed, how it ends.

use super::super::doctor::Finding;
use super::super::protocol;
use super::event::{Doubt, JobId, PrinterEvent, Refusal, Trace};
use super::interface::Action;
use super::machine::Machine;
use super::plan::JobPlan;
use super::wire::{Fence, Piece, Purpose};

/// Bytes between two fences.
pub(super) const SEGMENT_BYTES: usize = 768;
/// A line that carries no question for this long, in milliseconds, may hide a power cut; no
/// printer starts faster.
const MUTE_MS: u64 = 400;
/// Longest wait for a counter, in milliseconds.
const COUNTER_MS: u64 = 800;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Waits for a status asked after `asked_from`.
    Preflight { asked_from: u64, until: u64 },
    /// Waits for the cut counter.
    CountBefore { until: u64 },
    /// Waits for the caller's spool.
    Recording,
    /// Bytes go out.
    Sending,
    /// All bytes are out; fences and the process id are awaited.
    Confirming,
    /// The printer has read everything; gives the head the time it needs.
    Settling,
    /// Waits for a status asked after `asked_from`.
    Verifying { asked_from: u64, until: u64 },
    /// Waits for the cut counter.
    CountAfter { until: u64 },
    /// Waits for the printer to confirm that it cleared its buffers.
    Purging { until: u64 },
}

/// The job being printed.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) job: JobId,
    pub(super) plan: JobPlan,
    pub(super) stage: Stage,
    pub(super) sent: usize,
    pub(super) confirmed: usize,
    pub(super) last_fence: usize,
    pub(super) disturbed: bool,
    pub(super) silent: bool,
    pub(super) blocked_since: Option<u64>,
    pub(super) mute_since: Option<u64>,
    pub(super) moved_at: u64,
    pub(super) started_at: u64,
    /// Paper the head has had time to move, in thousandths of a dot, and when that was reckoned.
    pub(super) head_millidots: u64,
    pub(super) head_at: u64,
    pub(super) cuts_before: Option<u32>,
    pub(super) cuts_after: Option<u32>,
    pub(super) process_id: Option<[u8; 4]>,
    pub(super) process_id_seen: bool,
}

impl Running {
    pub(super) fn new(job: JobId, plan: JobPlan, now: u64, preflight_ms: u64) -> Self {
        Self {
            job,
            plan,
            stage: Stage::Preflight {
                asked_from: now,
                until: now + preflight_ms,
            },
            sent: 0,
            confirmed: 0,
            last_fence: 0,
            disturbed: false,
            silent: false,
            blocked_since: None,
            mute_since: None,
            moved_at: now,
            started_at: now,
            head_millidots: 0,
            head_at: now,
            cuts_before: None,
            cuts_after: None,
            process_id: None,
            process_id_seen: false,
        }
    }

    /// Whether other bytes may go out now: between commands, or when the job is being cleared.
    pub(super) fn lets_others_in(&self) -> bool {
        self.at_boundary() || matches!(self.stage, Stage::Purging { .. })
    }

    /// Whether no command is open on the wire.
    pub(super) fn at_boundary(&self) -> bool {
        self.plan.is_boundary(self.sent)
    }

    pub(super) fn sent_some(&mut self, now: u64, count: usize) {
        self.sent += count;
        self.moved_at = now;
    }

    /// The printer reported that it cannot print.
    pub(super) fn disturbed(&mut self) {
        self.disturbed |= self.sent > 0;
    }

    /// Status questions went unanswered: the printer may have been off for a moment.
    pub(super) fn went_silent(&mut self) {
        self.silent |= self.sent > 0;
    }

    pub(super) fn trace(&self) -> Trace {
        Trace {
            sent_bytes: self.sent,
            confirmed_bytes: self.confirmed,
            total_bytes: self.plan.bytes.len(),
            cuts_before: self.cuts_before,
        }
    }

    pub(super) fn all_sent(&self) -> bool {
        self.sent == self.plan.bytes.len()
    }

    /// Millidots the head moves in a millisecond.
    fn head_speed(machine_profile: &super::super::profile::Profile) -> u64 {
        u64::from(machine_profile.head_mm_per_s) * u64::from(machine_profile.dots_per_mm_tenths)
            / 10
    }

    /// Lets the head move on, no further than what has reached the printer.
    fn move_head(&mut self, now: u64, speed: u64, blocked: bool, on_the_way: usize) {
        if !blocked {
            let arrived = self.sent.saturating_sub(on_the_way);
            let reach = u64::from(self.plan.dots_at(arrived)) * 1_000;
            let moved = self.head_millidots + (now - self.head_at) * speed;
            self.head_millidots = moved.min(reach).max(self.head_millidots);
        }
        self.head_at = now;
    }

    fn head_offset(&self) -> usize {
        self.plan.offset_at((self.head_millidots / 1_000) as u32)
    }

    fn head_ms_left(&self, speed: u64) -> u64 {
        let reach = u64::from(self.plan.dots_at(self.sent)) * 1_000;
        (reach.saturating_sub(self.head_millidots)).div_ceil(speed.max(1))
    }
}

impl Machine {
    /// The next bytes of the job that may go out.
    pub(super) fn job_piece(&mut self) -> Option<Piece> {
        let can_print = self.can_print();
        let fence_works = self.fence_works;
        let credit = self.config.profile.credit_bytes;
        let running = self.running.as_mut()?;
        if running.stage != Stage::Sending {
            return None;
        }
        let at_boundary = running.at_boundary();
        if at_boundary && !can_print {
            return None;
        }
        if at_boundary && fence_works && running.sent - running.last_fence >= SEGMENT_BYTES {
            return Some(self.fence_piece());
        }
        let base = if fence_works {
            running.confirmed
        } else {
            running.head_offset()
        };
        let room = credit.saturating_sub(running.sent.saturating_sub(base));
        let (end, whole) = running
            .plan
            .boundary(running.sent, running.sent + room.min(256));
        let fits = whole || end.saturating_sub(base) <= credit || !at_boundary;
        if !fits {
            // Without a fence under way no credit would ever come back.
            let needs_fence = fence_works && running.last_fence < running.sent;
            let under_way = running.last_fence > running.confirmed;
            return (needs_fence && !under_way).then(|| self.fence_piece());
        }
        let end = end.min(running.sent + 256);
        let bytes = running.plan.bytes[running.sent..end].to_vec();
        (!bytes.is_empty()).then(|| Piece::new(bytes, Purpose::Job))
    }

    fn fence_piece(&mut self) -> Piece {
        if let Some(running) = &mut self.running {
            running.last_fence = running.sent;
            self.out.fences.push_back(Fence::Job(running.sent));
        }
        Piece::new(protocol::ASK_FENCE, Purpose::Other)
    }

    pub(super) fn job_confirmed(&mut self, now: u64, offset: usize, actions: &mut Vec<Action>) {
        let profile = &self.config.profile;
        let Some(running) = &mut self.running else {
            return;
        };
        running.confirmed = offset;
        running.moved_at = now;
        if running.confirmed == running.plan.bytes.len() {
            // The answer may mean "read", with the last lines and the cut still to come.
            let tail = u64::from(profile.mm_to_dots(profile.head_to_blade_mm + 10) + 8 * 30);
            let reach = u64::from(running.plan.height_dots());
            let at_least = reach.saturating_sub(tail) * 1_000;
            running.head_millidots = running.head_millidots.min(at_least);
        }
        let (job, total_bytes) = (running.job, running.plan.bytes.len());
        actions.push(Action::Confirmed { job, bytes: offset });
        actions.push(Action::Event(PrinterEvent::Progress {
            job,
            done_bytes: offset,
            total_bytes,
        }));
    }

    pub(super) fn process_id_answered(&mut self, id: [u8; 4]) {
        if let Some(running) = &mut self.running {
            running.process_id_seen |= running.process_id == Some(id);
        }
    }

    pub(super) fn counter_answered(&mut self, text: &str) {
        let (Some(running), Ok(count)) = (&mut self.running, text.trim().parse::<u32>()) else {
            return;
        };
        match running.stage {
            Stage::CountBefore { .. } => running.cuts_before = Some(count),
            Stage::CountAfter { .. } => running.cuts_after = Some(count),
            _ => {}
        }
    }

    pub(super) fn cleared(&mut self) {
        if let Some(running) = &mut self.running
            && let Stage::Purging { until } = &mut running.stage
        {
            // 0 marks the confirmed purge; the next step ends the job.
            *until = 0;
        }
    }

    pub(super) fn recorded(&mut self, now: u64, durable: bool, actions: &mut Vec<Action>) {
        let wants_id = self.config.profile.answers.process_id;
        let id = self.next_process_id;
        let Some(running) = &mut self.running else {
            return;
        };
        if running.stage != Stage::Recording {
            return;
        }
        if !durable {
            self.fail(Refusal::NotRecorded, actions);
            return;
        }
        running.stage = Stage::Sending;
        running.started_at = now;
        running.moved_at = now;
        running.head_at = now;
        if wants_id {
            let digits = format!("{id:04}").into_bytes();
            running.process_id = <[u8; 4]>::try_from(digits.as_slice()).ok();
            self.next_process_id = (id + 1) % 10_000;
        }
        actions.push(Action::Event(PrinterEvent::JobStarted {
            job: running.job,
            cuts_before: running.cuts_before,
        }));
    }

    pub(super) fn advance_job(&mut self, now: u64, actions: &mut Vec<Action>) {
        let blocked = self.is_blocked(now);
        let mute = self.is_mute(now);
        let on_the_way = self.bytes_on_the_way(now);
        let timing = self.config.timing;
        let speed = Running::head_speed(&self.config.profile);
        let Some(running) = &mut self.running else {
            return;
        };
        running.move_head(now, speed, blocked, on_the_way);
        if mute {
            // A printer that loses power drops its ready line too, and what it held with it.
            if now >= *running.mute_since.get_or_insert(now) + MUTE_MS {
                running.went_silent();
            }
        } else {
            running.mute_since = None;
        }
        if blocked {
            running.blocked_since.get_or_insert(now);
            running.moved_at = now;
        } else {
            running.blocked_since = None;
        }
        let patience_ms = timing.blocked_ms;
        let gave_up = running
            .blocked_since
            .is_some_and(|since| now >= since + patience_ms);
        match running.stage {
            Stage::Preflight { asked_from, until } => {
                self.preflight(now, asked_from, until, actions);
            }
            Stage::CountBefore { until } => {
                if running.cuts_before.is_some() || now >= until {
                    let silent = running.cuts_before.is_none();
                    self.record(actions);
                    if silent {
                        self.find(Finding::CountersSilent, actions);
                    }
                }
            }
            Stage::Recording => {}
            Stage::Purging { until } => self.purge_over(now, until, actions),
            Stage::CountAfter { until } => {
                if running.cuts_after.is_some() || now >= until {
                    self.finish(actions);
                }
            }
            _ if gave_up => self.abandon(now, actions),
            Stage::Sending => self.sending(now, actions),
            Stage::Confirming => self.confirming(now, speed, actions),
            Stage::Settling => {
                // A printer may answer when it has read, not when it has printed.
                let printed = running.process_id_seen || running.head_ms_left(speed) == 0;
                // What nobody confirms may still lie in the host, which is no end.
                let left = running.confirmed == running.plan.bytes.len()
                    || running.process_id_seen
                    || on_the_way == 0;
                if printed && left && !blocked {
                    self.verify(now);
                }
            }
            Stage::Verifying { asked_from, until } => {
                self.verifying(now, asked_from, until, actions)
            }
        }
    }

    fn preflight(&mut self, now: u64, asked_from: u64, until: u64, actions: &mut Vec<Action>) {
        if self.asks_status()
            && self
                .poll
                .answered_question_of
                .is_none_or(|at| at < asked_from)
        {
            if now >= until {
                self.fail(Refusal::NotReady(self.state()), actions);
            }
            return;
        }
        let state = self.state();
        if !self.can_print() || !state.can_print() {
            self.fail(Refusal::NotReady(state), actions);
            return;
        }
        if let Some(refusal) = self.paper_too_low() {
            self.fail(refusal, actions);
            return;
        }
        if self.config.profile.answers.counters {
            self.out.push(&protocol::ASK_CUT_COUNTER, Purpose::Other);
            self.set_stage(Stage::CountBefore {
                until: now + COUNTER_MS,
            });
        } else {
            self.record(actions);
        }
    }

    fn set_stage(&mut self, stage: Stage) {
        if let Some(running) = &mut self.running {
            running.stage = stage;
        }
    }

    /// Whether the rest of the roll is too short, going by the near-end sensor and what was
    /// printed since it tripped.
    fn paper_too_low(&self) -> Option<Refusal> {
        let profile = &self.config.profile;
        let used_mm = profile.dots_to_mm(self.near_end_used_dots?);
        if profile.near_end_reserve_mm == 0 {
            return None;
        }
        let needed_mm = profile.dots_to_mm(self.running.as_ref()?.plan.height_dots());
        let left_mm = profile.near_end_reserve_mm.saturating_sub(used_mm);
        (needed_mm > left_mm).then_some(Refusal::PaperTooLow { needed_mm, left_mm })
    }

    fn record(&mut self, actions: &mut Vec<Action>) {
        if let Some(running) = &mut self.running {
            running.stage = Stage::Recording;
            actions.push(Action::Record {
                job: running.job,
                cuts_before: running.cuts_before,
            });
        }
    }

    fn sending(&mut self, now: u64, actions: &mut Vec<Action>) {
        let Some(running) = &mut self.running else {
            return;
        };
        if running.all_sent() {
            running.stage = Stage::Confirming;
            running.moved_at = now;
            let id = running.process_id;
            if self.fence_works {
                let fence = self.fence_piece();
                self.out.queue.push_back(fence);
            }
            if let Some(id) = id {
                self.out.push(&protocol::ask_process_id(id), Purpose::Other);
            }
            return;
        }
        self.doubt_if_stalled(now, actions);
    }

    /// Nothing moved for longer than the printer can need, though it reports no reason.
    fn doubt_if_stalled(&mut self, now: u64, actions: &mut Vec<Action>) {
        let Some(running) = &self.running else {
            return;
        };
        let speed = Running::head_speed(&self.config.profile);
        let print_ms = running.head_ms_left(speed);
        let wire_ms = self.wire_ms(running.sent - running.confirmed.min(running.sent));
        if self.fence_works
            && now > running.moved_at + self.config.timing.fence_ms + print_ms + wire_ms
        {
            self.give_up(Doubt::NotConfirmed, actions);
            self.prepare(now);
        }
    }

    fn confirming(&mut self, now: u64, speed: u64, actions: &mut Vec<Action>) {
        let fence_works = self.fence_works;
        let Some(running) = &mut self.running else {
            return;
        };
        let confirmed = running.confirmed == running.plan.bytes.len();
        if fence_works && !confirmed {
            self.doubt_if_stalled(now, actions);
            return;
        }
        if running.process_id.is_some() && !running.process_id_seen {
            let patience = self.config.timing.fence_ms + running.head_ms_left(speed);
            if now < running.moved_at + patience {
                return;
            }
            running.process_id = None;
            self.find(Finding::ProcessIdSilent, actions);
        }
        if self.out.is_empty() {
            self.set_stage(Stage::Settling);
        }
    }

    fn verify(&mut self, now: u64) {
        self.poll.ask_now(now);
        let until = now + self.config.timing.answer_ms * 4;
        self.set_stage(Stage::Verifying {
            asked_from: now,
            until,
        });
    }

    fn verifying(&mut self, now: u64, asked_from: u64, until: u64, actions: &mut Vec<Action>) {
        let fresh = self
            .poll
            .answered_question_of
            .is_some_and(|at| at >= asked_from);
        if self.asks_status() && !fresh {
            if now >= until && !self.is_blocked(now) {
                self.give_up(Doubt::Silent, actions);
                self.prepare(now);
            }
            return;
        }
        if !self.can_print() {
            // The paper may have ended on the last line: ask again until someone puts in a roll.
            self.verify(now);
            return;
        }
        let counts = self
            .running
            .as_ref()
            .is_some_and(|running| running.cuts_before.is_some());
        if counts {
            self.out.push(&protocol::ASK_CUT_COUNTER, Purpose::Other);
            self.set_stage(Stage::CountAfter {
                until: now + COUNTER_MS,
            });
        } else {
            self.finish(actions);
        }
    }
}
