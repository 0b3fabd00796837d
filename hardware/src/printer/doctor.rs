//! Names what is wrong with wiring and settings, in words for the person at the counter.

use std::time::{Duration, Instant};

use super::driver::{OfflineReason, PrinterConfig, PrinterState, flow_control};
use super::profile::{Handshake, Profile, TextPlan};
use super::protocol::receive::{Answer, Receiver};
use super::protocol::{self, status::Status};
use crate::port::{PortError, SerialLink, SerialSettings};

/// Longest wait for an answer, in milliseconds.
const ANSWER_MS: u64 = 400;
/// Longest wait for an answer in order with the data, in milliseconds.
const FENCE_MS: u64 = 1_500;
/// Speeds printers are set to, commonest first.
const SPEEDS: [u32; 4] = [115_200, 38_400, 19_200, 9_600];

/// Something a person can put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// Nobody answers at any speed.
    NoAnswer,
    /// Answers come, but garbled.
    Noise,
    /// Answers come at another speed than configured.
    WrongBaud {
        /// Configured, in bits per second.
        configured: u32,
        /// At which the printer answered.
        answered: u32,
    },
    /// Real-time status answers, questions in order do not: under DTR/DSR handshake the printer
    /// waits for a "host ready" line that is not wired.
    FenceSilent,
    /// The printer holds the handshake line all the time.
    HeldAlways,
    /// The configured path leads to no port.
    PortMissing,
    /// The user may not open the port.
    PortForbidden,
    /// Another program uses the port.
    PortBusy,
    /// The path is not a serial port.
    PortUnsuitable,
    /// The profile promises process ids, the printer does not send them.
    ProcessIdSilent,
    /// The profile promises counters, the printer does not send them.
    CountersSilent,
    /// The cable has no return wire, so printing can never be confirmed.
    Blind,
    /// Letters rely on code pages that only the paper can prove.
    CodePage {
        /// Page with small letters.
        lower: u8,
        /// Page with capitals.
        upper: u8,
    },
    /// The printer is fine but wants a person: paper, cover, blade.
    NeedsAttention(PrinterState),
    /// No trouble found.
    Healthy,
}

impl Finding {
    /// In Vietnamese: what is wrong and what to do.
    pub fn vi(self) -> String {
        match self {
            Self::NoAnswer => "Máy in không trả lời ở bất kỳ tốc độ nào. Kiểm tra nguồn điện, cáp (TX/RX chéo) và cổng đã chọn.".into(),
            Self::Noise => "Tín hiệu từ máy in bị nhiễu. Kiểm tra cáp, dây đất và tốc độ cổng.".into(),
            Self::WrongBaud { configured, answered } => format!("Máy in trả lời ở {answered} bit/s, cấu hình đang là {configured}. Sửa cấu hình hoặc công tắc của máy in."),
            Self::FenceSilent => "Máy in trả lời trạng thái nhưng không xác nhận dữ liệu. Nối dây DTR/RTS của máy tính vào DSR của máy in, hoặc tắt bắt tay DTR/DSR.".into(),
            Self::HeldAlways => "Máy in luôn giữ đường bắt tay. Kiểm tra dây CTS, kiểu bắt tay, và máy in có đang ngoại tuyến không.".into(),
            Self::PortMissing => "Không thấy cổng máy in. Cắm lại cáp USB hoặc sửa đường dẫn cổng.".into(),
            Self::PortForbidden => "Không có quyền mở cổng máy in. Thêm người dùng của kiosk vào nhóm dialout.".into(),
            Self::PortBusy => "Chương trình khác đang dùng cổng máy in. Tắt chương trình đó.".into(),
            Self::PortUnsuitable => "Đường dẫn không phải cổng nối tiếp hoặc không nhận cấu hình. Sửa cấu hình.".into(),
            Self::ProcessIdSilent => "Máy in không gửi mã xác nhận in (GS ( H). Chọn đúng loại máy in.".into(),
            Self::CountersSilent => "Máy in không gửi bộ đếm. Chọn đúng loại máy in.".into(),
            Self::Blind => "Cáp không có dây chiều về nên không thể biết hóa đơn đã in hay chưa. Nên thay cáp.".into(),
            Self::CodePage { lower, upper } => format!("Chữ có dấu dùng bảng mã {lower}/{upper}. In trang thử; nếu sai chữ, chọn kiểu chữ inline-glyph trong cấu hình."),
            Self::NeedsAttention(state) => format!("Máy in cần người xử lý: {}.", attention(state).0),
            Self::Healthy => "Máy in hoạt động tốt.".into(),
        }
    }

