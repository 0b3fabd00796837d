//! Looks at a card terminal's settings and connection and says what is wrong in words.
//!
//! Moves no money: it registers, asks for the status and reads the last transaction.

use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::PaymentTerminal;
use super::config::{ConfigError, Connection, TerminalConfig};
use super::driver::TerminalDriver;
use super::types::{
    AttemptId, Baseline, Capabilities, LinkFault, LinkState, NotReady, RecoveryMeans,
    TerminalEvent, TerminalStatus,
};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// As it should be.
    Good,
    /// Works, but somebody should look.
    Warning,
    /// No card payments until somebody acts.
    Fault,
}

/// One thing found out about a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A setting cannot work.
    Settings(ConfigError),
    /// The link does not come up.
    Link(LinkFault),
    /// The terminal answers at another speed than the one in the settings.
    WrongBaud {
        /// Speed in the settings.
        configured: u32,
        /// Speed at which it answers.
        works: u32,
    },
    /// Connected and registered.
    Connected {
        /// Terminal id if it gave one.
        terminal_id: Option<String>,
    },
    /// The terminal is not ready.
    NotReady(NotReady),
    /// The terminal reports a condition that will stop it soon.
    Condition(TerminalStatus),
    /// A payment in doubt can be resolved by asking the terminal.
    CanRecover,
    /// A payment in doubt will need a person with the terminal's slip.
    CannotRecover,
    /// The terminal sends card numbers in clear.
    UnmaskedCardNumber,
    /// Nothing came back in the time given.
    NoAnswer,
}

impl Finding {
    /// How bad it is.
    pub fn severity(&self) -> Severity {
        match self {
            Self::Connected { .. } | Self::CanRecover => Severity::Good,
            Self::CannotRecover | Self::Condition(_) => Severity::Warning,
            Self::Settings(_)
            | Self::Link(_)
            | Self::WrongBaud { .. }
            | Self::NotReady(_)
            | Self::UnmaskedCardNumber
            | Self::NoAnswer => Severity::Fault,
        }
    }

    /// The finding and its remedy in Vietnamese.
    pub fn text_vi(&self) -> String {
        match self {
            Self::Settings(error) => format!("Cấu hình máy thẻ sai: {error}"),
            Self::Link(fault) => link_vi(fault),
            Self::WrongBaud { configured, works } => format!(
                "Tốc độ cổng {configured} không đúng, máy thẻ trả lời ở {works}. \
                 Sửa baud thành {works}."
            ),
            Self::Connected {
                terminal_id: Some(id),
            } => format!("Đã kết nối máy thẻ {id}."),
            Self::Connected { terminal_id: None } => "Đã kết nối máy thẻ.".into(),
            Self::NotReady(NotReady::Condition(status)) | Self::Condition(status) => {
                format!("Máy thẻ báo: {}", status_vi(*status))
            }
            Self::NotReady(why) => format!("Máy thẻ chưa sẵn sàng: {why}"),
            Self::CanRecover => "Giao dịch bị ngắt giữa chừng có thể hỏi lại máy thẻ.".into(),
            Self::CannotRecover => "Máy thẻ này không hỏi lại được. Giao dịch bị ngắt giữa chừng \
                 phải có nhân viên xem biên lai của máy."
                .into(),
            Self::UnmaskedCardNumber => "Máy thẻ gửi số thẻ không che. Gọi nhà cung cấp để sửa \
                 ngay, chưa nhận thẻ."
                .into(),
            Self::NoAnswer => "Máy thẻ không trả lời. Tắt máy rồi bật lại.".into(),
        }
    }

