#include "data/tokenizer/pretokenize.h"

#include "base/error.h"

namespace cupel {

const std::string_view kGpt2Pattern =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

namespace {

/// Every step is a level of recursion.
constexpr std::size_t kMaxSteps = 64;

/// The end of the character that begins at `at`.
std::size_t next_character(std::string_view text, std::size_t at) {
  do {
    ++at;
  } while (at < text.size() && (text[at] & 0xC0) == 0x80);
  return at;
}

bool flag(const json::Value& value, std::string_view key, bool fallback, const std::string& where) {
  const json::Value* member = value.find(key);
  return member == nullptr ? fallback : member->as_bool(where + "." + std::string(key));
}

/// Calls piece(text, is_match) for the matches and for what lies between them, in order. An empty
/// match cuts without being a piece, unless it stands where the match before it ended.
template <class Piece>
void cut(const Regex& regex, std::string_view text, const Piece& piece) {
  std::size_t done = 0, from = 0;
  bool first = true;
  while (from <= text.size()) {
    const auto match = regex.find(text, from);
    if (!match) break;
    if (match->begin == match->end) {
      from = next_character(text, match->end);
      if (!first && match->begin == done) continue;
    } else {
      from = match->end;
    }
    if (match->begin > done) piece(text.substr(done, match->begin - done), false);
    if (match->end > match->begin)
      piece(text.substr(match->begin, match->end - match->begin), true);
    done = match->end;
    first = false;
  }
  if (done < text.size()) piece(text.substr(done), false);
}

}  // namespace

PreTokenizer PreTokenizer::parse(const json::Value& value, const std::string& where) {
  PreTokenizer pre_tokenizer;
  if (!value.is_null()) pre_tokenizer.add(value, where);
  if (!pre_tokenizer.byte_level_) {
    fail(ErrorKind::data, where, "has no ByteLevel step",
         "only byte-level BPE tokenizers are known (GPT-2, Llama 3, Qwen, DeepSeek and alike)");
  }
  if (pre_tokenizer.steps_.size() > kMaxSteps)
    fail(ErrorKind::data, where, "more than 64 steps", "put several of its patterns in one");
  return pre_tokenizer;
}

void PreTokenizer::add(const json::Value& value, const std::string& where) {
  const std::string& type = value.at("type", where).as_string(where + ".type");
  if (type == "Sequence") {
    const std::string here = where + ".pretokenizers";
    for (const json::Value& item : value.at("pretokenizers", where).as_array(here)) add(item, here);
    return;
  }
  if (byte_level_) {
    fail(ErrorKind::data, where, "\"" + type + "\" stands after ByteLevel",
         "only a pre-tokenizer that ends with ByteLevel is known");
  }
  if (type == "Split") {
    add_split(value, where);
  } else if (type == "Digits") {
    const bool each = flag(value, "individual_digits", false, where);
    steps_.push_back({Regex(each ? "\\p{N}" : "\\p{N}+", where)});
  } else if (type == "ByteLevel") {
    byte_level_ = true;
    prefix_space_ = flag(value, "add_prefix_space", true, where);
    prefix_at_ = steps_.size();
    if (flag(value, "use_regex", true, where)) steps_.push_back({Regex(kGpt2Pattern, where)});
  } else {
    fail(ErrorKind::data, where, "unknown pre-tokenizer \"" + type + "\"",
         "known: ByteLevel, Digits, Sequence, Split");
  }
}

void PreTokenizer::add_split(const json::Value& value, const std::string& where) {
  const std::string here = where + ".pattern";
  const json::Value& pattern = value.at("pattern", where);
  const json::Value* regex = pattern.find("Regex");
  Regex compiled = regex != nullptr
                       ? Regex(regex->as_string(here), here)
                       : Regex::literal(pattern.at("String", here).as_string(here), here);
  const std::string& behavior = value.at("behavior", where).as_string(where + ".behavior");
  if (behavior != "Isolated" && behavior != "Removed") {
    fail(ErrorKind::data, where + ".behavior", "unknown behavior \"" + behavior + "\"",
         "known: Isolated, Removed");
  }
  steps_.push_back(
      {std::move(compiled), behavior == "Removed", flag(value, "invert", false, where)});
}

void PreTokenizer::for_each_word(std::string_view text,
                                 const std::function<void(std::string_view)>& word) const {
  // Depth first: the last step hands its pieces on, every other step runs the next one on them.
  std::function<void(std::string_view, std::size_t)> run = [&](std::string_view piece,
                                                               std::size_t at) {
    std::string prefixed;
    if (prefix_space_ && at == prefix_at_ && !piece.starts_with(' ')) {
      prefixed = ' ' + std::string(piece);
      piece = prefixed;
    }
    if (at == steps_.size()) {
      word(piece);
      return;
    }
    const Step& step = steps_[at];
    cut(step.regex, piece, [&](std::string_view part, bool is_match) {
      if (step.remove && is_match != step.invert) return;
      if (at + 1 == steps_.size() && !(prefix_space_ && prefix_at_ == steps_.size())) {
        word(part);
      } else {
        run(part, at + 1);
      }
    });
  };
  if (!text.empty()) run(text, 0);
}

}  // namespace cupel