    /// In English: what is wrong and what to do.
    pub fn en(self) -> String {
        match self {
            Self::NoAnswer => "The printer answers at no speed. Check power, cable (TX/RX crossed) and the chosen port.".into(),
            Self::Noise => "What the printer sends is garbled. Check cable, ground wire and speed.".into(),
            Self::WrongBaud { configured, answered } => format!("The printer answers at {answered} bit/s, configured are {configured}. Correct the configuration or the printer's switches."),
            Self::FenceSilent => "The printer answers status questions but does not confirm data. Wire the computer's DTR/RTS to the printer's DSR, or switch its DTR/DSR handshake off.".into(),
            Self::HeldAlways => "The printer holds the handshake line all the time. Check the CTS wire, the kind of handshake, and whether the printer is offline.".into(),
            Self::PortMissing => "The printer's port is not there. Plug the USB cable in again or correct the path.".into(),
            Self::PortForbidden => "Not allowed to open the printer's port. Add the kiosk's user to the group dialout.".into(),
            Self::PortBusy => "Another program uses the printer's port. Stop it.".into(),
            Self::PortUnsuitable => "The path is not a serial port or refuses the settings. Correct the configuration.".into(),
            Self::ProcessIdSilent => "The printer does not send print confirmations (GS ( H). Choose the right printer model.".into(),
            Self::CountersSilent => "The printer does not send its counters. Choose the right printer model.".into(),
            Self::Blind => "The cable has no return wire, so nobody can know whether a receipt was printed. A full cable is better.".into(),
            Self::CodePage { lower, upper } => format!("Accented letters use code pages {lower}/{upper}. Print the test page; if letters are wrong, choose the text plan inline-glyph in the configuration."),
            Self::NeedsAttention(state) => format!("The printer needs a person: {}.", attention(state).1),
            Self::Healthy => "The printer works well.".into(),
        }
    }
}

/// What is the matter in a state and what to do, in Vietnamese and English.
pub fn attention(state: PrinterState) -> (&'static str, &'static str) {
    match state {
        PrinterState::PaperOut => ("hết giấy, thay cuộn mới", "out of paper, put in a new roll"),
        PrinterState::PaperNearEnd => ("sắp hết giấy", "the roll ends soon"),
        PrinterState::CoverOpen => ("nắp đang mở, đóng lại", "the cover is open, close it"),
        PrinterState::CutterJam => (
            "kẹt dao cắt, mở nắp và gỡ giấy",
            "the blade is stuck, open the cover and free the paper",
        ),
        PrinterState::Cooling => ("đầu in quá nóng, chờ nguội", "the head is too hot, wait"),
        PrinterState::Fault => ("lỗi, tắt và bật lại", "a fault, switch off and on"),
        PrinterState::Ready | PrinterState::Connecting => ("không rõ", "not known"),
        PrinterState::Offline(OfflineReason::Held) => {
            ("đang giữ đường truyền", "it holds the line")
        }
        PrinterState::Offline(OfflineReason::Unplugged) => (
            "không thấy cổng, cắm lại cáp hoặc sửa đường dẫn",
            "its port is not there, plug the cable in or correct the path",
        ),
        PrinterState::Offline(OfflineReason::Forbidden) => (
            "không có quyền mở cổng, thêm người dùng vào nhóm dialout",
            "not allowed to open its port, add the user to the group dialout",
        ),
        PrinterState::Offline(OfflineReason::PortBusy) => (
            "chương trình khác đang dùng cổng, tắt chương trình đó",
            "another program uses its port, stop it",
        ),
        PrinterState::Offline(OfflineReason::PortUnsuitable) => (
            "đường dẫn không phải cổng nối tiếp",
            "the path is not a serial port",
        ),
        PrinterState::Offline(OfflineReason::NoAnswer) => (
            "không trả lời, kiểm tra nguồn, cáp và tốc độ",
            "it does not answer, check power, cable and speed",
        ),
        PrinterState::Offline(OfflineReason::Paused) => ("đang ngoại tuyến", "it is offline"),
    }
}

