//! The rows of the C tool's own tests that concern captures (`nmsgtool-cli` §12).

use crate::exchange::{CLIENT, SERVER, ids, query, response, savefile, values};
use crate::packets::{Checksum, Udp, dns, udp};
use crate::tool::{Scratch, command, end_of, feed, run, settle, start};
use std::net::UdpSocket;

/// Row 28: absent, right and wrong checksums, both IP versions, three kinds of exchange.
#[test]
fn row_28_udp_checksums_are_told_apart() {
    let addresses = [(CLIENT, SERVER), (("2001:db8::1", 4000), ("2001:db8::53", 53))];
    for (client, server) in addresses {
        let ask = udp(client, server, &dns(1, 0x0100, Some(("a.", 1)))).packet();
        let answer = |checksum| {
            let long = [&dns(1, 0x8180, Some(("a.", 1)))[..], &[0; 90]].concat();
            udp(server, client, &long).checksum(checksum)
        };
        for (checksum, want) in
            [(Checksum::Zero, "ABSENT"), (Checksum::Good, "CORRECT"), (Checksum::Bad, "INCORRECT")]
        {
            let whole = |udp: Udp| vec![udp.packet()];
            let exchanges = [
                ("matched", [vec![ask.clone()], whole(answer(checksum))].concat()),
                ("unsolicited", whole(answer(checksum))),
                ("fragmented", [vec![ask.clone()], answer(checksum).fragments(32)].concat()),
            ];
            for (name, packets) in exchanges {
                let ran =
                    feed(command(["-V", "base", "-T", "dnsqr", "-p", "-"]), &savefile(&packets));
                let lines: Vec<&str> =
                    ran.text().lines().filter(|line| line.starts_with("udp_checksum:")).collect();
                let want = format!("udp_checksum: {want}");
                assert_eq!(lines, [want], "{name} {client:?}");
            }
        }
    }
}

/// Row 30: a message that needs fragments of containers on its way.
#[test]
fn row_30_a_large_message_crosses_a_socket() {
    let scratch = Scratch::new();
    let large = [&dns(1, 0x8180, Some(("example.com.", 46)))[..], &[7; 1300]].concat();
    let packets = [query(1, "example.com.").packet(), udp(SERVER, CLIENT, &large).packet()];
    let capture = scratch.write("large.pcap", &savefile(&packets));
    let direct = run(["-c", "1", "-p", &capture, "-V", "base", "-T", "dnsqr"]);
    assert!(direct.text().contains("response: [1"), "{}", direct.text());
    let free = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let address = format!("127.0.0.1/{}", free.local_addr().expect("bound").port());
    drop(free);
    let reader = start(command(["-l", &address, "-c", "1", "-o", "-"]));
    settle(reader.id());
    let words =
        ["--unbuffered", "-m", "1", "-c", "1", "-p", &capture, "-T", "dnsqr", "-s", &address];
    assert_eq!(run(words).status, 0);
    let (received, _) = end_of(reader);
    assert_eq!(received.status, 0, "{}", received.stderr);
    assert_eq!(received.text(), direct.text());
}

/// Row 31: counts of messages by type and by names.
#[test]
fn row_31_messages_are_counted() {
    let names = ["a.example.", "b.example.", "c.example."];
    let exchange = |(at, name): (usize, &&str)| {
        [query(at as u16, name).packet(), response(at as u16, name).packet()]
    };
    let packets: Vec<Vec<u8>> = names.iter().enumerate().flat_map(exchange).collect();
    let count = |msgtype: &str, variables: &[(&str, &str)]| {
        let mut command = command(["-p", "-", "-T", msgtype, "-w", "-"]);
        command.envs(variables.iter().copied());
        let containers = feed(command, &savefile(&packets));
        assert_eq!(containers.status, 0, "{}", containers.stderr);
        let ran = feed(crate::tool::command(["-r", "-", "-J", "-"]), &containers.stdout);
        ran.text().to_owned()
    };
    let exclude = ("DNSQR_FILTER_QNAMES_EXCLUDE", "example");
    assert_eq!(count("dnsqr", &[exclude]), "");
    let include = ("DNSQR_FILTER_QNAMES_INCLUDE", "a.example:c.example");
    assert_eq!(ids(&count("dnsqr", &[exclude, include])), [0, 2]);
    assert_eq!(count("packet", &[]).lines().count(), 6);
    assert_eq!(count("ncap", &[]).lines().count(), 6);
    let zeroed = count("dnsqr", &[("DNSQR_ZERO_RESOLVER_ADDRESS", "1")]);
    assert_eq!(values(&zeroed, "resolver_address_zeroed"), [Some("true"); 3]);
    assert_eq!(values(&zeroed, "query_ip"), [Some("0.0.0.0"); 3]);
}
