//! What `kiosk terminal` says, in Vietnamese and English.

use crate::format::{Language, amount as digits};
use crate::view::text::pick;
use hardware::terminal::doctor::Finding;
use hardware::terminal::{
    Amount, Approval, Baseline, Currency, DeclineReason, NotReady, NotStarted, OrderKind,
    TransactionIdentity, Unknown,
};

/// An amount with the code of its currency: `250.000 VND`.
pub fn money(amount: Amount, language: Language) -> String {
    let known = currency(amount.currency);
    let exponent = known.map_or(0, |currency| currency.exponent());
    let code = known.map_or_else(
        || amount.currency.0.to_string(),
        |currency| currency.code().to_owned(),
    );
    match i64::try_from(amount.minor) {
        Ok(minor) => format!("{} {code}", digits(minor, exponent, language)),
        Err(_) => format!("{} {code}", amount.minor),
    }
}

fn currency(number: Currency) -> Option<checkout::Currency> {
    checkout::Currency::all().find(|known| Currency::from_alpha(known.code()) == Some(number))
}

/// What an order does.
pub fn kind(kind: OrderKind, language: Language) -> &'static str {
    let (vietnamese, english) = match kind {
        OrderKind::Payment => ("thanh toán", "payment"),
        OrderKind::Refund => ("hoàn tiền", "refund"),
        OrderKind::Reversal => ("hủy giao dịch", "reversal"),
        OrderKind::DayClose => ("kết toán ngày", "end of day"),
    };
    pick(language, vietnamese, english)
}

/// The numbers a terminal gave a transaction; only those it gave.
pub fn identity(identity: &TransactionIdentity, language: Language) -> String {
    let mut parts = Vec::new();
    let mut add = |vietnamese, english, value: Option<String>| {
        if let Some(value) = value {
            parts.push(format!("{} {value}", pick(language, vietnamese, english)));
        }
    };
    add("máy", "terminal", identity.terminal_id.clone());
    let receipt = identity.receipt_number.map(|n| format!("{n:04}"));
    add("biên lai", "receipt", receipt);
    add(
        "số",
        "trace",
        identity.trace_number.map(|n| format!("{n:06}")),
    );
    let date = identity
        .date_mmdd
        .map(|date| format!("{:02}/{:02}", date % 100, date / 100));
    add("ngày", "day/month", date);
    let time = identity.time_hhmmss.map(|time| {
        let (hours, minutes, seconds) = (time / 10_000, time / 100 % 100, time % 100);
        format!("{hours:02}:{minutes:02}:{seconds:02}")
    });
    add("giờ", "time", time);
    let money = identity
        .amount_minor
        .zip(identity.currency)
        .map(|(minor, currency)| money(Amount::new(minor, currency), language));
    add("số tiền", "amount", money);
    let code = identity.authorisation_code.clone();
    add("chuẩn chi", "authorisation", code);
    add(
        "mã",
        "result",
        Some(format!("{:02X}", identity.result_code)),
    );
    parts.join(", ")
}

/// The terminal's statement that an order succeeded.
pub fn approval(approval: &Approval, language: Language) -> String {
    let mut text = identity(&approval.identity, language);
    if let Some(card) = approval.card {
        text.push_str(&format!(", {} …{card}", pick(language, "thẻ", "card")));
    }
    if let Some(scheme) = &approval.scheme {
        text.push_str(&format!(" {scheme}"));
    }
    text
}

/// The terminal's last transaction before an order.
pub fn baseline(baseline: &Baseline, language: Language) -> String {
    match baseline {
        Baseline::Last(last) => identity(last, language),
        Baseline::Empty { code } => format!(
            "{} ({code:02X})",
            pick(
                language,
                "máy thẻ chưa có giao dịch",
                "the terminal has none"
            )
        ),
        Baseline::Unavailable => pick(
            language,
            "máy thẻ không cho biết; nếu bị ngắt, nhân viên phải xem biên lai của máy",
            "the terminal cannot say; if it is cut off, staff must look at its slip",
        )
        .to_owned(),
    }
}

