"""Small templates as transformers renders them: jinja2's immutable sandbox with its chat-template settings.

Python's integers have no end and its str.upper() knows every script's special cases; ours are 64 bits and simple
mappings, so no snippet goes there. Errors are stored as such, without jinja2's words.
"""

import json
import pathlib

import jinja2
import transformers
from transformers.utils.chat_template_utils import _compile_jinja_template, _render_with_assistant_indices

import fixture

TOLERANCE = 0
SNIPPETS = pathlib.Path(__file__).resolve().parent / "jinja_snippets.txt"

VARIABLES = {
    "s": "hello World", "zh": "你好，世界 🌍", "sp": " \t padded \n\n", "e": "", "q": "it's \"quoted\" \\ \n\t\u200b",
    "i": 7, "neg": -3, "f": 2.5, "big": 1e16, "small": 0.00001, "t": True, "n": None, "nums": [3, 1, 2, 2],
    "words": ["b", "a", "C"], "d": {"b": 1, "a": {"x": [1, 2, {"y": None}]}, "items": "mine"},
    "mixed": [1, "two", None, True, 2.0, [1], {"k": "v"}],
    "users": [{"name": "Ann", "age": 31, "on": True}, {"name": "bob", "age": 25, "on": False}, {"name": "Cy", "age": 40}],
    "messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"},
                 {"role": "assistant", "content": "hello"}, {"role": "user", "content": "bye"}],
}


def snippets():
    """Templates of the file, separated by lines of four hyphens."""
    return [part.strip("\n").replace("␉", "\t").replace("␍", "\r") for part in
            SNIPPETS.read_text(encoding="utf-8").split("\n----\n")]


def render(template):
    try:
        compiled = _compile_jinja_template(template)
        text, spans = _render_with_assistant_indices(compiled, VARIABLES["messages"], None, None, False,
                                                     **{k: v for k, v in VARIABLES.items() if k != "messages"})
    except jinja2.exceptions.TemplateError as error:
        return {"raised": str(error)} if type(error) is jinja2.exceptions.TemplateError else {"error": True}
    except (TypeError, ValueError, ZeroDivisionError, LookupError, OverflowError, AttributeError,
            SyntaxError):
        return {"error": True}
    out = {"text": text}
    if spans:
        out["generated"] = [[len(text[:begin].encode()), len(text[:end].encode())] for begin, end in spans]
    return out


def make(folder):
    cases = [{"template": template, **render(template)} for template in snippets()]
    rows = ",\n  ".join(json.dumps(case, ensure_ascii=True) for case in cases)
    variables = json.dumps(VARIABLES | {"tools": None, "documents": None, "add_generation_prompt": False})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "snippets.json").write_text(
        f'{{"made_with": "transformers {transformers.__version__}, jinja2 {jinja2.__version__}",\n'
        f' "variables": {variables},\n "cases": [\n  {rows}\n]}}\n', encoding="utf-8")
