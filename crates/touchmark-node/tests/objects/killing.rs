//! SIGKILL while leaves are sealed: nothing is lost, and it goes on.

use super::service::Service;
use super::story::{Story, wait_until_sealed, write};
use std::time::Duration;

#[test]
fn a_node_that_is_killed_while_it_seals_loses_nothing() {
    let Some(service) = Service::start() else { return };
    let story = Story::of(&service);
    let mut written = Vec::new();
    for trial in 0..8 {
        let mut node = story.start();
        written.push(write(&node, 700));
        std::thread::sleep(Duration::from_millis(trial * 37));
        node.kill();
    }
    let node = story.start();
    wait_until_sealed(&node);
    let client = node.client();
    for (leaf, bytes) in written.iter().flat_map(|records| &records.leaves) {
        assert_eq!(client.leaf_bytes(*leaf).unwrap(), *bytes);
    }
}