/// Why a terminal said no.
pub fn declined(reason: DeclineReason, language: Language) -> String {
    if language == Language::English {
        return reason.to_string();
    }
    match reason {
        DeclineReason::ByBank(code) => format!("ngân hàng từ chối ({code})"),
        DeclineReason::CancelledOrTimeout => "đã hủy hoặc quá thời gian".into(),
        DeclineReason::CardUnreadable => "không đọc được thẻ".into(),
        DeclineReason::CardNotAccepted => "không nhận thẻ này".into(),
        DeclineReason::LimitExceeded => "vượt hạn mức".into(),
        DeclineReason::BankUnreachable => "máy thẻ không kết nối được ngân hàng".into(),
        DeclineReason::CurrencyNotAccepted => "máy thẻ không nhận loại tiền này".into(),
        DeclineReason::Busy => "máy thẻ đang bận".into(),
        DeclineReason::NeedsAttention => "máy thẻ cần nhân viên".into(),
        DeclineReason::NotPossible => "máy thẻ không làm được lúc này".into(),
        DeclineReason::CardInserted => "còn thẻ trong máy".into(),
        DeclineReason::AlreadyReversed => "đã hủy từ trước".into(),
        DeclineReason::ReversalNotPossible => "không hủy được (nữa)".into(),
        DeclineReason::ForbiddenBySecurity => "cấu hình bảo mật của máy thẻ không cho phép".into(),
        DeclineReason::NotRegistered => "chưa đăng ký hoặc sai mật khẩu".into(),
        DeclineReason::Other(code) => format!("mã {code:02X}"),
    }
}

/// Why an order did not begin.
pub fn not_started(why: &NotStarted, language: Language) -> String {
    if language == Language::English {
        return why.to_string();
    }
    match why {
        NotStarted::NotConnected => "chưa kết nối máy thẻ; kiểm tra dây và nguồn".into(),
        NotStarted::Busy => "máy thẻ đang bận; thử lại sau".into(),
        NotStarted::Refused { code, reason } => {
            format!(
                "máy thẻ từ chối bắt đầu (mã {code:02X}): {}",
                declined(*reason, language)
            )
        }
        NotStarted::AmountDoesNotFit { minor, digits } => {
            format!("số tiền {minor} không vừa {digits} chữ số của máy thẻ này; hãy chia nhỏ")
        }
        NotStarted::AmountIsZero => "không thể trả số tiền 0 bằng thẻ".into(),
        NotStarted::WrongCurrency { .. } => "máy thẻ được cài loại tiền khác".into(),
        NotStarted::AlreadySent => "lần này đã gửi rồi; hãy tra kết quả".into(),
        NotStarted::AnotherInDoubt { in_doubt } => {
            format!("giao dịch {in_doubt} chưa rõ kết quả; hãy tra kết quả trước")
        }
        NotStarted::Unsupported => "máy thẻ này không làm được; dùng menu của máy".into(),
        NotStarted::NoSuchReceipt(number) => format!("máy thẻ không có biên lai số {number}"),
    }
}

/// Why a terminal is not ready.
pub fn not_ready(why: &NotReady, language: Language) -> String {
    match (language, why) {
        (Language::English, _) => why.to_string(),
        (_, NotReady::NotConnected) => "chưa kết nối máy thẻ; kiểm tra dây và nguồn".into(),
        (_, NotReady::NoAnswer) => "máy thẻ không trả lời; tắt máy rồi bật lại".into(),
        (_, NotReady::ProtocolCannotTell) => {
            "máy thẻ này không hỏi lại được; hãy xem biên lai của máy".into()
        }
        (_, NotReady::Busy) => "máy thẻ đang bận".into(),
        (_, NotReady::Condition(status)) => Finding::Condition(*status).text_vi(),
        (_, NotReady::Refused { code, reason }) => {
            format!(
                "máy thẻ từ chối (mã {code:02X}): {}",
                declined(*reason, language)
            )
        }
    }
}

/// Why it is not known whether money moved.
pub fn unknown(why: &Unknown, language: Language) -> String {
    if language == Language::English {
        return why.to_string();
    }
    match why {
        Unknown::LinkLost => "mất kết nối máy thẻ giữa chừng".into(),
        Unknown::NoReply => "máy thẻ không trả lời".into(),
        Unknown::NoCompletion => "máy thẻ không kết thúc đúng hạn".into(),
        Unknown::NotAcknowledged => "máy thẻ không xác nhận đã nhận lệnh".into(),
        Unknown::RejectedByKiosk => "không lưu được chuẩn chi, đã gửi trả máy thẻ".into(),
        Unknown::Mismatch { seen } => format!(
            "máy thẻ chuẩn chi khác số tiền hoặc loại tiền đã yêu cầu ({})",
            identity(seen, language)
        ),
        Unknown::Contradiction { code } => format!("máy thẻ nói trái ngược nhau (mã {code:02X})"),
        Unknown::NoResult => "máy thẻ kết thúc mà không nói đã trả hay chưa".into(),
        Unknown::DriverStopped => "chương trình dừng giữa chừng".into(),
    }
}
