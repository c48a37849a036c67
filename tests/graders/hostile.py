"""Files that a candidate may send to break a reader of YAML: none may reach a judge's error."""

from __future__ import annotations

# What stands where a value is wanted.
VALUES = {
    "an escape beyond Unicode": r'"\U00110000"',
    "an escape beyond a C int": r'"\UFFFFFFFF"',
    "half of a pair": r'"\ud800 GB"',
    "an escaped NUL": r'"\0"',
    "a raw NUL": "\0",
    "a bell": "\x07 1",
    "a byte order mark": "\ufeff1 GB",
    "a line separator": "1\u2028GB",
    "ten to the 400th": "1" + 400 * "0" + " GB",
    "more digits than int() takes": 5000 * "9" + " GB",
    "as many digits as fit": 60_000 * "9" + " GB",
    "an exponent past a double": "1e400 GB",
    "an exponent of 20 digits": "1e99999999999999999999 GB",
    "past a double in bytes": "1e308 TiB",
    "below a double": "1e-400 GB",
    "no number": "nan GB",
    "YAML's infinity": ".inf",
    "infinity": "inf GB",
    "minus infinity": "-inf",
    "minus nothing": "-0 GB",
    "other digits": "١٢ GB",
    "a unit to a great power": "1 GB**99999999",
    "a unit of 50,000 letters": "1 " + 50_000 * "K",
    "a unit of 9,000 quotients": "1 " + 9000 * "GB/s",
    "brackets in a unit": "1 " + 5000 * "(",
    "code in a unit": "1 __import__('os').system('x')",
    "a unit with an offset": "1 degC",
    "a unit on a scale of logarithms": "1 dBm",
    "open lists": 20_000 * "[",
    "open mappings": 9000 * "{a: ",
    "a list of empty ones": "[" + 15_000 * "[]," + "]",
    "a mapping of a mapping": "{a: {b: {c: {d: {e: 1}}}}}",
    "a list": "[1, 2]",
    "an object of Python": "!!python/object/apply:os.system [x]",
    "a tag": "!!int 5",
    "a bare tag": "! 5",
    "an anchor": "&a 5",
    "an anchor of itself": "&a [*a]",
    "a long anchor": "&" + 60_000 * "a" + " 1",
    "an open quote": '"abc',
    "a replacement field": '"{0.__class__} {count} GB"',
    "the mark of a sentence": '{$say: {template: "{x}", values: {}}}',
    "markup": "<script>alert(1)</script>",
    "60,000 letters": 60_000 * "x",
    "20,000 accents": "1" + 20_000 * "\u0301",
    "a block that is nowhere": "|9\n x",
}

# Whole files, with {field} where a field's name is wanted.
FILES = {
    "nothing": "",
    "spaces": 60_000 * " ",
    "lines": 60_000 * "\n",
    "a million characters": 1_000_000 * "a",
    "a bomb of aliases": "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]",
    "a merge": "<<: {{{field}: 1}}",
    "a field twice": "{field}: 1\n{field}: 2",
    "a field 4,000 times": 4000 * "{field}: 1\n",
    "names that are nearly right": "".join(f"{{field}}{i}: 1\n" for i in range(3000)),
    "a name of 60,000 letters": 60_000 * "k" + ": 1",
    "no name": ": 1",
    "a list for a name": "? [a]\n: 1",
    "a mapping for a name": "{{a: 1}}: 2",
    "dashes": 20_000 * "- ",
    "question marks": 20_000 * "? ",
    "300 levels": "\n".join(" " * i + "a:" for i in range(300)),
    "another version of YAML": "%YAML 9.9\n---\n{field}: 1",
    "a directive nobody knows": "%FOO bar\n---\n{field}: 1",
    "a prefix of tags": "%TAG ! tag:x,2000:\n---\n{field}: 1",
    "two documents": "{field}: 1\n---\n{field}: 2",
    "ends without a beginning": "...\n...\n",
}


def documents(*fields: str) -> dict[str, str]:
    """Every hostile file, by what is hostile about it; a field is a path such as ``room.power``."""
    found = {what: text.format(field=fields[0].split(".")[0]) for what, text in FILES.items()}
    for field in fields:
        *groups, name = field.split(".")
        head = "".join(f"{'  ' * depth}{group}:\n" for depth, group in enumerate(groups))
        line = f"{head}{'  ' * len(groups)}{name}: "
        found |= {f"{what}, in {field}": f"{line}{value}\n" for what, value in VALUES.items()}
    return found
