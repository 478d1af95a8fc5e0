//! The fields that an anonymous session hands over at a login: an attacker may have planted it in the browser.

use std::collections::BTreeMap;

use sessionkit::{OnLogin, SessionData};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Server, Visitor};

#[derive(SessionData)]
#[session(on_login = keep)]
struct Cart {
    items: Vec<String>,
}

#[derive(SessionData)]
#[session(on_login = discard)]
struct Checkout {
    address: Option<String>,
    #[session(entries)]
    notes: BTreeMap<String, String>,
    #[session(carry)]
    language: Option<String>,
}

#[derive(SessionData)]
struct Profile {
    name: Option<String>,
}

const PLANTED: &str = "cart=1 address=mallory notes=1 language=mallory name=mallory map=mallory";

async fn get(visitor: &Visitor, path: &str) -> String {
    let answer = visitor.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.body
}

behaviour! {
    tests: [
        by_default_a_struct_says_what_goes,
        with_the_setting_only_what_is_marked_stays,
        what_was_checked_out_before_the_login_brings_nothing_back,
        the_same_user_s_next_login_keeps_everything,
        a_first_request_without_a_session_hands_over_its_own_changes,
    ];

    type Answered = Result<Reply, SessionRejection>;

    fn fill(cart: &mut Cart, checkout: &mut Checkout, profile: &mut Profile, who: &str) {
        cart.items.push(who.into());
        checkout.address = Some(who.into());
        checkout.notes.insert(who.into(), "left at the door".into());
        checkout.language = Some(who.into());
        profile.name = Some(who.into());
    }

    async fn plant(
        mut cart: Session<Cart>,
        mut checkout: Session<Checkout>,
        mut profile: Session<Profile>,
        mut map: DynamicSession,
    ) -> Answered {
        fill(&mut cart, &mut checkout, &mut profile, "mallory");
        map.insert("map", "mallory")?;
        Ok(Reply::ok(""))
    }

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok(""))
    }

    /// Changes some before the login, and holds some until after it.
    async fn change_and_login(
        mut cart: Session<Cart>,
        mut checkout: Session<Checkout>,
        mut profile: Session<Profile>,
        auth: Auth,
    ) -> Answered {
        fill(&mut cart, &mut checkout, &mut profile, "before");
        drop(profile);
        auth.login("ada").await?;
        cart.items.push("after".into());
        checkout.address = Some("after".into());
        Ok(Reply::ok(""))
    }

    async fn show(
        cart: SessionView<Cart>,
        checkout: SessionView<Checkout>,
        profile: SessionView<Profile>,
        map: DynamicSession,
    ) -> Answered {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let map = map.get::<String>("map")?;
        let (items, notes) = (cart.items.len(), checkout.notes.len());
        let (address, language, name) = (text(&checkout.address), text(&checkout.language), text(&profile.name));
        let map = text(&map);
        Ok(Reply::ok(format!("cart={items} address={address} notes={notes} language={language} name={name} map={map}")))
    }

    async fn start(bench: &Bench) -> (Server, Visitor) {
        let routes =
            routes!["/plant" => plant, "/login" => login, "/change-and-login" => change_and_login, "/show" => show];
        let server = serve(bench, routes).await;
        let visitor = server.visitor();
        (server, visitor)
    }

    async fn by_default_a_struct_says_what_goes(bench: Bench) {
        let (_server, visitor) = start(&bench).await;
        get(&visitor, "/plant").await;
        assert_eq!(get(&visitor, "/show").await, PLANTED);
        get(&visitor, "/login").await;
        let expected = "cart=1 address= notes=0 language=mallory name=mallory map=mallory";
        assert_eq!(get(&visitor, "/show").await, expected);
    }

    async fn with_the_setting_only_what_is_marked_stays(bench: Bench) {
        let bench = bench.with_config(|config| config.on_login(OnLogin::Discard));
        let (_server, visitor) = start(&bench).await;
        get(&visitor, "/plant").await;
        get(&visitor, "/login").await;
        assert_eq!(get(&visitor, "/show").await, "cart=1 address= notes=0 language=mallory name= map=");
    }

    async fn what_was_checked_out_before_the_login_brings_nothing_back(bench: Bench) {
        let bench = bench.with_config(|config| config.on_login(OnLogin::Discard));
        let (_server, visitor) = start(&bench).await;
        get(&visitor, "/plant").await;
        get(&visitor, "/change-and-login").await;
        assert_eq!(get(&visitor, "/show").await, "cart=3 address= notes=0 language=before name= map=");
    }

    async fn the_same_user_s_next_login_keeps_everything(bench: Bench) {
        let bench = bench.with_config(|config| config.on_login(OnLogin::Discard));
        let (_server, visitor) = start(&bench).await;
        get(&visitor, "/login").await;
        get(&visitor, "/plant").await;
        get(&visitor, "/login").await;
        assert_eq!(get(&visitor, "/show").await, PLANTED);
    }

    async fn a_first_request_without_a_session_hands_over_its_own_changes(bench: Bench) {
        let bench = bench.with_config(|config| config.on_login(OnLogin::Discard));
        let (_server, visitor) = start(&bench).await;
        get(&visitor, "/change-and-login").await;
        let expected = "cart=2 address=after notes=1 language=before name=before map=";
        assert_eq!(get(&visitor, "/show").await, expected);
    }
}
