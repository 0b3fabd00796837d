//! What a person in the shop must do when the kiosk cannot sell, in the language of the screen.
//!
//! The errors themselves stay English: they go to the log and to whoever looks after the kiosk. Each sentence here says
//! what happened, that nothing sold is lost where that is so, and the next step.

use crate::assemble::StartError;
use crate::config::ConfigError;
use crate::format::Language;
use crate::store::StoreError;
use checkout::till::StoreFault;

/// The remedy for a kiosk that could not open.
pub fn of_start(error: &StartError, language: Language) -> &'static str {
    let (vi, en) = match error {
        StartError::Store(error) => return of_store(error, language),
        StartError::Clock(_) => (
            "Đồng hồ của máy sai ngày giờ. Chỉnh lại giờ của máy; quầy tự mở lại.",
            "The machine's clock is wrong. Set it; the kiosk opens by itself.",
        ),
        StartError::NoRandomness => (
            "Máy chưa sẵn sàng. Tắt máy rồi bật lại; nếu vẫn vậy, gọi người phụ trách.",
            "The machine is not ready. Switch it off and on; if it stays like this, call whoever looks after the kiosk.",
        ),
        StartError::Device(_) => (
            "Phần cài đặt của một thiết bị chưa đúng. Gọi người phụ trách để sửa tệp cấu hình.",
            "The settings of a device are wrong. Call whoever looks after the kiosk to correct the configuration.",
        ),
    };
    pick(language, vi, en)
}

/// The remedy for a configuration that cannot be used.
pub fn of_config(error: &ConfigError, language: Language) -> &'static str {
    let (vi, en) = match error {
        ConfigError::Unreadable { .. } => (
            "Không đọc được tệp cấu hình của quầy. Gọi người phụ trách; dữ liệu bán hàng không bị động đến.",
            "The kiosk's configuration file cannot be read. Call whoever looks after the kiosk; sales data was not touched.",
        ),
        ConfigError::Syntax { .. } | ConfigError::Invalid { .. } => (
            "Tệp cấu hình của quầy có chỗ sai, ghi ở dưới. Gọi người phụ trách sửa rồi mở lại quầy; dữ liệu bán hàng \
             không bị động đến.",
            "The kiosk's configuration has the mistake named below. Have it corrected and start the kiosk again; sales \
             data was not touched.",
        ),
    };
    pick(language, vi, en)
}

/// The remedy for a store that did not open.
pub fn of_store(error: &StoreError, language: Language) -> &'static str {
    let (vi, en) = match error {
        StoreError::MissingDirectory(_) => (
            "Không thấy thư mục dữ liệu của quầy. Kiểm tra đĩa đã cắm chưa, rồi gọi người phụ trách. Quầy tự mở lại khi \
             có đĩa.",
            "The kiosk's data folder is not there. See whether its disk is plugged in, then call whoever looks after the \
             kiosk. It opens by itself once the disk is back.",
        ),
        StoreError::Damaged { .. } | StoreError::Io { .. } => (
            "Sổ bán hàng bị hỏng hoặc đĩa đọc không được. Tệp được giữ nguyên, máy không xóa gì. Đừng xóa, đừng chép đè; \
             gọi người phụ trách. Những gì đã gửi về trụ sở vẫn còn ở đó.",
            "The sales journal is damaged, or the disk cannot be read. The file is kept as it is; nothing was deleted. Do \
             not delete or overwrite it; call whoever looks after the kiosk. What was sent to head office is safe there.",
        ),
        StoreError::Newer { .. } => (
            "Sổ bán hàng do phiên bản mới hơn của chương trình ghi. Không mất gì cả. Gọi người phụ trách cài lại phiên \
             bản mới; quầy mở lại với đủ dữ liệu.",
            "The sales journal was written by a newer version of the program. Nothing is lost. Have the newer version \
             installed again; the kiosk then opens with everything in it.",
        ),
        StoreError::Foreign(_) => (
            "Tệp ở chỗ dữ liệu không phải của quầy này và được giữ nguyên. Gọi người phụ trách xem lại thư mục dữ liệu.",
            "The file in the data folder does not belong to a kiosk and was left as it is. Have the data folder in the \
             configuration looked at.",
        ),
        StoreError::UnreadableState(_) => (
            "Máy không đọc được bước đang làm dở; có thể còn khoản tiền chưa rõ. Đừng xóa gì; gọi người phụ trách.",
            "The step that was underway cannot be read; money may still be in doubt. Delete nothing; call whoever looks \
             after the kiosk.",
        ),
        StoreError::Locked(_) | StoreError::Busy => return of_fault(StoreFault::Busy, language),
        StoreError::ReadOnly(_) => return of_fault(StoreFault::ReadOnly, language),
        StoreError::Full(_) => return of_fault(StoreFault::Full, language),
        _ => return of_fault(StoreFault::Broken, language),
    };
    pick(language, vi, en)
}

