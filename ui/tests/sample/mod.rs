//! Dummy data for every screen, in both languages: what the gallery draws and what the tests look at.

#![allow(dead_code, unused_imports, clippy::unwrap_used)]

mod cases;
mod staff;

use std::rc::Rc;

pub use cases::{CASES, Case};
use kiosk_ui::*;
use slint::{
    ComponentHandle, Image, ModelRc, Rgba8Pixel, SharedPixelBuffer, SharedString, VecModel,
};

/// The text a shop in `language` would send.
#[derive(Clone, Copy)]
pub struct Words {
    pub vi: bool,
}

impl Words {
    /// The words for the language of the window.
    pub fn of_shown(ui: &MainWindow) -> Self {
        let vi = ui.global::<ShellAdapter>().get_language() == "vi";
        Self { vi }
    }

    pub fn of(self, vi: &str, en: &str) -> SharedString {
        if self.vi { vi.into() } else { en.into() }
    }
}

pub fn model<T: Clone + 'static>(rows: Vec<T>) -> ModelRc<T> {
    ModelRc::from(Rc::new(VecModel::from(rows)))
}

/// A QR code as the program makes it: one pixel per module, four modules of quiet zone.
pub fn qr_image(text: &str) -> Image {
    qr_image_at(text, qrcode::EcLevel::M)
}

/// The largest receipt the program puts into a code: 700 bytes at the lowest level.
pub fn long_qr_image() -> Image {
    qr_image_at(&long_receipt(), qrcode::EcLevel::L)
}

/// What that code says.
pub fn long_receipt() -> String {
    let mut text = "Tạp hóa Hoa Sen\nMST 0312345678\n#142 21/11/2026 09:41\n".to_owned();
    while text.len() < 700 {
        let left = 700 - text.len();
        let line = "Mì Hảo Hảo tôm chua cay 5.000\n";
        text.extend(line.chars().take_while({
            let mut used = 0;
            move |letter| {
                used += letter.len_utf8();
                used <= left
            }
        }));
    }
    text
}

fn qr_image_at(text: &str, level: qrcode::EcLevel) -> Image {
    let code = qrcode::QrCode::with_error_correction_level(text, level).unwrap();
    let (modules, quiet) = (code.width(), 4);
    let side = modules + 2 * quiet;
    let mut buffer = SharedPixelBuffer::<Rgba8Pixel>::new(side as u32, side as u32);
    let pixels = buffer.make_mut_slice();
    pixels.fill(Rgba8Pixel::new(255, 255, 255, 255));
    for y in 0..modules {
        for x in 0..modules {
            if code[(x, y)] == qrcode::Color::Dark {
                pixels[(y + quiet) * side + x + quiet] = Rgba8Pixel::new(0, 0, 0, 255);
            }
        }
    }
    Image::from_rgba8(buffer)
}

/// What the sample QR code says.
pub const QR_TEXT: &str = "00020101021238540010A00000072701240006970436011010123456780208QRIBFTTA53037045406146688580\
2VN62140810HS7K2M9QX63049A1F";

fn image(key: &str) -> Image {
    picture(key).unwrap_or_default()
}

fn product(w: Words, key: &str, vi: &str, en: &str, price: &str) -> Product {
    let name = w.of(vi, en);
    Product {
        id: key.into(),
        initial: name.chars().take(1).collect::<String>().into(),
        name,
        price: price.into(),
        picture: image(key),
        available: true,
        ..Product::default()
    }
}

