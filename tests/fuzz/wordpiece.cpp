// A tokenizer.json or a vocab.txt, a NUL, a text: what loads must encode any text into ids that it
// knows.
#include "data/tokenizer/wordpiece.h"

#include "fuzz/survive.h"

namespace cupel {

void check(const WordPiece& tokenizer, std::string_view text) {
  for (const std::string_view sample :
       {text, std::string_view(" It's 12 o'clock,\n\n  caf\xc3\xa9 \xe7\x8e\x8b [SEP]")}) {
    fuzz::survive([&] {
      const std::vector<int32_t> ids = tokenizer.encode(sample);
      for (const int32_t id : ids) fuzz::require(id >= 0 && id < tokenizer.vocab_size());
      const auto limit = static_cast<int64_t>(ids.size());
      fuzz::require(tokenizer.encode(sample, limit) == ids);
    });
  }
}

}  // namespace cupel

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(bytes.find('\0'), size);
  const std::string_view file = bytes.substr(0, end), text = bytes.substr(std::min(end + 1, size));
  using cupel::WordPiece;
  cupel::fuzz::survive([&] { cupel::check(WordPiece::parse(file, "fuzz/tokenizer.json"), text); });
  cupel::fuzz::survive(
      [&] { cupel::check(WordPiece::parse_vocabulary(file, "fuzz/vocab.txt"), text); });
  return 0;
}
