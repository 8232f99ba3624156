"""The compiled decoders: one pass over a block of bytes, columns of integers out.

`layout` says what they write, `machine` and `bytes` are the primitives, ``json_*`` and ``proto_*``
read the two encodings of OTLP, `interning` makes distinct values out of what both wrote.
"""

from __future__ import annotations
