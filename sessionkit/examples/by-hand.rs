//! Sessions without a web framework, on plain hyper: `cargo run --example by-hand`. `ADDR` says where to listen.

use std::convert::Infallible;
use std::error::Error;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use sessionkit::manual::{RequestHead, RequestSession, RequireLogin, guard};
use sessionkit::{MemoryStore, Rejection, SessionConfig, SessionData, SessionManager};
use tokio::net::TcpListener;

#[derive(SessionData)]
struct Visit {
    #[session(merge = add)]
    views: u64,
}

/// Opens the session, lets the handler use it, and closes it.
async fn serve(manager: &SessionManager, request: Request<Incoming>) -> Response<String> {
    let session = manager.open();
    let head = RequestHead::from(&request);
    session.attach(&head);
    let response = match route(&session, &head).await {
        Ok(response) => response,
        Err(answer) => answer.into(),
    };
    let changes = manager.close(&session, &response).await;
    changes.apply(response)
}

async fn route(session: &RequestSession, head: &RequestHead<'_>) -> Result<Response<String>, Rejection> {
    match (head.method(), head.path()) {
        ("GET", "/") => index(session).await,
        ("POST", "/login") => login(session).await,
        ("POST", "/logout") => logout(session).await,
        ("GET", "/account") => {
            guard::<RequireLogin>(session, head).await?;
            Ok(Response::new("your account\n".into()))
        }
        _ => Ok(not_found()),
    }
}

async fn index(session: &RequestSession) -> Result<Response<String>, Rejection> {
    let mut visit = session.checkout::<Visit>().await?;
    visit.views += 1;
    let user = session.auth().user_id().await?;
    let name = user.as_deref().unwrap_or("nobody");
    Ok(Response::new(format!("{name}, seen {} times\n", visit.views)))
}

async fn login(session: &RequestSession) -> Result<Response<String>, Rejection> {
    // Check a password first.
    session.auth().login("ada").await?;
    Ok(Response::new("welcome\n".into()))
}

async fn logout(session: &RequestSession) -> Result<Response<String>, Rejection> {
    session.auth().logout().await?;
    Ok(Response::new("bye\n".into()))
}

fn not_found() -> Response<String> {
    let mut response = Response::new("there is nothing here\n".to_owned());
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let manager = SessionManager::new(MemoryStore::new(), SessionConfig::dev());
    let address = std::env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:3000".into());
    let listener = TcpListener::bind(address).await?;
    println!("by hand, on http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let manager = manager.clone();
        tokio::spawn(async move {
            let service = service_fn(async |request| Ok::<_, Infallible>(serve(&manager, request).await));
            if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
                eprintln!("a connection failed: {error}");
            }
        });
    }
}
