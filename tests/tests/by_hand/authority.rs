//! The host that a request of the crate `http` was sent to.

use axum::http::{Request, Version};
use sessionkit::manual::RequestHead;
use sessionkit::{CrossOriginProtection, CsrfRefusal};

/// A form of `https://shop.example`, as a server hands it over.
fn post(version: Version, uri: &str, host: Option<&str>) -> Request<()> {
    let request = Request::post(uri).version(version).header("origin", "https://shop.example");
    let request = host.into_iter().fold(request, |request, host| request.header("host", host));
    request.body(()).unwrap()
}

#[test]
fn a_request_of_http_2_has_its_own_origin() {
    let check = |request: Request<()>| CrossOriginProtection::new().check(&RequestHead::from(&request));
    // HTTP/2 has no header `Host`: servers put the authority into the address.
    let own = post(Version::HTTP_2, "https://shop.example/cart", None);
    assert_eq!(RequestHead::from(&own).host(), Some("shop.example"));
    assert_eq!(RequestHead::from(&own).target(), "/cart");
    assert_eq!(check(own), Ok(()));
    assert_eq!(check(post(Version::HTTP_11, "/cart", Some("shop.example"))), Ok(()));
    for foreign in [
        post(Version::HTTP_2, "https://pay.example/cart", None),
        post(Version::HTTP_2, "https://pay.example/cart", Some("shop.example")),
        post(Version::HTTP_11, "/cart", Some("pay.example")),
    ] {
        assert_eq!(check(foreign), Err(CsrfRefusal::ForeignOrigin));
    }
}