fn products(w: Words) -> Vec<Product> {
    let mut rows = vec![
        product(
            w,
            "coffee",
            "Cà phê sữa đá",
            "Iced milk coffee",
            "25.000\u{a0}₫",
        ),
        product(
            w,
            "noodles",
            "Mì Hảo Hảo tôm chua cay",
            "Hảo Hảo noodles, hot and sour",
            "5.000\u{a0}₫",
        ),
        product(
            w,
            "banana",
            "Chuối già Nam Mỹ",
            "Cavendish bananas",
            "28.000\u{a0}₫",
        ),
        product(
            w,
            "milk",
            "Sữa tươi Vinamilk 1 lít",
            "Vinamilk fresh milk 1 l",
            "36.500\u{a0}₫",
        ),
        product(
            w,
            "bread",
            "Bánh mì sandwich",
            "Sandwich bread",
            "22.000\u{a0}₫",
        ),
        product(
            w,
            "juice",
            "Nước cam ép 330 ml",
            "Orange juice 330 ml",
            "18.000\u{a0}₫",
        ),
        product(
            w,
            "beer",
            "Bia Sài Gòn Special lon 330 ml",
            "Saigon Special beer, can 330 ml",
            "17.500\u{a0}₫",
        ),
        product(
            w,
            "egg",
            "Trứng gà ta, hộp 10 quả",
            "Free-range eggs, box of 10",
            "39.000\u{a0}₫",
        ),
        product(
            w,
            "rice",
            "Gạo ST25, túi 5 kg",
            "ST25 rice, 5 kg bag",
            "189.000\u{a0}₫",
        ),
        product(
            w,
            "soap",
            "Xà phòng Lifebuoy 125 g",
            "Lifebuoy soap 125 g",
            "16.000\u{a0}₫",
        ),
        product(
            w,
            "apple",
            "Táo Envy New Zealand",
            "Envy apples, New Zealand",
            "129.000\u{a0}₫",
        ),
        product(
            w,
            "none",
            "Khăn giấy ăn Pulppy",
            "Pulppy paper napkins",
            "21.500\u{a0}₫",
        ),
    ];
    rows[2].unit = "/ kg".into();
    rows[3].offer = w.of("Mua 2 tặng 1", "Buy 2, get 1");
    rows[6].badge = "18+".into();
    rows[9].available = false;
    rows[10].unit = "/ kg".into();
    rows
}

fn line(
    id: &str,
    kind: LineKind,
    name: SharedString,
    detail: &str,
    quantity: &str,
    amount: &str,
) -> BasketLine {
    BasketLine {
        id: id.into(),
        kind,
        name,
        detail: detail.into(),
        quantity: quantity.into(),
        amount: amount.into(),
        age_pending: false,
    }
}

fn lines(w: Words) -> Vec<BasketLine> {
    vec![
        line(
            "1",
            LineKind::Item,
            w.of("Cà phê sữa đá", "Iced milk coffee"),
            "25.000\u{a0}₫",
            "2",
            "50.000\u{a0}₫",
        ),
        line(
            "2",
            LineKind::Item,
            w.of("Sữa tươi Vinamilk 1 lít", "Vinamilk fresh milk 1 l"),
            "36.500\u{a0}₫",
            "3",
            "109.500\u{a0}₫",
        ),
        line(
            "3",
            LineKind::Fixed,
            w.of("Chuối già Nam Mỹ", "Cavendish bananas"),
            "0,846 kg × 28.000",
            "",
            "23.688\u{a0}₫",
        ),
        line(
            "4",
            LineKind::Discount,
            w.of("Mua 2 sữa tươi, tặng 1", "Buy 2 milk, get 1"),
            "",
            "",
            "−36.500\u{a0}₫",
        ),
    ]
}

/// Fills every adapter with one plausible afternoon in the shop.
pub fn fill(ui: &MainWindow, language: &str) {
    let w = Words {
        vi: language == "vi",
    };
    install(ui);
    select_language(language).unwrap();
    let shell = ui.global::<ShellAdapter>();
    shell.set_shop_name("Tạp hóa Hoa Sen".into());
    shell.set_clock("09:41".into());
    shell.set_language(language.into());
    shell.set_language_short(language.to_uppercase().into());
    let option = |code: &str, name: &str| Language {
        code: code.into(),
        name: name.into(),
        short: code.to_uppercase().into(),
    };
    shell.set_languages(model(vec![
        option("vi", "Tiếng Việt"),
        option("en", "English"),
    ]));

    let attract = ui.global::<AttractAdapter>();
    attract.set_promos(model(vec![Promo {
        picture: image("milk"),
        kicker: w.of("HÔM NAY", "TODAY"),
        headline: w.of("Mua 2 sữa tươi, tặng 1", "Buy 2 milk, get 1"),
        detail: w.of(
            "Vinamilk 1 lít · đến hết Chủ nhật",
            "Vinamilk 1 litre · until Sunday",
        ),
    }]));
    attract.set_you_said(w.of(
        "thêm một quầy tính tiền giờ trưa.",
        "one more checkout at lunchtime.",
    ));

    fill_shop(ui, w);
    fill_payment(ui, w);
    fill_visit(ui, w);
    staff::fill(ui, w);
}

