// A run's decisions.jsonl, a NUL, its manifest.json: what explain reads of them, and the row it
// shows. A decision that is read must be written as it was.
#include "curate/decisions.h"

#include "curate/explain.h"
#include "fuzz/survive.h"

namespace cupel::curate {

void check(const std::filesystem::path& folder) {
  const std::vector<Decision> decisions = find_decisions(folder / "decisions.jsonl", "a", 4);
  fuzz::require(decisions.size() <= 4);
  for (const Decision& decision : decisions) {
    static const TemporaryFolder again(TemporaryFolder::Place::memory);
    const std::string line = to_line(decision);
    const auto path = again.write("decisions.jsonl", line);
    if (decision.id != "a") continue;
    const std::vector<Decision> read = find_decisions(path, "a", 4);
    fuzz::require(read.size() == 1 && to_line(read[0]) == line);
  }
}

}  // namespace cupel::curate

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace cupel;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(bytes.find('\0'), size);
  static const TemporaryFolder folder(TemporaryFolder::Place::memory);
  folder.write("decisions.jsonl", bytes.substr(0, end));
  const std::string_view manifest = bytes.substr(std::min(end + 1, size));
  folder.write("manifest.json", manifest.empty()
                                    ? R"({"curate":{"inputs":[],"text_field":"t","id_field":"i"}})"
                                    : manifest);
  fuzz::survive([&] { curate::check(folder.path()); });
  fuzz::survive([&] {
    const curate::Explanation answer = curate::explain({folder.path().string(), "a"});
    fuzz::require(!answer.rows.empty() && !answer.text().empty());
  });
  return 0;
}
