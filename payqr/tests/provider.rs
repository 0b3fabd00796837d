//! Payment providers: signatures against the official SDKs, and what is refused.
#![allow(clippy::unwrap_used)]

use payqr::provider::payos::{self, AnswerError, CreateRequest, PaymentRequest, Status};
use payqr::provider::sepay::{self, Auth, Headers};
use payqr::provider::{Credit, Currency, NotACredit, Provider, Reject, Secret, pix, signature};
use payqr::{MemoMatch, OrderCode, StorePrefix};
use proptest::prelude::*;
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("data/provider-signatures.json")).unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}

fn checksum_key() -> Secret {
    Secret::new(text(&vectors(), "checksum_key"))
}

fn prefix() -> StorePrefix {
    StorePrefix::new("HS").unwrap()
}

fn order() -> OrderCode {
    OrderCode::new(prefix(), 7_654_321).unwrap()
}

fn account() -> Vec<String> {
    vec!["0123499999".to_owned()]
}

const SEPAY_SECRET: &str = "made-up-sepay-secret-51c0";
const SIGNED_S: i64 = 1_796_000_000;

fn sepay_body(order: &str) -> String {
    format!(
        r#"{{"id":92704,"gateway":"Vietcombank","transactionDate":"2023-03-25 14:02:37","accountNumber":"0123499999","code":null,"content":"{order} chuyển tiền","transferType":"in","transferAmount":2277000,"accumulated":19077000,"subAccount":null,"referenceCode":"MBVCB.3278907687","description":""}}"#
    )
}

fn read_sepay(body: &str, signature: &str, now_s: i64) -> Result<sepay::Webhook, Reject> {
    let timestamp = SIGNED_S.to_string();
    let headers = Headers {
        timestamp: Some(&timestamp),
        signature: Some(signature),
        authorization: None,
    };
    let auth = Auth::Signature(Secret::new(SEPAY_SECRET));
    sepay::read_webhook(body.as_bytes(), headers, &auth, now_s)
}

fn payos_webhook(amount: i64) -> Vec<u8> {
    let data = serde_json::json!({
        "orderCode": order().to_integer(), "amount": amount,
        "description": format!("CSVQ {} thanh toan", order()), "accountNumber": "0123499999",
        "reference": "FT26332000001", "transactionDateTime": "2026-11-28 09:15:02",
        "currency": "VND", "paymentLinkId": "b2f6f8a0c1", "code": "00", "desc": "success",
        "counterAccountName": "NGUYEN VAN A", "virtualAccountNumber": null,
    });
    payos::write_signed(&data, true, &checksum_key()).unwrap()
}

#[test]
fn both_official_sdks_sign_as_we_do() {
    // Proves every signature of @payos/node 2.0.5 and payos 1.1.0 stored in the vectors.
    let vectors = vectors();
    let key = checksum_key();
    for case in vectors["create"].as_array().unwrap() {
        let request: CreateRequest = serde_json::from_value(case["body"].clone()).unwrap();
        let signed = request.signed(&key);
        assert_eq!(signed.signature.as_deref(), case["node"].as_str(), "{case}");
        assert_eq!(case["node"], case["python"]);
        signed.verify(&key).unwrap();
    }
    for case in vectors["data"].as_array().unwrap() {
        assert_eq!(case["node"], case["python"]);
        let checked = payos::check_data(text(case, "data"), case["node"].as_str(), &key);
        assert_eq!(checked, Ok(()), "{case}");
    }
}

#[test]
fn what_the_sdks_sign_differently_is_refused() {
    // Proves that values outside of the signature rule are refused by name, with either SDK's signature.
    for case in vectors()["not_covered"].as_array().unwrap() {
        assert_ne!(case["node"], case["python"]);
        for sdk in ["node", "python"] {
            let signature = case[sdk].as_str();
            let refused = payos::check_data(text(case, "data"), signature, &checksum_key());
            assert!(matches!(refused, Err(Reject::NotCovered { .. })), "{case}");
        }
    }
}

#[test]
fn the_signature_layout_of_sepay_holds() {
    // Proves timestamp, point and raw body against signatures of another HMAC.
    for case in vectors()["hmac"].as_array().unwrap() {
        let secret = Secret::new(text(case, "secret"));
        let timestamp = case["timestamp"].as_i64().unwrap();
        let header = sepay::sign(&secret, timestamp, text(case, "body").as_bytes());
        assert_eq!(header, text(case, "header"));
    }
}

