//! What the simulated printer says, and the commands it obeys on arrival.

use super::super::profile::Handshake;
use super::super::protocol::command::Command;
use super::device::PrinterSim;

impl PrinterSim {
    pub(super) fn answer_fence(&mut self, question: u8) {
        if self.config.faults.silent_fences || !self.config.profile.answers.fence {
            return;
        }
        let mut byte = 0;
        if matches!(question, 1 | 49) {
            if self.near_end() {
                byte |= 0x03;
            }
            if self.paper_out {
                byte |= 0x0C;
            }
        }
        self.reply(&[byte]);
    }

    pub(super) fn answer_identity(&mut self, question: u8) {
        if !self.config.profile.answers.identity {
            return;
        }
        let text = match question {
            66 => "EPSON",
            67 => "TM-T88V",
            1 => return self.reply(&[0x20]),
            2 => return self.reply(&[0x02]),
            _ => "SIMULATOR",
        };
        let mut block = vec![0x5F];
        block.extend_from_slice(text.as_bytes());
        block.push(0);
        self.reply(&block);
    }

    pub(super) fn answer_counter(&mut self, number: u16) {
        if !self.config.profile.answers.counters {
            return;
        }
        let count = match number {
            50 | 178 => u64::from(self.cuts),
            20 | 148 => self.lines_fed,
            _ => 0,
        };
        self.reply(format!("_{count}\0").as_bytes());
    }

    /// Real-time commands are obeyed on arrival, wherever they stand.
    pub(super) fn scan_real_time(&mut self, byte: u8) {
        if self.scan.is_empty() {
            if byte == 0x10 {
                self.scan.push(byte);
            }
            return;
        }
        self.scan.push(byte);
        let done = match self.scan.as_slice() {
            [_, 0x04, n] => {
                self.answer_status(*n);
                true
            }
            [_, 0x05, n] => {
                self.recover(*n);
                true
            }
            [_, 0x14, 0x01, _, _] => {
                self.drawer_pulses += 1;
                true
            }
            [_, 0x14, 0x08, 1, 3, 0x14, 1, 6, 2, 8] => {
                self.clear_buffers();
                true
            }
            [_, 0x04 | 0x05] | [_, 0x14, ..] if self.scan.len() < 10 => false,
            [_, 0x10] => {
                self.scan.pop();
                false
            }
            _ => true,
        };
        if done {
            self.scan.clear();
        }
    }

    pub(super) fn answer_status(&mut self, question: u8) {
        if !self.config.profile.answers.real_time_status {
            return;
        }
        let bit = |on: bool, bit: u8| if on { bit } else { 0 };
        let byte = match question {
            1 => 0x12 | bit(!self.is_online(), 0x08),
            2 => {
                0x12 | bit(self.cover_open, 0x04)
                    | bit(self.paper_out, 0x20)
                    | bit(self.jammed, 0x40)
            }
            3 => 0x12 | bit(self.jammed, 0x08),
            4 => 0x12 | bit(self.near_end(), 0x0C) | bit(self.paper_out && !self.cover_open, 0x60),
            _ => return,
        };
        self.reply(&[byte]);
    }

    /// `DLE ENQ`: only after an error whose cause is gone.
    pub(super) fn recover(&mut self, how: u8) {
        if !self.jammed || !self.jam_cause_fixed || !self.config.profile.answers.recover {
            return;
        }
        self.jammed = false;
        if how == 2 {
            self.drop_all();
        }
        self.changed();
    }

    pub(super) fn clear_buffers(&mut self) {
        if self.config.profile.answers.clear_buffer {
            self.drop_all();
            self.reply(&[0x37, 0x25, 0x00]);
        }
    }

    pub(super) fn drop_all(&mut self) {
        self.buffer.clear();
        self.picture.clear();
        self.strips.clear();
        self.head_done_us = None;
        self.typesetter.set(&Command::Initialize);
    }

    pub(super) fn automatic_bytes(&self) -> [u8; 4] {
        let bit = |on: bool, bit: u8| if on { bit } else { 0 };
        [
            0x10 | bit(!self.is_online(), 0x08) | bit(self.cover_open, 0x20),
            bit(self.jammed, 0x08),
            bit(self.near_end(), 0x03) | bit(self.paper_out, 0x0C),
            0,
        ]
    }

    pub(super) fn changed(&mut self) {
        let bytes = self.automatic_bytes();
        if !self.is_up() || bytes == self.last_automatic {
            return;
        }
        self.last_automatic = bytes;
        if self.automatic_status != 0 && self.config.profile.answers.automatic_status {
            self.reply(&bytes);
        }
    }

    /// Holds the host off below 128 free bytes, lets it on above 256 (TM-T88 specification).
    pub(super) fn update_hold(&mut self) {
        let free = self.config.profile.buffer_bytes - self.buffer.len();
        let hold = if self.holding {
            free <= 256
        } else {
            free < 128
        };
        if hold == self.holding {
            return;
        }
        self.holding = hold;
        if self.config.handshake == Handshake::XonXoff {
            self.reply(&[if hold { 0x13 } else { 0x11 }]);
        }
    }

    pub(super) fn reply(&mut self, bytes: &[u8]) {
        let byte_us = self.byte_us();
        let mut at = self
            .replies
            .back()
            .map_or(0, |(at, _)| *at)
            .max(self.now_us);
        for &byte in bytes {
            at += byte_us;
            self.replies.push_back((at, byte));
        }
    }
}
