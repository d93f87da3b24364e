//! Who speaks DNS in a namespace: this test program once more, started there in a role.

use crate::namespace::Namespace;
use crate::packets::dns;
use crate::tool::uninterrupted;
use std::net::UdpSocket;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Names the role.
const ROLE: &str = "NMSGTOOL_TEST_ROLE";

/// Longest that anybody waits for a message.
const PATIENCE: Duration = Duration::from_secs(20);

fn in_role(namespace: &Namespace, role: &str) -> Command {
    let program = std::env::current_exe().expect("this program");
    let mut command = namespace.command(program);
    command.args(["--exact", "live::far_end::plays_a_role", "--ignored", "--quiet"]);
    command.env(ROLE, role).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

fn play(namespace: &Namespace, role: &str) {
    let status = in_role(namespace, role).status().expect("this program starts");
    assert!(status.success(), "{role}");
}

/// Has so many queries asked and answered on the loopback interface; ids count from 0.
pub(super) fn exchange(namespace: &Namespace, count: u16) {
    play(namespace, &format!("exchange 127.0.0.1 {count}"));
}

/// Waits until a server answers.
pub(super) fn reach(namespace: &Namespace, server: &str) {
    play(namespace, &format!("reach {server} 1"));
}

/// Has so many queries asked, each when the one before is answered.
pub(super) fn ask(namespace: &Namespace, server: &str, count: u16) {
    play(namespace, &format!("ask {server} {count}"));
}

/// Has so many queries sent to an address where nobody answers.
pub(super) fn ask_silent(namespace: &Namespace, server: &str, count: u16) {
    play(namespace, &format!("send {server} {count}"));
}

/// Has so many queries sent on the loopback interface, where nobody answers.
pub(super) fn ask_nobody(namespace: &Namespace, count: u16) {
    ask_silent(namespace, "127.0.0.1", count);
}

/// A server that answers until it is dropped.
pub(super) struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(super) fn serve(namespace: &Namespace, address: &str) -> Server {
    let server = in_role(namespace, &format!("serve {address} 0")).spawn();
    Server(server.expect("this program starts"))
}

fn socket(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind(address).expect("an address");
    socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    socket
}

fn query(id: u16) -> Vec<u8> {
    dns(id, 0x0100, Some(("far.example.", 1)))
}

fn answer_one(server: &UdpSocket) -> bool {
    let mut message = [0; 512];
    let Ok((len, client)) = uninterrupted(|| server.recv_from(&mut message)) else { return false };
    message[2] |= 0x80;
    server.send_to(&message[..len], client).is_ok()
}

#[test]
#[ignore = "other tests start it in their namespaces"]
fn plays_a_role() {
    let role = std::env::var(ROLE).expect("a role");
    let words: Vec<&str> = role.split(' ').collect();
    let [role, address, count] = *words else { panic!("{role}") };
    let count: u16 = count.parse().expect("a number");
    match role {
        "serve" => {
            let server = socket(&format!("{address}:53"));
            while answer_one(&server) {}
        }
        "exchange" => {
            let (server, client) = (socket(&format!("{address}:53")), socket("0.0.0.0:0"));
            for id in 0..count {
                client.send_to(&query(id), (address, 53)).expect("sent");
                assert!(answer_one(&server));
                uninterrupted(|| client.recv(&mut [0; 512])).expect("an answer");
            }
        }
        "reach" => {
            let client = socket("0.0.0.0:0");
            client.set_read_timeout(Some(Duration::from_millis(200))).expect("a timeout");
            let reached = (0..100).any(|_| {
                client.send_to(&query(0), (address, 53)).expect("sent");
                uninterrupted(|| client.recv(&mut [0; 512])).is_ok()
            });
            assert!(reached, "nobody answers at {address}");
        }
        "ask" => {
            let client = socket("0.0.0.0:0");
            for id in 0..count {
                client.send_to(&query(id), (address, 53)).expect("sent");
                uninterrupted(|| client.recv(&mut [0; 512])).expect("an answer");
            }
        }
        "send" => {
            let client = socket("0.0.0.0:0");
            for id in 0..count {
                client.send_to(&query(id), (address, 53)).expect("sent");
            }
        }
        _ => panic!("{role}"),
    }
}
