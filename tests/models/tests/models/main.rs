//! Every promise over every state, and for every promise a fault that breaks it.

mod outcomes;
mod pin;
