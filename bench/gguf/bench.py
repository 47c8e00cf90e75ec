"""What a language model in 4-bit codes loses, ours against llama.cpp's; and what llama.cpp makes of our files."""

import contextlib
import gzip
import importlib.metadata
import json
import os
import pathlib
import subprocess
import tempfile

import gguf
import numpy
from safetensors.numpy import load_file

import bench

HERE = pathlib.Path(__file__).parent
THREADS = 2
LENGTH = 512  # tokens of a window
CALIBRATION, MEASURED, PROMPTS = 128, 20, 50
PROMPT_TOKENS, NEW_TOKENS = 12, 64
SURE = 0.05  # a logit that far above the next must be llama.cpp's best as well
TENSORS = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
           "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}


def halves_of_the_texts(folder, most):
    """Two files of texts, every other one in each: to calibrate with, and to measure on."""
    with gzip.open(bench.data_file("wiki_demo/wiki_demo.txt.gz"), "rt", encoding="utf-8") as lines:
        texts = [line for line in lines.read().split("\n") if line]
    files = folder / "calibration.jsonl", folder / "measured.jsonl"
    for first, file in enumerate(files):
        file.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts[first::2][:most]), encoding="utf-8")
    return files


class Models:
    """The model of scripts/setup --models, and what both sides made of it."""

    def __init__(self, folder, quick):
        self.program, self.version = bench.load_bench("decode").llama_peer()
        self.folder = folder
        self.calibration, self.texts = halves_of_the_texts(folder, 1 if quick else None)
        home = pathlib.Path(os.environ["CUPEL_HOME"]) / "models" / "SmolLM2-135M-Instruct"
        self.source = next(iter(sorted(home.glob("*.gguf"))), None)
        if self.source is None:
            raise SystemExit(f"{home} has no .gguf; run scripts/setup --models")
        self.ours = bench.built("bench_gguf")
        self.f16 = self.exported()
        self.codes = self.compressed()
        self.peers = self.quantised()
        self.written_out = self.folder / "written_out.gguf"  # our codes, each written by llama.cpp as the fp32 number it stands for
        subprocess.run([self.program, "--quantize", self.codes, self.written_out, "f32"], check=True)

    def cupel(self, verb, out, *words):
        subprocess.run([bench.built("cupel"), verb, *words, "--out", out], check=True, stdout=subprocess.DEVNULL)
        return out / "model.gguf"

    def exported(self):
        return self.cupel("export", self.folder / "f16", self.source, "--format=gguf")

    def compressed(self):
        return self.cupel("compress", self.folder / "codes", f"--model={self.source}", f"--calibration.path={self.calibration}",
                          "--quantize.group_size=32")

    def quantised(self):
        """llama.cpp's IQ4_NL, from the same fp16 weights and the squares of the same activations."""
        raw, renamed = self.folder / "importance", self.folder / "importance.gguf_names"
        with self.side(self.source, "fp32") as side:
            side.ask(f"importance {raw} {CALIBRATION} {LENGTH} {self.calibration}")
        with open(raw, "rb") as lines, open(renamed, "wb") as out:
            while line := lines.readline():
                name, count = line.decode().split()
                values = lines.read(4 * int(count))
                if name.startswith("model.layers."):
                    _, _, layer, module = name.split(".", 3)
                    out.write(f"blk.{layer}.{TENSORS[module]}.weight {count}\n".encode() + values)
        target = self.folder / "iq4_nl.gguf"
        subprocess.run([self.program, "--quantize", self.f16, target, "iq4_nl", renamed], check=True)
        return target

    def side(self, model, form):
        return bench.Side([self.ours, "--model", model, "--format", form, "--threads", THREADS])

    def llama(self, model):
        return bench.Side([self.program, "--model", model, "--version", self.version, "--phase", "logits", "--context", LENGTH,
                           "--threads", THREADS])

    def logits(self, side, ids, vocabulary):
        out = self.folder / "logits"
        side.ask(f"logits {out} {' '.join(map(str, ids))}")
        return numpy.fromfile(out, dtype=numpy.float32).reshape(-1, vocabulary)


def log_softmax(logits):
    wide = logits.astype(numpy.float64)
    wide -= wide.max(axis=1, keepdims=True)
    return wide - numpy.log(numpy.exp(wide).sum(axis=1, keepdims=True))


class Distance:
    """Sums over the tokens of windows: how a model's chances lie to those of a reference."""

    def __init__(self):
        self.windows = []  # (tokens, surprise of the text, divergence, tokens with the same favourite)

    def add(self, ids, reference, logits):
        sums = numpy.zeros(4)
        for begin in range(0, len(ids) - 1, 64):
            part = slice(begin, min(begin + 64, len(ids) - 1))
            p, q = log_softmax(reference[part]), log_softmax(logits[part])
            after = numpy.array(ids[part.start + 1:part.stop + 1])
            sums += (len(after), -q[numpy.arange(len(after)), after].sum(), (numpy.exp(p) * (p - q)).sum(),
                     (p.argmax(axis=1) == q.argmax(axis=1)).sum())
        self.windows.append(sums)

    def mean(self, column):
        tokens, *rest = numpy.sum(self.windows, axis=0)
        return float((0, *rest)[column] / tokens)

    def each(self, column):
        return [float(row[column] / row[0]) for row in self.windows]


