// The chat templates that come with the product: forms that families of models were trained with,
// written anew, with {% generation %} around what an assistant writes.
#pragma once

#include <array>
#include <string_view>

namespace cupel::chat {

struct Builtin {
  std::string_view name, bos, eos;
  std::array<std::string_view, 3> others;  // special tokens in its text
  std::string_view text;
};

inline constexpr std::array kBuiltins{
    Builtin{"chatml", "", "<|im_end|>", {"<|im_start|>", "<|endoftext|>"}, R"jinja(
{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\n' }}
    {%- if message.role == 'assistant' %}
        {%- generation %}{{- message.content + '<|im_end|>' }}{% endgeneration %}
    {%- else %}
        {{- message.content + '<|im_end|>' }}
    {%- endif %}
    {{- '\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
{%- endif %})jinja"},
    Builtin{"llama3",
            "<|begin_of_text|>",
            "<|eot_id|>",
            {"<|start_header_id|>", "<|end_header_id|>", "<|end_of_text|>"},
            R"jinja(
{{- bos_token }}
{%- for message in messages %}
    {{- '<|start_header_id|>' + message.role + '<|end_header_id|>\n\n' }}
    {%- if message.role == 'assistant' %}
        {%- generation %}{{- message.content | trim + '<|eot_id|>' }}{% endgeneration %}
    {%- else %}
        {{- message.content | trim + '<|eot_id|>' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}
{%- endif %})jinja"},
    Builtin{"llama2", "<s>", "</s>", {}, R"jinja(
{%- set ns = namespace(system='') %}
{%- for message in messages %}
    {%- if message.role == 'system' %}
        {%- set ns.system = '<<SYS>>\n' + message.content + '\n<</SYS>>\n\n' %}
    {%- elif message.role == 'user' %}
        {{- bos_token + '[INST] ' + (ns.system + message.content) | trim + ' [/INST]' }}
        {%- set ns.system = '' %}
    {%- elif message.role == 'assistant' %}
        {%- generation %}{{- ' ' + message.content | trim + ' ' + eos_token }}{% endgeneration %}
    {%- else %}
        {{- raise_exception('llama2 has no role ' + message.role) }}
    {%- endif %}
{%- endfor %})jinja"},
    Builtin{"mistral", "<s>", "</s>", {"[INST]", "[/INST]"}, R"jinja(
{{- bos_token }}
{%- set ns = namespace(system='') %}
{%- for message in messages %}
    {%- if message.role == 'system' %}
        {%- set ns.system = message.content + '\n\n' %}
    {%- elif message.role == 'user' %}
        {{- '[INST] ' + ns.system + message.content + '[/INST]' }}
        {%- set ns.system = '' %}
    {%- elif message.role == 'assistant' %}
        {%- generation %}{{- ' ' + message.content | trim + eos_token }}{% endgeneration %}
    {%- else %}
        {{- raise_exception('mistral has no role ' + message.role) }}
    {%- endif %}
{%- endfor %})jinja"},
    Builtin{"gemma", "<bos>", "<end_of_turn>", {"<start_of_turn>", "<eos>"}, R"jinja(
{{- bos_token }}
{%- set ns = namespace(system='') %}
{%- for message in messages %}
    {%- if message.role == 'system' %}
        {%- set ns.system = message.content | trim + '\n\n' %}
    {%- elif message.role == 'assistant' %}
        {{- '<start_of_turn>model\n' }}
        {%- generation %}{{- message.content | trim + '<end_of_turn>' }}{% endgeneration %}
        {{- '\n' }}
    {%- else %}
        {{- '<start_of_turn>' + message.role + '\n' + ns.system + message.content | trim }}
        {{- '<end_of_turn>\n' }}
        {%- set ns.system = '' %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<start_of_turn>model\n' }}
{%- endif %})jinja"},
    Builtin{"deepseek_v3",
            "<｜begin▁of▁sentence｜>",
            "<｜end▁of▁sentence｜>",
            {"<｜User｜>", "<｜Assistant｜>"},
            R"jinja(
{{- bos_token }}
{%- for message in messages %}
    {%- if message.role == 'system' %}
        {{- message.content }}
    {%- elif message.role == 'user' %}
        {{- '<｜User｜>' + message.content }}
    {%- elif message.role == 'assistant' %}
        {{- '<｜Assistant｜>' }}
        {%- generation %}{{- message.content + eos_token }}{% endgeneration %}
    {%- else %}
        {{- raise_exception('deepseek_v3 has no role ' + message.role) }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<｜Assistant｜>' }}
{%- endif %})jinja"},
};

}  // namespace cupel::chat
