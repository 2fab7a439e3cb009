//! Every operator on every kind of field, in both lists, and that the common ones use an index.

use jiff::{SignedDuration, Timestamp};
use reseal_lifecycle::certificate::{Certificate, CertificateStatus};
use reseal_lifecycle::customer::Scope;
use reseal_lifecycle::product::CertificateType;
use reseal_lifecycle::query::{
    CertificateField as C, CertificateQuery, Field as _, Filter, FilterValue, Operator, Page,
};
use reseal_lifecycle::store::Store as _;

use super::World;
use super::sample::{self, hash, in_days, now};

pub(super) fn text(text: &str) -> FilterValue {
    FilterValue::Text(text.to_owned())
}

pub(super) fn filter<F>(field: F, operator: Operator, values: &[FilterValue]) -> Filter<F> {
    Filter {
        field,
        operator,
        values: values.to_vec(),
    }
}

/// Five certificates of `acme`, numbered 1 to 5, and one of `rival`.
pub(super) async fn certificates() -> World {
    let world = World::new().await;
    let named = |number: u64, domain: &str, names: &[&str]| Certificate {
        domain_name: domain.to_owned(),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        ..sample::certificate("acme", number)
    };
    world
        .import(named(1, "a.example", &["a.example", "www.a.example"]))
        .await;
    world
        .import(Certificate {
            organization: Some(sample::organization()),
            coc: Some("100%_\\".to_owned()),
            key_algorithm: "RSA".to_owned(),
            key_size: 2048,
            ..named(2, "b.example", &["b.example"])
        })
        .await;
    world
        .import(Certificate {
            not_after: in_days(-1),
            ..named(3, "c.example", &["c.example"])
        })
        .await;
    world
        .import(Certificate {
            stored_status: CertificateStatus::Reissued,
            not_after: in_days(-1),
            ..named(4, "d.example", &["d.example", "a.example"])
        })
        .await;
    world
        .import(Certificate {
            certificate_type: CertificateType::Wildcard,
            product: "ssl_dv_wc".to_owned(),
            not_before: now(),
            ..named(5, "*.e.example", &["*.e.example", "e.example"])
        })
        .await;
    world.import(sample::certificate("rival", 6)).await;
    world
}

async fn found(world: &World, query: &CertificateQuery) -> Vec<i64> {
    let scope = Scope::Customer("acme".to_owned());
    let page = world
        .store
        .certificates(&scope, query, now())
        .await
        .unwrap();
    page.entities
        .iter()
        .map(|certificate| certificate.id)
        .collect()
}

