//! Who asks: the kiosk's signature on a request, its time, and that it was not asked before.

use crate::{
    accept::{Standing, standing},
    store::{Store, StoreError},
};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, PoisonError},
};
use touchpoint::{
    DeviceId,
    relay::{Call, CallProof, PROOF_WINDOW_MS, RefusalKind},
    wire::Signed,
};

/// Requests of one kiosk remembered within the window: 13 a second. A kiosk that asks more is told to wait.
const NONCES_MAX: usize = 8_192;
/// Longest proof read.
const PROOF_BYTES_MAX: usize = 1_024;

/// Remembers which requests were made.
#[derive(Debug)]
pub struct Gate {
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    /// Nothing signed before this start is taken: what was seen before it is forgotten.
    since_ms: i64,
    nonces: HashMap<DeviceId, BTreeSet<(i64, [u8; 16])>>,
}

/// A request that is what it says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who asks.
    pub device: DeviceId,
    /// To be repeated in the answer.
    pub nonce: [u8; 16],
}

impl Gate {
    /// A gate that opens at `now_ms`.
    #[must_use]
    pub fn new(now_ms: i64) -> Self {
        Self {
            seen: Mutex::new(Seen {
                since_ms: now_ms,
                nonces: HashMap::new(),
            }),
        }
    }

    /// Checks a request.
    ///
    /// # Errors
    /// The outer error is the database's; the inner says why the request is refused.
    pub fn check(
        &self,
        store: &Store,
        signed: &Signed,
        call: Call<'_>,
    ) -> Result<Result<Caller, RefusalKind>, StoreError> {
        if signed.document.len() > PROOF_BYTES_MAX {
            return Ok(Err(RefusalKind::Malformed));
        }
        let Ok(claimed) = signed.peek::<CallProof>() else {
            return Ok(Err(RefusalKind::Malformed));
        };
        let key = match store.read(|db| standing(db, &claimed.device))? {
            Standing::Unknown => return Ok(Err(RefusalKind::UnknownDevice)),
            Standing::Revoked => return Ok(Err(RefusalKind::Revoked)),
            Standing::Trusted(key) => key,
        };
        let Ok(proof) = signed.open::<CallProof>(&key) else {
            return Ok(Err(RefusalKind::Signature));
        };
        if !proof.covers(call) {
            return Ok(Err(RefusalKind::Signature));
        }
        Ok(self.once(&proof, store.clock.now_ms()))
    }

    fn once(&self, proof: &CallProof, now_ms: i64) -> Result<Caller, RefusalKind> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // Head office's own clock may have been set back since the start.
        seen.since_ms = seen.since_ms.min(now_ms);
        if !proof.is_current(now_ms) || proof.at_ms < seen.since_ms {
            return Err(RefusalKind::Stale);
        }
        let nonces = seen.nonces.entry(proof.device.clone()).or_default();
        let oldest = (now_ms.saturating_sub(PROOF_WINDOW_MS), [0; 16]);
        *nonces = nonces.split_off(&oldest);
        if nonces.len() >= NONCES_MAX {
            return Err(RefusalKind::Busy);
        }
        if !nonces.insert((proof.at_ms, proof.nonce)) {
            return Err(RefusalKind::Replayed);
        }
        Ok(Caller {
            device: proof.device.clone(),
            nonce: proof.nonce,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const NOW_MS: i64 = 1_795_312_800_000;

    fn proof(at_ms: i64, nonce: u8) -> CallProof {
        let call = Call {
            method: "GET",
            target: "/v1/orders/X",
            body: b"",
        };
        CallProof::new(DeviceId::new("k-1").unwrap(), call, at_ms, [nonce; 16])
    }

    #[test]
    fn a_request_is_taken_once() {
        // Proves that a replay is refused within the window, by its time beyond it, and after a restart.
        let gate = Gate::new(NOW_MS);
        assert!(gate.once(&proof(NOW_MS, 1), NOW_MS).is_ok());
        assert_eq!(
            gate.once(&proof(NOW_MS, 1), NOW_MS + 299_000),
            Err(RefusalKind::Replayed)
        );
        assert_eq!(
            gate.once(&proof(NOW_MS, 1), NOW_MS + 300_001),
            Err(RefusalKind::Stale)
        );
        let restarted = Gate::new(NOW_MS + 10);
        assert_eq!(
            restarted.once(&proof(NOW_MS, 1), NOW_MS + 20),
            Err(RefusalKind::Stale)
        );
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out() {
        // Proves that after head office's clock was corrected by an hour, requests of the new time are taken.
        let gate = Gate::new(NOW_MS);
        let earlier = NOW_MS - 3_600_000;
        assert!(gate.once(&proof(earlier, 2), earlier).is_ok());
    }
}
