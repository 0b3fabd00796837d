//! The printer as a device: buffer, head, sensors, answers. Time comes in as microseconds.

use std::collections::VecDeque;

use super::super::profile::{Handshake, Profile};
use super::super::protocol::command::{Command, Front, front, picture_length};
use super::paper::{Paper, Sheet, Strip};
use super::typeset::Typesetter;

/// Longest picture it takes in one command, in bytes: two thousand rows of the widest paper.
const MAX_PICTURE_BYTES: usize = 300_000;

/// What the simulated printer is and which habits and faults it has.
#[derive(Debug, Clone)]
pub struct SimConfig {
    /// The model it pretends to be.
    pub profile: Profile,
    /// Line speed it listens at, in bits per second.
    pub baud: u32,
    /// Whether a host at another speed sends and hears rubbish, as on a real line. Behind a
    /// pseudo-terminal this takes a host that sets its speed.
    pub minds_baud: bool,
    /// Handshake it is set to.
    pub handshake: Handshake,
    /// Time from power on to the first answer, in milliseconds.
    pub boot_ms: u64,
    /// Lines it may read ahead of the head. 0: answers in order wait for the paper; more:
    /// answers tell only what was read.
    pub read_ahead_lines: usize,
    /// Paper on a new roll, in millimetres.
    pub roll_mm: u32,
    /// Whether dots are drawn; counting runs need only text.
    pub draws: bool,
    /// Faults it comes with.
    pub faults: Faults,
}

impl SimConfig {
    /// A healthy printer of this model with a full roll, set up as it leaves the factory.
    pub fn new(profile: Profile) -> Self {
        Self {
            baud: profile.baud,
            minds_baud: false,
            handshake: profile.handshake,
            boot_ms: 2_500,
            read_ahead_lines: if profile.answers.process_id { 0 } else { 4 },
            roll_mm: 80_000,
            draws: true,
            faults: Faults::default(),
            profile,
        }
    }
}

/// Things that go wrong by themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    /// Loses power when this many bytes have arrived.
    pub power_off_at_byte: Option<u64>,
    /// Comes back on by itself this long after losing power, in milliseconds.
    pub power_back_after_ms: Option<u64>,
    /// Paper left on the roll at the start, in millimetres, instead of a new roll.
    pub paper_left_mm: Option<u32>,
    /// The blade sticks at this cut (1 is the first).
    pub jam_at_cut: Option<u32>,
    /// Answers in order stay away, as with an unwired DSR.
    pub silent_fences: bool,
    /// Process ids stay away.
    pub silent_process_ids: bool,
    /// Drops what it holds when the cover is opened, as some clones do.
    pub forgets_on_cover: bool,
}

/// The simulated printer.
#[derive(Debug)]
pub struct PrinterSim {
    pub(super) config: SimConfig,
    pub(super) now_us: u64,
    /// `None` while off; else when it has booted.
    pub(super) ready_at_us: Option<u64>,
    pub(super) power_back_at_us: Option<u64>,
    pub(super) buffer: VecDeque<u8>,
    /// A picture being read: its dots go on into the image memory, as they may be more than the
    /// buffer holds.
    pub(super) picture: Vec<u8>,
    pub(super) scan: Vec<u8>,
    pub(super) replies: VecDeque<(u64, u8)>,
    pub(super) typesetter: Typesetter,
    pub(super) strips: VecDeque<Motion>,
    pub(super) head_done_us: Option<u64>,
    pub(super) paper: Paper,
    pub(super) paper_left_dots: i64,
    pub(super) paper_out: bool,
    pub(super) cover_open: bool,
    pub(super) jammed: bool,
    pub(super) jam_cause_fixed: bool,
    pub(super) cuts: u32,
    pub(super) lines_fed: u64,
    pub(super) automatic_status: u8,
    pub(super) last_automatic: [u8; 4],
    pub(super) holding: bool,
    pub(super) drawer_pulses: u32,
    pub(super) received: u64,
    pub(super) overflowed: u64,
}

/// What the head and blade do next.
#[derive(Debug, Clone)]
pub(super) enum Motion {
    Strip(Strip),
    Cut { behind_dots: usize },
}

