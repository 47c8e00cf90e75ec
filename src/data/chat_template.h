// Chat templates: messages → the text that a model reads, and which of it an assistant wrote.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace cupel {

/// What a template gets. Messages are OpenAI's: {role, content, tool_calls, …}.
struct Chat {
  json::Array messages{};
  json::Value tools{};   // an array, or null
  json::Object extra{};  // further variables, as in {enable_thinking: false}
  bool operator==(const Chat&) const = default;
};

/// Part of a text: [begin, end) in bytes.
struct TextSpan {
  std::size_t begin = 0, end = 0;
  bool operator==(const TextSpan&) const = default;
};

struct ChatText {
  std::string text{};
  std::vector<TextSpan> spans{};         // of render_turns: what the roles wrote, ascending, apart
  std::optional<std::string> refusal{};  // the template will not have this chat, and says why
};

class ChatTemplate {
 public:
  /// `special_tokens` are a template's bos_token, eos_token, … as texts; `where` names it in
  /// errors. Throws Error{data} "where:line: …" for what is no template.
  ChatTemplate(std::string text, std::string where, json::Object special_tokens);
  ~ChatTemplate();
  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;

  const std::string& text() const;
  /// SHA-256 of the text, lower-case hex.
  const std::string& hash() const;
  const std::string& where() const;

  /// As transformers' apply_chat_template, which adds no token to the text either. Throws
  /// Error{data} for a fault of the template.
  ChatText render(const Chat& chat, bool add_generation_prompt) const;

  /// The whole chat, and in it the turns of `roles`: what follows the role's header, up to the end
  /// of the turn and with it, without the white space behind. For the assistant {% generation %} is
  /// believed where the template has it; otherwise renderings are compared that differ in one place
  /// only. Throws Error{data} where that does not tell.
  ChatText render_turns(const Chat& chat, const std::vector<std::string>& roles) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Names of the templates that come with the product.
std::vector<std::string_view> builtin_chat_templates();
/// Special tokens that a text of that template holds, bos and eos first, either of which may be
/// empty: for a tokenizer that is trained along.
std::vector<std::string> builtin_special_tokens(std::string_view name);

/// The template of a tokenizer: `jinja` (the text of a chat_template.jinja) if there is one, else
/// `chat_template` of `config` (the text of a tokenizer_config.json), a string or a list of named
/// ones, of which "default" counts. Nothing if there is none. Throws Error{data}.
std::optional<ChatTemplate> chat_template_of(std::string_view config, const std::string& jinja,
                                             const std::string& where);
/// A built-in one. Throws Error{config} for an unknown name. `config` tells its special tokens; the
/// template's own are taken where it is empty.
ChatTemplate builtin_chat_template(std::string_view name, std::string_view config);
/// Any template with the special tokens of `config`.
ChatTemplate chat_template_from(std::string text, std::string where, std::string_view config);

}  // namespace cupel
