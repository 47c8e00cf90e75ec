#include "data/chat_spans.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace cupel::chat {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

/// A text that `whole` does not hold.
std::string make_mark(const std::string& whole) {
  std::string mark = "cupel-mark-0";
  for (int i = 1; whole.find(mark) != std::string::npos; ++i)
    mark = "cupel-mark-" + std::to_string(i);
  return mark + ";";
}

std::string_view role_of(const json::Value& message) {
  const json::Value* role = message.is_object() ? message.find("role") : nullptr;
  return role != nullptr && role->is_string() ? std::string_view(role->as_string("role")) : "";
}

const std::string* content_of(const json::Value& message) {
  const json::Value* content = message.find("content");
  return content != nullptr && content->is_string() ? &content->as_string("content") : nullptr;
}

class Finder {
 public:
  Finder(const ChatTemplate& chat_template, const Chat& chat, const std::string& whole)
      : template_(chat_template), chat_(chat), whole_(whole), mark_(make_mark(whole)) {}

  TextSpan turn(std::size_t index) {
    const std::optional<std::size_t> content_end = end_of_content(chat_, index, whole_);
    const json::Value& message = chat_.messages[index];
    if (!content_end && content_of(message) != nullptr && message.find("tool_calls") == nullptr)
      refuse(index, "its content does not show");
    TextSpan span;
    span.end = content_end ? end_behind(index, *content_end) : end_of_prefix(index);
    span.begin = begin_of(index);
    if (span.begin > span.end) refuse(index, "the turn seems to end before it begins");
    return span;
  }

 private:
  [[noreturn]] void refuse(std::size_t index, const std::string& why) const {
    fail(ErrorKind::data, template_.where(),
         "cannot tell which text message " + std::to_string(index + 1) + " became (" + why + ")",
         "put {% generation %} and {% endgeneration %} around what the assistant writes");
  }

  /// Of the first `count` messages; nothing if the template will not have them so.
  std::optional<std::string> render(const Chat& chat, std::size_t count, bool prompt) const {
    Chat part = chat;
    part.messages.resize(count);
    ChatText rendered = template_.render(part, prompt);
    if (rendered.refusal) return std::nullopt;
    return std::move(rendered.text);
  }

  /// Where the content of message `index` ends in `text`, the rendering of all of `chat`.
  std::optional<std::size_t> end_of_content(const Chat& chat, std::size_t index,
                                            const std::string& text) const {
    const std::string* content = content_of(chat.messages[index]);
    if (content == nullptr) return std::nullopt;
    Chat marked = chat;
    marked.messages[index].set("content", *content + mark_);
    const auto other = render(marked, marked.messages.size(), false);
    if (!other) return std::nullopt;
    const std::size_t at = other->find(mark_);
    if (at == std::string::npos || other->find(mark_, at + 1) != std::string::npos)
      return std::nullopt;
    const std::string_view rest = std::string_view(*other).substr(at + mark_.size());
    if (!std::string_view(text).ends_with(rest)) return std::nullopt;
    return text.size() - rest.size();
  }

  /// The end of the turn that closes behind the content at `content_end`.
  std::size_t end_behind(std::size_t index, std::size_t content_end) {
    const std::string_view rest = std::string_view(whole_).substr(content_end);
    const bool last = index + 1 == chat_.messages.size();
    const bool calls = chat_.messages[index].find("tool_calls") != nullptr;
    if (!last && !calls && !closing_.empty() && rest.starts_with(closing_))
      return content_end + closing_.size();
    std::string closing(rest);
    if (!last) {
      Chat part = chat_;
      part.messages.resize(index + 1);
      const auto ended = render(part, index + 1, false);
      const auto end = ended ? end_of_content(part, index, *ended) : std::nullopt;
      if (!end) refuse(index, "the chat up to it does not render");
      closing = ended->substr(*end);
    }
    closing.resize(closing.find_last_not_of(kSpace) + 1);
    if (!rest.starts_with(closing)) {
      // Something stands only at a chat's end: what comes before it, by whole lines.
      const auto differs = std::ranges::mismatch(closing, rest);
      closing.resize(static_cast<std::size_t>(differs.in1 - closing.begin()));
      closing.resize(closing.rfind('\n') + 1);
      closing.resize(closing.find_last_not_of(kSpace) + 1);
    }
    if (closing.empty()) refuse(index, "nothing closes the turn");
    if (!calls) closing_ = closing;
    return content_end + closing.size();
  }

  /// Without a content that shows: the chat up to the message, where `whole` begins so.
  std::size_t end_of_prefix(std::size_t index) const {
    const auto part = render(chat_, index + 1, false);
    if (!part || !whole_.starts_with(*part)) refuse(index, "its content does not show");
    return part->find_last_not_of(kSpace) + 1;
  }

  std::size_t begin_of(std::size_t index) const {
    if (role_of(chat_.messages[index]) == "assistant") {
      const auto before = render(chat_, index, true);
      if (before && whole_.starts_with(*before)) return before->size();
    }
    const std::string* content = content_of(chat_.messages[index]);
    if (content == nullptr) refuse(index, "its header cannot be told from it");
    Chat marked = chat_;
    marked.messages[index].set("content", mark_ + *content);
    const auto other = render(marked, marked.messages.size(), false);
    const std::size_t at = other ? other->find(mark_) : std::string::npos;
    if (at == std::string::npos || whole_.compare(0, at, *other, 0, at) != 0)
      refuse(index, "its header cannot be told from it");
    return at;
  }

  const ChatTemplate& template_;
  const Chat& chat_;
  const std::string& whole_;
  std::string mark_;
  std::string closing_;  // of the turns so far
};

}  // namespace

std::vector<TextSpan> find_turns(const ChatTemplate& chat_template, const Chat& chat,
                                 const std::vector<std::string>& roles, const std::string& whole) {
  Finder finder(chat_template, chat, whole);
  std::vector<TextSpan> spans;
  for (std::size_t i = 0; i < chat.messages.size(); ++i) {
    if (std::ranges::find(roles, role_of(chat.messages[i])) == roles.end()) continue;
    const TextSpan span = finder.turn(i);
    const std::size_t from = spans.empty() ? 0 : spans.back().end;
    if (span.begin < from || span.end > whole.size()) {
      fail(ErrorKind::data, chat_template.where(), "the turns of a chat overlap in its text",
           "put {% generation %} and {% endgeneration %} around what the assistant writes");
    }
    if (span.end > span.begin) spans.push_back(span);
  }
  return spans;
}

}  // namespace cupel::chat
