//! A payment provider as the relay sees it, whichever it is.
//!
//! A provider turns questions into HTTP requests and answers into credits. It does no I/O itself: what carries the
//! requests is a [`Wire`], so the same code talks to the real provider and to a simulated bank.

use super::settings::Keys;
use payqr::{
    OrderCode,
    provider::{Credit, NotACredit, Reject},
};
use touchpoint::relay::{BankAbilities, OrderPayee};

/// What one provider can do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// It makes the code; without it the kiosk makes it from its own settings.
    pub makes_codes: bool,
    /// It can be asked about one order.
    pub observes_orders: bool,
    /// It lists everything the account received, from a row on: one list answers for every order.
    pub lists_credits: bool,
    /// Its newest transfers can be read once more, by time: what appeared late, or names no order.
    pub rereads: bool,
    /// It can take a code back.
    pub cancels: bool,
    /// It refuses other amounts than asked. Other amounts are handled all the same.
    pub enforces_amount: bool,
    /// Its limit counts by the address that asks: every account there shares it.
    pub shares_limit: bool,
    /// Currency of its accounts, ISO 4217.
    pub currency: &'static str,
    /// The largest amount of one transfer, minor units.
    pub amount_minor_max: i64,
}

impl Capabilities {
    /// What of it a kiosk is told.
    #[must_use]
    pub fn told(&self) -> BankAbilities {
        BankAbilities {
            cancels: self.cancels,
            enforces_amount: self.enforces_amount,
            // The relay gives no money back yet, whatever a provider could.
            refunds: false,
        }
    }
}

/// One request to a provider. Its headers hold secrets: they are never printed.
#[derive(Clone)]
pub struct Ask {
    /// `GET`, `POST`, `PUT` or `PATCH`.
    pub method: &'static str,
    /// Path and query behind the provider's base address.
    pub target: String,
    /// Names and values.
    pub headers: Vec<(&'static str, String)>,
    /// JSON unless a header says otherwise, or nothing.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Ask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.target)
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// HTTP status.
    pub status: u16,
    /// `Retry-After` in seconds, when it was given.
    pub retry_after_s: Option<u64>,
    /// The body's bytes.
    pub body: Vec<u8>,
}

/// No answer came back. Whether the request arrived is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no answer: {0}")]
pub struct NoAnswer(pub String);

/// Carries requests to a provider.
pub trait Wire: Send {
    /// Sends one request and waits for its answer, within a time the wire knows.
    ///
    /// # Errors
    /// [`NoAnswer`]: nothing is known of what became of the request.
    fn send(&mut self, ask: &Ask) -> Result<Said, NoAnswer>;
}

/// Why a question has no usable answer. None of these says anything about money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// Nothing came back; the request may have arrived. Retry helps.
    #[error("the provider does not answer ({0}); it is asked again")]
    Silent(String),
    /// It is overloaded, failing or wants a pause. Retry helps.
    #[error("the provider answers {status}; it is asked again")]
    Busy {
        /// HTTP status.
        status: u16,
        /// The pause it asked for.
        retry_after_ms: Option<u64>,
    },
    /// It refuses our keys. A person must look; it is asked again, slowly.
    #[error("the provider refuses the keys (HTTP {0}); compare them with its portal")]
    Keys(u16),
    /// It refuses the question itself. The same question will be refused again.
    #[error("the provider refuses: {0}")]
    Refused(String),
    /// The answer is not proven to be the provider's, or cannot be read.
    #[error("the provider's answer is not believed: {0}")]
    Untrusted(String),
}

impl From<NoAnswer> for ProviderError {
    fn from(none: NoAnswer) -> Self {
        Self::Silent(none.0)
    }
}

/// A code the provider made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// EMV payload to draw as it is.
    pub qr: String,
    /// Whom it pays.
    pub payee: OrderPayee,
}

/// What the provider says about one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observed {
    /// It does not know the order.
    Absent,
    /// It knows it.
    Known {
        /// Every transfer for it; those that are no money for this account with the reason.
        credits: Vec<Result<Credit, NotACredit>>,
        /// It takes no more money for it: paid, cancelled or expired there.
        closed: bool,
        /// Its code, from a provider that tells it again.
        code: Option<KnownCode>,
    },
}

/// The code of an order as the provider tells it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownCode {
    /// The code.
    pub made: Made,
    /// What it asks for, minor units.
    pub amount_minor: i64,
}

/// Which of the newest transfers are read once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reread {
    /// Booked since then, by the bank's clock, unix milliseconds.
    pub since_ms: i64,
    /// Now, by head office's clock, unix milliseconds.
    pub now_ms: i64,
    /// Which page, from 0.
    pub page: u32,
}