/// The remedy for a disk that fails while the kiosk runs.
pub fn of_fault(fault: StoreFault, language: Language) -> &'static str {
    let (vi, en) = match fault {
        StoreFault::Full => (
            "Đĩa đã đầy. Những gì đã bán vẫn còn nguyên. Gọi người phụ trách dọn chỗ trống; đừng xóa dữ liệu của quầy. \
             Quầy tự bán lại khi có chỗ.",
            "The disk is full. What was sold is safe. Have space cleared; never delete the kiosk's own data. It sells \
             again by itself once there is room.",
        ),
        StoreFault::ReadOnly => (
            "Đĩa không cho ghi. Những gì đã bán vẫn còn nguyên. Gọi người phụ trách xem quyền ghi hoặc thay đĩa; quầy \
             tự mở lại khi ghi được.",
            "The disk cannot be written. What was sold is safe. Have the write permission looked at or the disk \
             replaced; the kiosk opens by itself once it can write.",
        ),
        StoreFault::Busy => (
            "Chương trình khác đang giữ sổ bán hàng, hoặc đĩa quá chậm. Chờ một phút; nếu vẫn vậy, gọi người phụ trách.",
            "Another program holds the sales journal, or the disk is too slow. Wait a minute; if it stays like this, \
             call whoever looks after the kiosk.",
        ),
        StoreFault::Broken => (
            "Không ghi được sổ bán hàng. Những gì đã ghi vẫn còn trên đĩa. Đừng xóa gì; gọi người phụ trách.",
            "The sales journal cannot be written. What was written is still on the disk. Delete nothing; call whoever \
             looks after the kiosk.",
        ),
    };
    pick(language, vi, en)
}

fn pick(language: Language, vi: &'static str, en: &'static str) -> &'static str {
    match language {
        Language::Vietnamese => vi,
        Language::English => en,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn every_remedy(language: Language) -> Vec<&'static str> {
        let path = PathBuf::from("/var/lib/kiosk/kiosk.db");
        let what = String::new;
        let stores = [
            StoreError::MissingDirectory(path.clone()),
            StoreError::ReadOnly(path.clone()),
            StoreError::Full(path.clone()),
            StoreError::Damaged {
                path: path.clone(),
                what: what(),
            },
            StoreError::Newer {
                path: path.clone(),
                found: 9,
                known: 1,
            },
            StoreError::Foreign(path.clone()),
            StoreError::Locked(path.clone()),
            StoreError::Closed,
            StoreError::UnreadableState(what()),
        ];
        let mut remedies: Vec<_> = stores
            .into_iter()
            .map(|error| of_start(&StartError::Store(error), language))
            .collect();
        for error in [
            StartError::Clock(what()),
            StartError::NoRandomness,
            StartError::Device(what()),
        ] {
            remedies.push(of_start(&error, language));
        }
        let syntax = ConfigError::Syntax {
            path,
            message: what(),
        };
        remedies.push(of_config(&syntax, language));
        remedies
    }

    #[test]
    fn each_fault_has_its_own_remedy_in_each_language() {
        // Proves that no two faults are told alike, that nothing is left untranslated, and that each is short enough.
        let mut seen = std::collections::BTreeSet::new();
        for language in Language::ALL {
            let remedies = every_remedy(language);
            assert_eq!(remedies.len(), 13);
            for remedy in remedies {
                assert!(seen.insert(remedy), "told twice: {remedy}");
                assert!((60..=260).contains(&remedy.chars().count()), "{remedy}");
                let accented = remedy.chars().any(|letter| "ạảãáàđươấệ".contains(letter));
                assert_eq!(accented, language == Language::Vietnamese, "{remedy}");
            }
        }
    }
}
