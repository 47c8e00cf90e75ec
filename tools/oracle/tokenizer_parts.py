"""What each component of Hugging Face's `tokenizers` does to awkward strings, and small tokenizers that put them together.

components.json: a normalizer, pre-tokenizer or decoder as a tokenizer.json has it, and what it gives. characters.json:
ranges of the classes of its patterns, of digits and word characters; hashes of what its normalizers make of every character.
sentencepiece.json: characters, byte_fallback, Prepend and Replace, as Llama 2 has them. metaspace.json: an unknown token
that fuses, no bytes. deepseek.json: the three patterns of DeepSeek-V3. added.json: tokens with every flag.
"""

import hashlib
import json

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

import corpus
import fixture
import tokenizer as byte_level
import wordpiece

TOLERANCE = 0
TRAINING_BYTES = 60_000
TEXTS = wordpiece.TEXTS + ["▁a ▁", " \u00a0 leading", "trailing\u3000 ", "a,b;c--d", "x1y22z333", "é̀ͅ", "A\u1734B",
                           "𑤸 \u0ece", "a￼b", "<0x41>", "\x1c\x1d x", "ꟋǅΣ", "Ⓐⓩ\u200d🄰"]
AROUND_ADDED_TOKENS = ["speak speaker _speak speak,", "a <l>  <r> b", "<l><l> <r> <l>", "first citizen FIRST CITIZEN",
                       " <|user|> x", "\u00a0<l>"]
DEEPSEEK = [r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+",
            "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|"
            " ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"]


def as_json(kind, component):
    probe = Tokenizer(models.BPE())
    setattr(probe, kind, component)
    return json.loads(probe.to_str())[kind]


def components():
    n, p, d = normalizers, pre_tokenizers, decoders
    behaviors = ("isolated", "removed", "merged_with_previous", "merged_with_next", "contiguous")
    normal = [n.NFC(), n.NFD(), n.NFKC(), n.NFKD(), n.Lowercase(), n.StripAccents(), n.Strip(), n.Strip(True, False),
              n.Strip(False, True), n.Prepend("▁"), n.Replace(" ", "▁"), n.Replace(Regex(r"\s+"), " "),
              n.Replace(Regex("x*"), "-"), n.BertNormalizer(), n.BertNormalizer(False, False, False, True),
              n.Sequence([n.NFD(), n.StripAccents(), n.Lowercase()])]
    cut = [*(p.Split(Regex(r"\d|,"), b) for b in behaviors), *(p.Split("a", b, True) for b in behaviors),
           p.Split(Regex(r"\w+"), "removed"), p.Split(Regex(r"\P{L}+"), "isolated"), p.Digits(), p.Digits(True),
           p.Metaspace(), p.Metaspace("▁", "first"), p.Metaspace("_", "never", False), p.Whitespace(),
           p.WhitespaceSplit(), p.BertPreTokenizer(), *(p.Punctuation(b) for b in behaviors),
           p.Sequence([p.WhitespaceSplit(), p.Digits(True), p.Punctuation()])]
    back = [d.ByteLevel(), d.WordPiece(), d.WordPiece("##", False), d.Metaspace(), d.Metaspace("_", "never"), d.Fuse(),
            d.ByteFallback(), d.Replace("▁", " "), d.Strip(" ", 1, 1), d.Sequence([d.Fuse(), d.Replace(Regex("l+"), "L")]),
            d.Sequence([d.Replace("▁", " "), d.ByteFallback(), d.Fuse(), d.Strip(" ", 1, 0)])]
    tokens = [["▁Hello", "▁wor", "ld", "▁"], ["<0xE4>", "<0xBD>", "<0xA0>", "x", "<0xE4>", "<0xBD>", "y"], ["<0x+A>", "<0xZZ>", "<0xff>"],
              ["hello", "##ing", "do", "n't", ".", "'", "s", "'s", "do not"], ["Ġworld", "Ċ", "ä½", "ł", "中"], [" a ", "  b  ", "ll"],
              ["_a", "_b_", "_"], ["▁▁a▁b", "▁▁"]]
    for component in normal:
        yield {"normalizer": as_json("normalizer", component), "gives": [component.normalize_str(t) for t in TEXTS]}
    for component in cut:
        yield {"pre_tokenizer": as_json("pre_tokenizer", component),
               "gives": [[word for word, _ in component.pre_tokenize_str(t)] for t in TEXTS]}
    for component in back:
        yield {"decoder": as_json("decoder", component), "tokens": tokens, "gives": [component.decode(list(t)) for t in tokens]}


def characters():
    every = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]

    def matched(pattern):
        split = pre_tokenizers.Split(Regex(pattern), "removed")
        kept = {c for at in range(0, len(every), 4096)
                for word, _ in split.pre_tokenize_str("".join(every[at:at + 4096])) for c in word}
        return wordpiece.ranges([ord(c) for c in every if c not in kept])

    def cut(component):
        return wordpiece.ranges([ord(c) for c in every if len(component.pre_tokenize_str(f"a{c}b")) > 1])

    def hashed(component, before="", after=""):
        digest = hashlib.sha256()
        for c in every:
            digest.update(component.normalize_str(before + c + after).encode() + b"\n")
        return digest.hexdigest()

    n = normalizers
    found = {name: matched(name) for name in (r"\p{L}", r"\p{M}", r"\p{N}", r"\p{P}", r"\p{S}", r"\p{Lu}", r"\s", r"\w", r"\d", r"\P{L}")}
    found["numeric"] = cut(pre_tokenizers.Digits(True))
    found["not_word"] = cut(pre_tokenizers.Whitespace())
    for name in ("NFC", "NFD", "NFKC", "NFKD"):  # between marks that move, and alone
        form = getattr(n, name)()
        found["sha256_" + name] = hashed(form) + hashed(form, "a\u0315", "\u0334")
    found["sha256_Lowercase"] = hashed(n.Lowercase())
    found["sha256_StripAccents"] = hashed(n.StripAccents())
    return found


