//! Stock connectors that ask after all their jobs at once.

use emp::REGISTRY;
use emp_testkit::{Fleet, example, fake_env};

#[tokio::test]
async fn x5_one_list_of_replicate_serves_all_its_predictions() {
    let entry = REGISTRY.get("ReplicateConnector").expect("registered");
    let env = fake_env(entry.spec).set("REPLICATE_MAX_CONCURRENT", "50");
    let mut fleet =
        Fleet::new(entry.load(&env).expect("a whole environment"), Vec::new()).await.expect("starts");
    fleet.finish(50, &example(&entry.spec.payload.to_json_schema())).await.expect("a store in memory");
    assert_eq!((fleet.succeeded(), fleet.fake.ledger().accepted()), (50, 50), "{:?}", fleet.ends);
    // A list has a next page, so a batch is a few requests; 50 predictions alone make over a thousand.
    let (pages, alone) = (
        fleet.count("GET /v1/predictions") + fleet.count("GET /__fake/url/page/"),
        fleet.count("GET /__fake/url/poll_url/"),
    );
    assert!(pages > 0 && pages + alone <= 500, "{pages} pages and {alone} polls alone");
    assert!(
        (50..=110).contains(&alone),
        "{alone} polls alone: once for each end, and when no more than 20 were left"
    );
}
