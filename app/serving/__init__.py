"""Running the whole site on one machine: its processes, their logs, their order.

`manage.py serve` is the door. Where systemd or containers run the processes, none of this is used.
"""
