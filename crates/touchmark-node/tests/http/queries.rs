//! What stands in a query.

use crate::issuer::Issuer;
use crate::site::Site;
use serde_json::json;
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::registry::ThingKind;

#[test]
fn a_query_is_decoded_before_it_is_read() {
    let site = Site::start();
    let mut device = Issuer::new(site.network(), ThingKind::DEVICE, Algorithm::Ed25519);
    site.submit(&[device.inception()]);
    let id = device.id.to_string();
    let escaped: Vec<_> = id.bytes().map(|byte| format!("%{byte:02x}")).collect();
    for query in [
        format!("st%61tus={id}"),
        format!("status={}", escaped.concat()),
        format!("status={id}%401"),
        format!("accredited={id}%3a{id}&record=0"),
        format!("status={id}&"),
    ] {
        let answer = site.get(&format!("/v1/proofs?{query}"));
        assert_eq!(answer.status, 200, "{query}: {}", String::from_utf8_lossy(&answer.body));
    }
    assert_eq!(site.get("/v1/things?%6bind=device").json()["items"][0]["id"], id);
    for wrong in ["st%61tue=x", "kind=device&unknown%3d=1", "=", "%ff=1"] {
        let answer = site.get(&format!("/v1/things?{wrong}"));
        assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("TM-MALFORMED")));
    }
}
