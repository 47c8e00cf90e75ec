"""Answers rows by `transformers`, and holds an adapter under `peft` against the merged model: one JSON line.

    peer.py MERGED BASE ADAPTER < prompts, a JSON string a line
"""

import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"  # before transformers: nothing is fetched

import peft
import torch
import transformers

MOST_TOKENS = 12
COMPARED = 8  # prompts


def answer(model, tokenizer, prompt):
    """The greedy continuation up to the line's end, as `cupel eval` takes it."""
    ids = tokenizer(prompt, return_tensors="pt").input_ids
    with torch.no_grad():
        out = model.generate(ids, max_new_tokens=MOST_TOKENS, do_sample=False, repetition_penalty=1.0)
    text = tokenizer.decode(out[0, ids.shape[1]:], skip_special_tokens=True)
    return text.split("\n")[0].split("=")[-1].strip()


def logit_error(merged, adapted, tokenizer, prompts):
    worst = 0
    for prompt in prompts:
        ids = tokenizer(prompt, return_tensors="pt").input_ids
        with torch.no_grad():
            one, other = merged(ids).logits, adapted(ids).logits
        worst = max(worst, float((one - other).abs().max() / one.abs().max()))
    return worst


def main():
    merged_folder, base_folder, adapter_folder = sys.argv[1:]
    prompts = [json.loads(line) for line in sys.stdin]
    load = transformers.AutoModelForCausalLM.from_pretrained
    tokenizer = transformers.AutoTokenizer.from_pretrained(merged_folder)
    merged = load(merged_folder, dtype=torch.float32).eval()
    adapted = peft.PeftModel.from_pretrained(load(base_folder, dtype=torch.float32), adapter_folder).eval()
    print(json.dumps({"version": f"transformers {transformers.__version__}, peft {peft.__version__}",
                      "logit_error": logit_error(merged, adapted, tokenizer, prompts[:COMPARED]),
                      "answers": [answer(merged, tokenizer, prompt) for prompt in prompts]}))


if __name__ == "__main__":
    main()
