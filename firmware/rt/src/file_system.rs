//! File systems by which the kernel shows itself.

use std::path::Path;

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};

/// Has the kernel show its debugging files in `folder`, usually /sys/kernel/debug.
///
/// # Errors
/// `EPERM` without CAP_SYS_ADMIN, `ENODEV` if the kernel has none, `EBUSY` if they are shown there already.
pub fn mount_debugfs(folder: &Path) -> Result<(), Errno> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("debugfs"), folder, Some("debugfs"), flags, None::<&Path>)
}
