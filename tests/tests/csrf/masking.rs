//! BREACH: what is compressed together with what a visitor chose must not repeat itself.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::Bench;

use crate::token::{form, submit};

behaviour! {
    tests: [no_two_pages_have_the_same_bytes];

    async fn shows(token: CsrfToken) -> Reply {
        Reply::ok(token.hidden_field())
    }

    async fn shows_two(token: CsrfToken) -> Reply {
        Reply::ok(format!("{} {}", token.value(), token.value()))
    }

    async fn submits(token: CsrfToken, body: Body) -> Result<Reply, SessionRejection> {
        token.verify(&body)?;
        Ok(Reply::ok("done"))
    }

    async fn no_two_pages_have_the_same_bytes(bench: Bench) {
        let server = serve(&bench, routes!["/form" => shows, "/two" => shows_two, "/submit" => submits]).await;
        let visitor = server.visitor();
        let mut values = vec![];
        for _ in 0..50 {
            values.push(form(&visitor).await);
        }
        values.extend(visitor.get("/two").await.body.split(' ').map(str::to_owned));
        let bytes: Vec<Vec<u8>> = values.iter().map(|value| URL_SAFE_NO_PAD.decode(value).expect("base64url")).collect();
        for half in [0..16, 16..32] {
            let halves: HashSet<&[u8]> = bytes.iter().map(|bytes| &bytes[half.clone()]).collect();
            assert_eq!(halves.len(), values.len(), "neither the mask nor what it hides repeats itself");
        }
        let unmasked = |bytes: &Vec<u8>| -> Vec<u8> { (0..16).map(|index| bytes[index] ^ bytes[index + 16]).collect() };
        assert_eq!(bytes.iter().map(unmasked).collect::<HashSet<_>>().len(), 1, "all of them are one token");
        for value in [&values[0], &values[51]] {
            assert_eq!(submit(&visitor, value).await, 200);
        }
    }
}
