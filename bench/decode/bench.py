"""Tokens a second of a language model in 4-bit codes: ours against llama.cpp's fastest 4-bit type of the same model."""

import contextlib
import os
import pathlib
import statistics
import subprocess
import sys

import bench

HERE = pathlib.Path(__file__).parent
THREADS = 2
ROUND_SECONDS = 1.0
CASES = {"decode": 64, "prefill": 512}  # tokens that stand before, tokens of a prompt
TYPES = ("q4_0", "q4_K", "iq4_nl", "iq4_xs")
OUR_TYPE = "iq4_nl"  # whose codes we multiply as they are


def llama_peer():
    """(the program of ../llama_peer.cpp, its version): built once, with the compiler that is best for its kernels."""
    gemm = bench.load_bench("gemm")
    source = gemm.ggml_peer().parent
    program, build = source / "llama_peer", source / "build"
    own = HERE.parent / "llama_peer.cpp"
    if not program.exists() or program.stat().st_mtime < own.stat().st_mtime:
        libraries = (build / "src" / "libllama.a", *(build / "ggml" / "src" / f"libggml{part}.a" for part in ("", "-cpu", "-base")))
        for command in (["cmake", "--build", build, "--target", "llama"],
                        [gemm.COMPILER, "-O2", "-std=c++20", f"-I{source}/include", f"-I{source}/ggml/include", own,
                         *libraries, "-o", program, "-lpthread", "-ldl", "-lm"]):
            subprocess.run([str(word) for word in command], check=True, stdout=sys.stderr)
    return program, f"llama.cpp of llama-cpp-python {gemm.VERSION}"


def model_files(program):
    """The model of scripts/setup --models in each type, every linear layer in it, embedding and head in Q8_0."""
    folder = pathlib.Path(os.environ["CUPEL_HOME"]) / "models" / "SmolLM2-135M-Instruct"
    source = next((file for file in sorted(folder.glob("*.gguf"))), None)
    if source is None:
        raise SystemExit(f"{folder} has no .gguf; run scripts/setup --models")
    target = pathlib.Path(os.environ["CUPEL_HOME"]) / "bench-decode"
    target.mkdir(exist_ok=True)
    files = {name: target / f"{name}.gguf" for name in TYPES}
    for name, file in files.items():
        if not file.exists():
            partial = file.with_suffix(".part")
            subprocess.run([program, "--quantize", source, partial, name], check=True, stdout=sys.stderr)
            partial.rename(file)
    return files


def best_type(program, version, files, common):
    rates = {}
    for name, file in files.items():
        with bench.Side([program, "--model", file, "--version", version, *common]) as side:
            steps = max(1, round(ROUND_SECONDS / max(side.ask("round 1")["seconds"] for _ in range(2))))
            answers = [side.ask(f"round {steps}") for _ in range(3)]
            rates[name] = round(statistics.median(a["tokens"] / a["seconds"] for a in answers), 2)
    return max(rates, key=rates.get), rates


def compare(phase, context, rounds):
    program, version = llama_peer()
    files = model_files(program)
    common = ["--phase", phase, "--context", context, "--threads", THREADS]
    best, tried = best_type(program, version, files, common)
    size = files[OUR_TYPE].stat().st_size
    with contextlib.ExitStack() as stack:
        we = stack.enter_context(bench.Side([bench.built("bench_decode"), "--model", files[OUR_TYPE], *common]))
        they = stack.enter_context(bench.Side([program, "--model", files[best], "--version", version, *common]))
        ours, peer = bench.interleaved(we, they, rounds, ROUND_SECONDS, equal_steps=False)
        row = bench.result("decode", phase, ours, peer, [a / b for a, b in zip(ours, peer)], "tokens/s",
                           peer_version=version, isa_row=we.hello["isa_row"], threads=THREADS, peer_type=best,
                           peer_tried=tried, model_bytes=size)
        if phase == "decode":
            reader = stack.enter_context(bench.Side([bench.compiled("bench/read_peak.c", ["-pthread"]), size, THREADS]))
            again, reads = bench.interleaved(we, reader, rounds, ROUND_SECONDS, equal_steps=False, counted="tokens",
                                             peer_counted="gigabytes")
            row["share_of_read_loop"] = round(statistics.median(a * size * 1e-9 / b for a, b in zip(again, reads)), 3)
        return row


def run(rounds, wanted):
    for phase, context in CASES.items():
        if wanted in phase:
            yield compare(phase, context, rounds)
