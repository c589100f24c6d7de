#!/usr/bin/env python3
"""Writes tests/golden/linalg_cases.txt and linalg_cases.bin: PyTorch's samples of linear algebra that are not empty.

    python3 scripts/linalg_cases.py

Needs PyTorch 2.15 with its testing module and nothing else. Of the samples that it keeps for an operator, the first
eight of different shapes, arguments and forms are taken in which no tensor is empty. The format is that of
scripts/golden_cases.py, whose cases of linear algebra are mostly about empty batches.
"""

import json
import math
from pathlib import Path

import golden_cases
import torch
from torch.testing._internal.common_methods_invocations import op_db

MOST = 8
LINALG = """det matrix_sqrth cholesky cholesky_ex cond eigh eigvalsh householder_product lstsq.grad_oriented
    matrix_power norm norm.subgradients_at_zero matrix_norm qr polar slogdet vander lu_factor lu lu_solve inv inv_ex
    solve solve_ex solve_triangular pinv pinv.hermitian svd svdvals tensorinv tensorsolve""".split()
OPERATORS = [f"linalg.{name}" for name in LINALG]
OPERATORS += "cholesky_inverse cholesky_solve lu_unpack matrix_exp triangular_solve pinverse logdet".split()
SYMMETRIC = [f"linalg.{name}" for name in "cholesky cholesky_ex eigh eigvalsh matrix_sqrth pinv.hermitian".split()]
KINDS = {torch.float64: "F64", torch.int64: "I64", torch.int32: "I32", torch.bool: "BOOL"}
PARTS = ("out", "grad", "gg", "jvp")

random = torch.Generator().manual_seed(7)


def normal(like):
    return torch.randn(like.shape, generator=random, dtype=torch.float64)


def before(op, args, kwargs):
    """What is done to the arguments, so that no convention of symmetry or triangles matters, and how it is called."""
    upper = kwargs.get("upper", False)
    cut = torch.triu if upper else torch.tril
    first, *rest = args
    if op in ("cholesky_solve", "triangular_solve"):
        kwargs.setdefault("upper", False)
        return [first, cut(rest[0]), *rest[1:]], {"args[1]": "triu if kwargs.upper else tril"}
    if op == "cholesky_inverse":
        diagonal = torch.diag_embed(torch.diagonal(first, dim1=-2, dim2=-1))
        ones = torch.eye(first.shape[-1], dtype=first.dtype)
        note = "y = x - diag(x) + I; triu(y) if kwargs.upper else tril(y)"
        return [cut(first - diagonal + ones), *rest], {"args[0]": note}
    if op in SYMMETRIC:
        return [first + first.mT, *rest], {"args[0]": "x + x.mT"}
    return list(args), None


def after(op, sample):
    """What is done to the outputs, so that no choice of signs matters, and how it is called."""
    if op == "linalg.svd":
        function = sample.output_process_fn_grad
        names = {
            "fn_U": "abs(U[..., :k])",
            "fn_S": "S",
            "fn_Vh": "(S, abs(Vh[..., :k, :]))",
            "fn_UVh": "(U @ Vh, S)",
        }
        return function, names[function.__name__]
    if op == "linalg.eigh":
        return lambda out: (out[0], out[1].abs()), "(eigenvalues, abs(eigenvectors))"
    if op in ("linalg.lu", "lu_unpack"):
        return lambda out: (out[1], out[2]), "(L, U) only"
    if op == "linalg.lstsq.grad_oriented":
        return lambda out: (out[0], out[1]), None
    return lambda out: out, None


class Call:
    """A sample as a function of its tensors."""

    def __init__(self, info, op, sample):
        self.info, self.op, self.sample = info, op, sample
        self.tensors = []
        self.args = [self.words(arg) for arg in (sample.input, *sample.args)]
        self.kwargs = {name: self.words(arg) for name, arg in sample.kwargs.items()}
        self.process, self.post = after(op, sample)
        self.pre = None

    def words(self, arg):
        if isinstance(arg, torch.Tensor):
            places = [i for i, held in enumerate(self.tensors) if held is arg]
            if not places:
                self.tensors.append(arg)
            return {"tensor": f"in{places[0] if places else len(self.tensors) - 1}"}
        if isinstance(arg, (list, tuple)):
            return [self.words(item) for item in arg]
        if isinstance(arg, float) and not math.isfinite(arg):
            return {"float": str(arg)}
        assert arg is None or isinstance(arg, (bool, int, float, str)), arg
        return arg

    def signature(self):
        return json.dumps([[list(t.shape) for t in self.tensors], self.args, self.kwargs, self.post])

    def outputs(self, tensors):
        place = {id(held): new for held, new in zip(self.tensors, tensors)}

        def put(arg):
            if isinstance(arg, torch.Tensor):
                return place[id(arg)]
            return type(arg)(put(item) for item in arg) if isinstance(arg, (list, tuple)) else arg

        sample = self.sample
        kwargs = {name: put(arg) for name, arg in sample.kwargs.items()}
        args, self.pre = before(self.op, [put(arg) for arg in (sample.input, *sample.args)], kwargs)
        out = self.process(self.info.op(*args, **kwargs))
        return list(out) if isinstance(out, (tuple, list)) else [out]

    def derivatives(self, outputs, leaves, cotangents, directions):
        outputs = [out for out in outputs if out.requires_grad]
        grads = torch.autograd.grad(outputs, leaves, cotangents, create_graph=True, allow_unused=True)
        pairs = [(g * u).sum() for g, u in zip(grads, directions) if g is not None and g.requires_grad]
        if not pairs:
            return grads, [None] * len(leaves), [None] * len(cotangents)
        both = torch.autograd.grad(sum(pairs), [*leaves, *cotangents], allow_unused=True)
        return grads, both[: len(leaves)], both[len(leaves) :]


