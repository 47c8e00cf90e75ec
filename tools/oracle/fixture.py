"""Writing and comparing fixtures: small safetensors and JSON files, made the same on every machine."""

import json
import math
import pathlib

import numpy as np
import safetensors
import safetensors.numpy

MAX_BYTES = 2 << 20


def random(seed, *shape):
    """Standard normal numbers from NumPy's PCG64: unlike torch's, the same on every instruction set."""
    return np.random.Generator(np.random.PCG64(seed)).standard_normal(shape)


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    lists = {id(v): json.dumps(v) for v in value.values() if isinstance(v, list)} if isinstance(value, dict) else {}
    if not lists:
        text = json.dumps(value, indent=1, ensure_ascii=False)
    else:  # a list a line: compact, yet a difference still shows where it is
        rows = (f" {json.dumps(k)}: {lists.get(id(v)) or json.dumps(v, ensure_ascii=False)}" for k, v in value.items())
        text = "{\n" + ",\n".join(rows) + "\n}"
    path.write_text(text + "\n", encoding="utf-8")


def write_tensors(path, tensors, metadata=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    safetensors.numpy.save_file(arrays, path, metadata=metadata)
    if path.stat().st_size > MAX_BYTES:
        raise SystemExit(f"{path}: {path.stat().st_size} bytes, over the limit of {MAX_BYTES} a fixture")


def differences(made, stored, tolerance):
    """Lines that say where two fixture folders differ; floating point within `tolerance` of the largest value."""
    made_files = {p.relative_to(made) for p in made.rglob("*") if p.is_file()}
    stored_files = {p.relative_to(stored) for p in stored.rglob("*") if p.is_file()}
    for name in sorted(made_files ^ stored_files):
        yield f"{stored / name}: {'not made any more' if name in stored_files else 'missing'}"
    for name in sorted(made_files & stored_files):
        if name.suffix == ".safetensors":
            found = tensor_differences(made / name, stored / name, tolerance)
        elif name.suffix == ".json":
            found = json_differences(load_json(made / name), load_json(stored / name), tolerance)
        else:
            found = [] if (made / name).read_bytes() == (stored / name).read_bytes() else ["other bytes"]
        for line in found:
            yield f"{stored / name}: {line}"


def load_json(path):
    return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))


def tensor_differences(made, stored, tolerance):
    a, b = safetensors.numpy.load_file(made), safetensors.numpy.load_file(stored)
    for name in sorted(a.keys() ^ b.keys()):
        yield f"tensor {name} stands in one of them only"
    for name in sorted(a.keys() & b.keys()):
        if a[name].shape != b[name].shape or a[name].dtype != b[name].dtype:
            yield f"tensor {name}: {a[name].dtype}{a[name].shape} against {b[name].dtype}{b[name].shape}"
            continue
        bound = 0 if a[name].dtype.kind in "iu" else tolerance * float(np.abs(b[name]).max(initial=0))
        gap = float(np.abs(a[name].astype(np.float64) - b[name].astype(np.float64)).max(initial=0))
        if not gap <= bound:
            yield f"tensor {name}: differs by {gap:.3g}, allowed {bound:.3g}"


def json_differences(a, b, tolerance, where="$"):
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        for key in a:
            yield from json_differences(a[key], b[key], tolerance, f"{where}.{key}")
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (x, y) in enumerate(zip(a, b)):
            yield from json_differences(x, y, tolerance, f"{where}[{i}]")
    elif isinstance(a, float) and isinstance(b, float):
        if not math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance):
            yield f"{where}: {a!r} against {b!r}"
    elif a != b:
        yield f"{where}: {str(a)[:80]!r} against {str(b)[:80]!r}"
