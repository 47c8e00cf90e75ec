#include "train/chat_tokens.h"

#include <algorithm>
#include <span>

#include "base/error.h"
#include "data/utf8.h"

namespace cupel::train {
namespace {

constexpr std::size_t kShownTokens = 8;

/// Tokens and where each begins in the text.
struct Placed {
  std::vector<int32_t> ids;
  std::vector<std::size_t> begins;
};

/// Whether the tokens' bytes are the text, perhaps with a blank before it that the tokenizer adds;
/// fills Placed::begins if so.
bool place(Placed& tokens, std::string_view text, const Tokenizer& tokenizer) {
  tokens.begins.clear();
  std::size_t at = 0;
  for (std::size_t i = 0; i < tokens.ids.size(); ++i) {
    std::string_view bytes = tokenizer.token_bytes(tokens.ids[i]);
    const bool blank = i == 0 && bytes.starts_with(' ') && !text.starts_with(' ');
    if (blank) bytes.remove_prefix(1);
    if (!text.substr(at).starts_with(bytes)) return false;
    tokens.begins.push_back(at);
    at += bytes.size();
  }
  return at == text.size();
}

/// Each span, and what stands between two, for itself.
Placed encode_parts(const ChatText& chat, const Tokenizer& tokenizer,
                    const std::function<void()>& poll) {
  Placed out;
  const auto add = [&](std::size_t begin, std::size_t end) {
    if (begin == end) return;
    for (const int32_t id : tokenizer.encode(chat.text.substr(begin, end - begin), false, poll)) {
      out.ids.push_back(id);
      out.begins.push_back(begin);
    }
  };
  std::size_t at = 0;
  for (const TextSpan& span : chat.spans) {
    add(at, span.begin);
    add(span.begin, span.end);
    at = span.end;
  }
  add(at, chat.text.size());
  return out;
}

/// The last of some tokens: text and id of each.
std::string shown(std::span<const int32_t> ids, const Tokenizer& tokenizer) {
  std::string out = ids.size() > kShownTokens ? "…" : "";
  for (const int32_t id : ids.last(std::min(ids.size(), kShownTokens))) {
    if (!out.empty()) out += " ";
    out += "\"" + clip_text(tokenizer.decode({&id, 1}), 40) + "\" " + std::to_string(id);
  }
  return out;
}

}  // namespace

MaskedTokens encode_chat(const ChatText& chat, bool all, const Tokenizer& tokenizer,
                         const std::string& where, const std::function<void()>& poll) {
  Placed tokens{tokenizer.encode(chat.text, false, poll), {}};
  if (!place(tokens, chat.text, tokenizer)) tokens = encode_parts(chat, tokenizer, poll);
  MaskedTokens out{std::move(tokens.ids), {}};
  out.learned.assign(out.ids.size(), all ? 1 : 0);
  for (const TextSpan& span : chat.spans) {
    const auto place_of = [&](std::size_t byte) {
      return static_cast<std::size_t>(std::ranges::lower_bound(tokens.begins, byte) -
                                      tokens.begins.begin());
    };
    const std::size_t begin = place_of(span.begin), end = place_of(span.end);
    std::fill(out.learned.begin() + static_cast<std::ptrdiff_t>(begin),
              out.learned.begin() + static_cast<std::ptrdiff_t>(end), uint8_t{1});
    if (begin < end && !tokenizer.is_special(out.ids[end - 1]) &&
        out.ids[end - 1] != tokenizer.eos_id()) {
      fail(ErrorKind::data, where,
           "a turn that is learned ends without a special token, so the model would not learn to "
           "stop: " +
               shown(std::span(out.ids).subspan(begin, end - begin), tokenizer),
           "use the chat template that goes with the tokenizer");
    }
  }
  return out;
}

void refuse_two_beginnings(const MaskedTokens& document, const Tokenizer& tokenizer,
                           const std::string& where) {
  const auto bos = tokenizer.bos_id();
  if (!bos || document.ids.size() < 2 || document.ids[0] != *bos || document.ids[1] != *bos) return;
  const std::size_t shown_tokens = std::min(document.ids.size(), kShownTokens);
  fail(ErrorKind::data, where,
       "the beginning-of-text token stands twice: " +
           shown(std::span(document.ids).first(shown_tokens), tokenizer),
       "take it out of the template or the text; the tokenizer sets it before a text itself");
}

}  // namespace cupel::train
