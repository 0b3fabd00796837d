//! A kiosk as head office sees it: enrols, records, sends, over the real HTTP interface.
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

use headoffice::{Clock, Config, Running};
use serde_json::Value;
use std::sync::{Arc, Once, atomic::AtomicI64};
use touchpoint::{
    At, Block, BlockBuilder, BlockMeta, Body, DeviceId, Event, GENESIS, JournalId, Lane,
    SigningKey, chain_next,
    vocabulary::{
        DayOpened, ExitTapped, ItemAdded, Method, Money, SaleCompleted, SaleLine, SaleTax,
        SaleTender, VisitStarted,
    },
    wire::{EnrolAnswer, EnrolRequest, Heartbeat, HeartbeatAnswer, LaneHead, PutAnswer, Signed},
};

/// 2026-11-22 09:00 in Vietnam.
pub const MORNING_MS: i64 = 1_795_312_800_000;
pub const TODAY: &str = "2026-11-22";

pub struct Office {
    pub running: Running,
    pub clock: Arc<AtomicI64>,
    pub folder: tempfile::TempDir,
}

pub fn office() -> Office {
    let folder = tempfile::tempdir().unwrap();
    let (running, clock) = reopen(&folder, MORNING_MS);
    Office {
        running,
        clock,
        folder,
    }
}

/// A server on the folder's database with a clock that stands still.
pub fn reopen(folder: &tempfile::TempDir, now_ms: i64) -> (Running, Arc<AtomicI64>) {
    let (clock, handle) = Clock::manual(now_ms);
    let mut config = Config::new(folder.path());
    config.listen = ([127, 0, 0, 1], 0).into();
    config.clock = clock;
    // A busy machine shows the whole day too.
    config.patience.page = std::time::Duration::from_secs(60);
    (headoffice::start(config).unwrap(), handle)
}

pub fn http() -> reqwest::blocking::Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        rustls::crypto::ring::default_provider()
            .install_default()
            .unwrap();
    });
    reqwest::blocking::Client::builder().build().unwrap()
}

/// One lane of a kiosk's journal.
#[derive(Clone, Default)]
pub struct LaneLog {
    pub events: Vec<Vec<u8>>,
    /// How many head office has acknowledged.
    pub acked: usize,
}

#[derive(Clone)]
pub struct Kiosk {
    pub url: String,
    pub http: reqwest::blocking::Client,
    pub key: SigningKey,
    pub device: DeviceId,
    pub journal: JournalId,
    pub lanes: [LaneLog; 3],
    pub wall_ms: i64,
    pub mono_ms: u64,
    /// Checks what head office signs.
    pub head_office_key: [u8; 32],
}

pub fn journal(number: u64) -> JournalId {
    JournalId::new(format!("019aa3c4-7b2e-7f10-9a55-{number:012x}")).unwrap()
}

pub fn enrol_request(code: &str, seed: u8) -> Signed {
    enrol_request_named(code, seed, &format!("Quầy {seed}"))
}

pub fn enrol_request_named(code: &str, seed: u8, name: &str) -> Signed {
    let key = SigningKey::from_bytes(&[seed; 32]);
    let public_key = key.verifying_key().to_bytes();
    let name = name.to_owned();
    Signed::new(
        &key,
        &EnrolRequest {
            code: code.into(),
            name,
            public_key,
        },
    )
    .unwrap()
}

impl Kiosk {
    /// A kiosk of this store, enrolled through HTTP with a fresh code.
    pub fn enrol(office: &Running, store: &str, seed: u8) -> Self {
        Self::enrol_with(&office.url(), &office.enrolment_code(store).unwrap(), seed)
    }

    pub fn enrol_with(url: &str, code: &str, seed: u8) -> Self {
        Self::enrol_named(url, code, seed, &format!("Quầy {seed}"))
    }

