"""What the attacks run inside the sandbox. ``@PROJECT@`` and the like are filled in by the test."""

from __future__ import annotations

# Numbers that the table names but the filter's own list does not hold: (x86_64, aarch64).
_NUMBERS = {
    "syslog": (103, 116), "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264),
    "mknodat": (259, 33), "setuid": (105, 146), "setgid": (106, 144), "setresuid": (117, 147),
    "setgroups": (116, 159), "setfsuid": (122, 151), "capset": (126, 91), "unshare": (272, 97),
    "setns": (308, 268), "clone": (56, 220), "clone3": (435, 435), "mount": (165, 40),
    "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "fsopen": (430, 430),
    "open_tree": (428, 428), "move_mount": (429, 429), "mount_setattr": (442, 442),
    "fsmount": (432, 432), "fspick": (433, 433), "ptrace": (101, 117),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "pidfd_getfd": (438, 438),
    "kcmp": (312, 272), "process_madvise": (440, 440), "seccomp": (317, 277), "prctl": (157, 167),
    "personality": (135, 92), "add_key": (248, 217), "request_key": (249, 218),
    "keyctl": (250, 219), "shmget": (29, 194), "msgget": (68, 186), "semget": (64, 190),
    "mq_open": (240, 180), "bpf": (321, 280), "perf_event_open": (298, 241),
    "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "memfd_secret": (447, 447), "ioctl": (16, 29), "vmsplice": (278, 75), "splice": (275, 76),
    "inotify_init1": (294, 26), "fanotify_init": (300, 262), "reboot": (169, 142),
    "kexec_load": (246, 104), "init_module": (175, 105), "delete_module": (176, 106),
    "swapon": (167, 224), "acct": (163, 89), "quotactl": (179, 60), "sethostname": (170, 161),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171),
    "vhangup": (153, 58), "sync": (162, 81), "fchmodat2": (452, 452), "prlimit64": (302, 261),
    "sched_setscheduler": (144, 119), "sched_setattr": (314, 274), "ioprio_set": (251, 30),
    "sched_setaffinity": (203, 122), "mlockall": (151, 230), "memfd_create": (319, 279),
}  # fmt: skip

_PRELUDE = f"""
import ctypes, errno, os, platform
libc = ctypes.CDLL(None, use_errno=True)
NUMBERS = {_NUMBERS!r}
COLUMN = ("x86_64", "aarch64").index(platform.machine())
def call(name, *arguments):
    ctypes.set_errno(0)
    padded = [a if isinstance(a, bytes) else ctypes.c_long(a) for a in arguments]
    returned = libc.syscall(ctypes.c_long(NUMBERS[name][COLUMN]), *padded)
    if returned == -1:
        return errno.errorcode[ctypes.get_errno()]
    return f"returned-{{returned}}"
def attempt(action):
    try:
        action()
    except OSError as error:
        return errno.errorcode[error.errno]
    return "succeeded"
"""


def syscalls(*calls: str) -> str:
    """Make each call, ``name:arguments``, and print its name and how it failed."""
    lines = []
    for call in calls:
        name, _, arguments = call.partition(":")
        lines.append(f'said.append("{name} " + call("{name}", {arguments}))')
    return _PRELUDE + "said = []\n" + "\n".join(lines) + '\nprint(" ".join(said))\n'


def opening(*paths: str) -> str:
    """Try to read a byte of each path."""
    return _PRELUDE + f"print(*(attempt(lambda: open(p, 'rb').read(1)) for p in {paths!r}))\n"


def writing(*paths: str, text: str = "x") -> str:
    """Try to write to each path."""
    return _PRELUDE + (
        f"def write(path):\n    with open(path, 'w') as file: file.write({text!r})\n"
        f"print(*(attempt(lambda: write(p)) for p in {paths!r}))\n"
    )


def fill(folder: str) -> str:
    """Write files of a mebibyte until told to stop; print the error and the mebibytes."""
    return _PRELUDE + (
        "count = 0\n"
        "def more():\n"
        "    global count\n"
        "    while count < 40:\n"
        f"        with open(f'{folder}/{{count}}', 'wb', 0) as file:\n"
        "            written = file.write(bytes(1 << 20))\n"
        "            if written < 1 << 20: file.write(bytes(1 << 20))\n"
        "        count += 1\n"
        "said = attempt(more)\nprint(said, count)\n"
    )


