//! Payment QR codes: EMVCo Merchant-Presented Mode and its national schemes,
//! EPC069-12, Swiss QR-bill and UPI; and what the payment providers behind such
//! codes send ([`provider`]).
//!
//! Pure text to values and back: no input or output, no clock, no randomness,
//! no float. Encoders are strict (what they write is inside the published
//! rules); decoders are liberal (what real codes do is read) and lossless: a
//! decoded [`Payload`] encodes to the identical bytes. Every error says what is
//! wrong and where.
//!
//! ```
//! use payqr::VietQr;
//! let text = VietQr::account("970416", "257678859")
//!     .with_amount(10_000)
//!     .with_memo("Chuyen tien")
//!     .encode()?;
//! assert!(text.ends_with("62150811Chuyen tien630453E6"));
//! # Ok::<(), payqr::EncodeError>(())
//! ```

pub mod amount;
pub mod banks;
pub mod code;
pub mod crc;
pub mod duitnow;
mod encode;
pub mod epc;
pub mod error;
pub mod iban;
pub mod memo;
pub mod merchant;
pub mod order_code;
pub mod payload;
pub mod paynow;
pub mod pix;
pub mod promptpay;
pub mod provider;
pub mod qris;
pub mod swiss;
pub mod tlv;
pub mod upi;
pub mod vietqr;
pub mod vnpay;

pub use amount::Amount;
pub use banks::{Bank, BankTable, BankTableError, SignedTable, TableKey};
pub use code::{Decoded, PaymentCode, decode};
pub use duitnow::DuitNow;
pub use epc::EpcTransfer;
pub use error::{DecodeError, EncodeError, Fault, Place};
pub use memo::MemoRule;
pub use merchant::{Labels, Merchant};
pub use order_code::{MemoMatch, OrderCode, OrderCodeError, StorePrefix};
pub use payload::{Payload, Warning};
pub use paynow::{PayNow, PayNowProxy};
pub use pix::{Pix, PixTarget};
pub use promptpay::{PromptPay, PromptPayTarget, ThaiBill};
pub use qris::{Qris, QrisAcquirer};
pub use swiss::{SwissAddress, SwissBill, SwissCurrency, SwissReference};
pub use tlv::{Field, Id, LengthUnit};
pub use upi::Upi;
pub use vietqr::{Service, VietQr, Wallet};
pub use vnpay::Vnpay;
