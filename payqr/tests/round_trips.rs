//! Every strict encoder against its own decoder, over random legal values.
#![allow(clippy::unwrap_used)]

use payqr::epc::{EpcCharset, LineBreak};
use payqr::{
    Amount, DuitNow, EpcTransfer, Labels, Merchant, PayNow, PayNowProxy, PaymentCode, Pix,
    PixTarget, PromptPay, PromptPayTarget, Qris, QrisAcquirer, SwissAddress, SwissBill,
    SwissCurrency, SwissReference, ThaiBill, Upi, Vnpay, decode,
};
use proptest::option;
use proptest::prelude::*;

fn merchant() -> impl Strategy<Value = Merchant> {
    (
        option::of("[0-9]{4}"),
        "\\PC{1,25}",
        "\\PC{1,15}",
        option::of("[0-9A-Z]{1,10}"),
    )
        .prop_map(|(category, name, city, postal_code)| Merchant {
            category,
            name: Some(name),
            city: Some(city),
            postal_code,
        })
}

fn labels() -> impl Strategy<Value = Labels> {
    let label = || option::of("[A-Za-z0-9 -]{1,9}");
    (label(), label(), label(), label(), label()).prop_map(
        |(bill_number, store, reference, terminal, purpose)| Labels {
            bill_number,
            store,
            reference,
            terminal,
            purpose,
            ..Labels::default()
        },
    )
}

fn cents() -> impl Strategy<Value = Option<Amount>> {
    option::of((1_u64..100_000_000).prop_map(Amount::cents))
}

fn emv_code() -> impl Strategy<Value = PaymentCode> {
    let vnpay = (
        "[A-Za-z0-9]{1,20}",
        option::of(1_u64..500_000_000),
        merchant(),
        labels(),
    )
        .prop_map(|(merchant_id, amount_dong, merchant, labels)| {
            PaymentCode::Vnpay(Vnpay {
                merchant_id,
                amount_dong,
                merchant,
                labels,
            })
        });
    let pix_key = (
        "[!-~]{1,40}",
        option::of("\\PC{1,20}"),
        cents(),
        option::of("[A-Za-z0-9]{1,25}"),
        merchant(),
    )
        .prop_map(|(key, info, amount, transaction_id, merchant)| {
            PaymentCode::Pix(Pix {
                target: PixTarget::Key { key, info },
                amount,
                transaction_id,
                merchant,
            })
        });
    let pix_location = (
        "[a-z0-9./]{1,77}",
        option::of("[a-z0-9./]{1,77}"),
        merchant(),
    )
        .prop_map(|(location, recurrence, merchant)| {
            PaymentCode::Pix(Pix {
                target: PixTarget::Location {
                    location,
                    recurrence,
                },
                amount: None,
                transaction_id: None,
                merchant,
            })
        });
    let target = prop_oneof![
        "0[0-9]{9}".prop_map(PromptPayTarget::Phone),
        "[0-9]{13}".prop_map(PromptPayTarget::NationalId),
        "[0-9]{15}".prop_map(PromptPayTarget::Wallet),
    ];
    let promptpay = (target, cents())
        .prop_map(|(target, amount)| PaymentCode::PromptPay(PromptPay { target, amount }));
    let bill = (
        "[0-9]{1,15}",
        "[A-Za-z0-9]{1,20}",
        option::of("[A-Z0-9]{1,20}"),
        option::of("[A-Z0-9]{1,25}"),
        cents(),
    )
        .prop_map(|(biller_id, reference1, reference2, reference3, amount)| {
            PaymentCode::ThaiBill(ThaiBill {
                biller_id,
                reference1,
                reference2,
                reference3,
                amount,
            })
        });
    let proxy = prop_oneof![
        "[+]65[0-9]{8}".prop_map(PayNowProxy::Mobile),
        "[0-9]{9}[A-Z]".prop_map(PayNowProxy::Uen),
    ];
    let paynow = (
        proxy,
        any::<bool>(),
        option::of("20[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|2[0-8])"),
        cents(),
        option::of("[ -~]{1,25}"),
        merchant(),
    )
        .prop_map(|(proxy, editable, expiry, amount, reference, merchant)| {
            PaymentCode::PayNow(PayNow {
                proxy,
                amount_editable: editable || amount.is_none(),
                expiry,
                amount,
                reference,
                sgqr_id: None,
                merchant,
            })
        });
    let acquirer = (
        "ID[.]CO[.][A-Z]{2,8}[.]WWW",
        "[0-9]{15,19}",
        "[0-9A-Z]{1,15}",
        "U(MI|KE|ME|BE)",
    )
        .prop_map(
            |(domain, merchant_pan, merchant_id, criteria)| QrisAcquirer {
                domain,
                merchant_pan,
                merchant_id,
                criteria,
            },
        );
    let qris = (
        proptest::collection::vec(acquirer, 1..3),
        "ID[0-9]{13}",
        option::of(1_u64..10_000_000),
        merchant(),
        labels(),
    )
        .prop_map(|(acquirers, nmid, amount, merchant, labels)| {
            PaymentCode::Qris(Qris {
                acquirers,
                national_merchant_id: Some(nmid),
                criteria: Some("UMI".into()),
                amount: amount.map(Amount::whole),
                merchant,
                labels,
            })
        });
    let duitnow = (
        "[0-9]{6}",
        "[A-Za-z0-9]{1,40}",
        cents(),
        merchant(),
        labels(),
        option::of("[0-9A-F]{64}"),
    )
        .prop_map(|(bank, account, amount, merchant, labels, check_value)| {
            PaymentCode::DuitNow(DuitNow {
                bank,
                account,
                amount,
                merchant,
                labels,
                check_value,
            })
        });
    prop_oneof![
        vnpay,
        pix_key,
        pix_location,
        promptpay,
        bill,
        paynow,
        qris,
        duitnow
    ]
}

