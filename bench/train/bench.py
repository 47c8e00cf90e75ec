"""Training speed and memory: our loop against transformers' models in PyTorch eager."""

import contextlib
import itertools
import json
import pathlib
import sys

import bench

HERE = pathlib.Path(__file__).parent
MODELS = ("deepseek", "qwen3")  # MODEL.json is read by both sides
THREADS, BATCH, LENGTH = 2, 8, 256
ROUND_SECONDS = 3.0


def shared_options(model, precision):
    return ["--config", HERE / f"{model}.json", "--precision", precision, "--threads", THREADS, "--batch", BATCH,
            "--length", LENGTH]


def ours(model, precision, *options, **more):
    return bench.Side([bench.built("bench_train"), *shared_options(model, precision), *options], **more)


def peer(model, precision, *options, **more):
    return bench.Side([sys.executable, HERE / "peer.py", *shared_options(model, precision), *options], **more)


def flops_per_token(model, length):
    """Multiply-adds (times 2) of forward and backward in matrix products, active experts only, causal attention."""
    config = json.loads((HERE / f"{model}.json").read_text(encoding="utf-8"))
    forward = {"deepseek": deepseek_multiply_adds, "qwen3": qwen3_multiply_adds}[model](config, length)
    return 3 * 2 * (forward + config["hidden_size"] * config["vocab_size"])


def qwen3_multiply_adds(config, length):
    width, queries = config["hidden_size"], config["num_attention_heads"] * config["head_dim"]
    attention = 2 * width * queries + 2 * width * config["num_key_value_heads"] * config["head_dim"]
    scores = 2 * queries * length / 2
    return config["num_hidden_layers"] * (attention + scores + 3 * width * config["intermediate_size"])


def deepseek_multiply_adds(config, length):
    width, heads = config["hidden_size"], config["num_attention_heads"]
    qk, v = config["qk_nope_head_dim"] + config["qk_rope_head_dim"], config["v_head_dim"]
    q_rank, kv_rank = config["q_lora_rank"], config["kv_lora_rank"]
    attention = (width * q_rank + q_rank * heads * qk + width * (kv_rank + config["qk_rope_head_dim"])
                 + kv_rank * heads * (config["qk_nope_head_dim"] + v) + heads * v * width)
    scores = heads * (qk + v) * length / 2
    layers, dense = config["num_hidden_layers"], config["first_k_dense_replace"]
    experts = 3 * config["moe_intermediate_size"] * (config["num_experts_per_tok"] + config["n_shared_experts"])
    expert_layer = width * (experts + config["n_routed_experts"])
    dense_layer = 3 * width * config["intermediate_size"]
    return layers * (attention + scores) + dense * dense_layer + (layers - dense) * expert_layer


def speed(model, precision, rounds):
    with contextlib.ExitStack() as stack:
        we, they = stack.enter_context(ours(model, precision)), stack.enter_context(peer(model, precision))
        our_rates, peer_rates = bench.interleaved(we, they, rounds, ROUND_SECONDS)
        profile = they.ask("profile 3")
        ratio = [a / b for a, b in zip(our_rates, peer_rates)]
        row = bench.result("train", f"{model}_{precision}", our_rates, peer_rates, ratio, "tokens/s",
                           peer_version=they.hello["version"], isa_row=we.hello["isa_row"], threads=THREADS,
                           parameters=we.hello["parameters"], peer_experts=they.hello["experts"],
                           peer_matrix_product_share=round(profile["matrix_product_share"], 3))
        if we.hello["parameters"] != they.hello["parameters"]:
            raise SystemExit(f"not the same model: {we.hello['parameters']} and {they.hello['parameters']} parameters")
        if precision == "fp32":
            gflops = row["ours"] * flops_per_token(model, LENGTH) / 1e9
            row["share_of_peak"] = round(gflops / bench.fma_peak_gflops(THREADS), 3)
        return row


def memory(model, precision):
    """One number a side: the peak is the same at every step once moments exist."""
    experts = ["--experts", "grouped_mm"] if model == "deepseek" else []

    def measured(side):
        with side:
            return side.ask("memory"), side.hello

    we, our_hello = measured(ours(model, precision, "--memory-mode", count_allocations=True))
    they, peer_hello = measured(peer(model, precision, *experts, count_allocations=True))
    checkpointing, _ = measured(peer(model, precision, *experts, "--checkpointing", count_allocations=True))
    our_bytes, peer_bytes = we["peak_above_weights_bytes"], they["peak_above_weights_bytes"]
    return bench.result("train", f"{model}_{precision}_memory", [our_bytes], [peer_bytes], [peer_bytes / our_bytes],
                        "bytes", peer_version=peer_hello["version"], isa_row=our_hello["isa_row"],
                        peer_checkpointing=checkpointing["peak_above_weights_bytes"],
                        weight_bytes=they["weight_bytes"], rss=we["rss_bytes"], peer_rss=they["rss_bytes"])


def run(rounds, wanted):
    for model, precision in itertools.product(MODELS, ("fp32", "bf16")):
        if wanted in f"{model}_{precision}":
            yield speed(model, precision, rounds)
        if wanted in f"{model}_{precision}_memory":
            yield memory(model, precision)
