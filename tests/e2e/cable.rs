//! A network cable that a test can cut and mend: a loopback port in front of another, with what came back over it.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// How the request of a block begins. On a connection the next request begins when the last one was answered, so this is
/// how what was read begins.
const BLOCK: &[u8] = b"PUT /v1/journals/";

/// Cut when dropped.
pub struct Cable {
    /// Where to connect to instead.
    pub address: SocketAddr,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    is_cut: bool,
    loses_blocks: bool,
    open: Vec<TcpStream>,
    /// Everything the far end sent.
    heard: Vec<u8>,
}

impl Cable {
    /// A cable to `far`.
    pub fn to(far: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let inner = Arc::new(Mutex::new(Inner {
            is_cut: false,
            loses_blocks: false,
            open: Vec::new(),
            heard: Vec::new(),
        }));
        let weak = Arc::downgrade(&inner);
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Some(inner) = weak.upgrade() else { return };
                let mut wire = inner.lock().unwrap();
                let far = match wire.is_cut {
                    true => None,
                    false => TcpStream::connect(far).ok(),
                };
                let Some(far) = far else {
                    let _ = near.shutdown(Shutdown::Both);
                    continue;
                };
                wire.open.push(near.try_clone().unwrap());
                wire.open.push(far.try_clone().unwrap());
                let (up, down) = (near.try_clone().unwrap(), far.try_clone().unwrap());
                drop(wire);
                // Whether the answer that comes next on this connection is lost.
                let is_lost = Arc::new(AtomicBool::new(false));
                let (asked, loses) = (weak.clone(), is_lost.clone());
                std::thread::spawn(move || {
                    pass(near, far, |bytes| {
                        if let Some(inner) = asked.upgrade()
                            && inner.lock().unwrap().loses_blocks
                            && bytes.starts_with(BLOCK)
                        {
                            loses.store(true, Ordering::SeqCst);
                        }
                        true
                    });
                });
                let weak = weak.clone();
                std::thread::spawn(move || {
                    pass(down, up, |bytes| {
                        weak.upgrade().is_some_and(|inner| {
                            let mut wire = inner.lock().unwrap();
                            wire.heard.extend(bytes);
                            !(wire.loses_blocks && is_lost.load(Ordering::SeqCst))
                        })
                    });
                });
            }
        });
        Self { address, inner }
    }

    /// Its address as `http://…`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What is under way is lost, and nothing connects until [`Self::mend`].
    pub fn cut(&self) {
        let mut inner = self.inner.lock().unwrap();
        inner.is_cut = true;
        for stream in inner.open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Blocks that are sent from now on arrive and their answers are lost, until [`Self::mend`]; everything else passes.
    pub fn lose_answers_to_blocks(&self) {
        self.inner.lock().unwrap().loses_blocks = true;
    }

    pub fn mend(&self) {
        let mut inner = self.inner.lock().unwrap();
        inner.is_cut = false;
        inner.loses_blocks = false;
    }

    /// Everything the far end has sent so far.
    pub fn heard(&self) -> Vec<u8> {
        self.inner.lock().unwrap().heard.clone()
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.cut();
    }
}

/// Carries what `hear` lets pass one way until either end is gone.
fn pass(mut from: TcpStream, mut to: TcpStream, hear: impl Fn(&[u8]) -> bool) {
    let mut buffer = [0; 8192];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if hear(&buffer[..read]) && to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
