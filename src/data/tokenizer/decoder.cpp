#include "data/tokenizer/decoder.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "data/tokenizer/byte_alphabet.h"
#include "data/tokenizer/members.h"
#include "data/tokenizer/regex.h"
#include "data/tokenizer/vocabulary.h"
#include "data/utf8.h"

namespace cupel {

namespace {

/// Calls take(token, is_first) for each.
template <class Take>
void for_each_token(const Decoder::Pieces& pieces, const Take& take) {
  std::size_t begin = 0;
  for (const std::size_t end : pieces.ends) {
    take(std::string_view(pieces.text).substr(begin, end - begin), begin == 0);
    begin = end;
  }
}

/// Runs of byte tokens become the characters they spell, or a U+FFFD each.
void join_bytes(Decoder::Pieces& pieces) {
  Decoder::Pieces out;
  out.text.reserve(pieces.text.size());
  std::string bytes;
  const auto flush = [&] {
    if (bytes.empty()) return;
    const bool valid = !find_invalid_utf8(bytes);
    if (valid) out.text += bytes;
    for (std::size_t i = 0; !valid && i < bytes.size(); ++i) out.text += kReplacementUtf8;
    out.ends.push_back(out.text.size());
    bytes.clear();
  };
  for_each_token(pieces, [&](std::string_view token, bool) {
    if (const auto byte = byte_of_token(token)) {
      bytes.push_back(*byte);
      return;
    }
    flush();
    out.text += token;
    out.ends.push_back(out.text.size());
  });
  flush();
  pieces = std::move(out);
}

/// Up to `start` times `content` at the front and `stop` times at the back go.
std::string strip(std::string_view text, std::string_view content, int64_t start, int64_t stop) {
  for (; start > 0 && text.starts_with(content); --start) text.remove_prefix(content.size());
  for (; stop > 0 && text.ends_with(content); --stop) text.remove_suffix(content.size());
  return std::string(text);
}

/// Of English, as BERT's tokenizers tidy up: "do n't ." becomes "don't.".
std::string clean_up(std::string text) {
  constexpr std::pair<std::string_view, std::string_view> kRules[] = {
      {" .", "."},   {" ?", "?"},     {" !", "!"},    {" ,", ","},
      {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},  {" do not", " don't"},
      {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [from, to] : kRules) {
    for (std::size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
      text.replace(at, from.size(), to);
  }
  return text;
}

const std::string& text_of(const json::Value& value, const char* key, const std::string& where) {
  return value.at(key, where).as_string(where + "." + key);
}

Decoder::Pieces each(const Decoder::Pieces& pieces,
                     const std::function<std::string(std::string_view, bool)>& step) {
  Decoder::Pieces out;
  for_each_token(pieces, [&](std::string_view token, bool first) {
    out.text += step(token, first);
    out.ends.push_back(out.text.size());
  });
  return out;
}

std::function<std::string(std::string_view, bool)> parse_replace(const json::Value& value,
                                                                 const std::string& where) {
  return [regex = parse_pattern(value.at("pattern", where), where + ".pattern"),
          content = text_of(value, "content", where)](std::string_view token, bool) {
    return replace_all(regex, content, token, most_bytes(token.size()));
  };
}

std::function<std::string(std::string_view, bool)> parse_metaspace(const json::Value& value,
                                                                   const std::string& where) {
  const json::Value* scheme = value.find("prepend_scheme");
  const bool prepended =
      flag(value, "add_prefix_space", true, where) &&
      (scheme == nullptr || scheme->as_string(where + ".prepend_scheme") != "never");
  const Regex mark = Regex::literal(text_of(value, "replacement", where), where);
  return [mark, prepended](std::string_view token, bool first) {
    std::string out;
    for_each_piece(mark, token, [&](std::string_view piece, bool is_match) {
      if (!is_match) out += piece;
      if (is_match && !(first && prepended)) out += ' ';
    });
    return out;
  };
}

}  // namespace

Decoder Decoder::parse(const json::Value& value, const std::string& where) {
  Decoder decoder;
  if (value.is_null()) {
    decoder.alone_.push_back([](std::string_view token, bool first) {
      return first ? std::string(token) : ' ' + std::string(token);
    });
  } else {
    decoder.add(value, where);
  }
  return decoder;
}

void Decoder::add_alone(Alone step) {
  if (together_.empty()) {
    alone_.push_back(std::move(step));
  } else {
    together_.push_back([step = std::move(step)](Pieces& pieces) { pieces = each(pieces, step); });
  }
}

void Decoder::add(const json::Value& value, const std::string& where) {
  const std::string& type = value.at("type", where).as_string(where + ".type");
  if (type == "Sequence") {
    const std::string here = where + ".decoders";
    for (const json::Value& item : value.at("decoders", where).as_array(here)) add(item, here);
  } else if (type == "ByteLevel") {
    add_alone([](std::string_view token, bool) {
      std::string bytes(token);
      alphabet_to_bytes(token, bytes);
      return bytes;
    });
    together_.push_back([](Pieces& pieces) {
      if (find_invalid_utf8(pieces.text)) pieces.text = replace_invalid_utf8(pieces.text);
      pieces.ends = {pieces.text.size()};
    });
  } else if (type == "ByteFallback") {
    byte_fallback_ = true;
    together_.push_back(join_bytes);
  } else if (type == "Fuse") {
    together_.push_back([](Pieces& pieces) { pieces.ends = {pieces.text.size()}; });
  } else if (type == "Strip") {
    const std::string content = text_of(value, "content", where);
    const int64_t start = value.at("start", where).as_int(where + ".start");
    const int64_t stop = value.at("stop", where).as_int(where + ".stop");
    if (content.empty())
      fail(ErrorKind::data, where + ".content", "is empty", "the file is damaged; fetch it again");
    add_alone([=](std::string_view token, bool) { return strip(token, content, start, stop); });
  } else if (type == "Replace") {
    add_alone(parse_replace(value, where));
  } else if (type == "Metaspace") {
    add_alone(parse_metaspace(value, where));
  } else if (type == "WordPiece") {
    add_alone([prefix = text_of(value, "prefix", where),
               clean = flag(value, "cleanup", true, where)](std::string_view token, bool first) {
      std::string text(token);
      if (!first) text = token.starts_with(prefix) ? text.substr(prefix.size()) : ' ' + text;
      return clean ? clean_up(std::move(text)) : text;
    });
  } else {
    fail(ErrorKind::data, where, "unknown decoder \"" + type + "\"",
         "known: ByteFallback, ByteLevel, Fuse, Metaspace, Replace, Sequence, Strip, WordPiece");
  }
  if (alone_.size() + together_.size() > kMaxSteps)
    fail(ErrorKind::data, where, "more than 64 steps", "leave out those that change nothing");
}

std::string Decoder::piece(std::string_view token, bool first) const {
  std::string text(token);
  for (const Alone& step : alone_) {
    text = step(text, first);
    check_growth(text.size(), most_bytes(token.size()));
  }
  return text;
}

std::string Decoder::bytes(std::string_view piece) const {
  const auto byte = byte_of_token(piece);
  return byte_fallback_ && byte ? std::string(1, *byte) : std::string(piece);
}

std::string Decoder::decode(Pieces pieces) const {
  const std::size_t most = most_bytes(pieces.text.size());
  for (const Together& step : together_) {
    step(pieces);
    check_growth(pieces.text.size(), most);
  }
  return std::move(pieces.text);
}

}  // namespace cupel
