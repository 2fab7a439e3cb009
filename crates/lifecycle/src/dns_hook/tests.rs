use std::time::Duration;

use reseal_validation::publish::{ProgramSettings, Way};

use super::*;

fn hook(name: &str, zones: &[&str], serves: Serves) -> DnsHook {
    let program = ProgramSettings {
        program: "/bin/true".into(),
        timeout: Duration::from_secs(1),
    };
    let zones = zones.iter().map(|zone| zone.parse().unwrap()).collect();
    DnsHook {
        name: name.to_owned(),
        serves,
        settle: SignedDuration::ZERO,
        publisher: Publisher::new(zones, Way::Program(program)).unwrap(),
    }
}

#[test]
fn the_innermost_zone_decides_and_who_is_not_served_there_is_served_nowhere() {
    let only = |handle: &str| Serves::Only(vec![handle.to_owned()]);
    let hooks = DnsHooks::new(vec![
        hook("outer", &["example.com"], Serves::Everybody),
        hook("inner", &["lab.example.com", "example.org"], only("alice")),
    ]);
    let writer = |customer, name| hooks.writer(customer, name).map(|hook| &*hook.name);
    assert_eq!(writer("bob", "_x.www.example.com."), Some("outer"));
    assert_eq!(writer("alice", "_x.lab.example.com."), Some("inner"));
    assert_eq!(writer("bob", "_x.lab.example.com."), None);
    assert_eq!(writer("alice", "_x.badexample.com."), None);
    assert!(hooks.serve("bob") && !DnsHooks::default().serve("bob"));
    let hooks = DnsHooks::new(vec![hook("inner", &["example.org"], only("alice"))]);
    assert!(hooks.serve("alice") && !hooks.serve("bob") && !hooks.serve("Alice"));
}
