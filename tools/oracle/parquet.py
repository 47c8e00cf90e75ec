"""Parquet files written by pyarrow, and their rows as JSON: every type that is read, nulls, several row groups."""

import datetime
import decimal

import pyarrow as pa
import pyarrow.parquet as pq

import fixture

TOLERANCE = 0
UTC = datetime.timezone.utc


def columns():
    """(name, type, values, the same as JSON); each column has a null."""
    day, time = datetime.date, datetime.time
    moment = datetime.datetime(2026, 11, 26, 12, 34, 56, 789000)
    early = datetime.datetime(1969, 12, 31, 23, 59, 59, 250000)
    yield "text", pa.string(), ["plain", None, "汉字 🙂", ""], None
    yield "large_text", pa.large_string(), ["a", "b", None, "d"], None
    yield "word", pa.dictionary(pa.int8(), pa.string()), ["red", "blue", None, "red"], None
    yield "yes", pa.bool_(), [True, False, None, True], None
    for bits in (8, 16, 32, 64):
        low, high = -(1 << bits - 1), (1 << bits - 1) - 1
        yield f"int{bits}", getattr(pa, f"int{bits}")(), [low, high, None, 0], None
    for bits in (8, 16, 32):
        yield f"uint{bits}", getattr(pa, f"uint{bits}")(), [0, (1 << bits) - 1, None, 7], None
    yield "uint64", pa.uint64(), [0, 1 << 63, None, 7], [0, float(1 << 63), None, 7]
    yield "half", pa.float16(), [0.5, -2.0, None, 2.0**-24], None
    yield "float", pa.float32(), [0.5, -1.25, None, 3.0], None
    yield "double", pa.float64(), [0.1, -1e300, None, float("nan")], [0.1, -1e300, None, None]
    yield ("decimal", pa.decimal128(20, 3), [decimal.Decimal(x) if x else None for x in
           ("12345678901234567.891", "-0.001", None, "0")], ["12345678901234567.891", "-0.001", None, "0.000"])
    yield ("decimal_large", pa.decimal256(50, 0), [decimal.Decimal(x) if x else None for x in
           ("-" + "9" * 50, "7", None, "0")], ["-" + "9" * 50, "7", None, "0"])
    yield "date", pa.date32(), [day(2026, 11, 26), day(1900, 2, 28), None, day(1970, 1, 1)], [
        "2026-11-26", "1900-02-28", None, "1970-01-01"]
    yield "time", pa.time64("us"), [time(1, 2, 3, 4), time(23, 59, 59), None, time(0)], [
        "01:02:03.000004", "23:59:59.000000", None, "00:00:00.000000"]
    yield "moment", pa.timestamp("ms"), [moment, early, None, moment], [
        "2026-11-26T12:34:56.789", "1969-12-31T23:59:59.250", None, "2026-11-26T12:34:56.789"]
    yield "moment_utc", pa.timestamp("us", tz="UTC"), [moment.replace(tzinfo=UTC), None] * 2, [
        "2026-11-26T12:34:56.789000Z", None] * 2
    yield "list", pa.list_(pa.int32()), [[1, None, 3], [], None, [4]], None
    yield "pair", pa.list_(pa.float32(), 2), [[0.5, 1.0], [2.0, 3.0], [0.0, 0.0], [1.0, 1.0]], None
    yield "struct", pa.struct([("a", pa.int32()), ("b", pa.list_(pa.string()))]), [
        {"a": 1, "b": ["x"]}, {"a": None, "b": []}, None, {"a": 2, "b": None}], None
    yield "map", pa.map_(pa.string(), pa.int32()), [[("k", 1)], [], None, [("k", 2), ("l", None)]], [
        [{"key": "k", "value": 1}], [], None, [{"key": "k", "value": 2}, {"key": "l", "value": None}]]


def make(folder):
    folder.mkdir(parents=True)
    all_columns = list(columns())
    table = pa.table({name: pa.array(values, kind) for name, kind, values, _ in all_columns})
    rows = [{name: (shown or values)[i] for name, _, values, shown in all_columns} for i in range(table.num_rows)]
    pq.write_table(table, folder / "types.parquet", row_group_size=2, compression="zstd")
    fixture.write_json(folder / "types.json", rows)
    many = pa.table({"id": pa.array(range(1000)), "text": pa.array([f"document {i}" for i in range(1000)])})
    pq.write_table(many, folder / "many.parquet", row_group_size=300, compression="snappy")
    pq.write_table(pa.table({"text": ["a"], "image": pa.array([b"\x89PNG"])}), folder / "binary.parquet")
    offsets = pa.py_buffer(b"".join(n.to_bytes(4, "little") for n in (0, 3, 5, 10)))
    broken = pa.StringArray.from_buffers(3, offsets, pa.py_buffer(b"one\xc3\x28three"))
    pq.write_table(pa.table({"text": broken}), folder / "not_utf8.parquet")
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), folder / "empty.parquet")
