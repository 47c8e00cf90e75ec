// The truth that curate is scored by: what is accepted gives rates between 0 and 1.
#include "curate/score.h"
#include "fuzz/survive.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace cupel;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static const TemporaryFolder folder(TemporaryFolder::Place::memory);
  for (const char* name : {"truth.csv", "truth.jsonl"}) {
    const std::filesystem::path path = folder.write(name, bytes);
    fuzz::survive([&] {
      curate::Truth truth(path);
      for (const char* id : {"a", "b", "1"}) truth.see(id, *id != 'b');
      const curate::Score score = truth.score();
      const auto is_rate = [](double x) { return x >= 0 && x <= 1; };
      fuzz::require(is_rate(score.invalid_before) && is_rate(score.residual));
      fuzz::require(is_rate(score.valid_lost));
      for (const auto& [kind, share] : score.recall) fuzz::require(is_rate(share));
    });
  }
  return 0;
}
