//! Body of a fuzz target: an ordinary function that panics when a promise is broken, whatever the
//! octets.

use crate::connection::{Connection, Event};
use crate::error::PeerFault;
use crate::socket_type::SocketType;

/// Largest part that is accepted, in octets.
const LIMIT: usize = 1 << 20;

/// An event with the octets that it is about.
type Happening = (Event, Vec<u8>);

/// Reads what a peer sends. The first octet chooses the type of our socket, the second how many
/// octets arrive at once.
///
/// # Panics
///
/// When it matters in which pieces octets arrive, or when more waits to be sent than may.
pub fn check_connection(octets: &[u8]) {
    let Some((&[choice, step], sent)) = octets.split_first_chunk::<2>() else { return };
    let kinds = [SocketType::Sub, SocketType::Pub, SocketType::Pull, SocketType::Push];
    let kind = kinds[usize::from(choice) % kinds.len()];
    let whole = read(kind, std::iter::once(sent));
    let pieces = read(kind, sent.chunks(usize::from(step).max(1)));
    assert!(whole == pieces, "octets in pieces of {step} give something else");
}

fn read<'a>(
    kind: SocketType,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> (Vec<Happening>, Option<PeerFault>, Vec<u8>) {
    let mut connection = Connection::new(kind, LIMIT);
    let mut happened = Vec::new();
    for piece in pieces {
        connection.push(piece);
        loop {
            let event = match connection.advance() {
                Ok(Some(event)) => event,
                Ok(None) => break,
                Err(fault) => return (happened, Some(fault), connection.control),
            };
            assert!(connection.control.len() <= LIMIT, "answers are bounded");
            happened.push(match event {
                Event::Ready => (Event::Ready, Vec::new()),
                Event::Part { body, first, more } => {
                    (Event::Part { body: 0..0, first, more }, connection.octets(body).to_vec())
                }
                Event::Subscribe(prefix) => {
                    (Event::Subscribe(0..0), connection.octets(prefix).to_vec())
                }
                Event::Cancel(prefix) => (Event::Cancel(0..0), connection.octets(prefix).to_vec()),
            });
        }
    }
    (happened, None, connection.control)
}