#[test]
fn a_payos_answer_without_right_signature_is_nothing() {
    // Proves that a stripped, emptied or foreign signature is refused, and that a refusal is told apart.
    let key = checksum_key();
    let paid = PaymentRequest {
        id: "b2f6f8a0c1".into(),
        order_code: order().to_integer(),
        amount: 146_688,
        amount_paid: 146_688,
        amount_remaining: 0,
        status: Status::Paid,
        created_at: "2026-11-28T09:14:00+07:00".into(),
        transactions: Vec::new(),
        cancellation_reason: None,
        canceled_at: None,
    };
    let raw = payos::write_signed(&paid, false, &key).unwrap();
    let read = |raw: &[u8]| payos::read_answer::<PaymentRequest>(raw, &key);
    assert_eq!(read(&raw), Ok(paid));
    let mut envelope: Value = serde_json::from_slice(&raw).unwrap();
    let missing = Err(AnswerError::Untrusted(Reject::SignatureMissing {
        place: "signature",
    }));
    for stripped in [Value::Null, "".into(), 5.into()] {
        envelope["signature"] = stripped;
        assert_eq!(read(envelope.to_string().as_bytes()), missing);
    }
    envelope.as_object_mut().unwrap().remove("signature");
    assert_eq!(read(envelope.to_string().as_bytes()), missing);
    let other = payos::read_answer::<PaymentRequest>(&raw, &Secret::new("another"));
    assert_eq!(other, Err(AnswerError::Untrusted(Reject::SignatureWrong)));
    let none = payos::read_answer::<PaymentRequest>(&raw, &Secret::new(""));
    assert_eq!(none, Err(AnswerError::Untrusted(Reject::NoKey)));
    let refusal = payos::Refusal {
        code: "20".into(),
        desc: "Thông tin truyền lên không đúng.".into(),
    };
    let refused = read(&payos::write_refusal(&refusal));
    assert_eq!(refused, Err(AnswerError::Refused(refusal)));
}

