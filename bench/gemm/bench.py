"""Products of 8-bit activations with 4-bit weights: ours against llama.cpp's best 4-bit type and PyTorch's bf16."""

import contextlib
import hashlib
import os
import pathlib
import statistics
import subprocess
import sys
import tarfile
import tempfile

import bench

HERE = pathlib.Path(__file__).parent
THREADS = 2
SIDE = 4096  # rows and columns of the weight
ROUND_SECONDS = 0.4
ROWS = {"decode": 1, "decode_dram": 1, "rows8": 8, "prefill128": 128, "prefill512": 512}
WEIGHT_BYTES = SIDE * SIDE // 2  # of codes
DRAM_BYTES = 640 << 20  # of the weights of decode_dram, which are multiplied in turn
GROUPS = {"cb4_32": 32, "cb4_128": 128}
PEER_TYPES = ("q4_0", "q4_K", "iq4_nl", "iq4_xs")
VERSION = "0.3.36"  # of llama-cpp-python, whose source has ggml
SHA256 = "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e"
COMPILER = "clang++-19"  # builds ggml's best 4-bit kernel 1.5 times as fast as g++ 12 does


def ggml_peer():
    """The program of peer/ggml.cpp, built with ggml from llama-cpp-python's source, which pip fetches."""
    home = pathlib.Path(os.environ["CUPEL_HOME"])
    source, program = home / f"ggml-{VERSION}", home / f"ggml-{VERSION}" / "ggml_peer"
    if subprocess.run(["which", COMPILER], capture_output=True).returncode:
        raise SystemExit(f"{COMPILER} is missing; apt-get install clang-19")
    if not source.exists():
        with tempfile.TemporaryDirectory(dir=home) as stage:
            subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:",
                            f"llama-cpp-python=={VERSION}"], cwd=stage, check=True, stdout=sys.stderr)
            archive = next(pathlib.Path(stage).glob("*.tar.gz"))
            if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
                raise SystemExit(f"{archive.name} has another checksum than bench/gemm/bench.py names")
            with tarfile.open(archive) as packed:
                packed.extractall(stage)  # of a checksum that is known
            (pathlib.Path(stage) / f"llama_cpp_python-{VERSION}" / "vendor" / "llama.cpp").rename(source)
    if not program.exists() or program.stat().st_mtime < (HERE / "peer" / "ggml.cpp").stat().st_mtime:
        build = source / "build"
        off = [f"-D{name}=OFF" for name in ("BUILD_SHARED_LIBS", "GGML_OPENMP", "LLAMA_BUILD_TESTS", "LLAMA_BUILD_TOOLS",
                                            "LLAMA_BUILD_EXAMPLES", "LLAMA_BUILD_SERVER", "LLAMA_BUILD_APP")]
        commands = (["cmake", "-S", source, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DGGML_NATIVE=ON",
                     f"-DCMAKE_C_COMPILER={COMPILER.replace('++', '')}", f"-DCMAKE_CXX_COMPILER={COMPILER}", *off],
                    ["cmake", "--build", build, "--target", "ggml"],
                    [COMPILER, "-O2", "-std=c++20", f"-I{source}/ggml/include", HERE / "peer" / "ggml.cpp",
                     *(build / "ggml" / "src" / f"libggml{part}.a" for part in ("", "-cpu", "-base")), "-o", program,
                     "-lpthread", "-ldl", "-lm"])
        for command in commands:
            subprocess.run([str(word) for word in command], check=True, stdout=sys.stderr)
    return program


def vnni_peak():
    """8-bit operations a second of the dot products of as many cores at once, in millions of millions; None where
    there are none."""
    if "avx512_vnni" not in pathlib.Path("/proc/cpuinfo").read_text():
        return None
    program = bench.compiled("bench/vnni_peak.c", [])
    cores = [subprocess.Popen([program], text=True, stdout=subprocess.PIPE) for _ in range(THREADS)]
    return sum(float(core.communicate()[0]) for core in cores)


def best_type(program, shape):
    """(name, rates of all) of llama.cpp's fastest 4-bit type on the shape."""
    rates = {}
    for name in PEER_TYPES:
        with bench.Side([program, *shape, "--type", name]) as side:
            steps = max(1, round(ROUND_SECONDS / side.ask("round 1")["seconds"]))
            answers = [side.ask(f"round {steps}") for _ in range(3)]
            rates[name] = round(statistics.median(a["teraops"] / a["seconds"] for a in answers), 4)
    return max(rates, key=rates.get), rates


def compare(case, rows_of_a, group, rounds):
    weights = DRAM_BYTES // WEIGHT_BYTES if "dram" in case else 1
    shape = ["--m", rows_of_a, "--n", SIDE, "--k", SIDE, "--threads", THREADS, "--weights", weights]
    program = ggml_peer()
    best, tried = best_type(program, shape)
    with contextlib.ExitStack() as stack:
        we = stack.enter_context(bench.Side([bench.built("bench_gemm"), *shape, "--group", group]))
        they = stack.enter_context(bench.Side([program, *shape, "--type", best]))
        ours, peer = bench.interleaved(we, they, rounds, ROUND_SECONDS, "teraops", equal_steps=False)
        row = bench.result("gemm", case, ours, peer, [a / b for a, b in zip(ours, peer)], "TOPS",
                           peer_version=they.hello["version"], isa_row=we.hello["isa_row"], threads=THREADS,
                           peer_type=best, peer_buffer=they.hello["buffer"], peer_tried=tried)
        if rows_of_a == 1:
            reader = stack.enter_context(bench.Side([bench.compiled("bench/read_peak.c", ["-pthread"]), weights * WEIGHT_BYTES,
                                                     THREADS]))
            again, reads = bench.interleaved(we, reader, rounds, ROUND_SECONDS, "gigabytes", equal_steps=False)
            row["share_of_read_loop"] = round(statistics.median(a / b for a, b in zip(again, reads)), 3)
        if weights > 1:
            return row
        torch = stack.enter_context(bench.Side([sys.executable, HERE / "peer" / "torch_bf16.py", *shape[:-2]]))
        again, bf16 = bench.interleaved(we, torch, rounds, ROUND_SECONDS, "teraops", equal_steps=False)
        row["ratio_to_torch_bf16"] = round(statistics.median(a / b for a, b in zip(again, bf16)), 2)
        peak = vnni_peak()
        if peak:
            row["share_of_peak"] = round(row["ours"] / peak, 3)
        return row


def run(rounds, wanted):
    for rows_name, rows in ROWS.items():
        for format_name, group in GROUPS.items():
            case = f"{rows_name}_{format_name}"
            if wanted in case:
                yield compare(case, rows, group, rounds)
