//! Targets of the fuzzer. A broken rule is a panic.

use payqr::provider::payos::{self, PaymentRequest};
use payqr::provider::sepay::{self, Auth, Headers};
use payqr::provider::{Credit, NotACredit, Reject, Secret, pix};
use payqr::{
    Amount, DecodeError, DuitNow, Field, Labels, Merchant, PayNow, PayNowProxy, Payload,
    PaymentCode, Pix, PromptPay, PromptPayTarget, Qris, QrisAcquirer, Service, ThaiBill, VietQr,
    Vnpay, decode,
};

/// SplitMix64: the same seed makes the same run.
pub struct Random(pub u64);

const DIGITS: &str = "0123456789";
const ALPHANUMERIC: &str = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const MEMO: &str = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz_-.\\";
/// Letters of one to four bytes, spaces and punctuation.
const ANY: &str = "09AZaz .-/*'&+%àĐộ最佳€Ωא🙂";

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn yes(&mut self) -> bool {
        self.next() & 1 == 1
    }

    /// `least` to `most` letters of an alphabet.
    fn text(&mut self, alphabet: &str, least: usize, most: usize) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        let count = least + self.below(most - least + 1);
        (0..count)
            .map(|_| letters[self.below(letters.len())])
            .collect()
    }

    fn some(&mut self, alphabet: &str, most: usize) -> Option<String> {
        self.yes().then(|| self.text(alphabet, 1, most))
    }

    fn cents(&mut self) -> Option<Amount> {
        self.yes()
            .then(|| Amount::cents(1 + self.next() % 99_999_999))
    }

    fn dong(&mut self) -> Option<u64> {
        self.yes().then(|| 1 + self.next() % 499_999_999)
    }

    fn merchant(&mut self) -> Merchant {
        Merchant {
            category: self.yes().then(|| self.text(DIGITS, 4, 4)),
            name: Some(self.text(ANY, 1, 25)),
            city: Some(self.text(ANY, 1, 15)),
            postal_code: self.some(DIGITS, 10),
        }
    }

    fn labels(&mut self) -> Labels {
        Labels {
            bill_number: self.some(ANY, 9),
            store: self.some(ALPHANUMERIC, 9),
            reference: self.some(ALPHANUMERIC, 9),
            terminal: self.some(ALPHANUMERIC, 9),
            purpose: self.some(ANY, 9),
            ..Labels::default()
        }
    }

    /// `input` with a few bytes changed, moved, doubled, dropped or joined with `other`; half the
    /// time with a checksum that fits, so that the scheme's own reader is reached.
    pub fn mutated(&mut self, input: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = input.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            let end = (at + self.below(12) + 1).min(bytes.len());
            match self.below(7) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                1 if at < bytes.len() => bytes[at] = b'0' + self.below(10) as u8,
                2 => drop(bytes.drain(at..end)),
                3 => drop(bytes.splice(at..at, self.text(ANY, 1, 8).into_bytes())),
                4 => {
                    let piece = bytes[at..end].to_vec();
                    bytes.splice(at..at, piece);
                }
                5 => {
                    bytes.truncate(at);
                    bytes.extend_from_slice(&other[self.below(other.len() + 1)..]);
                }
                _ => {
                    // One field more, well-formed.
                    let value = self.text(ANY, 0, 12);
                    let id = self.below(100);
                    let field = format!("{id:02}{:02}{value}", value.chars().count());
                    bytes.splice(at..at, field.into_bytes());
                }
            }
        }
        bytes.truncate(4_500);
        if self.yes() { sealed(bytes) } else { bytes }
    }
}

/// With the last four characters made a checksum that fits.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.len() >= 8 {
        let end = bytes.len() - 4;
        bytes.truncate(end);
        bytes[end - 4..].copy_from_slice(b"6304");
        let checksum = payqr::crc::crc16_text(&bytes);
        bytes.extend_from_slice(checksum.as_bytes());
    }
    bytes
}

/// One random code of the EMV family, encoded, decoded and encoded again: the same value, the
/// same bytes.
pub fn round_trip(random: &mut Random) {
    if random.below(3) == 0 {
        let payload = any_payload(random);
        let text = payload.encode().unwrap();
        let read = Payload::decode(&text).unwrap();
        assert_eq!(read, payload, "{text}");
        assert_eq!(read.encode().unwrap(), text);
        return;
    }
    let code = scheme(random);
    let bytes = code
        .encode()
        .unwrap_or_else(|error| panic!("{code:?}: {error}"));
    let read = decode(&bytes).unwrap_or_else(|error| panic!("{code:?}: {error}"));
    assert_eq!(read.code, code);
    assert_eq!(read.code.encode().unwrap(), bytes);
    assert_eq!(read.payload.unwrap().encode().unwrap().as_bytes(), bytes);
}

