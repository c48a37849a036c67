"""The block manager that answers are held against: vLLM's own cases, and an obvious slow twin."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from graders.simulation.kv_cache.model import BlockPool
from graders.simulation.kv_cache.operations import from_records
from graders.simulation.stateful.search import RECORD_BYTES


def ask(pool: BlockPool, method: str, *arguments: Any) -> Any:
    return pool.answer((method, arguments))


COMMON = [number for number in range(3) for _ in range(16)]


def test_vllms_prefill_case_replays_block_for_block() -> None:
    pool = BlockPool(11, 16)
    assert ask(pool, "allocate", "0", COMMON + [3] * 7) == [0, [1, 2, 3, 4]]
    assert ask(pool, "allocate", "1", COMMON + [3] * 5) == [48, [1, 2, 3, 5]]
    assert pool.references[1:4] == [2, 2, 2]
    assert len(pool.free) == 5
    ask(pool, "free", "0")
    ask(pool, "free", "1")
    assert list(pool.free) == [5, 4, 6, 7, 8, 9, 10, 3, 2, 1]
    assert ask(pool, "allocate", "2", COMMON + [3] * 6) == [48, [1, 2, 3, 5]]
    assert len(pool.free) == 6
    ask(pool, "free", "2")
    everything = ask(pool, "allocate", "3", [99] * 160)
    assert everything == [0, [5, 4, 6, 7, 8, 9, 10, 3, 2, 1]]


def test_vllms_eviction_case_touches_the_first_two_blocks() -> None:
    pool = BlockPool(11, 16)
    ask(pool, "allocate", "0", list(range(87)))
    assert ask(pool, "allocate", "1", list(range(87, 135))) == [0, [7, 8, 9]]
    assert len(pool.free) == 1
    ask(pool, "free", "0")
    ask(pool, "free", "1")
    # vLLM's rule of today: the block without a hash, 6, goes to the head.
    assert list(pool.free) == [6, 10, 5, 4, 3, 2, 1, 9, 8, 7]
    assert ask(pool, "allocate", "2", list(range(35))) == [32, [1, 2, 6]]
    assert len(pool.free) == 7


def test_vllms_reused_block_forgets_its_hash() -> None:
    pool = BlockPool(2, 16)
    ask(pool, "allocate", "0", list(range(16)))
    ask(pool, "free", "0")
    assert ask(pool, "allocate", "1", list(range(15))) == [0, [1]]
    assert pool.key_of == {}


def test_vllms_computed_block_is_not_evicted_by_its_own_prompt() -> None:
    pool = BlockPool(3, 16)
    ask(pool, "allocate", "0", list(range(16)))
    ask(pool, "allocate", "1", list(range(16, 32)))
    ask(pool, "free", "0")
    ask(pool, "free", "1")
    assert ask(pool, "allocate", "2", list(range(32))) == [16, [1, 2]]


def test_another_salt_hits_nothing() -> None:
    pool = BlockPool(11, 16)
    ask(pool, "allocate", "0", COMMON + [3] * 7, "salt1")
    assert ask(pool, "allocate", "1", COMMON + [3] * 7, "salt2") == [0, [5, 6, 7, 8]]


class Twin:
    """The same rules without any map: every question is answered by looking at everything."""

    def __init__(self, num_blocks: int, size: int) -> None:
        self.n, self.size = num_blocks, size
        self.queue = list(range(1, num_blocks))
        self.seqs: dict[str, tuple[list[int], list[int], str]] = {}
        self.known: list[tuple[int, str, list[int]]] = []  # block, salt, whole prefix; oldest first

    def users(self, block: int) -> int:
        return sum(block in table for _, table, _ in self.seqs.values())

    def take(self) -> int:
        block = self.queue.pop(0)
        self.known = [one for one in self.known if one[0] != block]
        return block

    def allocate(self, name: str, tokens: list[int], salt: str = "") -> Any:
        hits: list[int] = []
        for end in range(self.size, len(tokens), self.size):
            same = [b for b, s, prefix in self.known if (s, prefix) == (salt, tokens[:end])]
            if not same:
                break
            hits.append(same[0])
        needed = -(-len(tokens) // self.size) - len(hits)
        if needed > len([block for block in self.queue if block not in hits]):
            return None
        self.queue = [block for block in self.queue if block not in hits]
        table = hits + [self.take() for _ in range(needed)]
        for place in range(len(hits), len(tokens) // self.size):
            self.known.append((table[place], salt, tokens[: (place + 1) * self.size]))
        self.seqs[name] = (list(tokens), table, salt)
        return [len(hits) * self.size, list(table)]

    def append(self, name: str, token: int) -> Any:
        tokens, table, salt = self.seqs[name]
        source = None
        if len(tokens) % self.size == 0 or self.users(table[-1]) > 1:
            if not self.queue:
                return None
            if len(tokens) % self.size:
                source = table.pop()
            table.append(self.take())
        tokens.append(token)
        if len(tokens) % self.size == 0:
            self.known.append((table[-1], salt, list(tokens)))
        return [table[-1], source]

    def fork(self, parent: str, child: str) -> Any:
        tokens, table, salt = self.seqs[parent]
        self.seqs[child] = (list(tokens), list(table), salt)
        return list(table)

    def free(self, name: str) -> None:
        _, table, _ = self.seqs.pop(name)
        for block in table[::-1]:
            if self.users(block) == 0:
                full = any(one[0] == block for one in self.known)
                self.queue.insert(len(self.queue) if full else 0, block)


records = st.lists(st.binary(min_size=RECORD_BYTES, max_size=RECORD_BYTES), min_size=2, max_size=40)


@given(records)
@settings(max_examples=150, deadline=None, derandomize=True, database=None)
def test_the_model_answers_as_an_obvious_slow_twin_does(drawn: list[bytes]) -> None:
    script = from_records(drawn)
    num_blocks, block_size = (int(str(value)) for value in script.make.values())
    model, twin = BlockPool(num_blocks, block_size), Twin(num_blocks, block_size)
    for call in script.calls:
        method, arguments = call
        assert model.answer(call) == getattr(twin, method)(*arguments)
        assert list(model.free) == twin.queue
        assert model.references == [twin.users(block) for block in range(model.num_blocks)]
