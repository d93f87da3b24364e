//! Bits that symbols would take in the best code, in whole numbers: every machine decides alike.

/// Parts of a bit that are counted.
pub(crate) const UNIT: u64 = 1 << FRACTION;

const FRACTION: u32 = 12;

/// Bits of a number that the logarithm looks at.
const STEPS: u32 = 9;

/// Logarithms to base 2 of the numbers from 1 to below 2, in units.
const LOGARITHMS: [u16; 1 << STEPS] = {
    let mut logarithms = [0; 1 << STEPS];
    let mut at = 0;
    while at < logarithms.len() {
        // The middle of what falls to this entry, with 31 bits behind the point.
        let mut number = (1 << 31) + ((2 * at as u64 + 1) << (31 - STEPS - 1));
        let (mut logarithm, mut bit) = (0, 0);
        while bit < FRACTION {
            number = (number * number) >> 31;
            logarithm <<= 1;
            if number >= 1 << 32 {
                logarithm |= 1;
                number >>= 1;
            }
            bit += 1;
        }
        logarithms[at] = logarithm;
        at += 1;
    }
    logarithms
};

fn logarithm(number: u32) -> u64 {
    let whole = number.ilog2();
    let fraction = (u64::from(number) << STEPS >> whole) as usize & (LOGARITHMS.len() - 1);
    (u64::from(whole) << FRACTION) + u64::from(LOGARITHMS[fraction])
}

/// What symbols of these frequencies take.
pub(crate) fn of(frequencies: &[u32]) -> u64 {
    let (mut all, mut known) = (0, 0);
    for &frequency in frequencies.iter().filter(|&&frequency| frequency > 0) {
        all += frequency;
        known += u64::from(frequency) * logarithm(frequency);
    }
    if all == 0 { 0 } else { (u64::from(all) * logarithm(all)).saturating_sub(known) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_of_even_and_uneven_symbols() {
        assert_eq!(of(&[]), 0);
        assert_eq!(of(&[0, 7, 0]), 0);
        assert_eq!(of(&[64; 256]), 64 * 256 * 8 * UNIT);
        let uneven = of(&[900, 100]) as f64 / UNIT as f64;
        assert!((uneven - 468.996).abs() < 1.0, "{uneven}");
    }
}
