//! From the list of system calls to one small program for the kernel.
//!
//! The program is a binary search over ranges of numbers with the same answer. What a filter costs
//! is not each call, whose answer the kernel caches for constant numbers (Linux 5.11), but loading
//! it: for that cache the kernel interprets the program once for every number, and compiles it, for
//! every sandbox anew. A chain of comparisons, as filter libraries make it, took 0.6 ms of CPU in
//! three programs; this one takes a tenth of it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use syscalls::Sysno;

use super::calls::{ALLOWED, BY_ARGUMENT, Group, REFUSED};
use crate::config::Network;

/// One instruction: struct sock_filter of linux/filter.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    code: u16,
    /// Instructions to pass over when the comparison holds.
    jt: u8,
    /// Instructions to pass over when it does not.
    jf: u8,
    k: u32,
}

// Instruction codes of linux/bpf_common.h.
const LOAD: u16 = 0x20;
const JUMP: u16 = 0x05;
const JUMP_IF_EQUAL: u16 = 0x15;
const JUMP_IF_AT_LEAST: u16 = 0x35;
const JUMP_IF_ANY_BIT: u16 = 0x45;
const RETURN: u16 = 0x06;

// Offsets in struct seccomp_data (seccomp(2)).
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
/// The lower 32 bits of an argument: the kernel looks at no more of those that are compared here.
/// Both architectures are little-endian.
const fn argument(index: u32) -> u32 {
    16 + 8 * index
}

#[cfg(target_arch = "x86_64")]
const AUDIT_ARCH: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
const AUDIT_ARCH: u32 = 0xC000_00B7;

const ALLOW: u32 = 0x7fff_0000;
const ERRNO: u32 = 0x0005_0000;
const EPERM: u32 = ERRNO | 1;
const ENOSYS: u32 = ERRNO | 38;
const EAFNOSUPPORT: u32 = ERRNO | 97;

/// The flags of clone(2) that make namespaces: NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID,
/// NEWNET. NEWTIME shares its bit with the exit signal and can be asked of unshare and clone3 only.
const NAMESPACE_FLAGS: u32 =
    0x0002_0000 | 0x0200_0000 | 0x0400_0000 | 0x0800_0000 | 0x1000_0000 | 0x2000_0000 | 0x4000_0000;
const TIOCSTI: u32 = 0x5412;
const TIOCLINUX: u32 = 0x541C;
const PERSONALITY_LINUX: u32 = 0;
const PERSONALITY_QUERY: u32 = 0xffff_ffff;
const AF_UNIX: u32 = 1;
const AF_INET: u32 = 2;
const AF_INET6: u32 = 10;

/// What is answered to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    /// Always this.
    Always(u32),
    /// `then` where the argument is one of `values`, otherwise `otherwise`.
    OneOf { argument: u32, values: Vec<u32>, then: u32, otherwise: u32 },
    /// `then` where the argument has any of these bits, otherwise `otherwise`.
    AnyBit { argument: u32, bits: u32, then: u32, otherwise: u32 },
}

impl Answer {
    fn steps(&self) -> Vec<Step> {
        match self {
            Self::Always(answer) => vec![step(RETURN, *answer)],
            Self::OneOf { argument: index, values, then, otherwise } => {
                let mut steps = vec![step(LOAD, argument(*index))];
                for (at, &value) in values.iter().enumerate() {
                    // Past the other comparisons and the first return.
                    let jt = u8::try_from(values.len() - at).expect("a handful of values");
                    steps.push(Step { code: JUMP_IF_EQUAL, jt, jf: 0, k: value });
                }
                steps.extend([step(RETURN, *otherwise), step(RETURN, *then)]);
                steps
            }
            Self::AnyBit { argument: index, bits, then, otherwise } => vec![
                step(LOAD, argument(*index)),
                Step { code: JUMP_IF_ANY_BIT, jt: 1, jf: 0, k: *bits },
                step(RETURN, *otherwise),
                step(RETURN, *then),
            ],
        }
    }
}

fn step(code: u16, k: u32) -> Step {
    Step { code, jt: 0, jf: 0, k }
}

/// The program of a sandbox, as bwrap reads it: an array of struct sock_filter.
pub fn program(network: Network) -> Vec<u8> {
    assemble(&answers(network))
        .iter()
        .flat_map(|step| {
            let ([code_low, code_high], k) = (step.code.to_ne_bytes(), step.k.to_ne_bytes());
            [code_low, code_high, step.jt, step.jf, k[0], k[1], k[2], k[3]]
        })
        .collect()
}

