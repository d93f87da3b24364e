//! DNS transactions, query after query and response after response, at an even rate.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use crate::packets::dns;

const CLIENTS: u16 = 64;
const SERVER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 8, 2, 53), 53);

/// How many queries a response is behind its own.
const LAG: u64 = 100;

/// Packets are sent in bursts, this often in a second.
const BURSTS: f64 = 2_000.0;

/// Said when the rate was not reached.
pub(super) const TOO_SLOW: &str = "the sender is too slow for this rate";

fn client(number: u16) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::new(10, 8, 1, 1), 20_000 + number)
}

/// Sends `exchanges`, or `queries` alone, so many packets in a second, and tells how many it were.
/// Every query has its response.
pub(crate) fn send(what: &str, rate: f64, seconds: f64) -> io::Result<()> {
    let with_responses = what == "exchanges";
    let server = UdpSocket::bind(SERVER)?;
    let clients = (0..CLIENTS).map(|number| {
        let socket = UdpSocket::bind(client(number))?;
        socket.connect(SERVER)?;
        Ok(socket)
    });
    let clients = clients.collect::<io::Result<Vec<_>>>()?;
    let mut query = dns(0, 0x0100, Some(("www.example.com", 1)));
    let mut response = dns(0, 0x8180, Some(("www.example.com", 1)));
    response.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, 1]);
    response[7] = 1;
    let ends = |number: u64| (number % u64::from(CLIENTS), (number / u64::from(CLIENTS)) as u16);
    let mut ask = |number: u64| {
        let (client, id) = ends(number);
        query[..2].copy_from_slice(&id.to_be_bytes());
        clients[client as usize].send(&query).map(drop)
    };
    let mut answer = |number: u64| {
        let (number, id) = ends(number);
        response[..2].copy_from_slice(&id.to_be_bytes());
        server.send_to(&response, client(number as u16)).map(drop)
    };
    let total = (rate * seconds / 2.0) as u64;
    let begin = Instant::now();
    let mut asked = 0;
    while asked < total {
        let due = (begin.elapsed().as_secs_f64() * rate / 2.0) as u64;
        for number in asked..due.min(total) {
            ask(number)?;
            if with_responses && number >= LAG {
                answer(number - LAG)?;
            }
        }
        asked = due.min(total);
        thread::sleep(Duration::from_secs_f64(1.0 / BURSTS));
    }
    if with_responses {
        (total.saturating_sub(LAG)..total).try_for_each(&mut answer)?;
    }
    let late = begin.elapsed().as_secs_f64() > seconds * 1.05 + 0.1;
    let sent = if with_responses { total * 2 } else { total };
    if late {
        return Err(io::Error::other(TOO_SLOW));
    }
    writeln!(io::stdout(), "{sent}")
}
