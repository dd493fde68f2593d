//! Worker processes: started, watched and ended without ever waiting for one that still runs.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

/// A copy of this executable in memory, so that starting a worker needs no disk.
pub struct Executable(File);

impl Executable {
    /// Copies the running executable.
    ///
    /// # Errors
    /// When it cannot be read or memory is used up.
    pub fn copy_of_this() -> io::Result<Self> {
        // Systems that do not let memory be executed by default want to be asked; kernels before 6.3 do not know
        // the question.
        let executable = MFdFlags::from_bits_retain(libc::MFD_EXEC);
        let file = memfd_create("chronus", MFdFlags::MFD_CLOEXEC | executable)
            .or_else(|_| memfd_create("chronus", MFdFlags::MFD_CLOEXEC))?;
        let mut copy = File::from(file);
        io::copy(&mut File::open("/proc/self/exe")?, &mut copy)?;
        Ok(Self(copy))
    }

    /// Test builds: none, for workers that are simulated.
    ///
    /// # Errors
    /// When descriptors are used up.
    #[cfg(feature = "simulation")]
    pub fn none() -> io::Result<Self> {
        File::open("/dev/null").map(Self)
    }

    fn path(&self) -> String {
        format!("/proc/self/fd/{}", self.0.as_raw_fd())
    }
}

/// How a worker ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By this signal.
    Signal(Signal),
    /// By itself, with this status.
    Exit(i32),
}

/// What a worker is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// It runs, or waits for a processor.
    Runs,
    /// It is stopped, or waits to be woken.
    Rests,
    /// It is dead, and its end will be known in a moment.
    Gone,
}

/// A running worker.
pub struct Worker {
    pid: Pid,
    pidfd: OwnedFd,
}

impl Worker {
    /// Starts a worker. It gets its own process group, so that Ctrl-C at the terminal is the supervisor's alone.
    ///
    /// # Errors
    /// When the process cannot be made: limits, memory.
    pub fn start(executable: &Executable, name: &str, arguments: &[String]) -> io::Result<Self> {
        #[cfg(feature = "simulation")]
        if let Some(machine) = crate::simulation::machine() {
            let pid = Pid::from_raw(machine.start_worker(arguments) as i32);
            // Nobody waits on it.
            return Ok(Self { pid, pidfd: File::open("/dev/null")?.into() });
        }
        let start = |program: &str| {
            let mut command = Command::new(program);
            // Nothing of the supervisor's is held open by a worker but what it says when it cannot start.
            command.stdin(Stdio::null()).stdout(Stdio::null());
            // Nor is what it has no use for handed on: the kernel counts it as part of the stack, which is limited.
            command.env_clear().envs(std::env::var_os("LD_LIBRARY_PATH").map(|path| ("LD_LIBRARY_PATH", path)));
            command.arg0(name).args(arguments).process_group(0).spawn()
        };
        let child = match start(&executable.path()) {
            // A system that forbids executing memory altogether: then from the disk.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => start("/proc/self/exe")?,
            result => result?,
        };
        let pid = Pid::from_raw(child.id() as i32);
        // SAFETY: a plain system call with integers; the child is not reaped yet, so the number is its.
        let number = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) });
        match number {
            // SAFETY: the kernel just gave this descriptor to us and nobody else knows it.
            Ok(number) => Ok(Self { pid, pidfd: unsafe { OwnedFd::from_raw_fd(number as i32) } }),
            Err(error) => {
                let _ = kill(pid, Signal::SIGKILL);
                let _ = nix::sys::wait::waitpid(pid, None);
                Err(error.into())
            }
        }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.pid.as_raw() as u32
    }

    /// What it is doing just now.
    pub fn activity(&self) -> Activity {
        #[cfg(feature = "simulation")]
        if let Some(machine) = crate::simulation::machine() {
            return machine.activity(self.id());
        }
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap_or_default();
        match stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()) {
            // D is a page on its way: it goes on by itself.
            Some('R' | 'D') => Activity::Runs,
            Some('S' | 'T' | 't') => Activity::Rests,
            _ => Activity::Gone,
        }
    }

    /// Processor time it has used so far, in nanoseconds, as of the kernel's last tick; `None` once it is gone.
    pub fn processor_time(&self) -> Option<u64> {
        #[cfg(feature = "simulation")]
        if let Some(machine) = crate::simulation::machine() {
            return Some(machine.processor_time(self.id()));
        }
        processor_time(self.id())
    }

    /// Sends a signal, through the pidfd: it cannot hit another process.
    pub fn signal(&self, signal: Signal) {
        #[cfg(feature = "simulation")]
        if let Some(machine) = crate::simulation::machine() {
            return machine.signal(self.id(), signal);
        }
        let (pidfd, no_information) = (self.pidfd.as_raw_fd(), std::ptr::null::<libc::siginfo_t>());
        // SAFETY: a system call with integers and a null pointer, which stands for what `kill` would send.
        let _ = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd, signal as i32, no_information, 0) };
    }

    /// Whether all its threads have ended; it may still have to be reaped.
    fn is_dead(&self) -> bool {
        let mut events = [PollFd::new(self.pidfd.as_fd(), PollFlags::POLLIN)];
        poll(&mut events, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
    }

    /// Reaps it if it has ended; never waits. How one ended that a debugger holds is not known: as if by itself.
    pub fn ended(&self) -> Option<End> {
        #[cfg(feature = "simulation")]
        if let Some(machine) = crate::simulation::machine() {
            return machine.ended(self.id());
        }
        // Looked at first: what is dead here can be reaped below, unless it is a debugger's.
        let dead = self.is_dead();
        match waitid(Id::PIDFd(self.pidfd.as_fd()), WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG) {
            Ok(WaitStatus::Signaled(_, signal, _)) => Some(End::Signal(signal)),
            Ok(WaitStatus::Exited(_, status)) => Some(End::Exit(status)),
            // Reaped by somebody else: gone all the same.
            Err(Errno::ECHILD) => Some(End::Exit(-1)),
            // A debugger is told before this process, and need not let go. It runs no more and has given its slot back;
            // to wait for the debugger would be silence, and a poll that never sleeps.
            Ok(WaitStatus::StillAlive) if dead => Some(End::Exit(-1)),
            // Anything else is no proof of death, and a second writer in its slot would be worse than none.
            Ok(_) | Err(_) => None,
        }
    }
}

