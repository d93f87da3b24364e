use crate::Value::{Number, Octets};
use crate::{body, lines, payload};

#[test]
fn a_wrong_length_stood_in_the_place_of_an_address_between_brackets() {
    for (octets, line, brackets) in [
        (&[1, 2, 3, 4][..], "1.2.3.4", "1.2.3.4"),
        (&[1; 16], "101:101:101:101:101:101:101:101", "101:101:101:101:101:101:101:101"),
        (&[], "<INVALID IP len=0>", ""),
        (&[1; 3], "<INVALID IP len=3>", ""),
        (&[1; 17], "<INVALID IP len=17>", ""),
    ] {
        let ncap = body(&[
            (1, Number(2)),
            (2, Octets(b"abc")),
            (4, Octets(octets)),
            (5, Octets(&[5, 6, 7, 8])),
            (6, Number(1000)),
            (7, Number(2000)),
        ]);
        let text = lines(&payload(1, 1, &ncap));
        assert!(text.contains(&format!("srcip: {line}\n")), "{text}");
        assert!(text.contains(&format!("\n[{brackets}].1000 [5.6.7.8].2000 udp [3]\n")), "{text}");
    }
}
