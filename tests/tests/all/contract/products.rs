//! `/v2/ssl/products…`.

use serde_json::json;

use crate::support::server::Server;

#[test]
fn the_default_catalogue_is_listed() {
    let server = Server::start();
    let list = server
        .alice
        .get("/v2/ssl/products/?limit=250&certificateType%3Ane=ACME_SUBSCRIPTION")
        .expect(200);
    let mut handles: Vec<_> = list["entities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["product"].as_str().unwrap())
        .collect();
    handles.sort_unstable();
    assert_eq!(
        handles,
        [
            "ssl_dv",
            "ssl_dv_md",
            "ssl_dv_wc",
            "ssl_ev",
            "ssl_ev_md",
            "ssl_ov",
            "ssl_ov_md",
            "ssl_ov_wc"
        ]
    );
    assert_eq!(
        list["pagination"],
        json!({"limit": 250, "offset": 0, "total": 8})
    );
    let wildcards = server
        .alice
        .get("/v2/ssl/products?certificateType=WILDCARD")
        .expect(200);
    assert_eq!(wildcards["pagination"]["total"], 2);
}

#[test]
fn a_product_has_every_required_field() {
    let server = Server::start();
    let product = server.alice.get("/v2/ssl/products/ssl_dv_md").expect(200);
    for text in [
        "product",
        "brand",
        "name",
        "validationType",
        "certificateType",
        "issueTime",
    ] {
        assert!(product[text].is_string(), "{text}: {product}");
    }
    for number in ["warranty", "renewalWindow", "includedDomains", "maxDomains"] {
        assert!(product[number].is_i64(), "{number}: {product}");
    }
    assert_eq!(product["periods"], json!([1, 3, 6, 12, 24, 36]));
    assert!(
        product["features"]
            .as_array()
            .unwrap()
            .contains(&json!("REISSUE"))
    );
    server
        .alice
        .get("/v2/ssl/products/none")
        .refused(400, "ObjectDoesNotExist");
}
