//! What becomes of a proof that is not the same everywhere.

use serde_json::{Value, json};

use super::place::AROUND;
use super::{Around, Spot};

const PRIVATE: &str = "[policy]\nprofile = \"private\"\n";

#[test]
fn m_4_what_one_of_five_does_not_see_is_issued_and_what_two_or_all_do_not_see_is_not() {
    let around = Around::public();
    for (name, hidden, quorum) in [
        ("all.good.dev", &[][..], "5/5"),
        ("one.good.dev", &[3], "4/5"),
        ("two.good.dev", &[0, 3], "3/5"),
        // Somebody leads this server alone astray.
        ("none.good.dev", &[0, 1, 2, 3, 4], "0/5"),
    ] {
        let (process, record) = around.ask(name);
        around.publish(&record, hidden);
        let look = around.look(process, quorum);
        let perspectives = look["corroboration"]["perspectives"].as_array().unwrap();
        let names: Vec<_> = perspectives.iter().map(|one| &one["name"]).collect();
        assert_eq!(names, AROUND.map(|spot| spot.0));
        for (index, one) in perspectives.iter().enumerate() {
            let verdict = if hidden.contains(&index) {
                "notYet"
            } else {
                "proved"
            };
            assert_eq!(one["verdict"], verdict, "{one}");
            assert_eq!(one["region"], AROUND[index].1);
            // M-8: what it asked and saw is kept.
            let asked = &one["evidence"]["answers"][0]["name"];
            assert_eq!(
                asked.as_str().map(|name| name.trim_end_matches('.')),
                Some(record.owner.trim_end_matches('.'))
            );
        }
        if hidden.len() < 2 {
            let id = around.is_issued(process, "performed");
            let reissued = around.reissue(id, name);
            around.is_issued(reissued, "performed");
        } else {
            around.is_refused(process, hidden);
        }
    }
}

impl Around {
    /// A reissue, which needs no new proof.
    #[track_caller]
    fn reissue(&self, id: i64, name: &str) -> i64 {
        let body = json!({"csr": crate::support::csr::csr(&[name]), "san": []});
        let path = format!("/v2/ssl/certificates/{id}/reissue");
        let reply = self.house.alice.post(&path, &body);
        let process = reply.process();
        assert_eq!(self.attempts(process), [] as [Value; 0]);
        process
    }
}

#[test]
fn m_7_nasty_114_two_of_four_that_see_no_token_are_too_many() {
    let around = Around::start(PRIVATE, &AROUND[..4]);
    let (process, record) = around.ask("www.good.dev");
    around.publish(&record, &[1, 2]);
    around.look(process, "2/4");
    around.is_refused(process, &[1, 2]);

    // M-6: those who see it now do not make up for those who have seen it before.
    record.add(&around.places[1].knot);
    record.add(&around.places[2].knot);
    record.remove(&around.places[0].knot);
    record.remove(&around.places[3].knot);
    let retry = around.look(process, "2/4");
    assert_eq!(retry["verdict"], "notYet");
    around.house.wait_until(process, || {
        let seen = around.attempts(process).pop()?["seen"].to_string();
        (seen.contains("`sto`") && seen.contains("`syd`")).then_some(())
    });
    around.is_refused(process, &[0, 3]);

    record.add(&around.places[0].knot);
    around.look(process, "3/4");
    around.is_issued(process, "performed");
}

#[test]
fn nasty_115_four_of_five_in_one_region_are_not_enough() {
    let one_region: [Spot; 5] = [
        ("sto", "ripe", "59.33", "18.07"),
        ("mad", "ripe", "40.42", "-3.70"),
        ("ath", "ripe", "37.98", "23.73"),
        ("rix", "ripe", "64.15", "-21.94"),
        ("nyc", "arin", "40.71", "-74.01"),
    ];
    let around = Around::start("[policy]\nprofile = \"public\"\n", &one_region);
    let (process, record) = around.ask("www.good.dev");
    around.publish(&record, &[4]);
    let look = around.look(process, "4/5");
    let seen = look["seen"].as_str().unwrap();
    assert!(
        seen.contains("do not lie in two registries' regions"),
        "{seen}"
    );
    around.is_refused(process, &[4]);

    record.add(&around.places[4].knot);
    record.remove(&around.places[0].knot);
    around.look(process, "4/5");
    around.is_issued(process, "performed");
}

#[test]
fn one_perspective_may_be_down_and_two_are_waited_for() {
    let mut around = Around::public();
    around.places[1].stop();
    let (process, record) = around.ask("one.good.dev");
    around.publish(&record, &[]);
    let look = around.look(process, "4/5");
    assert_eq!(
        look["corroboration"]["perspectives"][1]["verdict"],
        "unreachable"
    );
    around.is_issued(process, "performed");

    around.places[2].stop();
    let (process, record) = around.ask("two.good.dev");
    around.publish(&record, &[]);
    let look = around.look(process, "3/5");
    // An outage is nobody's mistake: it is looked at again, and nobody is asked to act.
    assert_eq!(look["verdict"], "unreachable");
    around.is_refused(process, &[1, 2]);
}