/// Asks a printer and waits: a serial port, or a simulation of one.
pub trait Probe {
    /// Sets the line speed, sends `bytes`, and returns what comes back within `wait_ms`, as soon
    /// as at least `enough` answers are there.
    ///
    /// # Errors
    /// Why the port cannot be used.
    fn ask(
        &mut self,
        baud: u32,
        bytes: &[u8],
        enough: usize,
        wait_ms: u64,
    ) -> Result<Vec<u8>, PortError>;

    /// Whether the printer lets us send (CTS), where that can be seen.
    fn clear_to_send(&mut self) -> Option<bool>;
}

/// What an examination found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// What is wrong, worst first; only [`Finding::Healthy`] if nothing is.
    pub findings: Vec<Finding>,
    /// Speed the printer answered at, in bits per second.
    pub baud: Option<u32>,
    /// What it calls itself.
    pub model: Option<String>,
}

/// Examines the printer of a configuration. Blocks for up to some ten seconds; not for use
/// while a driver has the port.
pub fn examine(config: &PrinterConfig) -> Report {
    let handshake = config.handshake.unwrap_or(config.profile.handshake);
    let mut probe = SerialProbe {
        config: config.clone(),
        handshake,
        link: None,
    };
    let configured = config.baud.unwrap_or(config.profile.baud);
    examine_with(&config.profile, configured, &mut probe)
}

/// As [`examine`], over any [`Probe`].
pub fn examine_with(profile: &Profile, configured: u32, probe: &mut impl Probe) -> Report {
    let mut report = Report::default();
    if let Err(error) = look(profile, configured, probe, &mut report) {
        report.findings.insert(0, port_finding(&error));
    }
    if report.findings.is_empty() {
        report.findings.push(Finding::Healthy);
    }
    report
}

fn look(
    profile: &Profile,
    configured: u32,
    probe: &mut impl Probe,
    report: &mut Report,
) -> Result<(), PortError> {
    if !profile.answers.real_time_status {
        probe.ask(configured, &[], 0, 0)?;
        report.findings.push(Finding::Blind);
        return Ok(());
    }
    let Some(baud) = find_speed(configured, probe, report)? else {
        return Ok(());
    };
    report.baud = Some(baud);
    if baud != configured {
        report.findings.push(Finding::WrongBaud {
            configured,
            answered: baud,
        });
    }
    let status = ask_status(baud, probe)?;
    if let Some(status) = status.filter(|status| !status.can_print()) {
        // Offline printers answer nothing in order, so the rest cannot be examined.
        let state = PrinterState::from_status(&status);
        report.findings.push(Finding::NeedsAttention(state));
        return Ok(());
    }
    ask_in_order(profile, baud, probe, report)?;
    if let TextPlan::Tcvn3 {
        lower_page,
        upper_page,
    } = profile.text
    {
        report.findings.push(Finding::CodePage {
            lower: lower_page,
            upper: upper_page,
        });
    }
    Ok(())
}

fn find_speed(
    configured: u32,
    probe: &mut impl Probe,
    report: &mut Report,
) -> Result<Option<u32>, PortError> {
    let mut noisy = false;
    let others = SPEEDS.into_iter().filter(|speed| *speed != configured);
    for baud in std::iter::once(configured).chain(others) {
        let mut valid = 0;
        for _ in 0..2 {
            let bytes = probe.ask(baud, &protocol::ASK_ONLINE, 1, ANSWER_MS)?;
            let is_answer = |answer: &Answer| matches!(answer, Answer::RealTime(_));
            valid += usize::from(answers(&bytes).iter().any(is_answer));
            noisy |= bytes
                .iter()
                .any(|byte| !protocol::status::is_real_time(*byte));
        }
        if valid == 2 {
            return Ok(Some(baud));
        }
    }
    report
        .findings
        .push(if probe.clear_to_send() == Some(false) {
            Finding::HeldAlways
        } else if noisy {
            Finding::Noise
        } else {
            Finding::NoAnswer
        });
    Ok(None)
}

fn ask_status(baud: u32, probe: &mut impl Probe) -> Result<Option<Status>, PortError> {
    let bytes = probe.ask(baud, &protocol::ASK_STATUS, 4, ANSWER_MS)?;
    let real_time = answers(&bytes)
        .into_iter()
        .filter_map(|answer| match answer {
            Answer::RealTime(byte) => Some(byte),
            _ => None,
        });
    let real_time: Vec<u8> = real_time.collect();
    Ok(<[u8; 4]>::try_from(real_time)
        .ok()
        .map(Status::from_real_time))
}