_FIND_SECRET = """
def hunt(paths):
    for path in paths:
        try:
            if b"@SECRET@" in open(path, "rb").read(1 << 20):
                return path
        except OSError:
            pass
    return "nothing"
"""

ROOT_LISTING = """
import os
known = {"bin", "dev", "lib", "lib64", "proc", "runtime", "scratch", "tmp", "usr"}
print(*sorted(set(os.listdir("/")) ^ known | {"lib64"}))
"""
PROJECT = """
import os
places = ["@PROJECT@", "/proc/self/cwd@PROJECT@", "/proc/1/root@PROJECT@", "/proc/1/cwd@PROJECT@"]
print(*([p for p in places if os.path.exists(p)] or ["nothing"]))
"""
ENVIRONMENT = (
    "import glob, os\n"
    + _FIND_SECRET
    + "inherited = [n for n in os.environ if '@SECRET@' in os.environ[n]]\n"
    "print(*inherited, hunt(glob.glob('/proc/*/environ')))\n"
)
DESCRIPTORS = """
import os
found = []
for fd in range(1024):
    try:
        os.fstat(fd)
        found.append(fd)
    except OSError:
        pass
print(found)
"""
PROCESSES = "import os; print(sorted(int(p) for p in os.listdir('/proc') if p.isdigit()))"
INIT_ROOT = """
import os
places = ["/proc/1/root/etc", "/proc/1/root/oldroot", "/proc/1/cwd/etc", "/oldroot", "/newroot"]
print(*([p for p in places if os.path.exists(p)] or ["nothing"]))
"""
COMMAND_LINES = """
import glob
lines = [open(path, "rb").read() for path in glob.glob("/proc/[0-9]*/cmdline")]
words = [b"@PROJECT@", b"@SECRET@", b"ro-bind", b"/var/lib"]
print(sum(map(bool, lines)), *([w for w in words if w in b"".join(lines)] or ["nothing"]))
"""
HOST_IN_PROC = """
told = []
for name in ("cmdline", "diskstats", "interrupts", "partitions"):
    try:
        told.append(len(open(f"/proc/{name}", "rb").read()))
    except OSError:
        told.append(0)
print(*told)
"""
DIST_PACKAGES = """
import os
found = os.listdir("/usr/lib/python3/dist-packages") + (
    os.listdir("/usr/local") if os.path.exists("/usr/local") else [])
print(found)
"""
DISKS = (
    "import os; print(*sorted(n for n in os.listdir('/dev') if not os.path.islink('/dev/' + n)))"
)

