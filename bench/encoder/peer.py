"""The peer of the encoder bench: onnxruntime in fp32 on the same model, tokenised by `tokenizers`.

Speaks the protocol of README.md: one JSON line at start, then one JSON line for each line read. The graph is exported
from transformers with mean and norm in it, once as it is and once fused by onnxruntime's own optimiser of BERT;
the faster of both runs, with the batch size that is fastest, both measured at the start.
"""

import argparse
import contextlib
import json
import math
import os
import pathlib
import sys
import tempfile
import time

os.environ["HF_HUB_OFFLINE"] = "1"  # before transformers: nothing is fetched

import numpy as np
import onnxruntime
import torch
from onnxruntime.transformers import optimizer
from tokenizers import Tokenizer
from transformers import BertModel

BATCH_SIZES = (1, 4, 16)


class SentenceVectors(torch.nn.Module):
    """BertModel, mean and norm, written out in the pattern that onnxruntime's optimiser fuses (transformers 5 exports
    another, of which it fuses the activation alone)."""

    def __init__(self, bert):
        super().__init__()
        self.bert = bert
        self.heads = bert.config.num_attention_heads
        self.dim = bert.config.hidden_size // self.heads

    def split(self, x):
        return x.view(x.size(0), x.size(1), self.heads, self.dim).permute(0, 2, 1, 3)

    def attend(self, part, x, mask):
        q, k, v = (self.split(linear(x)) for linear in (part.self.query, part.self.key, part.self.value))
        scores = torch.matmul(q, k.transpose(-1, -2)) / math.sqrt(self.dim) + mask
        context = torch.matmul(torch.softmax(scores, -1), v).permute(0, 2, 1, 3).contiguous()
        context = context.view(context.size(0), context.size(1), self.heads * self.dim)
        return part.output.LayerNorm(part.output.dense(context) + x)

    def forward(self, input_ids, attention_mask):
        table = self.bert.embeddings
        positions = table.position_embeddings(torch.arange(input_ids.size(1)).unsqueeze(0))
        x = table.LayerNorm(table.word_embeddings(input_ids) + positions
                            + table.token_type_embeddings(torch.zeros_like(input_ids)))
        mask = (1.0 - attention_mask.unsqueeze(1).unsqueeze(2).to(torch.float32)) * -10000.0
        for layer in self.bert.encoder.layer:
            x = self.attend(layer.attention, x, mask)
            inner = torch.nn.functional.gelu(layer.intermediate.dense(x))
            x = layer.output.LayerNorm(layer.output.dense(inner) + x)
        weights = attention_mask.unsqueeze(-1).float()
        return torch.nn.functional.normalize((x * weights).sum(1) / weights.sum(1), dim=1)


def export(source, folder):
    """Paths of the graph as exported and as fused."""
    model = SentenceVectors(BertModel.from_pretrained(source).eval())
    ids = torch.randint(1000, 2000, (2, 9))
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0
    plain, fused = str(folder / "plain.onnx"), str(folder / "fused.onnx")
    axes = {0: "texts", 1: "tokens"}
    torch.onnx.export(model, (ids, mask), plain, input_names=["input_ids", "attention_mask"], output_names=["vectors"],
                      dynamic_axes={"input_ids": axes, "attention_mask": axes, "vectors": {0: "texts"}}, dynamo=False,
                      opset_version=17)
    config = model.bert.config
    optimised = optimizer.optimize_model(plain, model_type="bert", num_heads=config.num_attention_heads,
                                         hidden_size=config.hidden_size, opt_level=0)
    optimised.save_model_to_file(fused)
    return {"plain": plain, "fused": fused}, {k: n for k, n in optimised.get_fused_operator_statistics().items() if n}


class Encoder:
    def __init__(self, args, folder):
        self.tokenizer = Tokenizer.from_file(str(pathlib.Path(args.model) / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(json.loads(
            (pathlib.Path(args.model) / "sentence_bert_config.json").read_text())["max_seq_length"])
        self.texts = json.loads(pathlib.Path(args.texts).read_text())
        graphs, self.fused = export(args.model, folder)
        self.sessions = {}
        for name, path in graphs.items():
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = args.threads
            options.inter_op_num_threads = 1
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
            self.sessions[name] = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.graph, self.batch = None, None

    def encode(self, texts):
        ids = [encoding.ids for encoding in self.tokenizer.encode_batch(texts, add_special_tokens=True)]
        order = sorted(range(len(ids)), key=lambda i: -len(ids[i]))
        vectors = [None] * len(ids)
        for at in range(0, len(order), self.batch):
            rows = order[at:at + self.batch]
            width = len(ids[rows[0]])
            tokens = np.zeros((len(rows), width), np.int64)
            mask = np.zeros((len(rows), width), np.int64)
            for r, i in enumerate(rows):
                tokens[r, :len(ids[i])] = ids[i]
                mask[r, :len(ids[i])] = 1
            found = self.sessions[self.graph].run(None, {"input_ids": tokens, "attention_mask": mask})[0]
            for r, i in enumerate(rows):
                vectors[i] = found[r]
        return np.stack(vectors)

    def tune(self):
        """Seconds of some texts for each graph and batch size; the fastest pair stays."""
        some = self.texts[::max(1, len(self.texts) // 32)]
        seconds = {}
        for graph in self.sessions:
            for batch in BATCH_SIZES:
                self.graph, self.batch = graph, batch
                times = []
                for _ in range(3):
                    start = time.perf_counter()
                    self.encode(some)
                    times.append(time.perf_counter() - start)
                seconds[graph, batch] = min(times[1:])
        self.graph, self.batch = min(seconds, key=seconds.get)
        return {f"{graph} {batch}": round(value, 3) for (graph, batch), value in seconds.items()}

    def answer(self, line):
        word, *rest = line.split()
        if word == "vectors":
            return {"vectors": self.encode(self.texts).tolist()}
        if word == "round":
            start = time.perf_counter()
            for _ in range(int(rest[0])):
                self.encode(self.texts)
            return {"seconds": time.perf_counter() - start, "sentences": int(rest[0]) * len(self.texts)}
        raise ValueError(f"unknown request {word!r}; known: round STEPS, vectors")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--texts", required=True)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    torch.set_num_threads(args.threads)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(sys.stderr):
        encoder = Encoder(args, pathlib.Path(folder))
        tried = encoder.tune()
    print(json.dumps({"version": f"onnxruntime {onnxruntime.__version__}", "graph": encoder.graph,
                      "batch": encoder.batch, "tried": tried, "fused": encoder.fused}), flush=True)
    for line in sys.stdin:
        if line.strip():
            print(json.dumps(encoder.answer(line)), flush=True)


if __name__ == "__main__":
    main()