impl AsFd for Worker {
    /// Readable once the worker has ended.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

/// Processor time a process has used so far, in nanoseconds, as of the kernel's last tick or of when it last slept;
/// `None` once it is gone.
pub fn processor_time(process: u32) -> Option<u64> {
    let time = clock_gettime(clock_getcpuclockid(Pid::from_raw(process as i32)).ok()?).ok()?;
    Some(time.tv_sec() as u64 * crate::clock::NANOSECONDS + time.tv_nsec() as u64)
}

/// Makes the calling process die with the thread that started it. `parent` is who that was: if it is already
/// gone, the caller has to end by itself.
///
/// # Errors
/// `ESRCH` if the parent is gone.
pub fn die_with_parent(parent: u32) -> Result<(), Errno> {
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
    if nix::unistd::getppid().as_raw() as u32 == parent { Ok(()) } else { Err(Errno::ESRCH) }
}

/// A descriptor of our own for what this process inherited under a number.
///
/// # Errors
/// `EBADF` if there is nothing.
pub fn inherited(number: i32) -> Result<OwnedFd, Errno> {
    // SAFETY: a system call with integers; a wrong number is an error.
    let copy = Errno::result(unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 0) })?;
    // SAFETY: the kernel just made this descriptor and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// Closes every descriptor of this process but the first three and `kept`: what a worker was not meant to inherit.
/// For the start of a process, while nothing else in it owns a descriptor.
///
/// # Errors
/// `ENOSYS` on kernels before 5.9.
pub fn close_all_but(kept: &[i32]) -> Result<(), Errno> {
    let mut kept: Vec<u32> = kept.iter().filter_map(|number| u32::try_from(*number).ok()).collect();
    kept.sort_unstable();
    let mut first = 3;
    for last in kept.into_iter().map(|number| number - 1).chain([u32::MAX]) {
        if last >= first {
            // SAFETY: a system call with integers; nobody owns a descriptor in this range, as the caller says.
            Errno::result(unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) })?;
        }
        first = last.saturating_add(2);
    }
    Ok(())
}

/// Sets two signals as the supervisor needs them, whatever it was started with: ended children wait to be reaped, so
/// that nobody but [`Worker::ended`] reaps a worker; a file that grows too large is an error and not the end.
pub fn settle_signals() {
    use nix::sys::signal::{SigHandler, signal};
    // SAFETY: the default disposition runs no code of ours.
    let _ = unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) };
    // SAFETY: nor does ignoring a signal.
    let _ = unsafe { signal(Signal::SIGXFSZ, SigHandler::SigIgn) };
}