#[tokio::test]
async fn every_operator_of_the_certificate_list() {
    use FilterValue::{Date, Integer};
    use Operator::{Eq, Gt, Gte, In, Like, Lt, Lte, Ne, NotIn, NotLike, NotNull, Null};
    let world = certificates().await;
    let second = Timestamp::from_second(now().as_second()).unwrap();
    let later = second + SignedDuration::from_millis(900);
    let print = hex::encode_upper(hash(2));
    let serial = hex::encode(&hash(2)[..16]);
    let all = vec![5, 4, 3, 2, 1];
    let cases: Vec<(C, Operator, Vec<FilterValue>, Vec<i64>)> = vec![
        (C::Id, Eq, vec![Integer(2)], vec![2]),
        (C::Id, Eq, vec![Integer(6)], vec![]), // another customer's
        (C::Id, Ne, vec![Integer(2)], vec![5, 4, 3, 1]),
        (C::Id, Gt, vec![Integer(3)], vec![5, 4]),
        (C::Id, Gte, vec![Integer(3)], vec![5, 4, 3]),
        (C::Id, Lt, vec![Integer(3)], vec![2, 1]),
        (C::Id, Lte, vec![Integer(3)], vec![3, 2, 1]),
        (
            C::Id,
            In,
            vec![Integer(1), Integer(5), Integer(6)],
            vec![5, 1],
        ),
        (C::Id, NotIn, vec![Integer(1), Integer(5)], vec![4, 3, 2]),
        (C::Id, Null, vec![], vec![]),
        (C::Id, NotNull, vec![], all.clone()),
        (C::Process, Eq, vec![Integer(3)], vec![3]),
        (C::PublicKeySize, Gt, vec![Integer(256)], vec![2]),
        (
            C::PublicKeyAlgorithm,
            Ne,
            vec![text("RSA")],
            vec![5, 4, 3, 1],
        ),
        (C::PublicKeyAlgorithm, Like, vec![text("%SA")], all.clone()),
        (C::DomainName, Eq, vec![text("a.example")], vec![1]),
        (C::DomainName, Like, vec![text("%.example")], all.clone()),
        (C::DomainName, Like, vec![text("A.%")], vec![1]),
        (C::DomainName, Like, vec![text("_.example")], vec![]), // only % is a wildcard
        (C::DomainName, Like, vec![text("*.e%")], vec![5]),
        (C::DomainName, NotLike, vec![text("a%")], vec![5, 4, 3, 2]),
        (C::DomainName, Gt, vec![text("b.example")], vec![4, 3]),
        (C::DomainName, Lte, vec![text("a.example")], vec![5, 1]),
        (
            C::DomainName,
            In,
            vec![text("a.example"), text("c.example")],
            vec![3, 1],
        ),
        (
            C::DomainName,
            NotIn,
            vec![text("a.example"), text("c.example")],
            vec![5, 4, 2],
        ),
        (C::DomainName, Eq, vec![text("' OR 1=1 --")], vec![]),
        (
            C::Organization,
            Eq,
            vec![text("Käse & Söhne B.V.")],
            vec![2],
        ),
        (
            C::Organization,
            Ne,
            vec![text("Käse & Söhne B.V.")],
            vec![5, 4, 3, 1],
        ),
        (C::Organization, NotLike, vec![text("K%")], vec![5, 4, 3, 1]),
        (C::Organization, Null, vec![], vec![5, 4, 3, 1]),
        (C::Organization, NotNull, vec![], vec![2]),
        (C::City, Eq, vec![text("Zeist")], vec![2]),
        (C::State, Eq, vec![text("Utrecht")], vec![2]),
        (C::Country, Eq, vec![text("NL")], vec![2]),
        (C::PostalCode, Like, vec![text("3701%")], vec![2]),
        (C::AddressLine, Like, vec![text("slot%")], vec![2]),
        (C::Coc, Like, vec![text("100%\\")], vec![2]),
        (C::Coc, Like, vec![text("100_\\")], vec![]),
        (C::Department, Null, vec![], all.clone()),
        (C::Department, Eq, vec![text("x")], vec![]),
        (C::Contact, Ne, vec![text("x")], all.clone()),
        (C::ProviderId, NotNull, vec![], all.clone()),
        (C::ProviderId, Eq, vec![text(&serial)], vec![2]),
        (C::ProviderId, Ne, vec![text(&serial)], vec![5, 4, 3, 1]),
        (
            C::ProviderId,
            Like,
            vec![text(&format!("{}%", &serial[..20]))],
            vec![2],
        ),
        (C::San, Eq, vec![text("a.example")], vec![4, 1]),
        (C::San, Ne, vec![text("a.example")], vec![5, 3, 2]),
        (C::San, Like, vec![text("www.%")], vec![1]),
        (
            C::San,
            In,
            vec![text("www.a.example"), text("e.example")],
            vec![5, 1],
        ),
        (
            C::San,
            NotIn,
            vec![text("www.a.example"), text("e.example")],
            vec![4, 3, 2],
        ),
        (C::San, Gt, vec![text("e")], vec![5, 1]),
        (C::San, Null, vec![], vec![]),
        (C::San, NotNull, vec![], all.clone()),
        (C::Status, Eq, vec![text("ACTIVE")], vec![5, 2, 1]),
        (C::Status, Eq, vec![text("EXPIRED")], vec![3]),
        (C::Status, Eq, vec![text("REISSUED")], vec![4]),
        (C::Status, Ne, vec![text("ACTIVE")], vec![4, 3]),
        (
            C::Status,
            In,
            vec![text("EXPIRED"), text("REISSUED"), text("EXPIRED")],
            vec![4, 3],
        ),
        (
            C::Status,
            NotIn,
            vec![text("EXPIRED"), text("REISSUED")],
            vec![5, 2, 1],
        ),
        (C::Status, Like, vec![text("E%")], vec![3]),
        (C::Status, NotLike, vec![text("%E%")], vec![]),
        (C::Status, Null, vec![], vec![]),
        (C::Status, NotNull, vec![], all.clone()),
        (
            C::ValidationType,
            Eq,
            vec![text("DOMAIN_VALIDATION")],
            all.clone(),
        ),
        (
            C::CertificateType,
            In,
            vec![text("WILDCARD"), text("MULTI_DOMAIN")],
            vec![5],
        ),
        (C::Product, Eq, vec![text("ssl_dv_wc")], vec![5]),
        // Number 5 starts 250 ms after the second that the wire shows for all of them.
        (C::StartDate, Eq, vec![Date(second)], all.clone()),
        (C::StartDate, Eq, vec![Date(later)], all.clone()),
        (C::StartDate, Gt, vec![Date(second)], vec![]),
        (C::StartDate, Gte, vec![Date(later)], all.clone()),
        (C::StartDate, Lt, vec![Date(later)], vec![]),
        (C::StartDate, Lte, vec![Date(second)], all.clone()),
        (C::StartDate, Ne, vec![Date(second)], vec![]),
        (C::ExpiryDate, Lt, vec![Date(now())], vec![4, 3]),
        (
            C::ExpiryDate,
            In,
            vec![Date(in_days(90)), Date(in_days(5))],
            vec![5, 2, 1],
        ),
        (
            C::SubscriptionEndDate,
            Gt,
            vec![Date(in_days(364))],
            all.clone(),
        ),
        (C::Fingerprint, Eq, vec![text(&print)], vec![2]),
        (
            C::Fingerprint,
            Eq,
            vec![text(&print.to_lowercase())],
            vec![2],
        ),
        (C::Fingerprint, Eq, vec![text("no hex")], vec![]),
        (C::Fingerprint, Ne, vec![text(&print)], vec![5, 4, 3, 1]),
        (
            C::Fingerprint,
            Like,
            vec![text(&format!("{}%", &print[..20]))],
            vec![2],
        ),
    ];
    for (field, operator, values, expected) in cases {
        let query = CertificateQuery {
            filters: vec![filter(field, operator, &values)],
            ..CertificateQuery::default()
        };
        assert_eq!(
            found(&world, &query).await,
            expected,
            "{field:?} {operator:?} {values:?}"
        );
    }
}

