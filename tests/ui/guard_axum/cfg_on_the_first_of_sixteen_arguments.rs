use sessionkit::axum::session;

#[session(require_login)]
async fn admin(
    #[cfg(windows)] _a: String,
    _b: String,
    _c: String,
    _d: String,
    _e: String,
    _f: String,
    _g: String,
    _h: String,
    _i: String,
    _j: String,
    _k: String,
    _l: String,
    _m: String,
    _n: String,
    _o: String,
    _p: String,
) {
}

fn main() {}
