//! How each fault hits.

use super::counter::Counter;
use super::fault::Fault;
use super::setup::Kind;
use super::world::{Parcel, World};
use crate::terminal::concert::protocol::{ENQ, frame as concert_frame};
use crate::terminal::zvt::protocol::fields::{Field, Fields};
use crate::terminal::zvt::protocol::{Apdu, bcd, serial};

impl World<'_> {
    pub(super) fn strike(&mut self, fault: Fault) {
        match fault {
            Fault::KioskDies {
                bytes_arrive,
                writes_survive,
            } => self.kiosk_dies(bytes_arrive, writes_survive),
            Fault::LinkCut => {
                self.struck += 1;
                self.cut();
            }
            Fault::TerminalDies => {
                self.struck += 1;
                self.cut();
                self.terminal_linked = false;
                self.terminal.power_cut(self.now_ms);
            }
            Fault::Garble => {
                if let Some(byte) = self.to_kiosk.front_mut().and_then(|p| p.bytes.front_mut()) {
                    *byte ^= 0x5A;
                    self.struck += 1;
                }
            }
            Fault::AnswerLost => self.trouble.lose_answer = true,
            Fault::AnswerLate { ms } => self.trouble.delay_answer_ms = ms,
            Fault::AnswerDoubled => self.trouble.double_answer = true,
            Fault::AnswerForeign { approved } => {
                let bytes = foreign(self.kind(), approved);
                self.slip_in(bytes);
            }
            Fault::OrderLost => {
                self.struck += usize::from(!self.to_terminal.is_empty());
                self.to_terminal.clear();
            }
            Fault::Abort => self.ask_to_abort(),
            Fault::StandAloneSale { minor } => {
                if self.terminal.stand_alone_sale(minor) {
                    self.stand_alone += 1;
                    self.struck += 1;
                }
            }
            Fault::DiskFull => self.trouble.disk_full = true,
            Fault::DiskSlow { ms } => self.trouble.disk_slow_until_ms = self.now_ms + ms,
        }
    }

    fn kiosk_dies(&mut self, bytes_arrive: bool, writes_survive: bool) {
        self.struck += 1;
        self.link_up = false;
        self.unanswered = None;
        self.lose_what_is_under_way();
        let in_flight: Vec<u8> = self.to_terminal.drain(..).collect();
        if bytes_arrive {
            for byte in in_flight {
                self.terminal_does(|terminal, now, out| terminal.bytes(now, &[byte], out));
            }
        }
        self.disk.power_cut(writes_survive);
        self.engine = self.setup.engine();
        self.inbox.clear();
        self.deeds.clear();
        self.counter = Counter::new(self.plan.len());
        self.trouble.disk_full = false;
        self.trouble.disk_slow_until_ms = 0;
        if self.setup.notices_the_till() && std::mem::take(&mut self.terminal_linked) {
            self.terminal_does(|terminal, now, _| terminal.link_down(now));
        }
    }

    /// Bytes that nobody sent just now arrive, between what the terminal says.
    fn slip_in(&mut self, bytes: Vec<u8>) {
        // A parcel that has begun is one message for the reader; nothing can get inside it.
        if self.link_up && self.to_kiosk.is_empty() && self.terminal_linked {
            self.struck += 1;
            self.to_kiosk.push_back(Parcel {
                bytes: bytes.into(),
                due_ms: self.now_ms,
            });
        }
    }
}

/// An answer about a transaction of somebody else.
fn foreign(kind: Kind, approved: bool) -> Vec<u8> {
    match kind {
        Kind::ZvtTcp | Kind::ZvtSerial => {
            let pack = |value, bytes| bcd::pack(value, bytes).unwrap_or_default();
            let fields = Fields {
                list: vec![
                    Field::new(0x27, [if approved { 0 } else { 0x6C }]),
                    Field::new(0x04, pack(77_700, 6)),
                    Field::new(0x49, pack(704, 2)),
                    Field::new(0x0B, pack(900_000, 3)),
                    Field::new(0x87, pack(4711, 2)),
                ],
                rest: Vec::new(),
            };
            let apdu = Apdu::new(0x04, 0x0F, fields.encode().unwrap_or_default());
            let bytes = apdu.encode().unwrap_or_default();
            match kind {
                Kind::ZvtSerial => serial::frame(&bytes),
                _ => bytes,
            }
        }
        Kind::CaisseAp => {
            let status = if approved { "10" } else { "01" };
            let fields = [
                ("CZ", "0301"),
                ("AE", status),
                ("CE", "704"),
                ("CD", "0"),
                ("CB", "77700"),
            ];
            crate::terminal::caisse_ap::protocol::write(&fields).into_bytes()
        }
        Kind::Concert => {
            let result = if approved { '0' } else { '7' };
            let body = format!("01{result}000777001704SOMEBODY  ");
            let mut bytes = vec![ENQ];
            bytes.extend(concert_frame(body.as_bytes()));
            bytes
        }
    }
}
