//! Inputs that somebody will send one day. Each is answered as the rules say, and never with 5xx (`exchange`).

mod names;
mod request_shape;
mod signing_request;
mod state;
