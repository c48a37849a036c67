class Checkpointer:
    """One rank's side of saving and restoring checkpoints."""

    def __init__(self, rank: int, n_ranks: int) -> None:
        self.rank = rank
        self.n_ranks = n_ranks

    def save(self, step: int, state: bytearray):
        """Yield operations; the save has ended when the generator returns."""
        name = f"checkpoint.{self.rank}"
        yield ("create", name)
        yield ("write", name, step.to_bytes(8, "big") + bytes(state))

    def restore(self, disk):
        """(step, state), or None if there is no checkpoint."""
        name = f"checkpoint.{self.rank}"
        if name not in disk.list():
            return None
        content = disk.read(name)
        return int.from_bytes(content[:8], "big"), content[8:]
