//! The driver's state machine: no input or output of its own, no clock. Time comes in as
//! milliseconds of any steady clock.
//!
//! The thread around it feeds [`Machine::step`] with what happened, carries out the
//! [`Action`]s, writes what [`Machine::next_write`] offers and reports it to
//! [`Machine::wrote`]. A simulation does the same without a thread.

use std::collections::VecDeque;

use super::super::doctor::Finding;
use super::super::profile::Handshake;
use super::super::protocol::receive::{Answer, Receiver};
use super::super::protocol::status::Status;
use super::event::{Doubt, JobId, OfflineReason, PrinterEvent, PrinterState, Refusal};
use super::interface::{Action, Input, MachineConfig};
use super::job::Running;
use super::plan::JobPlan;
use super::wire::{Outgoing, Poll, Polled, Purpose};

/// Jobs that may wait.
const MAX_WAITING_JOBS: usize = 8;
/// Bytes that may wait in the system's own buffer, so that status questions stay fresh.
const MAX_UNSENT_BYTES: usize = 256;
/// A written piece not moving for this long means the printer holds the line.
const STUCK_MS: u64 = 400;
/// Between two looks at what has no time of its own, in milliseconds.
const LOOK_MS: u64 = 20;
/// The same while the printer holds the line and no job is under way.
const HELD_LOOK_MS: u64 = 100;

/// Where the connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Closed {
        open_at: u64,
    },
    Opening,
    /// Asking for a first answer.
    Probing {
        until: u64,
    },
    /// Asking in order whether an earlier sender left a command open.
    Checking {
        until: u64,
    },
    /// Sending the start sequence and the fence behind it.
    Preparing {
        until: u64,
        answered: bool,
    },
    Live,
}

/// The driver's state machine.
#[derive(Debug)]
pub struct Machine {
    pub(super) config: MachineConfig,
    pub(super) phase: Phase,
    pub(super) out: Outgoing,
    pub(super) poll: Poll,
    pub(super) status: Option<Status>,
    pub(super) running: Option<Running>,
    pub(super) fence_works: bool,
    /// Tries to get in step with a printer that gave fewer answers in order than it was asked.
    pub(super) resyncs: u32,
    /// What the last session left on the paper: nothing, or a receipt cut short.
    pub(super) torn_paper: bool,
    pub(super) near_end_used_dots: Option<u32>,
    pub(super) next_process_id: u32,
    waiting: VecDeque<(JobId, JobPlan)>,
    pub(super) receiver: Receiver,
    received_at: u64,
    pub(super) baud_index: usize,
    pub(super) speeds_tried: usize,
    pub(super) offline: Option<OfflineReason>,
    /// Bytes the system says it has not sent.
    pub(super) unsent_bytes: usize,
    pub(super) unsent_since: u64,
    /// When the line has carried all that was written, in microseconds, going by its speed.
    pub(super) line_free_at_us: u64,
    pub(super) stuck_since: Option<u64>,
    pub(super) clear_to_send: Option<bool>,
    /// XOFF came and no XON since (where the system does not handle them).
    pub(super) hold_asked: bool,
    reported: Option<PrinterState>,
    findings: Vec<Finding>,
}

impl Machine {
    /// A machine that opens its port on the first step.
    pub fn new(config: MachineConfig, now: u64) -> Self {
        Self {
            torn_paper: config.unfinished_job,
            config,
            phase: Phase::Closed { open_at: now },
            out: Outgoing::default(),
            poll: Poll::new(now),
            status: None,
            running: None,
            fence_works: false,
            resyncs: 0,
            near_end_used_dots: None,
            next_process_id: 0,
            waiting: VecDeque::new(),
            receiver: Receiver::new(),
            received_at: now,
            baud_index: 0,
            speeds_tried: 0,
            offline: None,
            unsent_bytes: 0,
            unsent_since: now,
            line_free_at_us: 0,
            stuck_since: None,
            clear_to_send: None,
            hold_asked: false,
            reported: None,
            findings: Vec::new(),
        }
    }

    /// Takes in what happened at `now` and says what to do.
    pub fn step(&mut self, now: u64, input: Input<'_>, actions: &mut Vec<Action>) {
        match input {
            Input::Opened => self.opened(now),
            Input::OpenFailed(reason) => self.open_failed(now, reason),
            Input::Gone => self.lost(now, OfflineReason::Unplugged, Doubt::Unplugged, actions),
            Input::Received(bytes) => self.received(now, bytes, actions),
            Input::Line {
                unsent_bytes,
                clear_to_send,
            } => self.line(now, unsent_bytes, clear_to_send),
            Input::Print { job, bytes } => self.accept(job, bytes, actions),
            Input::Recorded(durable) => self.recorded(now, durable, actions),
            Input::Cancel(job) => self.cancel(now, job, actions),
            Input::OpenDrawer => self.open_drawer(),
            Input::Tick => {}
        }
        self.advance(now, actions);
    }

