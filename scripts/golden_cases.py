#!/usr/bin/env python3
"""Writes tests/golden/cases.txt and cases.bin, the cases that tests/golden.rs runs.

    python3 scripts/golden_cases.py FOLDER

The folder holds what PyTorch 2.15 (CPU, float64, one thread) computed on the samples it keeps for its own operators
(`op_db` of torch.testing._internal, at most twelve an operator, each tensor of at most 4096 elements, and some written
by hand at kinks, ties and poles): `manifest.json`, one object a case, and `g_GROUP.safetensors`, whose keys are
`CASE_ID/NAME`. A case has the call, the outputs, a cotangent, the vector-Jacobian product with it, random directions
`u`, the Jacobian-vector product with them, and `gg`, the gradient of ⟨vjp, u⟩. Where PyTorch's elementary functions
were compared with mpmath at 60 digits, the exact values take the place of PyTorch's, where there are any. `ulp` is the largest change of a
part when every input moves by one ulp: the noise that the case itself has.

Nothing but the standard library is needed. The format is described in tests/golden/README.md.
"""

import json
import math
import struct
import sys
from pathlib import Path

KINDS = {"F64": ("d", 8), "F32": ("f", 4), "I64": ("q", 8), "I32": ("i", 4), "BOOL": ("?", 1), "U8": ("B", 1)}


class Store:
    """The numbers of all tensors in one array; equal ones once."""

    def __init__(self):
        self.data, self.places = bytearray(), {}

    def put(self, kind, shape, values):
        raw = struct.pack(f"<{len(values)}d", *values)
        if raw not in self.places:
            self.places[raw] = len(self.data) // 8
            self.data += raw
        kind = {"F64": "f", "F32": "f", "BOOL": "b"}.get(kind, "i")
        return f"{kind}:{','.join(map(str, shape))}:{self.places[raw]}"


def read(path):
    """A safetensors file: name -> (kind, shape, values)."""
    raw = path.read_bytes()
    (length,) = struct.unpack_from("<Q", raw)
    found = {}
    for name, entry in json.loads(raw[8 : 8 + length]).items():
        if name == "__metadata__":
            continue
        letter, size = KINDS[entry["dtype"]]
        start, end = entry["data_offsets"]
        values = struct.unpack_from(f"<{(end - start) // size}{letter}", raw, 8 + length + start)
        found[name] = (entry["dtype"], entry["shape"], values)
    return found


def escaped(text):
    return text.replace("%", "%25").replace(" ", "%20")


def number(x):
    return {math.inf: "inf", -math.inf: "-inf"}.get(x, "NaN" if x != x else repr(x))


def tokens(value, inputs):
    """An argument as words: Tn the nth input, i f b s a number, a truth, a string, [ ] around a sequence, L[ ] around
    a list inside an index, N nothing, E an ellipsis, /a:b:c a slice, d a kind of number."""
    if value is None:
        return ["N"]
    if isinstance(value, bool):
        return [f"b{int(value)}"]
    if isinstance(value, int):
        return [f"i{value}"]
    if isinstance(value, float):
        return [f"f{number(value)}"]
    if isinstance(value, str):
        return ["s" + escaped(value)]
    if isinstance(value, list):
        return ["[", *(word for item in value for word in tokens(item, inputs)), "]"]
    ((key, held),) = value.items()
    if key == "tensor":
        return [f"T{inputs.index(held)}"]
    if key == "float":
        return ["f" + number(float(held))]
    if key == "dtype":
        return [f"d{held}"]
    if key == "slice":
        return ["/" + ":".join("" if x is None else str(x) for x in held)]
    if key == "ellipsis":
        return ["E"]
    if key == "list":
        return ["L[", *(word for item in held for word in tokens(item, inputs)), "]"]
    raise ValueError(value)


def case_lines(case, tensors, store):
    exact = case.get("exact") or {}

    def put(name):
        return store.put(*tensors[f"{case['id']}/{name}"])

    def numbers(name):
        return tensors[f"{case['id']}/{name}"]

    def expected(part, name):
        # The exact value of the part, where there is one; PyTorch's where the function is not defined.
        if not name:
            return "0"
        kind, shape, values = numbers(name)
        best = numbers(exact[part])[2] if part in exact else values
        return store.put(kind, shape, [a if b != b else b for a, b in zip(values, best)])

    def tangent(i, name):
        # Of an element-wise function of one number the derivative is grad/cot, and exact where grad is.
        if not name:
            return "0"
        kind, shape, values = numbers(name)
        if "grad" in exact:
            parts = [numbers(key)[2] for key in (exact["grad"], case["cotangent"][i], "u0")]
            values = [t if g != g or c == 0 else g / c * u for t, g, c, u in zip(values, *parts)]
        return store.put(kind, shape, values)

    names = [held["name"] for held in case["inputs"]]
    call = [word for value in case["args"] for word in tokens(value, names)]
    for key, value in case["kwargs"].items():
        call += [f"{key}=", *tokens(value, names)]
    second = case["gg"] is not None
    # Where PyTorch has no second order, neither `gg` nor `jvp` was recorded; without a graph both are zero.
    yield f"case {case['id']} {case['op']} {case['group']}"
    yield " ".join(["call", *call])
    for key in ("pre", "post", "expr"):
        if key in case:
            text = case[key] if isinstance(case[key], str) else json.dumps(case[key])
            yield f"{key} {text}"
    if case.get("ulp"):
        yield " ".join(["ulp", *(f"{part}={number(size)}" for part, size in case["ulp"].items() if size)])
    for held in case["inputs"]:
        name, line = held["name"], ["in", put(held["name"])]
        if held["grad"]:
            line.append("grad=" + expected("grad", case["grad"][name]))
            if second:
                line += ["u=" + put(case["u"][name]), "gg=" + expected("gg", case["gg"][name])]
        yield " ".join(line)
    for i, held in enumerate(case["outputs"]):
        line = ["out", expected("out", held["name"])]
        if held["diff"]:
            line.append("cot=" + put(case["cotangent"][i]))
            if second:
                line.append("jvp=" + tangent(i, case["jvp"][i]))
        if held.get("complex_as_real"):
            line.append("complex")
        yield " ".join(line)
    for name, after in case.get("mutated", {}).items():
        yield f"mutated {names.index(name)} {put(after)}"


def main(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    tensors = {}
    for path in sorted(folder.glob("g_*.safetensors")):
        tensors.update(read(path))
    store, lines = Store(), []
    for case in manifest["cases"]:
        lines += case_lines(case, tensors, store)
    target = Path(__file__).resolve().parent.parent / "tests" / "golden"
    (target / "cases.bin").write_bytes(store.data)
    (target / "cases.txt").write_text("\n".join(lines) + "\n")
    print(f"{len(manifest['cases'])} cases, {len(store.data)} bytes of numbers, {len(lines)} lines")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
