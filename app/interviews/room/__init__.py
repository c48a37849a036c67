"""The live room: one text that two people write, their cursors, and chat."""
