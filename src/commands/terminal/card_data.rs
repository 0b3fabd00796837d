//! Card data of terminals that are set up wrongly is nowhere afterwards.
#![allow(clippy::unwrap_used)]
use super::desk::{Desk, Ending, Wanted};
use super::journal::FileJournal;
use super::tests::Rig;
use crate::format::Language;
use hardware::terminal::concert::protocol::frame;
use hardware::terminal::sim::{
    CaisseApModel, CardData, ConcertModel, Ledger, Scenario, SimModel, SimOutput, SimPlace,
    ZvtModel, ZvtModelConfig,
};
use hardware::terminal::zvt::protocol::{Apdu, Field, Fields, Tlv};
use hardware::terminal::{Amount, Currency, Protocol, TerminalSim};
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;

/// A number that a card could have, the same with a wrong check digit, and track data around it.
const NUMBER: &str = "4929123412341232";
const BROKEN: &str = "4929123412341239";
const TRACK_2: &str = "4929123412341232D25122015432112345";

/// What must not be found: any of the middle digits, as text in two forms, packed, or the track.
const SECRETS: [&[u8]; 6] = [
    b"49291234",
    b"41111111",
    b"4929 1234",
    b"12341234",
    &[0x49, 0x29, 0x12, 0x34],
    b"25122015",
];

/// What is made of the bytes a simulator wanted to send.
type Spoil = Box<dyn Fn(&[u8]) -> Vec<u8> + Send>;

/// A simulator that says more than it should.
struct Leaky<M> {
    inner: M,
    spoil: Spoil,
}

impl<M: SimModel> Leaky<M> {
    fn pass(&mut self, out: &mut SimOutput, run: impl FnOnce(&mut M, &mut SimOutput)) {
        let mut own = SimOutput::default();
        run(&mut self.inner, &mut own);
        out.wire.extend((self.spoil)(&own.wire));
        out.vanish |= own.vanish;
    }
}

impl<M: SimModel> SimModel for Leaky<M> {
    fn link_up(&mut self, now_ms: u64, out: &mut SimOutput) {
        self.pass(out, |model, out| model.link_up(now_ms, out));
    }
    fn link_down(&mut self, now_ms: u64) {
        self.inner.link_down(now_ms);
    }
    fn bytes(&mut self, now_ms: u64, bytes: &[u8], out: &mut SimOutput) {
        self.pass(out, |model, out| model.bytes(now_ms, bytes, out));
    }
    fn tick(&mut self, now_ms: u64, out: &mut SimOutput) {
        self.pass(out, |model, out| model.tick(now_ms, out));
    }
    fn deadline_ms(&self) -> Option<u64> {
        self.inner.deadline_ms()
    }
    fn script(&mut self, scenario: Scenario) {
        self.inner.script(scenario);
    }
    fn set_usual(&mut self, scenario: Scenario) {
        self.inner.set_usual(scenario);
    }
    fn ledger(&self) -> &Ledger {
        self.inner.ledger()
    }
    fn orders_received(&self) -> usize {
        self.inner.orders_received()
    }
    fn power_cut(&mut self, now_ms: u64) {
        self.inner.power_cut(now_ms);
    }
    fn stand_alone_sale(&mut self, amount_minor: u64) -> bool {
        self.inner.stand_alone_sale(amount_minor)
    }
}

fn packed(digits: &str) -> Vec<u8> {
    let nibble = |digit: u8| char::from(digit).to_digit(16).unwrap() as u8;
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| nibble(pair[0]) << 4 | nibble(pair[1]))
        .collect()
}

/// Puts `number` and track data into every place of a status information that can hold them.
fn talkative_zvt(wire: &[u8], number: &str) -> Vec<u8> {
    let mut rest = wire;
    let mut out = Vec::new();
    while let Some((apdu, used)) = Apdu::take(rest) {
        rest = &rest[used..];
        let apdu = if apdu.command() == 0x040F {
            spoiled(&apdu, number)
        } else {
            apdu
        };
        out.extend(apdu.encode().unwrap());
    }
    assert!(rest.is_empty(), "the simulator sends whole messages");
    out
}

