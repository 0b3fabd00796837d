//! The receipts the tests print.

use hardware::printer::{Cell, Document, Profile, Size, Style, encode};

/// A VietQR payload as a bank shows it.
pub const PAYMENT: &str = "00020101021238570010A00000072701270006970403011300110123456780208QRIBFTTA530370454061800005802VN62340107NPS68690819thanh toan don hang63042E2E";

const GOODS: [(&str, &str, &str); 8] = [
    ("Cà phê sữa đá", "2", "58.000"),
    ("Trà đào cam sả", "1", "45.000"),
    ("Bánh mì thịt nướng", "3", "105.000"),
    ("Nước suối Lavie 500ml", "2", "16.000"),
    ("Kẹo dừa Bến Tre", "1", "32.000"),
    ("Mì Hảo Hảo tôm chua cay", "5", "22.500"),
    ("Sữa tươi Vinamilk 1L", "1", "36.000"),
    ("Khăn giấy Pulppy", "1", "18.500"),
];

/// The 39-line receipt the size budget is about: 22 lines with Vietnamese letters.
pub fn large() -> Document {
    let mut receipt = Document::new();
    receipt
        .styled("CỬA HÀNG ĐIỂM CHẠM", Style::PLAIN.bold().center())
        .styled(
            "12 Nguyễn Huệ, Quận 1, TP. Hồ Chí Minh",
            Style::PLAIN.center(),
        )
        .styled("Tel 028 3822 0000   MST 0312345678", Style::PLAIN.center())
        .rule()
        .styled("HÓA ĐƠN BÁN HÀNG", Style::PLAIN.bold().center())
        .pair("So HD: 0001-000482", "22/11/2026 10:42")
        .pair("Quầy: 02", "Thu ngân: Tự phục vụ")
        .rule()
        .columns(row("Mặt hàng", "SL", "Tiền"))
        .rule();
    for (name, quantity, amount) in GOODS {
        receipt.columns(row(name, quantity, amount));
        // Half of the second lines are Vietnamese too.
        receipt.text(if quantity == "1" {
            format!("  {quantity} phần, thuế 8%")
        } else {
            format!("  x {quantity} @ VAT 8%")
        });
    }
    receipt
        .rule()
        .pair("Tạm tính", "333.000")
        .pair("Giảm giá thành viên", "-13.000")
        .pair("VAT 8%", "23.704")
        .styled_pair(
            "TONG CONG (VND)",
            "320.000",
            Style::PLAIN.bold().size(Size::Tall),
        )
        .rule()
        .pair("Chuyển khoản VietQR", "320.000")
        .pair("Ref", "FT26326004821")
        .rule()
        .styled("Cảm ơn quý khách, hẹn gặp lại!", Style::PLAIN.center())
        .text("Đổi trả trong 7 ngày kèm hóa đơn")
        .text("www.diemcham.example")
        .pair("Terminal K02", "#000482")
        .cut();
    receipt
}

fn row(name: &str, quantity: &str, amount: &str) -> Vec<Cell> {
    vec![
        Cell::fill(name),
        Cell::number(quantity, 4),
        Cell::number(amount, 10),
    ]
}

/// A receipt with everything on it: large head line, QR, barcode, drawer.
pub fn rich() -> Document {
    let mut receipt = Document::new();
    receipt
        .styled("Điểm Chạm", Style::PLAIN.bold().center().size(Size::Large))
        .styled("Tạp hóa Nguyễn Huệ", Style::PLAIN.center());
    for block in large().blocks() {
        if *block != hardware::printer::Block::Cut {
            receipt.push(block.clone());
        }
    }
    receipt
        .qr(PAYMENT)
        .styled("Quét mã để nhận hóa đơn điện tử", Style::PLAIN.center())
        .barcode("DC-0001-000482")
        .push(hardware::printer::Block::OpenDrawer)
        .cut();
    receipt
}

/// A short receipt with a word at the start and one at the end to look for.
pub fn short() -> Document {
    let mut receipt = Document::new();
    receipt
        .styled("DAU HOA DON 482", Style::PLAIN.bold().center())
        .pair("Cà phê sữa đá", "29.000")
        .pair("Bánh mì thịt", "35.000")
        .rule()
        .styled_pair("TỔNG", "64.000", Style::PLAIN.bold())
        .text("Cảm ơn!")
        .text("CUOI HOA DON 482")
        .cut();
    receipt
}

/// About 11 KB of plain lines.
pub fn endless() -> Document {
    let mut receipt = Document::new();
    for line in 0..230 {
        receipt.text(format!(
            "{line:03} abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKL 12"
        ));
    }
    receipt.cut();
    receipt
}

/// The short receipt with the 39 lines in its middle: about 5 KB.
pub fn long() -> Document {
    let (short, large) = (short(), large());
    let (start, end) = short.blocks().split_at(short.blocks().len() - 2);
    let middle = &large.blocks()[..large.blocks().len() - 1];
    let mut receipt = Document::new();
    for block in start.iter().chain(middle).chain(end) {
        receipt.push(block.clone());
    }
    receipt
}

/// A receipt of 5 KB on this printer, whatever a letter costs there.
pub fn five_kb(profile: &Profile) -> Document {
    let long = long();
    let tail = long.blocks().len() - 2;
    let mut receipt = Document::new();
    for block in &long.blocks()[..tail] {
        receipt.push(block.clone());
    }
    let bytes = |receipt: &Document| encode(receipt, profile).unwrap().bytes().len();
    while bytes(&receipt) < 4_980 {
        receipt.pair("Bánh mì thịt nướng", "105.000");
    }
    for block in &long.blocks()[tail..] {
        receipt.push(block.clone());
    }
    receipt
}
