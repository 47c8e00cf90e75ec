#include "compress/token_windows.h"

#include <algorithm>

#include "base/error.h"
#include "data/read.h"

namespace cupel::compress {

std::vector<TokenWindow> read_windows(const DataConfig& data, const Tokenizer& tokenizer,
                                      int64_t length, std::size_t most, Run& run) {
  run.record_input(data.path.text);
  CorpusOptions options{{data.split, data.columns}, data.text_field};
  options.poll = [&run] { run.stop_if_asked(); };
  std::vector<Reject> rejects;
  const Corpus corpus = read_corpus(data.path.text, options, &rejects);
  for (const Reject& reject : rejects) run.reject(reject);
  std::vector<TokenWindow> windows;
  int64_t texts = 0;
  for (const Document& document : corpus.documents) {
    if (windows.size() == most || (data.rows && texts == *data.rows)) break;
    options.poll();
    ++texts;
    const std::vector<int32_t> ids = tokenizer.encode(document.text);
    for (std::size_t at = 0; at + 1 < ids.size() && windows.size() < most;
         at += static_cast<std::size_t>(length)) {
      const auto end = std::min(ids.size(), at + static_cast<std::size_t>(length));
      windows.emplace_back(ids.begin() + static_cast<std::ptrdiff_t>(at),
                           ids.begin() + static_cast<std::ptrdiff_t>(end));
    }
  }
  if (windows.empty())
    fail(ErrorKind::data, data.path.text, "holds no text of two tokens",
         "look at text_field and rejects.jsonl");
  return windows;
}

}  // namespace cupel::compress
