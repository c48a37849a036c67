"""Runs to the end: what comes back, and which limit ended what."""

from __future__ import annotations

import threading
import time

import pytest

from sandboxes.interface import Command, Limits, Profile, RunStatus, SandboxError
from tests.sandboxes.conftest import AnySandbox
from tests.sandboxes.programs import compile_cpp, python
from tests.tries import best_of_tries


def test_output_and_errors_come_back_apart(sandbox: AnySandbox) -> None:
    result = sandbox.run(python("import sys; print('out'); print('err', file=sys.stderr)"))
    assert result.status is RunStatus.EXITED
    assert (result.exit_code, result.signal) == (0, None)
    assert (result.stdout, result.stderr) == (b"out\n", b"err\n")
    assert not result.output_truncated


def test_the_exit_code_comes_back(sandbox: AnySandbox) -> None:
    result = sandbox.run(python("raise SystemExit(42)"))
    assert (result.status, result.exit_code) == (RunStatus.EXITED, 42)


def test_the_signal_of_a_crash_comes_back(sandbox: AnySandbox) -> None:
    result = sandbox.run(python("import os; os.abort()"))
    assert (result.status, result.exit_code, result.signal) == (RunStatus.SIGNALLED, None, 6)


def test_a_program_that_does_not_exist_is_not_our_fault(sandbox: AnySandbox) -> None:
    result = sandbox.run(Command(("/usr/bin/no-such-program",), Profile.RUN_CPP))
    assert (result.status, result.exit_code) == (RunStatus.EXITED, 127)


def test_standard_input_is_read_as_given(sandbox: AnySandbox) -> None:
    data = bytes(range(256)) * 1000
    command = python("import sys; sys.stdout.buffer.write(sys.stdin.buffer.read()[::-1])")
    assert sandbox.run(command, stdin=data).stdout == data[::-1]


def test_without_input_a_program_reads_the_end_at_once(any_sandbox: AnySandbox) -> None:
    assert any_sandbox.run(python("import sys; print(repr(sys.stdin.read()))")).stdout == b"''\n"


def test_numpy_is_there_and_no_other_package(any_sandbox: AnySandbox) -> None:
    command = python(
        "import numpy, sys; print(numpy.arange(4).sum(), numpy.__file__)\n"
        "for name in ('django', 'pip', 'sandboxes'):\n"
        "    try: __import__(name); print('found', name)\n"
        "    except ImportError: pass\n"
    )
    assert any_sandbox.run(command).stdout == b"6 /runtime/numpy/__init__.py\n"


def test_files_lie_in_the_working_directory_with_folders(any_sandbox: AnySandbox) -> None:
    command = Command(
        argv=("python", "main.py"),
        files={
            "main.py": b"import pack.part; print(pack.part.NAME, open('d\xc3\xa9/x').read())",
            "pack/__init__.py": b"",
            "pack/part.py": "NAME = 'größer'".encode(),
            "dé/x": b"",
        },
    )
    result = any_sandbox.run(command)
    assert result.stdout == "größer \n".encode(), result.stderr


def test_files_cannot_be_changed_by_the_program(any_sandbox: AnySandbox) -> None:
    source = (
        "import os\n"
        "for attempt in (lambda: open('program.py', 'w'), lambda: os.unlink('program.py'),\n"
        "                lambda: os.chmod('program.py', 0o777),\n"
        "                lambda: os.rename('program.py', 'other')):\n"
        "    try: attempt(); print('changed')\n"
        "    except OSError: print('kept')\n"
    )
    assert any_sandbox.run(python(source)).stdout == b"kept\n" * 4


@pytest.mark.parametrize("name", ["/etc/passwd", "../escape", "a/../../b", ""])
def test_a_file_can_only_be_laid_inside(any_sandbox: AnySandbox, name: str) -> None:
    with pytest.raises(SandboxError, match="relative path"):
        any_sandbox.run(Command(("python", "-V"), files={name: b""}))


def test_a_name_that_is_neither_python_nor_absolute_is_refused(
    any_sandbox: AnySandbox,
) -> None:
    with pytest.raises(SandboxError, match=r"argv\[0\] must be python or an absolute path"):
        any_sandbox.run(Command(("sh",)))


def test_cpu_time_is_limited_within_a_tenth(sandbox: AnySandbox) -> None:
    result = best_of_tries(
        lambda: sandbox.run(python("while True: pass", Limits(cpu_time_s=0.5))),
        lambda result: result.cpu_time_s <= 0.55,
    )
    assert result.status is RunStatus.CPU_TIME_EXCEEDED
    assert 0.5 <= result.cpu_time_s <= 0.55