fn fill_shop(ui: &MainWindow, w: Words) {
    let shop = ui.global::<ShopAdapter>();
    let category = |id: &str, vi: &str, en: &str| Category {
        id: id.into(),
        name: w.of(vi, en),
    };
    shop.set_categories(model(vec![
        category("best", "Bán chạy", "Best sellers"),
        category("drinks", "Đồ uống", "Drinks"),
        category("noodles", "Mì & gạo", "Noodles & rice"),
        category("fruit", "Trái cây", "Fruit"),
        category("milk", "Sữa", "Milk"),
        category("home", "Gia dụng", "Household"),
        category("care", "Chăm sóc cá nhân", "Personal care"),
    ]));
    shop.set_category("best".into());
    shop.set_products(model(products(w)));
    shop.set_weigh_name(w.of("Chuối già Nam Mỹ", "Cavendish bananas"));
    shop.set_weigh_picture(image("banana"));
    shop.set_weigh_weight("0,846 kg".into());
    shop.set_weigh_unit_price("28.000\u{a0}₫ / kg".into());
    shop.set_weigh_price("23.688\u{a0}₫".into());

    let basket = ui.global::<BasketAdapter>();
    basket.set_lines(model(lines(w)));
    basket.set_item_count(6);
    basket.set_total("146.688\u{a0}₫".into());
    basket.set_saved("−36.500\u{a0}₫".into());
    basket.set_can_pay(true);
    basket.set_can_park(true);
    ui.global::<CouponAdapter>().set_code("HOASEN20".into());
}

fn fill_payment(ui: &MainWindow, w: Words) {
    let pay = ui.global::<PayAdapter>();
    pay.set_due("146.688\u{a0}₫".into());
    pay.set_total("146.688\u{a0}₫".into());
    pay.set_tax_line(w.of(
        "đã gồm thuế GTGT 8%: 10.866\u{a0}₫",
        "including VAT 8%: 10.866\u{a0}₫",
    ));
    pay.set_can_back(true);
    let method = |kind, detail: SharedString, preferred| PayMethod {
        kind,
        detail,
        block: MethodBlock::None,
        preferred,
    };
    pay.set_methods(model(vec![
        method(
            MethodKind::Qr,
            w.of(
                "Ứng dụng ngân hàng, MoMo, ZaloPay",
                "Banking apps, MoMo, ZaloPay",
            ),
            true,
        ),
        method(MethodKind::Card, SharedString::new(), false),
        method(
            MethodKind::Cash,
            w.of(
                "Trả cho nhân viên, làm tròn 146.500\u{a0}₫",
                "Paid to staff, rounded to 146.500\u{a0}₫",
            ),
            false,
        ),
    ]));

    let card = ui.global::<CardAdapter>();
    card.set_phase(CardPhase::Present);
    card.set_amount("146.688\u{a0}₫".into());
    card.set_terminal_line(w.of("SẴN SÀNG", "READY"));
    card.set_can_cancel(true);

    let qr = ui.global::<QrAdapter>();
    qr.set_code(qr_image(QR_TEXT));
    qr.set_amount("146.688\u{a0}₫".into());
    qr.set_amount_words(w.of(
        "một trăm bốn mươi sáu nghìn sáu trăm tám mươi tám đồng",
        "one hundred forty-six thousand six hundred eighty-eight dong",
    ));
    qr.set_payee("CÔNG TY TNHH HOA SEN".into());
    qr.set_bank("Vietcombank".into());
    qr.set_account("••••••5678".into());
    qr.set_reference("HS7K2M9QX".into());
    qr.set_progress(0.68);
    qr.set_countdown("2:03".into());
    qr.set_asked_ago_s(2);
    qr.set_can_extend(true);

    let underpaid = ui.global::<UnderpaidAdapter>();
    underpaid.set_asked("146.688\u{a0}₫".into());
    underpaid.set_received("100.000\u{a0}₫".into());
    underpaid.set_due("46.688\u{a0}₫".into());
    underpaid.set_reference("HS7K2M9QX".into());
    underpaid.set_can_scan(true);
    ui.global::<BankCheckAdapter>()
        .set_references("HS7K2M9QX".into());

    let cash = ui.global::<CashAdapter>();
    cash.set_amount("146.500\u{a0}₫".into());
    cash.set_rounding_line(w.of("đã làm tròn, bớt 188\u{a0}₫", "rounded down by 188\u{a0}₫"));
    cash.set_received("200.000\u{a0}₫".into());
    cash.set_change("53.500\u{a0}₫".into());
    cash.set_can_cancel(true);

    let unknown = ui.global::<UnknownAdapter>();
    unknown.set_attempt("A-0142".into());
    unknown.set_amount("146.688\u{a0}₫".into());
    unknown.set_asked_ago_s(2);
    unknown.set_slip(SlipPhase::Offered);
}

