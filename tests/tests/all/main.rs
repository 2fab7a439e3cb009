//! The real binary, driven over HTTP: the wire contract, nasty inputs, the world around it, and crashes.

mod audit;
mod campaign;
mod client;
mod compromise;
mod contract;
mod crash;
mod deep;
mod faults;
mod load;
mod nasty;
mod nodes;
mod perspectives;
mod proofs;
mod renewal_info;
mod revocation;
mod rules;
mod scripts;
mod support;
mod validations;
mod world;
