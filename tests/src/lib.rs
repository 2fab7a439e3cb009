//! Tests that drive the real server from outside; there is nothing to use here. They live in one binary,
//! `tests/all`, because each further one would link everything again.