fn epc() -> impl Strategy<Value = EpcTransfer> {
    let iban = prop_oneof![
        Just("DE71110220330123456789"),
        Just("FR1420041010050500013M02606"),
        Just("BE72000000001616")
    ];
    let remittance = prop_oneof![
        Just((None, None)),
        Just((Some("RF18539007547034".to_owned()), None)),
        "[A-Za-zÀ-ÿ0-9 .,]{0,60}[a-z]".prop_map(|text| (None, Some(text))),
    ];
    let charset = prop_oneof![
        Just(EpcCharset::Utf8),
        Just(EpcCharset::Iso8859_1),
        Just(EpcCharset::Iso8859_15)
    ];
    let amount = option::of(
        (1_u64..99_999_999_999, 0_u8..3).prop_map(|(minor, decimals)| {
            Amount::new(minor % 10_u64.pow(9) + 1, decimals).unwrap()
        }),
    );
    (
        iban,
        "[A-Za-zÀ-ÿ0-9 .&'-]{0,40}[a-z]",
        option::of("[A-Z]{4}DE[A-Z0-9]{2}"),
        amount,
        remittance,
        option::of("[ -~]{0,30}[a-z]"),
        charset,
        any::<bool>(),
    )
        .prop_map(
            |(iban, name, bic, amount, (reference, text), information, charset, crlf)| {
                EpcTransfer {
                    charset,
                    line_break: if crlf { LineBreak::CrLf } else { LineBreak::Lf },
                    bic,
                    name,
                    iban: iban.into(),
                    amount: amount.filter(|amount| {
                        amount.minor(2).is_some_and(|minor| minor <= 99_999_999_999)
                    }),
                    reference,
                    text,
                    information,
                    ..EpcTransfer::default()
                }
            },
        )
}

fn address() -> impl Strategy<Value = SwissAddress> {
    (
        "[A-Za-zÀ-ſ0-9 .&'-]{0,60}[a-z]",
        "[A-Za-zÀ-ſ .]{0,30}",
        "[0-9]{0,4}",
        "[0-9]{4}",
        "[A-Za-zÀ-ſ]{1,35}",
        "(CH|LI|DE|FR)",
    )
        .prop_map(
            |(name, street, house_number, postal_code, town, country)| SwissAddress {
                name,
                street,
                house_number,
                postal_code,
                town,
                country,
                combined: false,
            },
        )
}

fn swiss() -> impl Strategy<Value = SwissBill> {
    let account = prop_oneof![
        Just((
            "CH4431999123000889012",
            SwissReference::Qr("210000000003139471430009017".into())
        )),
        Just((
            "CH9300762011623852957",
            SwissReference::Creditor("RF18539007547034".into())
        )),
        Just(("CH9300762011623852957", SwissReference::None)),
    ];
    (
        account,
        address(),
        option::of(address()),
        cents(),
        any::<bool>(),
        "[ -~]{0,60}",
        "(//S1/[0-9/]{0,40})?",
        any::<bool>(),
    )
        .prop_map(
            |(
                (iban, reference),
                creditor,
                debtor,
                amount,
                euro,
                message,
                bill_information,
                crlf,
            )| SwissBill {
                iban: iban.into(),
                creditor,
                amount,
                currency: if euro {
                    SwissCurrency::Eur
                } else {
                    SwissCurrency::Chf
                },
                debtor,
                reference,
                message,
                bill_information,
                alternatives: Vec::new(),
                line_break: if crlf { LineBreak::CrLf } else { LineBreak::Lf },
            },
        )
}

fn upi() -> impl Strategy<Value = Upi> {
    let others = option::of(("(mode|orgid|sign|x y|é)", "\\PC{0,20}"));
    (
        "[a-z0-9._-]{1,20}@[a-z]{2,10}",
        option::of("\\PC{1,40}"),
        option::of("[0-9]{4}"),
        option::of("[!-~]{1,35}"),
        option::of("\\PC{1,80}"),
        cents(),
        others,
    )
        .prop_map(
            |(payee_address, payee_name, merchant_category, reference, note, amount, other)| Upi {
                payee_address,
                payee_name,
                merchant_category,
                transaction_id: None,
                reference,
                note,
                amount,
                other: other.into_iter().collect(),
            },
        )
}

fn survives(code: &PaymentCode) {
    let bytes = code.encode().unwrap();
    let decoded = decode(&bytes).unwrap();
    assert_eq!(&decoded.code, code);
    assert_eq!(decoded.code.encode().unwrap(), bytes);
    if let Some(payload) = decoded.payload {
        assert_eq!(payload.encode().unwrap().as_bytes(), bytes);
    }
    let json = serde_json::to_string(code).unwrap();
    assert_eq!(&serde_json::from_str::<PaymentCode>(&json).unwrap(), code);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn emv_schemes(code in emv_code()) {
        // Proves decode(encode(x)) == x, byte-identical re-encoding and the JSON form for every EMV scheme.
        survives(&code);
    }

    #[test]
    fn sepa_transfers(code in epc()) {
        // Proves the same for EPC codes in three character sets and both line breaks.
        survives(&PaymentCode::Epc(code));
    }

    #[test]
    fn swiss_bills(code in swiss()) {
        // Proves the same for Swiss QR-bills with each kind of reference.
        survives(&PaymentCode::SwissBill(code));
    }

    #[test]
    fn upi_links(code in upi()) {
        // Proves the same for UPI links with any text in them.
        survives(&PaymentCode::Upi(code));
    }
}
