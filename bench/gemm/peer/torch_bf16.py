"""PyTorch's side of the gemm bench: a linear layer in bf16. Options and protocol: ../README.md."""

import argparse
import json
import sys
import time

import torch

parser = argparse.ArgumentParser()
for name in ("m", "n", "k", "threads"):
    parser.add_argument(f"--{name}", type=int, required=True)
options = parser.parse_args()
torch.set_num_threads(options.threads)
torch.manual_seed(1)
weight = torch.randn(options.n, options.k).bfloat16()
x = torch.randn(options.m, options.k).bfloat16()
print(json.dumps({"version": f"torch {torch.__version__}", "type": "bf16", "buffer": ""}), flush=True)
with torch.inference_mode():
    for line in sys.stdin:
        steps = int(line.split()[1])
        begin = time.perf_counter()
        for _ in range(steps):
            torch.nn.functional.linear(x, weight)
        print(json.dumps({"seconds": time.perf_counter() - begin,
                          "teraops": 2e-12 * steps * options.m * options.n * options.k}), flush=True)