def test_cpu_time_counts_over_all_processes(sandbox: AnySandbox) -> None:
    source = "import os\nfor _ in range(3): os.fork()\nwhile True: pass"
    result = best_of_tries(
        lambda: sandbox.run(python(source, Limits(cpu_time_s=0.6, wall_time_s=60, processes=8))),
        lambda result: result.cpu_time_s <= 0.9,
    )
    assert result.status is RunStatus.CPU_TIME_EXCEEDED
    assert 0.6 <= result.cpu_time_s <= 0.9


def test_cpu_time_of_children_that_are_gone_counts(sandbox: AnySandbox) -> None:
    source = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    end = time.process_time() + 0.2\n"
        "    while time.process_time() < end: pass\n"
        "    os._exit(0)\n"
        "os.wait()"
    )
    result = sandbox.run(python(source, Limits(processes=2)))
    assert result.status is RunStatus.EXITED
    assert result.cpu_time_s >= 0.2


def test_wall_time_is_limited_for_a_sleeper(sandbox: AnySandbox) -> None:
    source = (
        "import signal, time\n"
        "for number in range(1, 32):\n"
        "    try: signal.signal(number, signal.SIG_IGN)\n"
        "    except OSError: pass\n"
        "print('armed'); time.sleep(60)"
    )
    result = best_of_tries(
        lambda: sandbox.run(python(source, Limits(wall_time_s=0.5))),
        lambda result: result.wall_time_s <= 0.55 and result.stdout == b"armed\n",
    )
    assert result.status is RunStatus.WALL_TIME_EXCEEDED
    assert 0.5 <= result.wall_time_s <= 0.55
    assert result.cpu_time_s < 0.3
    assert result.stdout == b"armed\n"


def test_memory_over_the_limit_is_told_as_such(sandbox: AnySandbox) -> None:
    source = "kept = []\nwhile True: kept.append(bytearray(1 << 20))"
    result = sandbox.run(python(source, Limits(memory_mib=96)))
    assert result.status is RunStatus.MEMORY_EXCEEDED
    assert result.memory_mib >= 86


def test_memory_below_the_limit_is_not_refused(sandbox: AnySandbox) -> None:
    source = "import time; data = bytearray(80 << 20); time.sleep(0.15); print(len(data) >> 20)"
    result = sandbox.run(python(source, Limits(memory_mib=96)))
    assert (result.status, result.stdout) == (RunStatus.EXITED, b"80\n")
    assert 80 <= result.memory_mib <= 88


def test_memory_counts_over_all_processes(sandbox: AnySandbox) -> None:
    source = (
        "import os, time\n"
        "for _ in range(3):\n"
        "    if os.fork() == 0:\n"
        "        data = bytearray(40 << 20); time.sleep(5); os._exit(0)\n"
        "time.sleep(5)"
    )
    result = sandbox.run(python(source, Limits(memory_mib=96, processes=4)))
    assert result.status is RunStatus.MEMORY_EXCEEDED


def test_the_number_of_processes_is_limited_exactly(sandbox: AnySandbox) -> None:
    source = (
        "import threading, time\n"
        "count = 1\n"
        "try:\n"
        "    while count < 20:\n"
        "        threading.Thread(target=time.sleep, args=(0.3,)).start(); count += 1\n"
        "except RuntimeError: pass\n"
        "print(count)"
    )
    assert sandbox.run(python(source, Limits(processes=5))).stdout == b"5\n"
    assert sandbox.run(python(source, Limits(processes=1))).stdout == b"1\n"


def test_output_is_cut_at_the_cap_and_says_so(sandbox: AnySandbox) -> None:
    source = "import sys; print('x' * 6000); print('y' * 6000, file=sys.stderr)"
    result = sandbox.run(python(source, Limits(output_kib=8)))
    assert result.status is RunStatus.EXITED
    assert result.output_truncated
    assert len(result.stdout) + len(result.stderr) == 8192


def test_output_of_exactly_the_cap_is_whole(any_sandbox: AnySandbox) -> None:
    result = any_sandbox.run(python("print('x' * 8191)", Limits(output_kib=8)))
    assert (len(result.stdout), result.output_truncated) == (8192, False)


def test_a_flood_of_output_ends_the_run(sandbox: AnySandbox) -> None:
    source = "import os\nwhile True: os.write(1, b'x' * 65536)"
    result = sandbox.run(python(source, Limits(output_kib=8)))
    assert result.status is RunStatus.OUTPUT_EXCEEDED
    assert len(result.stdout) == 8192


def test_scratch_space_is_limited_in_bytes(sandbox: AnySandbox) -> None:
    source = (
        "written = 0\n"
        "try:\n"
        "    for part in range(8):\n"
        "        with open(f'/tmp/{part}', 'wb', 0) as file:\n"
        "            for _ in range(2): written += file.write(b'x' * (1 << 20))\n"
        "except OSError as error: print(error.strerror)\n"
        "print(written)"
    )
    result = sandbox.run(python(source, Limits(scratch_mib=8)))
    said, written = result.stdout.split(b"\n")[:2]
    assert said == b"No space left on device"
    assert 7 << 20 <= int(written) <= 8 << 20