/// What a notice says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pushed {
    /// It is proven: this credit, or why it is no money for this account.
    Credit(Result<Credit, NotACredit>),
    /// It is not proven and only names orders: the provider is asked about them.
    Hint(Vec<String>),
}

/// One page of the account's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Every transfer of the page, in the provider's order.
    pub credits: Vec<Result<Credit, NotACredit>>,
    /// Where the next page begins; `None` when the page was empty.
    pub cursor: Option<String>,
    /// There is a further page now.
    pub more: bool,
    /// Rows that cannot be read: what is wrong with each. They hold up no other row.
    pub unreadable: Vec<String>,
}

/// A notice as it came in.
#[derive(Clone, Copy)]
pub struct Push<'a> {
    /// The body's bytes, untouched.
    pub raw: &'a [u8],
    /// Value of a header by name; `None` when it is missing or not text.
    pub header: &'a dyn Fn(&str) -> Option<String>,
    /// Head office's clock, unix seconds.
    pub now_s: i64,
}

/// A payment provider.
pub trait Provider: Send + Sync {
    /// Its name: `payos`, `sepay`, `pix`, `list`.
    fn name(&self) -> &'static str;

    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Asks for a code. Not idempotent on every provider: after [`ProviderError::Silent`] ask [`Provider::observe`] first.
    ///
    /// # Errors
    /// [`ProviderError`]; only `Refused` is an answer.
    fn create(
        &self,
        wire: &mut dyn Wire,
        order: OrderCode,
        amount_minor: i64,
    ) -> Result<Made, ProviderError>;

    /// Asks what came in for one order.
    ///
    /// # Errors
    /// [`ProviderError`]; never "not paid".
    fn observe(&self, wire: &mut dyn Wire, order: OrderCode) -> Result<Observed, ProviderError>;

    /// Takes a code back and says what is known of the order then. Money may come all the same.
    ///
    /// # Errors
    /// [`ProviderError`].
    fn cancel(&self, wire: &mut dyn Wire, order: OrderCode) -> Result<Observed, ProviderError>;

    /// The next page of the account's list, from `cursor` on.
    ///
    /// # Errors
    /// [`ProviderError`]; the cursor stays.
    fn list(&self, wire: &mut dyn Wire, cursor: Option<&str>) -> Result<Listed, ProviderError>;

    /// A page of the account's newest transfers, whatever was read before.
    ///
    /// # Errors
    /// [`ProviderError`]; the page is asked for again.
    fn reread(&self, _wire: &mut dyn Wire, _what: Reread) -> Result<Listed, ProviderError> {
        Err(ProviderError::Refused(
            "it cannot be read again by time".into(),
        ))
    }

    /// Checks and reads a notice. Fails closed: a credit is only what is proven.
    ///
    /// # Errors
    /// [`Reject`]: not proven to be the provider's, or unreadable.
    fn read_push(&self, push: &Push<'_>) -> Result<Pushed, Reject>;

    /// The body a provider wants for an accepted notice.
    fn accepted(&self) -> &'static str {
        r#"{"success":true}"#
    }
}

/// The provider of a `[[payment]]` section.
#[must_use]
pub fn provider_of(keys: &Keys, account_number: &str) -> Box<dyn Provider> {
    let accounts = vec![account_number.to_owned()];
    match keys.clone() {
        Keys::ListOnly => Box::new(super::list_only::ListOnly),
        Keys::PayOs {
            client_id,
            api_key,
            checksum_key,
            page,
        } => Box::new(super::payos::PayOs {
            accounts,
            client_id,
            api_key,
            checksum_key,
            page,
        }),
        Keys::SePay { token, webhook } => Box::new(super::sepay::SePay {
            accounts,
            token,
            webhook,
        }),
        Keys::Pix {
            client_id,
            client_secret,
            api_path,
            token_path,
            certificate: _,
        } => Box::new(super::pix::Pix {
            key: account_number.to_owned(),
            client_id,
            client_secret,
            api_path,
            token_path,
            token: std::sync::Mutex::default(),
        }),
    }
}

/// The statuses every provider shares; 200 and what else means something stays with the provider.
pub(super) fn check(said: Said) -> Result<Said, ProviderError> {
    match said.status {
        200..=299 | 404 => Ok(said),
        401 | 403 => Err(ProviderError::Keys(said.status)),
        408 | 425 | 429 | 500..=599 => Err(ProviderError::Busy {
            status: said.status,
            retry_after_ms: said.retry_after_s.map(|s| s.saturating_mul(1_000)),
        }),
        status => Err(ProviderError::Refused(format!("HTTP {status}"))),
    }
}