    /// The next bytes to write, at most 256, or `None` when nothing may go out now.
    pub fn next_write(&mut self, now: u64) -> Option<&[u8]> {
        if !self.is_open() || self.bytes_on_the_way(now) >= MAX_UNSENT_BYTES {
            return None;
        }
        if self.out.current.is_none() {
            // Nothing comes between the bytes of a command, least of all a real-time question.
            let between_commands = self.running.as_ref().is_none_or(Running::lets_others_in);
            if between_commands {
                self.out.current = self.out.queue.pop_front();
            }
            if self.out.current.is_none() && !self.hold_asked {
                self.out.current = self.job_piece();
            }
            self.stuck_since = self.out.current.is_some().then_some(now);
        }
        let piece = self.out.current.as_ref()?;
        let end = piece.bytes.len().min(piece.written + 256);
        Some(&piece.bytes[piece.written..end])
    }

    /// The system took `count` of the offered bytes.
    pub fn wrote(&mut self, now: u64, count: usize) {
        let Some(piece) = &mut self.out.current else {
            return;
        };
        if count == 0 {
            return;
        }
        self.stuck_since = Some(now);
        piece.written += count;
        let (done, purpose) = (piece.is_done(), piece.purpose);
        self.unsent_bytes += count;
        self.line_free_at_us = self.line_free_at_us.max(now * 1_000) + self.wire_us(count);
        if purpose == Purpose::Job
            && let Some(running) = &mut self.running
        {
            running.sent_some(now, count);
        }
        if done {
            self.out.current = None;
            self.stuck_since = None;
            if purpose == Purpose::AskStatus {
                let drain_ms = self.wire_ms(self.bytes_on_the_way(now));
                self.poll.written(now + drain_ms);
            }
        }
    }

    /// When [`Input::Tick`] is due at the latest.
    pub fn next_wake(&self, now: u64) -> u64 {
        let phase_at = match self.phase {
            Phase::Closed { open_at } => open_at,
            Phase::Opening => u64::MAX,
            Phase::Probing { until }
            | Phase::Checking { until }
            | Phase::Preparing { until, .. } => until,
            Phase::Live => u64::MAX,
        };
        let poll_at = if self.is_open() && self.asks_status() {
            self.poll.wake_at(self.answer_ms())
        } else {
            u64::MAX
        };
        // Nothing tells when a held line may be spoken on again.
        let held = self.is_held(now) && self.running.is_none();
        let look_ms = if held { HELD_LOOK_MS } else { LOOK_MS };
        // While a job runs, pacing and deadlines need a steady look.
        let busy = self.running.is_some() || !self.out.is_empty() || self.receiver.is_mid_answer();
        let busy_at = if busy { now + look_ms } else { u64::MAX };
        let at = phase_at.min(poll_at).min(busy_at);
        // What is overdue waits for the line, not for time: looking at once would be a spin.
        if at <= now { now + look_ms } else { at }
    }

    /// Whether a job is being printed or waits.
    pub fn is_busy(&self) -> bool {
        self.running.is_some() || !self.waiting.is_empty()
    }

    /// Line speed in use, in bits per second.
    pub fn baud(&self) -> u32 {
        let speeds = self.speeds();
        speeds[self.baud_index % speeds.len()]
    }

    /// The state as last reported.
    pub fn state(&self) -> PrinterState {
        if let Some(reason) = self.offline {
            return PrinterState::Offline(reason);
        }
        match (&self.status, self.phase) {
            (Some(status), Phase::Live) => self.live_state(status),
            (Some(status), Phase::Checking { .. } | Phase::Preparing { .. })
                if !status.can_print() =>
            {
                PrinterState::from_status(status)
            }
            (None, Phase::Live) if !self.asks_status() => PrinterState::Ready,
            _ => PrinterState::Connecting,
        }
    }

    fn live_state(&self, status: &Status) -> PrinterState {
        if status.can_print() && (self.hold_asked || self.is_clear_to_send_low()) {
            return PrinterState::Offline(OfflineReason::Held);
        }
        PrinterState::from_status(status)
    }

    pub(super) fn asks_status(&self) -> bool {
        self.config.profile.answers.real_time_status
    }

    pub(super) fn is_open(&self) -> bool {
        !matches!(self.phase, Phase::Closed { .. } | Phase::Opening)
    }

