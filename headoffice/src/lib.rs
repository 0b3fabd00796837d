//! headoffice
