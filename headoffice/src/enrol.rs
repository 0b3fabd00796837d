//! Letting a kiosk in: one-time codes, keys, revocation.

use crate::store::{Store, StoreError};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use touchpoint::{
    DeviceId, VerifyingKey,
    chain::sha256,
    wire::{EnrolAnswer, EnrolRequest, Signed},
};

/// A code is good for this long.
pub const CODE_LIFE_MS: i64 = 15 * 60 * 1_000;
/// Crockford's base 32: no I, L, O, U, so that a code read aloud is not misheard.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// 16 characters of 5 bits: 80 random bits.
const CODE_CHARACTERS: usize = 16;
/// 26 characters of 5 bits: 130 random bits.
const VIEWER_KEY_CHARACTERS: usize = 26;
const MAX_NAME_CHARACTERS: usize = 60;

/// Why a kiosk was not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnrolError {
    /// Nobody made this code.
    #[error(
        "the code is not known; check it for typing errors or make a new one with `headoffice code`"
    )]
    CodeUnknown,
    /// Another kiosk used it.
    #[error("the code was already used by another kiosk; make a new one with `headoffice code`")]
    CodeUsed,
    /// Too late.
    #[error("the code is older than 15 minutes; make a new one with `headoffice code`")]
    CodeExpired,
    /// The request is not signed by the key it names.
    #[error("the request is not signed by the key it names; the kiosk's program is at fault")]
    Signature,
    /// The request cannot be read.
    #[error("the request cannot be read: {0}")]
    Malformed(String),
    /// The key belongs to a revoked device.
    #[error("this kiosk was revoked; erase its key before enrolling it again")]
    Revoked,
}

impl EnrolError {
    /// The stable code of the wire answer.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::CodeUnknown => "code_unknown",
            Self::CodeUsed => "code_used",
            Self::CodeExpired => "code_expired",
            Self::Signature => "signature",
            Self::Malformed(_) => "malformed",
            Self::Revoked => "revoked",
        }
    }
}

impl Store {
    /// Makes a code for a kiosk of this store, making the store when it is new. Shown once, kept only as a digest.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn enrolment_code(&self, store: &str) -> Result<String, StoreError> {
        let code = random_text(CODE_CHARACTERS)?;
        let now_ms = self.clock.now_ms();
        let mut writer = self.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let name: String = store.trim().chars().take(120).collect();
        transaction.execute(
            "INSERT OR IGNORE INTO store (name, created_ms) VALUES (?1, ?2)",
            params![name, now_ms],
        )?;
        // Codes nobody used are worthless the moment they expire.
        transaction.execute(
            "DELETE FROM enrolment_code WHERE used_ms IS NULL AND expires_ms < ?1",
            [now_ms - CODE_LIFE_MS],
        )?;
        transaction.execute(
            "INSERT INTO enrolment_code (digest, store, expires_ms)
             SELECT ?1, id, ?2 FROM store WHERE name = ?3",
            params![sha256(code.as_bytes()), now_ms + CODE_LIFE_MS, name],
        )?;
        transaction.commit()?;
        let groups: Vec<&str> = (0..CODE_CHARACTERS)
            .step_by(4)
            .map(|at| &code[at..at + 4])
            .collect();
        Ok(groups.join("-"))
    }

    /// Lets a kiosk in. A kiosk that lost the answer may ask again with the same code and key and gets the same id.
    ///
    /// # Errors
    /// The outer error is the database's; the inner says why the kiosk was not let in.
    pub fn enrol(&self, signed: &Signed) -> Result<Result<EnrolAnswer, EnrolError>, StoreError> {
        let request = match check(signed) {
            Ok(request) => request,
            Err(error) => return Ok(Err(error)),
        };
        let mut writer = self.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let now_ms = self.clock.now_ms();
        let outcome = claim(&transaction, &request, now_ms)?;
        transaction.commit()?;
        Ok(outcome.map(|(device, store)| EnrolAnswer {
            device,
            store,
            head_office_key: self.key().verifying_key().to_bytes(),
            time_zone: self.time_zone.name().into(),
            now_ms,
        }))
    }

    /// Makes a key that opens the dashboard. Shown once, kept only as a digest.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn viewer_key(&self, name: &str) -> Result<String, StoreError> {
        let key = random_text(VIEWER_KEY_CHARACTERS)?;
        self.writer().execute(
            "INSERT INTO viewer_key (digest, name, created_ms) VALUES (?1, ?2, ?3)",
            params![sha256(key.as_bytes()), name, self.clock.now_ms()],
        )?;
        Ok(key)
    }

    /// Whether `key` opens the dashboard; with no key, whether the dashboard is still open to this machine.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn may_view(&self, key: Option<&str>, loopback: bool) -> Result<bool, StoreError> {
        let digest = key.map(|key| sha256(normalise(key).as_bytes()));
        self.read(|connection| {
            let (keys, hits): (i64, i64) = connection.query_row(
                "SELECT count(*), count(*) FILTER (WHERE digest = ?1) FROM viewer_key",
                [digest],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            Ok(hits > 0 || (keys == 0 && loopback))
        })
    }

    /// Stops accepting a device. What it sent before stays. Returns whether there was such a device.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn revoke(&self, device: &DeviceId) -> Result<bool, StoreError> {
        let changed = self.writer().execute(
            "UPDATE device SET revoked_ms = coalesce(revoked_ms, ?2) WHERE id = ?1",
            params![device.as_str(), self.clock.now_ms()],
        )?;
        Ok(changed == 1)
    }
}

