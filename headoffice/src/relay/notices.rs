//! Notices as they came, for the day somebody asks what a provider really sent.
//!
//! Bounded: each distinct notice once, and of refused ones only so many a day. What they say of the payer is left out.

use super::ledger::AccountId;
use crate::store::{Store, StoreError};
use rusqlite::params;
use touchpoint::chain::sha256;

/// Refused notices kept for each account and day; the rest are counted in the log only.
const REFUSED_A_DAY: i64 = 100;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// Longest body kept.
const BODY_BYTES_MAX: usize = 8_192;
/// Members that speak of the payer, or of the balance, by the beginning of their names.
const LEFT_OUT: [&str; 5] = [
    "counteraccount",
    "buyer",
    "accumulated",
    "infopagador",
    "devedor",
];

/// One notice with its verdict.
#[derive(Debug, Clone, Copy)]
pub struct Notice<'a> {
    /// As it came.
    pub raw: &'a [u8],
    /// `credited`, `known`, `conflict`, `no_credit`, `refused`, `unreadable`.
    pub verdict: &'a str,
    /// Why.
    pub detail: &'a str,
    /// Proven to be the provider's: its body is kept.
    pub trusted: bool,
}

impl Store {
    /// Keeps a notice unless it is known, or one refused notice too many today.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep_notice(&self, account: AccountId, notice: &Notice<'_>) -> Result<(), StoreError> {
        let now_ms = self.clock.now_ms();
        let body = notice.trusted.then(|| without_payer(notice.raw)).flatten();
        let detail: String = notice.detail.chars().take(300).collect();
        self.writer()
            .prepare_cached(
                "INSERT INTO notice (account, at_ms, sha256, bytes, verdict, detail, body)
                 SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
                 WHERE ?8 OR (SELECT count(*) FROM notice WHERE account = ?1 AND at_ms > ?2 - ?9 AND body IS NULL) < ?10
                 ON CONFLICT (account, sha256) DO NOTHING",
            )?
            .execute(params![
                account.0,
                now_ms,
                sha256(notice.raw),
                i64::try_from(notice.raw.len()).unwrap_or(i64::MAX),
                notice.verdict,
                detail,
                body,
                body.is_some(),
                DAY_MS,
                REFUSED_A_DAY,
            ])?;
        Ok(())
    }
}

/// The body without what it says of the payer; `None` when it is no JSON or too long.
fn without_payer(raw: &[u8]) -> Option<String> {
    let mut value: serde_json::Value = serde_json::from_slice(raw).ok()?;
    leave_out(&mut value);
    Some(value.to_string()).filter(|text| text.chars().count() <= BODY_BYTES_MAX)
}

fn leave_out(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(members) => {
            members.retain(|name, _| {
                let name = name.to_ascii_lowercase();
                !LEFT_OUT.iter().any(|start| name.starts_with(start))
            });
            members.values_mut().for_each(leave_out);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(leave_out),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn nothing_of_the_payer_is_kept() {
        // Proves that payer's name, account and bank and the balance are left out, at any depth, and the rest stays.
        let raw = br#"{"data":{"orderCode":7,"counterAccountName":"NGUYEN VAN A","counterAccountNumber":"999",
            "accumulated":5,"list":[{"infoPagador":"x","reference":"FT1"}]}}"#;
        let kept = without_payer(raw).unwrap();
        assert_eq!(
            kept,
            r#"{"data":{"list":[{"reference":"FT1"}],"orderCode":7}}"#
        );
        assert_eq!(without_payer(b"not json"), None);
    }
}
