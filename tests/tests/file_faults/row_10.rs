//! Row 10 of the list of systems that applications come from.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use sessionkit::SessionData;
use sessionkit::file::FileStore;
use sessionkit::store::EntryKey;
use sessionkit_tests::both_frameworks;
use sessionkit_tests::harness::{Bench, Server};

#[derive(SessionData)]
struct Cart {
    #[session(merge = add)]
    items: u64,
}

both_frameworks! {
    tests: [row_10_file_system_backend_with_file_locks];

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items += 1;
        Reply::ok(cart.items)
    }

    async fn logout(auth: Auth) -> Result<Reply, SessionRejection> {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn start(bench: &Bench, store: &FileStore) -> Server {
        serve_with(bench, bench.manager_over(store.clone()), routes!["/add" => add, "/logout" => logout]).await
    }

    async fn row_10_file_system_backend_with_file_locks() {
        let bench = Bench::memory();
        let directory = tempfile::tempdir().unwrap();
        let open = || FileStore::open(directory.path().join("sessions")).unwrap();
        let (store, other_store) = (open(), open());
        let servers = [start(&bench, &store).await, start(&bench, &other_store).await];
        let visitor = servers[0].visitor();
        assert_eq!(visitor.get("/add").await.body, "1");
        let token = visitor.token().unwrap();
        let id = sessionkit_core::Token::parse(token.as_bytes()).unwrap().id();
        let file = store.path(&EntryKey::session(id));
        let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        let bytes = fs::read(&file).unwrap();
        assert_eq!(bytes[..4], *b"SKF\x01", "bytes of its own format, which nothing executes");
        assert!(!String::from_utf8_lossy(&bytes).contains(&token[22..]), "[P7] no token is in it");

        // Another process, which shares the directory.
        let visitor = visitor.at(&servers[1]);
        assert_eq!(visitor.get("/add").await.body, "2");
        drop((servers, store, other_store));
        // Both are replaced by a new release.
        let store = open();
        let server = start(&bench, &store).await;
        let visitor = visitor.at(&server);
        assert_eq!(visitor.get("/add").await.body, "3");

        // While the file lock is held, nobody writes; and no file is ever half written, since it is replaced whole.
        let lock = fs::File::open(file.with_file_name("lock")).unwrap();
        lock.lock().unwrap();
        let before = fs::read(&file).unwrap();
        assert_eq!(visitor.get("/add").await.status, 503);
        assert_eq!(fs::read(&file).unwrap(), before);
        lock.unlock().unwrap();
        assert_eq!(visitor.get("/add").await.body, "4");
        assert_eq!(visitor.get("/logout").await.status, 200);
        assert!(!file.exists());
    }
}
