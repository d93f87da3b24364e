use crate::endpoint::Endpoint;
use crate::transport::Stream;
use nmsg_os::Bell;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// Time from one attempt to connect to the next, as in libzmq.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// Makes connections on a thread of its own, since looking names up and connecting may take long.
#[derive(Debug)]
pub(crate) struct Dialer {
    orders: Sender<Pause>,
    arrivals: Receiver<Stream>,
}

/// How long to wait before the first attempt.
type Pause = Duration;

impl Dialer {
    /// Starts connecting; `bell` rings when that has worked.
    pub(crate) fn start(endpoint: Endpoint, bell: Arc<Bell>) -> io::Result<Self> {
        let (orders, received) = channel();
        let (made, arrivals) = channel();
        thread::Builder::new().name("zmtp-dial".to_owned()).spawn(move || {
            while let Ok(pause) = received.recv() {
                let Some(stream) = dial(&endpoint, pause, &received) else { return };
                if made.send(stream).is_err() {
                    return;
                }
                bell.ring();
            }
        })?;
        let dialer = Self { orders, arrivals };
        dialer.order(Duration::ZERO);
        Ok(dialer)
    }

    fn order(&self, pause: Pause) {
        // The thread lives as long as the dialer.
        let _ = self.orders.send(pause);
    }

    /// Has the connection made once more.
    pub(crate) fn redial(&self) {
        self.order(RETRY_INTERVAL);
    }

    /// A connection that was made.
    pub(crate) fn arrived(&self) -> Option<Stream> {
        self.arrivals.try_recv().ok()
    }
}

/// Connects, however often that takes; `None` when nobody wants the connection any more.
fn dial(endpoint: &Endpoint, pause: Pause, orders: &Receiver<Pause>) -> Option<Stream> {
    let mut pause = pause;
    loop {
        if matches!(orders.recv_timeout(pause), Err(RecvTimeoutError::Disconnected)) {
            return None;
        }
        match Stream::connect(endpoint) {
            Ok(stream) => return Some(stream),
            Err(_) => pause = RETRY_INTERVAL,
        }
    }
}