def test_scratch_space_is_limited_in_inodes(any_sandbox: AnySandbox) -> None:
    if not any_sandbox.host.bounds_inodes:
        pytest.skip("an ordinary user cannot mount a tmpfs with an inode limit")
    source = (
        "count = 0\n"
        "try:\n"
        "    while count < 500: open(f'/tmp/{count}', 'w').close(); count += 1\n"
        "except OSError as error: print(error.strerror, count)"
    )
    result = any_sandbox.run(python(source, Limits(scratch_inodes=100)))
    assert result.stdout == b"No space left on device 100\n"


def test_files_that_a_program_leaves_are_collected(sandbox: AnySandbox) -> None:
    source = "import os; os.mkdir('out'); open('out/a', 'wb').write(bytes(range(256)))"
    result = sandbox.run(python(source, collect=("out/a", "missing")))
    assert result.collected == {"out/a": bytes(range(256))}


def test_files_are_collected_from_a_program_that_was_killed(sandbox: AnySandbox) -> None:
    source = "open('early', 'w').write('kept')\nwhile True: pass"
    result = sandbox.run(python(source, Limits(cpu_time_s=0.2), collect=("early",)))
    assert result.status is RunStatus.CPU_TIME_EXCEEDED
    assert result.collected == {"early": b"kept"}


@pytest.mark.parametrize(
    "trick",
    [
        "os.symlink('/proc/self/environ', 'out')",
        "os.symlink('secret', 'out')",
        "os.link('secret', 'out')",
        "os.mkdir('out')",
        "os.mkfifo('out')",
    ],
)
def test_only_plain_files_are_collected(any_sandbox: AnySandbox, trick: str) -> None:
    source = f"import os\nopen('secret', 'w').write('x')\ntry: {trick}\nexcept OSError: pass"
    result = any_sandbox.run(python(source, collect=("out", "secret")))
    assert "out" not in result.collected


def test_cpp_is_compiled_in_one_sandbox_and_run_in_another(sandbox: AnySandbox) -> None:
    source = (
        "#include <iostream>\n#include <thread>\n"
        "int main() { int sum = 0; std::thread worker([&] { sum = 42; }); worker.join();\n"
        "  std::cout << sum << '\\n'; }\n"
    )
    compiled = sandbox.run(compile_cpp(source))
    assert (compiled.status, compiled.exit_code) == (RunStatus.EXITED, 0), compiled.stderr
    run = Command(
        ("/scratch/home/program",),
        Profile.RUN_CPP,
        files=compiled.collected,
        limits=Limits(processes=2),
    )
    assert sandbox.run(run).stdout == b"42\n"


def test_a_compiler_error_is_the_programs_own(any_sandbox: AnySandbox) -> None:
    result = any_sandbox.run(compile_cpp("int main() { return undeclared; }"))
    assert (result.status, result.exit_code) == (RunStatus.EXITED, 1)
    assert b"undeclared" in result.stderr
    assert result.collected == {}


def test_a_run_that_is_waited_for_can_be_ended_from_another_thread(sandbox: AnySandbox) -> None:
    with sandbox.begin(python("import time; time.sleep(60)", Limits(wall_time_s=120))) as run:
        ending = threading.Timer(0.2, run.close)
        ending.start()
        before_s = time.monotonic()
        result = run.wait()
        assert result.status is RunStatus.KILLED
        assert time.monotonic() - before_s < 20
        ending.join()
        assert run.close() is result


def test_what_a_waiting_run_has_used_is_told(sandbox: AnySandbox) -> None:
    source = "import time\nwhile time.process_time() < 0.3: pass\ntime.sleep(60)"
    with sandbox.begin(python(source)) as run:
        deadline = time.monotonic() + 20
        while run.usage()[0] < 0.25:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert run.close().cpu_time_s >= 0.25


def test_hash_order_is_the_same_in_every_run(any_sandbox: AnySandbox) -> None:
    command = python("print(hash('a'))")
    assert any_sandbox.run(command).stdout == any_sandbox.run(command).stdout


def test_python_is_that_of_the_system(any_sandbox: AnySandbox) -> None:
    result = any_sandbox.run(python("import sys; print(sys.executable)"))
    assert result.stdout == b"/usr/bin/python3\n"


def test_a_few_sockets_and_pipes_cost_a_right_program_little(sandbox: AnySandbox) -> None:
    """Without control groups they count as if they were full; an event loop has a pair."""
    plain = sandbox.run(python("import asyncio, time; time.sleep(0.2)"))
    looping = sandbox.run(python("import asyncio; asyncio.run(asyncio.sleep(0.2))"))
    assert looping.status is RunStatus.EXITED, looping.stderr
    assert looping.memory_mib < plain.memory_mib + 4
