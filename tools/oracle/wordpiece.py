"""WordPiece tokenizers of BERT in Hugging Face's `tokenizers`, and the ids they give to awkward strings.

uncased: lower case, no accents. cased: neither. accents: lower case with accents, as strip_accents: false asks.
characters.json: what BertNormalizer and BertPreTokenizer do with each character, in ranges.
"""

import collections
import json

import tokenizers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

import corpus
import fixture
import tokenizer as byte_level

TOLERANCE = 0
TRAINING_BYTES = 100_000
MOST = 250  # whole words, and ends of words
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
TEXTS = byte_level.TEXTS + [
    "[MASK] and [SEP]", "a[MASK]b", "[mask] [CLS", "x" * 100, "x" * 101, "é" * 100 + " " + "é" * 101,
    "王" * 101, "King王Richard的", "İstanbul ISTANBUL ı", "Ångström ÅNGSTRÖM", "Straße STRASSE ẞ", "ΑΣ Σίσυφος",
    "a\u0301b\u0300c", "\u0301alone", "soft\u00adhyphen zero\u200bwidth", "tab\tnew\nline\x0bvt\x0cff", "a\u3000b\u2003c",
    "don't stop-me_now (please)!", "$5 + 3^2 = `x` | ~y <z>", "！？。，「」", "\u1734\u166d", "한글 처리", "ﷺ", "２０２６",
]
SETTINGS = {
    "uncased": dict(lowercase=True), "cased": dict(lowercase=False), "accents": dict(lowercase=True, strip_accents=False)}
RARE = set("퟿\uffff\U0010ffff😃語Ω")  # left out, so that their words are unknown


def ranges(characters):
    found = []
    for c in characters:
        if found and found[-1][1] == c - 1:
            found[-1][1] = c
        else:
            found.append([c, c])
    return found


def characters():
    """Ranges of characters that cleaning removes or makes a space, of ideographs, marks and punctuation."""
    off = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    clean = normalizers.BertNormalizer(**off | dict(clean_text=True))
    chinese = normalizers.BertNormalizer(**off | dict(handle_chinese_chars=True))
    accents = normalizers.BertNormalizer(**off | dict(strip_accents=True))
    lower = normalizers.BertNormalizer(**off | dict(lowercase=True))
    words = pre_tokenizers.BertPreTokenizer()
    kinds = {name: [] for name in ("removed", "blank", "ideograph", "mark", "punctuation", "white_space", "upper")}
    for c in range(0x110000):
        text = f"a{chr(c)}b"
        if 0xD800 <= c < 0xE000:
            continue
        cleaned = clean.normalize_str(text)
        cut = [word for word, _ in words.pre_tokenize_str(text)]
        for name, found in (
                ("removed", cleaned == "ab"), ("blank", cleaned == "a b"), ("ideograph", chinese.normalize_str(text) != text),
                ("mark", accents.normalize_str(text) == "ab"), ("punctuation", cut == ["a", chr(c), "b"]),
                ("white_space", cut == ["a", "b"]),
                ("upper", lower.normalize_str(text) != text)):
            if found:
                kinds[name].append(c)
    return {name: ranges(found) for name, found in kinds.items()}


def cases(tokenizer, texts=TEXTS):
    return [{"text": text, "ids": tokenizer.encode(text).ids} for text in texts]


def write_cases(path, found, **more):
    lines = ",\n  ".join(json.dumps(case, ensure_ascii=True) for case in found)
    head = json.dumps({"made_with": f"tokenizers {tokenizers.__version__}", **more})[:-1]
    path.write_text(f'{head},\n "cases": [\n  {lines}\n]}}\n', encoding="utf-8")


def vocabulary(tokenizer, text):
    """Every character, and the pieces that occur most: unlike the trainer's, the same in every run."""
    words = collections.Counter()
    characters = set()
    for sample in [text, *TEXTS]:
        for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(sample)):
            words[word] += 1
            characters |= set(word)
    ends = collections.Counter()
    for word, count in words.items():
        for size in (2, 3, 4):
            if len(word) > size:
                ends["##" + word[-size:]] += count
    pieces = sorted(characters - RARE) + sorted("##" + c for c in characters - RARE)
    for counts in (words, ends):
        pieces += sorted(counts, key=lambda piece: (-counts[piece], piece))[:MOST]
    return SPECIAL + [piece for piece in dict.fromkeys(pieces) if piece not in SPECIAL]


def tokenizer_of(vocab, name):
    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(**SETTINGS[name])
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    if vocab:
        tokenizer.add_special_tokens(SPECIAL)
        tokenizer.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[(token, SPECIAL.index(token)) for token in ("[CLS]", "[SEP]")])
    return tokenizer


def build(name, text):
    vocab = {token: id for id, token in enumerate(vocabulary(tokenizer_of({}, name), text))}
    model = json.loads(tokenizer_of(vocab, name).to_str())
    model["model"]["vocab"] = vocab  # in order
    return model


def make(folder):
    text = corpus.tinyshakespeare()[:TRAINING_BYTES].decode()
    folder.mkdir(parents=True, exist_ok=True)
    for name in SETTINGS:
        model = build(name, text)
        fixture.write_json(folder / f"{name}.json", model)
        write_cases(folder / f"{name}_expected.json", cases(Tokenizer.from_str(json.dumps(model))),
                    training_bytes=TRAINING_BYTES)
    fixture.write_json(folder / "characters.json", characters())
