//! A real server with one worker thread.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::{process, thread};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::{App, Error, HttpServer};
use axum::Router;

use crate::apps::{self, actix::Visitor};
use crate::candidate::{Backend, Candidate, Framework};

/// Serves a candidate's application on a free port, which is printed, until the parent closes the standard input or ends.
pub(super) fn serve(candidate: Candidate, backend: Backend) {
    let listener = listen();
    match candidate.framework {
        Framework::Axum => serve_axum(apps::axum::app(candidate.library, &backend), listener),
        Framework::Actix => {
            actix_web::rt::System::new().block_on(apps::actix::app(candidate.library, &backend, Server(listener)))
        }
    }
}

/// Serves the application that lists the sessions of each user.
pub(super) fn serve_devices(limit: usize, redis: &str) {
    let listener = listen();
    serve_axum(async { apps::devices::app(limit, redis) }, listener);
}

fn listen() -> TcpListener {
    thread::spawn(|| {
        let _ = io::stdin().read(&mut [0]);
        process::exit(0);
    });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback interface has a free port");
    listener.set_nonblocking(true).expect("a socket can be made non-blocking");
    println!("{}", listener.local_addr().expect("a bound socket has an address").port());
    io::stdout().flush().expect("the parent listens");
    listener
}

fn serve_axum(app: impl Future<Output = Router>, listener: TcpListener) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).expect("the listener is non-blocking");
        let app = app.await.into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(listener, app).await.expect("the server runs until it is ended");
    });
}

struct Server(TcpListener);

impl Visitor for Server {
    type Output = ();

    async fn visit<F, T, B>(self, make: F)
    where
        F: Fn() -> App<T> + Clone + Send + 'static,
        T: ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse<B>, Error = Error, InitError = ()>
            + 'static,
        B: MessageBody + 'static,
    {
        let server = HttpServer::new(make).workers(1).listen(self.0).expect("the listener is bound");
        server.run().await.expect("the server runs until it is ended");
    }
}