fn fill_visit(ui: &MainWindow, w: Words) {
    let paid = ui.global::<PaidAdapter>();
    paid.set_amount("146.688\u{a0}₫".into());
    paid.set_print_phase(PrintPhase::Printing);
    paid.set_has_e_receipt(true);
    paid.set_e_receipt_code(qr_image("https://hd.example.vn/r/7K2M9QX"));
    paid.set_asks(true);

    let reasons = ui.global::<ReasonsAdapter>();
    reasons.set_face(2);
    reasons.set_offers_help(true);
    let reason = |id: &str, vi: &str, en: &str, chosen| Reason {
        id: id.into(),
        name: w.of(vi, en),
        chosen,
    };
    reasons.set_reasons(model(vec![
        reason("wait", "Phải chờ lâu", "Waited too long", true),
        reason("find", "Khó tìm món", "Hard to find things", false),
        reason(
            "staff",
            "Nhân viên chưa vui vẻ",
            "Staff were not friendly",
            false,
        ),
        reason(
            "price",
            "Giá khác trên kệ",
            "Price differs from the shelf",
            false,
        ),
        reason("pay", "Trả tiền trục trặc", "Trouble paying", false),
        reason("other", "Điều khác", "Something else", false),
    ]));

    let thanks = ui.global::<ThanksAdapter>();
    thanks.set_you_said(w.of(
        "thêm một quầy tính tiền giờ trưa.",
        "one more checkout at lunchtime.",
    ));
    thanks.set_take_receipt(true);

    let help = ui.global::<HelpAdapter>();
    help.set_phase(HelpPhase::Calling);
    help.set_number("3".into());
    help.set_waited("0:40".into());

    let age = ui.global::<AgeAdapter>();
    age.set_age(18);
    age.set_item_name(w.of(
        "Bia Sài Gòn Special lon 330 ml",
        "Saigon Special beer, can 330 ml",
    ));
    age.set_item_picture(image("beer"));

    ui.global::<IdleAdapter>().set_seconds_left(15);
    let parked = ui.global::<ParkedAdapter>();
    parked.set_code("4827".into());
    parked.set_kept_until("21:30".into());
    ui.global::<ResumeAdapter>().set_code("A7K".into());

    let out = ui.global::<OutOfOrderAdapter>();
    out.set_reason(OutReason::Payment);
    out.set_code("E-PAY-NONE".into());
    out.set_kiosk_number("3".into());
    let starting = ui.global::<StartingAdapter>();
    starting.set_step(StartStep::Catalogue);
    starting.set_progress(0.6);
    ui.global::<PrivacyAdapter>()
        .set_contact("0900 000 000".into());
}
