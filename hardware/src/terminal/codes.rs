//! Result and status codes in words: what the shopper should do, why a card was refused.
//!
//! Source: ZVT PA00P015 chapter 10 (result codes) and 3.7 (intermediate status).

use serde::{Deserialize, Serialize};

use super::types::TerminalStatus;

/// What the shopper's screen should say while the terminal works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ShopperPrompt {
    /// Insert, tap or swipe the card.
    PresentCard,
    /// Take the card out.
    RemoveCard,
    /// Look at the terminal: PIN, amount or application is asked there.
    FollowTerminal,
    /// Please wait.
    Wait,
    /// The bank is being asked.
    AskingBank,
    /// A wrong PIN was entered; the terminal asks again.
    WrongPin,
    /// The card is not accepted, expired or unreadable; the terminal may ask for another.
    CardNotAccepted,
    /// The terminal says it is declined; the outcome follows.
    Declining,
    /// The terminal says it is approved; the outcome follows. Not yet a payment.
    Approving,
    /// The terminal takes the money back.
    TakingBack,
}

impl ShopperPrompt {
    /// Prompt for a ZVT intermediate status code (`04 FF`); `None` if the code says nothing a
    /// shopper can act on.
    pub fn from_zvt(code: u8) -> Option<Self> {
        Some(match code {
            0x0A | 0x2A => Self::PresentCard,
            0x0B | 0x41 | 0x42 => Self::RemoveCard,
            0x00..=0x02 | 0x26..=0x29 | 0x2C | 0xE0..=0xE2 => Self::FollowTerminal,
            0x04 | 0xD2 | 0xD3 => Self::AskingBank,
            0x05 | 0x45 => Self::TakingBack,
            0x15 => Self::WrongPin,
            0x03 | 0x07..=0x09 | 0x0C | 0x10 | 0x18 | 0x19 | 0x47..=0x49 | 0x4C | 0x50 => {
                Self::CardNotAccepted
            }
            0x1D | 0x13 | 0x14 | 0x16 | 0x53..=0x56 => Self::Declining,
            0x1B | 0x1C => Self::Approving,
            0x06 | 0x0E | 0x0F | 0x17 | 0x1A | 0x2B | 0x46 | 0x4E | 0x57 => Self::Wait,
            _ => return None,
        })
    }

    /// Words for the shopper in Vietnamese.
    pub fn text_vi(self) -> &'static str {
        match self {
            Self::PresentCard => "Đưa thẻ vào máy hoặc chạm thẻ",
            Self::RemoveCard => "Vui lòng rút thẻ ra",
            Self::FollowTerminal => "Vui lòng làm theo máy thẻ",
            Self::Wait => "Vui lòng chờ",
            Self::AskingBank => "Đang hỏi ngân hàng",
            Self::WrongPin => "Sai mã PIN, vui lòng nhập lại",
            Self::CardNotAccepted => "Máy không nhận thẻ này",
            Self::Declining => "Thẻ bị từ chối",
            Self::Approving => "Sắp xong, vui lòng chờ",
            Self::TakingBack => "Đang hoàn lại tiền",
        }
    }

    /// Words for the shopper in English.
    pub fn text_en(self) -> &'static str {
        match self {
            Self::PresentCard => "Insert or tap your card",
            Self::RemoveCard => "Please remove your card",
            Self::FollowTerminal => "Please follow the card terminal",
            Self::Wait => "Please wait",
            Self::AskingBank => "Asking your bank",
            Self::WrongPin => "Wrong PIN, please try again",
            Self::CardNotAccepted => "This card is not accepted",
            Self::Declining => "The card was declined",
            Self::Approving => "Almost done, please wait",
            Self::TakingBack => "Taking the payment back",
        }
    }
}

