//! A catalogue as large as a big supermarket's: names put together from what such shops sell, real check digits.

use crate::catalogue::{Entry, item_id};
use checkout::{Item, LocalDate, PriceFrom, TaxClassId, Unit};
use std::collections::BTreeMap;

/// Items of the catalogue.
pub(super) const ITEMS: usize = 100_000;

/// Category, its goods, their pictures.
const GOODS: &[(&str, &[(&str, &str)])] = &[
    (
        "Sữa",
        &[
            ("Sữa tươi tiệt trùng", "milk"),
            ("Sữa chua uống", "baby-bottle"),
            ("Sữa đặc có đường", "milk"),
            ("Sữa bột dinh dưỡng", "milk"),
            ("Sữa đậu nành", "milk"),
            ("Phô mai lát", "cheese"),
            ("Bơ lạt", "butter"),
        ],
    ),
    (
        "Đồ uống",
        &[
            ("Nước ngọt có ga", "cup-straw"),
            ("Nước cam ép", "juice"),
            ("Trà xanh không độ", "tea"),
            ("Nước khoáng", "water"),
            ("Nước tăng lực", "can"),
            ("Trà ô long", "tea"),
            ("Nước dừa tươi", "coconut"),
        ],
    ),
    (
        "Mì & gạo",
        &[
            ("Mì tôm chua cay", "noodles"),
            ("Phở bò ăn liền", "noodles"),
            ("Bún riêu cua", "noodles"),
            ("Gạo thơm dẻo", "rice"),
            ("Miến gà", "noodles"),
            ("Cháo thịt bằm", "soup"),
            ("Nui ống", "spaghetti"),
        ],
    ),
    (
        "Gia vị",
        &[
            ("Nước mắm cá cơm", "salt"),
            ("Dầu ăn hướng dương", "olive"),
            ("Hạt nêm từ thịt", "salt"),
            ("Tương ớt", "chili"),
            ("Xì dầu", "salt"),
            ("Đường tinh luyện", "salt"),
            ("Muối i-ốt", "salt"),
        ],
    ),
    (
        "Bánh kẹo",
        &[
            ("Bánh quy bơ", "cookie"),
            ("Bánh mì sandwich", "bread"),
            ("Kẹo dẻo trái cây", "candy"),
            ("Bánh gạo nướng", "rice-cracker"),
            ("Sô cô la đen", "candy"),
            ("Snack khoai tây", "fries"),
            ("Bánh bông lan trứng muối", "cake"),
            ("Hạt điều rang muối", "peanuts"),
        ],
    ),
    (
        "Đồ đông lạnh",
        &[
            ("Há cảo tôm", "dumpling"),
            ("Kem que dừa", "ice-lolly"),
            ("Chả giò rế", "dumpling"),
            ("Cá viên chiên", "fish-cake"),
            ("Xúc xích phô mai", "hotdog"),
        ],
    ),
    (
        "Chăm sóc cá nhân",
        &[
            ("Dầu gội bồ kết", "lotion"),
            ("Sữa tắm hương hoa", "lotion"),
            ("Kem đánh răng", "toothbrush"),
            ("Nước súc miệng", "toothbrush"),
            ("Khăn giấy ướt", "tissue"),
            ("Xà phòng cục", "soap"),
        ],
    ),
    (
        "Gia dụng",
        &[
            ("Bột giặt", "shirt"),
            ("Nước rửa chén", "sponge"),
            ("Nước lau sàn", "bucket"),
            ("Túi đựng rác", "bag"),
            ("Giấy vệ sinh", "tissue"),
            ("Pin kiềm", "battery"),
            ("Bóng đèn tiết kiệm điện", "bulb"),
        ],
    ),
];
const BRANDS: &[&str] = &[
    "Hoa Sen",
    "Sao Mai",
    "Đồng Xanh",
    "Thiên Long",
    "Bình Minh",
    "An Nhiên",
    "Phú Quý",
    "Hương Việt",
    "Cửu Long",
    "Tây Bắc",
    "Mộc Châu",
    "Đà Lạt",
    "Hạ Long",
    "Nam Ngư",
    "Trường Sơn",
    "Bách Hợp",
    "Kim Ngân",
    "Hải Âu",
    "Ngọc Lan",
    "Ánh Dương",
    "Việt Hương",
    "Lạc Hồng",
    "Phương Nam",
    "Thảo Nguyên",
    "Vạn Xuân",
    "Bến Tre",
    "Quê Nhà",
    "Gia Phúc",
    "Minh Long",
    "Tân Á",
    "Hưng Thịnh",
    "Diệu Linh",
    "Sông Hương",
    "Núi Ngự",
    "Cát Tường",
    "Bảo Ngọc",
];
const KINDS: &[&str] = &[
    "vị truyền thống",
    "ít đường",
    "không đường",
    "vị dâu",
    "vị cam",
    "vị trà xanh",
    "hương chanh",
    "vị sầu riêng",
    "loại đặc biệt",
    "cay nồng",
    "vị rong biển",
    "hương lá dứa",
    "vị vải",
    "hương sả",
    "nguyên chất",
    "cao cấp",
    "cho trẻ em",
    "tiết kiệm",
];
const SIZES: &[(&str, &str)] = &[
    ("gói", "75 g"),
    ("gói", "200 g"),
    ("hộp", "180 ml"),
    ("hộp", "350 g"),
    ("chai", "500 ml"),
    ("chai", "1 lít"),
    ("lon", "330 ml"),
    ("lốc", "4 hộp"),
    ("túi", "1 kg"),
    ("thùng", "24 lon"),
    ("túi", "500 g"),
    ("chai", "1,5 lít"),
];

