//! A process that writes to a directory of sessions, and that tests kill, trace and starve. See `sessionkit_tests::writer`.

fn main() {
    sessionkit_tests::writer::run();
}
