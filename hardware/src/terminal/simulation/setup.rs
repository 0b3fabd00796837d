//! Which protocol, which kind of terminal, which habits of it.

use crate::terminal::caisse_ap::CaisseApEngine;
use crate::terminal::concert::ConcertEngine;
use crate::terminal::config::{Connection, Profile, Protocol, TerminalConfig, Timeouts};
use crate::terminal::engine::Engine;
use crate::terminal::sim::{
    CaisseApModel, ConcertModel, Ledger, Scenario, SimModel, WhenUnacknowledged, ZvtModel,
    ZvtModelConfig,
};
use crate::terminal::zvt::ZvtEngine;

/// Protocol and transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    ZvtTcp,
    ZvtSerial,
    CaisseAp,
    Concert,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] =
        [Self::ZvtTcp, Self::ZvtSerial, Self::CaisseAp, Self::Concert];

    /// Whether the connection has an end that both sides notice.
    pub(crate) fn is_tcp(self) -> bool {
        matches!(self, Self::ZvtTcp | Self::CaisseAp)
    }

    pub(crate) fn is_zvt(self) -> bool {
        matches!(self, Self::ZvtTcp | Self::ZvtSerial)
    }
}

/// Families of terminals, by what they do differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vendor {
    Plain,
    /// Its last-transaction slot shows declines and what it took back.
    RecordsFailures,
    /// Does not know `05 01`.
    NoStatusEnquiry,
    /// Does not know `06 20`: nothing can be recovered.
    NoRepeatReceipt,
    /// card complete: TLV registration.
    CardComplete,
    /// Neither hold nor TLV.
    Basic,
    /// Refuses orders once two transactions are open, until its day is closed (`F0`).
    ClosesDayFirst,
    /// Takes back after two holds.
    Impatient,
}

impl Vendor {
    pub(crate) const ALL: [Self; 8] = [
        Self::Plain,
        Self::RecordsFailures,
        Self::NoStatusEnquiry,
        Self::NoRepeatReceipt,
        Self::CardComplete,
        Self::Basic,
        Self::ClosesDayFirst,
        Self::Impatient,
    ];
}

/// See the module text.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) kind: Kind,
    pub(crate) vendor: Vendor,
    /// What orders do, first to last; then [`Self::usual`].
    pub(crate) scripted: Vec<Scenario>,
    pub(crate) usual: Scenario,
    /// A serial terminal that does not notice when the till is gone: a three-wire cable.
    pub(crate) blind: bool,
}

impl Setup {
    pub(crate) fn new(kind: Kind, vendor: Vendor, usual: Scenario) -> Self {
        Self {
            kind,
            vendor,
            scripted: Vec::new(),
            usual,
            blind: false,
        }
    }

    /// Whether the terminal takes money only when the till has acknowledged it.
    pub(crate) fn waits_for_the_till(&self) -> bool {
        let keeps = |scenario: &Scenario| scenario.when_unacknowledged == WhenUnacknowledged::Keep;
        self.kind.is_zvt() && !keeps(&self.usual) && !self.scripted.iter().any(keeps)
    }

    /// Whether the terminal notices that the till is gone.
    pub(crate) fn notices_the_till(&self) -> bool {
        self.kind.is_tcp() || !self.blind
    }

    pub(crate) fn terminal(&self) -> Box<dyn SimModel> {
        let ledger = Ledger::in_memory();
        let mut model: Box<dyn SimModel> = match self.kind {
            Kind::ZvtTcp | Kind::ZvtSerial => Box::new(ZvtModel::new(self.zvt_model(), ledger)),
            Kind::CaisseAp => Box::new(CaisseApModel::new(ledger)),
            Kind::Concert => Box::new(ConcertModel::new(ledger)),
        };
        for scenario in &self.scripted {
            model.script(scenario.clone());
        }
        model.set_usual(self.usual.clone());
        model
    }

    fn zvt_model(&self) -> ZvtModelConfig {
        ZvtModelConfig {
            serial: self.kind == Kind::ZvtSerial,
            last_receipt: 9998,
            records_failures: self.vendor == Vendor::RecordsFailures,
            knows_status_enquiry: self.vendor != Vendor::NoStatusEnquiry,
            knows_repeat_receipt: self.vendor != Vendor::NoRepeatReceipt,
            max_open_transactions: (self.vendor == Vendor::ClosesDayFirst).then_some(2),
            max_holds: if self.vendor == Vendor::Impatient {
                2
            } else {
                10
            },
            ..ZvtModelConfig::default()
        }
    }

    pub(crate) fn engine(&self) -> Box<dyn Engine> {
        let connection = if self.kind.is_tcp() {
            Connection::Tcp {
                host: "localhost".into(),
                port: 20007,
            }
        } else {
            Connection::Serial {
                path: "/dev/null".into(),
                baud: 9600,
                two_stop_bits: true,
                seven_even: false,
            }
        };
        let mut config = TerminalConfig::zvt(connection, "VND");
        config.timeouts = Timeouts {
            poll_ms: 500,
            ..Timeouts::default()
        };
        config.profile = match self.vendor {
            Vendor::CardComplete => Profile::CardComplete,
            Vendor::Basic => Profile::Basic,
            _ => Profile::Generic,
        };
        let right = "these settings are constants";
        match self.kind {
            Kind::ZvtTcp | Kind::ZvtSerial => Box::new(ZvtEngine::new(&config).expect(right)),
            Kind::CaisseAp => {
                config.protocol = Protocol::CaisseAp;
                Box::new(CaisseApEngine::new(&config).expect(right))
            }
            Kind::Concert => {
                config.protocol = Protocol::Concert;
                Box::new(ConcertEngine::new(&config).expect(right))
            }
        }
    }
}
