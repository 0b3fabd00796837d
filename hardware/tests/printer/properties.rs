//! Properties over generated input.

use hardware::printer::driver::plan::JobPlan;
use hardware::printer::profile::TextPlan;
use hardware::printer::protocol::receive::{Answer, Receiver};
use hardware::printer::protocol::{break_real_time, find_real_time};
use hardware::printer::{Bitmap, Cell, Document, Profile, Size, Style, encode};
use proptest::prelude::*;

/// An answer a printer may give, and its bytes.
fn an_answer() -> impl Strategy<Value = (Vec<u8>, Answer)> {
    prop_oneof![
        prop::bits::u8::masked(0x6C).prop_map(|bits| {
            let byte = bits | 0x12;
            (vec![byte], Answer::RealTime(byte))
        }),
        (
            prop::bits::u8::masked(0x6C),
            prop::array::uniform3(prop::bits::u8::masked(0x6F))
        )
            .prop_map(|(first, [a, b, c])| {
                let bytes = [first | 0x10, a, b, c];
                (bytes.to_vec(), Answer::Automatic(bytes))
            }),
        prop::bits::u8::masked(0x6F).prop_map(|byte| (vec![byte], Answer::InOrder(byte))),
        prop::array::uniform4(0x20u8..0x7F).prop_map(|id| {
            let [a, b, c, d] = id;
            (vec![0x37, 0x22, a, b, c, d, 0], Answer::ProcessId(id))
        }),
        "[0-9A-Z -]{1,40}".prop_map(|text| {
            let mut bytes = vec![0x5F];
            bytes.extend_from_slice(text.as_bytes());
            bytes.push(0);
            (bytes, Answer::Info(text))
        }),
        Just((vec![0x37, 0x25, 0], Answer::Cleared)),
    ]
}

fn a_document() -> impl Strategy<Value = Document> {
    let block = (any::<String>(), any::<String>(), 0u8..5, any::<bool>());
    prop::collection::vec(block, 0..8).prop_map(|blocks| {
        let mut document = Document::new();
        for (left, right, kind, bold) in blocks {
            let mut style = Style::PLAIN;
            style.bold = bold;
            match kind {
                0 => document.styled(left, style.center()),
                1 => document.styled_pair(left, right, style.size(Size::Wide)),
                2 => document.styled(left, style.size(Size::Large)),
                3 => document.columns(vec![Cell::fill(left), Cell::number(right, 8)]),
                _ => document.text(left).rule(),
            };
        }
        document.cut();
        document
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn answers_come_apart_whatever_order_they_come_in(
        wanted in prop::collection::vec(an_answer(), 0..20),
        flow in prop::collection::vec(any::<(prop::sample::Index, bool)>(), 0..6),
    ) {
        // Proves: any sequence of answers, with XON/XOFF anywhere between the bytes, is read back
        // exactly and without noise.
        let mut bytes: Vec<u8> = wanted.iter().flat_map(|(bytes, _)| bytes.clone()).collect();
        for (index, go) in flow {
            bytes.insert(index.index(bytes.len() + 1), if go { 0x11 } else { 0x13 });
        }
        let mut receiver = Receiver::new();
        let answers: Vec<Answer> = bytes
            .iter()
            .filter_map(|&byte| receiver.push(byte))
            .filter(|answer| !matches!(answer, Answer::GoOn | Answer::Hold))
            .collect();
        let wanted: Vec<Answer> = wanted.into_iter().map(|(_, answer)| answer).collect();
        prop_assert_eq!(answers, wanted);
        prop_assert_eq!(receiver.noise_bytes(), 0);
    }

    #[test]
    fn any_bytes_at_all_are_survived_and_an_answer_is_found_after_them(
        noise in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        // Proves: noise never panics the receiver, and after giving up on it answers are read.
        let mut receiver = Receiver::new();
        for byte in noise {
            receiver.push(byte);
        }
        receiver.abandon();
        prop_assert_eq!(receiver.push(0x12), Some(Answer::RealTime(0x12)));
    }

    #[test]
    fn any_document_is_a_sound_job_on_every_profile_and_plan(document in a_document()) {
        // Proves: whatever the texts hold, a job has no real-time sequence, no question, no
        // unknown or cut-off command, exactly one cut, and the same bytes every time.
        for name in Profile::names() {
            let mut profile = Profile::named(name).unwrap();
            for plan in [profile.text, TextPlan::SoftFont, TextPlan::Raster] {
                profile.text = plan;
                let bytes = encode(&document, &profile).unwrap().into_bytes();
                let again = encode(&document, &profile).unwrap().into_bytes();
                prop_assert_eq!(&bytes, &again);
                let read = JobPlan::read(bytes, &profile).unwrap();
                prop_assert_eq!(read.cuts, u32::from(name != "mm58"));
            }
        }
    }

    #[test]
    fn any_picture_is_free_of_real_time_commands(
        mut dots in prop::collection::vec(prop_oneof![Just(0x10u8), Just(4), Just(5), Just(0x14), any::<u8>()], 0..400),
        width in 1usize..600,
    ) {
        // Proves: no dithered image can kick the drawer or clear the buffer.
        let mut document = Document::new();
        document.push(hardware::printer::Block::Image(Bitmap::from_rows(width, dots.clone())));
        let profile = Profile::default();
        let bytes = encode(&document, &profile).unwrap().into_bytes();
        prop_assert!(JobPlan::read(bytes, &profile).is_ok());
        break_real_time(&mut dots);
        prop_assert_eq!(find_real_time(&dots), None);
    }
}