    pub fn enrol_named(url: &str, code: &str, seed: u8, name: &str) -> Self {
        let http = http();
        let request = enrol_request_named(code, seed, name);
        let response = http
            .post(format!("{url}/v1/enroll"))
            .json(&request)
            .send()
            .unwrap();
        assert_eq!(response.status(), 200, "{}", response.text().unwrap());
        let answer: EnrolAnswer = response.json().unwrap();
        Self {
            url: url.into(),
            http,
            key: SigningKey::from_bytes(&[seed; 32]),
            device: answer.device,
            journal: journal(u64::from(seed)),
            lanes: Default::default(),
            wall_ms: MORNING_MS,
            mono_ms: 1_000,
            head_office_key: answer.head_office_key,
        }
    }

    pub fn record<B: Body>(&mut self, visit: Option<&str>, body: &B) {
        self.mono_ms += 1_000;
        self.wall_ms += 1_000;
        let at = At {
            wall_ms: self.wall_ms,
            mono_ms: self.mono_ms,
            boot: "b1".into(),
        };
        let bytes = Event::of(at, visit, body).unwrap().to_bytes().unwrap();
        self.record_bytes(B::LANE, bytes);
    }

    pub fn record_bytes(&mut self, lane: Lane, bytes: Vec<u8>) {
        self.lanes[usize::from(lane.number())].events.push(bytes);
    }

    /// A whole small visit: one item, paid, and a face if given.
    pub fn sell(&mut self, number: u64, method: Method, total_minor: i64, face: Option<u8>) {
        self.sell_on(TODAY, number, method, total_minor, face);
    }

    /// As [`Kiosk::sell`], on another business day. Returns the sale's id.
    pub fn sell_on(
        &mut self,
        date: &str,
        number: u64,
        method: Method,
        total_minor: i64,
        face: Option<u8>,
    ) -> String {
        let sale = format!(
            "019aa3c5-{:04x}-7000-8000-{number:012x}",
            self.key.to_bytes()[0]
        );
        let visit = format!(
            "019aa3c6-{:04x}-7000-8000-{number:012x}",
            self.key.to_bytes()[0]
        );
        let price = Money {
            currency: "VND".into(),
            minor: total_minor,
        };
        self.record(
            Some(&visit),
            &VisitStarted {
                cause: "touch".into(),
                language: "vi".into(),
            },
        );
        self.record(
            Some(&visit),
            &ItemAdded {
                item_code: "SP1".into(),
                gtin: None,
                quantity_milli: 1_000,
                unit_price: price.clone(),
                how: "scan".into(),
                weighed_by: None,
            },
        );
        let mut body = sale_body(&sale, number, method, price);
        body.business_date = date.into();
        self.record(Some(&visit), &body);
        if let Some(face) = face {
            let scale_id = "face5.v1".into();
            self.record(
                Some(&visit),
                &ExitTapped {
                    sale: sale.clone(),
                    face,
                    scale_id,
                    latency_ms: Some(900),
                },
            );
        }
        sale
    }

    pub fn open_day(&mut self, date: &str) {
        self.record(
            None,
            &DayOpened {
                business_date: date.into(),
            },
        );
    }

    /// The signed block of these events of a lane.
    pub fn block(&self, lane: Lane, from: usize, to: usize) -> Vec<u8> {
        let log = &self.lanes[usize::from(lane.number())].events;
        let prev = log[..from]
            .iter()
            .fold(GENESIS, |chain, event| chain_next(chain, event));
        Block::sign(
            &self.key,
            self.meta(lane, from as u64 + 1, prev),
            &log[from..to],
        )
        .unwrap()
        .bytes
    }

    pub fn meta(&self, lane: Lane, first_seq: u64, prev: [u8; 32]) -> BlockMeta {
        BlockMeta {
            device: self.device.clone(),
            journal: self.journal.clone(),
            lane,
            first_seq,
            prev,
            app: "test".into(),
            boot: "b1".into(),
            mono_ms: self.mono_ms,
            wall_ms: self.wall_ms,
        }
    }

    pub fn put(&self, lane: Lane, first_seq: u64, block: Vec<u8>) -> (u16, PutAnswer) {
        let response = self.try_put(lane, first_seq, 0, block).unwrap();
        (response.status().as_u16(), response.json().unwrap())
    }

    pub fn try_put(
        &self,
        lane: Lane,
        first_seq: u64,
        acked: u64,
        block: Vec<u8>,
    ) -> reqwest::Result<reqwest::blocking::Response> {
        let url = format!(
            "{}/v1/journals/{}/{}/{}/{first_seq}?acked={acked}",
            self.url,
            self.device,
            self.journal,
            lane.number()
        );
        self.http.put(url).body(block).send()
    }

