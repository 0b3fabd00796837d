//! Meaning of the printer's status bytes.

/// What the printer says about itself, folded from whichever answers it gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Status {
    /// Takes no data to print, for whatever reason.
    pub offline: bool,
    /// The cover is open.
    pub cover_open: bool,
    /// The roll is used up (or the printer stopped because of it).
    pub paper_out: bool,
    /// The roll will end soon.
    pub paper_near_end: bool,
    /// The blade is stuck.
    pub cutter_error: bool,
    /// An error only switching off clears.
    pub unrecoverable_error: bool,
    /// An error that passes by itself: the head is too hot.
    pub waiting_to_cool: bool,
    /// An error is reported without a cause known here.
    pub other_error: bool,
    /// Someone holds the feed button.
    pub feed_button: bool,
    /// Drawer connector pin 3 is high; which drawer state that means depends on the drawer.
    pub drawer_pin_high: bool,
}

/// Which of the four `DLE EOT` questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// n = 1: printer.
    Printer,
    /// n = 2: cause of offline.
    OfflineCause,
    /// n = 3: cause of an error.
    ErrorCause,
    /// n = 4: roll sensors.
    Roll,
}

impl Question {
    /// In the order of [`super::ASK_STATUS`].
    pub const ALL: [Self; 4] = [
        Self::Printer,
        Self::OfflineCause,
        Self::ErrorCause,
        Self::Roll,
    ];
}

/// Whether `byte` has the fixed bits of a `DLE EOT` answer (0xx1xx10).
pub fn is_real_time(byte: u8) -> bool {
    byte & 0x93 == 0x12
}

impl Status {
    /// Status from the answers to the four questions, in order (Epson `DLE EOT`).
    pub fn from_real_time(answers: [u8; 4]) -> Self {
        let [printer, offline, error, roll] = answers;
        let cover_open = offline & 0x04 != 0;
        let mut status = Self {
            offline: printer & 0x08 != 0,
            cover_open,
            // The roll sensor lies under an open cover, so the reason for stopping counts too.
            paper_out: offline & 0x20 != 0 || (roll & 0x60 != 0 && !cover_open),
            paper_near_end: roll & 0x0C != 0,
            cutter_error: error & 0x08 != 0,
            unrecoverable_error: error & 0x20 != 0,
            waiting_to_cool: error & 0x40 != 0 && !cover_open,
            other_error: false,
            feed_button: offline & 0x08 != 0,
            drawer_pin_high: printer & 0x04 != 0,
        };
        status.other_error = offline & 0x40 != 0 && !status.has_named_error();
        status
    }

    /// Status from the four bytes of automatic status back (Epson `GS a`).
    pub fn from_automatic(bytes: [u8; 4]) -> Self {
        let [first, second, third, _] = bytes;
        let cover_open = first & 0x20 != 0;
        Self {
            offline: first & 0x08 != 0,
            cover_open,
            paper_out: third & 0x0C != 0 && !cover_open,
            paper_near_end: third & 0x03 != 0,
            cutter_error: second & 0x08 != 0,
            unrecoverable_error: second & 0x20 != 0,
            waiting_to_cool: second & 0x40 != 0 && !cover_open,
            other_error: false,
            feed_button: first & 0x40 != 0,
            drawer_pin_high: first & 0x04 != 0,
        }
    }

    /// Whether a receipt can be printed now.
    pub fn can_print(&self) -> bool {
        !(self.offline || self.cover_open || self.paper_out || self.has_error())
    }

    /// Whether any error is reported.
    pub fn has_error(&self) -> bool {
        self.has_named_error() || self.other_error
    }

    fn has_named_error(&self) -> bool {
        self.cutter_error || self.unrecoverable_error || self.waiting_to_cool
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_status_bytes_read_as_documented() {
        // Proves: the published examples (OK, near-end, paper out, cover, jam) decode correctly.
        let ok = Status::from_real_time([0x12; 4]);
        assert!(ok.can_print() && !ok.paper_near_end);
        let near = Status::from_real_time([0x12, 0x12, 0x12, 0x1E]);
        assert!(near.can_print() && near.paper_near_end);
        let out = Status::from_real_time([0x1A, 0x32, 0x12, 0x7E]);
        assert!(out.paper_out && out.offline && !out.has_error());
        let cover = Status::from_real_time([0x1A, 0x16, 0x12, 0x12]);
        assert!(cover.cover_open && !cover.paper_out && !cover.can_print());
        let jam = Status::from_real_time([0x1A, 0x52, 0x1A, 0x12]);
        assert!(jam.cutter_error && !jam.other_error);
        assert!(Status::from_automatic([0x10, 0, 0, 0]).can_print());
        assert!(Status::from_automatic([0x10, 0, 3, 0]).paper_near_end);
        let out = Status::from_automatic([0x18, 0, 0x0F, 0]);
        assert!(out.paper_out && out.offline);
    }
}