    /// The finding and its remedy in English.
    pub fn text_en(&self) -> String {
        match self {
            Self::Settings(error) => error.to_string(),
            Self::Link(fault) => fault.to_string(),
            Self::WrongBaud { configured, works } => format!(
                "the speed {configured} is wrong, the card terminal answers at {works}; \
                 set baud to {works}"
            ),
            Self::Connected {
                terminal_id: Some(id),
            } => format!("card terminal {id} connected"),
            Self::Connected { terminal_id: None } => "card terminal connected".into(),
            Self::NotReady(NotReady::Condition(status)) | Self::Condition(status) => {
                format!("the card terminal reports: {}", status_en(*status))
            }
            Self::NotReady(why) => why.to_string(),
            Self::CanRecover => "a payment in doubt can be looked up at the terminal".into(),
            Self::CannotRecover => "this terminal cannot be asked about past payments; \
                 a payment in doubt needs staff with the terminal's slip"
                .into(),
            Self::UnmaskedCardNumber => "the terminal sends card numbers in clear; \
                 have its provider fix that before taking cards"
                .into(),
            Self::NoAnswer => "the card terminal does not answer; switch it off and on".into(),
        }
    }
}

fn link_vi(fault: &LinkFault) -> String {
    match fault {
        LinkFault::PortAbsent { path } => {
            format!("Không thấy thiết bị ở {path}. Kiểm tra dây và nguồn của máy thẻ.")
        }
        LinkFault::PortForbidden { path } => {
            format!("Không được phép dùng {path}. Thêm người dùng kiosk vào nhóm dialout.")
        }
        LinkFault::PortBusy { path } => {
            format!("Chương trình khác đang dùng {path}. Tắt chương trình đó.")
        }
        LinkFault::PortUnsuitable { detail } => {
            format!("Cổng không nhận cấu hình ({detail}). Kiểm tra đường dẫn và baud.")
        }
        LinkFault::Unreachable { place, detail } => {
            format!("Không kết nối được {place} ({detail}). Kiểm tra mạng và địa chỉ máy thẻ.")
        }
        LinkFault::Lost { detail } => {
            format!("Mất kết nối máy thẻ ({detail}). Kiểm tra dây.")
        }
        LinkFault::NoAnswer => {
            "Máy thẻ không trả lời. Kiểm tra baud, dây và chế độ nối máy tính tiền.".into()
        }
        LinkFault::RegistrationRefused { code, .. } => {
            format!("Máy thẻ từ chối đăng ký (mã {code:02X}). Kiểm tra mật khẩu sáu số.")
        }
        LinkFault::StartingClean => "Đang kết nối lại máy thẻ.".into(),
    }
}

fn status_vi(status: TerminalStatus) -> String {
    match status {
        TerminalStatus::Ready => "sẵn sàng.".into(),
        TerminalStatus::NeedsInitialisation => "cần khởi tạo. Gọi nhà cung cấp.".into(),
        TerminalStatus::ClockWrong => "sai giờ. Chỉnh giờ trên máy.".into(),
        TerminalStatus::Busy => "đang bận. Chờ một chút.".into(),
        TerminalStatus::JournalFull => "đầy bộ nhớ. Kết toán máy thẻ.".into(),
        TerminalStatus::NeedsDiagnosis => "cần chẩn đoán. Chạy chẩn đoán trên máy.".into(),
        TerminalStatus::PrinterNotReady => "máy in của máy thẻ hết giấy hoặc lỗi.".into(),
        TerminalStatus::CardInserted => "còn thẻ trong máy. Rút thẻ ra.".into(),
        TerminalStatus::OutOfOrder => "hỏng. Gọi nhà cung cấp.".into(),
        TerminalStatus::NeedsReconciliation => "cần kết toán ngày. Kết toán máy thẻ.".into(),
        TerminalStatus::NotReported => "không báo trạng thái.".into(),
        TerminalStatus::Other(code) => format!("mã {code:02X}. Xem sách của máy thẻ."),
    }
}

