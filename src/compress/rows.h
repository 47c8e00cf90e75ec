// Data sets of the recipe as rows of tokens with a class of the model.
#pragma once

#include <vector>

#include "base/run.h"
#include "compress/compress.h"
#include "data/tokenizer/tokenizer.h"
#include "nn/classified_rows.h"

namespace cupel::compress {

/// Rows whose label is none of the classes go to rejects.jsonl; longer texts than the model has
/// positions lose their end. Throws Error{data} if none is left; Interrupted when asked to stop.
std::vector<nn::ClassifiedRow> read_rows(const DataConfig& data, const Tokenizer& tokenizer,
                                         const nn::ClassifierConfig& model, Run& run);

}  // namespace cupel::compress
