//! What a sweep costs beside a bare loop: `cargo bench --bench throughput [-- N [ROUNDS]]`.
//!
//! N one-line Python scripts (500 by default), two at a time, by
//!
//! * `xargs -P2 -I{} python3 {}`: no sandbox at all;
//! * `xargs -P2 -I{} bwrap … {} …`: the same namespaces, mounts and settings as sandsweep's;
//! * `sandsweep run --jobs 2`, with JSON, CSV and traces;
//! * the same with a PNG for each script.
//!
//! All four run in turn in every round, a second apart, so that a machine that gets faster or slower
//! treats them alike. Printed are medians, and medians of the ratios within a round. Then the harness's peak
//! memory (VmHWM), over N and over ten times N scripts.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sandsweep::config::{Limits, Policy};
use sandsweep::sandbox::{Argument, Bwrap, Sandboxes, Staging, Uids, Wanted};

const SANDSWEEP: &str = env!("CARGO_BIN_EXE_sandsweep");

struct Bench {
    directory: PathBuf,
    scripts: PathBuf,
    python: Vec<String>,
    bwrap: Vec<String>,
}

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let count = numbers.first().copied().unwrap_or(500);
    let rounds = numbers.get(1).copied().unwrap_or(5);
    let bench = Bench::new(count);

    println!("{count} one-line Python scripts, two at a time, {rounds} rounds; wall seconds, median (min to max)\n");
    type Run<'a> = (&'a str, Box<dyn Fn() + 'a>);
    let runs: [Run; 4] = [
        ("xargs python3, no sandbox", Box::new(|| bench.xargs(&bench.python))),
        ("xargs bwrap python3", Box::new(|| bench.xargs(&bench.bwrap))),
        ("sandsweep, JSON CSV traces", Box::new(|| _ = bench.sandsweep("none"))),
        ("sandsweep, and a PNG each", Box::new(|| _ = bench.sandsweep("all"))),
    ];
    let mut seconds = vec![Vec::new(); runs.len()];
    let mut cpu_seconds = vec![Vec::new(); runs.len()];
    for round in 0..=rounds {
        for ((times, cpus), (_, run)) in seconds.iter_mut().zip(&mut cpu_seconds).zip(&runs) {
            // The kernel takes network namespaces down after their last process has gone; what is left
            // of one run must not be charged to the next.
            std::thread::sleep(Duration::from_secs(1));
            let (start, cpu) = (Instant::now(), children_cpu_s());
            run();
            // The first round warms the page cache and is not counted.
            if round > 0 {
                times.push(start.elapsed().as_secs_f64());
                cpus.push(children_cpu_s() - cpu);
            }
        }
    }
    for (((name, _), times), cpus) in runs.iter().zip(&seconds).zip(&cpu_seconds) {
        let (median, least, most) = spread(times);
        let each = |seconds: f64| seconds / count as f64 * 1e3;
        let (wall, cpu) = (each(median), each(spread(cpus).0));
        println!("  {name:<28} {median:>7.3} ({least:.3} to {most:.3})  {wall:>6.2} ms each, {cpu:>6.2} ms of CPU");
    }
    println!();
    let targets = [(2, 1, Some(1.05)), (3, 1, Some(1.25)), (2, 0, None), (3, 0, None)];
    for (ours, theirs, target) in targets {
        let ratios: Vec<f64> = seconds[ours].iter().zip(&seconds[theirs]).map(|(a, b)| a / b).collect();
        let (median, least, most) = spread(&ratios);
        let goal = target.map_or(String::new(), |target| format!("  (goal: at most {target})"));
        println!("  {} / {}: {median:.3} ({least:.3} to {most:.3}){goal}", runs[ours].0, runs[theirs].0);
    }

    let many = Bench::new(count * 10);
    println!("\n  peak memory of the harness (VmHWM), with a PNG each");
    for (bench, count) in [(&bench, count), (&many, count * 10)] {
        let peak = bench.sandsweep("all");
        println!("    {count:>6} scripts: {:.1} MiB", peak as f64 / 1024.0);
    }
}

impl Bench {
    fn new(count: usize) -> Self {
        let directory = std::env::temp_dir().join(format!("sandsweep-bench-{}-{count}", std::process::id()));
        let scripts = directory.join("scripts");
        fs::create_dir_all(&scripts).expect("a temporary directory");
        for index in 0..count {
            fs::write(scripts.join(format!("{index:06}.py")), format!("print({index})\n")).expect("a script");
        }
        let python = ["/usr/bin/python3", "{}"].map(str::to_owned).to_vec();
        let bwrap = bwrap_command(&directory);
        Self { directory, scripts, python, bwrap }
    }

