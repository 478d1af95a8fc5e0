//! A format without a key proves nothing.

use sessionkit::CookieSessions;
use sessionkit::formats::Muffin;

fn main() {
    CookieSessions::shared(Muffin::dangerous_unauthenticated_base64());
}
