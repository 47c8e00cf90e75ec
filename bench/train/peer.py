"""The peer of the train bench: transformers' own model of a config.json, PyTorch eager, fused AdamW.

Speaks the protocol of README.md: one JSON line at start, then one JSON line for each line read.
"""

import argparse
import ctypes
import json
import os
import resource
import sys
import time

os.environ["HF_HUB_OFFLINE"] = "1"  # before transformers: nothing is fetched

import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM

EXPERTS = ("eager", "grouped_mm", "batched_mm")
MATRIX_PRODUCTS = ("mm", "addmm", "bmm", "baddbmm", "grouped_mm", "scaled_dot_product", "flash_attention")


class Trainer:
    """Model, optimizer and batches; step() is one training step on the next batch."""

    def __init__(self, args):
        torch.manual_seed(0)
        torch.set_num_threads(args.threads)
        self.precision = args.precision
        with open(args.config) as file:
            config = AutoConfig.for_model(**json.load(file))
        config.use_cache = False
        self.live_before = COUNTER.count_allocs_live() if COUNTER else 0
        self.model = AutoModelForCausalLM.from_config(config, attn_implementation=args.attention)
        self.model.train()
        self.weight_bytes = sum(p.numel() * p.element_size() for p in self.model.parameters())
        if args.checkpointing:
            self.model.gradient_checkpointing_enable({"use_reentrant": False})
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
        generator = torch.Generator().manual_seed(1)
        self.batches = torch.randint(config.vocab_size, (16, args.batch, args.length), generator=generator)
        self.tokens = args.batch * args.length
        self.count = 0

    def step(self):
        ids = self.batches[self.count % len(self.batches)]
        self.count += 1
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.precision == "bf16"):
            loss = self.model(input_ids=ids, labels=ids).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        return loss.item()

    def round(self, steps):
        start = time.perf_counter()
        for _ in range(steps):
            loss = self.step()
        seconds = time.perf_counter() - start
        return {"seconds": seconds, "steps": steps, "tokens": steps * self.tokens, "loss": loss}

    def memory(self):
        if not COUNTER:
            raise SystemExit("memory needs count_allocs.c preloaded (LD_PRELOAD)")
        self.step()  # moments and gradients exist from here on
        COUNTER.count_allocs_reset()
        self.step()
        above = COUNTER.count_allocs_peak() - self.live_before - self.weight_bytes
        return {"peak_above_weights_bytes": above, "weight_bytes": self.weight_bytes,
                "rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def allocation_counter():
    """The functions of count_allocs.c where it is preloaded, else None."""
    library = ctypes.CDLL(None)
    if not hasattr(library, "count_allocs_live"):
        return None
    library.count_allocs_live.restype = library.count_allocs_peak.restype = ctypes.c_longlong
    return library


COUNTER = allocation_counter()


def profile(trainer, steps):
    """Share of matrix products in the time of all operations, and the ten that cost most."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as record:
        trainer.round(steps)
    rows = [(e.key, e.self_cpu_time_total, e.count) for e in record.key_averages()]
    total = sum(time_us for _, time_us, _ in rows)
    products = sum(time_us for name, time_us, _ in rows if any(m in name for m in MATRIX_PRODUCTS))
    top = sorted(rows, key=lambda row: -row[1])[:10]
    return {"matrix_product_share": products / total,
            "top": [{"op": name, "share": time_us / total, "calls": count // steps} for name, time_us, count in top]}


def fastest_experts(trainer):
    """Tries every experts_implementation that runs in this precision; keeps the fastest. None without experts."""
    if not hasattr(trainer.model.config, "n_routed_experts"):
        return None, {}
    seconds = {}
    for name in EXPERTS:
        trainer.model.set_experts_implementation(name)
        try:
            seconds[name] = trainer.round(1)["seconds"]
            if seconds[name] <= 3 * min(seconds.values()):  # else out of the race: one slow step is enough
                seconds[name] = min(trainer.round(1)["seconds"] for _ in range(3))
        except (RuntimeError, NotImplementedError) as error:
            print(f"peer: {name}: {error}", file=sys.stderr)
    best = min(seconds, key=seconds.get)
    trainer.model.set_experts_implementation(best)
    return best, seconds


def answer(trainer, line):
    word, *rest = line.split()
    if word == "round":
        return trainer.round(int(rest[0]))
    if word == "memory":
        return trainer.memory()
    if word == "profile":
        return profile(trainer, int(rest[0]))
    raise ValueError(f"unknown request {word!r}; known: round STEPS, memory, profile STEPS")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument("--experts", choices=EXPERTS, help="default: the fastest of them, measured at start")
    parser.add_argument("--attention", choices=("sdpa", "eager"), default="sdpa")
    parser.add_argument("--checkpointing", action="store_true")
    args = parser.parse_args()
    trainer = Trainer(args)
    if args.experts:
        trainer.model.set_experts_implementation(args.experts)
        best, seconds = args.experts, {}
    else:
        best, seconds = fastest_experts(trainer)
    print(json.dumps({
        "version": f"torch {torch.__version__}, transformers {transformers.__version__}", "experts": best,
        "experts_seconds": seconds, "threads": torch.get_num_threads(), "precision": args.precision,
        "parameters": trainer.weight_bytes // 4}), flush=True)
    for line in sys.stdin:
        if line.strip():
            print(json.dumps(answer(trainer, line)), flush=True)


if __name__ == "__main__":
    main()
