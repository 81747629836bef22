//! What of a sandbox's file system can be seen and what can be written.

mod common;

use std::collections::BTreeSet;

use common::{Corpus, User, for_each_user, unindented};
use serde_json::{Value, json};

const PRELUDE: &str = r#"
    import ctypes, errno, json, os, sys
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    def refused(call, *args):
        ctypes.set_errno(0)
        return errno.errorcode[ctypes.get_errno()] if call(*args) == -1 else None
    def failure(call, *args):
        try: call(*args)
        except OSError as why: return errno.errorcode[why.errno]
    def write(path, flags=os.O_WRONLY): os.close(os.open(path, flags, 0o600))
"#;

fn told(user: User, script: &str) -> Value {
    let corpus = Corpus::new(user);
    corpus.script("probe.py", &(unindented(PRELUDE) + &unindented(script)));
    corpus.run(&["--charts", "none"]).exits_with(0).case("probe.py").must_be("ok").told()
}

fn words(value: &Value) -> BTreeSet<&str> {
    value.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
}

#[test]
fn only_the_work_directory_and_the_temporary_ones_are_writable() {
    for_each_user(|user| {
        let told = told(
            user,
            r#"
            places = ['/usr', '/usr/bin', '/usr/lib', '/usr/local', '/proc', '/proc/self', '/proc/sys', '/proc/sys/kernel']
            files = ['/proc/sys/kernel/' + name for name in ('hostname', 'core_pattern', 'shmmax', 'domainname')]
            files += ['/proc/sysrq-trigger', '/usr/bin/env', '/proc/sys/vm/drop_caches', '/proc/sys/net/ipv4/ip_forward']
            files += ['/proc/self/' + name for name in ('oom_score_adj', 'uid_map', 'setgroups', 'comm', 'attr/current')]
            for top, below, names in os.walk('/'):
                below[:] = [name for name in below if os.path.join(top, name) not in ('/usr', '/proc')]
                places.append(top)
                paths = [os.path.join(top, name) for name in names]
                files += [path for path in paths if os.path.isfile(path)]
            print(json.dumps(dict(
                places=[place for place in places if failure(write, place + '/planted', os.O_WRONLY | os.O_CREAT) is None],
                files=[file for file in files if failure(write, file) is None],
                looked_at=len(files), names=places)))
            "#,
        );
        assert_eq!(words(&told["places"]), BTreeSet::from(["/box", "/dev/shm", "/tmp"]));
        assert_eq!(words(&told["files"]), BTreeSet::new());
        assert!(words(&told["names"]).is_superset(&BTreeSet::from(["/", "/dev", "/etc", "/script", "/run"])));
        assert!(told["looked_at"].as_u64() > Some(15), "{told}");
    });
}

#[test]
fn nothing_can_be_remounted_mounted_or_unmounted() {
    for_each_user(|user| {
        let told = told(
            user,
            r#"
            REMOUNT, BIND, NOTHING = 32, 4096, None
            def mount(source, target, kind, flags):
                return libc.mount(source, target.encode(), kind, ctypes.c_ulong(flags), NOTHING)
            attempts = {}
            for target in ['/', '/usr', '/proc', '/dev', '/etc/alternatives', '/box', '/tmp', '/script', '/proc/sys']:
                attempts['remount ' + target] = refused(mount, None, target, None, REMOUNT)
                attempts['remount bind ' + target] = refused(mount, None, target, None, REMOUNT | BIND)
                attempts['cover ' + target] = refused(mount, b'tmpfs', target, b'tmpfs', 0)
                attempts['bind over ' + target] = refused(mount, b'/box', target, None, BIND)
                attempts['unmount ' + target] = refused(libc.umount2, target.encode(), 2)
                attempts['chroot ' + target] = refused(libc.chroot, target.encode())
                attempts['open_tree ' + target] = refused(libc.syscall, 428, -100, target.encode(), 1)
            attempts['fsopen'] = refused(libc.syscall, 430, b'tmpfs', 0)
            attempts['fspick'] = refused(libc.syscall, 433, -100, b'/', 0)
            attempts['mount_setattr'] = refused(libc.syscall, 442, -100, b'/', 0, (ctypes.c_uint64 * 4)(0, 1), 32)
            attempts['device'] = failure(os.mknod, '/box/sda', 0o60666, os.makedev(8, 0))
            print(json.dumps(dict(attempts=attempts, after={path: failure(write, path, os.O_WRONLY | os.O_CREAT)
                for path in ('/x', '/usr/x', '/dev/x', '/etc/x', '/script/x')})))
            "#,
        );
        for (attempt, refusal) in told["attempts"].as_object().unwrap().iter().chain(told["after"].as_object().unwrap())
        {
            // Open of a detached copy of a mount that is already visible would be harmless; all else is not.
            assert!(refusal.is_string(), "{attempt} was possible");
        }
    });
}