/// Fields of any tag but the checksum's, in any order, with any text.
fn any_payload(random: &mut Random) -> Payload {
    let mut ids: Vec<u8> = (1..100).filter(|id| *id != 63).collect();
    let mut fields = vec![Field {
        id: "00".to_owned().try_into().unwrap(),
        value: random.text(DIGITS, 2, 2),
    }];
    for _ in 0..random.below(12) {
        let id = ids.swap_remove(random.below(ids.len()));
        let most = [0, 1, 13, 25, 99][random.below(5)];
        fields.push(Field {
            id: format!("{id:02}").try_into().unwrap(),
            value: random.text(ANY, 0, most),
        });
    }
    Payload::from_fields(fields)
}

fn scheme(random: &mut Random) -> PaymentCode {
    match random.below(9) {
        0..=2 => PaymentCode::VietQr(vietqr(random)),
        3 => PaymentCode::Vnpay(Vnpay {
            merchant_id: random.text(ALPHANUMERIC, 1, 20),
            amount_dong: random.dong(),
            merchant: random.merchant(),
            labels: random.labels(),
        }),
        4 => {
            let merchant = random.merchant();
            let mut pix = Pix::with_key(random.text(ALPHANUMERIC, 1, 77), merchant);
            pix.amount = random.cents();
            pix.transaction_id = random.some(ALPHANUMERIC, 25);
            PaymentCode::Pix(pix)
        }
        5 => PaymentCode::PromptPay(PromptPay {
            target: match random.below(3) {
                0 => PromptPayTarget::Phone(format!("0{}", random.text(DIGITS, 9, 9))),
                1 => PromptPayTarget::NationalId(random.text(DIGITS, 13, 13)),
                _ => PromptPayTarget::Wallet(random.text(DIGITS, 15, 15)),
            },
            amount: random.cents(),
        }),
        6 => PaymentCode::ThaiBill(ThaiBill {
            biller_id: random.text(DIGITS, 15, 15),
            reference1: random.text("0123456789ABCDEFGHXYZ", 1, 20),
            reference2: random.some("0123456789ABCDEFGHXYZ", 20),
            reference3: random.some("0123456789ABCDEFGHXYZ", 20),
            amount: random.cents(),
        }),
        7 => {
            let amount = random.cents();
            PaymentCode::PayNow(PayNow {
                proxy: if random.yes() {
                    PayNowProxy::Mobile(format!("+65{}", random.text(DIGITS, 8, 8)))
                } else {
                    PayNowProxy::Uen(random.text(ALPHANUMERIC, 9, 13))
                },
                // Without an amount the payer types one.
                amount_editable: amount.is_none() || random.yes(),
                expiry: random.yes().then(|| "20261231".to_owned()),
                amount,
                reference: random.some(ALPHANUMERIC, 25),
                sgqr_id: None,
                merchant: random.merchant(),
            })
        }
        _ => other_merchant_code(random),
    }
}

fn vietqr(random: &mut Random) -> VietQr {
    VietQr {
        bin: random.text(DIGITS, 6, 6),
        account: random.text(ALPHANUMERIC, 1, 19),
        service: [
            Service::Account,
            Service::Card,
            Service::Push,
            Service::Cash,
        ][random.below(4)],
        amount_dong: random.dong(),
        memo: random.some(MEMO, 25),
        bill_number: random.some(ALPHANUMERIC, 9),
        store: random.some(ANY, 9),
        reference: random.some(ALPHANUMERIC, 9),
        terminal: random.some(ALPHANUMERIC, 9),
        merchant_category: random.yes().then(|| random.text(DIGITS, 4, 4)),
        merchant_name: random.some(ANY, 25),
        merchant_city: random.some(ANY, 15),
        wallet_data: random.some(DIGITS, 3),
    }
}

fn other_merchant_code(random: &mut Random) -> PaymentCode {
    if random.yes() {
        return PaymentCode::DuitNow(DuitNow {
            bank: random.text(DIGITS, 6, 6),
            account: random.text(ALPHANUMERIC, 1, 40),
            amount: random.cents(),
            merchant: random.merchant(),
            labels: random.labels(),
            check_value: random.some(ALPHANUMERIC, 64),
        });
    }
    let acquirers = (0..=random.below(2))
        .map(|_| QrisAcquirer {
            domain: random.text("ABCDEFGHIDCOWWW.", 1, 32),
            merchant_pan: random.text(DIGITS, 1, 19),
            merchant_id: random.text(ALPHANUMERIC, 1, 15),
            criteria: "UMI".to_owned(),
        })
        .collect();
    let national = random.some(ALPHANUMERIC, 15);
    PaymentCode::Qris(Qris {
        acquirers,
        criteria: national.is_some().then(|| "UKE".to_owned()),
        national_merchant_id: national,
        amount: random
            .yes()
            .then(|| Amount::whole(1 + random.next() % 9_999_999)),
        merchant: random.merchant(),
        labels: random.labels(),
    })
}