impl PrinterSim {
    /// A printer switched on and booted.
    pub fn new(config: SimConfig) -> Self {
        let left_mm = config.faults.paper_left_mm.unwrap_or(config.roll_mm);
        Self {
            now_us: 0,
            ready_at_us: Some(0),
            power_back_at_us: None,
            buffer: VecDeque::new(),
            picture: Vec::new(),
            scan: Vec::new(),
            replies: VecDeque::new(),
            typesetter: Typesetter::new(config.profile.clone(), config.draws),
            strips: VecDeque::new(),
            head_done_us: None,
            paper: Paper::new(config.profile.width_dots, config.draws),
            paper_left_dots: i64::from(config.profile.mm_to_dots(left_mm)),
            paper_out: left_mm == 0,
            cover_open: false,
            jammed: false,
            jam_cause_fixed: false,
            cuts: 0,
            lines_fed: 0,
            automatic_status: 0,
            last_automatic: [0; 4],
            holding: false,
            drawer_pulses: 0,
            received: 0,
            overflowed: 0,
            config,
        }
    }

    /// Microseconds one byte takes on the line (8N1).
    pub fn byte_us(&self) -> u64 {
        10_000_000 / u64::from(self.config.baud.max(1))
    }

    /// The speed a host must have, where that is looked at.
    pub(super) fn minds_baud(&self) -> Option<u32> {
        self.config.minds_baud.then_some(self.config.baud)
    }

    /// Handshake it is set to.
    pub fn handshake(&self) -> Handshake {
        self.config.handshake
    }

    /// Sheets cut off so far, oldest first.
    pub fn sheets(&self) -> &[Sheet] {
        &self.paper.sheets
    }

    /// What hangs out of the printer, not cut.
    pub fn hanging(&self) -> Sheet {
        self.paper.hanging()
    }

    /// Whether nothing is printed on what hangs out.
    pub fn hanging_is_blank(&self) -> bool {
        self.paper.is_blank()
    }

    /// Everything a person can read: the sheets and what hangs out.
    pub fn all_text(&self) -> String {
        let mut text: String = self.sheets().iter().map(Sheet::text).collect();
        text.push_str(&self.hanging().text());
        text
    }

    /// Bytes that arrived with the buffer full and are lost.
    pub fn overflowed_bytes(&self) -> u64 {
        self.overflowed
    }

    /// Bytes that arrived so far, counting from the start.
    pub fn received_bytes(&self) -> u64 {
        self.received
    }

    /// How often the drawer was kicked.
    pub fn drawer_pulses(&self) -> u32 {
        self.drawer_pulses
    }

    /// Whether it asks the host to hold (DTR low).
    pub fn is_holding(&self) -> bool {
        self.holding || !self.is_up()
    }

    /// Whether the blade is stuck.
    pub fn is_jammed(&self) -> bool {
        self.jammed
    }

    /// Whether nothing is left to do.
    pub fn is_idle(&self) -> bool {
        let read = self.buffer.is_empty() && self.picture.is_empty();
        self.strips.is_empty() && self.head_done_us.is_none() && read
    }

    /// Whether it is on and has booted.
    pub fn is_up(&self) -> bool {
        self.ready_at_us.is_some_and(|at| at <= self.now_us)
    }

    /// Whether a person has to tear the receipt off.
    pub fn is_torn_by_hand(&self) -> bool {
        self.config.profile.cut == super::super::profile::CutPlan::TearOff
    }

    /// Tears off what hangs out, as a person does where there is no blade.
    pub fn tear_off(&mut self) {
        self.paper.cut(0);
    }

    /// Puts in a roll.
    pub fn load_paper(&mut self, mm: u32) {
        self.paper_left_dots = i64::from(self.config.profile.mm_to_dots(mm));
        self.paper_out = false;
        self.changed();
    }

    /// Takes the roll out.
    pub fn remove_paper(&mut self) {
        self.paper_left_dots = 0;
        self.paper_out = true;
        self.changed();
    }

    /// Opens or closes the cover.
    pub fn set_cover_open(&mut self, open: bool) {
        self.cover_open = open;
        if open && self.config.faults.forgets_on_cover {
            self.buffer.clear();
            self.picture.clear();
            self.strips.clear();
            self.head_done_us = None;
        }
        if !open {
            self.jam_cause_fixed = true;
        }
        self.changed();
    }

    /// Frees the blade; the error stays until the host recovers it or the cover is moved.
    pub fn free_cutter(&mut self) {
        self.jam_cause_fixed = true;
    }

    /// Takes the power away: everything but paper and counters is lost.
    pub fn power_off(&mut self) {
        self.ready_at_us = None;
        self.buffer.clear();
        self.picture.clear();
        self.scan.clear();
        self.strips.clear();
        self.replies.clear();
        self.head_done_us = None;
        self.automatic_status = 0;
        self.holding = false;
        self.jammed = false;
        self.typesetter = self.typesetter.reset();
        let back_after = self.config.faults.power_back_after_ms;
        self.power_back_at_us = back_after.map(|ms| self.now_us + ms * 1_000);
    }

