//! ESC/POS on the wire: commands to the printer, answers from it. Pure.
//!
//! Sources: Epson ESC/POS command reference (`GS ( H`, `GS r`, `GS a`, `DLE EOT`, `GS g 2`),
//! TM-T88 specification, makers' manuals of compatible printers.

pub mod command;
pub mod receive;
pub mod status;

/// `DLE EOT n`, n = 1, 2, 3, 4: the four real-time status questions in one go.
pub const ASK_STATUS: [u8; 12] = [
    0x10, 0x04, 0x01, 0x10, 0x04, 0x02, 0x10, 0x04, 0x03, 0x10, 0x04, 0x04,
];
/// `DLE EOT 1`: the shortest question any printer with a return wire answers.
pub const ASK_ONLINE: [u8; 3] = [0x10, 0x04, 0x01];
/// `GS r 1`: a question answered in order with the data, so its answer is a fence.
pub const ASK_FENCE: [u8; 3] = [0x1D, 0x72, 0x01];
/// `ESC @`: settings back to the start; also turns automatic status off.
pub const INITIALIZE: [u8; 2] = [0x1B, 0x40];
/// `FS .`: leaves the mode in which clones pair bytes into Chinese characters.
pub const LEAVE_CHINESE: [u8; 2] = [0x1C, 0x2E];
/// `GS a 15`: automatic status for drawer, online, errors and roll.
pub const ENABLE_AUTOMATIC_STATUS: [u8; 3] = [0x1D, 0x61, 0x0F];
/// `DLE ENQ 1`: after a cleared jam, print on from the failed line.
pub const RECOVER_CONTINUE: [u8; 3] = [0x10, 0x05, 0x01];
/// `DLE ENQ 2`: recover from an error and clear the buffers.
pub const RECOVER_CLEAR: [u8; 3] = [0x10, 0x05, 0x02];
/// `DLE DC4 8`: clear the buffers at any time; answered by [`receive::Answer::Cleared`].
pub const CLEAR_BUFFERS: [u8; 10] = [0x10, 0x14, 0x08, 0x01, 0x03, 0x14, 0x01, 0x06, 0x02, 0x08];
/// `GS g 2`, counter 50: cuts since the counter was last reset.
pub const ASK_CUT_COUNTER: [u8; 6] = [0x1D, 0x67, 0x32, 0x00, 50, 0x00];
/// `GS g 2`, counter 20: lines fed since the counter was last reset.
pub const ASK_LINE_COUNTER: [u8; 6] = [0x1D, 0x67, 0x32, 0x00, 20, 0x00];
/// `GS I 66`: maker.
pub const ASK_MAKER: [u8; 3] = [0x1D, 0x49, 66];
/// `GS I 67`: model.
pub const ASK_MODEL: [u8; 3] = [0x1D, 0x49, 67];

/// `GS ( H` function 48: the printer sends `id` back when everything before is on paper.
pub fn ask_process_id(id: [u8; 4]) -> [u8; 11] {
    let [a, b, c, d] = id;
    [0x1D, 0x28, 0x48, 0x06, 0x00, 0x30, 0x30, a, b, c, d]
}

/// Where in `bytes` a sequence starts that printers obey at once, even inside a picture:
/// `DLE EOT`, `DLE ENQ`, `DLE DC4`.
pub fn find_real_time(bytes: &[u8]) -> Option<usize> {
    bytes
        .windows(2)
        .position(|pair| pair[0] == 0x10 && matches!(pair[1], 0x04 | 0x05 | 0x14))
}

/// Breaks every real-time sequence in picture data by adding one dot beside an inked one.
pub fn break_real_time(picture: &mut [u8]) {
    let mut from = 0;
    while let Some(found) = find_real_time(&picture[from..]) {
        // 04→0C, 05→0D, 14→1C: none of them starts a new sequence.
        picture[from + found + 1] |= 0x08;
        from += found + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_rid_of_real_time_sequences_with_one_dot_each() {
        // Proves: DLE EOT/ENQ/DC4 vanish from picture data, everything else stays as it was.
        let mut picture = [0x10, 0x04, 0x10, 0x05, 0x10, 0x10, 0x14, 0x55, 0x10, 0x06];
        break_real_time(&mut picture);
        assert_eq!(
            picture,
            [0x10, 0x0C, 0x10, 0x0D, 0x10, 0x10, 0x1C, 0x55, 0x10, 0x06]
        );
        assert_eq!(find_real_time(&picture), None);
    }
}
