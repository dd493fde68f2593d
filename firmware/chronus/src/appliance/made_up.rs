//! A machine made up of files, for tests.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use nix::errno::Errno;

use super::machine::{Kernel, Machine};

/// A folder with the kernel's files as they could be. It is gone with its owner.
pub struct MadeUp(PathBuf);

/// Changes the files as the kernel would. Has no core of the number.
struct MadeUpKernel(PathBuf, usize);

impl Kernel for MadeUpKernel {
    fn set_fifo(&self, thread: u32, priority: i32) -> Result<(), Errno> {
        let stat = self.0.join(format!("proc/{thread}/stat"));
        let text = std::fs::read_to_string(&stat).map_err(|_| Errno::ESRCH)?;
        let name = text.split(['(', ')']).nth(1).ok_or(Errno::ESRCH)?;
        std::fs::write(stat, stat_of(thread, name, 2, Some(priority))).map_err(|_| Errno::EPERM)
    }

    fn mount_debugfs(&self, folder: &Path) -> Result<(), Errno> {
        for core in 0..4 {
            let file = folder.join(format!("sched/fair_server/cpu{core}/runtime"));
            std::fs::create_dir_all(file.parent().ok_or(Errno::EINVAL)?).map_err(|_| Errno::EPERM)?;
            std::fs::write(file, "50000000\n").map_err(|_| Errno::EPERM)?;
        }
        Ok(())
    }

    fn run_on(&self, core: usize, action: &mut (dyn FnMut() + Send)) -> Result<(), Errno> {
        if core == self.1 {
            return Err(Errno::EINVAL);
        }
        let times = || [0, 1, 2, 3].map(|core| std::fs::read(self.0.join(runtime_of(core))).ok());
        let before = times();
        action();
        let after = times();
        // Told from elsewhere, the kernel would have warned.
        let elsewhere = (0..4).any(|other| other != core && before[other] != after[other]);
        let mut warned = std::fs::read_to_string(self.0.join(RUN_ON)).unwrap_or_default();
        warned += &format!("{core}{} ", if elsewhere { " and told another" } else { "" });
        std::fs::write(self.0.join(RUN_ON), warned).map_err(|_| Errno::EIO)
    }
}

/// On which cores something was run, in order.
pub const RUN_ON: &str = "run-on";

/// The file with what is reserved on a core.
pub fn runtime_of(core: usize) -> String {
    format!("sys/kernel/debug/sched/fair_server/cpu{core}/runtime")
}

/// A thread as the kernel shows it: 3 state, 4 parent, and so on to 40 real-time priority and 41 policy.
fn stat_of(thread: u32, name: &str, parent: u32, fifo: Option<i32>) -> String {
    let zeros = "0 ".repeat(35);
    format!("{thread} ({name}) S {parent} {zeros}{} {} 0 0\n", fifo.unwrap_or(0), u32::from(fifo.is_some()))
}

