//! Our CORS rule among the account's five.
