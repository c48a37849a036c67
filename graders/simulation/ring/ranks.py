"""The programs of the ranks: started together, kept while they are idle, replaced when not."""

from __future__ import annotations

from graders.endings import how_it_ended
from graders.harness import wire
from graders.harness_files import harness_files
from graders.ports import Launcher, Outcome, Output, Program, ProgramLimits, ProgramSpec
from graders.text import Text, clean, from_sandbox, say
from graders.verdict import JsonObject


class ImportFailed(Exception):
    """The submission could not be imported: the candidate's fault.

    `output` is what Python said, the candidate's own lines only, or what the program printed.
    """

    def __init__(self, text: Text, output: str) -> None:
        super().__init__(text)
        self.text = text
        self.output = output


class Ranks:
    """Up to 16 programs, one a rank, each in a sandbox of its own."""

    def __init__(
        self, launcher: Launcher, source: bytes, entry_point: str, limits: ProgramLimits
    ) -> None:
        self._launcher = launcher
        self._limits = limits
        self._spec = ProgramSpec(
            argv=("python", "-m", "graders.harness.collective", entry_point),
            files={
                **harness_files("collective.py", "candidate.py", "wire.py"),
                "submission.py": source,
            },
            limits=limits,
        )
        self._programs: dict[int, Program] = {}
        self._fresh: set[int] = set()
        self._last_output: dict[int, Output] = {}  # of programs closed since last asked
        self._peak_mib = 0.0

    def ensure(self, n_ranks: int) -> None:
        """Have ranks 0 to `n_ranks` - 1 ready; those missing are started before any is awaited.

        Raises
        ------
        ImportFailed
            If the submission cannot be imported, or has no entry point.
        """
        for rank in range(n_ranks):
            if rank not in self._programs:
                self._programs[rank] = self._launcher.start(self._spec)
                self._fresh.add(rank)
        for rank in sorted(self._fresh):
            try:
                self._await_ready(self._programs[rank])
            except ImportFailed:
                self.close()
                raise
            self._fresh.discard(rank)

    def send(self, rank: int, message: JsonObject, *blobs: bytes) -> None:
        """Tell one rank something."""
        self._programs[rank].send(wire.pack(message, *blobs))

    def receive(self, rank: int, time_limit_s: float) -> bytes | Outcome:
        """One rank's next frame, or how its program ended."""
        return self._programs[rank].receive(time_limit_s)

    def discard(self, ranks: set[int]) -> None:
        """Close what runs of these ranks' programs; `ensure` starts fresh ones."""
        for rank in ranks & set(self._programs):
            program = self._programs.pop(rank)
            self._peak_mib = max(self._peak_mib, program.close().memory_mib)
            self._last_output[rank] = program.take_output()
            self._fresh.discard(rank)

    def close(self) -> None:
        """Close all programs."""
        self.discard(set(self._programs))

    def take_output(self) -> Output:
        """What the ranks printed since last asked, each line with its rank, within the limit."""
        lines: list[str] = []
        truncated = False
        outputs = self._last_output | {
            rank: program.take_output() for rank, program in self._programs.items()
        }
        self._last_output = {}
        for rank, output in sorted(outputs.items()):
            truncated = truncated or output.truncated
            lines += [f"[rank {rank}] {line}\n" for line in output.text.splitlines()]
        text = "".join(lines)
        limit = self._limits.output_kib * 1024
        return Output(text[:limit], truncated or len(text) > limit)

    def memory_mib(self) -> float:
        """The largest peak of any rank's program."""
        usages = [program.usage().memory_mib for program in self._programs.values()]
        self._peak_mib = max([self._peak_mib, *usages])
        return self._peak_mib

    def _await_ready(self, program: Program) -> None:
        answer = program.receive(self._limits.wall_time_s)
        if isinstance(answer, Outcome):
            raise ImportFailed(
                say(
                    "the submission must be imported without ending its program, but {fact}",
                    fact=how_it_ended(answer),
                ),
                program.take_output().text,
            )
        try:
            message, _ = wire.unpack(answer)
        except wire.WireError:
            message = {}
        if message.get("type") == "ready":
            return
        try:
            fact = from_sandbox(message.get("message"))
        except ValueError:
            fact = say("it wrote to the descriptors of the harness")
        raise ImportFailed(
            say("the submission must be importable: {fact}", fact=fact),
            clean(str(message.get("traceback", ""))),
        )