/// The name under which `ps` and `top` show the calling process; at most 15 bytes are shown.
pub fn set_name(name: &std::ffi::CStr) {
    let _ = nix::sys::prctl::set_name(name);
}

/// A process that dies leaves no core file and is handed to no program that collects them: either would delay the news
/// of its death. A limit of 1 says both: with 0 the kernel would still feed a program (`man 5 core`).
pub fn leave_no_core() {
    let _ = nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_CORE, 1, 1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[expect(clippy::zombie_processes, reason = "`Worker::ended` is what reaps it")]
    fn worker() -> Worker {
        let child = Command::new("sleep").arg("60").spawn().expect("a process to end");
        let pid = Pid::from_raw(child.id() as i32);
        // SAFETY: a plain system call with integers.
        let number = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) };
        assert!(number >= 0, "pidfd_open");
        // SAFETY: the kernel just gave this descriptor to us and nobody else knows it.
        Worker { pid, pidfd: unsafe { OwnedFd::from_raw_fd(number as i32) } }
    }

    fn wait_for_the_end(worker: &Worker) -> Option<End> {
        let started = Instant::now();
        std::iter::repeat_with(|| worker.ended())
            .inspect(|_| std::thread::sleep(Duration::from_millis(1)))
            .find(|end| end.is_some() || started.elapsed() > Duration::from_secs(10))
            .flatten()
    }

    /// A process that traces another one, reaps nothing and lives until this is gone: also if an assertion fails
    /// before.
    struct Debugger(Pid);

    impl Drop for Debugger {
        fn drop(&mut self) {
            let _ = kill(self.0, Signal::SIGKILL);
            let _ = nix::sys::wait::waitpid(self.0, None);
        }
    }

    /// One for `traced`; `None` if that is forbidden.
    fn debugger(traced: Pid) -> Option<Debugger> {
        let (mut told, tell) = std::io::pipe().expect("a pipe");
        // SAFETY: the child makes nothing but system calls: it neither allocates nor returns.
        let child = unsafe { libc::fork() };
        if child == 0 {
            // SAFETY: system calls with integers and a byte that lives longer than they take.
            let traces = unsafe { libc::ptrace(libc::PTRACE_SEIZE, traced.as_raw(), 0, 0) };
            let done = [u8::from(traces == 0)];
            // SAFETY: as above.
            unsafe { libc::write(tell.as_raw_fd(), done.as_ptr().cast(), 1) };
            loop {
                // SAFETY: as above.
                unsafe { libc::pause() };
            }
        }
        assert!(child > 0, "fork");
        let child = Debugger(Pid::from_raw(child));
        let mut done = [0];
        io::Read::read_exact(&mut told, &mut done).expect("the debugger says how it went");
        (done == [1]).then_some(child)
    }

    #[test]
    fn who_is_killed_has_ended_by_that_signal() {
        let worker = worker();
        assert_eq!(worker.ended(), None);
        worker.signal(Signal::SIGKILL);
        assert_eq!(wait_for_the_end(&worker), Some(End::Signal(Signal::SIGKILL)));
    }

    #[test]
    fn a_debugger_does_not_outlive_a_test_that_fails() {
        let worker = worker();
        let traced = worker.pid;
        let failed = std::panic::catch_unwind(move || {
            let debugger = debugger(traced);
            std::panic::panic_any(debugger.as_ref().map(|debugger| debugger.0));
        });
        let pid = failed.expect_err("it fails").downcast::<Option<Pid>>().expect("a process or none");
        if let Some(pid) = *pid {
            assert_eq!(kill(pid, None), Err(Errno::ESRCH), "it is gone, and reaped");
        }
        worker.signal(Signal::SIGKILL);
        assert!(wait_for_the_end(&worker).is_some());
    }

    #[test]
    fn a_dead_worker_that_a_debugger_holds_has_ended() {
        let worker = worker();
        let Some(debugger) = debugger(worker.pid) else {
            println!("SKIPPED: this machine forbids tracing (kernel.yama.ptrace_scope)");
            worker.signal(Signal::SIGKILL);
            return;
        };
        assert_eq!(worker.ended(), None);
        worker.signal(Signal::SIGKILL);
        let end = wait_for_the_end(&worker);
        drop(debugger);
        assert_eq!(end, Some(End::Exit(-1)));
    }
}
