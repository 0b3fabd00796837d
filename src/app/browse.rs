//! Finding things: the category, the search text, and what was found.

use super::UiEvent;
use crate::store::{Category, Engine, Found, StoreError};
use checkout::{Item, Promotion};

/// Cards in the grid at once; a shopper narrows down rather than scroll further.
pub const PRODUCTS_MAX: usize = 60;
/// Characters of a search.
pub const SEARCH_LENGTH_MAX: usize = 40;

/// What the grid shows and why.
#[derive(Debug, Default)]
pub struct Browse {
    /// Category names in catalogue order.
    pub categories: Vec<Category>,
    /// Chosen category; empty for best sellers.
    pub category: String,
    /// What was typed.
    pub text: String,
    /// The keyboard is open.
    pub searching: bool,
    /// What the grid shows.
    pub products: Vec<Found>,
    /// Promotions of the shop, for the attract screen.
    pub promotions: Vec<Promotion>,
    /// Picture beside the promotion of the day.
    pub promo_picture: String,
    question: u64,
}

/// A question to the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Best sellers.
    Top,
    /// Items of a category.
    Category(String),
    /// What somebody typed.
    Search(String),
}

impl Ask {
    /// Answers the question on the store thread.
    ///
    /// # Errors
    /// As the store.
    pub fn run(self, engine: &mut Engine) -> Result<Vec<Found>, StoreError> {
        match self {
            Self::Top => engine.top_sellers(u32::try_from(PRODUCTS_MAX).unwrap_or(u32::MAX)),
            Self::Category(name) => {
                let limit = u32::try_from(PRODUCTS_MAX).unwrap_or(u32::MAX);
                engine.items_of(&name, 0, limit)
            }
            Self::Search(text) => engine.search(&text, PRODUCTS_MAX),
        }
    }
}

impl Browse {
    /// Nothing chosen yet, in a shop with these promotions.
    pub fn new(promotions: Vec<Promotion>, promo_picture: String) -> Self {
        Self {
            promotions,
            promo_picture,
            ..Self::default()
        }
    }

    /// Number for the next question; answers to older ones are dropped.
    pub fn next_question(&mut self) -> u64 {
        self.question += 1;
        self.question
    }

    /// What to ask the catalogue now.
    pub fn ask(&self) -> Ask {
        if !self.text.trim().is_empty() {
            Ask::Search(self.text.clone())
        } else if self.category.is_empty() {
            Ask::Top
        } else {
            Ask::Category(self.category.clone())
        }
    }

    /// Takes an answer, if it belongs to the last question.
    pub fn take(&mut self, question: u64, found: Result<Vec<Found>, StoreError>) {
        if question != self.question {
            return;
        }
        match found {
            Ok(found) => self.products = found,
            Err(error) => tracing::warn!(%error, "the catalogue did not answer"),
        }
    }

    /// Takes the categories.
    pub fn take_categories(&mut self, found: Result<Vec<Category>, StoreError>) {
        match found {
            Ok(found) => self.categories = found,
            Err(error) => tracing::warn!(%error, "no categories"),
        }
    }

    /// The item of a card.
    pub fn item(&self, id: &str) -> Option<&Item> {
        let mut products = self.products.iter();
        products
            .find(|found| found.item.id.0.to_string() == id)
            .map(|found| &found.item)
    }

    /// Back to the best sellers.
    pub fn reset(&mut self) {
        self.category.clear();
        self.text.clear();
        self.searching = false;
    }

    /// A touch on the search or the chips; `true` when the catalogue must be
    /// asked anew.
    pub fn touch(&mut self, event: &UiEvent) -> bool {
        match event {
            UiEvent::OpenSearch => {
                self.searching = true;
                false
            }
            UiEvent::CloseSearch => {
                self.searching = false;
                false
            }
            UiEvent::TypeSearch(key) => {
                let room = self.text.chars().count() < SEARCH_LENGTH_MAX;
                if room && key.chars().all(|c| !c.is_control()) {
                    self.text.push_str(key);
                }
                room
            }
            UiEvent::EraseSearch => self.text.pop().is_some(),
            UiEvent::ClearSearch => {
                let had = !self.text.is_empty();
                self.text.clear();
                had
            }
            UiEvent::ChooseCategory(id) => {
                self.text.clear();
                self.searching = false;
                self.category.clone_from(id);
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_question_is_answered() {
        // Proves that a slow answer never replaces a newer one.
        let mut browse = Browse::default();
        let old = browse.next_question();
        let new = browse.next_question();
        browse.products = Vec::new();
        browse.take(old, Err(StoreError::Busy));
        browse.take(new, Ok(Vec::new()));
        assert!(browse.products.is_empty());
        assert!(browse.next_question() > new);
    }

    #[test]
    fn typing_asks_and_choosing_a_category_forgets_the_text() {
        // Proves what is asked after each touch, and that the text is bounded.
        let mut browse = Browse::default();
        assert_eq!(browse.ask(), Ask::Top);
        assert!(browse.touch(&UiEvent::TypeSearch("c".into())));
        assert_eq!(browse.ask(), Ask::Search("c".into()));
        for _ in 0..100 {
            browse.touch(&UiEvent::TypeSearch("a".into()));
        }
        assert_eq!(browse.text.chars().count(), SEARCH_LENGTH_MAX);
        assert!(browse.touch(&UiEvent::ChooseCategory("Sữa".into())));
        assert_eq!(browse.ask(), Ask::Category("Sữa".into()));
        browse.reset();
        assert_eq!(browse.ask(), Ask::Top);
    }
}
