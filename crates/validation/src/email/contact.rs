//! Contacts that the domain's owner published in the DNS (BR 3.2.2.4.13 and .14, D-14).

use super::address::address_is_safe;
use crate::{
    caa::CaaObservation,
    dns::{DnsAnswer, DnsOutcome},
};

/// The addresses in `_validation-contactemail` TXT records. Each record must be exactly one
/// address and nothing else; another record does not count.
pub fn txt_contacts(answer: &DnsAnswer) -> Vec<String> {
    if answer.outcome != DnsOutcome::Records {
        return Vec::new();
    }
    usable(answer.texts())
}

/// The addresses in `contactemail` properties of the relevant CAA record set.
pub fn caa_contacts(observation: &CaaObservation) -> Vec<String> {
    let records = observation.relevant.iter().flat_map(|set| &set.records);
    usable(
        records
            .filter(|record| record.tag == "contactemail")
            .map(|record| record.value.as_str()),
    )
}

fn usable<'a>(values: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut addresses: Vec<String> = Vec::new();
    for value in values {
        let address = value.to_ascii_lowercase();
        if address_is_safe(&address).is_ok() && !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nasty_093_a_contact_that_is_not_exactly_one_address_is_unusable() {
        let texts = [
            "mailto:a@example.com",
            "a@example.com b@example.com",
            "a@example.com,b@example.com",
            "Owner@Example.com",
            "owner@example.com",
            " owner@example.com",
            "",
        ];
        assert_eq!(usable(texts.into_iter()), ["owner@example.com"]);
    }
}