fn check(signed: &Signed) -> Result<EnrolRequest, EnrolError> {
    let claimed: EnrolRequest = signed
        .peek()
        .map_err(|error| EnrolError::Malformed(error.to_string()))?;
    let key = VerifyingKey::from_bytes(&claimed.public_key).map_err(|_| EnrolError::Signature)?;
    let request: EnrolRequest = signed.open(&key).map_err(|_| EnrolError::Signature)?;
    let name = request.name.trim();
    if name.is_empty()
        || name.chars().count() > MAX_NAME_CHARACTERS
        || name.contains(char::is_control)
    {
        return Err(EnrolError::Malformed(
            "the name must have 1 to 60 characters".into(),
        ));
    }
    Ok(request)
}

type Claimed = Result<(DeviceId, String), EnrolError>;

fn claim(
    connection: &Connection,
    request: &EnrolRequest,
    now_ms: i64,
) -> Result<Claimed, StoreError> {
    let digest = sha256(normalise(&request.code).as_bytes());
    let row: Option<(i64, String, i64, Option<String>)> = connection
        .query_row(
            "SELECT store.id, store.name, expires_ms, device FROM enrolment_code
             JOIN store ON store.id = enrolment_code.store WHERE digest = ?1",
            [digest],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .optional()?;
    let Some((store, store_name, expires_ms, used_by)) = row else {
        return Ok(Err(EnrolError::CodeUnknown));
    };
    let owner: Option<(String, Option<i64>)> = connection
        .query_row(
            "SELECT id, revoked_ms FROM device WHERE public_key = ?1",
            [request.public_key],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    match (used_by, owner) {
        (Some(_), None) => Ok(Err(EnrolError::CodeUsed)),
        (_, Some((_, Some(_)))) => Ok(Err(EnrolError::Revoked)),
        (Some(used_by), Some((owner, None))) if used_by == owner => {
            Ok(known(&owner).map(|device| (device, store_name)))
        }
        (Some(_), Some(_)) => Ok(Err(EnrolError::CodeUsed)),
        (None, _) if now_ms >= expires_ms => Ok(Err(EnrolError::CodeExpired)),
        (None, owner) => {
            let id = match &owner {
                Some((id, _)) => move_device(connection, id, store, request)?,
                None => insert_device(connection, store, request, now_ms)?,
            };
            connection.execute(
                "UPDATE enrolment_code SET used_ms = ?2, device = ?3 WHERE digest = ?1 AND used_ms IS NULL",
                params![digest, now_ms, id],
            )?;
            Ok(known(&id).map(|device| (device, store_name)))
        }
    }
}

fn known(id: &str) -> Result<DeviceId, EnrolError> {
    DeviceId::new(id).map_err(|error| EnrolError::Malformed(error.to_string()))
}

/// The same key with a fresh code: the kiosk moved to another store or was renamed. Its journals go on.
fn move_device(
    connection: &Connection,
    id: &str,
    store: i64,
    request: &EnrolRequest,
) -> Result<String, StoreError> {
    connection.execute(
        "UPDATE device SET store = ?2, name = ?3 WHERE id = ?1",
        params![id, store, request.name.trim()],
    )?;
    Ok(id.into())
}

fn insert_device(
    connection: &Connection,
    store: i64,
    request: &EnrolRequest,
    now_ms: i64,
) -> Result<String, StoreError> {
    let id = format!("k-{}", random_text(12)?.to_ascii_lowercase());
    connection.execute(
        "INSERT INTO device (id, store, name, public_key, enrolled_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![id, store, request.name.trim(), request.public_key, now_ms],
    )?;
    Ok(id)
}

/// Upper case without separators; the letters people confuse become the digits they look like.
fn normalise(code: &str) -> String {
    code.chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect()
}

fn random_text(characters: usize) -> Result<String, StoreError> {
    let mut bytes = vec![0_u8; characters];
    getrandom::fill(&mut bytes).map_err(StoreError::Random)?;
    Ok(bytes
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte & 31)]))
        .collect())
}
