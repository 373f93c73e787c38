//! What the user asks for on Azure.
