"""One file a rank, replaced by each save: a crash between two ranks leaves a mixture."""

LATEST = "latest"


class Checkpointer:
    def __init__(self, rank: int, n_ranks: int) -> None:
        self.rank = rank
        self.n_ranks = n_ranks

    def file_of(self, step: int) -> str:
        return f"rank-{self.rank}"

    def save(self, step: int, state: bytearray):
        copy = bytes(state)
        yield ("resume",)
        mine = self.file_of(step)
        yield ("create", mine)
        yield ("write", mine, str(step).encode() + b":" + copy)
        yield ("fsync", mine)
        yield ("fsync_dir",)
        yield ("barrier",)
        if self.rank == 0:
            yield from self.commit(step)
        yield ("barrier",)
        for name in (yield ("list",)):
            if name.endswith(f".rank-{self.rank}") and name != mine:
                yield ("unlink", name)

    def commit(self, step: int):
        draft = f"{LATEST}.draft"
        yield ("create", draft)
        yield ("write", draft, str(step).encode())
        yield ("fsync", draft)
        yield ("rename", draft, LATEST)
        yield ("fsync_dir",)

    def restore(self, disk):
        if LATEST not in disk.list():
            return None
        step, _, state = disk.read(self.file_of(0)).partition(b":")
        return int(step), state
