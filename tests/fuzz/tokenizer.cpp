// A tokenizer.json, a NUL, a text: what loads must encode any text into ids that it knows.
#include "data/tokenizer/tokenizer.h"

#include "data/utf8.h"
#include "fuzz/survive.h"

namespace cupel {

void require_text(const std::string& text) { fuzz::require(!find_invalid_utf8(text)); }

void check(std::string_view json, std::string_view text) {
  const Tokenizer tokenizer = Tokenizer::parse(json, "fuzz/tokenizer.json");
  for (const std::string_view sample :
       {text, std::string_view(
                  " It's 12 o'clock,\n\n  cafe\xcc\x81 \xe7\x8e\x8b \xf0\x9f\x98\x80 [SEP]")}) {
    fuzz::survive([&] {
      const std::vector<int32_t> ids = tokenizer.encode(sample, /*special=*/true);
      for (const int32_t id : ids) fuzz::require(id >= 0 && id < tokenizer.vocab_size());
      fuzz::require(tokenizer.encode(sample, true) == ids);  // from the cache of words
      require_text(tokenizer.decode(ids));
      require_text(tokenizer.decode(std::vector<int32_t>(ids.rbegin(), ids.rend()), true));
      for (const int32_t id : ids) tokenizer.token_bytes(id);
    });
  }
}

}  // namespace cupel

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(bytes.find('\0'), size);
  cupel::fuzz::survive(
      [&] { cupel::check(bytes.substr(0, end), bytes.substr(std::min(end + 1, size))); });
  return 0;
}
