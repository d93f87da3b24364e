//! The virtual machine (McCanne and Jacobson 1993; opcodes as in `pcap/bpf.h`).

use std::fmt;

/// Words of scratch memory.
const MEMORY_WORDS: usize = 16;

/// Longest program that is accepted, in instructions; as for the kernel.
const MAX_INSTRUCTIONS: usize = 4096;

/// Jumps backwards before a program is stopped. One for each IPv6 extension header is needed.
const MAX_BACKWARD_JUMPS: u32 = 10_000;

const CLASS: u16 = 0x07;
const LOAD: u16 = 0x00;
const LOAD_X: u16 = 0x01;
const STORE: u16 = 0x02;
const STORE_X: u16 = 0x03;
const ARITHMETIC: u16 = 0x04;
const JUMP: u16 = 0x05;
const RETURN: u16 = 0x06;
const MISC: u16 = 0x07;

const SOURCE_X: u16 = 0x08;

/// One instruction as libpcap lays it out.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Instruction {
    /// Operation.
    pub code: u16,
    /// Instructions to skip when a comparison holds.
    pub jump_true: u8,
    /// Instructions to skip when it does not.
    pub jump_false: u8,
    /// Constant, offset or memory index.
    pub k: u32,
}

/// Why instructions are not a program.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Invalid {
    /// Index of the first instruction that is wrong.
    pub at: usize,
    /// What is wrong with it.
    pub what: &'static str,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "filter program: {} (instruction {})", self.what, self.at)
    }
}

impl std::error::Error for Invalid {}

/// A program that was checked: it ends, and touches nothing it may not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Program(Vec<Instruction>);

/// Operations, decoded once per instruction by the match in [`Program::run`].
mod op {
    pub(super) const LOAD_WORD: u16 = 0x20;
    pub(super) const LOAD_HALF: u16 = 0x28;
    pub(super) const LOAD_OCTET: u16 = 0x30;
    pub(super) const LOAD_WORD_AT_X: u16 = 0x40;
    pub(super) const LOAD_HALF_AT_X: u16 = 0x48;
    pub(super) const LOAD_OCTET_AT_X: u16 = 0x50;
    pub(super) const LOAD_LENGTH: u16 = 0x80;
    pub(super) const LOAD_CONSTANT: u16 = 0x00;
    pub(super) const LOAD_MEMORY: u16 = 0x60;
    pub(super) const LOAD_X_CONSTANT: u16 = 0x01;
    pub(super) const LOAD_X_MEMORY: u16 = 0x61;
    pub(super) const LOAD_X_LENGTH: u16 = 0x81;
    pub(super) const LOAD_X_HEADER_LEN: u16 = 0xb1;
    pub(super) const STORE: u16 = 0x02;
    pub(super) const STORE_X: u16 = 0x03;
    pub(super) const ADD: u16 = 0x00;
    pub(super) const SUBTRACT: u16 = 0x10;
    pub(super) const MULTIPLY: u16 = 0x20;
    pub(super) const DIVIDE: u16 = 0x30;
    pub(super) const OR: u16 = 0x40;
    pub(super) const AND: u16 = 0x50;
    pub(super) const SHIFT_LEFT: u16 = 0x60;
    pub(super) const SHIFT_RIGHT: u16 = 0x70;
    pub(super) const NEGATE: u16 = 0x80;
    pub(super) const MODULO: u16 = 0x90;
    pub(super) const XOR: u16 = 0xa0;
    pub(super) const JUMP_ALWAYS: u16 = 0x05;
    pub(super) const JUMP_EQUAL: u16 = 0x10;
    pub(super) const JUMP_GREATER: u16 = 0x20;
    pub(super) const JUMP_AT_LEAST: u16 = 0x30;
    pub(super) const JUMP_BITS: u16 = 0x40;
    pub(super) const RETURN_CONSTANT: u16 = 0x06;
    pub(super) const RETURN_A: u16 = 0x16;
    pub(super) const A_TO_X: u16 = 0x07;
    pub(super) const X_TO_A: u16 = 0x87;
}

/// Upper bits of an arithmetic or jump instruction: which operation.
const fn operation(code: u16) -> u16 {
    code & 0xf0
}

