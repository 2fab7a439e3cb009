use jiff::SignedDuration;
use reseal_pki::name::{DnsName, NamePolicy};

use super::*;
use crate::process::sample;

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn subject() -> OrganizationSubject {
    OrganizationSubject {
        organization: "Acme B.V.".to_owned(),
        country: "NL".to_owned(),
        state: None,
        locality: Some("Zwolle".to_owned()),
        postal_code: Some("8011 AA".to_owned()),
        street: Some("Plein 1".to_owned()),
    }
}

fn approver() -> Approver {
    Approver {
        first_name: "Ada".to_owned(),
        last_name: "Bakker".to_owned(),
        job_title: None,
        email: "ada@acme.example".to_owned(),
        voice: "+31.384530759".to_owned(),
    }
}

fn work(level: ValidationType) -> Work {
    let mut work = sample::work(true);
    work.order.validation = level;
    work.order.subject = Some(subject());
    work.order.coc = Some("12345678".to_owned());
    work.order.approver = Some(approver());
    work
}

fn vetted(of: &Work) -> Vec<VettedCheck> {
    let vetted = |check| VettedCheck {
        customer: "acme".to_owned(),
        check,
        facts: Facts::of(&of.order).unwrap(),
        obtained: sample::now(),
        process: 5,
    };
    Check::ALL.map(vetted).to_vec()
}

/// What stays open of `of` when everything was approved for `earlier`, `age` before.
fn open(mut of: Work, earlier: &Work, age: SignedDuration) -> Vec<Check> {
    rely_on(&mut of, &vetted(earlier), sample::now() + age);
    of.open_checks().collect()
}

#[test]
fn the_same_organization_needs_no_operator_again() {
    for level in [ValidationType::Organization, ValidationType::Extended] {
        assert_eq!(open(work(level), &work(level), DAY), [], "{level:?}");
    }
    let ev = work(ValidationType::Extended);
    assert_eq!(open(work(ValidationType::Organization), &ev, DAY), []);
    // Less was looked at for the lower level.
    let ov = work(ValidationType::Organization);
    assert_eq!(open(ev, &ov, DAY), Check::ALL);
}

#[test]
fn v_5_approvals_serve_for_398_days_less_a_day_of_margin() {
    let ov = || work(ValidationType::Organization);
    assert_eq!(open(ov(), &ov(), DAY * 397), []);
    let late = DAY * 397 + SignedDuration::from_secs(1);
    assert_eq!(open(ov(), &ov(), late).len(), 3);
    // A clock that went back makes nothing fresh.
    assert_eq!(open(ov(), &ov(), -DAY).len(), 3);
}

#[test]
fn r_7_any_other_field_of_the_organization_opens_every_check() {
    let changes: [fn(&mut OrganizationSubject); 6] = [
        |subject| subject.organization.push('x'),
        |subject| subject.country = "BE".to_owned(),
        |subject| subject.state = Some("Overijssel".to_owned()),
        |subject| subject.locality = None,
        |subject| subject.postal_code = None,
        |subject| subject.street = None,
    ];
    let earlier = work(ValidationType::Organization);
    for change in changes {
        let mut other = work(ValidationType::Organization);
        change(other.order.subject.as_mut().unwrap());
        assert_eq!(open(other.clone(), &earlier, DAY).len(), 3, "{other:?}");
    }
    let mut other = work(ValidationType::Organization);
    other.order.coc = None;
    assert_eq!(open(other, &earlier, DAY).len(), 3);
}

#[test]
fn another_person_is_called_and_signs_anew() {
    let mut other = work(ValidationType::Extended);
    other.order.approver = Some(Approver {
        voice: "+31.201234567".to_owned(),
        ..approver()
    });
    let earlier = work(ValidationType::Extended);
    assert_eq!(open(other, &earlier, DAY), [Check::Voice, Check::Agreement]);
}

#[test]
fn another_domain_is_looked_up_anew_and_a_name_below_is_not() {
    let named = |name: &str| {
        let mut work = work(ValidationType::Extended);
        work.order.names = vec![DnsName::parse(name, &NamePolicy::default()).unwrap()];
        work
    };
    let earlier = named("reseal.net");
    assert_eq!(open(named("www.reseal.net"), &earlier, DAY), []);
    assert_eq!(open(named("notreseal.net"), &earlier, DAY), [Check::Whois]);
    assert_eq!(open(named("reseal.dev"), &earlier, DAY), [Check::Whois]);
}

#[test]
fn an_agreement_that_somebody_else_signed_serves_the_names_that_were_shown() {
    let ev = work(ValidationType::Extended);
    let mut more = ev.clone();
    let policy = NamePolicy::default();
    let name = DnsName::parse(&format!("new.{}", ev.order.names[0].fqdn()), &policy).unwrap();
    more.order.names.push(name);
    let open_after = |of: &Work, signer: &str| {
        let mut of = of.clone();
        let known: Vec<VettedCheck> = vetted(&ev)
            .into_iter()
            .map(|vetted| vetted.signed_by(signer.to_owned()))
            .collect();
        rely_on(&mut of, &known, sample::now() + DAY);
        of.open_checks().collect::<Vec<_>>()
    };
    assert_eq!(open_after(&more, "ada@acme.example"), []);
    assert_eq!(open_after(&ev, "other@acme.example"), []);
    assert_eq!(open_after(&more, "other@acme.example"), [Check::Agreement]);
}
