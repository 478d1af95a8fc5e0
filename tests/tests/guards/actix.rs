//! The shop on actix-web.

use std::pin::Pin;

use actix_http::Request;
use actix_web::body::{MessageBody, to_bytes};
use actix_web::dev::{Payload, Service, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::Method;
use actix_web::web::{Bytes, Json, Path, ServiceConfig, get, post, to};
use actix_web::{App as ActixApp, Error, HttpResponse, test};
use sessionkit::MemoryStore;
use sessionkit::actix::{Auth, Session, SessionMiddleware, SessionRejection, session};

use crate::combinations::{combined_handlers, combined_routes};
use crate::http::{Answer, App, Ask, TestStore};
use crate::shop::{Managers, handlers, routes};

handlers!();
combined_handlers!();

pub(crate) struct Actix {
    managers: Option<Managers>,
    configure: fn(&mut ServiceConfig),
    store: TestStore,
}

/// The shop with its middleware.
pub(crate) fn shop() -> Actix {
    layered(configure)
}

/// The shop without any middleware.
pub(crate) fn unlayered() -> Actix {
    Actix { managers: None, configure, store: TestStore::new(MemoryStore::new()) }
}

/// Handlers in all shapes.
pub(crate) fn shapes() -> Actix {
    layered(|config| {
        config.route("/login/{user}", post().to(login));
        crate::shapes::actix::configure(config);
        crate::neighbours::actix::configure(config);
        crate::arity::actix::configure(config);
    })
}

fn configure(config: &mut ServiceConfig) {
    for (path, route) in routes!([get().to][post().to]) {
        config.route(path, route);
    }
    config.route("/combined/set/{bits}", post().to(set_cart));
    for (path, route) in combined_routes!([get().to]) {
        config.route(path, route);
    }
    config.default_service(to(page));
}

fn layered(configure: fn(&mut ServiceConfig)) -> Actix {
    let managers = Managers::new();
    let store = managers.store.clone();
    Actix { managers: Some(managers), configure, store }
}

type BoxedBody = Pin<Box<dyn futures_util::Stream<Item = Result<Bytes, PayloadError>>>>;

async fn respond<S, B>(service: S, request: Request) -> HttpResponse
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody + 'static,
{
    match service.call(request).await {
        Ok(response) => response.into_parts().1.map_into_boxed_body(),
        Err(error) => error.error_response(),
    }
}

impl App for Actix {
    async fn answer(&self, ask: Ask) -> Answer {
        let polled = ask.body.count();
        let method = Method::from_bytes(ask.method.as_bytes()).unwrap();
        let mut request = test::TestRequest::default().method(method).uri(&ask.target);
        for header in ask.headers {
            request = request.append_header(header);
        }
        let body: BoxedBody = Box::pin(ask.body.stream());
        let (request, _) = request.to_request().replace_payload(Payload::from(body));
        let app = ActixApp::new().configure(self.configure);
        let response = match &self.managers {
            Some(Managers { main, office, .. }) => {
                let (main, office) = (SessionMiddleware::new(main.clone()), SessionMiddleware::new(office.clone()));
                respond(test::init_service(app.wrap(main).wrap(office)).await, request).await
            }
            None => respond(test::init_service(app).await, request).await,
        };
        let headers = response.headers().iter();
        let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body()).await.unwrap();
        Answer { status, headers, body: String::from_utf8(body.into()).unwrap(), polled: polled() }
    }

    fn store(&self) -> &TestStore {
        &self.store
    }
}
