//! Frames of a scanner: every terminator, every fault, any chunking.
#![allow(clippy::unwrap_used)]

use hardware::scanner::keymap::{KeyDecoder, KeyOutput};
use hardware::scanner::protocol::RefusalLimiter;
use hardware::scanner::{AimPrefix, Decoder, Fault, Frame, FrameSettings, Symbology, Terminator};
use proptest::prelude::*;

fn decode_with(settings: &FrameSettings, bytes: &[u8]) -> Vec<Result<Frame, Fault>> {
    let mut decoder = Decoder::new(settings.clone());
    let mut out = Vec::new();
    decoder.push(0, bytes, |result| out.push(result));
    out
}

fn decode(bytes: &[u8]) -> Vec<Result<Frame, Fault>> {
    decode_with(&FrameSettings::default(), bytes)
}

fn scan(data: &str) -> Result<Frame, Fault> {
    Ok(Frame {
        symbology: None,
        data: data.into(),
    })
}

fn scan_as(code: char, modifier: char, data: &str) -> Result<Frame, Fault> {
    Ok(Frame {
        symbology: Some(Symbology { code, modifier }),
        data: data.into(),
    })
}

#[test]
fn every_terminator_ends_exactly_one_frame() {
    // Proves that CR, LF, CRLF, TAB and STX/ETX framing each give one frame and no empty ones.
    for bytes in [
        &b"8934563138165\r"[..],
        b"8934563138165\n",
        b"8934563138165\r\n",
        b"8934563138165\t",
        b"\x028934563138165\x03",
        b"\x028934563138165\x03\r\n",
        b"\r\n8934563138165\r\n\r\n",
    ] {
        assert_eq!(decode(bytes), [scan("8934563138165")], "{bytes:?}");
    }
}

#[test]
fn fixed_terminators_refuse_the_other_ones() {
    // Proves that a scanner set to CR only does not accept a TAB inside its data.
    let settings = FrameSettings {
        terminator: Terminator::Cr,
        ..FrameSettings::default()
    };
    assert_eq!(
        decode_with(&settings, b"12\t34\r56\r\n78\r"),
        [
            Err(Fault::ControlCharacter { code: 9, offset: 2 }),
            scan("56"),
            scan("78"),
        ]
    );
}

#[test]
fn aim_identifiers_are_taken_off_and_judged() {
    // Proves that identifiers are split off, can be required and can be restricted.
    assert_eq!(
        decode(b"]E08934563138165\r]C10101234\x1d10AB\r]9\r"),
        [
            scan_as('E', '0', "8934563138165"),
            scan_as('C', '1', "0101234\x1d10AB"),
            scan("]9"),
        ]
    );
    let strict = FrameSettings {
        aim_prefix: AimPrefix::Required,
        accepted_symbologies: "EC".into(),
        ..FrameSettings::default()
    };
    assert_eq!(
        decode_with(&strict, b"123\r]Q1hello\r]E4x\r]E0\r"),
        [
            Err(Fault::NoSymbology),
            Err(Fault::SymbologyNotAccepted { aim: "]Q1".into() }),
            scan_as('E', '4', "x"),
            Err(Fault::Incomplete { got_bytes: 3 }),
        ]
    );
    let never = FrameSettings {
        aim_prefix: AimPrefix::Never,
        ..FrameSettings::default()
    };
    assert_eq!(decode_with(&never, b"]E0123\r"), [scan("]E0123")]);
}

#[test]
fn lengths_are_bounded_by_the_kind_of_symbology() {
    // Proves that 128 linear and 512 matrix bytes pass, one more is refused, and the next frame is read.
    for (prefix, limit) in [("]C0", 128), ("]Q1", 512), ("", 512)] {
        let fits = format!("{prefix}{}\r", "7".repeat(limit));
        assert!(matches!(&decode(fits.as_bytes())[..], [Ok(frame)] if frame.data.len() == limit));
        let over = format!("{prefix}{}\r42\r", "7".repeat(limit + 1));
        let limit_bytes = limit + prefix.len();
        assert_eq!(
            decode(over.as_bytes()),
            [Err(Fault::TooLong { limit_bytes }), scan("42")]
        );
    }
}

#[test]
fn control_characters_and_wrong_text_are_refused_with_their_place() {
    // Proves that ESC, DEL, C1 controls and broken UTF-8 are refused with offset, while GS and UTF-8 pass.
    let cases: [(&[u8], Fault); 4] = [
        (
            b"12\x1b[31m\r",
            Fault::ControlCharacter {
                code: 0x1B,
                offset: 2,
            },
        ),
        (
            b"1\x7f\r",
            Fault::ControlCharacter {
                code: 0x7F,
                offset: 1,
            },
        ),
        (
            "ab\u{9b}c\r".as_bytes(),
            Fault::ControlCharacter {
                code: 0x9B,
                offset: 2,
            },
        ),
        (b"]E0ab\xff\r", Fault::NotText { offset: 5 }),
    ];
    for (bytes, fault) in cases {
        assert_eq!(decode(bytes), [Err(fault)], "{bytes:?}");
    }
    assert_eq!(decode("cà phê\r".as_bytes()), [scan("cà phê")]);
    assert_eq!(decode(b"01\x1d10\r"), [scan("01\x1d10")]);
}

