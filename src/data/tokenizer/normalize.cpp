#include "data/tokenizer/normalize.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "base/error.h"

namespace cupel {

Normalizer Normalizer::parse(const json::Value& value, const std::string& where) {
  Normalizer normalizer;
  normalizer.add(value, where);
  return normalizer;
}

void Normalizer::add(const json::Value& value, const std::string& where) {
  if (value.is_null()) return;
  const std::string& type = value.at("type", where).as_string(where + ".type");
  constexpr unsigned kCompose = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
  constexpr unsigned kDecompose = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE;
  if (type == "NFC") {
    steps_.push_back(kCompose);
  } else if (type == "NFD") {
    steps_.push_back(kDecompose);
  } else if (type == "NFKC") {
    steps_.push_back(kCompose | UTF8PROC_COMPAT);
  } else if (type == "NFKD") {
    steps_.push_back(kDecompose | UTF8PROC_COMPAT);
  } else if (type == "Sequence") {
    const std::string here = where + ".normalizers";
    for (const json::Value& item : value.at("normalizers", where).as_array(here)) add(item, here);
  } else {
    fail(ErrorKind::data, where, "unknown normalizer \"" + type + "\"",
         "known: NFC, NFD, NFKC, NFKD, Sequence");
  }
}

bool Normalizer::keeps(std::string_view text) const {
  return steps_.empty() || std::ranges::none_of(text, [](char c) { return (c & 0x80) != 0; });
}

std::string Normalizer::apply(std::string_view text) const {
  std::string result(text);
  for (const unsigned step : steps_) {
    utf8proc_uint8_t* mapped = nullptr;
    const utf8proc_ssize_t size =
        utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(result.data()),
                     static_cast<utf8proc_ssize_t>(result.size()), &mapped,
                     static_cast<utf8proc_option_t>(step));
    const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, &std::free);
    if (size < 0) {
      fail(ErrorKind::resource, "[data.tokenizer]",
           std::string("normalisation failed: ") + utf8proc_errmsg(size));
    }
    result.assign(reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(size));
  }
  return result;
}

}  // namespace cupel
