"""The free queue as an OrderedDict, prefixes as digests chained on the parent's."""

import hashlib
from collections import OrderedDict


class BlockManager:
    def __init__(self, num_blocks, block_size):
        self.size = block_size
        self.refs = [0] * num_blocks
        self.queue = OrderedDict.fromkeys(range(1, num_blocks))
        self.seqs = {}
        self.content = {}
        self.where = {}

    def chain(self, salt, tokens):
        keys = []
        parent = salt
        for i in range(len(tokens) // self.size):
            parent = self.key(parent, tokens[i * self.size : (i + 1) * self.size])
            keys.append(parent)
        return keys

    def key(self, parent, tokens):
        text = f"{parent!r} {tokens!r}"
        return hashlib.blake2b(text.encode(), digest_size=20).hexdigest()

    def find(self, key):
        return next(iter(self.where[key])) if key in self.where else None

    def take(self):
        block, _ = self.queue.popitem(last=False)
        key = self.content.pop(block, None)
        if key is not None:
            self.where[key].pop(block)
            if not self.where[key]:
                del self.where[key]
        self.refs[block] = 1
        return block

    def publish(self, block, key):
        self.content[block] = key
        self.where.setdefault(key, {})[block] = True

    def allocate(self, seq, tokens, salt=""):
        keys = self.chain(salt, tokens)
        hits = []
        for key in keys[: (len(tokens) - 1) // self.size]:
            block = self.find(key)
            if block is None:
                break
            hits.append(block)
        needed = -(-len(tokens) // self.size) - len(hits)
        idle = [block for block in hits if self.refs[block] == 0]
        if needed + len(idle) > len(self.queue):
            return None
        for block in idle:
            del self.queue[block]
        for block in hits:
            self.refs[block] += 1
        table = list(hits)
        for _ in range(needed):
            table.append(self.take())
        for i in range(len(hits), len(keys)):
            self.publish(table[i], keys[i])
        self.seqs[seq] = (list(tokens), table, keys, salt)
        return [len(hits) * self.size, table[:]]

    def append(self, seq, token):
        tokens, table, keys, salt = self.seqs[seq]
        source = None
        if len(tokens) % self.size == 0:
            if not self.queue:
                return None
            table.append(self.take())
        elif self.refs[table[-1]] > 1:
            if not self.queue:
                return None
            source = table[-1]
            self.refs[source] -= 1
            table[-1] = self.take()
        tokens.append(token)
        if len(tokens) % self.size == 0:
            keys.append(self.key(keys[-1] if keys else salt, tokens[-self.size :]))
            self.publish(table[-1], keys[-1])
        return [table[-1], source]

    def fork(self, parent, child):
        tokens, table, keys, salt = self.seqs[parent]
        for block in table:
            self.refs[block] += 1
        self.seqs[child] = (tokens[:], table[:], keys[:], salt)
        return table[:]

    def free(self, seq):
        _, table, _, _ = self.seqs.pop(seq)
        for block in reversed(table):
            self.refs[block] -= 1
            if self.refs[block] == 0:
                self.queue[block] = None
                if block not in self.content:
                    self.queue.move_to_end(block, last=False)

    def free_queue(self):
        return list(self.queue)

    def ref_counts(self):
        return self.refs