/// The answer to every call that has one of its own; to all others it is ENOSYS.
fn answers(network: Network) -> BTreeMap<u32, Answer> {
    let mut answers = BTreeMap::new();
    let mut put = |name: &str, answer: Answer| {
        if let Some(number) = number(name) {
            answers.insert(number, answer);
        }
    };
    for (groups, answer) in [(ALLOWED, ALLOW), (REFUSED, EPERM)] {
        for name in groups.iter().flat_map(|group| group.calls) {
            put(name, Answer::Always(answer));
        }
    }
    let one_of = |argument: u32, values: &[u32], then: u32, otherwise: u32| Answer::OneOf {
        argument,
        values: values.to_vec(),
        then,
        otherwise,
    };
    let families: &[u32] = match network {
        Network::None => &[AF_UNIX],
        Network::Loopback => &[AF_UNIX, AF_INET, AF_INET6],
    };
    put("clone", Answer::AnyBit { argument: 0, bits: NAMESPACE_FLAGS, then: EPERM, otherwise: ALLOW });
    put("ioctl", one_of(1, &[TIOCSTI, TIOCLINUX], EPERM, ALLOW));
    put("personality", one_of(0, &[PERSONALITY_LINUX, PERSONALITY_QUERY], ALLOW, EPERM));
    put("prlimit64", one_of(0, &[0], ALLOW, EPERM));
    put("socket", one_of(0, families, ALLOW, EAFNOSUPPORT));
    put("socketpair", one_of(0, &[AF_UNIX], ALLOW, EAFNOSUPPORT));
    answers
}

/// How many calls may pass, some of them by their arguments.
pub fn allowed_calls() -> usize {
    static COUNT: LazyLock<usize> = LazyLock::new(|| {
        let names = ALLOWED.iter().chain(BY_ARGUMENT).flat_map(|group: &Group| group.calls);
        names.filter(|name| number(name).is_some()).count()
    });
    *COUNT
}

/// The number of a call here; `None` where this architecture does not have it.
pub fn number(name: &str) -> Option<u32> {
    name.parse::<Sysno>().ok().and_then(|call| u32::try_from(call.id()).ok())
}

fn assemble(answers: &BTreeMap<u32, Answer>) -> Vec<Step> {
    // Ranges of numbers with one answer, by their first number. The x32 numbers (bit 30) lie in the
    // last range, whose answer is ENOSYS.
    let mut ranges: Vec<(u32, Answer)> = vec![(0, Answer::Always(ENOSYS))];
    for (&number, answer) in answers {
        if ranges.last().is_some_and(|(first, _)| *first == number) {
            ranges.pop();
        }
        if ranges.last().is_none_or(|(_, before)| before != answer) {
            ranges.push((number, answer.clone()));
        }
        ranges.push((number + 1, Answer::Always(ENOSYS)));
    }
    let mut program = vec![
        step(LOAD, ARCHITECTURE),
        Step { code: JUMP_IF_EQUAL, jt: 1, jf: 0, k: AUDIT_ARCH },
        // 32-bit calls on a 64-bit kernel have other numbers.
        step(RETURN, ENOSYS),
        step(LOAD, NUMBER),
    ];
    program.extend(search(&ranges));
    program
}