    fn xargs(&self, command: &[String]) {
        let mut list: Vec<_> =
            fs::read_dir(&self.scripts).expect("scripts").map(|entry| entry.expect("entry").path()).collect();
        list.sort();
        let names: Vec<_> = list.iter().map(|path| path.to_str().expect("UTF-8")).collect();
        let input = self.directory.join("list");
        fs::write(&input, names.join("\n")).expect("the list");
        let status = Command::new("xargs")
            .args(["-P2", "-I{}"])
            .args(command)
            .env_clear()
            .stdin(fs::File::open(&input).expect("the list"))
            .stdout(Stdio::null())
            .status()
            .expect("xargs runs");
        assert!(status.success(), "xargs {}: {status}", command.join(" "));
    }

    /// Runs a sweep; the largest VmHWM of the harness that was seen, in KiB.
    fn sandsweep(&self, charts: &str) -> u64 {
        let mut child = Command::new(SANDSWEEP)
            .args(["run", "--quiet", "--jobs", "2", "--charts", charts, "--reports"])
            .arg(self.directory.join("reports"))
            .arg(&self.scripts)
            .spawn()
            .expect("sandsweep runs");
        let status_file = format!("/proc/{}/status", child.id());
        let mut peak = 0;
        let status = loop {
            let text = fs::read_to_string(&status_file).unwrap_or_default();
            let now =
                text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
            peak = peak.max(now.unwrap_or(0));
            if let Some(status) = child.try_wait().expect("wait") {
                break status;
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        assert!(status.success(), "sandsweep: {status}");
        peak
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// What xargs runs for each script: the same options as sandsweep's, except that bwrap brings its
/// own pid 1, and that files which sandsweep hands over by descriptor are bound, the script alone
/// and those of `/etc` as one directory.
fn bwrap_command(directory: &Path) -> Vec<String> {
    let bwrap = Bwrap::find().expect("bwrap");
    let program = bwrap.path.clone();
    let uids = Uids::choose(None, 1).expect("uids");
    let sandboxes = Sandboxes::new(bwrap, uids, Staging::none()).expect("sandboxes");
    let (policy, limits) = (Policy::default(), Limits::default());
    let command = [OsString::from("/usr/bin/python3"), OsString::from("/script/main.py")];
    let wanted = Wanted {
        slot: 0,
        script: b"",
        script_name: "main.py",
        command: &command,
        policy: &policy,
        language_binds: &[],
        limits: &limits,
    };
    let etc = directory.join("etc");
    fs::create_dir_all(&etc).expect("etc");
    for file in ["passwd", "group", "hosts", "nsswitch.conf", "ld.so.cache"] {
        let _ = fs::copy(Path::new("/etc").join(file), etc.join(file));
    }
    let _ = fs::create_dir(etc.join("alternatives"));
    let mut words: Vec<String> = Vec::new();
    let mut options = sandboxes.options(&wanted).into_iter().peekable();
    let text = |argument: Argument| match argument {
        Argument::Word(word) => word.into_string().expect("UTF-8"),
        Argument::Data(_) => String::from("?"),
    };
    while let Some(argument) = options.next() {
        let word = text(argument);
        match word.as_str() {
            "--as-pid-1" => {}
            // A shell has no programs to hand over.
            "--seccomp" => drop(options.next()),
            "--perms" => {
                let mode = text(options.next().expect("a mode"));
                match text(options.next().expect("an option")).as_str() {
                    "--file" => drop((options.next(), options.next())),
                    other => words.extend(["--perms".to_owned(), mode, other.to_owned()]),
                }
            }
            "--proc" => {
                words.extend(["--ro-bind", "{}", "/script/main.py"].map(str::to_owned));
                words.push(word);
            }
            // The directory of /etc comes first, what lies in it after it.
            "--ro-bind" if words.iter().all(|word| word != "/etc") => {
                words.extend(["--ro-bind".to_owned(), etc.display().to_string(), "/etc".to_owned(), word]);
            }
            _ => words.push(word),
        }
    }
    words.insert(0, program.display().to_string());
    words.extend(["--", "/usr/bin/python3", "/script/main.py"].map(str::to_owned));
    words
}

/// User and system time of every child that was waited for, with its own waited-for descendants.
fn children_cpu_s() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("procfs");
    let fields: Vec<&str> = stat.rsplit(')').next().expect("a stat line").split_whitespace().collect();
    // cutime and cstime, in clock ticks (proc_pid_stat(5)); the first field here is the state.
    let ticks: f64 = fields[13..15].iter().map(|field| field.parse::<f64>().expect("a number")).sum();
    ticks / rustix::param::clock_ticks_per_second() as f64
}

fn spread(values: &[f64]) -> (f64, f64, f64) {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    (sorted[sorted.len() / 2], sorted[0], sorted[sorted.len() - 1])
}
