//! The shop's promotions from a TOML file: a list of `[[promotion]]` tables in the words of [`checkout::Promotion`].

use checkout::Promotion;
use serde::Deserialize;

/// Why a file of promotions cannot be used. Nothing of it is then used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PromotionsError {
    /// The text is not TOML of this shape.
    #[error("the promotions cannot be read: {0}. Correct the named line and start again")]
    Unreadable(String),
    /// A promotion contradicts itself.
    #[error("promotion {id} ({name}): {fault}")]
    Fault {
        /// Its identity.
        id: i64,
        /// Its name.
        name: String,
        /// What is wrong with it.
        fault: checkout::PromotionFault,
    },
    /// Two promotions with one identity.
    #[error("two promotions have the id {0}: give each its own")]
    TwiceTheSameId(i64),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    promotion: Vec<Promotion>,
}

/// Reads and checks a file of promotions.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn promotions(text: &str) -> Result<Vec<Promotion>, PromotionsError> {
    let file: File =
        toml::from_str(text).map_err(|error| PromotionsError::Unreadable(error.to_string()))?;
    let mut ids = Vec::new();
    for promotion in &file.promotion {
        if ids.contains(&promotion.id) {
            return Err(PromotionsError::TwiceTheSameId(promotion.id.0));
        }
        ids.push(promotion.id);
        promotion.check().map_err(|fault| PromotionsError::Fault {
            id: promotion.id.0,
            name: promotion.name.clone(),
            fault,
        })?;
    }
    Ok(file.promotion)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_bad_file_names_what_is_wrong() {
        // Proves a wrong word, a promotion that never applies, and a doubled id are refused with their place.
        let good =
            "[[promotion]]\nid = 1\nname = \"A\"\nkind = { percent = { basis_points = 1000 } }\n";
        assert_eq!(promotions(good).unwrap().len(), 1);
        assert_eq!(
            promotions(&good.repeat(2)),
            Err(PromotionsError::TwiceTheSameId(1))
        );
        let unknown = promotions(&good.replace("percent", "per_cent")).unwrap_err();
        assert!(unknown.to_string().contains("line 4"), "{unknown}");
        let nothing = promotions(&good.replace("1000", "0")).unwrap_err();
        assert!(matches!(nothing, PromotionsError::Fault { id: 1, .. }));
    }
}