/// Why a card payment was refused, as far as the terminal says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeclineReason {
    /// The bank said no (its own code, 1 to 99).
    ByBank(u8),
    /// Cancelled at the terminal, or the shopper took too long.
    CancelledOrTimeout,
    /// The card could not be read or is damaged.
    CardUnreadable,
    /// The card is expired, not yet valid, blocked or of a kind this shop does not take.
    CardNotAccepted,
    /// Not enough credit, or a limit was exceeded.
    LimitExceeded,
    /// The terminal could not reach the bank.
    BankUnreachable,
    /// The terminal does not take this currency.
    CurrencyNotAccepted,
    /// The terminal is busy; ask again.
    Busy,
    /// The terminal needs its day closed, its journal emptied or its printer filled.
    NeedsAttention,
    /// The terminal does not know the command, or not in this state.
    NotPossible,
    /// A card is still inside.
    CardInserted,
    /// The transaction was reversed before: what a reversal wants is so already.
    AlreadyReversed,
    /// The transaction cannot be reversed (any more).
    ReversalNotPossible,
    /// The terminal's security settings forbid it.
    ForbiddenBySecurity,
    /// Wrong password or not registered.
    NotRegistered,
    /// Another code.
    Other(u8),
}

impl DeclineReason {
    /// Meaning of a ZVT result code (PA00P015 chapter 10). 0 is success and never comes here.
    pub fn from_zvt(code: u8) -> Self {
        match code {
            0x01..=0x63 => Self::ByBank(code),
            0x64 | 0x65 | 0x72 | 0x73 | 0xDD | 0xDE => Self::CardUnreadable,
            0x67 | 0x68 | 0x6E | 0x78 | 0x79 | 0x7A | 0xC4 | 0xC5 | 0xE9 | 0xEA | 0xD2 => {
                Self::CardNotAccepted
            }
            0x6A | 0x77 | 0xB1 | 0xB2 | 0xC2 | 0xCC | 0xF0 => Self::NeedsAttention,
            0x6B | 0x85 => Self::NotRegistered,
            0x6C => Self::CancelledOrTimeout,
            0x6F | 0xC6 | 0xCB => Self::CurrencyNotAccepted,
            0x71 | 0xC3 | 0xC8 | 0xC9 => Self::LimitExceeded,
            0x7D | 0x9B | 0xA1 | 0xA3 => Self::BankUnreachable,
            0x83 | 0xEB => Self::NotPossible,
            0x9C | 0xA0 => Self::Busy,
            0xA5 => Self::ForbiddenBySecurity,
            0xB4 => Self::AlreadyReversed,
            0xB5 => Self::ReversalNotPossible,
            0xDC => Self::CardInserted,
            other => Self::Other(other),
        }
    }
}

impl std::fmt::Display for DeclineReason {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ByBank(code) => write!(out, "refused by the bank ({code})"),
            Self::CancelledOrTimeout => out.write_str("cancelled, or nobody answered in time"),
            Self::CardUnreadable => out.write_str("the card could not be read"),
            Self::CardNotAccepted => out.write_str("this card is not accepted"),
            Self::LimitExceeded => out.write_str("a limit was exceeded"),
            Self::BankUnreachable => out.write_str("the bank could not be reached"),
            Self::CurrencyNotAccepted => out.write_str("the currency is not accepted"),
            Self::Busy => out.write_str("the terminal is busy"),
            Self::NeedsAttention => out.write_str("the terminal needs staff"),
            Self::NotPossible => out.write_str("not possible on this terminal now"),
            Self::CardInserted => out.write_str("a card is still inside"),
            Self::AlreadyReversed => out.write_str("it was reversed before"),
            Self::ReversalNotPossible => out.write_str("it cannot be reversed (any more)"),
            Self::ForbiddenBySecurity => out.write_str("forbidden by the terminal's security"),
            Self::NotRegistered => out.write_str("not registered, or wrong password"),
            Self::Other(code) => write!(out, "code {code:02X}"),
        }
    }
}

impl TerminalStatus {
    /// Meaning of the status byte in the completion of `05 01` (PA00P015 2.56).
    pub fn from_zvt(code: u8) -> Self {
        match code {
            0x00 => Self::Ready,
            0x51 => Self::NeedsInitialisation,
            0x62 => Self::ClockWrong,
            0x9C => Self::Busy,
            0xB1 | 0xB2 => Self::JournalFull,
            0xC2 => Self::NeedsDiagnosis,
            0xCC => Self::PrinterNotReady,
            0xDC | 0xE1 => Self::CardInserted,
            0xDF => Self::OutOfOrder,
            0xF0 => Self::NeedsReconciliation,
            other => Self::Other(other),
        }
    }
}
