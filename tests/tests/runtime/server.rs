//! A server that answers as the test says, on loopback.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What becomes of a request for a path.
#[derive(Clone)]
pub enum Answer {
    /// The whole text of the answer.
    Text(Vec<u8>),
    /// Headers, then a byte now and then, for ever.
    Endless,
    /// An answer after a while.
    Late(Duration),
}

/// Text of an answer with a body.
pub fn answer(status: &str, headers: &str, body: &[u8]) -> Answer {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n", body.len());
    Answer::Text([head.as_bytes(), body].concat())
}

/// A running server; counts what arrives.
pub struct Server {
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    most: Arc<AtomicUsize>,
}

impl Server {
    /// Answers every request on a connection of its own; `reply` sees the request's first line and headers.
    pub async fn start(reply: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (seen, peak, reply) = (requests.clone(), most.clone(), Arc::new(reply));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (seen, now, peak, reply) = (seen.clone(), now.clone(), peak.clone(), reply.clone());
                tokio::spawn(async move {
                    peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    serve(socket, &seen, &*reply).await;
                    now.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, requests, most }
    }

    /// What arrived.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// Most connections at a time.
    pub fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

async fn serve(mut socket: TcpStream, seen: &Mutex<Vec<String>>, reply: &(dyn Fn(&str) -> Answer + Send + Sync)) {
    let mut text = Vec::new();
    let mut piece = [0; 4096];
    while !text.windows(4).any(|end| end == b"\r\n\r\n") {
        match socket.read(&mut piece).await {
            Ok(n) if n > 0 => text.extend_from_slice(&piece[..n]),
            _ => return,
        }
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    seen.lock().unwrap().push(text.clone());
    match reply(&text) {
        Answer::Text(bytes) => drop(socket.write_all(&bytes).await),
        Answer::Late(wait) => {
            tokio::time::sleep(wait).await;
            if let Answer::Text(bytes) = answer("200 OK", "", b"late") {
                drop(socket.write_all(&bytes).await);
            }
        }
        Answer::Endless => {
            drop(socket.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await);
            while socket.write_all(b"1\r\nx\r\n").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(socket.shutdown().await);
}
