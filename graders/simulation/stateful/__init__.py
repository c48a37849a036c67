"""What the simulators share that drive one object of the candidate's by sequences of calls.

`program` speaks with the sandbox, many calls in one frame; `search` looks with hypothesis for a
sequence that fails and shrinks it; `judging` goes through the cases; `steps` writes a failing
sequence down for the page. A simulator brings a `judging.Simulator`: what to draw, and what is
right.
"""