impl MadeUp {
    /// A machine without any files. Tests of one process may run at the same time and use one name.
    pub fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("chronus-made-up-{name}-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }

    /// The machine as the program sees it.
    pub fn machine(&self) -> Machine {
        self.machine_without_core(usize::MAX)
    }

    /// The same if nothing can be run on this core.
    pub fn machine_without_core(&self, core: usize) -> Machine {
        Machine::at(&self.0, Box::new(MadeUpKernel(self.0.clone(), core)))
    }

    /// Has a file hold this.
    pub fn write(&self, file: &str, content: &str) {
        let path = self.0.join(file);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("a folder");
        std::fs::write(path, content).expect("a file");
    }

    /// Takes a file or folder away.
    pub fn remove(&self, file: &str) {
        let path = self.0.join(file);
        let removed = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        removed.expect("something to remove");
    }

    /// A process or thread, in a folder such as `proc/7` or `proc/7/task/9`.
    pub fn add_thread(&self, folder: &str, name: &str, parent: u32, fifo: Option<i32>, cores: &str) {
        let id = folder.rsplit('/').next().and_then(|id| id.parse().ok()).expect("a number");
        self.write(&format!("{folder}/comm"), &format!("{name}\n"));
        self.write(&format!("{folder}/stat"), &stat_of(id, name, parent, fifo));
        self.write(
            &format!("{folder}/status"),
            &format!("Name:\t{name}\nVmLck:\t   81920 kB\nCpus_allowed_list:\t{cores}\n"),
        );
    }

    /// An interrupt: whose it is, the cores that may serve it, and the one that does.
    pub fn add_interrupt(&self, number: u32, owner: &str, may: &str, does: &str) {
        let folder = format!("proc/irq/{number}");
        std::fs::create_dir_all(self.0.join(format!("{folder}/{owner}"))).expect("a folder");
        self.write(&format!("{folder}/smp_affinity_list"), &format!("{may}\n"));
        self.write(&format!("{folder}/effective_affinity_list"), &format!("{does}\n"));
    }

    /// A box as it should be, with its engine running.
    pub fn good_box(name: &str) -> Self {
        let made_up = Self::new(name);
        for (file, content) in [
            ("proc/sys/kernel/version", "#1 SMP PREEMPT_RT Tue Jun  2 12:00:00 UTC 2026\n"),
            ("proc/sys/kernel/osrelease", "6.12.61-v8\n"),
            ("proc/cmdline", "root=/dev/mmcblk0p5 ro isolcpus=1-3 nohz_full=1-3 rcu_nocbs=1-3 irqaffinity=0\n"),
            ("sys/devices/system/cpu/isolated", "1-3\n"),
            ("sys/devices/system/cpu/nohz_full", "1-3\n"),
            ("proc/irq/default_smp_affinity", "1\n"),
            ("proc/sys/kernel/sched_rt_runtime_us", "-1\n"),
            ("sys/class/net/eth0/address", "dc:a6:32:01:02:03\n"),
            (
                "proc/self/mountinfo",
                "1 0 179:5 / / ro,relatime - squashfs /dev/root ro,errors=continue\n22 1 0:5 / /dev rw - devtmpfs dev rw\n",
            ),
            ("proc/swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"),
            (
                "proc/500/limits",
                "Limit                     Soft Limit           Hard Limit           Units     \n\
                 Max locked memory         unlimited            unlimited            bytes     \n\
                 Max realtime priority     85                   85                   \n",
            ),
        ] {
            made_up.write(file, content);
        }
        for core in 0..4 {
            made_up.write(&format!("sys/devices/system/cpu/cpu{core}/cpufreq/scaling_governor"), "performance\n");
            made_up.write(&format!("sys/kernel/debug/sched/fair_server/cpu{core}/runtime"), "0\n");
        }
        // The kernel has picked core 0 of the four that one may be served on; another is nobody's.
        made_up.add_interrupt(31, "xhci_hcd", "0-3", "0");
        made_up.add_interrupt(26, "mmc0", "0", "0");
        made_up.write("proc/irq/5/effective_affinity_list", "2\n");
        made_up.add_thread("proc/1", "systemd", 0, None, "0");
        made_up.add_thread("proc/61", "irq/31-xhci_hcd", 2, Some(85), "0");
        made_up.add_thread("proc/62", "irq/27-DMA IRQ", 2, Some(90), "0");
        made_up.add_thread("proc/63", "irq/26-mmc0", 2, Some(50), "0");
        made_up.add_thread("proc/500", "chronus", 1, None, "0");
        made_up.add_thread("proc/500/task/500", "chronus", 1, None, "0");
        made_up.add_thread("proc/500/task/501", "supervise", 1, Some(78), "0");
        made_up.add_thread("proc/500/task/502", "audio", 1, Some(80), "1");
        made_up.add_thread("proc/510", "chronus-w0", 500, Some(75), "2");
        made_up.add_thread("proc/511", "chronus-w1", 500, Some(75), "3");
        made_up
    }
}

impl Drop for MadeUp {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
