//! Empty: the comparisons with other implementations are in `tests/`.
