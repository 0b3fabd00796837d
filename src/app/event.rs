//! What reaches the loop.

use super::day::DayReport;
use super::{Access, DeskView, Panel};
use crate::store::{Category, DayFigures, Found, Refundable, StorageLevel, StoreError};
use checkout::till::{Event, PrinterSaid, Sale, StoreFault};

/// What reaches the UI loop.
#[derive(Debug)]
pub enum AppEvent {
    /// Something happened at the counter.
    Till(Event),
    /// Products for the grid; older questions' answers are dropped.
    Products {
        /// Number of the question.
        question: u64,
        /// What was found, or why not.
        found: Result<Vec<Found>, StoreError>,
    },
    /// Categories of the catalogue.
    Categories(Result<Vec<Category>, StoreError>),
    /// A sale fetched from the store, to print again.
    Reprint(Box<Sale>),
    /// How much room the disk has.
    Space(StorageLevel),
    /// The open day at a glance.
    Day(Result<DayFigures, StoreError>),
    /// A report of the day is made, or why not.
    Report(Result<DayReport, StoreError>),
    /// A sale whose card payments can be given back, or that there is none.
    Refundable(Result<Option<Refundable>, StoreError>),
    /// The printer said something about a paper of the staff.
    Paper {
        /// The paper's number.
        job_no: u64,
        /// What it said.
        said: PrinterSaid,
    },
    /// A PIN was checked.
    Pin(Option<String>),
    /// Something for staff to read about the storage; empty when all is well.
    Health(Option<StoreFault>),
    /// A control of the screen that only the program itself answers.
    Ui(UiEvent),
}

/// Touches that are not the till's business.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names are those of the controls")]
pub enum UiEvent {
    OpenPanel(Panel),
    ClosePanel,
    NextLanguage,
    SetAccess(fn(&mut Access, bool), bool),
    ChangeQuantity(String, i64),
    RemoveAgeLimited,
    OpenSearch,
    CloseSearch,
    TypeSearch(String),
    EraseSearch,
    ClearSearch,
    ChooseCategory(String),
    AddProduct(String),
    DismissNotice,
    CancelWeight,
    ResumeKey(String),
    ResumeErase,
    ResumeSubmit,
    CouponKey(String),
    CouponErase,
    CouponApply,
    ToggleReason(String),
    SendReasons,
    OpenEReceipt(bool),
    PinKey(String),
    PinErase,
    PinSubmit,
    LeaveDesk,
    ShowDesk(DeskView),
    CashKey(String),
    CashErase,
    CashNote(usize),
    CashExact,
    CashConfirm,
    CashRefuse,
    WeightKey(String),
    WeightErase,
    WeightConfirm,
    WeightRefuse,
    DeskTask(String, bool),
    TransferKey(String),
    TransferErase,
    TransferConfirm,
    ReviewChoose(String),
    OpenGiveBack,
    GiveBackKey(String),
    GiveBackErase,
    GiveBackAll,
    GiveBackNext,
    GiveBackOther,
    GiveBackConfirm,
    CloseDayAlone,
    DoubtPaid,
    DoubtNotPaid,
    DoubtGivenBack,
    Reprint,
    ShopCopy,
    PrintX,
    CloseDay,
    KeepDayOpen,
    PrintZAgain,
    OpenDrawer,
    TestDevice(String),
}