/// Any bytes behind the one door of all decoders: no panic, what is accepted is lossless, what a
/// strict encoder makes of it is stable, and a refusal points at a place that exists.
pub fn decoder(bytes: &[u8]) {
    let decoded = match decode(bytes) {
        Ok(decoded) => decoded,
        Err(error) => return place_exists(bytes, &error),
    };
    if let Some(payload) = &decoded.payload {
        assert_eq!(payload.encode().unwrap().as_bytes(), bytes);
    }
    if let Ok(strict) = decoded.code.encode() {
        let again = decode(&strict).unwrap();
        assert_eq!(again.code.encode().unwrap(), strict);
    }
}

fn place_exists(bytes: &[u8], error: &DecodeError) {
    assert!(!error.to_string().is_empty());
    let place = &error.place;
    assert!(place.byte <= bytes.len(), "{error}");
    let before = &bytes[..place.byte];
    let characters = if is_single_byte(bytes) {
        before.len()
    } else {
        std::str::from_utf8(before).unwrap().chars().count()
    };
    assert_eq!(place.character, characters, "{error}");
}

/// EPC codes in a character set of one byte a character; all other codes are UTF-8.
fn is_single_byte(bytes: &[u8]) -> bool {
    let set = bytes.split(|byte| *byte == b'\n').nth(2);
    let is_epc = bytes.starts_with(b"BCD\n") || bytes.starts_with(b"BCD\r\n");
    is_epc && set.is_some_and(|line| line.trim_ascii_end() != b"1")
}

/// Signed by the official Python client with the key `fuzz`.
const PAYOS_WEBHOOK: &[u8] = include_bytes!("corpus/providers/seed-00");
const PAYOS_ANSWER: &[u8] = include_bytes!("corpus/providers/seed-01");
const SEPAY_WEBHOOK: &[u8] = include_bytes!("corpus/providers/seed-03");

/// Any bytes said to come from a payment provider: no panic; a payOS body is believed only when it
/// says what was signed, a SePay body only to the byte; a credit is above zero and for our account;
/// what our own side signs is read back or refused for a reason of the rule.
pub fn providers(bytes: &[u8]) {
    let key = Secret::new("fuzz");
    let ours = ["0123499999".to_owned()];
    if let Ok(told) = payos::read_webhook(bytes, &key) {
        assert_eq!(Ok(&told), payos::read_webhook(PAYOS_WEBHOOK, &key).as_ref());
        credit(told.credit(&ours));
    }
    if let Ok(answer) = payos::read_answer::<PaymentRequest>(bytes, &key) {
        let honest = payos::read_answer::<PaymentRequest>(PAYOS_ANSWER, &key);
        assert_eq!(Ok(&answer), honest.as_ref());
        answer.credits(&ours).into_iter().for_each(credit);
    }
    let signature = sepay::sign(&key, 1_796_000_000, SEPAY_WEBHOOK);
    let headers = Headers {
        timestamp: Some("1796000000"),
        signature: Some(&signature),
        authorization: None,
    };
    let auth = Auth::Signature(key.clone());
    if let Ok(told) = sepay::read_webhook(bytes, headers, &auth, 1_796_000_000) {
        assert_eq!(bytes, SEPAY_WEBHOOK);
        credit(told.credit(&ours));
    }
    if let Ok(page) = sepay::read_page(bytes) {
        page.data.iter().for_each(|row| credit(row.credit(&ours)));
    }
    if let Ok(charge) = pix::read_charge(bytes) {
        let _ = charge.expires_ms();
        let credits = charge.credits(&charge.key, &charge.txid);
        credits.into_iter().for_each(credit);
    }
    let _ = (pix::read_payments(bytes), pix::read_refund(bytes));
    signs_and_checks(bytes, &key);
}

fn credit(credit: Result<Credit, NotACredit>) {
    if let Ok(credit) = credit {
        assert!(credit.amount_minor > 0);
    }
}

fn signs_and_checks(bytes: &[u8], key: &Secret) {
    let Ok(data) = serde_json::from_slice::<serde_json::Value>(bytes) else {
        return;
    };
    let raw = match payos::write_signed(&data, true, key) {
        Ok(raw) => raw,
        Err(reject) => {
            assert!(matches!(
                reject,
                Reject::NotCovered { .. } | Reject::Malformed { .. }
            ));
            return;
        }
    };
    let envelope: serde_json::Value = serde_json::from_slice(&raw).unwrap();
    let data = envelope["data"].to_string();
    let checked = payos::check_data(&data, envelope["signature"].as_str(), key);
    assert!(
        matches!(checked, Ok(()) | Err(Reject::Imitation { .. })),
        "{checked:?}"
    );
}
