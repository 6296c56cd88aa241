//! Fault injection for the client and its peers. The comparisons with other implementations are in
//! `tests/`, and the clients and runtimes of `clients/run` in `src/bin/`.

pub mod chaos;
