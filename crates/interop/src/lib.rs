//! Fault injection for the client and its peers. The comparisons with other implementations are in
//! `tests/`.

pub mod chaos;
