//! A storage account.