#[test]
fn a_payos_webhook_becomes_a_credit_once_it_is_proven() {
    // Proves amount, reference, bank time and order of a webhook, and that the unsigned code beside data is not read.
    let raw = payos_webhook(146_688);
    let data = payos::read_webhook(&raw, &checksum_key()).unwrap();
    let credit = data.credit(&account()).unwrap();
    assert_eq!(credit.provider, Provider::PayOs);
    assert_eq!(
        (credit.amount_minor, credit.currency),
        (146_688, Currency::Vnd)
    );
    assert_eq!(credit.reference, "FT26332000001");
    assert_eq!(credit.bank_time_ms, Some(1_795_832_102_000));
    assert_eq!(credit.order(prefix()), MemoMatch::One(order()));
    let told = String::from_utf8(raw).unwrap();
    let lying = told.replacen(r#""code":"00""#, r#""code":"01""#, 1);
    assert!(payos::read_webhook(lying.as_bytes(), &checksum_key()).is_ok());
    let shown = format!("{credit:?}");
    assert!(!shown.contains("thanh toan") && !shown.contains("0123499999"));
}

#[test]
fn money_for_others_and_no_money_are_no_credits() {
    // Proves each reason why a true webhook of payOS or SePay is no credit.
    let key = checksum_key();
    let data = payos::read_webhook(&payos_webhook(5), &key).unwrap();
    let other = vec!["999".to_owned()];
    assert_eq!(data.credit(&other), Err(NotACredit::ForeignAccount));
    for amount in [0, -5] {
        let data = payos::read_webhook(&payos_webhook(amount), &key).unwrap();
        let none = Err(NotACredit::NotPositive {
            amount_minor: amount,
        });
        assert_eq!(data.credit(&account()), none);
    }
    let changed = |field: &str, value: Value| {
        let envelope: Value = serde_json::from_slice(&payos_webhook(5)).unwrap();
        let mut data = envelope["data"].clone();
        data[field] = value;
        let raw = payos::write_signed(&data, true, &key).unwrap();
        payos::read_webhook(&raw, &key).unwrap().credit(&account())
    };
    let failed = changed("code", "05".into());
    assert!(matches!(failed, Err(NotACredit::NotPaid { .. })));
    let dollars = changed("currency", "USD".into());
    assert!(matches!(dollars, Err(NotACredit::OtherCurrency { .. })));
    let elsewhere = changed("accountNumber", "777".into());
    assert_eq!(elsewhere, Err(NotACredit::ForeignAccount));
    let text = sepay_body("HS").replace(r#""in""#, r#""out""#);
    let out: sepay::Webhook = serde_json::from_str(&text).unwrap();
    assert_eq!(out.credit(&account()), Err(NotACredit::MoneyOut));
    let ours: sepay::Webhook = serde_json::from_str(&sepay_body("HS")).unwrap();
    assert_eq!(ours.credit(&other), Err(NotACredit::ForeignAccount));
    let text = sepay_body("HS").replace("2277000", "0");
    let zero: sepay::Webhook = serde_json::from_str(&text).unwrap();
    assert!(matches!(
        zero.credit(&account()),
        Err(NotACredit::NotPositive { .. })
    ));
}

#[test]
fn a_memo_cannot_split_a_signed_webhook_into_another_payment() {
    // Proves that re-cutting the signed text at fields a payer wrote into the memo is refused.
    let key = checksum_key();
    let memo = "X&orderCode=999&reference=NEW&transactionDateTime=2026-11-28 09:15:02&y=";
    let honest = serde_json::json!({
        "accountNumber": "1", "amount": 5, "description": memo, "orderCode": 1, "reference": "R",
    });
    let raw = payos::write_signed(&honest, true, &key).unwrap();
    let envelope: Value = serde_json::from_slice(&raw).unwrap();
    let honest = envelope["data"].to_string();
    let signature = envelope["signature"].as_str();
    let refused = payos::check_data(&honest, signature, &key);
    assert!(matches!(refused, Err(Reject::Imitation { field }) if field == "description"));
    let split = r#"{"accountNumber":"1","amount":5,"description":"X","orderCode":999,"reference":"NEW","transactionDateTime":"2026-11-28 09:15:02","y":"&orderCode=1&reference=R"}"#;
    let refused = payos::check_data(split, signature, &key);
    assert!(
        matches!(&refused, Err(Reject::Imitation { field }) if field == "y"),
        "{refused:?}"
    );
}

#[test]
fn a_key_that_is_there_twice_is_refused() {
    // Proves that two readers cannot see two amounts in one signed text.
    let raw = String::from_utf8(payos_webhook(5)).unwrap();
    let twice = raw.replacen(r#""amount":5"#, r#""amount":5,"amount":5000000"#, 1);
    let refused = payos::read_webhook(twice.as_bytes(), &checksum_key());
    assert!(
        matches!(refused, Err(Reject::Malformed { .. })),
        "{refused:?}"
    );
    let deep = format!(
        r#"{{"code":"00","data":{{"a":{}1{}}},"signature":"x"}}"#,
        "[".repeat(9_000),
        "]".repeat(9_000)
    );
    let refused = payos::read_webhook(deep.as_bytes(), &checksum_key());
    assert!(
        matches!(refused, Err(Reject::Malformed { .. })),
        "{refused:?}"
    );
    let large = vec![b' '; payqr::provider::MAX_BODY_BYTES + 1];
    let refused = payos::read_webhook(&large, &checksum_key());
    assert!(
        matches!(refused, Err(Reject::TooLong { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_sepay_webhook_is_taken_within_five_minutes_and_with_the_right_key() {
    // Proves the window to the second, both ways, and every missing or foreign proof.
    let body = sepay_body(&order().to_string());
    let signature = sepay::sign(&Secret::new(SEPAY_SECRET), SIGNED_S, body.as_bytes());
    for age in [-300, 0, 300] {
        assert!(
            read_sepay(&body, &signature, SIGNED_S + age).is_ok(),
            "{age}"
        );
    }
    for age in [-301, 301, 86_400] {
        let stale = read_sepay(&body, &signature, SIGNED_S + age);
        assert!(matches!(stale, Err(Reject::Stale { age_s, .. }) if age_s == age));
    }
    let bare = signature.trim_start_matches("sha256=");
    assert_eq!(
        read_sepay(&body, bare, SIGNED_S),
        Err(Reject::SignatureWrong)
    );
    let auth = Auth::Signature(Secret::new(SEPAY_SECRET));
    let read =
        |headers: Headers<'_>| sepay::read_webhook(body.as_bytes(), headers, &auth, SIGNED_S);
    let missing = read(Headers::default());
    assert!(matches!(missing, Err(Reject::SignatureMissing { .. })));
    for timestamp in ["", "+1796000000", "1796000000 ", "now"] {
        let odd = read(Headers {
            timestamp: Some(timestamp),
            signature: Some(&signature),
            authorization: None,
        });
        assert_eq!(odd, Err(Reject::TimestampMalformed));
    }
    let auth = Auth::ApiKey(Secret::new("made-up-key"));
    let read = |authorization| {
        let headers = Headers {
            authorization,
            ..Headers::default()
        };
        sepay::read_webhook(body.as_bytes(), headers, &auth, SIGNED_S)
    };
    assert!(read(Some("Apikey made-up-key")).is_ok());
    for wrong in [
        None,
        Some("made-up-key"),
        Some("Apikey "),
        Some("Apikey made-up-kez"),
    ] {
        assert_eq!(read(wrong), Err(Reject::ApiKeyWrong));
    }
}

#[test]
fn webhook_and_list_of_sepay_are_one_credit() {
    // Proves that the reference joins both tellings, with and without a reference of the bank.
    let page = format!(
        r#"{{"status":"success","data":[{{"id":"07ad3dc9-0000-4000-8000-0afffe87053b","transaction_date":"2023-03-25 14:02:37","account_number":"0123499999","va":"","transfer_type":"in","amount_in":2277000,"amount_out":0,"accumulated":"19077000.00","transaction_content":"{} chuyển tiền","reference_number":"MBVCB.3278907687","code":null,"bank_brand_name":"Vietcombank","bank_account_id":"d6719d04-0000-4000-8000-a6006ab65aca","va_id":null,"webhook_success":0}}],"meta":{{"pagination":{{"total":1,"per_page":20,"current_page":1,"last_page":1,"has_more":false}}}}}}"#,
        order()
    );
    let told = sepay_body(&order().to_string());
    for (page, told) in [
        (page.clone(), told.clone()),
        (
            page.replace(r#""MBVCB.3278907687""#, "null"),
            told.replace(r#""MBVCB.3278907687""#, r#""""#),
        ),
    ] {
        let row = &sepay::read_page(page.as_bytes()).unwrap().data[0];
        let webhook: sepay::Webhook = serde_json::from_str(&told).unwrap();
        let credit = row.credit(&account()).unwrap();
        assert_eq!(credit, webhook.credit(&account()).unwrap());
        assert_eq!(credit.order(prefix()), MemoMatch::One(order()));
        assert_eq!(credit.bank_time_ms, Some(1_679_727_757_000));
        assert_eq!(credit.reference_is_derived, !page.contains("MBVCB"));
    }
    for broken in ["2277000.5", "\"2277000,00\"", "1e6", "true", "\"\""] {
        let body = told.replace("2277000", broken);
        assert!(
            serde_json::from_str::<sepay::Webhook>(&body).is_err(),
            "{broken}"
        );
    }
}

#[test]
fn the_same_reference_with_other_money_is_a_conflict() {
    // Proves that a doubled telling is one transfer and an altered one neither a credit nor a second.
    let credit = |reference: &str, amount_minor| Credit {
        provider: Provider::SePay,
        reference: reference.into(),
        reference_is_derived: false,
        account: "0123499999".into(),
        amount_minor,
        currency: Currency::Vnd,
        memo: String::new(),
        provider_order: None,
        bank_time_ms: None,
    };
    assert_eq!(credit("A", 5).is_same_money(&credit("A", 5)), Some(true));
    assert_eq!(credit("A", 5).is_same_money(&credit("A", 6)), Some(false));
    assert_eq!(credit("A", 5).is_same_money(&credit("B", 5)), None);
}

#[test]
fn a_pix_counts_for_its_key_and_txid_only() {
    // Proves matching by key and txid, the states of charge and refund, and the two spellings of a removal.
    let txid = pix::txid(order());
    assert_eq!((txid.len(), pix::order_of(&txid)), (26, Some(order())));
    let charge = format!(
        r#"{{"calendario":{{"criacao":"2026-11-28T02:00:00.000Z","expiracao":3600}},"txid":"{txid}","revisao":0,"location":"pix.example.com/qr/v2/1","status":"CONCLUIDA","valor":{{"original":"37.00"}},"chave":"7d9f0335-8dcc-4054-9bf9-0dbd61d36906","pix":[{{"endToEndId":"E12345678202611280200s0a1b2c3d4e","txid":"{txid}","valor":"37.00","horario":"2026-11-28T02:01:00.500Z","devolucoes":[{{"id":"1","rtrId":"D123","valor":"7.89","horario":{{"solicitacao":"2026-11-28T03:00:00Z"}},"status":"NAO_REALIZADO","motivo":"closed"}}]}}]}}"#
    );
    let key = "7d9f0335-8dcc-4054-9bf9-0dbd61d36906";
    let charge = pix::read_charge(charge.as_bytes()).unwrap();
    assert_eq!(charge.status, pix::ChargeStatus::Completed);
    assert_eq!(charge.expires_ms(), Some(1_795_834_800_000));
    let credits = charge.credits(key, &txid);
    let credit = credits[0].as_ref().unwrap();
    assert_eq!(
        (credit.amount_minor, credit.currency),
        (3_700, Currency::Brl)
    );
    assert_eq!(credit.order(prefix()), MemoMatch::One(order()));
    let refund = &charge.payments[0].refunds[0];
    assert_eq!(refund.status, pix::RefundStatus::NotDone);
    assert_eq!(
        charge.credits("other", &txid)[0],
        Err(NotACredit::ForeignAccount)
    );
    assert_eq!(charge.credits(key, "x")[0], Err(NotACredit::ForeignOrder));
    let bare = &charge.payments[0];
    assert_eq!(bare.credit(key, &txid), Err(NotACredit::AccountNotNamed));
    for (word, status) in [
        (
            "REMOVIDO_PELO_USUARIO_RECEBEDOR",
            pix::ChargeStatus::RemovedByReceiver,
        ),
        ("REMOVIDA_PELO_PSP", pix::ChargeStatus::RemovedByProvider),
        ("NOVA", pix::ChargeStatus::Unknown),
    ] {
        let read: pix::ChargeStatus = serde_json::from_value(word.into()).unwrap();
        assert_eq!(read, status);
    }
    for wrong in [
        "37",
        "37.0",
        "37.000",
        "-1.00",
        "12345678901.00",
        "3a.00",
        ".50",
    ] {
        assert!(wrong.parse::<pix::Reais>().is_err(), "{wrong}");
    }
}

#[test]
fn memos_are_found_mangled_and_told_apart() {
    // Proves the typed result for case, separators, text around, cut ends and several codes.
    let code = order().to_string();
    let spaced: String = code.chars().flat_map(|c| [c, ' ']).collect();
    for memo in [
        code.clone(),
        code.to_lowercase(),
        spaced,
        format!("{}-{}.{}", &code[..3], &code[3..5], &code[5..]),
        format!("MBVCB.3278907687.{code}.CT tu 0123 toi 0456"),
        format!("IBFT {code}"),
        format!("Đặng thanh toán {code} ạ"),
    ] {
        assert_eq!(
            OrderCode::search(&memo, prefix()),
            MemoMatch::One(order()),
            "{memo}"
        );
    }
    for length in 4..9 {
        let cut = format!("Thanh toan {}", &code[..length]);
        let found = OrderCode::search(&cut, prefix());
        assert_eq!(found, MemoMatch::Partial(code[..length].to_owned()));
        assert!(order().begins_with(&code[..length]));
    }
    let other = OrderCode::new(prefix(), 5).unwrap();
    let both = OrderCode::search(&format!("{code} va {other}"), prefix());
    assert_eq!(both, MemoMatch::Several(vec![order(), other]));
    for memo in ["", "cam on", "HS", "HS1", &code[1..]] {
        assert_eq!(
            OrderCode::search(memo, prefix()),
            MemoMatch::Nothing,
            "{memo}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_order_code_is_a_number_and_back(store in "[0-9A-HJKMNP-TV-Z]{2}", number in 0_u32..payqr::order_code::ORDER_NUMBERS) {
        // Proves that code and integer are one to one and that JavaScript holds the integer.
        let code = OrderCode::new(StorePrefix::new(&store).unwrap(), number).unwrap();
        let integer = code.to_integer();
        prop_assert!((1_u64 << 40..1 << 41).contains(&integer));
        prop_assert_eq!(OrderCode::from_integer(integer), Some(code));
        prop_assert_eq!(pix::order_of(&pix::txid(code)), Some(code));
    }

    #[test]
    fn a_number_that_is_none_of_ours_is_none(integer in any::<u64>()) {
        // Proves that only the 2^40 numbers of order codes are read as one, and each as itself.
        let code = OrderCode::from_integer(integer);
        prop_assert_eq!(code.is_some(), (1_u64 << 40..1 << 41).contains(&integer));
        prop_assert!(code.is_none_or(|code| code.to_integer() == integer));
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        // Proves that every reader answers arbitrary bytes, and takes none for proven.
        let key = checksum_key();
        prop_assert!(payos::read_webhook(&bytes, &key).is_err());
        prop_assert!(payos::read_answer::<PaymentRequest>(&bytes, &key).is_err());
        let _ = (pix::read_charge(&bytes), pix::read_payments(&bytes), sepay::read_page(&bytes));
        let text = String::from_utf8_lossy(&bytes);
        let headers = Headers { timestamp: Some("1796000000"), signature: Some(&text), authorization: Some(&text) };
        for auth in [Auth::Signature(Secret::new("k")), Auth::ApiKey(Secret::new("k"))] {
            prop_assert!(sepay::read_webhook(&bytes, headers, &auth, SIGNED_S).is_err());
        }
    }

    #[test]
    fn a_body_with_one_changed_byte_is_not_proven(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        // Proves that no single bit of a payOS webhook's data or signature can change unseen.
        let raw = payos_webhook(146_688);
        let from = raw.windows(7).position(|window| window == b"\"data\":").unwrap();
        let mut altered = raw.clone();
        let at = from + at.index(raw.len() - from);
        altered[at] ^= 1 << bit;
        let read = payos::read_webhook(&altered, &checksum_key());
        let honest = payos::read_webhook(&raw, &checksum_key());
        // A changed blank or spelling of the same value may be read; another value never.
        prop_assert!(read.is_err() || read == honest, "byte {} bit {}", at, bit);
    }

    #[test]
    fn a_sepay_proof_with_one_changed_bit_is_refused(at in any::<prop::sample::Index>(), bit in 0_u8..8, in_body in any::<bool>()) {
        // Proves that body and signature of SePay are bound to the bit.
        let body = sepay_body(&order().to_string());
        let signature = sepay::sign(&Secret::new(SEPAY_SECRET), SIGNED_S, body.as_bytes());
        let mut bytes = if in_body { body.clone() } else { signature.clone() }.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let altered = String::from_utf8_lossy(&bytes).into_owned();
        let read = if in_body { read_sepay(&altered, &signature, SIGNED_S) } else { read_sepay(&body, &altered, SIGNED_S) };
        prop_assert!(read.is_err());
        prop_assert!(signature::verify(&Secret::new(SEPAY_SECRET), b"x", &altered).is_err());
    }

    #[test]
    fn any_json_object_signs_and_checks(members in proptest::collection::btree_map("[a-zA-Z_]{1,8}", prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), any::<i64>().prop_map(Value::from), "\\PC{0,12}".prop_map(Value::from)], 0..8)) {
        // Proves that what the writer signs the reader accepts, for any flat data without imitated fields.
        let data = Value::Object(members.into_iter().collect());
        let raw = payos::write_signed(&data, true, &checksum_key()).unwrap();
        let envelope: Value = serde_json::from_slice(&raw).unwrap();
        let checked = payos::check_data(&envelope["data"].to_string(), envelope["signature"].as_str(), &checksum_key());
        let honest = checked.is_ok() || matches!(checked, Err(Reject::Imitation { .. }));
        prop_assert!(honest);
    }
}

#[test]
fn the_pix_login_is_written_as_rfc_7617_has_it() {
    // Proves user and secret reach the token endpoint readable, against the RFC's own examples and every padding.
    for (user, secret, written) in [
        ("Aladdin", "open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ("test", "123\u{a3}", "dGVzdDoxMjPCow=="),
        ("a", "b", "YTpi"),
        ("a", "bcd", "YTpiY2Q="),
    ] {
        let header = pix::basic_authorization(user, secret);
        assert_eq!(header, format!("Basic {written}"));
    }
}