#[test]
fn of_the_host_there_are_its_programs_and_no_more() {
    for_each_user(|user| {
        let told = told(
            user,
            r#"
            print(json.dumps(dict(root=os.listdir('/'), etc=os.listdir('/etc'), run=os.listdir('/run'),
                                  absent=[path for path in ('/sys', '/home', '/root', '/var', '/mnt', '/opt', '/srv',
                                          '/media', '/boot', '/etc/shadow', '/etc/hostname', '/etc/resolv.conf',
                                          '/etc/ssh', '/etc/machine-id', '/run/dbus', '/run/systemd', '/dev/kmsg',
                                          '/dev/mem', '/dev/fuse', '/dev/kvm', '/dev/disk') if os.path.lexists(path)],
                                  devices=os.listdir('/dev'),
                                  accounts=[line.split(':')[0] for line in open('/etc/passwd')],
                                  groups=[line.split(':')[0] for line in open('/etc/group')],
                                  name=os.uname().nodename)))
            "#,
        );
        let allowed = [
            "bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr", "etc", "proc", "dev", "tmp", "box", "script",
            "run",
        ];
        assert!(words(&told["root"]).is_subset(&BTreeSet::from(allowed)), "{}", told["root"]);
        let allowed = ["passwd", "group", "hosts", "nsswitch.conf", "ld.so.cache", "localtime", "alternatives"];
        assert!(words(&told["etc"]).is_subset(&BTreeSet::from(allowed)), "{}", told["etc"]);
        let allowed = [
            "null", "zero", "full", "random", "urandom", "tty", "shm", "pts", "ptmx", "fd", "stdin", "stdout",
            "stderr", "core", "console",
        ];
        assert!(words(&told["devices"]).is_subset(&BTreeSet::from(allowed)), "{}", told["devices"]);
        assert_eq!(told["run"], json!(["init"]));
        assert_eq!(told["absent"], json!([]));
        assert_eq!(told["accounts"], json!(["sandbox", "nobody"]));
        assert_eq!(told["groups"], json!(["sandbox", "nogroup"]));
        assert_eq!(told["name"], "sandbox");
    });
}

#[test]
fn the_script_lies_at_a_neutral_path_and_cannot_be_changed() {
    for_each_user(|user| {
        let told = told(
            user,
            r#"
            attempts = dict(write=failure(write, __file__), delete=failure(os.unlink, __file__),
                            mode=failure(os.chmod, __file__, 0o777), rename=failure(os.rename, __file__, '/script/other'),
                            beside=failure(write, '/script/other.py', os.O_WRONLY | os.O_CREAT),
                            replace=failure(os.rename, '/script', '/box/script'), link=failure(os.link, __file__, '/box/x'))
            print(json.dumps(dict(file=__file__, arguments=sys.argv, beside=os.listdir('/script'), attempts=attempts,
                                  directory=os.getcwd(), home=os.path.expanduser('~'))))
            "#,
        );
        assert_eq!((&told["file"], &told["arguments"]), (&json!("/script/main.py"), &json!(["/script/main.py"])));
        assert_eq!(told["beside"], json!(["main.py"]));
        assert_eq!((&told["directory"], &told["home"]), (&json!("/box"), &json!("/box")));
        for (attempt, refusal) in told["attempts"].as_object().unwrap() {
            assert!(refusal.is_string(), "{attempt} was possible");
        }
    });
}

#[test]
fn every_case_finds_its_directories_empty() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        for name in ["a.py", "b.py", "c.py"] {
            corpus.script(
                name,
                r#"
                import json, os
                places = ['/box', '/tmp', '/dev/shm']
                print(json.dumps({place: os.listdir(place) for place in places}))
                for place in places:
                    open(place + '/left', 'w').write('x')
                    os.mkdir(place + '/more'); os.chmod(place, 0o777)
                "#,
            );
        }
        let ran = corpus.run(&["--jobs", "1", "--charts", "none"]).exits_with(0);
        for name in ["a.py", "b.py", "c.py"] {
            assert_eq!(ran.case(name).must_be("ok").told(), json!({ "/box": [], "/tmp": [], "/dev/shm": [] }));
        }
    });
}

#[test]
fn each_writable_place_holds_as_much_as_the_disk_limit_says() {
    for_each_user(|user| {
        let corpus = Corpus::new(user);
        corpus.script(
            "fill.py",
            r#"
            import errno, json, os
            held = {}
            for place in ['/box', '/tmp', '/dev/shm']:
                fd, held[place] = os.open(place + '/file', os.O_WRONLY | os.O_CREAT), 0
                try:
                    while held[place] < 64 << 20: held[place] += os.write(fd, b'x' * 4096)
                except OSError as why: assert why.errno == errno.ENOSPC
                os.close(fd); os.unlink(place + '/file')
            print(json.dumps(held))
            "#,
        );
        let ran = corpus.run(&["--disk", "2MiB", "--charts", "none"]).exits_with(0);
        let held = ran.case("fill.py").must_be("ok").told();
        for (place, bytes) in held.as_object().unwrap() {
            let bytes = bytes.as_u64().unwrap();
            assert!((1 << 20..=2 << 20).contains(&bytes), "{place} took {bytes} bytes under a limit of 2 MiB");
        }
    });
}
