//! Key events of a keyboard-type (HID) scanner → bytes. Pure.
//!
//! US layout, the factory setting of these scanners. Codes are those of Linux
//! `input-event-codes.h`. Control combinations become their control character,
//! which the frame decoder then refuses, except Ctrl+`]`, which scanners type
//! for GS.

const KEY_TAB: u16 = 15;
const KEY_ENTER: u16 = 28;
const KEY_LEFTCTRL: u16 = 29;
const KEY_LEFTSHIFT: u16 = 42;
const KEY_RIGHTSHIFT: u16 = 54;
const KEY_LEFTALT: u16 = 56;
const KEY_CAPSLOCK: u16 = 58;
const KEY_NUMLOCK: u16 = 69;
const KEY_KPENTER: u16 = 96;
const KEY_RIGHTCTRL: u16 = 97;
const KEY_RIGHTALT: u16 = 100;
const KEY_LEFTMETA: u16 = 125;
const KEY_RIGHTMETA: u16 = 126;

/// Value of a key event: the key went down.
pub const PRESSED: i32 = 1;
/// Value of a key event: the key went up.
pub const RELEASED: i32 = 0;

/// Keys by run of consecutive codes: first code, unshifted, shifted.
const RUNS: [(u16, &[u8], &[u8]); 5] = [
    (2, b"1234567890-=", b"!@#$%^&*()_+"),
    (16, b"qwertyuiop[]", b"QWERTYUIOP{}"),
    (30, b"asdfghjkl;'`", b"ASDFGHJKL:\"~"),
    (43, b"\\zxcvbnm,./", b"|ZXCVBNM<>?"),
    (71, b"789-456+1230.", b"789-456+1230."),
];
/// Keys outside the runs: space, keypad star, the 102nd key, keypad slash.
const SINGLES: [(u16, u8, u8); 4] = [
    (57, b' ', b' '),
    (55, b'*', b'*'),
    (86, b'\\', b'|'),
    (98, b'/', b'/'),
];

/// What one key event means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOutput {
    /// A byte of the frame.
    Byte(u8),
    /// A modifier, a release or a repeat: nothing to add.
    Nothing,
    /// A key no barcode types.
    Unknown(u16),
}

/// Modifier state of one keyboard.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct KeyDecoder {
    left_shift: bool,
    right_shift: bool,
    left_ctrl: bool,
    right_ctrl: bool,
    alt_or_meta: u8,
    caps_lock: bool,
}

impl KeyDecoder {
    /// Takes one key event (`EV_KEY` code and value).
    pub fn key(&mut self, code: u16, value: i32) -> KeyOutput {
        let pressed = value != RELEASED;
        match code {
            KEY_LEFTSHIFT => self.left_shift = pressed,
            KEY_RIGHTSHIFT => self.right_shift = pressed,
            KEY_LEFTCTRL => self.left_ctrl = pressed,
            KEY_RIGHTCTRL => self.right_ctrl = pressed,
            KEY_LEFTALT | KEY_RIGHTALT | KEY_LEFTMETA | KEY_RIGHTMETA => {
                self.alt_or_meta(code, pressed);
            }
            KEY_CAPSLOCK => self.caps_lock ^= value == PRESSED,
            KEY_NUMLOCK => {}
            // Repeats are the kernel's, made when a scanner stalls: not data.
            _ if value == PRESSED => return self.pressed(code),
            _ => {}
        }
        KeyOutput::Nothing
    }

    /// Forgets modifiers: the device was reopened or the kernel dropped events.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    fn alt_or_meta(&mut self, code: u16, pressed: bool) {
        let bit = match code {
            KEY_LEFTALT => 1,
            KEY_RIGHTALT => 2,
            KEY_LEFTMETA => 4,
            _ => 8,
        };
        if pressed {
            self.alt_or_meta |= bit;
        } else {
            self.alt_or_meta &= !bit;
        }
    }

    fn pressed(&self, code: u16) -> KeyOutput {
        if self.alt_or_meta != 0 {
            return KeyOutput::Unknown(code);
        }
        match code {
            KEY_ENTER | KEY_KPENTER => return KeyOutput::Byte(b'\r'),
            KEY_TAB => return KeyOutput::Byte(b'\t'),
            _ => {}
        }
        let Some((plain, shifted)) = lookup(code) else {
            return KeyOutput::Unknown(code);
        };
        if self.left_ctrl || self.right_ctrl {
            return match shifted {
                b'@'..=b'_' => KeyOutput::Byte(shifted & 0x1F),
                b'{' | b'|' | b'}' => KeyOutput::Byte(plain & 0x1F),
                _ => KeyOutput::Unknown(code),
            };
        }
        let shift =
            (self.left_shift || self.right_shift) ^ (self.caps_lock && plain.is_ascii_lowercase());
        KeyOutput::Byte(if shift { shifted } else { plain })
    }
}

/// Unshifted and shifted character of a key.
fn lookup(code: u16) -> Option<(u8, u8)> {
    let single = SINGLES
        .iter()
        .find(|(key, _, _)| *key == code)
        .map(|&(_, plain, shifted)| (plain, shifted));
    single.or_else(|| {
        RUNS.iter().find_map(|(first, plain, shifted)| {
            let index = usize::from(code.checked_sub(*first)?);
            Some((*plain.get(index)?, *shifted.get(index)?))
        })
    })
}
