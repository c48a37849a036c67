class BlockManager:
    """A pool of blocks numbered 0 to num_blocks - 1; block 0 is never handed out."""

    def __init__(self, num_blocks: int, block_size: int) -> None:
        self.num_blocks = num_blocks
        self.block_size = block_size

    def allocate(self, seq: str, tokens: list[int], salt: str = "") -> list | None:
        """[number of tokens that were found cached, block table], or None if it does not fit."""

    def append(self, seq: str, token: int) -> list | None:
        """[block the token went to, block copied or None], or None if no block is free."""

    def fork(self, parent: str, child: str) -> list[int]:
        """The child's block table, the same blocks as the parent's."""
        return []

    def free(self, seq: str) -> None:
        """Give up the sequence's blocks."""

    def free_queue(self) -> list[int]:
        """The free blocks, the next one to be handed out first."""
        return list(range(1, self.num_blocks))

    def ref_counts(self) -> list[int]:
        """For each block, block 0 included, how many sequences hold it in their table."""
        return [0] * self.num_blocks