    /// Milliseconds `bytes` take on the line (8N1), rounded up.
    pub(super) fn wire_ms(&self, bytes: usize) -> u64 {
        (bytes as u64 * 10_000).div_ceil(u64::from(self.baud().max(1)))
    }

    fn wire_us(&self, bytes: usize) -> u64 {
        (bytes as u64 * 10_000_000).div_ceil(u64::from(self.baud().max(1)))
    }

    /// Bytes written that have not reached the printer: what the system admits to, and no less
    /// than the line can still be carrying. A pseudo-terminal and many USB adapters admit to
    /// nothing, and a question behind bytes nobody counted would look unanswered.
    pub(super) fn bytes_on_the_way(&self, now: u64) -> usize {
        let busy_us = self.line_free_at_us.saturating_sub(now * 1_000);
        let carried = (busy_us * u64::from(self.baud())).div_ceil(10_000_000);
        self.unsent_bytes
            .max(usize::try_from(carried).unwrap_or(usize::MAX))
    }

    /// How long the open status question may stay unanswered.
    fn answer_ms(&self) -> u64 {
        let timing = &self.config.timing;
        match self.phase {
            Phase::Live if self.running.is_none() => timing.idle_answer_ms,
            _ => timing.answer_ms,
        }
    }

    /// Whether the printer holds the data: XOFF, or a line that cannot be spoken on.
    pub(super) fn is_held(&self, now: u64) -> bool {
        self.hold_asked || self.is_mute(now)
    }

    /// Whether not even a question gets through: CTS low, or bytes that do not move.
    pub(super) fn is_mute(&self, now: u64) -> bool {
        let stuck = |since: u64| now.saturating_sub(since) >= STUCK_MS;
        self.is_clear_to_send_low()
            || self.stuck_since.is_some_and(stuck)
            || (self.unsent_bytes > 0 && stuck(self.unsent_since))
    }

    fn is_clear_to_send_low(&self) -> bool {
        self.config.handshake == Handshake::Lines && self.clear_to_send == Some(false)
    }

    /// Whether the printer says it can print, or cannot say anything.
    pub(super) fn can_print(&self) -> bool {
        !self.asks_status() || self.status.is_some_and(|status| status.can_print())
    }

    fn line(&mut self, now: u64, unsent_bytes: usize, clear_to_send: Option<bool>) {
        if unsent_bytes < self.unsent_bytes || unsent_bytes == 0 {
            self.unsent_since = now;
        }
        self.unsent_bytes = unsent_bytes;
        self.clear_to_send = clear_to_send;
    }

    fn received(&mut self, now: u64, bytes: &[u8], actions: &mut Vec<Action>) {
        // A block that stopped in the middle must not swallow what comes seconds later.
        if now.saturating_sub(self.received_at) > self.config.timing.answer_ms {
            self.receiver.abandon();
        }
        self.received_at = now;
        for &byte in bytes {
            if let Some(answer) = self.receiver.push(byte) {
                self.answered(now, answer, actions);
            }
        }
    }

    fn answered(&mut self, now: u64, answer: Answer, actions: &mut Vec<Action>) {
        match answer {
            Answer::RealTime(byte) => {
                let pause_ms = if self.running.is_some() {
                    self.config.timing.busy_poll_ms
                } else {
                    self.config.timing.idle_poll_ms
                };
                if let Some(status) = self.poll.answer(now, byte, pause_ms) {
                    self.see_status(status);
                }
                if matches!(self.phase, Phase::Probing { .. }) && self.poll.misses() == 0 {
                    self.first_answer(now);
                }
            }
            Answer::Automatic(bytes) => self.see_status(Status::from_automatic(bytes)),
            Answer::InOrder(_) => self.fence_answered(now, actions),
            Answer::ProcessId(id) => self.process_id_answered(id),
            Answer::Cleared => self.cleared(),
            Answer::Info(text) => self.counter_answered(&text),
            Answer::Hold => self.hold_asked = true,
            Answer::GoOn => self.hold_asked = false,
            Answer::Block(..) => {}
        }
    }

    fn see_status(&mut self, status: Status) {
        if !status.can_print()
            && let Some(running) = &mut self.running
        {
            running.disturbed();
        }
        match (status.paper_near_end, self.near_end_used_dots) {
            (true, None) => self.near_end_used_dots = Some(0),
            (false, Some(_)) => self.near_end_used_dots = None,
            _ => {}
        }
        let was_blocked = self.status.is_some_and(|before| !before.can_print());
        if was_blocked && status.can_print() && self.running.is_none() && self.phase == Phase::Live
        {
            // Some printers keep status questions in their buffer while offline, or lose their
            // settings with the cover open: start afresh.
            self.phase = Phase::Preparing {
                until: u64::MAX,
                answered: false,
            };
        }
        self.status = Some(status);
    }

