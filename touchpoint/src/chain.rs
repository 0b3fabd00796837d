//! The hash chain that makes a gap or an altered event visible.

use sha2::{Digest, Sha256};

/// A link of the chain: 32 bytes of SHA-256.
pub type Chain = [u8; 32];

/// The link before the first event of every lane of every journal.
pub const GENESIS: Chain = [0; 32];

/// Domain tag, so that a chain link can never be mistaken for a Merkle node or a payload hash.
const TAG: &[u8; 4] = b"tpj1";

/// The link after an event: `SHA-256("tpj1" ‖ previous ‖ bytes)`, with the event's stored bytes (no line feed).
#[must_use]
pub fn chain_next(previous: Chain, bytes: &[u8]) -> Chain {
    let mut hasher = Sha256::new();
    hasher.update(TAG);
    hasher.update(previous);
    hasher.update(bytes);
    hasher.finalize().into()
}

/// The link after a run of events, starting from `previous`.
pub fn chain_run<'a>(previous: Chain, events: impl IntoIterator<Item = &'a [u8]>) -> Chain {
    events.into_iter().fold(previous, chain_next)
}

/// SHA-256 of `bytes`, as `sha256sum` prints it when encoded with [`crate::hex`].
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn first_link_equals_sha256sum() {
        // Proves: a link is what `{ printf tpj1; head -c32 /dev/zero; printf '{}'; } | sha256sum` prints.
        assert_eq!(
            crate::hex::encode(&chain_next(GENESIS, b"{}")),
            "13cbc3621d9a87938152bef0b318f281ab98e4e7e8b710ad350f35d39efaa832"
        );
    }

    #[test]
    fn order_and_content_move_the_chain() {
        // Proves: swapping, changing or dropping an event gives another link.
        let whole = chain_run(GENESIS, [b"a".as_slice(), b"b"]);
        for other in [
            chain_run(GENESIS, [b"b".as_slice(), b"a"]),
            chain_run(GENESIS, [b"ab".as_slice()]),
            chain_run(GENESIS, [b"a".as_slice()]),
        ] {
            assert_ne!(whole, other);
        }
    }
}