KERNEL_UID = """
import os
inside, outside, count = map(int, open("/proc/self/uid_map").read().split())
kernel_uid = outside + os.getuid() - inside
print("not root" if kernel_uid != 0 and os.getuid() != 0 and count == 1 else f"uid {kernel_uid}")
"""
CAPABILITIES = """
lines = open("/proc/self/status").read().splitlines()
print(*(int(line.split()[1], 16) for line in lines if line.startswith("Cap")))
"""
NO_NEW_PRIVILEGES = """
fields = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
print(fields["NoNewPrivs"].strip(), fields["Seccomp"].strip())
"""
INIT_IS_BOUND = """
fields = dict(line.split(":", 1) for line in open("/proc/1/status").read().splitlines())
print(*(int(fields[name], 16) for name in ("NoNewPrivs", "Seccomp", "CapBnd")))
"""
SETUID_PROGRAMS = """
import os, stat, subprocess
found = [os.path.join("/usr/bin", name) for name in os.listdir("/usr/bin")]
found = [p for p in found if os.path.isfile(p) and os.stat(p).st_mode & stat.S_ISUID]
mine = "/tmp/mine"
with open("/usr/bin/id", "rb") as source, open(mine, "wb") as copy:
    copy.write(source.read())
os.chmod(mine, 0o6755)
print("tried", end=" ")
assert os.statvfs("/usr/bin").f_flag & os.ST_NOSUID and os.statvfs("/tmp").f_flag & os.ST_NOSUID
pid = os.posix_spawn(mine, [mine, "-u"], {}, file_actions=[
    (os.POSIX_SPAWN_OPEN, 1, "/tmp/said", os.O_WRONLY | os.O_CREAT, 0o600)])
os.waitpid(pid, 0)
print("root" if open("/tmp/said").read().strip() == "0" else "no root")
"""
UNSHARE = (
    _PRELUDE
    + """
flags = [0x20000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000, 0x80]
print(*(call("unshare", flag) for flag in flags))
"""
)
CLONE = (
    _PRELUDE
    + """
flags = [0x20000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000]
said = []
for flag in flags:
    returned = call("clone", flag | 17, 0, 0, 0, 0)
    if returned == "returned-0":
        os._exit(0)
    said.append(returned)
print(*said)
"""
)
SETNS = (
    _PRELUDE
    + """
def join():
    fd = os.open("/proc/1/ns/user", os.O_RDONLY)
    said = call("setns", fd, 0)
    raise OSError(getattr(errno, said, 0), said)
print(attempt(join))
"""
)
X32 = (
    _PRELUDE
    + """
print("trying", flush=True)
libc.syscall(ctypes.c_long(39 | 0x40000000))
print("survived")
"""
)
I386 = """
import ctypes, mmap
print("trying", flush=True)
# mov eax, 20 (getpid); int 0x80; ret
code = bytes.fromhex("b814000000cd80c3")
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(code)
address = ctypes.addressof(ctypes.c_char.from_buffer(page))
ctypes.CFUNCTYPE(ctypes.c_int)(address)()
print("survived")
"""
RAISED_LIMITS = """
import resource
said = []
for kind in ("NPROC", "CPU", "FSIZE", "NOFILE", "CORE", "MEMLOCK"):
    kind = getattr(resource, "RLIMIT_" + kind)
    hard = resource.getrlimit(kind)[1]
    try:
        resource.setrlimit(kind, (hard + 1, hard + 1))
        said.append("raised")
    except (ValueError, OSError):
        said.append("refused")
print(*said)
"""
PRIORITY = _PRELUDE + "print(attempt(lambda: os.nice(-5)))\n"
SOCKET_FAMILIES = (
    _PRELUDE
    + """
import socket
said = set()
for family in range(64):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
        said.add(attempt(lambda: socket.socket(family, kind)))
print(*said)
"""
)
SOCKET_PAIRS = (
    _PRELUDE
    + """
import socket
families = [n for n in range(64) if n != socket.AF_UNIX]
print(*{attempt(lambda: socket.socketpair(family)) for family in families})
"""
)
LOOPBACK = (
    _PRELUDE
    + """
import socket
print(attempt(lambda: socket.create_connection(("127.0.0.1", int("@PORT@")), 1)))
"""
)
ABSTRACT = (
    _PRELUDE
    + """
import socket
pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
name = "\\0@ABSTRACT@"
print(attempt(lambda: pair[0].sendto(b"x", name)), attempt(lambda: pair[0].connect(name)))
"""
)
INTERFACES = """
lines = open("/proc/net/dev").read().splitlines()[2:]
print(*(line.split(":")[0].strip() for line in lines))
"""
FORK_BOMB = """
import os
while True:
    try:
        os.fork()
    except OSError:
        pass
"""
THREAD_BOMB = """
import threading, time
count = 1
try:
    while count < 100:
        threading.Thread(target=time.sleep, args=(0.3,)).start()
        count += 1
except RuntimeError:
    pass
print(count)
"""
ZOMBIES = """
import os
count = 0
try:
    while count < 100:
        if os.fork() == 0:
            os._exit(0)
        count += 1
except OSError:
    pass
print(count)
"""
DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for fd in (0, 1, 2):
            os.close(fd)
        while True:
            time.sleep(0.01)
    os._exit(0)
time.sleep(0.1)
print("parent done")
"""
IGNORE = """
import os, signal
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
print("armed", flush=True)
os.fork()
while True:
    pass
"""
STOP = "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)"
KILL_ALL = """
import os, signal, time
if os.fork() == 0:
    time.sleep(10)
try:
    os.kill(-1, signal.SIGTERM)
except OSError:
    pass
print("still here")
"""
KILL_INIT = """
import os, signal
for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGSEGV):
    os.kill(1, number)
print("still here")
"""
SIGNAL_HOST = _PRELUDE + "print(attempt(lambda: os.kill(int('@HOST_PID@'), 9)))\n"
HEAP = "kept = []\nwhile True: kept.append(bytearray(1 << 20))"
HEAP_OF_CHILDREN = """
import os, time
for _ in range(5):
    if os.fork() == 0:
        kept = bytearray(50 << 20)
        time.sleep(10)
