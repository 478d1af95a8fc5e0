//! The access matrix: every guarded handler with what it requires, in a crate that forbids unsafe code.

#![forbid(unsafe_code)]

use sessionkit::{Access, SessionData, access_matrix};
use sessionkit_tests::both_frameworks;
use sessionkit_tests::harness::Bench;

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
    paid: bool,
}

fn is_paid(cart: &Cart) -> bool {
    cart.paid
}

both_frameworks! {
    tests: [row_23_every_guarded_handler_is_listed_with_what_it_requires];

    #[session(require_login)]
    async fn plain() -> Reply {
        Reply::ok("")
    }

    #[session(
        require_login,
        require = |cart: &Cart| cart.items.len() > 1 && !cart.paid, // a comment
        require = is_paid,
    )]
    async fn r#type(cart: Session<Cart>) -> Reply {
        #![allow(unused_variables)]
        Reply::ok("")
    }

    #[session(require_login)]
    async fn generic<T: ToString + Default + 'static>() -> Reply {
        Reply::ok(T::default())
    }

    #[session(require_login)]
    async fn never_called<T: ToString + Default + 'static>() -> Reply {
        Reply::ok(T::default())
    }

    struct Pages;

    impl Pages {
        #[session(require_login)]
        async fn associated() -> Reply {
            Reply::ok("")
        }
    }

    #[session(require_login)]
    #[cfg(any())]
    async fn configured_away() -> Reply {
        Reply::ok("")
    }

    async fn row_23_every_guarded_handler_is_listed_with_what_it_requires() {
        #[session(require_login)]
        async fn nested() -> Reply {
            Reply::ok("")
        }

        let routes = routes!["/nested" => nested, "/generic" => generic::<u32>, "/associated" => Pages::associated];
        let refused = answer(Bench::memory().manager(), routes, "/nested", "").await.1;
        assert!(refused.contains(r#""status":401"#), "{refused}");
        let here = concat!(module_path!(), "::");
        let matrix = access_matrix();
        let ours: Vec<&Access> = matrix.iter().filter(|access| access.handler.starts_with(here)).collect();
        let listed: Vec<_> = ours.iter().map(|access| (&access.handler[here.len()..], access.requirement)).collect();
        assert_eq!(listed, [
            ("associated", "require_login"),
            ("generic", "require_login"),
            ("nested", "require_login"),
            ("never_called", "require_login"),
            ("plain", "require_login"),
            ("type", "require_login, require = |cart: &Cart| cart.items.len() > 1 && !cart.paid, require = is_paid,"),
        ]);
        let printed = matrix.to_string();
        for access in ours {
            assert!(access.file.ends_with("access.rs") && access.line > 0, "{access:?}");
            let line = printed.lines().find(|line| line.split_whitespace().next() == Some(access.handler)).unwrap();
            let place = format!("{}:{}", access.file, access.line);
            assert!(line.contains(access.requirement) && line.ends_with(&place), "{line}");
        }
        let columns: Vec<_> = printed.lines().map(|line| line.find("require").unwrap()).collect();
        assert!(columns.iter().all(|column| *column == columns[0]), "the columns stand below each other:\n{printed}");
    }
}

#[test]
fn without_the_feature_nothing_is_emitted_or_built() {
    let tree = |features: &str| {
        let arguments = ["tree", "--offline", "--package", "sessionkit", "--edges", "normal", "--no-default-features"];
        let output = sessionkit_tests::cargo().args(arguments).args(["--features", features]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(!tree("axum,actix").contains("inventory"));
    assert!(tree("axum,actix,access-matrix").contains("inventory"));
}