def sequences(tokenizer, ids):
    """Ids whose decoding says more than that of a text: cut characters, ids without a token."""
    size = tokenizer.get_vocab_size()
    return [[], [0], [size, 1, size + 7], list(range(0, size, 7))[:60], list(range(size))[-40:], *(i[1:-1] for i in ids if len(i) > 8)]


def write(folder, name, tokenizer, texts=TEXTS):
    model = json.loads(tokenizer.to_str())
    if model["model"].get("merges"):
        model["model"]["merges"] = [" ".join(pair) for pair in model["model"]["merges"]] \
            if all(" " not in "".join(pair) for pair in model["model"]["merges"]) else model["model"]["merges"]
    fixture.write_json(folder / f"{name}.json", model)
    write_expected(folder / f"{name}_expected.json", Tokenizer.from_str(json.dumps(model)), texts)


def write_expected(path, tokenizer, texts):
    cases = []
    for text in texts:
        cases.append({"text": text, "ids": tokenizer.encode(text, add_special_tokens=False).ids,
                      "ids_with_special": tokenizer.encode(text).ids})
    back = [{"ids": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=False), "skipped": tokenizer.decode(ids)}
            for ids in [case["ids_with_special"] for case in cases] + sequences(tokenizer, [case["ids"] for case in cases])]
    rows = {key: ",\n  ".join(json.dumps(row, ensure_ascii=True) for row in found) for key, found in (("cases", cases), ("decoded", back))}
    path.write_text(
        f'{{"made_with": "tokenizers {tokenizers.__version__}",\n "cases": [\n  {rows["cases"]}],\n "decoded": [\n  {rows["decoded"]}]}}\n',
        encoding="utf-8")


def trained(text, model, normalizer, pre_tokenizer, special, size=500, alphabet=()):
    tokenizer = Tokenizer(model)
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.train_from_iterator([text], trainers.BpeTrainer(vocab_size=size, special_tokens=special, show_progress=False,
                                                              initial_alphabet=list(alphabet)))
    return tokenizer


def make(folder):
    folder.mkdir(parents=True, exist_ok=True)
    rows = ",\n ".join(json.dumps(row, ensure_ascii=True) for row in components())
    texts = json.dumps(TEXTS, ensure_ascii=True)
    (folder / "components.json").write_text(
        f'{{"made_with": "tokenizers {tokenizers.__version__}",\n"texts": {texts},\n"components": [\n {rows}\n]}}\n', encoding="utf-8")
    fixture.write_json(folder / "characters.json", characters())

    text = corpus.tinyshakespeare()[:TRAINING_BYTES].decode()
    n, p, d = normalizers, pre_tokenizers, decoders
    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    made = trained(text, models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True),
                   n.Sequence([n.Prepend("▁"), n.Replace(" ", "▁")]), p.Metaspace("▁", "never"), pieces, alphabet="中é")
    model = json.loads(made.to_str())
    model["pre_tokenizer"] = None  # it only kept the trainer from merging across words
    model["added_tokens"] = model["added_tokens"][:3]
    made = Tokenizer.from_str(json.dumps(model))
    made.decoder = d.Sequence([d.Replace("▁", " "), d.ByteFallback(), d.Fuse(), d.Strip(" ", 1, 0)])
    made.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    write(folder, "sentencepiece", made)

    made = trained(text, models.BPE(unk_token="<unk>", fuse_unk=True), n.NFKC(), p.Metaspace("▁", "first"), ["<unk>", "[CLS]", "[SEP]"])
    made.decoder = d.Metaspace("▁", "first")
    made.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    write(folder, "metaspace", made)

    steps = [p.Split(Regex(pattern), "isolated") for pattern in DEEPSEEK] + [p.ByteLevel(False, use_regex=False)]
    made = trained(text, models.BPE(), None, p.Sequence(steps), ["<|begin|>"], alphabet=p.ByteLevel.alphabet())
    made.decoder = d.ByteLevel()
    write(folder, "deepseek", made)

    made = trained(text, models.BPE(), n.Lowercase(), p.ByteLevel(False), [], alphabet=p.ByteLevel.alphabet())
    made.decoder = d.ByteLevel()
    made.add_tokens([AddedToken("speak", single_word=True, normalized=False), AddedToken("<l>", lstrip=True, normalized=False),
                     AddedToken("<r>", rstrip=True, normalized=False), AddedToken("First CITIZEN", normalized=True),
                     AddedToken("<|USER|>", normalized=True, lstrip=True, rstrip=True)])
    made.add_special_tokens([AddedToken("<|endoftext|>", special=True)])
    write(folder, "added", made, TEXTS + AROUND_ADDED_TOKENS)
