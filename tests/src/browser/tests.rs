//! The tests' own tools have to be right before they prove anything.

use super::Browser;
use crate::servers::chromedriver::Chromedriver;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

#[tokio::test]
async fn ends_with_its_value_and_leaves_nothing_behind() {
    let browser = Browser::start(&[]).await;
    let directory = directory_of(&browser);
    // The browser itself, and a process for the page at least.
    assert!(processes_in(&directory) > 2);
    drop(browser);
    assert_eq!(processes_in(&directory), 0);
    assert!(!Path::new(&directory).exists());
}

#[tokio::test]
async fn ends_when_its_test_panics() {
    let (tell, told) = tokio::sync::oneshot::channel();
    let test = tokio::spawn(async move {
        let browser = Browser::start(&[]).await;
        tell.send(directory_of(&browser)).unwrap();
        browser.tab().await.open("this is no address").await;
    });
    assert!(test.await.unwrap_err().is_panic());
    let directory = told.await.unwrap();
    assert_eq!(processes_in(&directory), 0);
    assert!(!Path::new(&directory).exists());
}

#[tokio::test]
async fn dies_with_the_test_process() {
    let mut browser = Browser::start(&[]).await;
    let directory = directory_of(&browser);
    Arc::get_mut(&mut browser.0).unwrap().wire.driver.close_pipe();
    assert_eq!(processes_in(&directory), 0);
    assert!(!Path::new(&directory).exists());
}

#[test]
fn two_chromedrivers_do_not_meet() {
    let (one, other) = (Chromedriver::start(), Chromedriver::start());
    assert_ne!(one.url(), other.url());
    assert_ne!(one.directory(), other.directory());
}

fn directory_of(browser: &Browser) -> String {
    browser.directory().display().to_string()
}

/// Returns how many processes have this directory in their command line.
fn processes_in(directory: &str) -> usize {
    if !Path::new("/proc/self/cmdline").exists() {
        let all = Command::new("ps").args(["-A", "-o", "args="]).output().unwrap().stdout;
        return String::from_utf8_lossy(&all).lines().filter(|line| line.contains(directory)).count();
    }
    let lines = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| std::fs::read(entry.path().join("cmdline")));
    lines.filter(|line| line.as_ref().is_ok_and(|line| String::from_utf8_lossy(line).contains(directory))).count()
}
