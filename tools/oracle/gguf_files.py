"""GGUF files written by the Python package `gguf`, and the fp32 values it reads from their tensors."""

import gguf
import numpy as np

import fixture

TOLERANCE = 0

TYPES = ("F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "IQ4_NL", "Q4_K", "Q5_K", "Q6_K")
# Where a block of the format holds its fp16 scales (byte offsets); every other byte may be anything.
SCALES = {"Q8_0": (0,), "Q4_0": (0,), "Q4_1": (0, 2), "Q5_0": (0,), "Q5_1": (0, 2), "IQ4_NL": (0,), "Q4_K": (0, 2),
          "Q5_K": (0, 2), "Q6_K": (208,)}
ROWS, COLUMNS = 3, 512


def random_blocks(name, seed):
    """Bytes [ROWS, bytes a row] of a tensor whose every code occurs; scales of either sign, subnormal ones among them."""
    random = np.random.Generator(np.random.PCG64([7, seed]))
    items, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[name]]
    if name in ("F32", "F16", "BF16"):
        values = random.standard_normal((ROWS, COLUMNS)).astype(np.float32) * np.exp2(random.integers(-20, 12, (ROWS, COLUMNS)))
        return gguf.quantize(values.astype(np.float32), gguf.GGMLQuantizationType[name]).reshape(ROWS, -1).view(np.uint8)
    blocks = random.integers(0, 256, (ROWS, COLUMNS // items, size)).astype(np.uint8)
    for at in SCALES[name]:
        scales = random.standard_normal(blocks.shape[:2]) * np.exp2(random.integers(-22, 4, blocks.shape[:2]))
        blocks[..., at:at + 2] = scales.astype(np.float16)[..., None].view(np.uint8)
    return blocks.reshape(ROWS, -1)


def write_types(folder):
    writer = gguf.GGUFWriter(folder / "types.gguf", "none")
    writer.add_uint8("kinds.uint8", 200)
    writer.add_int8("kinds.int8", -100)
    writer.add_uint16("kinds.uint16", 60000)
    writer.add_int16("kinds.int16", -30000)
    writer.add_uint32("kinds.uint32", 4000000000)
    writer.add_int32("kinds.int32", -2000000000)
    writer.add_uint64("kinds.uint64", 2 ** 63 + 1)
    writer.add_int64("kinds.int64", -2 ** 62)
    writer.add_float32("kinds.float32", 1e-5)
    writer.add_float64("kinds.float64", 0.1)
    writer.add_bool("kinds.bool", True)
    writer.add_string("kinds.text", "größer")
    writer.add_array("kinds.texts", ["a", "", "中文"])
    writer.add_array("kinds.ints", [1, -2, 3])
    writer.add_array("kinds.floats", [0.5, -0.25])
    expected = {}
    for seed, name in enumerate(TYPES):
        kind = gguf.GGMLQuantizationType[name]
        raw = random_blocks(name, seed)
        writer.add_tensor(name, raw, raw_dtype=kind)
        expected[name] = gguf.dequantize(raw, kind).astype(np.float32).reshape(ROWS, COLUMNS)
    for step in (writer.write_header_to_file, writer.write_kv_data_to_file, writer.write_tensors_to_file, writer.close):
        step()
    fixture.write_tensors(folder / "types.safetensors", expected, {"gguf": "0.19.0"})


def make(folder):
    folder.mkdir(parents=True)
    write_types(folder)
