"""Keeps every checkpoint until the disk is full."""

LATEST = "latest"


class Checkpointer:
    def __init__(self, rank: int, n_ranks: int) -> None:
        self.rank = rank
        self.n_ranks = n_ranks

    def file_of(self, step: int) -> str:
        return f"{step}.rank-{self.rank}"

    def save(self, step: int, state: bytearray):
        copy = bytes(state)
        yield ("resume",)
        mine = self.file_of(step)
        yield ("create", mine)
        yield ("write", mine, copy)
        yield ("fsync", mine)
        yield ("fsync_dir",)
        yield ("barrier",)
        if self.rank == 0:
            yield from self.commit(step)
        yield ("barrier",)

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
        step = int(disk.read(LATEST))
        return step, disk.read(self.file_of(step))
