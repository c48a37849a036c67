"""The right answers, with a time stamp for each block and a search for the oldest one."""

class BlockManager:
    def __init__(self, num_blocks, block_size):
        self.size = block_size
        self.refs = [0] * num_blocks
        self.queue = {block: block for block in range(1, num_blocks)}
        self.now, self.early = num_blocks, 0
        self.seqs = {}
        self.ids = {}
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
        return self.ids.setdefault((parent, tuple(tokens)), len(self.ids))

    def find(self, key):
        return next(iter(self.where[key])) if key in self.where else None

    def take(self):
        block = min(self.queue, key=self.queue.get)
        del self.queue[block]
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
                self.now, self.early = self.now + 1, self.early - 1
                self.queue[block] = self.now if block in self.content else self.early

    def free_queue(self):
        return sorted(self.queue, key=self.queue.get)

    def ref_counts(self):
        return self.refs