    /// Sends everything not yet acknowledged, lane by lane.
    pub fn push(&mut self) {
        Lane::ALL.into_iter().for_each(|lane| self.push_lane(lane));
    }

    /// Sends the money lane only, as a kiosk does first.
    pub fn push_money(&mut self) {
        self.push_lane(Lane::Money);
    }

    fn push_lane(&mut self, lane: Lane) {
        {
            let index = usize::from(lane.number());
            while self.lanes[index].acked < self.lanes[index].events.len() {
                let from = self.lanes[index].acked;
                let mut builder = BlockBuilder::new();
                while self.lanes[index]
                    .events
                    .get(from + builder.len())
                    .is_some_and(|e| builder.push(e))
                {}
                let to = from + builder.len();
                let (_, answer) = self.put(lane, from as u64 + 1, self.block(lane, from, to));
                assert!(
                    matches!(answer, PutAnswer::Stored(_) | PutAnswer::Duplicate(_)),
                    "{answer:?}"
                );
                self.lanes[index].acked = to;
            }
        }
    }

    pub fn heartbeat(&mut self) -> HeartbeatAnswer {
        self.mono_ms += 1_000;
        let lanes = Lane::ALL
            .into_iter()
            .map(|lane| LaneHead {
                journal: self.journal.clone(),
                lane,
                head: self.lanes[usize::from(lane.number())].events.len() as u64,
            })
            .collect();
        let beat = Heartbeat {
            app: "test".into(),
            boot: "b1".into(),
            device: self.device.clone(),
            lanes,
            mono_ms: self.mono_ms,
            wall_ms: self.wall_ms,
        };
        let signed = Signed::new(&self.key, &beat).unwrap();
        let url = format!("{}/v1/heartbeat", self.url);
        let response = self.http.post(url).json(&signed).send().unwrap();
        assert_eq!(response.status(), 200);
        response.json().unwrap()
    }
}

pub fn sale_body(sale: &str, number: u64, method: Method, total: Money) -> SaleCompleted {
    let tax_minor = total.minor * 8 / 108;
    SaleCompleted {
        sale: sale.into(),
        receipt_number: format!("K1-261122-{number:04}"),
        business_date: TODAY.into(),
        lines: vec![SaleLine {
            item_code: "SP1".into(),
            gtin: Some("8934563138165".into()),
            name: "Cà phê sữa".into(),
            quantity_milli: 1_000,
            unit_price_minor: total.minor,
            discount_minor: 0,
            total_minor: total.minor,
            tax_rate_basis_points: 800,
            tax_treatment: None,
        }],
        taxes: vec![SaleTax {
            rate_basis_points: 800,
            treatment: None,
            net_minor: total.minor - tax_minor,
            tax_minor,
        }],
        tenders: vec![SaleTender {
            method,
            amount_minor: total.minor,
            attempt: None,
        }],
        rounding_minor: 0,
        total,
    }
}

pub fn today(url: &str) -> Value {
    http()
        .get(format!("{url}/v1/today?date={TODAY}"))
        .send()
        .unwrap()
        .json()
        .unwrap()
}

pub fn page(url: &str, query: &str) -> String {
    http()
        .get(format!("{url}/?date={TODAY}{query}"))
        .send()
        .unwrap()
        .text()
        .unwrap()
}

/// The stored events of one lane, in order, as the database has them.
pub fn stored_events(office: &Running, journal: &JournalId, lane: Lane) -> Vec<Vec<u8>> {
    office
        .store()
        .read(|db| {
            let mut statement = db.prepare(
                "SELECT bytes FROM block WHERE journal = ?1 AND lane = ?2 ORDER BY first_seq",
            )?;
            let rows = statement.query_map((journal.as_str(), lane.number()), |row| {
                row.get::<_, Vec<u8>>(0)
            })?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?)
        })
        .unwrap()
        .iter()
        .flat_map(|bytes| Block::reopen(bytes).unwrap().events)
        .collect()
}
