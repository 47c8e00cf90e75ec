"""Training speed and memory: our loop against transformers' DeepseekV3ForCausalLM in PyTorch eager."""

import contextlib
import json
import pathlib
import sys

import bench

HERE = pathlib.Path(__file__).parent
CONFIG = HERE / "deepseek.json"
THREADS, BATCH, LENGTH = 2, 8, 256
ROUND_SECONDS = 3.0


def shared_options(precision):
    return ["--config", CONFIG, "--precision", precision, "--threads", THREADS, "--batch", BATCH, "--length", LENGTH]


def ours(precision, *options, **more):
    return bench.Side([bench.built("bench_train"), *shared_options(precision), *options], **more)


def peer(precision, *options, **more):
    return bench.Side([sys.executable, HERE / "peer.py", *shared_options(precision), *options], **more)


def flops_per_token(config, length):
    """Multiply-adds (times 2) of forward and backward in matrix products, active experts only, causal attention."""
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
    total = (layers * (attention + scores) + dense * dense_layer + (layers - dense) * expert_layer
             + width * config["vocab_size"])
    return 3 * 2 * total


def speed(precision, rounds):
    with contextlib.ExitStack() as stack:
        we, they = stack.enter_context(ours(precision)), stack.enter_context(peer(precision))
        our_rates, peer_rates = bench.interleaved(we, they, rounds, ROUND_SECONDS)
        profile = they.ask("profile 3")
        ratio = [a / b for a, b in zip(our_rates, peer_rates)]
        row = bench.result("train", f"deepseek_{precision}", our_rates, peer_rates, ratio, "tokens/s",
                           peer_version=they.hello["version"], isa_row=we.hello["isa_row"], threads=THREADS,
                           parameters=we.hello["parameters"], peer_experts=they.hello["experts"],
                           peer_matrix_product_share=round(profile["matrix_product_share"], 3))
        if we.hello["parameters"] != they.hello["parameters"]:
            raise SystemExit(f"not the same model: {we.hello['parameters']} and {they.hello['parameters']} parameters")
        if precision == "fp32":
            flops = flops_per_token(json.loads(CONFIG.read_text()), LENGTH)
            row["share_of_peak"] = round(row["ours"] * flops / 1e9 / bench.fma_peak_gflops(THREADS), 3)
        return row


def memory(precision):
    """One number a side: the peak is the same at every step once moments exist."""
    def measured(side):
        with side:
            return side.ask("memory"), side.hello

    we, our_hello = measured(ours(precision, "--memory-mode", count_allocations=True))
    they, peer_hello = measured(peer(precision, "--experts", "grouped_mm", count_allocations=True))
    checkpointing, _ = measured(peer(precision, "--experts", "grouped_mm", "--checkpointing", count_allocations=True))
    our_bytes, peer_bytes = we["peak_above_weights_bytes"], they["peak_above_weights_bytes"]
    return bench.result("train", f"deepseek_{precision}_memory", [our_bytes], [peer_bytes], [peer_bytes / our_bytes],
                        "bytes", peer_version=peer_hello["version"], isa_row=our_hello["isa_row"],
                        peer_checkpointing=checkpointing["peak_above_weights_bytes"],
                        weight_bytes=they["weight_bytes"], rss=we["rss_bytes"], peer_rss=they["rss_bytes"])


def run(rounds, wanted):
    for precision in ("fp32", "bf16"):
        if wanted in f"deepseek_{precision}":
            yield speed(precision, rounds)
        if wanted in f"deepseek_{precision}_memory":
            yield memory(precision)