fn ask_in_order(
    profile: &Profile,
    baud: u32,
    probe: &mut impl Probe,
    report: &mut Report,
) -> Result<(), PortError> {
    let supports = profile.answers;
    if supports.fence {
        let bytes = probe.ask(baud, &protocol::ASK_FENCE, 1, FENCE_MS)?;
        if !answers(&bytes)
            .iter()
            .any(|answer| matches!(answer, Answer::InOrder(_)))
        {
            report.findings.push(Finding::FenceSilent);
            return Ok(());
        }
    }
    if supports.process_id {
        let id = *b"DRTR";
        let bytes = probe.ask(baud, &protocol::ask_process_id(id), 7, FENCE_MS)?;
        if !answers(&bytes).contains(&Answer::ProcessId(id)) {
            report.findings.push(Finding::ProcessIdSilent);
        }
    }
    if supports.counters {
        let text = ask_text(baud, &protocol::ASK_CUT_COUNTER, probe)?;
        if text.is_none_or(|text| text.trim().parse::<u32>().is_err()) {
            report.findings.push(Finding::CountersSilent);
        }
    }
    if supports.identity {
        let maker = ask_text(baud, &protocol::ASK_MAKER, probe)?.unwrap_or_default();
        let model = ask_text(baud, &protocol::ASK_MODEL, probe)?.unwrap_or_default();
        let name = format!("{maker} {model}").trim().to_owned();
        report.model = (!name.is_empty()).then_some(name);
    }
    Ok(())
}

fn ask_text(
    baud: u32,
    question: &[u8],
    probe: &mut impl Probe,
) -> Result<Option<String>, PortError> {
    // Shortest text answer: head, one digit, end.
    let bytes = probe.ask(baud, question, 3, ANSWER_MS)?;
    Ok(answers(&bytes).into_iter().find_map(|answer| match answer {
        Answer::Info(text) => Some(text),
        _ => None,
    }))
}

fn answers(bytes: &[u8]) -> Vec<Answer> {
    let mut receiver = Receiver::new();
    bytes
        .iter()
        .filter_map(|&byte| receiver.push(byte))
        .collect()
}

fn port_finding(error: &PortError) -> Finding {
    match error {
        PortError::Absent { .. } | PortError::Gone { .. } => Finding::PortMissing,
        PortError::Forbidden { .. } => Finding::PortForbidden,
        PortError::Busy { .. } => Finding::PortBusy,
        PortError::Unsuitable { .. } => Finding::PortUnsuitable,
    }
}

/// A probe over a real port.
struct SerialProbe {
    config: PrinterConfig,
    handshake: Handshake,
    link: Option<(u32, SerialLink)>,
}

impl SerialProbe {
    fn open(&mut self, baud: u32) -> Result<&mut SerialLink, PortError> {
        if self.link.as_ref().is_none_or(|(at, _)| *at != baud) {
            // The old one must be gone before the port can be had again.
            self.link = None;
            let settings = SerialSettings::new(&self.config.path, baud)
                .with_flow(flow_control(self.handshake));
            self.link = Some((baud, SerialLink::open(&settings)?));
        }
        match &mut self.link {
            Some((_, link)) => Ok(link),
            None => Err(PortError::Gone {
                detail: "the port closed".into(),
            }),
        }
    }
}

impl Probe for SerialProbe {
    fn ask(
        &mut self,
        baud: u32,
        bytes: &[u8],
        enough: usize,
        wait_ms: u64,
    ) -> Result<Vec<u8>, PortError> {
        let link = self.open(baud)?;
        let end = Instant::now() + Duration::from_millis(wait_ms);
        let mut unsent = bytes;
        let mut out = Vec::new();
        loop {
            unsent = &unsent[link.try_write(unsent)?..];
            let mut buffer = [0u8; 128];
            let count = link.try_read(&mut buffer)?;
            out.extend_from_slice(&buffer[..count]);
            let left = end.saturating_duration_since(Instant::now());
            // A text ends with NUL; anything else is complete when enough bytes are there.
            let is_text = out.contains(&0x5F) && out.last() != Some(&0);
            if (out.len() >= enough && !is_text) || left.is_zero() {
                return Ok(out);
            }
            link.wait(left.min(Duration::from_millis(50)), false);
        }
    }

    fn clear_to_send(&mut self) -> Option<bool> {
        let (_, link) = self.link.as_ref()?;
        link.modem_lines().map(|lines| lines.clear_to_send)
    }
}
