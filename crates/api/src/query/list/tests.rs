use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use super::*;

const KNOWN: &[&str] = &["id", "status", "san"];

fn certificates(query: &str) -> Result<ListRequest<CertificateField>, Failure> {
    ListRequest::read(&Parameters::parse(query), KNOWN)
}

async fn body(response: Response) -> Value {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&bytes).unwrap()
}

async fn violations(query: &str) -> Vec<String> {
    let failure = certificates(query).expect_err(query);
    let body = body(failure.respond(answer::RequestId::default())).await;
    assert_eq!(body["type"], "ConstraintViolationException");
    let fields = body["violations"].as_array().unwrap().iter();
    fields
        .map(|violation| violation["field"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn without_parameters_the_defaults_hold() {
    let request = certificates("").unwrap();
    assert_eq!(request.query, Query::default());
    assert_eq!(request.query.limit, Some(10));
}

#[test]
fn filters_are_read_with_their_operators() {
    let request = certificates(
        "process%3Aeq=7&status%3Ain=active%2CEXPIRED&san:like=%25.example.com&coc%3Anull=\
         &expiryDate:lt=2027-01-15T08:00:00.000Z&domainName=a.example&id:gte=-1",
    )
    .unwrap();
    let filter = |field, operator, values| Filter {
        field,
        operator,
        values,
    };
    let text = |text: &str| FilterValue::Text(text.to_owned());
    assert_eq!(
        request.query.filters,
        [
            filter(
                CertificateField::Process,
                Operator::Eq,
                vec![FilterValue::Integer(7)]
            ),
            filter(
                CertificateField::Status,
                Operator::In,
                vec![text("ACTIVE"), text("EXPIRED")]
            ),
            filter(
                CertificateField::San,
                Operator::Like,
                vec![text("%.example.com")]
            ),
            filter(CertificateField::Coc, Operator::Null, vec![]),
            filter(
                CertificateField::ExpiryDate,
                Operator::Lt,
                vec![FilterValue::Date("2027-01-15T08:00:00Z".parse().unwrap())]
            ),
            filter(
                CertificateField::DomainName,
                Operator::Eq,
                vec![text("a.example")]
            ),
            filter(
                CertificateField::Id,
                Operator::Gte,
                vec![FilterValue::Integer(-1)]
            ),
        ]
    );
}

#[test]
fn a_far_future_is_the_last_moment_there_is() {
    for value in [
        "9999-12-31",
        "9999-12-31T23:59:59Z",
        "9999-12-30T23:59:59-12:00",
    ] {
        let request = certificates(&format!("expiryDate:lte={value}")).unwrap();
        let last = vec![FilterValue::Date(jiff::Timestamp::MAX)];
        assert_eq!(request.query.filters[0].values, last, "{value}");
    }
    assert!(certificates("expiryDate:lte=9999-13-31").is_err());
}

#[test]
fn order_limit_offset_and_text_are_read() {
    let request =
        certificates("order=-expiryDate&order=id,status&limit=250&offset=20&q=a+b&total=false")
            .unwrap();
    assert_eq!(
        request.query.order,
        [
            (CertificateField::ExpiryDate, true),
            (CertificateField::Id, false),
            (CertificateField::Status, false)
        ]
    );
    assert_eq!((request.query.limit, request.query.offset), (Some(250), 20));
    assert_eq!(request.query.text.as_deref(), Some("a b"));
    assert!(!request.query.total);
}

#[tokio::test]
async fn every_bad_parameter_is_named() {
    assert_eq!(
        violations("limit=251&offset=-1&order=size&colour=red&status:lt=A&status=OLD&id=x&startDate=now&total=1&id:is=1").await,
        [
            "limit", "offset", "order", "colour", "status:lt", "status", "id", "startDate", "id:is", "total"
        ]
    );
    assert_eq!(violations("limit=").await, ["limit"]);
    assert_eq!(violations("san:ne=a").await, ["san:ne"]);
    assert_eq!(violations("fields=id,nonsense").await, ["fields"]);
}

#[tokio::test]
async fn an_export_has_no_limit_and_shows_identifying_fields() {
    assert_eq!(
        violations("export=true&limit=5&offset=0").await,
        ["limit", "offset"]
    );
    let request = certificates("export=true").unwrap();
    assert_eq!(request.query.limit, None);
    let page = Page {
        entities: vec![json!({"id": 1, "status": "ACTIVE"})],
        total: Some(1),
    };
    assert_eq!(
        body(request.answer(&page, |entity| entity).unwrap()).await,
        json!({"entities": [{"id": 1}], "pagination": {"limit": 1, "offset": 0, "total": 1}})
    );
    assert!(certificates("export=false&limit=5").is_ok());
}

#[tokio::test]
async fn an_envelope_always_has_entities_and_pagination() {
    let request = certificates("limit=0&total=false").unwrap();
    let page = Page::<Value> {
        entities: vec![],
        total: None,
    };
    assert_eq!(
        body(request.answer(&page, |entity| entity).unwrap()).await,
        json!({"entities": [], "pagination": {"limit": 0, "offset": 0}})
    );
}

#[tokio::test]
async fn a_list_takes_a_bounded_number_of_filters_and_values() {
    let values = |count: usize| vec!["1"; count].join(",");
    assert!(certificates(&format!("id:in={}", values(MOST_VALUES))).is_ok());
    let many = format!("id:in={}&status=ACTIVE", values(MOST_VALUES + 1));
    assert_eq!(violations(&many).await, ["id:in"]);
    let filters = |count: usize| vec!["process=1"; count].join("&");
    assert!(certificates(&filters(MOST_FILTERS)).is_ok());
    let many = format!("{}&id:gt=2", filters(MOST_FILTERS));
    assert_eq!(violations(&many).await, ["id:gt"]);
}

#[test]
fn documents_are_read_only_where_they_are_shown() {
    let read = |query: &str| {
        let known = ["id", "status", "csr", "certificate"];
        let parameters = Parameters::parse(query);
        let request = ListRequest::<CertificateField>::read(&parameters, &known);
        request.unwrap().query.documents
    };
    for (query, documents) in [
        ("", true),
        ("fields=status", false),
        ("export=true", false),
        ("export=true&fields=csr", true),
        ("fields=id,certificate", true),
    ] {
        assert_eq!(read(query), documents, "{query}");
    }
}