def compare_codes(models, windows):
    """Both sides' codes against the model that they were made of."""
    vocabulary = vocabulary_of(models.codes)
    with contextlib.ExitStack() as stack:
        exact = stack.enter_context(models.side(models.source, "fp32"))
        sides = {"ours": stack.enter_context(models.side(models.codes, "stored")),
                 "exact": stack.enter_context(models.side(models.codes, "bf16")),
                 "peer": stack.enter_context(models.llama(models.peers)),
                 "ours in llama.cpp": stack.enter_context(models.llama(models.codes)),
                 "ours written out in llama.cpp": stack.enter_context(models.llama(models.written_out))}
        isa_row = exact.hello["isa_row"]
        distances = {name: Distance() for name in sides}
        on_our_codes = {name: Distance() for name in ("ours in llama.cpp", "ours written out in llama.cpp")}
        for ids in windows:
            reference = models.logits(exact, ids, vocabulary)
            seen = {name: models.logits(side, ids, vocabulary) for name, side in sides.items()}
            for name, logits in seen.items():
                distances[name].add(ids, reference, logits)
            for name, distance in on_our_codes.items():
                distance.add(ids, seen["exact"], seen[name])
    for case, column, shown in (("perplexity", 1, numpy.exp), ("kl_divergence", 2, float)):
        ours, peer = (shown(distances[name].mean(column)) for name in ("ours", "peer"))
        ratios = [b / a for a, b in zip(distances["ours"].each(column), distances["peer"].each(column))]
        row = bench.result("gguf", case, [ours], [peer], [peer / ours], "of a token" if column == 1 else "nats a token",
                           peer_version=models.version, isa_row=isa_row)
        row |= {"rounds": len(windows), "ratio_min": min(ratios), "ratio_max": max(ratios), "tokens": sum(map(len, windows)),
                "exact_activations": shown(distances["exact"].mean(column)),
                "ours_in_llama_cpp": shown(distances["ours in llama.cpp"].mean(column))}
        yield row
    same, written_out = on_our_codes.values()
    yield bench.result("gguf", "same_codes", [same.mean(3)], [1.0], [same.mean(3)], "share of tokens", peer_version=models.version,
                       isa_row=isa_row, tokens=sum(map(len, windows)), kl_divergence=same.mean(2),
                       written_out=written_out.mean(3), written_out_kl_divergence=written_out.mean(2))


def vocabulary_of(path):
    return int(next(t for t in gguf.GGUFReader(path).tensors if t.name == "token_embd.weight").shape[1])


def compare_f16(models, windows):
    """Tokens that we write from our fp16 file, against what llama.cpp finds best at each place of the same file."""
    sure = differ = near = 0
    with models.side(models.f16, "fp32") as ours, models.llama(models.f16) as peer:
        vocabulary = vocabulary_of(models.f16)
        for ids in windows:
            prompt = ids[:PROMPT_TOKENS]
            answer = ours.ask(f"greedy {NEW_TOKENS} {' '.join(map(str, prompt))}")
            best = models.logits(peer, prompt + answer["ids"][:-1], vocabulary)[PROMPT_TOKENS - 1:].argmax(axis=1)
            for mine, gap, theirs in zip(answer["ids"], answer["gaps"], best):
                sure += gap > SURE
                differ += gap > SURE and mine != theirs
                near += gap <= SURE and mine != theirs
        isa_row = ours.hello["isa_row"]
    sure, differ, near = int(sure), int(differ), int(near)
    return bench.result("gguf", "f16_tokens", [(sure - differ) / sure], [1.0], [(sure - differ) / sure], "share of tokens",
                        peer_version=models.version, isa_row=isa_row, tokens=sure, differ=differ, differ_where_unsure=near)


def compare_values(models):
    """Weights that the Python package reads from our codes, against those that our own export writes."""
    out = models.folder / "values"
    models.cupel("export", out, models.codes, "--dtype=f32")
    ours = load_file(out / "model" / "model.safetensors")
    equal = total = 0
    for tensor in gguf.GGUFReader(models.codes).tensors:
        if tensor.tensor_type != gguf.GGMLQuantizationType.IQ4_NL:
            continue
        _, layer, part, _ = tensor.name.split(".")
        module = next(ours_name for ours_name, name in TENSORS.items() if name == part)
        theirs = gguf.dequantize(tensor.data, tensor.tensor_type)
        mine = ours[f"model.layers.{layer}.{module}.weight"]
        if part in ("attn_q", "attn_k"):  # llama.cpp's order of a head's rows
            heads = mine.shape[0] // 64
            mine = mine.reshape(heads, 2, 32, -1).swapaxes(1, 2).reshape(mine.shape)
        equal += int((mine == theirs).sum())
        total += theirs.size
    return bench.result("gguf", "values", [equal / total], [1.0], [equal / total], "share of weights",
                        peer_version=f"gguf {importlib.metadata.version('gguf')}", isa_row="none", weights=total)


def run(rounds, wanted):
    quick = rounds < 11
    with tempfile.TemporaryDirectory(dir=os.environ["CUPEL_HOME"]) as folder:
        models = Models(pathlib.Path(folder), quick)
        with models.side(models.codes, "stored") as side:
            windows = side.ask(f"windows {PROMPTS} {LENGTH} {models.texts}")["windows"]
        if wanted in "perplexity kl_divergence same_codes":
            full = [window for window in windows if len(window) == LENGTH]
            yield from compare_codes(models, full[:2 if quick else MEASURED])
        if wanted in "f16_tokens":
            yield compare_f16(models, windows[:3 if quick else PROMPTS])
        if wanted in "values":
            yield compare_values(models)
