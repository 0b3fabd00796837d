//! The stories of a power cut under deliberately wrong rules: on every printer the tests of
//! `survival` can fail, and each rule breaks what it must break and nothing else.

use hardware::printer::{Document, Profile};

use super::receipts;
use super::stories::{Place, careless_rule, stories, trusting_rule};

/// Bytes of the questions before a job: power lost in them leaves the receipt whole, only later.
const MARGIN: u64 = 48;

/// On a printer that confirms, printing again unmarked without proof doubles receipts when the
/// power goes behind the receipt and before its proof, and only there; it loses none.
fn careless_doubles(name: &str, document: &Document, inside_stride: usize) {
    let profile = Profile::named(name).unwrap();
    let place = Place::of(&profile, document);
    let inside = (place.start + MARGIN..=place.torn).step_by(inside_stride);
    let inside = stories(&profile, document, inside, careless_rule);
    let behind = place.whole + 1..=place.done;
    let behind = stories(&profile, document, behind, careless_rule);
    assert!(behind.stories > 0, "{name}: {behind:?}");
    assert_eq!(
        behind.unmarked_duplicates, behind.stories,
        "{name}: {behind:?}"
    );
    assert_eq!(inside.unmarked_duplicates, 0, "{name}: {inside:?}");
    for tally in [inside, behind] {
        let other = (tally.losses, tally.silent_losses, tally.endless);
        assert_eq!(other, (0, 0, 0), "{name}: {tally:?}");
    }
}

/// On any printer, believing what was sent loses the receipt silently when the power goes inside
/// it, each time; it doubles none.
fn trusting_loses(name: &str, document: &Document, stride: usize) {
    let profile = Profile::named(name).unwrap();
    let place = Place::of(&profile, document);
    let bytes = (place.start + MARGIN..=place.torn).step_by(stride);
    let tally = stories(&profile, document, bytes, trusting_rule);
    assert!(tally.stories >= 12, "{name}: {tally:?}");
    assert_eq!(tally.silent_losses, tally.stories, "{name}: {tally:?}");
    let other = (tally.unmarked_duplicates, tally.endless);
    assert_eq!(other, (0, 0), "{name}: {tally:?}");
}

#[test]
fn printing_again_without_proof_doubles_receipts_on_every_printer_that_confirms() {
    // Proves: the power-cut tests fail under the careless rule on Epson, clone and 58 mm.
    for name in ["epson-t88", "xprinter-clone", "mm58"] {
        careless_doubles(name, &receipts::short(), 13);
    }
}

#[test]
fn printing_again_without_proof_never_ends_without_a_return_wire() {
    // Proves: under the careless rule tx-only, where proof never comes, doubles every receipt and
    // prints on and on, wherever the power goes.
    let profile = Profile::named("tx-only").unwrap();
    let document = receipts::short();
    let place = Place::of(&profile, &document);
    let bytes = (place.start..=place.whole).step_by(17);
    let tally = stories(&profile, &document, bytes, careless_rule);
    assert!(tally.stories >= 20, "{tally:?}");
    let all = tally.stories;
    let wrong = (tally.unmarked_duplicates, tally.endless);
    assert_eq!(wrong, (all, all), "{tally:?}");
    let other = (tally.losses, tally.claimed);
    assert_eq!(other, (0, 0), "{tally:?}");
}

#[test]
fn believing_what_was_sent_loses_receipts_on_every_printer() {
    // Proves: the power-cut tests fail under the trusting rule on all four profiles; on tx-only
    // this rule is what tells "sent" from "printed".
    for name in ["epson-t88", "xprinter-clone", "mm58", "tx-only"] {
        trusting_loses(name, &receipts::short(), 11);
    }
}

#[test]
fn both_wrong_rules_break_a_5_kb_receipt_on_the_clone() {
    // Proves: the same over a job of several fences, the one the counters of survival are about.
    let receipt = receipts::five_kb(&Profile::default());
    careless_doubles("xprinter-clone", &receipt, 149);
    trusting_loses("xprinter-clone", &receipt, 149);
}