impl Program {
    /// Checks instructions: known operations, jumps and memory in range, a return at the end.
    ///
    /// # Errors
    ///
    /// Names the first instruction that is wrong.
    pub fn new(instructions: Vec<Instruction>) -> Result<Self, Invalid> {
        let len = instructions.len();
        let invalid = |at, what| Err(Invalid { at, what });
        if len > MAX_INSTRUCTIONS {
            return invalid(MAX_INSTRUCTIONS, "too long");
        }
        for (at, instruction) in instructions.iter().enumerate() {
            if let Some(what) = complaint(*instruction, at, len) {
                return invalid(at, what);
            }
        }
        match instructions.last() {
            Some(last) if last.code & CLASS == RETURN => Ok(Self(instructions)),
            _ => invalid(len.saturating_sub(1), "no return at the end"),
        }
    }

    /// Returns the instructions.
    #[must_use]
    pub fn instructions(&self) -> &[Instruction] {
        &self.0
    }

    /// Returns true when the program wants a packet that was captured whole.
    #[must_use]
    pub fn matches(&self, packet: &[u8]) -> bool {
        self.run(packet, packet.len() as u32) != 0
    }

    /// Runs the program: how many octets of the packet it wants, zero for none.
    ///
    /// `wire_len` is the original length of the packet, in octets. A load beyond the packet, a
    /// division by zero and an endless loop end the program with zero.
    #[must_use]
    pub fn run(&self, packet: &[u8], wire_len: u32) -> u32 {
        let mut a = 0_u32;
        let mut x = 0_u32;
        let mut memory = [0_u32; MEMORY_WORDS];
        let mut at = 0_usize;
        let mut backward_jumps = 0;
        while let Some(&Instruction { code, jump_true, jump_false, k }) = self.0.get(at) {
            at += 1;
            let loaded = match code {
                op::LOAD_WORD => load::<4>(packet, 0, k),
                op::LOAD_HALF => load::<2>(packet, 0, k),
                op::LOAD_OCTET => load::<1>(packet, 0, k),
                op::LOAD_WORD_AT_X => load::<4>(packet, x, k),
                op::LOAD_HALF_AT_X => load::<2>(packet, x, k),
                op::LOAD_OCTET_AT_X => load::<1>(packet, x, k),
                op::LOAD_LENGTH => Some(wire_len),
                op::LOAD_CONSTANT => Some(k),
                op::LOAD_MEMORY => memory.get(k as usize).copied(),
                _ => {
                    match code & CLASS {
                        LOAD_X => {
                            x = match code {
                                op::LOAD_X_CONSTANT => k,
                                op::LOAD_X_LENGTH => wire_len,
                                op::LOAD_X_MEMORY => memory.get(k as usize).copied().unwrap_or(0),
                                _ => match load::<1>(packet, 0, k) {
                                    Some(octet) => (octet & 0xf) << 2,
                                    None => return 0,
                                },
                            }
                        }
                        STORE | STORE_X => {
                            if let Some(word) = memory.get_mut(k as usize) {
                                *word = if code & CLASS == STORE { a } else { x };
                            }
                        }
                        ARITHMETIC => {
                            let operand = if code & SOURCE_X != 0 { x } else { k };
                            match arithmetic(operation(code), a, operand) {
                                Some(result) => a = result,
                                None => return 0,
                            }
                        }
                        JUMP if code == op::JUMP_ALWAYS => {
                            at = at.saturating_add_signed(k as i32 as isize);
                            if (k as i32) < 0 {
                                backward_jumps += 1;
                                if backward_jumps > MAX_BACKWARD_JUMPS {
                                    return 0;
                                }
                            }
                        }
                        JUMP => {
                            let operand = if code & SOURCE_X != 0 { x } else { k };
                            let holds = match operation(code) {
                                op::JUMP_EQUAL => a == operand,
                                op::JUMP_GREATER => a > operand,
                                op::JUMP_AT_LEAST => a >= operand,
                                _ => a & operand != 0,
                            };
                            at += usize::from(if holds { jump_true } else { jump_false });
                        }
                        RETURN => return if code == op::RETURN_A { a } else { k },
                        _ if code == op::A_TO_X => x = a,
                        _ => a = x,
                    }
                    continue;
                }
            };
            match loaded {
                Some(value) => a = value,
                None => return 0,
            }
        }
        0
    }
}

/// Big-endian number of `N` octets at `base + k`; `None` beyond the packet.
#[inline(always)]
fn load<const N: usize>(packet: &[u8], base: u32, k: u32) -> Option<u32> {
    let at = (base as usize).checked_add(k as usize)?;
    let octets: &[u8; N] = packet.get(at..)?.first_chunk()?;
    Some(octets.iter().fold(0, |value, octet| value << 8 | u32::from(*octet)))
}

