//! What to do about the messages with which bwrap gives up.

/// A remedy to be put behind bwrap's own words; empty when we know none.
pub fn of_bwrap_message(message: &str) -> String {
    // Parts of bwrap's messages, and what helps. The first that is found counts.
    const KNOWN: [(&[&str], &str); 7] = [
        (
            &["No permissions to creat", "setting up uid map", "loopback: Failed RTM_NEWADDR"],
            "this system restricts user namespaces; if `sysctl kernel.apparmor_restrict_unprivileged_userns` is 1 \
             (Ubuntu 24.04), allow bwrap by an AppArmor profile, or set it to 0; if `sysctl \
             kernel.unprivileged_userns_clone` is 0, set it to 1; see `sandsweep doctor`",
        ),
        (
            &["Creating new namespace failed", "max_user_namespaces"],
            "user namespaces are used up or off; raise `sysctl user.max_user_namespaces` (and inside a container, \
             allow them there); see `sandsweep doctor`",
        ),
        (
            &["Can't mount proc", "mount proc"],
            "a container that hides parts of /proc forbids a new one; run it with `--security-opt \
             systempaths=unconfined` (Docker, Podman) or on the host",
        ),
        (
            &["Can't find source path", "Can't bind mount"],
            "check the `ro_bind` paths: they must exist and be readable by the sandbox's uid",
        ),
        (&["Unknown option"], "this bwrap is too old; sandsweep needs 0.8.0 or newer"),
        (&["cgroup namespace"], "this kernel has no cgroup namespaces; Linux 4.6 or newer is needed"),
        (
            &["disable-userns", "max_user_namespaces = 1"],
            "nested user namespaces cannot be switched off here; see `sandsweep doctor`",
        ),
    ];
    KNOWN
        .iter()
        .find(|(parts, _)| parts.iter().any(|part| message.contains(part)))
        .map(|(_, remedy)| format!("; {remedy}"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_messages_have_a_remedy_and_others_none() {
        assert!(of_bwrap_message("bwrap: setting up uid map: Permission denied").contains("apparmor"));
        assert!(of_bwrap_message("bwrap: Can't find source path /x: No such file").contains("ro_bind"));
        assert_eq!(of_bwrap_message("something else"), "");
    }
}
