//! The real program killed with SIGKILL while money comes in by notices and by asking.
#![allow(clippy::unwrap_used)]

#[path = "support/bank_face.rs"]
mod bank_face;
#[path = "storm/shop.rs"]
mod shop;
mod support;

use bank_face::Face;
use headoffice::{Config, Store};
use payqr::{
    OrderCode, StorePrefix, VietQr,
    provider::bank::{Faults, Push},
};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use support::Kiosk;
use touchpoint::{
    VerifyingKey,
    relay::{Call, CallProof, OrderAnswer, OrderOffer, OrderState, PROOF_HEADER, SIGNATURE_HEADER},
    wire::Signed,
};

const KILLS: u64 = 8;
/// Sales of each kiosk.
const SALES: u32 = 14;
/// Between two tries while the program is down.
const PAUSE: Duration = Duration::from_millis(5);

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}

/// Where the program listens now. Each start takes a port that is free then: one that was its own before a kill may be
/// somebody else's after it.
type Address = Mutex<String>;

/// The real program.
struct Program {
    folder: PathBuf,
    address: Arc<Address>,
    child: Option<Child>,
}

impl Program {
    fn new(folder: &Path, bank: &str) -> Self {
        let settings = format!(
            r#"
data_dir = "{data}"
[[payment]]
name = "main"
provider = "payos"
account_number = "0011004000111"
stores = ["Q1"]
url = "{bank}"
client_id = {{ env = "PAYOS_CLIENT" }}
api_key = {{ env = "PAYOS_KEY" }}
checksum_key = {{ env = "PAYOS_CHECKSUM" }}
[[payment]]
name = "second"
provider = "sepay"
account_number = "0022004000222"
stores = ["Thủ Đức"]
url = "{bank}"
token = {{ env = "SEPAY_TOKEN" }}
webhook_secret = {{ env = "SEPAY_WEBHOOK" }}
[[payment]]
name = "third"
provider = "pix"
account_number = "{pix}"
stores = ["São Paulo"]
url = "{bank}"
client_id = {{ env = "PIX_CLIENT" }}
client_secret = {{ env = "PIX_SECRET" }}
"#,
            data = folder.join("data").display(),
            pix = shop::PIX_KEY,
        );
        std::fs::write(folder.join("headoffice.toml"), settings).unwrap();
        Self {
            folder: folder.into(),
            address: Arc::default(),
            child: None,
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_headoffice"));
        command
            .args(arguments)
            .arg("--config")
            .arg(self.folder.join("headoffice.toml"))
            .envs([
                ("PAYOS_CLIENT", "client"),
                ("PAYOS_KEY", "payos-api-key"),
                ("PAYOS_CHECKSUM", "payos-checksum"),
                ("SEPAY_TOKEN", "sepay-token"),
                ("SEPAY_WEBHOOK", "sepay-webhook"),
                ("PIX_CLIENT", "pix-client"),
                ("PIX_SECRET", "pix-secret"),
                ("RUST_LOG", "error"),
            ]);
        command
    }

    /// Starts it and waits until it listens.
    fn start(&mut self) {
        let mut child = self
            .command(&["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        self.child = Some(child);
        assert!(line.starts_with("http://127.0.0.1:"), "it did not start");
        *self.address.lock().unwrap() = line.trim().to_owned();
    }

    /// SIGKILL: nothing is said, flushed or closed.
    fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    fn code(&self, store: &str) -> String {
        let output = self.command(&["code", "--store", store]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.split_whitespace().next().unwrap().to_owned()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A kiosk, and where its head office listens now.
struct Counter {
    kiosk: Kiosk,
    office: Arc<Address>,
}

/// Asks as a kiosk does, again and again while nobody is there. Answers are believed only signed.
fn ask(counter: &Counter, method: &str, target: &str, order: &str, body: &[u8]) -> OrderAnswer {
    let kiosk = &counter.kiosk;
    let key = VerifyingKey::from_bytes(&kiosk.head_office_key).unwrap();
    loop {
        let call = Call {
            method,
            target,
            body,
        };
        let nonce = bank_face::nonce();
        let proof = CallProof::new(kiosk.device.clone(), call, now_ms(), nonce);
        let signed = proof.sign(&kiosk.key).unwrap();
        let url = format!("{}{target}", counter.office.lock().unwrap());
        let sent = kiosk
            .http
            .request(method.parse().unwrap(), url)
            .header(PROOF_HEADER, &signed.document)
            .header(SIGNATURE_HEADER, &signed.signature)
            .body(body.to_vec())
            .send();
        let answer = sent
            .ok()
            .filter(|response| response.status().is_success())
            .and_then(|response| response.json::<Signed>().ok());
        if let Some(signed) = answer {
            return OrderAnswer::open(&signed, &key, &nonce, order).unwrap();
        }
        std::thread::sleep(PAUSE);
    }
}

/// One kiosk's sales, one after the other: offer, code, payment by what stands on the glass, and the relay's word.
fn sell(counter: &Counter, face: &Face, prefix: &str, currency: &str) {
    for number in 0..SALES {
        let order = OrderCode::new(StorePrefix::new(prefix).unwrap(), number).unwrap();
        let order = order.to_string();
        let amount_minor = 10_000 + i64::from(number);
        let offer = OrderOffer {
            amount_minor,
            attempt: number.to_string(),
            currency: currency.into(),
            open_for_ms: Some(120_000),
            order: order.clone(),
        };
        let body = serde_json::to_vec(&offer).unwrap();
        let mut answer = ask(counter, "POST", "/v1/orders?wait_ms=1000", &order, &body);
        while answer.state == OrderState::Creating {
            answer = news(counter, &order, answer.revision);
        }
        if answer.state == OrderState::Refused {
            // payOS tells a code once, and the answer was lost to a kill: nobody saw the code, the kiosk makes another.
            continue;
        }
        let qr = answer.qr.clone().unwrap_or_else(|| {
            VietQr::account("970436", "0022004000222")
                .with_amount(u64::try_from(amount_minor).unwrap())
                .with_memo(&order)
                .encode()
                .unwrap()
        });
        face.pay(&qr, amount_minor);
        if prefix == "TD" && number % 5 == 0 {
            // SePay enforces nothing: some pay twice.
            face.pay(&qr, amount_minor);
        }
        while answer.received_minor < answer.amount_minor {
            answer = news(counter, &order, answer.revision);
        }
    }
}

/// Waits for news of an order, a second at most.
fn news(counter: &Counter, order: &str, revision: u64) -> OrderAnswer {
    let target = format!("/v1/orders/{order}?revision={revision}&wait_ms=1000");
    ask(counter, "GET", &target, order, b"")
}

/// Sends notices that are due; what is not taken the bank sends again by itself.
fn send_notices(face: &Face, office: &Address, stop: &AtomicBool, taken: &AtomicU64) {
    let http = support::http();
    while !stop.load(Ordering::SeqCst) {
        let due: Vec<Push> = face.due();
        for push in due {
            let path = push.url.split_once("/v1/").unwrap().1;
            let url = format!("{}/v1/{path}", office.lock().unwrap());
            let mut request = http.post(url);
            for (name, value) in &push.headers {
                request = request.header(*name, value);
            }
            let answer = request.body(push.body.clone()).send();
            let is_success = answer.is_ok_and(|answer| answer.status().is_success());
            taken.fetch_add(u64::from(is_success), Ordering::SeqCst);
            let mut bank = face.bank.lock().unwrap();
            bank.pushed(push.id, is_success, now_ms());
        }
        std::thread::sleep(PAUSE);
    }
}

#[test]
fn a_program_killed_at_any_moment_loses_and_doubles_nothing() {
    // Proves, with the real program, its real database and the real time, that SIGKILL at moments nobody chose, while
    // codes are made, notices come doubled and lost and three providers are asked, leaves every transfer one credit of
    // its order.
    let folder = tempfile::tempdir().unwrap();
    let mut settings = shop::settings(5, "http://relay");
    // Notices that failed come again within seconds.
    settings.time_scale = 600;
    let face = Face::start(settings, Arc::new(now_ms));
    face.bank
        .lock()
        .unwrap()
        .set_faults(Faults::read("drop_push 30%\ndup 3 30%\nhttp 503 5%").unwrap());
    let mut program = Program::new(folder.path(), &face.url());
    program.start();
    let counters: Vec<(Counter, &str, &str)> = [
        ("Q1", "HS", "VND"),
        ("Thủ Đức", "TD", "VND"),
        ("São Paulo", "SP", "BRL"),
    ]
    .into_iter()
    .zip(1_u8..)
    .map(|((store, prefix, currency), seed)| {
        let code = program.code(store);
        let url = program.address.lock().unwrap().clone();
        let counter = Counter {
            kiosk: Kiosk::enrol_with(&url, &code, seed),
            office: Arc::clone(&program.address),
        };
        (counter, prefix, currency)
    })
    .collect();

    let (stop, taken) = (AtomicBool::new(false), AtomicU64::new(0));
    let address = Arc::clone(&program.address);
    std::thread::scope(|scope| {
        scope.spawn(|| send_notices(&face, &address, &stop, &taken));
        let selling: Vec<_> = counters
            .iter()
            .map(|(counter, prefix, currency)| {
                let face = &face;
                scope.spawn(move || sell(counter, face, prefix, currency))
            })
            .collect();
        let begun = Instant::now();
        for kill in 0..KILLS {
            // The moment is what the clock says: no two runs kill at the same place.
            let odd_ms = begun.elapsed().subsec_nanos() % 300;
            std::thread::sleep(Duration::from_millis(150 + u64::from(odd_ms) + 11 * kill));
            program.kill();
            program.start();
        }
        for seller in selling {
            seller.join().unwrap();
        }
        // Second transfers of paid orders come by SePay's list.
        let listed = || {
            let ledger = face.bank.lock().unwrap().ledger().len();
            let output = program
                .command(&["credits", "list", "--limit", "1000"])
                .output()
                .unwrap();
            assert!(output.status.success(), "{output:?}");
            let list: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            list["credits"].as_array().unwrap().len() >= ledger
        };
        while !listed() {
            std::thread::sleep(PAUSE);
        }
        stop.store(true, Ordering::SeqCst);
    });
    program.kill();
    audit(&folder.path().join("data"), &face);
    assert!(taken.load(Ordering::SeqCst) > 0, "no notice was ever taken");
}

/// The bank's ledger against what is on disk after the last kill.
fn audit(data: &Path, face: &Face) {
    let store = Store::open(&Config::new(data)).unwrap();
    let list = store.credits(1_000).unwrap().credits;
    let mut credits = BTreeMap::new();
    for credit in &list {
        let key = (credit.provider.clone(), credit.reference.clone());
        let before = credits.insert(key, credit);
        assert!(before.is_none(), "doubled: {credit:?}");
        assert!(!credit.conflict, "{credit:?}");
    }
    let bank = face.bank.lock().unwrap();
    assert_eq!(bank.ledger().len(), list.len());
    assert!(list.len() as u32 >= 2 * SALES, "{}", list.len());
    for transfer in bank.ledger() {
        let key = (
            transfer.provider.name().to_owned(),
            transfer.reference.clone(),
        );
        let credit = credits
            .get(&key)
            .unwrap_or_else(|| panic!("lost: {transfer:?}"));
        assert_eq!(credit.amount_minor, transfer.amount_minor);
        assert!(credit.order.is_some(), "{credit:?}");
        let twice = credit.amount_minor % 5 == 0 && credit.provider == "sepay";
        assert!(
            credit.state == "paid" || twice && credit.state == "duplicate",
            "{credit:?}"
        );
    }
}
