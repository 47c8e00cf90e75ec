// A tokenizer.json, a NUL, a text: what loads must encode any text into ids that it knows.
#include "data/tokenizer/tokenizer.h"

#include "fuzz/survive.h"

namespace cupel {

void check(std::string_view json, std::string_view text) {
  const Tokenizer tokenizer = Tokenizer::parse(json, "fuzz/tokenizer.json");
  for (const std::string_view sample :
       {text, std::string_view(" It's 12 o'clock,\n\n  caf\xc3\xa9")}) {
    fuzz::survive([&] {
      const std::vector<int32_t> ids = tokenizer.encode(sample, /*special=*/true);
      for (const int32_t id : ids) fuzz::require(id >= 0 && id < tokenizer.vocab_size());
      fuzz::require(tokenizer.encode(sample, true) == ids);  // from the cache of words
      tokenizer.decode(ids);
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
