//! CAA is corroborated too (M-2).

use super::Around;
use crate::support::knot::Knot;

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
