//! Tests of the compiler's messages about mistakes: each file of `ui/` is one, and its `.stderr` the one error for it.
//!
//! The wording is pinned to Rust 1.95, because the compiler's part of it changes with every release. Any other compiler
//! still has to refuse each file. After a change of a message run `TRYBUILD=overwrite cargo test --test ui` with Rust
//! 1.95, and read what it wrote.

#[rustversion::stable(1.95)]
#[test]
fn mistakes_are_explained() {
    trybuild::TestCases::new().compile_fail("ui/*/*.rs");
}

#[rustversion::not(stable(1.95))]
#[test]
fn mistakes_are_refused_and_their_messages_are_pinned_to_another_compiler() {
    copies::refuse_all();
}

/// The same files where trybuild may write down whatever this compiler says.
#[rustversion::not(stable(1.95))]
mod copies {
    use std::path::Path;
    use std::process::Command;
    use std::{env, fs};

    /// Tells the test, in a process of its own, where the copies are.
    const COPIES: &str = "SESSIONKIT_UI_COPIES";

    pub(super) fn refuse_all() {
        if let Ok(copies) = env::var(COPIES) {
            trybuild::TestCases::new().compile_fail(copies);
            return;
        }
        let copies = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ui");
        for topic in fs::read_dir("ui").expect("the cases are beside the tests") {
            copy(&topic.expect("a topic can be listed").path(), &copies);
        }
        let test = env::current_exe().expect("a test has a path");
        let refused = Command::new(test).env(COPIES, copies.join("*/*.rs")).env("TRYBUILD", "overwrite").status();
        assert!(refused.expect("a test can run itself").success());
    }

    fn copy(topic: &Path, copies: &Path) {
        let copy = copies.join(topic.file_name().expect("a topic has a name"));
        fs::create_dir_all(&copy).expect("the target directory is writable");
        for case in fs::read_dir(topic).expect("a topic is a directory") {
            let case = case.expect("a case can be listed").path();
            if case.extension().is_some_and(|extension| extension == "rs") {
                fs::copy(&case, copy.join(case.file_name().expect("a case has a name"))).expect("a case can be copied");
            }
        }
    }
}
