"""Attacks on the sandbox, one row each: what is tried, and the outcome that it must have.

A row passes only if its program got as far as trying: the error that stopped it is part of the
outcome. The table needs only the standard library, so that an ordinary user can run it too.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sandboxes.interface import Limits, Profile, RunStatus
from tests.attacks import programs

QUICK = Limits(cpu_time_s=2, wall_time_s=30, memory_mib=128, output_kib=16, scratch_mib=8)
CROWD = Limits(
    cpu_time_s=1, wall_time_s=30, memory_mib=128, output_kib=16, scratch_mib=8, processes=8
)
COMPILER = Limits(cpu_time_s=2, wall_time_s=30, memory_mib=256, scratch_mib=8, processes=8)

EXITED = frozenset({RunStatus.EXITED})


@dataclass(frozen=True, slots=True)
class Attack:
    """One row. `output` is a regular expression for all of standard output and error."""

    name: str
    source: str
    output: str = ".*"
    statuses: frozenset[RunStatus] = EXITED
    limits: Limits = QUICK
    profile: Profile = Profile.PYTHON
    signal: int | None = None
    machine: str | None = None  # where the attack exists only on one kind of processor
    needs_groups: bool = False  # without control groups nothing stops it, and the README says so
    collect: tuple[str, ...] = field(default=())


def ends(*statuses: RunStatus) -> frozenset[RunStatus]:
    return frozenset(statuses)


READING = [
    Attack("the host's files", programs.ROOT_LISTING, "lib64"),
    Attack("the project's source", programs.PROJECT, "nothing"),
    Attack("passwords", programs.opening("/etc/passwd", "/etc/shadow"), "ENOENT ENOENT"),
    Attack("secrets in the environment", programs.ENVIRONMENT, "nothing"),
    Attack("descriptors left open", programs.DESCRIPTORS, r"\[0, 1, 2\]"),
    Attack("other processes", programs.PROCESSES, r"\[1, 2\]"),
    Attack("taking over an init without the filter", programs.INIT_IS_BOUND, "1 2 0"),
    Attack("init's view of files", programs.INIT_ROOT, "nothing"),
    Attack("command lines", programs.COMMAND_LINES, "2 nothing"),
    Attack(
        "kernel memory", programs.opening("/proc/kcore", "/dev/mem"), "E(ACCES|PERM|NOENT) ENOENT"
    ),
    Attack("kernel log", programs.syscalls("syslog:3,0,0"), "syslog EPERM"),
    Attack("kernel log device", programs.opening("/proc/kmsg", "/dev/kmsg"), r"E\w+ ENOENT"),
    Attack("the host's start and disks, in /proc", programs.HOST_IN_PROC, "0 0 0 0"),
    Attack("packages of the host", programs.DIST_PACKAGES, r"\[\]"),
    Attack(
        "names that handles open",
        programs.syscalls("open_by_handle_at:-100,0,0", "name_to_handle_at:-100,0,0,0,0"),
        "open_by_handle_at EPERM name_to_handle_at EPERM",
    ),
]

WRITING = [
    Attack("core_pattern", programs.writing("/proc/sys/kernel/core_pattern"), "EACCES|EROFS"),
    Attack(
        "kernel settings",
        programs.writing(
            "/proc/sys/kernel/hostname",
            "/proc/sys/vm/overcommit_memory",
            "/proc/sys/user/max_user_namespaces",
        ),
        "(EACCES|EROFS|EPERM)( (EACCES|EROFS|EPERM)){2}",
    ),
    Attack("sysrq", programs.writing("/proc/sysrq-trigger"), "EACCES|EROFS|EPERM|ENOENT"),
    Attack(
        "system folders",
        programs.writing(
            "/usr/bin/new", "/usr/lib/new", "/runtime/new", "/new", "/dev/new", "/bin/new"
        ),
        "EROFS( EROFS){5}",
    ),
    Attack("an installed package", programs.writing("/runtime/numpy/__init__.py"), "EROFS"),
    Attack("a system program", programs.writing("/usr/bin/python3"), "EROFS"),
    Attack("device nodes", programs.syscalls("mknodat:-100,b'x',0o60600,0x801"), "mknodat EPERM"),
    Attack("disks", programs.DISKS, "null random urandom zero full|full null random urandom zero"),
    Attack(
        "its own place before the out-of-memory killer",
        programs.writing("/proc/self/oom_score_adj", text="-1000"),
        "EACCES|EPERM|EROFS",
    ),
    Attack(
        "its uid map", programs.writing("/proc/self/uid_map", text="0 0 1"), "EPERM|EACCES|EROFS"
    ),
    Attack(
        "its setgroups",
        programs.writing("/proc/self/setgroups", text="allow"),
        "EPERM|EACCES|EROFS",
    ),
]

PRIVILEGES = [
    Attack("being kernel root", programs.KERNEL_UID, "not root"),
    Attack("capabilities", programs.CAPABILITIES, "0 0 0 0 0"),
    Attack("new privileges", programs.NO_NEW_PRIVILEGES, "1 2"),
    Attack("setuid programs", programs.SETUID_PROGRAMS, "tried no root", limits=CROWD),
    Attack(
        "changing identity",
        programs.syscalls("setuid:0", "setgid:0", "setresuid:0,0,0", "setgroups:0,0", "setfsuid:0"),
        "setuid EPERM setgid EPERM setresuid EPERM setgroups EPERM setfsuid EPERM",
    ),
    Attack("taking capabilities", programs.syscalls("capset:0,0"), "capset EPERM"),
    Attack("unsharing every namespace", programs.UNSHARE, "EPERM( EPERM){7}"),
    Attack("cloning into every namespace", programs.CLONE, "EPERM( EPERM){6}"),
    Attack("clone3, whose flags no filter sees", programs.syscalls("clone3:0,0"), "clone3 ENOSYS"),
    Attack("joining init's namespaces", programs.SETNS, "EPERM|EACCES"),
    Attack(
        "mounting",
        programs.syscalls(
            "mount:b'none',b'/tmp',b'tmpfs',0,0",
            "umount2:b'/proc',2",
            "pivot_root:b'/tmp',b'/tmp'",
            "chroot:b'/tmp'",
            "fsopen:b'tmpfs',0",
            "open_tree:-100,b'/',1",
            "move_mount:-1,b'',-1,b'',0",
            "mount_setattr:-100,b'/',0,0,0",
            "fsmount:-1,0,0",
            "fspick:-100,b'/',0",
        ),
        "mount EPERM umount2 EPERM pivot_root EPERM chroot EPERM fsopen EPERM open_tree EPERM "
        "move_mount EPERM mount_setattr EPERM fsmount EPERM fspick EPERM",
    ),
    Attack(
        "ptrace and its cousins",
        programs.syscalls(
            "ptrace:0,0,0,0",
            "ptrace:16,1,0,0",
            "process_vm_readv:1,0,0,0,0,0",
            "process_vm_writev:1,0,0,0,0,0",
            "pidfd_getfd:0,0,0",
            "kcmp:1,1,0,0,0",
            "process_madvise:0,0,0,0,0",
        ),
        "ptrace EPERM ptrace EPERM process_vm_readv EPERM process_vm_writev EPERM "
        "pidfd_getfd EPERM kcmp EPERM process_madvise EPERM",
    ),
    Attack(
        "its own filter",
        programs.syscalls("seccomp:1,0,0", "prctl:22,2,0,0,0"),
        "seccomp EPERM prctl EPERM",
    ),
    Attack(
        "a personality without protections",
        programs.syscalls("personality:0x0400000"),
        "personality EPERM",
    ),
]

KERNEL = [
    Attack(
        "keyrings",
        programs.syscalls(
            "add_key:b'user',b'a',b'b',1,-4", "request_key:b'user',b'a',0,-4", "keyctl:0,-4,1"
        ),
        "add_key EPERM request_key EPERM keyctl EPERM",
    ),
    Attack(
        "System V memory, queues and semaphores",
        programs.syscalls("shmget:0,4096,0o1600", "msgget:0,0o1600", "semget:0,1,0o1600"),
        "shmget EPERM msgget EPERM semget EPERM",
    ),
    Attack("POSIX queues", programs.syscalls("mq_open:b'q',0o102,0o600,0"), "mq_open EPERM"),
    Attack(
        "doors to kernel bugs",
        programs.syscalls(
            "bpf:0,0,0",
            "perf_event_open:0,0,-1,-1,0",
            "userfaultfd:0",
            "io_uring_setup:8,0",
            "io_uring_enter:0,0,0,0,0,0",
            "memfd_secret:0",
            "vmsplice:0,0,0,0",
            "splice:0,0,0,0,0,0",
        ),
        "bpf EPERM perf_event_open EPERM userfaultfd EPERM io_uring_setup EPERM "
        "io_uring_enter EPERM memfd_secret EPERM vmsplice EPERM splice EPERM",
    ),
    Attack(
        "watching files",
        programs.syscalls("inotify_init1:0", "fanotify_init:0,0"),
        "inotify_init1 EPERM fanotify_init EPERM",
    ),
    Attack(
        "the machine itself",
        programs.syscalls(
            "reboot:0,0,0,0",
            "kexec_load:0,0,0,0",
            "init_module:0,0,b''",
            "delete_module:b'x',0",
            "swapon:b'/tmp/x',0",
            "acct:0",
            "quotactl:0,0,0,0",
            "sethostname:b'x',1",
            "settimeofday:0,0",
            "clock_settime:0,0",
            "adjtimex:0",
            "vhangup:",
            "sync:",
        ),
        " ".join(
            f"{name} EPERM"
            for name in (
                "reboot",
                "kexec_load",
                "init_module",
                "delete_module",
                "swapon",
                "acct",
                "quotactl",
                "sethostname",
                "settimeofday",
                "clock_settime",
                "adjtimex",
                "vhangup",
                "sync",
            )
        ),
    ),
    Attack(
        "a system call newer than the filter",
        programs.syscalls("fchmodat2:-1,b'x',0,0"),
        "fchmodat2 ENOSYS",
    ),
    Attack(
        "the x32 ABI",
        programs.X32,
        statuses=ends(RunStatus.SIGNALLED),
        signal=31,
        machine="x86_64",
        output="trying",
    ),
    Attack(
        "the i386 ABI",
        programs.I386,
        statuses=ends(RunStatus.SIGNALLED),
        signal=31,
        machine="x86_64",
        output="trying",
    ),
    Attack(
        # There is no such descriptor, which the kernel would say: ENOTTY is the filter's answer.
        "input pushed into a terminal",
        programs.syscalls("ioctl:999,0x5412,b'x'", "ioctl:999,0x541C,b'x'"),
        "ioctl ENOTTY ioctl ENOTTY",
    ),
    Attack(
        "terminals",
        programs.opening("/dev/tty", "/dev/ptmx", "/dev/console"),
        "ENOENT ENOENT ENOENT",
    ),
    Attack("raised limits", programs.RAISED_LIMITS, "refused( refused){5}"),
    Attack("init's limits", programs.syscalls("prlimit64:1,7,0,0"), "prlimit64 EPERM"),
    Attack("priority", programs.PRIORITY, "EACCES|EPERM"),
    Attack(
        "real-time scheduling",
        programs.syscalls(
            "sched_setscheduler:0,1,b'\\1\\0\\0\\0'",
            "sched_setattr:0,0,0",
            "ioprio_set:1,0,0",
            "sched_setaffinity:0,8,b'\\1\\0\\0\\0\\0\\0\\0\\0'",
            "mlockall:1",
        ),
        "sched_setscheduler EPERM sched_setattr EPERM ioprio_set EPERM sched_setaffinity EPERM "
        "mlockall EPERM",
    ),
]

NETWORK = [
    Attack("every socket family", programs.SOCKET_FAMILIES, "EPERM"),
    Attack("pairs of other families", programs.SOCKET_PAIRS, "EPERM"),
    Attack("a service on this host", programs.LOOPBACK, "EPERM"),
    Attack("an abstract socket of this host", programs.ABSTRACT, "EPERM EPERM"),
    Attack("interfaces", programs.INTERFACES, "lo"),
]

PROCESSES = [
    Attack(
        "a fork bomb",
        programs.FORK_BOMB,
        limits=CROWD,
        statuses=ends(RunStatus.CPU_TIME_EXCEEDED, RunStatus.WALL_TIME_EXCEEDED),
    ),
    Attack("a thread bomb", programs.THREAD_BOMB, "8", limits=CROWD),
    Attack("a bomb of zombies", programs.ZOMBIES, "7", limits=CROWD),
    Attack("a daemon that outlives its parent", programs.DAEMON, "parent done", limits=CROWD),
    Attack(
        "a process that ignores signals",
        programs.IGNORE,
        "armed",
        limits=CROWD,
        statuses=ends(RunStatus.CPU_TIME_EXCEEDED),
    ),
    Attack(
        "a process that stops itself",
        programs.STOP,
        limits=Limits(wall_time_s=0.5),
        statuses=ends(RunStatus.WALL_TIME_EXCEEDED),
    ),
    Attack("killing everyone", programs.KILL_ALL, "still here", limits=CROWD),
    Attack("killing init", programs.KILL_INIT, "still here"),
    Attack("signals to the host's processes", programs.SIGNAL_HOST, "ESRCH"),
]

RESOURCES = [
    Attack("memory by the heap", programs.HEAP, statuses=ends(RunStatus.MEMORY_EXCEEDED)),
    Attack("memory by many children", programs.HEAP_OF_CHILDREN, limits=CROWD,
        statuses=ends(RunStatus.MEMORY_EXCEEDED)),
    Attack("memory shared by nobody's name", programs.SHARED_MEMORY,
        statuses=ends(RunStatus.MEMORY_EXCEEDED)),
    Attack("memory by memfd", programs.syscalls("memfd_create:b'x',0"), "memfd_create EPERM"),
    Attack("memory by pipe buffers", programs.PIPES, "EPERM EMFILE"),
    Attack("memory by socket buffers", programs.SOCKET_BUFFERS, limits=CROWD,
        statuses=ends(RunStatus.MEMORY_EXCEEDED)),
    Attack("memory by page tables", programs.PAGE_TABLES,
        statuses=ends(RunStatus.MEMORY_EXCEEDED)),
    Attack("memory shared and unmapped", programs.UNMAPPED,
        statuses=ends(RunStatus.MEMORY_EXCEEDED), needs_groups=True),
    Attack("disk by bytes", programs.fill("/tmp"), "ENOSPC [78]"),
    Attack("disk by shared memory", programs.fill("/dev/shm"), "ENOSPC [78]"),
    Attack("disk by depth", programs.DEPTH, "ENOSPC|succeeded"),
    Attack("disk by a sparse file", programs.SPARSE, "EFBIG"),
    Attack(
        "a stack without end",
        programs.RECURSION,
        statuses=ends(RunStatus.SIGNALLED),
        signal=11,
    ),
    Attack("a flood of output", programs.FLOOD, statuses=ends(RunStatus.OUTPUT_EXCEEDED)),
    Attack("a flood of errors", programs.FLOOD.replace("(1,", "(2,"),
        statuses=ends(RunStatus.OUTPUT_EXCEEDED)),
    Attack("a core dump", programs.CORE, r"\['program.py'\]", limits=CROWD),
    Attack("time by sleeping", "import time; time.sleep(60)",
        limits=Limits(wall_time_s=0.3), statuses=ends(RunStatus.WALL_TIME_EXCEEDED)),
]  # fmt: skip

COLLECTION = [
    Attack(
        "a collected link to a secret",
        "import os; os.symlink('/proc/self/environ', 'out')",
        "",
        collect=("out",),
    ),
    Attack(
        "a collected hard link",
        "import os; open('a', 'w').close(); os.link('a', 'out')",
        "",
        collect=("out",),
    ),
    Attack("a collected folder", "import os; os.mkdir('out')", "", collect=("out",)),
    Attack("a working directory moved away", programs.MOVED_HOME, "moved", collect=("out",)),
]

COMPILERS = [
    Attack(
        "including a secret",
        '#include "/etc/passwd"\nint main() {}',
        ".*/etc/passwd: No such file.*",
        profile=Profile.COMPILE_CPP,
        limits=COMPILER,
    ),
    Attack(
        "assembling a secret",
        'asm(".incbin \\"/etc/passwd\\""); int main() {}',
        ".*file not found: /etc/passwd.*",
        profile=Profile.COMPILE_CPP,
        limits=COMPILER,
    ),
    Attack(
        "including a device without end",
        '#include "/dev/zero"\nint main() {}',
        profile=Profile.COMPILE_CPP,
        limits=COMPILER,
        statuses=ends(*RunStatus),
    ),
    Attack(
        "a constexpr bomb",
        programs.CONSTEXPR_BOMB,
        profile=Profile.COMPILE_CPP,
        limits=COMPILER,
        statuses=ends(RunStatus.EXITED, RunStatus.CPU_TIME_EXCEEDED, RunStatus.MEMORY_EXCEEDED),
    ),
    Attack(
        "a template bomb",
        programs.TEMPLATE_BOMB,
        profile=Profile.COMPILE_CPP,
        limits=COMPILER,
        statuses=ends(RunStatus.EXITED, RunStatus.CPU_TIME_EXCEEDED, RunStatus.MEMORY_EXCEEDED),
    ),
    Attack(
        "a huge object",
        "char big[1 << 30] = {1}; int main() {}",
        profile=Profile.COMPILE_CPP,
        limits=COMPILER,
        statuses=ends(RunStatus.EXITED, RunStatus.CPU_TIME_EXCEEDED, RunStatus.MEMORY_EXCEEDED),
    ),
]

ATTACKS = [
    *READING,
    *WRITING,
    *PRIVILEGES,
    *KERNEL,
    *NETWORK,
    *PROCESSES,
    *RESOURCES,
    *COLLECTION,
    *COMPILERS,
]