/// A sequence that is the same in every run.
#[derive(Clone, Debug)]
pub(super) struct Sequence(u64);

impl Sequence {
    /// The sequence of this seed.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `end`, all about as likely (SplitMix64).
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % (end as u64)).unwrap_or(0)
    }

    /// One of `choices`.
    pub(super) fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// An EAN-13 with Vietnam's prefix and its check digit (GS1 General Specifications §7.9).
pub(super) fn ean13(number: usize) -> String {
    let digits = format!("893{number:09}");
    let weighted = digits.bytes().zip([1, 3].into_iter().cycle());
    let sum: u32 = weighted
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

/// The catalogue; the same in every run.
pub(super) fn entries(tax_class: TaxClassId) -> Vec<Entry> {
    let mut sequence = Sequence::new(893);
    (0..ITEMS)
        .map(|number| entry(number, tax_class, &mut sequence))
        .collect()
}

fn entry(number: usize, tax_class: TaxClassId, sequence: &mut Sequence) -> Entry {
    let (category, goods) = sequence.of(GOODS);
    let (good, picture) = sequence.of(goods);
    let brand = sequence.of(BRANDS);
    let kind = sequence.of(KINDS);
    let (container, size) = sequence.of(SIZES);
    let code = format!("SP{number:06}");
    let price_minor = i64::try_from(sequence.below(400) + 6).unwrap_or(6) * 500;
    Entry {
        item: Item {
            id: item_id(&code),
            code,
            name: format!("{good} {brand} {kind} {container} {size}"),
            names: BTreeMap::new(),
            unit: Unit::Piece {
                label: container.to_owned(),
            },
            prices: vec![PriceFrom {
                from: LocalDate {
                    year: 2025,
                    month: 1,
                    day: 1,
                },
                price_minor,
            }],
            tax_class,
            min_age: None,
            deposit: None,
            category: category.to_owned(),
            groups: Vec::new(),
            picture: Some(picture.to_owned()),
        },
        barcodes: vec![ean13(number)],
        category_names: BTreeMap::new(),
        keywords: brand.to_owned(),
        rank: if number < 60 {
            u32::try_from(number + 1).unwrap_or(0)
        } else {
            0
        },
        for_sale: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn barcodes_carry_their_check_digit() {
        // Proves the check digit on numbers worked out by hand, so that the scanner's own check lets them pass.
        assert_eq!(ean13(456_313_816), "8934563138165");
        assert_eq!(ean13(0).len(), 13);
    }
}