fn arithmetic(operation: u16, a: u32, operand: u32) -> Option<u32> {
    Some(match operation {
        op::ADD => a.wrapping_add(operand),
        op::SUBTRACT => a.wrapping_sub(operand),
        op::MULTIPLY => a.wrapping_mul(operand),
        op::DIVIDE => a.checked_div(operand)?,
        op::MODULO => a.checked_rem(operand)?,
        op::OR => a | operand,
        op::AND => a & operand,
        op::XOR => a ^ operand,
        op::SHIFT_LEFT => a.checked_shl(operand).unwrap_or(0),
        op::SHIFT_RIGHT => a.checked_shr(operand).unwrap_or(0),
        _ => a.wrapping_neg(),
    })
}

/// Says what is wrong with the instruction at place `at` of `len`.
fn complaint(instruction: Instruction, at: usize, len: usize) -> Option<&'static str> {
    let Instruction { code, jump_true, jump_false, k } = instruction;
    let in_range =
        |distance: isize| (at + 1).checked_add_signed(distance).is_some_and(|target| target < len);
    let memory = || (k as usize >= MEMORY_WORDS).then_some("memory index out of range");
    let unknown = Some("unknown operation");
    match code & CLASS {
        LOAD => match code {
            op::LOAD_WORD
            | op::LOAD_HALF
            | op::LOAD_OCTET
            | op::LOAD_WORD_AT_X
            | op::LOAD_HALF_AT_X
            | op::LOAD_OCTET_AT_X
            | op::LOAD_LENGTH
            | op::LOAD_CONSTANT => None,
            op::LOAD_MEMORY => memory(),
            _ => unknown,
        },
        LOAD_X => match code {
            op::LOAD_X_CONSTANT | op::LOAD_X_LENGTH | op::LOAD_X_HEADER_LEN => None,
            op::LOAD_X_MEMORY => memory(),
            _ => unknown,
        },
        STORE | STORE_X => match code {
            op::STORE | op::STORE_X => memory(),
            _ => unknown,
        },
        ARITHMETIC => match (operation(code), code >> 8) {
            (op::DIVIDE | op::MODULO, 0) if code & SOURCE_X == 0 && k == 0 => {
                Some("division by zero")
            }
            (op::SHIFT_LEFT | op::SHIFT_RIGHT, 0) if code & SOURCE_X == 0 && k >= 32 => {
                Some("shift out of range")
            }
            (op::NEGATE, 0) if code & SOURCE_X == 0 => None,
            (op::NEGATE, _) => unknown,
            (operation, 0) if operation <= op::XOR => None,
            _ => unknown,
        },
        JUMP => match (operation(code), code >> 8) {
            _ if code == op::JUMP_ALWAYS => {
                (!in_range(k as i32 as isize)).then_some("jump out of range")
            }
            (op::JUMP_EQUAL | op::JUMP_GREATER | op::JUMP_AT_LEAST | op::JUMP_BITS, 0) => {
                let both = in_range(jump_true.into()) && in_range(jump_false.into());
                (!both).then_some("jump out of range")
            }
            _ => unknown,
        },
        RETURN => match code {
            op::RETURN_CONSTANT | op::RETURN_A => None,
            _ => unknown,
        },
        _ => match code {
            op::A_TO_X | op::X_TO_A => None,
            _ => unknown,
        },
    }
}

