//! CAA is corroborated too (M-2).

use std::process::Command;

use serde_json::json;

use super::Around;
use super::place::AROUND;
use crate::support::csr::csr;
use crate::support::knot::Knot;
use crate::support::server::binary;
use crate::world::checks::{Said, run};

fn forbid(knot: &Knot, name: &str) {
    knot.add(
        "good.dev.",
        &format!("{name}."),
        "CAA",
        "0 issue \"other.example\"",
    );
}

#[test]
fn m_2_a_permission_that_one_does_not_see_is_enough_and_one_that_two_do_not_see_is_not() {
    let around = Around::public();
    for (name, forbidden_at, quorum) in [
        ("one.good.dev", &[2][..], "4/5"),
        ("two.good.dev", &[2, 4], "3/5"),
    ] {
        for index in forbidden_at {
            forbid(&around.places[*index].knot, name);
        }
        // Other records that permit as well need not be the same as those seen here.
        around.places[0].knot.add(
            "good.dev.",
            &format!("{name}."),
            "CAA",
            "0 issue \"reseal.invalid\"",
        );
        let (process, record) = around.ask(name);
        around.publish(&record, &[]);
        around.look(process, "5/5");
        let checked = around.house.wait_until(process, || {
            let checked = around.events(process, "caaChecked").pop()?;
            (checked["corroboration"]["quorum"] == quorum).then_some(checked)
        });
        let sto = &checked["corroboration"]["perspectives"][0];
        assert_eq!(
            sto["relevant"]["records"][0]["value"], "reseal.invalid",
            "{sto}"
        );
        if forbidden_at.len() == 1 {
            assert_eq!(checked["permitted"], true, "{checked}");
            around.is_issued(process, "performed");
        } else {
            assert_eq!(checked["permitted"], false, "{checked}");
            let reason = checked["reason"].as_str().unwrap();
            assert!(
                reason.contains("`sao`") && reason.contains("`jnb`"),
                "{reason}"
            );
            let info = around.house.info(process);
            assert_eq!(
                info["validations"]["dcv"][0]["caaRecordStatus"], "INVALID",
                "{info}"
            );
            around.house.wait_for(process, "SUSPENDED");
        }
    }
}

#[test]
fn m_2_a_prohibition_seen_here_alone_is_one() {
    let around = Around::public();
    forbid(&around.knot, "www.good.dev");
    let (process, record) = around.ask("www.good.dev");
    around.publish(&record, &[]);
    around.look(process, "5/5");
    let checked = around.events(process, "caaChecked").pop().unwrap();
    assert_eq!(checked["permitted"], false, "{checked}");
    assert_eq!(checked["corroboration"]["quorum"], "5/5", "{checked}");
    assert_eq!(
        around.events(process, "issued"),
        [] as [serde_json::Value; 0]
    );
}

#[test]
fn m_9_what_others_saw_of_caa_is_not_relied_on_again() {
    let mut around = Around::start("[policy]\nprofile = \"private\"\n", &AROUND);
    let name = "www.good.dev";
    let (process, record) = around.ask(name);
    around.publish(&record, &[]);
    around.look(process, "5/5");
    let id = around.is_issued(process, "performed");
    // Its proof is good for months, what was seen of CAA for hours.
    for index in [1, 3] {
        forbid(&around.places[index].knot, name);
    }
    around.house.kill();
    around.house.start_at("+9h");
    let body = json!({"csr": csr(&[name]), "san": []});
    let path = format!("/v2/ssl/certificates/{id}/reissue");
    let reply = around.house.alice.post(&path, &body);
    let info = reply.expect(202);
    let entry = &info["validations"]["dcv"][0];
    assert_eq!(entry["status"], "VALIDATED", "{info}");
    let checked = around.house.wait_until(reply.process(), || {
        around.events(reply.process(), "caaChecked").pop()
    });
    assert_eq!(checked["permitted"], false, "{checked}");
    assert_eq!(checked["corroboration"]["quorum"], "3/5", "{checked}");
    around.house.wait_for(reply.process(), "SUSPENDED");
}

#[test]
fn m_2_m_7_a_check_beforehand_asks_every_perspective_as_well() {
    let around = Around::public();
    let check = |arguments: &[&str]| -> Said {
        let data = around.house.data();
        run(Command::new(binary())
            .args(arguments)
            .arg("--data")
            .arg(data))
    };
    for index in [2, 4] {
        forbid(&around.places[index].knot, "www.good.dev");
    }
    let by_dns = ["caa", "check", "www.good.dev", "--type", "dns"];
    check(&by_dns).has(
        1,
        &[
            "seen from `sao`: refused",
            "seen from `sto`: permitted",
            "permitted as seen from here, but",
            "[M-2, M-4]",
        ],
    );
    // Mail to a constructed address needs nobody else's eyes (D-16).
    check(&["caa", "check", "www.good.dev"]).has(
        0,
        &["permitted when proved by mail to a constructed address"],
    );
    let (process, record) = around.ask("other.good.dev");
    let process = process.to_string();
    let by_dns = [
        "dcv",
        "check",
        "other.good.dev",
        "--type",
        "dns",
        "--process",
        &process,
    ];
    around.publish(&record, &[1, 3]);
    check(&by_dns).has(1, &["from here it is there, but", "not found [D-28]"]);
    record.add(&around.places[1].knot);
    check(&by_dns).has(0, &["seen from `sto`", "found [D-28]"]);
}
