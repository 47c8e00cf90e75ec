"""Adapters that PEFT wrote for the tiny models, with both matrices random: logits, loss, and the gradients of the
matrices, in fp64.

check() also loads with PEFT what tests/nn/llm/adapter_nn_test.cpp saves.
"""

import json
import os
import pathlib
import subprocess
import tempfile

import numpy as np
import peft
import safetensors.numpy
import torch
from transformers.models.deepseek_v3 import modeling_deepseek_v3
from transformers.models.llama import modeling_llama

import fixture
import hf

TOLERANCE = 1e-10
STORED = pathlib.Path(__file__).resolve().parents[2] / "tests" / "fixtures"
TESTS = STORED.parents[1] / "build" / "release" / "cupel_nn_tests"
ROWS, LENGTH = 2, 16

# The base model's fixture, its modeling file and class, what is adapted. Of models with routed experts PEFT takes
# gate_proj, up_proj and down_proj for the experts' fused parameters, wherever they stand.
CASES = {
    "llama": ("llama_tiny/default", modeling_llama, "Llama",
              dict(r=4, lora_alpha=10, target_modules="all-linear")),
    "llama_two": ("llama_tiny/default", modeling_llama, "Llama",
                  dict(r=3, lora_alpha=7, use_rslora=True, target_modules=["v_proj", "layers.1.mlp.down_proj"])),
    "deepseek_v3": ("deepseek_v3_tiny/default", modeling_deepseek_v3, "DeepseekV3",
                    dict(r=3, lora_alpha=8,
                         target_modules=["q_a_proj", "q_b_proj", "kv_a_proj_with_mqa", "kv_b_proj", "o_proj"])),
}


def base_model(name, modeling, class_name):
    """In fp64, islands and all."""
    model = getattr(modeling, class_name + "ForCausalLM").from_pretrained(
        STORED / name, attn_implementation="eager", dtype=torch.float64, experts_implementation="eager")
    model.model.rotary_emb = getattr(modeling, class_name + "RotaryEmbedding")(model.config)
    return model.eval()


def ids_for(model, seed):
    random = np.random.Generator(np.random.PCG64(seed))
    return torch.from_numpy(random.integers(0, model.config.vocab_size, (ROWS, LENGTH)))


def adapters(model):
    return {name: p for name, p in model.named_parameters() if ".lora_" in name}


def make_case(folder, name, seed):
    base, modeling, class_name, settings = CASES[name]
    with hf.in_double(modeling):
        model = peft.get_peft_model(base_model(base, modeling, class_name),
                                    peft.LoraConfig(task_type="CAUSAL_LM", **settings)).double()
        with torch.no_grad():
            for i, weight in enumerate(adapters(model).values()):
                values = fixture.random([700 + seed, i], *weight.shape) / np.sqrt(weight.shape[-1])
                weight.copy_(torch.from_numpy(values.astype(np.float32)))
        ids = ids_for(model, 800 + seed)
        logits = model(input_ids=ids, use_cache=False).logits
        loss = hf.cross_entropy(logits[:, :-1], ids[:, 1:])
        loss.backward()
        with model.disable_adapter(), torch.no_grad():
            gap = (model(input_ids=ids, use_cache=False).logits - logits).abs().max() / logits.abs().max()
    if gap < 0.05:
        raise SystemExit(f"{name}: the adapter changes the logits by {gap:.1e} only")
    expected = {"ids": ids.numpy(), "logits": logits.detach().numpy(), "loss": loss.detach().numpy()}
    for key, weight in adapters(model).items():
        short = key.removeprefix("base_model.model.").replace(".default", "")
        expected["grad." + short] = weight.grad.numpy()
    fixture.write_tensors(folder / name / "expected.safetensors", expected, hf.VERSIONS | {"peft": peft.__version__})
    model.float().save_pretrained(folder / name)
    (folder / name / "README.md").unlink(missing_ok=True)
    path = folder / name / "adapter_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = "../../" + base  # where the stored adapter finds it
    config["target_modules"] = sorted(config["target_modules"])
    path.write_text(json.dumps(config, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def make(folder):
    for seed, name in enumerate(CASES):
        make_case(folder, name, seed)


def check(stored):
    """What PEFT makes of the adapters that our tests saved: logits as stored."""
    if not TESTS.exists():
        return [f"{TESTS} is not built, so nothing that was saved could be loaded"]
    found = []
    with tempfile.TemporaryDirectory() as saved:
        subprocess.run([TESTS, "--gtest_filter=*SavesWhatPeftLoads*"], check=True,
                       env=os.environ | {"CUPEL_SAVED_MODELS": saved}, stdout=subprocess.DEVNULL)
        for folder in sorted(path.parent for path in pathlib.Path(saved).rglob("adapter_config.json")):
            base, modeling, class_name, _ = CASES[folder.name]
            expected = safetensors.numpy.load_file(stored / folder.name / "expected.safetensors")
            with hf.in_double(modeling), torch.no_grad():
                model = peft.PeftModel.from_pretrained(base_model(base, modeling, class_name), folder).double()
                logits = model(input_ids=torch.from_numpy(expected["ids"]), use_cache=False).logits.numpy()
            gap = np.abs(logits - expected["logits"]).max() / np.abs(expected["logits"]).max()
            print(f"  {folder.name}: PEFT reads what was saved with a gap of {gap:.1e}")
            if gap > 1e-9:
                found.append(f"{folder.name}: saved, it gives PEFT logits {gap:.1e} apart")
        if not any(pathlib.Path(saved).rglob("adapter_config.json")):
            found.append("the tests saved no adapter")
    return found
