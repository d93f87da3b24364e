//! Converts a file of plain containers to JSON lines or presentation form on standard output, in
//! the fewest lines over this crate alone: `nmsg_to_text json|presentation FILE`.

use std::io::{self, Read, Write};

use nmsg::container::{ContainerBody, Header};
use nmsg::{Aliases, JsonWriter, Labels, PresentationWriter, Registry};
use wdns::TextBuffer;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, form, path] = &arguments[..] else {
        return Err(io::Error::other("usage: nmsg_to_text json|presentation FILE"));
    };
    let (registry, aliases) = (Registry::builtin(), Aliases::default());
    let mut json = JsonWriter::new(&registry, &aliases, Labels::default());
    let mut presentation = PresentationWriter::new(&registry, &aliases, Labels::default(), b"\n");
    let mut file = std::fs::File::open(path)?;
    let (mut octets, mut body, mut out) = (Vec::new(), ContainerBody::new(), TextBuffer::new());
    loop {
        let mut header = [0; Header::LEN];
        match file.read_exact(&mut header) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            read => read?,
        }
        let Some(header) = Header::parse(&header).map_err(io::Error::other)? else {
            return Err(io::Error::other("not a container"));
        };
        octets.resize(header.body_len as usize, 0);
        file.read_exact(&mut octets)?;
        body.decode(&octets).map_err(io::Error::other)?;
        for stored in body.payloads(&octets).filter(|stored| stored.crc_matches()) {
            // A payload that cannot be shown is not this example's business.
            let _ = match form.as_str() {
                "json" => json.write(&mut out, &stored.payload),
                _ => presentation.write(&mut out, &stored.payload),
            };
            if out.len() > 1 << 18 {
                io::stdout().write_all(out.as_bytes())?;
                out.clear();
            }
        }
        io::stdout().write_all(out.as_bytes())?;
        out.clear();
    }
}
