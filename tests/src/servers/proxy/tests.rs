//! Against a real server, with a real client where it matters.

use super::FaultProxy;
use crate::servers::redis::RedisServer;
use std::io::ErrorKind;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

async fn proxy() -> FaultProxy {
    FaultProxy::start(RedisServer::shared().address()).await
}

async fn send(stream: &mut TcpStream) {
    stream.write_all(b"PING\r\n").await.unwrap();
}

async fn answer(stream: &mut TcpStream) {
    let mut reply = [0; 7];
    timeout(Duration::from_secs(10), stream.read_exact(&mut reply)).await.unwrap().unwrap();
    assert_eq!(&reply, b"+PONG\r\n");
}

#[tokio::test]
async fn forwards_and_counts() {
    let proxy = proxy().await;
    assert_eq!(proxy.connections(), 0);
    for count in 1..=2 {
        let client = redis::Client::open(RedisServer::shared().url_through(&proxy)).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        assert_eq!(redis::cmd("PING").query_async::<String>(&mut connection).await.unwrap(), "PONG");
        assert_eq!(proxy.connections(), count);
    }
}

#[tokio::test]
async fn a_delay_is_felt_in_both_directions() {
    let proxy = proxy().await;
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    for milliseconds in [100, 0] {
        proxy.delay(Duration::from_millis(milliseconds));
        let began = std::time::Instant::now();
        send(&mut stream).await;
        answer(&mut stream).await;
        assert!(began.elapsed() >= Duration::from_millis(2 * milliseconds));
    }
}

#[tokio::test]
async fn cut_closes_what_is_open() {
    let proxy = proxy().await;
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    send(&mut stream).await;
    answer(&mut stream).await;

    proxy.cut().await;
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or(0), 0);

    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    send(&mut stream).await;
    answer(&mut stream).await;
}

#[tokio::test]
async fn another_server_gets_what_is_new() {
    let (one, other) = (RedisServer::shared(), RedisServer::start());
    let proxy = FaultProxy::start(one.address()).await;
    let client = redis::Client::open(one.url_through(&proxy)).unwrap();
    let mut open = client.get_multiplexed_async_connection().await.unwrap();
    proxy.lead_to(other.address());
    let mut new = client.get_multiplexed_async_connection().await.unwrap();
    for (connection, server) in [(&mut open, one), (&mut new, &other)] {
        let info: String = redis::cmd("INFO").arg("server").query_async(connection).await.unwrap();
        assert!(info.contains(&format!("tcp_port:{}\r", server.port())), "{info}");
    }
}

#[tokio::test]
async fn refuse_spares_what_is_open() {
    let proxy = proxy().await;
    let mut open = TcpStream::connect(proxy.address()).await.unwrap();
    send(&mut open).await;
    answer(&mut open).await;

    for _ in 0..3 {
        proxy.refuse(true).await;
        proxy.refuse(true).await;
        let error = TcpStream::connect(proxy.address()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        send(&mut open).await;
        answer(&mut open).await;

        proxy.refuse(false).await;
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        send(&mut stream).await;
        answer(&mut stream).await;
    }
}

#[tokio::test]
async fn blackhole_holds_back() {
    let proxy = proxy().await;
    let mut open = TcpStream::connect(proxy.address()).await.unwrap();
    send(&mut open).await;
    answer(&mut open).await;

    proxy.blackhole(true);
    let mut new = TcpStream::connect(proxy.address()).await.unwrap();
    for stream in [&mut open, &mut new] {
        send(stream).await;
        let silence = timeout(Duration::from_millis(100), stream.read(&mut [0; 1])).await;
        assert!(silence.is_err(), "{silence:?}");
    }

    proxy.blackhole(false);
    answer(&mut open).await;
    answer(&mut new).await;
}

#[tokio::test]
async fn ends_when_dropped() {
    let proxy = proxy().await;
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    send(&mut stream).await;
    answer(&mut stream).await;

    drop(proxy);
    let end = timeout(Duration::from_secs(10), stream.read(&mut [0; 1])).await.unwrap();
    assert_eq!(end.unwrap_or(0), 0);
}

#[tokio::test]
async fn a_dead_server_ends_the_connection() {
    let mut server = RedisServer::start();
    let proxy = FaultProxy::start(server.address()).await;
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    send(&mut stream).await;
    answer(&mut stream).await;

    server.kill();
    let end = timeout(Duration::from_secs(10), stream.read(&mut [0; 1])).await.unwrap();
    assert_eq!(end.unwrap_or(0), 0);

    server.restart();
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    send(&mut stream).await;
    answer(&mut stream).await;
}

#[tokio::test]
async fn a_stranded_connection_stays_open_and_silent_and_new_ones_work() {
    let proxy = proxy().await;
    let mut stranded = TcpStream::connect(proxy.address()).await.unwrap();
    send(&mut stranded).await;
    answer(&mut stranded).await;
    proxy.strand();
    send(&mut stranded).await;
    let mut new = TcpStream::connect(proxy.address()).await.unwrap();
    send(&mut new).await;
    answer(&mut new).await;
    // Whatever would have come has had its time.
    assert_eq!(stranded.try_read(&mut [0; 7]).unwrap_err().kind(), ErrorKind::WouldBlock);
}