fn spoiled(apdu: &Apdu, number: &str) -> Apdu {
    let mut fields = Fields::parse(&apdu.data);
    fields
        .list
        .retain(|field| ![0x22, 0x3C, 0x8B, 0x06].contains(&field.tag));
    let spaced = format!(
        "KARTE {} {} {} {}",
        &number[..4],
        &number[4..8],
        &number[8..12],
        &number[12..]
    );
    let mut container = Vec::new();
    for (tag, value) in [
        (0x5A, packed(number)),
        (0x57, packed(TRACK_2)),
        (0x1F0A, packed(number)),
    ] {
        Tlv::Primitive { tag, value }
            .encode(&mut container)
            .unwrap();
    }
    fields.list.extend([
        Field::new(0x22, packed(number)),
        Field::new(0x23, packed(TRACK_2)),
        Field::new(0x24, packed(TRACK_2)),
        Field::new(0x2D, TRACK_2.as_bytes()),
        Field::new(0x0E, [0x25, 0x12]),
        Field::new(0x3C, spaced.as_bytes()),
        Field::new(0x8B, number.as_bytes()),
        Field::new(0x06, container),
    ]);
    Apdu::new(apdu.class, apdu.instruction, fields.encode().unwrap())
}

/// Puts the 55 characters of a report, which begin with the number, into a Concert answer.
fn talkative_concert(wire: &[u8]) -> Vec<u8> {
    let [0x02, body @ .., 0x03, _] = wire else {
        return wire.to_vec();
    };
    let report = format!("{:<55}", format!("{NUMBER} {TRACK_2}"));
    frame(&[&body[..12], report.as_bytes(), &body[12..]].concat())
}

/// Everything any thread logged.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn assert_clean(what: &str, bytes: &[u8]) {
    for secret in SECRETS {
        let found = bytes.windows(secret.len()).any(|window| window == secret);
        assert!(!found, "{what}: {}", String::from_utf8_lossy(bytes));
    }
}

/// Pays at a talkative terminal; the words said and every file left must be clean.
fn pay_and_look(sim: TerminalSim, protocol: Protocol) -> String {
    let rig = Rig::new(sim, protocol);
    let mut journal = FileJournal::open(&rig.journal_path()).unwrap();
    let mut said = Vec::new();
    let mut say = |line| said.push(line);
    let mut desk = Desk::new(rig.place(), &mut journal, Language::English, &mut say);
    let ending = desk
        .order(Wanted::Pay(Amount::new(25_000, Currency::VND)))
        .unwrap();
    let said = said.join("\n");
    assert_eq!(ending, Ending::Done, "{said}");
    assert_clean("said", said.as_bytes());
    assert_clean("in memory", format!("{:?}", journal.entries()).as_bytes());
    for file in std::fs::read_dir(rig.journal_path().parent().unwrap()).unwrap() {
        let path = file.unwrap().path();
        assert_clean(&path.display().to_string(), &std::fs::read(&path).unwrap());
    }
    said
}

#[test]
fn card_numbers_and_tracks_in_every_field_leave_no_trace() {
    // Proves: a masked, an unmasked and a broken number, and track data, in every field of a ZVT
    // status, in a Caisse-AP answer and in a Concert report, pass framer, driver, command and
    // journal, and are in no word said, no file, no memory of the journal and no log of any level.
    let log = Captured::default();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .with_ansi(false)
        .init();
    for (number, in_clear) in [(NUMBER, true), (BROKEN, true), ("492912EEEEEE1232", false)] {
        let model = Leaky {
            inner: ZvtModel::new(ZvtModelConfig::default(), Ledger::in_memory()),
            spoil: Box::new(move |wire| talkative_zvt(wire, number)),
        };
        let sim = TerminalSim::start(model, &SimPlace::Tcp(0)).unwrap();
        let said = pay_and_look(sim, Protocol::Zvt);
        assert!(said.contains(&format!("card …{}", &number[12..])), "{said}");
        if in_clear && number == NUMBER {
            assert!(said.contains("card numbers in clear"), "{said}");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let model = Leaky {
        inner: ConcertModel::new(Ledger::in_memory()),
        spoil: Box::new(talkative_concert),
    };
    let sim = TerminalSim::start(model, &SimPlace::Pty(folder.path().join("tty"))).unwrap();
    pay_and_look(sim, Protocol::Concert);
    let caisse = CaisseApModel::new(Ledger::in_memory());
    let sim = TerminalSim::start(caisse, &SimPlace::Tcp(0)).unwrap();
    sim.script(Scenario {
        card_data: CardData::Unmasked,
        ..Scenario::default()
    });
    pay_and_look(sim, Protocol::CaisseAp);
    tracing::info!("the log is captured");
    let log = log.0.lock().unwrap().clone();
    assert!(String::from_utf8_lossy(&log).contains("the log is captured"));
    assert_clean("log", &log);
}
