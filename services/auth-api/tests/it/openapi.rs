//! The document says what the route table has, and no more.

use std::collections::BTreeSet;

use auth_api::http::ROUTES;

use crate::support::{Call, World};

/// HEAD comes with GET, and OPTIONS is the router's.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "DELETE", "PATCH"];

#[tokio::test]
async fn document_has_every_operation_of_the_route_table_and_no_other() {
    let world = World::new().await;
    let replica = world.replica().await;
    let answer = replica.send(Call::get("/openapi.json")).await;
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    let document = answer.ok();
    assert_eq!(document["openapi"], "3.1.0");
    let documented: BTreeSet<_> = document["paths"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(documented, BTreeSet::from(ROUTES));
    let mut names = BTreeSet::new();
    for route in ROUTES {
        let path = route
            .replace("{slug}", "demo")
            .replace("{name}", "x")
            .replace("{id}", "x");
        for method in METHODS {
            let operation = &document["paths"][route][method.to_lowercase()];
            let there = replica.send(Call::new(method, &path)).await.status != 405;
            assert_eq!(operation.is_object(), there, "{method} {route}");
            if there {
                assert!(names.insert(operation["operationId"].as_str().unwrap()), "{operation}");
                assert!(operation["summary"].is_string(), "{method} {route} has no summary");
                assert!(operation["responses"]["503"].is_object(), "{method} {route}");
            }
        }
    }
}
