//! Names what is wrong with wiring and settings, in words for the person at the counter.

/// Something a person can put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
            Self::Healthy => "The printer works well.".into(),
        }
    }
}