time.sleep(10)
"""
SHARED_MEMORY = """
import mmap, time
kept = []
for _ in range(40):
    page = mmap.mmap(-1, 10 << 20)
    for offset in range(0, 10 << 20, 4096):
        page[offset] = 1
    kept.append(page)
time.sleep(1)
"""
PIPES = (
    _PRELUDE
    + """
import fcntl
kept = []
def more():
    while True:
        ends = os.pipe2(os.O_NONBLOCK)
        kept.append(ends)
        try:
            while True:
                os.write(ends[1], bytes(65536))
        except BlockingIOError:
            pass
said = attempt(lambda: fcntl.fcntl(os.pipe()[1], 1031, 1 << 20))
print(said, attempt(more))
"""
)
SOCKET_BUFFERS = """
import os, socket, time
for _ in range(7):
    if os.fork() == 0:
        break
kept = []
try:
    while True:
        kept.append(socket.socketpair())
        for end in kept[-1]:
            end.setblocking(False)
            try:
                while True:
                    os.write(end.fileno(), bytes(65536))
            except BlockingIOError:
                pass
except OSError:
    pass
time.sleep(10)
"""
# Pages that are only read are all the same page of zeros; the tables that lead to it are not.
PAGE_TABLES = """
import mmap, time
GIB = 1 << 30
kept = []
for _ in range(200):
    kept.append(mmap.mmap(-1, GIB, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.PROT_READ))
    for offset in range(0, GIB, 2 << 20):
        kept[-1][offset]
time.sleep(10)
"""
# What is shared between processes stays when the one process that has it maps it no longer.
UNMAPPED = """
import mmap, time
MIB = 1 << 20
page = mmap.mmap(-1, 400 * MIB)
for offset in range(0, 400 * MIB, MIB):
    page[offset : offset + MIB] = bytes(MIB)
    page.madvise(mmap.MADV_DONTNEED, offset, MIB)
time.sleep(10)
"""
DEPTH = (
    _PRELUDE
    + """
def deeper():
    for _ in range(20000):
        os.mkdir("d")
        os.chdir("d")
print(attempt(deeper))
"""
)
LATE_WRITER = """
import os, time
if os.fork() == 0:
    os.setsid()
    out = os.open("out", os.O_CREAT | os.O_WRONLY)
    count = 0
    while True:
        count += 1
        os.pwrite(out, b"%020d" % count, 0)
while not os.path.exists("out") or os.path.getsize("out") == 0:
    time.sleep(0.001)
print("parent done")
"""
SPARSE = (
    _PRELUDE
    + """
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
print(attempt(lambda: open("/tmp/sparse", "wb").truncate(1 << 40)))
"""
)
RECURSION = """
import ctypes
libc = ctypes.CDLL(None)
CALL = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
values = (ctypes.c_int * 2)(2, 1)
@CALL
def deeper(a, b):
    libc.qsort(values, 2, 4, deeper)
    return 0
import sys
sys.setrecursionlimit(10**9)
deeper(None, None)
"""
FLOOD = "import os\nwhile True: os.write(1, b'x' * 65536)"
CORE = """
import os
if os.fork() == 0:
    os.abort()
os.wait()
print(os.listdir("."))
"""
MOVED_HOME = """
import os
try:
    os.mkdir("/scratch/elsewhere")
    os.symlink("/proc/self", "/scratch/elsewhere/out")
    os.rename("/scratch/home", "/scratch/moved")
    os.symlink("/scratch/elsewhere", "/scratch/home")
except OSError:
    pass
print("moved")
"""
CONSTEXPR_BOMB = """
constexpr unsigned long f(unsigned long n) { unsigned long s = 0;
  for (unsigned long i = 0; i < n; ++i) for (unsigned long j = 0; j < n; ++j) s += i ^ j;
  return s; }
constexpr auto value = f(10000000);
int main() { return value; }
"""
TEMPLATE_BOMB = """
template <int N, int M> struct Bomb { static constexpr long value =
  Bomb<N - 1, M * 2>::value + Bomb<N - 1, M * 2 + 1>::value; };
template <int M> struct Bomb<0, M> { static constexpr long value = M; };
int main() { return Bomb<22, 1>::value; }
"""