const _: () = assert!(MISC == CLASS, "the last arm of each match is the miscellaneous class");

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn instruction(code: u16, k: u32) -> Instruction {
        Instruction { code, jump_true: 0, jump_false: 0, k }
    }

    fn jump(code: u16, k: u32, jump_true: u8, jump_false: u8) -> Instruction {
        Instruction { code, jump_true, jump_false, k }
    }

    const PACKET: [u8; 8] = [0x45, 1, 2, 3, 4, 5, 6, 7];

    /// Runs instructions and then returns A.
    fn a_after(instructions: &[Instruction]) -> u32 {
        let mut all = instructions.to_vec();
        all.push(instruction(op::RETURN_A, 0));
        Program::new(all).unwrap().run(&PACKET, 100)
    }

    #[test]
    fn loads_and_stores() {
        let x = |k| instruction(op::LOAD_X_CONSTANT, k);
        let to_a = instruction(op::X_TO_A, 0);
        for (name, program, want) in [
            ("word", vec![instruction(op::LOAD_WORD, 1)], 0x0102_0304),
            ("half", vec![instruction(op::LOAD_HALF, 6)], 0x0607),
            ("octet", vec![instruction(op::LOAD_OCTET, 7)], 7),
            ("word at x", vec![x(3), instruction(op::LOAD_WORD_AT_X, 1)], 0x0405_0607),
            ("half at x", vec![x(1), instruction(op::LOAD_HALF_AT_X, 1)], 0x0203),
            ("octet at x", vec![x(1), instruction(op::LOAD_OCTET_AT_X, 1)], 2),
            ("length on the wire", vec![instruction(op::LOAD_LENGTH, 0)], 100),
            ("constant", vec![instruction(op::LOAD_CONSTANT, 9)], 9),
            ("header length", vec![instruction(op::LOAD_X_HEADER_LEN, 0), to_a], 20),
            ("length into x", vec![instruction(op::LOAD_X_LENGTH, 0), to_a], 100),
            (
                "memory",
                vec![
                    instruction(op::LOAD_CONSTANT, 9),
                    instruction(op::STORE, 15),
                    instruction(op::LOAD_CONSTANT, 0),
                    instruction(op::LOAD_MEMORY, 15),
                ],
                9,
            ),
            (
                "x through memory",
                vec![
                    x(5),
                    instruction(op::STORE_X, 0),
                    x(0),
                    instruction(op::LOAD_X_MEMORY, 0),
                    to_a,
                ],
                5,
            ),
            (
                "a to x",
                vec![
                    instruction(op::LOAD_CONSTANT, 6),
                    instruction(op::A_TO_X, 0),
                    instruction(op::LOAD_CONSTANT, 0),
                    to_a,
                ],
                6,
            ),
            ("beyond the end", vec![instruction(op::LOAD_WORD, 5)], 0),
            ("far beyond the end", vec![instruction(op::LOAD_OCTET, u32::MAX)], 0),
            ("sum beyond 32 bits", vec![x(u32::MAX), instruction(op::LOAD_OCTET_AT_X, 1)], 0),
            ("header length beyond", vec![instruction(op::LOAD_X_HEADER_LEN, 8)], 0),
        ] {
            assert_eq!(a_after(&program), want, "{name}");
        }
    }

    #[test]
    fn arithmetic_wraps_and_never_traps() {
        for (name, operation, a, operand, want) in [
            ("add", op::ADD, u32::MAX, 2, 1),
            ("subtract", op::SUBTRACT, 1, 2, u32::MAX),
            ("multiply", op::MULTIPLY, 0x8000_0001, 2, 2),
            ("divide", op::DIVIDE, 7, 2, 3),
            ("modulo", op::MODULO, 7, 4, 3),
            ("or", op::OR, 5, 2, 7),
            ("and", op::AND, 7, 2, 2),
            ("xor", op::XOR, 7, 2, 5),
            ("shift left", op::SHIFT_LEFT, 3, 31, 0x8000_0000),
            ("shift left by 32", op::SHIFT_LEFT, 3, 32, 0),
            ("shift right", op::SHIFT_RIGHT, 8, 2, 2),
            ("shift right by 99", op::SHIFT_RIGHT, 8, 99, 0),
        ] {
            if operand < 32 || !name.starts_with("shift") {
                let constant = instruction(ARITHMETIC | operation, operand);
                let program = [instruction(op::LOAD_CONSTANT, a), constant];
                assert_eq!(a_after(&program), want, "{name}");
            }
            let by_x = [
                instruction(op::LOAD_CONSTANT, a),
                instruction(op::LOAD_X_CONSTANT, operand),
                instruction(ARITHMETIC | SOURCE_X | operation, 0),
            ];
            assert_eq!(a_after(&by_x), want, "{name} by x");
        }
        let negated = [instruction(op::LOAD_CONSTANT, 1), instruction(ARITHMETIC | op::NEGATE, 0)];
        assert_eq!(a_after(&negated), u32::MAX);
        for operation in [op::DIVIDE, op::MODULO] {
            let by_zero = vec![
                instruction(ARITHMETIC | SOURCE_X | operation, 0),
                instruction(op::RETURN_CONSTANT, 1),
            ];
            assert_eq!(Program::new(by_zero).unwrap().run(&PACKET, 8), 0);
        }
    }

    #[test]
    fn jumps() {
        for (name, operation, operand, want) in [
            ("equal", op::JUMP_EQUAL, 5, 1),
            ("not equal", op::JUMP_EQUAL, 6, 2),
            ("greater", op::JUMP_GREATER, 4, 1),
            ("not greater", op::JUMP_GREATER, 5, 2),
            ("at least", op::JUMP_AT_LEAST, 5, 1),
            ("less", op::JUMP_AT_LEAST, 6, 2),
            ("bits", op::JUMP_BITS, 4, 1),
            ("no bits", op::JUMP_BITS, 2, 2),
        ] {
            for source in [0, SOURCE_X] {
                let program = vec![
                    instruction(op::LOAD_CONSTANT, 5),
                    instruction(op::LOAD_X_CONSTANT, operand),
                    jump(JUMP | source | operation, operand, 1, 2),
                    instruction(op::RETURN_CONSTANT, 9),
                    instruction(op::RETURN_CONSTANT, 1),
                    instruction(op::RETURN_CONSTANT, 2),
                ];
                assert_eq!(Program::new(program).unwrap().run(&[], 0), want, "{name}");
            }
        }
        let forever =
            vec![instruction(op::JUMP_ALWAYS, -1_i32 as u32), instruction(op::RETURN_CONSTANT, 1)];
        assert_eq!(Program::new(forever).unwrap().run(&[], 0), 0);
        // Counts A up to 7 in a loop.
        let loops = vec![
            instruction(ARITHMETIC | op::ADD, 1),
            jump(JUMP | op::JUMP_EQUAL, 7, 1, 0),
            instruction(op::JUMP_ALWAYS, -3_i32 as u32),
            instruction(op::RETURN_A, 0),
        ];
        assert_eq!(Program::new(loops).unwrap().run(&[], 0), 7);
        let over = vec![
            instruction(op::JUMP_ALWAYS, 1),
            instruction(op::RETURN_CONSTANT, 9),
            instruction(op::RETURN_CONSTANT, 3),
        ];
        assert_eq!(Program::new(over).unwrap().run(&[], 0), 3);
        assert!(Program::new(vec![instruction(op::RETURN_CONSTANT, 1)]).unwrap().matches(&[]));
    }

    #[test]
    fn bad_programs_are_refused() {
        let ret = instruction(op::RETURN_CONSTANT, 0);
        for (name, program, at, what) in [
            ("empty", vec![], 0, "no return at the end"),
            ("no return", vec![instruction(op::A_TO_X, 0)], 0, "no return at the end"),
            ("too long", vec![ret; 4097], 4096, "too long"),
            ("load", vec![instruction(0xa0, 0), ret], 0, "unknown operation"),
            ("load x", vec![instruction(0x21, 0), ret], 0, "unknown operation"),
            ("store", vec![ret, instruction(0x12, 0), ret], 1, "unknown operation"),
            ("arithmetic", vec![instruction(0xb4, 0), ret], 0, "unknown operation"),
            ("arithmetic above", vec![instruction(0x104, 0), ret], 0, "unknown operation"),
            ("negate x", vec![instruction(0x8c, 0), ret], 0, "unknown operation"),
            ("jump", vec![instruction(0x55, 0), ret, ret], 0, "unknown operation"),
            ("return x", vec![instruction(0x0e, 0)], 0, "unknown operation"),
            ("misc", vec![instruction(0x17, 0), ret], 0, "unknown operation"),
            ("memory", vec![instruction(0x60, 16), ret], 0, "memory index out of range"),
            ("x memory", vec![instruction(0x61, 16), ret], 0, "memory index out of range"),
            ("store", vec![instruction(0x02, 16), ret], 0, "memory index out of range"),
            ("store x", vec![instruction(0x03, 99), ret], 0, "memory index out of range"),
            ("divide", vec![instruction(0x34, 0), ret], 0, "division by zero"),
            ("modulo", vec![instruction(0x94, 0), ret], 0, "division by zero"),
            ("shift left", vec![instruction(0x64, 32), ret], 0, "shift out of range"),
            ("shift right", vec![instruction(0x74, 99), ret], 0, "shift out of range"),
            ("jump far", vec![instruction(0x05, 1), ret], 0, "jump out of range"),
            ("jump very far", vec![instruction(0x05, 0x7fff_ffff), ret], 0, "jump out of range"),
            ("jump before the start", vec![instruction(0x05, -2_i32 as u32), ret], 0, {
                "jump out of range"
            }),
            ("jump true", vec![jump(0x15, 0, 1, 0), ret], 0, "jump out of range"),
            ("jump false", vec![jump(0x15, 0, 0, 1), ret], 0, "jump out of range"),
        ] {
            let error = Program::new(program).unwrap_err();
            assert_eq!(error, Invalid { at, what }, "{name}");
            assert!(error.to_string().contains(what), "{name}");
        }
    }
}
