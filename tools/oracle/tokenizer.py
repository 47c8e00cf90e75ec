"""Byte-level BPE tokenizers made with Hugging Face's `tokenizers`, and the ids they give to awkward strings.

gpt2: GPT-2's splitting pattern inside ByteLevel. llama3: the Split pattern of Llama 3, `ignore_merges`, a
begin-of-text token added by the post-processor. qwen2: its Split pattern (single digits) after NFC.
"""

import json

import tokenizers
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

import corpus
import fixture

TOLERANCE = 0
TRAINING_BYTES = 200_000

WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
SPLIT = {"llama3": WORDS + r"\p{N}{1,3}" + REST, "qwen2": WORDS + r"\p{N}" + REST}

TEXTS = [
    "", " ", "a", "  ", "\n", "\t", "\r\n", " \n", "\n ", "   leading", "trailing   ", "two  spaces", "a\u00a0b",
    "First Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:\nSpeak, speak.\n",
    "I'm you're he's we'd they've can't I'LL WE'RE o'clock 'tis ''quoted''",
    "12345678901 3.14159 1,000,000 ½ Ⅷ ٣٤٥ 0x1F", "a1b2c3 x86-64 2026-01-31T12:00:00Z",
    "def f(x):\n    return x**2 + 1  # comment\n\tif x != 0:\r\n\t\tpass\n", "for (int i=0;i<10;++i){a[i]=b[i]*c;}",
    "中文分词：今天天气很好，我们去公园吧。", "日本語のテキスト、カタカナとひらがな", "한국어 문장입니다.", "русский текст",
    "café naïve Zoë", "cafe\u0301 nai\u0308ve", "ﬁ ﬂ Å \u212b Ω \u2126", "مرحبا بالعالم", "नमस्ते दुनिया", "שלום עולם",
    "😀 😃👍🏽 👨‍👩‍👧‍👦 🇩🇪 ❤️", "\u200b\u200d\ufeff\u2028\u2029", "\x00\x01\x7f\x80\x9f", "\U0010ffff\ue000", "��",
    "line one\r\nline two\rline three\n\n\n\nline four", "\x0b\x0c\x1c\x85", "…—–‘’“”", "!?!?!! ... --- ___ ***",
    "https://example.org/path?q=1&r=2#frag mail@example.org", "ALLCAPS MixedCase lowerUPPER",
    "supercalifragilisticexpialidocious", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "<|endoftext|>", "text<|endoftext|>more", "<|endoftext|><|endoftext|>", "<|user|> hello <|assistant|>\n",
    "<|endoftext", "<|USER|>", " <|user|> ", "ſ'ſ K'K", "a\u0300\u0301\u0302b", "x\u0338=", "\ud7ff\uffff",
]
SPECIAL = ["<|endoftext|>"]
ADDED = ["<|user|>", "<|assistant|>"]


def build(name):
    tokenizer = Tokenizer(models.BPE(ignore_merges=name == "llama3"))
    if name == "gpt2":
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
            pre_tokenizers.Split(Regex(SPLIT[name]), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    if name == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def make_one(folder, name, vocabulary, text):
    tokenizer = build(name)
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=SPECIAL, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator([text], trainer)
    tokenizer.add_tokens(ADDED)
    byte_level = processors.ByteLevel(trim_offsets=False)
    begin = processors.TemplateProcessing(single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", 0)])
    tokenizer.post_processor = processors.Sequence([byte_level, begin]) if name == "llama3" else byte_level
    folder.mkdir(parents=True, exist_ok=True)
    model = json.loads(tokenizer.to_str())
    fixture.write_json(folder / f"{name}.json", model)
    tokenizer = Tokenizer.from_str(json.dumps(model))
    cases = []
    for sample in TEXTS:
        ids = tokenizer.encode(sample, add_special_tokens=False).ids
        cases.append({"text": sample, "ids": ids, "ids_with_special": tokenizer.encode(sample).ids,
                      "decoded": tokenizer.decode(ids, skip_special_tokens=False)})
    lines = ",\n  ".join(json.dumps(case, ensure_ascii=True) for case in cases)
    (folder / f"{name}_expected.json").write_text(
        f'{{"made_with": "tokenizers {tokenizers.__version__}", "training_bytes": {len(text.encode())},\n'
        f' "cases": [\n  {lines}\n]}}\n', encoding="utf-8")


def make(folder):
    text = corpus.tinyshakespeare()[:TRAINING_BYTES].decode()
    make_one(folder, "gpt2", 1024, text)
    make_one(folder, "llama3", 768, text)
    make_one(folder, "qwen2", 640, text)