    fn accept(&mut self, job: JobId, bytes: Vec<u8>, actions: &mut Vec<Action>) {
        let refused = |reason| {
            Action::Event(PrinterEvent::JobFailed {
                job,
                nothing_sent: true,
                reason,
            })
        };
        if self.waiting.len() >= MAX_WAITING_JOBS {
            actions.push(refused(Refusal::QueueFull));
            return;
        }
        match JobPlan::read(bytes, &self.config.profile) {
            Ok(plan) => self.waiting.push_back((job, plan)),
            Err(error) => actions.push(refused(Refusal::BadJob(error))),
        }
    }

    fn cancel(&mut self, now: u64, job: JobId, actions: &mut Vec<Action>) {
        if let Some(index) = self.waiting.iter().position(|(waiting, _)| *waiting == job) {
            self.waiting.remove(index);
            actions.push(Action::Event(PrinterEvent::JobFailed {
                job,
                nothing_sent: true,
                reason: Refusal::Cancelled,
            }));
        } else if self
            .running
            .as_ref()
            .is_some_and(|running| running.job == job)
        {
            self.abandon(now, actions);
        }
    }

    fn open_drawer(&mut self) {
        if !self.is_open() {
            return;
        }
        let pin = self.config.profile.drawer_pin;
        if self.can_print() || !self.asks_status() {
            self.out
                .push(&[0x1B, b'p', pin, 0x19, 0xFA], Purpose::Other);
        } else {
            // Paper out must not keep the drawer shut: the real-time pulse works offline.
            self.out
                .push(&[0x10, 0x14, 0x01, pin, 0x01], Purpose::Other);
        }
    }

    /// Moves everything on that time or the last input made possible.
    fn advance(&mut self, now: u64, actions: &mut Vec<Action>) {
        self.advance_poll(now, actions);
        self.advance_phase(now, actions);
        if self.phase == Phase::Live
            && self.running.is_none()
            && let Some((job, plan)) = self.waiting.pop_front()
        {
            let preflight_ms = self.config.timing.preflight_ms;
            self.running = Some(Running::new(job, plan, now, preflight_ms));
            self.poll.ask_now(now);
        }
        self.advance_job(now, actions);
        self.refuse_while_away(now, actions);
        self.report(actions);
    }

    /// Jobs that wait for a printer which is not there fail; nothing of them was sent.
    fn refuse_while_away(&mut self, now: u64, actions: &mut Vec<Action>) {
        let state = self.state();
        let hopeless = self.offline.is_some()
            || matches!(self.phase, Phase::Checking { .. } | Phase::Preparing { .. })
                && self.is_blocked(now);
        if !hopeless || self.running.is_some() {
            return;
        }
        for (job, _) in self.waiting.drain(..) {
            actions.push(Action::Event(PrinterEvent::JobFailed {
                job,
                nothing_sent: true,
                reason: Refusal::NotReady(state),
            }));
        }
    }

    /// Whether the printer said that it cannot print, or holds the line.
    pub(super) fn is_blocked(&self, now: u64) -> bool {
        self.status.is_some_and(|status| !status.can_print()) || self.is_held(now)
    }

    fn advance_poll(&mut self, now: u64, actions: &mut Vec<Action>) {
        if !self.is_open() || !self.asks_status() {
            return;
        }
        let mute = self.is_mute(now);
        if self.poll.check(now, self.answer_ms(), mute) == Polled::Missed {
            // One answer lost on the wire is no silence; a printer that lost its power needs longer
            // than two questions to answer again.
            if self.poll.misses() >= 2
                && let Some(running) = &mut self.running
            {
                running.went_silent();
            }
            if self.poll.misses() >= 3 && !matches!(self.phase, Phase::Probing { .. }) {
                self.lost(now, OfflineReason::NoAnswer, Doubt::Silent, actions);
                return;
            }
        }
        let brief = self.status.is_some_and(|status| !status.can_print());
        if let Some(piece) = self.poll.question(now, brief) {
            self.out.queue.push_back(piece);
        }
    }

    pub(super) fn find(&mut self, finding: Finding, actions: &mut Vec<Action>) {
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
            actions.push(Action::Event(PrinterEvent::Finding(finding)));
        }
    }

    fn report(&mut self, actions: &mut Vec<Action>) {
        let state = self.state();
        if self.reported != Some(state) {
            self.reported = Some(state);
            actions.push(Action::Event(PrinterEvent::State(state)));
        }
    }
}
