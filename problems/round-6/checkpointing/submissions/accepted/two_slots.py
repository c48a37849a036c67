"""Two files a rank in turns, each with its step and a checksum; restore looks at all ranks' files."""

import hashlib


class Checkpointer:
    def __init__(self, rank, n_ranks):
        self.rank, self.n_ranks = rank, n_ranks

    def save(self, step, state):
        body = step.to_bytes(8, "big") + bytes(state)
        yield ("resume",)
        name = f"slot-{step % 2}-{self.rank}"
        names = yield ("list",)
        if name in names:
            yield ("unlink", name)
            yield ("fsync_dir",)
        yield ("barrier",)
        yield ("create", name)
        yield ("write", name, hashlib.sha256(body).digest() + body)
        yield ("fsync", name)
        yield ("fsync_dir",)

    def steps(self, disk, rank):
        found = {}
        for slot in (0, 1):
            name = f"slot-{slot}-{rank}"
            if name in disk.list():
                content = disk.read(name)
                body = content[32:]
                if len(body) > 8 and hashlib.sha256(body).digest() == content[:32]:
                    found[int.from_bytes(body[:8], "big")] = body[8:]
        return found

    def restore(self, disk):
        everyone = [self.steps(disk, rank) for rank in range(self.n_ranks)]
        common = set(everyone[0]).intersection(*everyone)
        if not common:
            return None
        step = max(common)
        return step, everyone[self.rank][step]
