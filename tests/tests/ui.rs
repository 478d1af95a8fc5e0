//! What the compiler says about mistakes.

#[test]
fn one_mistake_is_one_error() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/*/*.rs");
}
