//! From the list of system calls to programs for the kernel.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};
use syscalls::Sysno;

use super::calls::{ALLOWED, BY_ARGUMENT, Group, REFUSED};
use crate::config::Network;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// The flags of clone(2) that make namespaces: NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID,
/// NEWNET. NEWTIME shares its bit with the exit signal and can be asked of unshare and clone3 only.
const NAMESPACE_FLAGS: [u64; 7] =
    [0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000];
const TIOCSTI: u64 = 0x5412;
const TIOCLINUX: u64 = 0x541C;
const PERSONALITY_LINUX: u64 = 0;
const PERSONALITY_QUERY: u64 = 0xffff_ffff;
const AF_UNIX: u64 = 1;
const AF_INET: u64 = 2;
const AF_INET6: u64 = 10;

const EPERM: u32 = 1;
const ENOSYS: u32 = 38;
const EAFNOSUPPORT: u32 = 97;

/// Why a filter could not be made: a defect of ours, or an architecture without a list.
#[derive(Debug, thiserror::Error)]
#[error("cannot make the seccomp filter: {0}")]
pub struct FilterError(#[from] seccompiler::BackendError);

/// The programs of a sandbox, in the order in which they are to be loaded. The strictest answer
/// counts; among several that refuse, the errno of the program loaded last (seccomp(2)).
///
/// # Errors
/// See [`FilterError`].
pub fn programs(network: Network) -> Result<Vec<Vec<u8>>, FilterError> {
    // What may pass at all.
    let mut known = named(ALLOWED);
    known.extend(named(BY_ARGUMENT));
    // What is refused as forbidden.
    let mut forbidden = named(REFUSED);
    let add = |rules: &mut Rules, name: &str, these: Vec<SeccompRule>| {
        if let Some(number) = number(name) {
            rules.insert(number, these);
        }
    };
    let bits = NAMESPACE_FLAGS.iter().map(|&bit| rule([condition(0, SeccompCmpOp::MaskedEq(bit), bit)]));
    add(&mut forbidden, "clone", bits.collect::<Result<_, _>>()?);
    let typing = [TIOCSTI, TIOCLINUX].map(|request| rule([condition(1, SeccompCmpOp::Eq, request)]));
    add(&mut forbidden, "ioctl", typing.into_iter().collect::<Result<_, _>>()?);
    let other = [PERSONALITY_LINUX, PERSONALITY_QUERY].map(|persona| condition(0, SeccompCmpOp::Ne, persona));
    add(&mut forbidden, "personality", vec![rule(other)?]);
    let of_another = rule([condition(0, SeccompCmpOp::Ne, 0)])?;
    add(&mut forbidden, "prlimit64", vec![of_another]);
    // What is refused as not supported, so that programs try another family or do without.
    let mut unsupported = Rules::new();
    let not_unix = || condition(0, SeccompCmpOp::Ne, AF_UNIX);
    let sockets = match network {
        Network::None => rule([not_unix()])?,
        Network::Loopback => {
            let [v4, v6] = [AF_INET, AF_INET6].map(|family| condition(0, SeccompCmpOp::Ne, family));
            rule([not_unix(), v4, v6])?
        }
    };
    add(&mut unsupported, "socket", vec![sockets]);
    add(&mut unsupported, "socketpair", vec![rule([not_unix()])?]);

    Ok(vec![
        compile(known, SeccompAction::Errno(ENOSYS), SeccompAction::Allow)?,
        compile(forbidden, SeccompAction::Allow, SeccompAction::Errno(EPERM))?,
        compile(unsupported, SeccompAction::Allow, SeccompAction::Errno(EAFNOSUPPORT))?,
    ])
}

/// How many calls may pass, some of them by their arguments.
pub fn allowed_calls() -> usize {
    named(ALLOWED).len() + named(BY_ARGUMENT).len()
}

/// The number of a call here; `None` where this architecture does not have it.
pub fn number(name: &str) -> Option<i64> {
    name.parse::<Sysno>().ok().map(|call| i64::from(call.id()))
}

/// Every call of these groups, whatever its arguments.
fn named(groups: &[Group]) -> Rules {
    groups.iter().flat_map(|group| group.calls).filter_map(|name| Some((number(name)?, Vec::new()))).collect()
}

/// An argument compared on its lower 32 bits: the kernel looks at no more of any of these.
fn condition(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompCondition, seccompiler::BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
}

/// All of these conditions together.
fn rule<const N: usize>(
    conditions: [Result<SeccompCondition, seccompiler::BackendError>; N],
) -> Result<SeccompRule, seccompiler::BackendError> {
    SeccompRule::new(conditions.into_iter().collect::<Result<_, _>>()?)
}

fn compile(rules: Rules, otherwise: SeccompAction, matched: SeccompAction) -> Result<Vec<u8>, FilterError> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let program: BpfProgram = SeccompFilter::new(rules, otherwise, matched, arch)?.try_into()?;
    // struct sock_filter of linux/filter.h, as bwrap reads it.
    Ok(program
        .iter()
        .flat_map(|step| {
            let [code_low, code_high] = step.code.to_ne_bytes();
            let k = step.k.to_ne_bytes();
            [code_low, code_high, step.jt, step.jf, k[0], k[1], k[2], k[3]]
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::calls::HIDDEN;
    use super::*;

    /// Names of old calls that only x86-64 has.
    fn exists_on_x86_64_only(name: &str) -> bool {
        cfg!(not(target_arch = "x86_64")) && number(name).is_none()
    }

    #[test]
    fn every_name_is_a_call_and_stands_in_one_group() {
        let mut seen = BTreeSet::new();
        for group in ALLOWED.iter().chain(REFUSED).chain(BY_ARGUMENT) {
            for &name in group.calls {
                assert!(number(name).is_some() || exists_on_x86_64_only(name), "{name} is no system call");
                assert!(seen.insert(name), "{name} stands twice");
            }
        }
        for name in HIDDEN {
            assert!(number(name).is_some() && !seen.contains(name), "{name} is hidden");
        }
    }

    #[test]
    fn the_programs_fit_the_kernel() {
        for network in [Network::None, Network::Loopback] {
            for program in programs(network).unwrap() {
                // BPF_MAXINSNS.
                assert!(!program.is_empty() && program.len() % 8 == 0 && program.len() / 8 <= 4096);
            }
        }
    }
}
