//! Sessions in a real browser: headless Chromium over https, on both frameworks.

mod cookies;
mod csrf;
mod forms;
mod in_cookie;
mod login;
mod same_site;
mod tabs;
