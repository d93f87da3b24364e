use super::*;

/// No input may cost more than so many times what ordinary ones do, octet for octet.
const MOST: f64 = 50.0;

#[test]
fn the_worst_inputs_found_cost_not_much_more_than_ordinary_ones() {
    let mut compared = 0;
    for parser in PARSERS {
        let mut run = (parser.make)();
        let samples = (parser.samples)();
        assert!(!samples.is_empty(), "{}: no samples", parser.name);
        let ordinary = ordinary(parser, &mut run, &samples);
        assert!(ordinary > 0.0, "{}: samples cost nothing", parser.name);
        for size in KEPT_SIZES {
            let Ok(input) = fs::read(kept(parser, size)) else {
                panic!("{}: nothing is kept for {size}", parser.name)
            };
            let cost = Cost::measure(parser, &mut run, &input, 3 * TRIES).per_octet;
            let ratio = cost / ordinary;
            assert!(ratio <= MOST, "{} {size}: {ratio:.1} times {ordinary:.2} ns", parser.name);
            compared += 1;
        }
    }
    let files = fs::read_dir(root().join("xtask/adversary")).unwrap().count();
    assert_eq!(compared, files, "inputs that no parser is asked about");
}

#[test]
fn a_cost_that_grows_with_the_square_is_found() {
    fn quadratic() -> Run {
        Box::new(|input| {
            let marks = input.iter().filter(|octet| **octet == b'!');
            for mark in marks {
                black_box(input.iter().rev().filter(|octet| *octet == mark).count());
            }
            0
        })
    }
    let parser = Parser {
        name: "quadratic",
        make: quadratic,
        samples: Vec::new,
        least: 64,
        words: &[b"!", b"text"],
    };
    let samples = [b"an ordinary text of some length, without a mark".repeat(8)];
    let ordinary = ordinary(&parser, &mut quadratic(), &samples);
    let (_, pool) = search(&parser, &samples, 2048, Duration::from_millis(500));
    let (worst, input) = &pool.0[0];
    assert!(*worst > MOST * ordinary, "{worst} of {ordinary}");
    assert!(input.iter().filter(|octet| **octet == b'!').count() > 100);
}
