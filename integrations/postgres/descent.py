"""How root starts a program that refuses to be root.

PostgreSQL will not run as root, for good reason, and a container's only user is often root. Two
ways lead down. The first is a user namespace in which root appears as an ordinary user: nothing
on the disk changes its owner. Where the kernel or the container's profile refuses that, the
program becomes `nobody`, owns its own directories, and keeps the one right to walk through the
directories of others, because a checkout may lie under a closed /root.
"""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 1, 8, 47, 2
_CAPABILITY_VERSION_3, _CAP_DAC_OVERRIDE = 0x20080522, 1

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Descent:
    """Who a child process becomes: the owner its files need, and the step it takes before exec."""

    uid: int
    gid: int
    step: Callable[[], None]

    def own(self, path: Path) -> None:
        """Give the tree at `path` to the child, unless it owns it already."""
        if path.stat().st_uid == self.uid:
            return
        for folder, _, names in os.walk(path):
            for name in (folder, *(os.path.join(folder, name) for name in names)):
                os.chown(name, self.uid, self.gid, follow_symlinks=False)


def stay() -> Descent:
    """Remain who we are."""
    return Descent(os.geteuid(), os.getegid(), lambda: None)


def into_user_namespace() -> Descent:
    """Root on the disk, uid 1 in the program's own eyes."""
    return Descent(0, 0, _enter_user_namespace)


def to_nobody() -> Descent:
    """Become `nobody` for good, on the disk as well."""
    nobody = pwd.getpwnam("nobody")
    return Descent(nobody.pw_uid, nobody.pw_gid, lambda: _become(nobody.pw_uid, nobody.pw_gid))


def choose_descent(program: Path, workplace: Path) -> Descent:
    """The gentlest descent that can execute `program` and write to `workplace` here."""
    if os.geteuid() != 0:
        return stay()
    return into_user_namespace() if _namespace_serves(program, workplace) else to_nobody()


def die_with_parent() -> None:
    """Ask the kernel for SIGINT when the thread that started this process ends."""
    if sys.platform == "linux":
        _checked(_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0))


def _checked(result: int) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _enter_user_namespace() -> None:
    _checked(_libc.unshare(_CLONE_NEWUSER))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text("1 0 1")
    Path("/proc/self/gid_map").write_text("1 0 1")


def _namespace_serves(program: Path, workplace: Path) -> bool:
    def rehearse() -> None:
        _enter_user_namespace()
        if not os.access(workplace, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(workplace)

    try:
        subprocess.run(
            [program, "--version"],
            preexec_fn=rehearse,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except (OSError, AttributeError, subprocess.SubprocessError):
        return False
    return True


def _become(uid: int, gid: int) -> None:
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if sys.platform == "linux":
        _keep_passage()


def _keep_passage() -> None:
    """Keep CAP_DAC_OVERRIDE across exec; without it only world-readable paths can be used."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    passage = 1 << _CAP_DAC_OVERRIDE
    # effective, permitted, inheritable of capabilities 0 to 31; then the same of 32 to 63
    sets = (ctypes.c_uint32 * 6)(passage, passage, passage, 0, 0, 0)
    if _libc.capset(header, sets) == 0:
        _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)