    /// Gives power again; it answers after its boot time.
    pub fn power_on(&mut self) {
        self.power_back_at_us = None;
        if self.ready_at_us.is_none() {
            self.ready_at_us = Some(self.now_us + self.config.boot_ms * 1_000);
        }
    }

    /// Lets time pass and everything happen that is due.
    pub fn advance(&mut self, now_us: u64) {
        self.now_us = self.now_us.max(now_us);
        if self.power_back_at_us.is_some_and(|at| at <= self.now_us) {
            self.power_on();
        }
        if !self.is_up() {
            return;
        }
        while self.finish_motion() || self.start_motion(self.now_us) || self.read_command() {}
        self.update_hold();
    }

    /// One byte arrives at `now_us`.
    pub fn receive(&mut self, now_us: u64, byte: u8) {
        self.now_us = self.now_us.max(now_us);
        if self.power_back_at_us.is_some() {
            self.advance(now_us);
        }
        self.received += 1;
        if self.config.faults.power_off_at_byte == Some(self.received) {
            self.power_off();
            return;
        }
        if !self.is_up() {
            return;
        }
        if self.buffer.len() < self.config.profile.buffer_bytes {
            self.buffer.push_back(byte);
        } else {
            self.overflowed += 1;
        }
        self.scan_real_time(byte);
        self.advance(now_us);
    }

    /// Bytes that have reached the host by `now_us`.
    pub fn take_replies(&mut self, now_us: u64) -> Vec<u8> {
        let due = self.replies.partition_point(|(at, _)| *at <= now_us);
        self.replies.drain(..due).map(|(_, byte)| byte).collect()
    }

    /// When something happens by itself next, in microseconds.
    pub fn next_event_us(&self) -> Option<u64> {
        let booting = self.ready_at_us.filter(|at| *at > self.now_us);
        let reply = self.replies.front().map(|(at, _)| *at);
        [self.head_done_us, self.power_back_at_us, booting, reply]
            .into_iter()
            .flatten()
            .min()
    }

    pub(super) fn is_online(&self) -> bool {
        !(self.paper_out || self.cover_open || self.jammed)
    }

    pub(super) fn near_end(&self) -> bool {
        let reserve = self.config.profile.near_end_reserve_mm;
        reserve > 0 && self.paper_left_dots < i64::from(self.config.profile.mm_to_dots(reserve))
    }

    fn finish_motion(&mut self) -> bool {
        let Some(done_us) = self.head_done_us.filter(|at| *at <= self.now_us) else {
            return false;
        };
        if !self.is_online() {
            return false;
        }
        self.head_done_us = None;
        match self.strips.pop_front() {
            Some(Motion::Strip(strip)) => {
                self.paper_left_dots -= strip.height_dots as i64;
                self.lines_fed += strip.height_dots.div_ceil(30) as u64;
                self.paper.move_on(strip);
                if self.paper_left_dots <= 0 {
                    self.paper_out = true;
                }
            }
            Some(Motion::Cut { behind_dots }) => self.blade(behind_dots),
            None => {}
        }
        self.changed();
        // What was waiting follows without a pause, however rarely time is looked at.
        self.start_motion(done_us);
        true
    }

    fn blade(&mut self, behind_dots: usize) {
        if self.config.faults.jam_at_cut == Some(self.cuts + 1) {
            self.config.faults.jam_at_cut = None;
            self.jammed = true;
            self.jam_cause_fixed = false;
            // The cut is still to be made once the blade is free.
            self.strips.push_front(Motion::Cut { behind_dots });
            return;
        }
        self.cuts += 1;
        self.paper.cut(behind_dots);
    }

    fn start_motion(&mut self, from_us: u64) -> bool {
        if self.head_done_us.is_some() || !self.is_online() {
            return false;
        }
        let Some(motion) = self.strips.front() else {
            return false;
        };
        let profile = &self.config.profile;
        let dots = match motion {
            Motion::Strip(strip) => strip.height_dots as u64,
            // The blade takes as long as half a centimetre of paper.
            Motion::Cut { .. } => u64::from(profile.mm_to_dots(5)),
        };
        let dots_per_s = u64::from(profile.head_mm_per_s * profile.dots_per_mm_tenths / 10);
        self.head_done_us = Some(from_us + dots * 1_000_000 / dots_per_s.max(1));
        true
    }

