//! Lists on the screen: models that live as long as the window and change row
//! by row, so that a new line repaints a line and not the list.

use super::text;
use crate::app::Model;
use kiosk_ui::{
    AttractAdapter, BasketAdapter, BasketLine, CashAdapter, Category, DeviceLine, Evidence,
    Language, MainWindow, PayAdapter, PayMethod, Product, Promo, Reason, ReasonsAdapter,
    ShellAdapter, ShopAdapter, StaffAdapter, StaffChoice, StaffTask, TenderLine,
};
use slint::{ComponentHandle, Model as _, ModelRc, SharedString, VecModel};
use std::rc::Rc;

/// The models of every list.
pub(super) struct Rows {
    pub categories: Rc<VecModel<Category>>,
    pub products: Rc<VecModel<Product>>,
    pub lines: Rc<VecModel<BasketLine>>,
    pub methods: Rc<VecModel<PayMethod>>,
    pub tenders: Rc<VecModel<TenderLine>>,
    pub reasons: Rc<VecModel<Reason>>,
    pub devices: Rc<VecModel<DeviceLine>>,
    pub evidence: Rc<VecModel<Evidence>>,
    pub cash_notes: Rc<VecModel<SharedString>>,
    pub tasks: Rc<VecModel<StaffTask>>,
    pub review_lines: Rc<VecModel<SharedString>>,
    pub choices: Rc<VecModel<StaffChoice>>,
    promos: Rc<VecModel<Promo>>,
}

/// Makes `model` equal to `rows`, touching only rows that differ.
pub(super) fn sync<T: Clone + PartialEq + 'static>(model: &VecModel<T>, rows: Vec<T>) {
    let common = model.row_count().min(rows.len());
    for (index, row) in rows.iter().take(common).enumerate() {
        if model.row_data(index).as_ref() != Some(row) {
            model.set_row_data(index, row.clone());
        }
    }
    while model.row_count() > rows.len() {
        model.remove(model.row_count() - 1);
    }
    if rows.len() > common {
        model.extend(rows.into_iter().skip(common));
    }
}

fn list<T: Clone + 'static>() -> Rc<VecModel<T>> {
    Rc::new(VecModel::default())
}

impl Rows {
    /// Makes the models and hands them to the window's adapters.
    pub fn install(ui: &MainWindow) -> Self {
        let rows = Self {
            categories: list(),
            products: list(),
            lines: list(),
            methods: list(),
            tenders: list(),
            reasons: list(),
            devices: list(),
            evidence: list(),
            cash_notes: list(),
            tasks: list(),
            review_lines: list(),
            choices: list(),
            promos: list(),
        };
        let shop = ui.global::<ShopAdapter>();
        shop.set_categories(ModelRc::from(rows.categories.clone()));
        shop.set_products(ModelRc::from(rows.products.clone()));
        ui.global::<BasketAdapter>()
            .set_lines(ModelRc::from(rows.lines.clone()));
        let pay = ui.global::<PayAdapter>();
        pay.set_methods(ModelRc::from(rows.methods.clone()));
        pay.set_tenders(ModelRc::from(rows.tenders.clone()));
        ui.global::<CashAdapter>()
            .set_tenders(ModelRc::from(rows.tenders.clone()));
        ui.global::<ReasonsAdapter>()
            .set_reasons(ModelRc::from(rows.reasons.clone()));
        let staff = ui.global::<StaffAdapter>();
        staff.set_devices(ModelRc::from(rows.devices.clone()));
        staff.set_doubt_evidence(ModelRc::from(rows.evidence.clone()));
        staff.set_tasks(ModelRc::from(rows.tasks.clone()));
        staff.set_review_lines(ModelRc::from(rows.review_lines.clone()));
        staff.set_choices(ModelRc::from(rows.choices.clone()));
        staff.set_cash_notes(ModelRc::from(rows.cash_notes.clone()));
        ui.global::<AttractAdapter>()
            .set_promos(ModelRc::from(rows.promos.clone()));
        let languages = crate::format::Language::ALL.map(|language| Language {
            code: language.code().into(),
            name: match language {
                crate::format::Language::Vietnamese => "Tiếng Việt",
                crate::format::Language::English => "English",
            }
            .into(),
            short: language.code().to_uppercase().into(),
        });
        ui.global::<ShellAdapter>()
            .set_languages(ModelRc::from(Rc::new(VecModel::from(languages.to_vec()))));
        rows
    }

    /// The first promotion that is on now.
    pub fn promos(&self, model: &Model<'_>) {
        let at = model.now.local();
        let promos = model.browse.promotions.iter();
        let shown = promos.filter(|promo| promo.coupon.is_none() && promo.when.contains(at));
        let rows = shown.take(1).map(|promo| Promo {
            picture: super::picture(Some(&model.browse.promo_picture)),
            kicker: text::pick(model.language, "HÔM NAY", "TODAY").into(),
            headline: promo
                .names
                .get(model.language.code())
                .unwrap_or(&promo.name)
                .as_str()
                .into(),
            detail: SharedString::default(),
        });
        sync(&self.promos, rows.collect());
    }
}