/// A binary search for the range that the loaded number is in.
fn search(ranges: &[(u32, Answer)]) -> Vec<Step> {
    if let [(_, answer)] = ranges {
        return answer.steps();
    }
    let (low, high) = ranges.split_at(ranges.len() / 2);
    let (below, above) = (search(low), search(high));
    let first = high[0].0;
    let mut steps = match u8::try_from(below.len()) {
        Ok(jt) => vec![Step { code: JUMP_IF_AT_LEAST, jt, jf: 0, k: first }],
        // Too far for a comparison's own jump.
        Err(_) => vec![
            Step { code: JUMP_IF_AT_LEAST, jt: 0, jf: 1, k: first },
            step(JUMP, u32::try_from(below.len()).expect("a program is short")),
        ],
    };
    steps.extend(below);
    steps.extend(above);
    steps
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::super::calls::HIDDEN;
    use super::*;

    /// What the kernel would answer (linux/filter.h, for the instructions used here).
    fn run(program: &[Step], arch: u32, number: u32, arguments: [u64; 6]) -> u32 {
        let load = |offset: u32| match offset {
            NUMBER => number,
            ARCHITECTURE => arch,
            _ => arguments[(offset as usize - 16) / 8] as u32,
        };
        let (mut at, mut loaded) = (0, 0);
        loop {
            let Step { code, jt, jf, k } = program[at];
            let holds = match code {
                LOAD => {
                    loaded = load(k);
                    at += 1;
                    continue;
                }
                JUMP => {
                    at += 1 + k as usize;
                    continue;
                }
                RETURN => return k,
                JUMP_IF_EQUAL => loaded == k,
                JUMP_IF_AT_LEAST => loaded >= k,
                JUMP_IF_ANY_BIT => loaded & k != 0,
                other => panic!("unknown instruction {other:#x}"),
            };
            at += 1 + usize::from(if holds { jt } else { jf });
        }
    }

    fn answer_to(network: Network, name: &str, arguments: &[u64]) -> u32 {
        let mut all = [0; 6];
        all[..arguments.len()].copy_from_slice(arguments);
        run(&assemble(&answers(network)), AUDIT_ARCH, number(name).unwrap(), all)
    }

    #[test]
    fn every_name_is_a_call_and_stands_in_one_group() {
        let mut seen = BTreeSet::new();
        for group in ALLOWED.iter().chain(REFUSED).chain(BY_ARGUMENT) {
            assert!(!group.reason.is_empty(), "{} needs a reason", group.name);
            for &name in group.calls {
                assert!(number(name).is_some() || cfg!(not(target_arch = "x86_64")), "{name} is no system call");
                assert!(seen.insert(name), "{name} stands twice");
            }
        }
        for name in HIDDEN {
            assert!(number(name).is_some() && !seen.contains(name), "{name} is hidden");
        }
    }

    #[test]
    fn every_number_gets_the_answer_of_the_list() {
        for network in Network::ALL {
            let expected = answers(network);
            let program = assemble(&expected);
            assert!(program.len() < 400, "{} instructions", program.len());
            for number in (0..1000).chain([0x4000_0000, 0x4000_0001, 0x4000_0208, u32::MAX]) {
                let answer = run(&program, AUDIT_ARCH, number, [0; 6]);
                match expected.get(&number) {
                    None => assert_eq!(answer, ENOSYS, "{number}"),
                    Some(Answer::Always(always)) => assert_eq!(answer, *always, "{number}"),
                    Some(_) => {}
                }
                assert_eq!(run(&program, 0x4000_0003, number, [0; 6]), ENOSYS, "{number} of i386");
            }
        }
    }

    #[test]
    fn arguments_decide_where_they_should() {
        let none = |name: &str, arguments: &[u64]| answer_to(Network::None, name, arguments);
        // Flags of pthread_create and of fork.
        assert_eq!(none("clone", &[0x003d_0f00]), ALLOW);
        assert_eq!(none("clone", &[0x0120_0011]), ALLOW);
        for bit in [17, 25, 26, 27, 28, 29, 30] {
            assert_eq!(none("clone", &[1 << bit | 17]), EPERM, "bit {bit}");
        }
        assert_eq!(none("ioctl", &[0, 0x5401]), ALLOW);
        assert_eq!(none("ioctl", &[0, u64::from(TIOCSTI)]), EPERM);
        assert_eq!(none("ioctl", &[0, 0x1_0000_0000 | u64::from(TIOCSTI)]), EPERM);
        assert_eq!(none("ioctl", &[0, u64::from(TIOCLINUX)]), EPERM);
        assert_eq!(none("personality", &[0xffff_ffff]), ALLOW);
        assert_eq!(none("personality", &[0x0004_0000]), EPERM);
        assert_eq!((none("prlimit64", &[0]), none("prlimit64", &[1])), (ALLOW, EPERM));
        assert_eq!((none("socket", &[1]), none("socket", &[2])), (ALLOW, EAFNOSUPPORT));
        assert_eq!(answer_to(Network::Loopback, "socket", &[10]), ALLOW);
        for family in [16, 17, 38, 40] {
            assert_eq!(answer_to(Network::Loopback, "socket", &[family]), EAFNOSUPPORT, "family {family}");
        }
        assert_eq!(none("clone3", &[]), ENOSYS);
    }

    proptest! {
        #[test]
        fn any_list_is_searched_right(numbers in proptest::collection::btree_map(0u32..2000, 0u32..3, 0..900), probe in 0u32..2100) {
            let answers: BTreeMap<_, _> =
                numbers.iter().map(|(&n, &a)| (n, Answer::Always([ALLOW, EPERM, ENOSYS][a as usize]))).collect();
            let expected = numbers.get(&probe).map_or(ENOSYS, |&a| [ALLOW, EPERM, ENOSYS][a as usize]);
            prop_assert_eq!(run(&assemble(&answers), AUDIT_ARCH, probe, [0; 6]), expected);
        }
    }
}