#[test]
fn silence_ends_or_gives_up_a_frame() {
    // Proves that silence refuses an unfinished frame, completes one without suffix, and ends a skip.
    let mut decoder = Decoder::new(FrameSettings::default());
    let mut out = Vec::new();
    decoder.push(1_000, b"8934", |result| out.push(result));
    assert_eq!(decoder.deadline_ms(), Some(1_200));
    assert_eq!(decoder.tick(1_199), None);
    assert_eq!(
        decoder.tick(1_200),
        Some(Err(Fault::Incomplete { got_bytes: 4 }))
    );
    assert_eq!(decoder.deadline_ms(), None);
    decoder.push(2_000, b"\x1b12", |result| out.push(result));
    assert_eq!(decoder.tick(2_300), None);
    decoder.push(2_400, b"55\r", |result| out.push(result));
    assert_eq!(
        out,
        [
            Err(Fault::ControlCharacter {
                code: 0x1B,
                offset: 0
            }),
            scan("55")
        ]
    );
    let mut silent = Decoder::new(FrameSettings {
        terminator: Terminator::Silence,
        ..FrameSettings::default()
    });
    silent.push(0, b"]E0123", |_| {
        unreachable!("nothing ends this frame yet")
    });
    assert_eq!(silent.tick(200), Some(scan_as('E', '0', "123")));
}

#[test]
fn a_new_start_reports_the_torn_frame() {
    // Proves that STX in the middle refuses the frame before it and reads the new one.
    assert_eq!(
        decode(b"\x02893\x02471\x03"),
        [Err(Fault::Incomplete { got_bytes: 3 }), scan("471")]
    );
}

#[test]
fn refusals_are_limited_and_counted() {
    // Proves that a flood of refusals is reported 8 a second with an exact count of the rest.
    let mut limiter = RefusalLimiter::default();
    let mut single = 0;
    for _ in 0..100 {
        let (summary, fault) = limiter.admit(5_000, Fault::NoSymbology);
        assert_eq!(summary, None);
        single += u32::from(fault.is_some());
    }
    assert_eq!(single, RefusalLimiter::PER_SECOND);
    assert_eq!(limiter.deadline_ms(), Some(6_000));
    assert_eq!(limiter.tick(6_000), Some(Fault::Flood { count: 92 }));
    assert_eq!(limiter.tick(7_000), None);
}

#[test]
fn us_keyboard_types_every_printable_character() {
    // Proves that each printable ASCII character has a key, with and without shift and caps lock.
    let mut seen = std::collections::BTreeSet::new();
    for shift in [false, true] {
        let mut keys = KeyDecoder::default();
        if shift {
            keys.key(54, 1);
        }
        for code in 0..=255 {
            if let KeyOutput::Byte(byte) = keys.clone().key(code, 1) {
                seen.insert(byte);
            }
        }
    }
    assert!((0x20..0x7F).all(|byte| seen.contains(&byte)));
    let mut keys = KeyDecoder::default();
    keys.key(58, 1);
    keys.key(58, 0);
    assert_eq!(keys.key(30, 1), KeyOutput::Byte(b'A'));
    assert_eq!(keys.key(2, 1), KeyOutput::Byte(b'1'));
    keys.key(42, 1);
    assert_eq!(keys.key(30, 1), KeyOutput::Byte(b'a'));
}

#[test]
fn control_keys_become_control_characters() {
    // Proves that Ctrl combinations arrive as control characters (refused later), Ctrl+] as GS.
    let mut keys = KeyDecoder::default();
    keys.key(29, 1);
    assert_eq!(keys.key(27, 1), KeyOutput::Byte(0x1D));
    assert_eq!(keys.key(46, 1), KeyOutput::Byte(0x03));
    assert_eq!(keys.key(19, 1), KeyOutput::Byte(0x12));
    assert_eq!(keys.key(2, 1), KeyOutput::Unknown(2));
    keys.key(29, 0);
    assert_eq!(keys.key(27, 1), KeyOutput::Byte(b']'));
}

/// Bytes a line really carries: data, framing, garbage.
fn line_bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        6 => b'0'..=b'9',
        3 => prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'\t'), Just(0x02), Just(0x03), Just(0x1D)],
        2 => prop_oneof![Just(b']'), Just(b'E'), Just(b'Q')],
        1 => any::<u8>(),
    ];
    proptest::collection::vec(byte, 0..250)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn chunking_never_changes_the_frames(bytes in line_bytes(), cuts in proptest::collection::vec(1_usize..40, 1..60)) {
        // Proves that any bytes in any chunks give the same frames and faults as in one piece, without panic.
        let settings = FrameSettings { max_linear_bytes: 20, max_matrix_bytes: 40, ..FrameSettings::default() };
        let whole = decode_with(&settings, &bytes);
        let mut decoder = Decoder::new(settings);
        let mut parts = Vec::new();
        let mut rest = &bytes[..];
        for (index, cut) in cuts.iter().cycle().enumerate() {
            if rest.is_empty() { break; }
            let (chunk, tail) = rest.split_at((*cut).min(rest.len()));
            decoder.push(index as u64 * 50, chunk, |result| parts.push(result));
            rest = tail;
        }
        prop_assert_eq!(whole, parts);
    }

    #[test]
    fn a_good_frame_after_garbage_is_read(garbage in line_bytes(), data in "[0-9A-Za-z]{1,30}") {
        // Proves recovery: after any garbage and a terminator the next frame arrives whole.
        let mut bytes = garbage;
        bytes.push(b'\r');
        bytes.extend_from_slice(data.as_bytes());
        bytes.push(b'\r');
        prop_assert_eq!(decode(&bytes).pop(), Some(scan(&data)));
    }

    #[test]
    fn frames_hold_no_control_characters(bytes in line_bytes()) {
        // Proves that nothing but GS below 0x20 gets through, and nothing empty or too long.
        for frame in decode(&bytes).into_iter().flatten() {
            prop_assert!(!frame.data.is_empty() && frame.data.len() <= 512);
            let clean = frame.data.chars().all(|c| !c.is_control() || c == '\x1d');
            prop_assert!(clean);
        }
    }
}
