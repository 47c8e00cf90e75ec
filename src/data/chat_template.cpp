#include "data/chat_template.h"

#include <algorithm>
#include <array>

#include "base/atomic_file.h"
#include "base/error.h"
#include "data/chat_builtin.h"
#include "data/chat_spans.h"
#include "data/jinja/template.h"

namespace cupel {
namespace {

/// 26 July 2024: strftime_now must not make the same data other tokens on another day.
constexpr int64_t kRenderTime = 1721952000;

/// Names of a message's reasoning, as transformers reads them; the first is the templates'.
constexpr std::array<std::string_view, 3> kReasoning{"reasoning_content", "thinking", "reasoning"};

void alias_reasoning(json::Value& message) {
  if (!message.is_object()) return;
  for (const std::string_view name : kReasoning) {
    const json::Value* value = message.find(name);
    if (value == nullptr || value->is_null()) continue;
    const json::Value reasoning = *value;
    if (message.find("thinking") == nullptr) message.set("thinking", reasoning);
    message.set("reasoning_content", reasoning);
    return;
  }
}

json::Value variables_of(const Chat& chat, const json::Object& special_tokens,
                         bool add_generation_prompt) {
  json::Value variables{json::Object(special_tokens)};
  json::Array messages = chat.messages;
  for (json::Value& message : messages) alias_reasoning(message);
  variables.set("messages", std::move(messages));
  variables.set("tools", chat.tools);
  variables.set("documents", nullptr);
  variables.set("add_generation_prompt", add_generation_prompt);
  for (const auto& [name, value] : chat.extra) variables.set(name, value);
  return variables;
}

/// The tokens of a tokenizer_config.json that templates may name: strings, or objects that hold
/// one.
json::Object special_tokens_of(const json::Value& config) {
  json::Object tokens;
  if (!config.is_object()) return tokens;
  for (const auto& [name, value] : config.as_object("config")) {
    if (!name.ends_with("_token")) continue;
    const json::Value* text = value.is_object() ? value.find("content") : &value;
    if (text != nullptr && text->is_string()) tokens.emplace_back(name, *text);
  }
  return tokens;
}

json::Value parse_config(std::string_view config, const std::string& where) {
  return config.empty() ? json::Value(json::Object{}) : json::parse(config, where);
}

const chat::Builtin& find_builtin(std::string_view name) {
  const auto found = std::ranges::find(chat::kBuiltins, name, &chat::Builtin::name);
  if (found != chat::kBuiltins.end()) return *found;
  std::string known;
  for (const chat::Builtin& each : chat::kBuiltins)
    known += (known.empty() ? "" : ", ") + std::string(each.name);
  fail(ErrorKind::config, "[train.chat_template]",
       "\"" + std::string(name) + "\" is not a template of ours",
       "known: " + known + "; name a file by chat_template_jinja");
}

/// The one that counts of a list of {name, template}.
const std::string& named_template(const json::Value& list, const std::string& where) {
  std::string known;
  for (const json::Value& entry : list.as_array(where)) {
    const std::string& name = entry.at("name", where).as_string(where + ": name");
    if (name == "default") return entry.at("template", where).as_string(where + ": template");
    known += (known.empty() ? "" : ", ") + name;
  }
  fail(ErrorKind::data, where, "no template of chat_template is called \"default\"",
       "it has: " + known +
           "; write the one to use into a file and name that by "
           "chat_template_jinja");
}

}  // namespace

struct ChatTemplate::Impl {
  std::string text, hash, where;
  json::Object special_tokens;
  jinja::Template program;
};

ChatTemplate::ChatTemplate(std::string text, std::string where, json::Object special_tokens)
    : impl_(std::make_unique<Impl>(Impl{text, sha256(text), where, std::move(special_tokens),
                                        jinja::Template(text, where)})) {}

ChatTemplate::~ChatTemplate() = default;
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;

const std::string& ChatTemplate::text() const { return impl_->text; }
const std::string& ChatTemplate::hash() const { return impl_->hash; }
const std::string& ChatTemplate::where() const { return impl_->where; }

ChatText ChatTemplate::render(const Chat& chat, bool add_generation_prompt) const {
  jinja::RenderOptions options;
  options.time = kRenderTime;
  jinja::Rendered rendered = impl_->program.render(
      variables_of(chat, impl_->special_tokens, add_generation_prompt), options);
  ChatText out{std::move(rendered.text), {}, std::move(rendered.refusal)};
  for (const jinja::Span& span : rendered.generated) out.spans.push_back({span.begin, span.end});
  return out;
}

ChatText ChatTemplate::render_turns(const Chat& chat, const std::vector<std::string>& roles) const {
  ChatText whole = render(chat, false);
  const bool assistant_only = roles == std::vector<std::string>{"assistant"};
  if (whole.refusal || (impl_->program.marks_generation() && assistant_only)) return whole;
  whole.spans = chat::find_turns(*this, chat, roles, whole.text);
  return whole;
}

std::vector<std::string_view> builtin_chat_templates() {
  std::vector<std::string_view> names;
  for (const chat::Builtin& each : chat::kBuiltins) names.push_back(each.name);
  return names;
}

std::vector<std::string> builtin_special_tokens(std::string_view name) {
  const chat::Builtin& builtin = find_builtin(name);
  std::vector<std::string> tokens{std::string(builtin.bos), std::string(builtin.eos)};
  for (const std::string_view token : builtin.others) {
    if (!token.empty()) tokens.emplace_back(token);
  }
  return tokens;
}

ChatTemplate chat_template_from(std::string text, std::string where, std::string_view config) {
  json::Object tokens = special_tokens_of(parse_config(config, "tokenizer_config.json"));
  return {std::move(text), std::move(where), std::move(tokens)};
}

ChatTemplate builtin_chat_template(std::string_view name, std::string_view config) {
  const chat::Builtin& builtin = find_builtin(name);
  json::Object tokens = special_tokens_of(parse_config(config, "tokenizer_config.json"));
  const auto fill = [&](const char* key, std::string_view text) {
    const bool known =
        std::ranges::any_of(tokens, [&](const auto& token) { return token.first == key; });
    if (!known && !text.empty()) tokens.emplace_back(key, text);
  };
  if (config.empty()) {
    fill("bos_token", builtin.bos);
    fill("eos_token", builtin.eos);
  }
  return {std::string(builtin.text), "chat template " + std::string(name), std::move(tokens)};
}

std::optional<ChatTemplate> chat_template_of(std::string_view config, const std::string& jinja,
                                             const std::string& where) {
  const json::Value root = parse_config(config, where);
  if (!jinja.empty()) return ChatTemplate(jinja, where, special_tokens_of(root));
  const json::Value* value = root.is_object() ? root.find("chat_template") : nullptr;
  if (value == nullptr || value->is_null()) return std::nullopt;
  const std::string& text = value->is_array() ? named_template(*value, where)
                                              : value->as_string(where + ": chat_template");
  return ChatTemplate(text, where + ": chat_template", special_tokens_of(root));
}

}  // namespace cupel