#[tokio::test]
async fn filters_and_search_intersect() {
    let world = certificates().await;
    let search = |text: &str, filters: Vec<Filter<C>>| CertificateQuery {
        text: Some(text.to_owned()),
        filters,
        ..CertificateQuery::default()
    };
    for (text, expected) in [
        ("www.a", vec![1]),
        ("SÖHNE", vec![]), // only ASCII letters are folded
        ("söhne b.v", vec![2]),
        ("0%_", vec![2]),
        ("%", vec![2]),
        ("", vec![5, 4, 3, 2, 1]),
        ("a.example", vec![4, 1]),
        (&hex::encode_upper(hash(3))[..24], vec![3]),
    ] {
        assert_eq!(
            found(&world, &search(text, vec![])).await,
            expected,
            "{text}"
        );
    }
    let active = filter(
        C::Status,
        Operator::Eq,
        &[FilterValue::Text("ACTIVE".to_owned())],
    );
    assert_eq!(found(&world, &search("a.example", vec![active])).await, [1]);
}

#[tokio::test]
async fn order_limit_offset_and_total() {
    let world = certificates().await;
    let scope = Scope::Customer("acme".to_owned());
    let page = async |query: CertificateQuery| -> (Vec<i64>, Option<u64>) {
        let Page { entities, total } = world
            .store
            .certificates(&scope, &query, now())
            .await
            .unwrap();
        (
            entities.iter().map(|certificate| certificate.id).collect(),
            total,
        )
    };
    let query = CertificateQuery::default;
    assert_eq!(page(query()).await, (vec![5, 4, 3, 2, 1], Some(5)));
    assert_eq!(
        page(CertificateQuery {
            limit: Some(2),
            ..query()
        })
        .await,
        (vec![5, 4], Some(5))
    );
    assert_eq!(
        page(CertificateQuery {
            limit: Some(2),
            offset: 4,
            ..query()
        })
        .await,
        (vec![1], Some(5))
    );
    assert_eq!(
        page(CertificateQuery {
            limit: Some(2),
            offset: 9,
            ..query()
        })
        .await,
        (vec![], Some(5))
    );
    assert_eq!(
        page(CertificateQuery {
            limit: Some(0),
            ..query()
        })
        .await,
        (vec![], Some(5))
    );
    assert_eq!(
        page(CertificateQuery {
            total: false,
            ..query()
        })
        .await
        .1,
        None
    );
    assert_eq!(
        page(CertificateQuery {
            limit: None,
            ..query()
        })
        .await,
        (vec![5, 4, 3, 2, 1], Some(5))
    );
    let huge = CertificateQuery {
        offset: u64::MAX,
        ..query()
    };
    assert_eq!(page(huge).await, (vec![], Some(5)));
    for (order, expected) in [
        (vec![(C::Id, false)], [1, 2, 3, 4, 5]),
        (vec![(C::DomainName, true)], [4, 3, 2, 1, 5]),
        (vec![(C::ExpiryDate, false)], [4, 3, 5, 2, 1]), // ties: newest first
        (
            vec![(C::ExpiryDate, false), (C::Id, false)],
            [3, 4, 1, 2, 5],
        ),
        (
            vec![(C::Status, false), (C::Id, false), (C::Status, true)],
            [1, 2, 5, 3, 4],
        ),
        (vec![(C::Contact, false)], [5, 4, 3, 2, 1]),
    ] {
        assert_eq!(
            page(CertificateQuery {
                order: order.clone(),
                ..query()
            })
            .await
            .0,
            expected,
            "{order:?}"
        );
    }
    for field in C::ALL {
        assert_eq!(
            page(CertificateQuery {
                order: vec![(*field, true)],
                ..query()
            })
            .await
            .0
            .len(),
            5,
            "{field:?}"
        );
    }
    let everything = world
        .store
        .certificates(&Scope::Everything, &query(), now())
        .await
        .unwrap();
    assert_eq!(everything.total, Some(6));
}

#[tokio::test]
async fn documents_are_read_only_where_they_are_wanted() {
    let world = certificates().await;
    let list = async |documents: bool| {
        let query = CertificateQuery {
            limit: None,
            documents,
            ..CertificateQuery::default()
        };
        let page = world
            .store
            .certificates(&Scope::Everything, &query, now())
            .await;
        page.unwrap().entities
    };
    let without = |whole: &Certificate| Certificate {
        csr: None,
        der: Vec::new(),
        ..whole.clone()
    };
    let (whole, lean) = (list(true).await, list(false).await);
    assert!(whole.iter().all(|certificate| !certificate.der.is_empty()));
    assert_eq!(lean, whole.iter().map(without).collect::<Vec<_>>());
}