fn status_en(status: TerminalStatus) -> String {
    match status {
        TerminalStatus::Ready => "ready".into(),
        TerminalStatus::NeedsInitialisation => "needs initialisation; call its provider".into(),
        TerminalStatus::ClockWrong => "its clock is wrong; set it on the terminal".into(),
        TerminalStatus::Busy => "busy; wait a moment".into(),
        TerminalStatus::JournalFull => "its memory is full; close its day".into(),
        TerminalStatus::NeedsDiagnosis => "asks for a diagnosis; run it on the terminal".into(),
        TerminalStatus::PrinterNotReady => "its printer is out of paper or broken".into(),
        TerminalStatus::CardInserted => "a card is inside; take it out".into(),
        TerminalStatus::OutOfOrder => "out of order; call its provider".into(),
        TerminalStatus::NeedsReconciliation => "its day must be closed first".into(),
        TerminalStatus::NotReported => "does not report its status".into(),
        TerminalStatus::Other(code) => format!("code {code:02X}; see the terminal's manual"),
    }
}

/// Examines a terminal; blocks for at most about three times `patience`. Never moves money. The
/// kiosk must not be running, since a terminal talks to one till.
pub fn examine(config: &TerminalConfig, patience: Duration) -> Vec<Finding> {
    let first = examine_once(config, patience);
    let silent = first.iter().any(|finding| {
        matches!(
            finding,
            Finding::Link(LinkFault::NoAnswer) | Finding::NoAnswer
        )
    });
    if let Connection::Serial { baud, .. } = config.connection
        && silent
    {
        for works in [9600, 115_200].into_iter().filter(|other| *other != baud) {
            let mut other = config.clone();
            if let Connection::Serial { baud, .. } = &mut other.connection {
                *baud = works;
            }
            let found = examine_once(&other, patience);
            if found.iter().any(|f| matches!(f, Finding::Connected { .. })) {
                return vec![Finding::WrongBaud {
                    configured: baud,
                    works,
                }];
            }
        }
    }
    first
}

fn examine_once(config: &TerminalConfig, patience: Duration) -> Vec<Finding> {
    if let Err(error) = config.check() {
        return vec![Finding::Settings(error)];
    }
    let (sender, events) = channel();
    let started = TerminalDriver::spawn(config.clone(), move |event| {
        // The receiver is gone once the examination is over.
        let _ = sender.send(event);
    });
    let terminal = match started {
        Ok(terminal) => terminal,
        Err(error) => return vec![Finding::Settings(error)],
    };
    let until = Instant::now() + patience;
    let mut findings = Vec::new();
    match link(&events, until) {
        Some(LinkState::Up { terminal_id }) => findings.push(Finding::Connected { terminal_id }),
        Some(LinkState::Down { why }) => return vec![Finding::Link(why)],
        None => return vec![Finding::NoAnswer],
    }
    if terminal.prepare(AttemptId([0; 16])).is_ok() {
        prepared(&events, until, terminal.capabilities(), &mut findings);
    }
    findings
}

fn link(events: &Receiver<TerminalEvent>, until: Instant) -> Option<LinkState> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if let TerminalEvent::Link(state) = events.recv_timeout(left).ok()? {
            return Some(state);
        }
    }
}

fn prepared(
    events: &Receiver<TerminalEvent>,
    until: Instant,
    capabilities: Capabilities,
    findings: &mut Vec<Finding>,
) {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match events.recv_timeout(left) {
            Ok(TerminalEvent::Prepared { baseline, .. }) => {
                let can = capabilities.recovery == RecoveryMeans::LastTransaction
                    && baseline != Baseline::Unavailable;
                findings.push(if can {
                    Finding::CanRecover
                } else {
                    Finding::CannotRecover
                });
                return;
            }
            Ok(TerminalEvent::NotPrepared { why, .. }) => {
                findings.push(Finding::NotReady(why));
                return;
            }
            Ok(TerminalEvent::Status(status)) if status != TerminalStatus::Ready => {
                findings.push(Finding::Condition(status));
            }
            Ok(TerminalEvent::UnmaskedCardNumber) => findings.push(Finding::UnmaskedCardNumber),
            Ok(_) => {}
            Err(_) => {
                findings.push(Finding::NoAnswer);
                return;
            }
        }
    }
}