def leaf(tensor, like):
    return tensor.detach().clone().requires_grad_(like.requires_grad)


def moved(tensor, trial):
    """By an ulp, all up, all down or each as it falls."""
    if not tensor.requires_grad:
        return tensor
    falls = torch.sign(normal(tensor))
    sign = torch.full_like(falls, 1.0 - 2.0 * trial) if trial < 2 else falls
    return torch.nextafter(tensor.detach(), sign * math.inf).requires_grad_()


def record(call, name, tensors):
    """The case as an object, its numbers in `tensors`."""
    values = [leaf(held, held) for held in call.tensors]
    leaves = [value for value in values if value.requires_grad]
    outputs = call.outputs(values)
    differentiable = [out for out in outputs if out.requires_grad]
    cotangents = [normal(out).requires_grad_() for out in differentiable]
    directions = [normal(value) for value in leaves]
    parts = [outputs, *call.derivatives(outputs, leaves, cotangents, directions)]
    ulp = dict.fromkeys(PARTS, 0.0)
    for trial in range(4):
        others = [moved(value, trial) for value in values]
        again = call.outputs(others)
        own = [leaf(cotangent, cotangent) for cotangent in cotangents]
        theirs = [again, *call.derivatives(again, [o for o in others if o.requires_grad], own, directions)]
        for part, here, there in zip(PARTS, parts, theirs):
            for a, b in zip(here, there):
                if a is not None and b is not None:
                    change = (a.detach().double() - b.detach().double()).abs()
                    ulp[part] = max([ulp[part], *change[torch.isfinite(change)].flatten().tolist()])

    def put(key, tensor):
        if tensor is None:
            return None
        tensor = tensor.detach()
        flat = torch.zeros(tensor.shape, dtype=tensor.dtype) if tensor._is_zerotensor() else tensor
        tensors[f"{name}/{key}"] = (KINDS[tensor.dtype], list(tensor.shape), flat.double().flatten().tolist())
        return key

    case = {"id": name, "op": call.op, "group": "linalg", "args": call.args, "kwargs": call.kwargs, "ulp": ulp}
    case |= {key: text for key, text in (("pre", call.pre), ("post", call.post)) if text}
    case |= {"inputs": [], "outputs": [], "cotangent": [], "jvp": [], "grad": {}, "gg": {}, "u": {}}
    grads, seconds, tangents = (iter(part) for part in parts[1:])
    direction, cotangent = iter(directions), iter(cotangents)
    for i, value in enumerate(values):
        key = put(f"in{i}", value)
        case["inputs"].append({"name": key, "grad": value.requires_grad})
        if value.requires_grad:
            case["grad"][key] = put(f"grad{i}", next(grads))
            case["gg"][key] = put(f"gg{i}", next(seconds))
            case["u"][key] = put(f"u{i}", next(direction))
    for i, out in enumerate(outputs):
        case["outputs"].append({"name": put(f"out{i}", out), "diff": out.requires_grad})
        case["cotangent"].append(put(f"cot{i}", next(cotangent)) if out.requires_grad else None)
        case["jvp"].append(put(f"jvp{i}", next(tangents)) if out.requires_grad else None)
    return case


def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    tensors, store, lines, count = {}, golden_cases.Store(), [], 0
    for info in op_db:
        op = info.name + (f".{info.variant_test_name}" if info.variant_test_name else "")
        if op not in OPERATORS:
            continue
        seen = set()
        for sample in info.sample_inputs("cpu", torch.float64, requires_grad=True):
            call = Call(info, op, sample)
            sizes = [held.numel() for held in call.tensors]
            signature = call.signature()
            if len(seen) == MOST or signature in seen or not all(0 < size <= 4096 for size in sizes):
                continue
            if not any(held.requires_grad for held in call.tensors):
                continue
            try:
                case = record(call, f"{op}/x{len(seen)}", tensors)
            except (NotImplementedError, RuntimeError):
                # Forms that PyTorch does not differentiate twice.
                continue
            seen.add(signature)
            lines += golden_cases.case_lines(case, tensors, store)
            count += 1
    target = Path(__file__).resolve().parent.parent / "tests" / "golden"
    (target / "linalg_cases.bin").write_bytes(store.data)
    (target / "linalg_cases.txt").write_text("\n".join(lines) + "\n")
    print(f"{count} cases, {len(store.data)} bytes of numbers, {len(lines)} lines")


if __name__ == "__main__":
    main()
