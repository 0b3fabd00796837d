//! The wire's names for what the till says.

use checkout::barcode::ScanFault;
use checkout::till::{
    DeclineReason, DeviceKind, Doubt, NotStartedReason, Place, PrinterFault, Sale, ScanRefusal,
    TenderKind,
};
use touchpoint::vocabulary::{self as words, Method, Money};

pub(super) fn method(kind: TenderKind) -> Method {
    match kind {
        TenderKind::Qr => Method::Qr,
        TenderKind::Card => Method::Card,
        TenderKind::Cash => Method::Cash,
        TenderKind::Voucher => Method::Voucher,
    }
}

pub(super) fn decline(reason: &DeclineReason) -> &'static str {
    match reason {
        DeclineReason::Aborted => "cancelled",
        DeclineReason::NoCard => "expired",
        DeclineReason::WrongPin => "wrong_pin",
        DeclineReason::Bank(_) => "declined",
        DeclineReason::AlreadyReversed => "already_reversed",
        DeclineReason::ReversalImpossible => "reversal_impossible",
    }
}

pub(super) fn doubt(why: Doubt) -> &'static str {
    match why {
        Doubt::Restarted => "power",
        Doubt::NoAnswer => "timeout",
        Doubt::LinkLost => "link_lost",
        Doubt::Contradiction => "contradiction",
        Doubt::Rejected => "rejected",
        Doubt::Mismatch => "mismatch",
        Doubt::NoResult => "no_result",
    }
}

pub(super) fn not_started(reason: NotStartedReason) -> &'static str {
    match reason {
        NotStartedReason::Unreachable => "unreachable",
        NotStartedReason::Busy => "busy",
        NotStartedReason::Refused => "refused",
        NotStartedReason::NoAnswer => "no_answer",
        NotStartedReason::Cancelled => "cancelled",
        NotStartedReason::Restarted => "restarted",
        NotStartedReason::StorageDown => "storage_down",
        NotStartedReason::CodeUnreadable => "code_unreadable",
        NotStartedReason::Unsupported => "unsupported",
    }
}

pub(super) fn printer_fault(fault: PrinterFault) -> &'static str {
    match fault {
        PrinterFault::NoPaper => "paper_out",
        PrinterFault::CoverOpen => "cover_open",
        PrinterFault::Offline => "offline",
        PrinterFault::Broken => "cutter",
    }
}

pub(super) fn device(kind: DeviceKind) -> &'static str {
    match kind {
        DeviceKind::Printer => "printer",
        DeviceKind::Terminal => "terminal",
        DeviceKind::Bank => "network",
        DeviceKind::Scanner => "scanner",
        DeviceKind::Scale => "scale",
        DeviceKind::Drawer => "drawer",
    }
}

pub(super) fn scan_refusal(reason: &ScanRefusal) -> &'static str {
    match reason {
        ScanRefusal::Code(ScanFault::WrongCheckDigit { .. }) => "bad_check_digit",
        ScanRefusal::Code(_) => "unreadable",
        ScanRefusal::UnknownItem => "unknown_item",
        ScanRefusal::CatalogueDown => "catalogue_down",
        ScanRefusal::NotHere => "not_here",
        ScanRefusal::TooFast => "too_fast",
        ScanRefusal::Expired => "expired",
        ScanRefusal::NoPrice => "no_price",
        ScanRefusal::Basket(_) => "basket_full",
    }
}

/// The touchpoint name of a place.
pub fn screen(place: Place) -> &'static str {
    match place {
        Place::Attract => "attract",
        Place::Shop => "shop",
        Place::Age => "age",
        Place::Pay => "pay",
        Place::Card => "card",
        Place::Qr => "qr",
        Place::Cash => "cash",
        Place::Unknown => "unknown",
        Place::Paid => "paid",
        Place::Tap => "tap",
        Place::Reasons => "reasons",
        Place::Thanks => "thanks",
        Place::Parked => "parked",
    }
}

pub(super) fn treatment(treatment: checkout::TaxTreatment) -> Option<words::TaxTreatment> {
    match treatment {
        checkout::TaxTreatment::Rated => None,
        checkout::TaxTreatment::Exempt => Some(words::TaxTreatment::Exempt),
        checkout::TaxTreatment::NotDeclared => Some(words::TaxTreatment::NotDeclared),
    }
}

pub(super) fn sale_completed(sale: &Sale) -> words::SaleCompleted {
    words::SaleCompleted {
        sale: sale.visit.0.clone(),
        receipt_number: sale.receipt_number.to_string(),
        business_date: sale.business_date.to_string(),
        total: Money {
            currency: sale.currency.code().to_owned(),
            minor: sale.paid().minor,
        },
        lines: sale
            .lines
            .iter()
            .map(|line| words::SaleLine {
                item_code: line.code.clone(),
                gtin: None,
                name: line.name.clone(),
                quantity_milli: line.quantity.milli,
                unit_price_minor: line.unit_price_minor,
                discount_minor: line.discount_minor,
                total_minor: line.net_minor + line.deposit_minor,
                tax_rate_basis_points: line.tax_basis_points,
                tax_treatment: treatment(line.tax_treatment),
            })
            .collect(),
        taxes: sale
            .taxes
            .iter()
            .map(|tax| words::SaleTax {
                rate_basis_points: tax.basis_points,
                treatment: treatment(tax.treatment),
                net_minor: tax.base_minor,
                tax_minor: tax.tax_minor,
            })
            .collect(),
        tenders: sale
            .tenders
            .iter()
            .map(|tender| words::SaleTender {
                method: method(tender.kind),
                amount_minor: tender.amount_minor,
                attempt: Some(tender.attempt.to_string()),
            })
            .collect(),
        rounding_minor: sale.rounding_minor,
    }
}
