// Documents: the unit that curation filters and that language models are trained on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cupel {

struct Document {
  std::string id;    // the file's own, or its line number
  std::string text;  // valid UTF-8 without NUL
  int64_t line = 0;  // from 1
};

struct Corpus {
  std::vector<Document> documents;
  int64_t rows = 0;  // of the file: documents.size() + rejected
  int64_t rejected = 0;
};

}  // namespace cupel
