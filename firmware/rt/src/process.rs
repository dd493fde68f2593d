//! Worker processes: started, watched and ended without ever waiting for one that still runs.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use nix::errno::Errno;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

/// A copy of this executable in memory, so that starting a worker needs no disk.
pub struct Executable(File);

impl Executable {
    /// Copies the running executable.
    ///
    /// # Errors
    /// When it cannot be read or memory is used up.
    pub fn copy_of_this() -> io::Result<Self> {
        let mut copy = File::from(memfd_create("chronus", MFdFlags::MFD_CLOEXEC)?);
        io::copy(&mut File::open("/proc/self/exe")?, &mut copy)?;
        Ok(Self(copy))
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
        let mut command = Command::new(executable.path());
        command.arg0(name).args(arguments).process_group(0).stdin(Stdio::null());
        let child = command.spawn()?;
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

    /// Sends a signal. It cannot hit another process: until reaped, the number stays this worker's.
    pub fn signal(&self, signal: Signal) {
        let _ = kill(self.pid, signal);
    }

    /// Reaps it if it has ended; never waits.
    pub fn ended(&self) -> Option<End> {
        match waitid(Id::PIDFd(self.pidfd.as_fd()), WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG) {
            Ok(WaitStatus::Signaled(_, signal, _)) => Some(End::Signal(signal)),
            Ok(WaitStatus::Exited(_, status)) => Some(End::Exit(status)),
            Ok(_) | Err(Errno::EINTR) => None,
            // Reaped by somebody else: gone all the same.
            Err(_) => Some(End::Exit(-1)),
        }
    }
}

impl AsFd for Worker {
    /// Readable once the worker has ended.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
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

/// Takes over a descriptor that this process inherited under a number. Each number is taken over once.
///
/// # Errors
/// `EBADF` if there is none.
pub fn inherited(number: i32) -> Result<OwnedFd, Errno> {
    // SAFETY: only asks about a number; a wrong one is an error.
    Errno::result(unsafe { libc::fcntl(number, libc::F_GETFD) })?;
    // SAFETY: it is open (just asked), and it came through exec, so nothing in this process owns it yet.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}
