// Rows handed on as bytes: of any file, in batches of any size, each row with the fields of it that
// the reader of whole rows finds, or refused by both.
#include "data/raw_rows.h"

#include "fuzz/survive.h"

namespace cupel {

struct Taken {
  int64_t rows = 0;
  std::vector<std::string> texts;
};

Taken read_raw(const std::filesystem::path& path, std::string_view bytes, std::size_t batch_bytes) {
  Taken taken;
  RowFieldParser parser("text", "id", {"label"});
  for_each_raw_batch(path, batch_bytes, [&](const std::vector<RawRow>& rows) {
    fuzz::require(!rows.empty());
    for (const RawRow& row : rows) {
      ++taken.rows;
      fuzz::require(row.line > 0);
      if (row.problem != nullptr) continue;
      if (row.offset >= 0)
        fuzz::require(bytes.substr(static_cast<std::size_t>(row.offset)).starts_with(row.json));
      RowFields fields;
      if (parser.parse(row.json, row.line, fields)) continue;
      taken.texts.emplace_back(fields.text);
    }
  });
  return taken;
}

void check(std::string_view bytes, const char* name) {
  static const TemporaryFolder folder(TemporaryFolder::Place::memory);
  const std::filesystem::path path = folder.write(name, bytes);
  fuzz::survive([&] {
    const Taken whole = read_raw(path, bytes, std::size_t{1} << 20);
    const Taken single = read_raw(path, bytes, 1);
    fuzz::require(whole.rows == single.rows && whole.texts == single.texts);
    if (whole.texts.empty()) return;  // the other reader calls that an error
    CorpusOptions options;
    options.document_a_line = true;
    std::vector<Reject> rejects;
    const Corpus corpus = read_corpus(path, options, &rejects);
    fuzz::require(corpus.rows == whole.rows && corpus.documents.size() == whole.texts.size());
    for (std::size_t i = 0; i < whole.texts.size(); ++i)
      fuzz::require(corpus.documents[i].text == whole.texts[i]);
  });
}

}  // namespace cupel

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const char* name : {"rows.jsonl", "rows.json", "rows.csv", "rows.txt"})
    cupel::check(bytes, name);
  return 0;
}