    /// Reads one command from the buffer if head and sensors allow.
    fn read_command(&mut self) -> bool {
        if !self.is_online() || self.strips.len() > self.config.read_ahead_lines {
            return false;
        }
        self.take_in_picture();
        let bytes: &[u8] = if self.picture.is_empty() {
            self.buffer.make_contiguous()
        } else {
            &self.picture
        };
        let (length, effect) = match front(bytes) {
            Front::Empty | Front::Partial => return false,
            Front::Whole(command, length) => {
                let waits_for_paper = matches!(command, Command::Function { letter: b'H', .. });
                if waits_for_paper && !self.strips.is_empty() {
                    return false;
                }
                (length, Effect::of(&command, &mut self.typesetter))
            }
        };
        if self.picture.is_empty() {
            self.buffer.drain(..length);
        } else {
            self.picture.clear();
        }
        self.carry_out(effect);
        true
    }

    /// Moves what has come of a picture out of the receive buffer.
    fn take_in_picture(&mut self) {
        let begun = !self.picture.is_empty();
        let bytes: &[u8] = if begun {
            &self.picture
        } else {
            self.buffer.make_contiguous()
        };
        let Some(length) = picture_length(bytes) else {
            return;
        };
        if length > MAX_PICTURE_BYTES {
            // More than it has memory for: the header is ignored and the dots print as letters.
            self.buffer.drain(..8.min(self.buffer.len()));
            return;
        }
        let missing = length - self.picture.len();
        let come = missing.min(self.buffer.len());
        self.picture.extend(self.buffer.drain(..come));
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::None => {}
            Effect::Initialize => self.automatic_status = 0,
            Effect::Print(strips) => self.strips.extend(strips.into_iter().map(Motion::Strip)),
            Effect::Cut { strips, mode, feed } => self.cut(strips, mode, feed),
            Effect::AutomaticStatus(mask) => {
                self.automatic_status = mask;
                self.last_automatic = self.automatic_bytes();
                if mask != 0 && self.config.profile.answers.automatic_status {
                    self.reply(&self.automatic_bytes());
                }
            }
            Effect::Fence(question) => self.answer_fence(question),
            Effect::Identity(question) => self.answer_identity(question),
            Effect::Counter(number) => self.answer_counter(number),
            Effect::ProcessId(id) => {
                let answers = self.config.profile.answers.process_id;
                if answers && !self.config.faults.silent_process_ids {
                    let [a, b, c, d] = id;
                    self.reply(&[0x37, 0x22, a, b, c, d, 0x00]);
                }
            }
            Effect::Drawer => self.drawer_pulses += 1,
        }
    }

    fn cut(&mut self, strips: Vec<Strip>, mode: u8, feed: Option<u8>) {
        self.strips.extend(strips.into_iter().map(Motion::Strip));
        let profile = &self.config.profile;
        let blade = profile.mm_to_dots(profile.head_to_blade_mm) as usize;
        if mode >= 65 {
            let units = usize::from(feed.unwrap_or(0)) / usize::from(profile.feed_units_per_dot);
            self.strips.push_back(Motion::Strip(Strip {
                height_dots: blade + units,
                ..Strip::default()
            }));
        }
        if profile.cut != super::super::profile::CutPlan::TearOff {
            self.strips.push_back(Motion::Cut { behind_dots: blade });
        }
    }
}

/// What a command does, once the borrow of the buffer is over.
enum Effect {
    None,
    Initialize,
    Print(Vec<Strip>),
    Cut {
        strips: Vec<Strip>,
        mode: u8,
        feed: Option<u8>,
    },
    AutomaticStatus(u8),
    Fence(u8),
    Identity(u8),
    Counter(u16),
    ProcessId([u8; 4]),
    Drawer,
}

impl Effect {
    fn of(command: &Command<'_>, typesetter: &mut Typesetter) -> Self {
        match command {
            Command::AutomaticStatus(mask) => Self::AutomaticStatus(*mask),
            Command::AskStatusInOrder(n) => Self::Fence(*n),
            Command::AskIdentity(n) => Self::Identity(*n),
            Command::AskCounter(n) => Self::Counter(*n),
            Command::DrawerKick { .. } => Self::Drawer,
            Command::RealTime(_) => Self::None,
            Command::Function {
                letter: b'H',
                data: [0x30, 0x30, a, b, c, d],
            } => Self::ProcessId([*a, *b, *c, *d]),
            Command::Cut { mode, feed } => Self::Cut {
                strips: typesetter.set(command),
                mode: *mode,
                feed: *feed,
            },
            Command::Initialize => {
                typesetter.set(command);
                Self::Initialize
            }
            _ => Self::Print(typesetter.set(command)),
        }
    }
}
