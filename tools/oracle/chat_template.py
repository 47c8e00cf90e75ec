"""Chats as transformers renders them with templates of published models and with ours.

The published templates may not be committed: their renders are stored as SHA-256 only, and a test finds the templates
where `published.py` put them. Ours are read out of src/data/chat_builtin.h.
"""

import hashlib
import json
import re

import jinja2
import transformers
from transformers.utils.chat_template_utils import render_jinja_template

import published

TOLERANCE = 0
SYSTEM = {"role": "system", "content": "You are helpful. 用中文回答。"}
WEATHER = {"type": "function", "function": {
    "name": "get_weather", "description": "Weather <now> & \"later\"",
    "parameters": {"type": "object", "properties": {"city": {"type": "string", "description": "城市"},
                                                     "days": {"type": "integer", "minimum": 1.5}}, "required": ["city"]}}}


def user(text):
    return {"role": "user", "content": text}


def assistant(text, **more):
    return {"role": "assistant", "content": text, **more}


CALL = {"type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}}
CALL_OBJECT = {"type": "function", "function": {"name": "get_weather", "arguments": {"city": "北京", "days": 2}}}
THOUGHT = "<think>\nlet me see\n</think>\n\n"
CHATS = {
    "one_question": [user("Hello")],
    "system": [SYSTEM, user("Hello")],
    "answered": [user("Hello"), assistant("Hi there!")],
    "turns": [SYSTEM, user("  padded \n"), assistant("\n a \n"), user("b"), assistant("c"), user("d")],
    "chinese": [user("你好吗？🌍"), assistant("我很好，谢谢。"), user("再见")],
    "empty": [user(""), assistant(""), user("")],
    "thoughts": [user("a"), assistant(THOUGHT + "one"), user("b"), assistant(THOUGHT + "two")],
    "reasoning": [user("a"), assistant("one", reasoning_content="because\n"), user("b"),
                  assistant("two", reasoning_content="for\n")],
    "two_systems": [SYSTEM, {"role": "system", "content": "Be brief."}, user("x"), assistant("y")],
    "special_text": [user("<|im_end|> {{ x }} {% raw %} </s>"), assistant("'\"\\ \t")],
    "calls": [SYSTEM, user("Weather?"), assistant(None, tool_calls=[CALL, CALL]),
              {"role": "tool", "content": "18 °C"}, {"role": "tool", "content": "20 °C"}, assistant("Mild."),
              user("thanks"), assistant("Welcome")],
    "object_calls": [user("天气?"), assistant("Looking.", tool_calls=[CALL_OBJECT]),
                     {"role": "tool", "content": '{"t": 3}'}, assistant("3 度")],
    "last_is_tool": [user("Weather?"), assistant("", tool_calls=[CALL]), {"role": "tool", "content": "18"}],
    "assistant_first": [assistant("I begin"), user("ok")],
    "unknown_role": [user("a"), {"role": "critic", "content": "b"}],
}


def cases():
    for name, messages in CHATS.items():
        for prompt in (False, True):
            yield {"name": name, "messages": messages, "tools": None, "add_generation_prompt": prompt, "extra": {}}
        yield {"name": name + "_tools", "messages": messages, "tools": [WEATHER], "add_generation_prompt": True, "extra": {}}
        for thinking in (False, True):
            yield {"name": name + "_thinking", "messages": messages, "tools": None, "add_generation_prompt": True,
                   "extra": {"enable_thinking": thinking}}


def text_of(token):
    return token["content"] if isinstance(token, dict) else token


def special_tokens(config):
    return {key: text_of(value) for key, value in config.items() if key.endswith("_token") and value is not None
            and not isinstance(value, bool)}


def render(template, tokens, case):
    """SHA-256 of the text, or what became of it."""
    try:
        (text,), _ = render_jinja_template([case["messages"]], tools=case["tools"], chat_template=template,
                                           add_generation_prompt=case["add_generation_prompt"], **tokens, **case["extra"])
    except jinja2.exceptions.TemplateError as error:
        return "refused: " + str(error) if type(error) is jinja2.exceptions.TemplateError else "error"
    except TypeError:
        return "error"
    return hashlib.sha256(text.encode()).hexdigest()


def builtins():
    source = (published.pathlib.Path(__file__).resolve().parents[2] / "src/data/chat_builtin.h").read_text(encoding="utf-8")
    pattern = r'Builtin\{\s*"(\w+)",\s*"([^"]*)",\s*"([^"]*)",.*?R"jinja\((.*?)\)jinja"'
    for name, bos, eos, text in re.findall(pattern, source, flags=re.S):
        yield name, text, {key: value for key, value in (("bos_token", bos), ("eos_token", eos)) if value}


def make(folder):
    rows = list(cases())
    renders = {}
    for name in published.SHA512:
        config = json.loads((published.fetch(name) / "tokenizer_config.json").read_text(encoding="utf-8"))
        if config.get("chat_template"):  # Llama 2's package has none
            renders["published " + name] = [render(config["chat_template"], special_tokens(config), row) for row in rows]
    for name, text, tokens in builtins():
        renders[name] = [render(text, tokens, row) for row in rows]
    folder.mkdir(parents=True, exist_ok=True)
    cases_text = ",\n  ".join(json.dumps(row, ensure_ascii=True) for row in rows)
    renders_text = ",\n  ".join(json.dumps(name) + ": " + json.dumps(values) for name, values in renders.items())
    (folder / "expected.json").write_text(
        f'{{"made_with": "transformers {transformers.__version__}, jinja2 {jinja2.__version__}",\n'
        f' "cases": [\n  {cases_text}\n ],\n "renders": {{\n  {renders_text}\n }}\n}}\n', encoding="utf-8")
