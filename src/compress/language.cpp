#include "compress/language.h"

#include <algorithm>

#include "base/atomic_file.h"
#include "base/error.h"
#include "compress/language_codes.h"
#include "compress/language_measure.h"
#include "data/adapter_folder.h"
#include "data/gguf.h"
#include "data/tokenizer/gguf_tokenizer.h"
#include "nn/llm/families.h"
#include "nn/llm/gguf_beside.h"
#include "nn/llm/gguf_target.h"
#include "nn/llm/model_files.h"
#include "nn/llm/stored_format.h"

namespace cupel::compress {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kWindow = 512;  // tokens
constexpr std::size_t kCalibrationWindows = 128, kMeasuredWindows = 1000;
constexpr const char* kOutput = "model.gguf";

void require_settings(const Config& config) {
  const auto refuse = [&](bool given, const char* name) {
    if (given) fail(ErrorKind::config, name, "a language model is only quantized", "leave it out");
  };
  refuse(config.prune.has_value(), "prune");
  refuse(config.recover.has_value(), "recover");
  if (is_adapter(config.model.text))
    fail(ErrorKind::config, config.model.text, "is an adapter",
         "merge it: cupel export " + config.model.text);
}

int64_t weight_bytes(const fs::path& model) {
  if (fs::is_regular_file(model)) return static_cast<int64_t>(fs::file_size(model));
  int64_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(model))
    if (entry.path().extension() == ".safetensors")
      bytes += static_cast<int64_t>(entry.file_size());
  return bytes;
}

}  // namespace

bool is_language_model(const fs::path& model) {
  if (is_gguf(model) || is_adapter(model)) return true;
  const fs::path file = model / "config.json";
  if (!fs::exists(file)) return false;
  const json::Value config = json::parse(read_file(file), file.string());
  const json::Value* family = config.find("model_type");
  return family != nullptr && family->is_string() &&
         llm::find_family(family->as_string(file.string())) != nullptr;
}

Report compress_language_model(const Config& config, Run& run) {
  require_settings(config);
  const fs::path model = config.model.text;
  llm::record_model(model, run);
  const llm::ModelConfig shape = llm::model_config_of(model);
  const Tokenizer tokenizer = load_tokenizer(model);
  llm::require_vocabulary(model, tokenizer, shape);
  const llm::GgufHead head = llm::gguf_head(
      shape, tokenizer, llm::gguf_beside(model, tokenizer, shape.vocab_size), GgufType::iq4_nl);
  for (const std::string& note : head.notes)
    run.log(LogLevel::warning, std::string(kOutput) + ": " + note);
  const int64_t length = std::min(kWindow, shape.max_position_embeddings);
  const DataConfig& calibration = config.calibration ? *config.calibration : config.datasets.at(0);
  const std::vector<TokenWindow> seen =
      read_windows(calibration, tokenizer, length, kCalibrationWindows, run);
  std::vector<TokenWindow> measured;
  if (config.measure)
    measured = read_windows(config.measure->data, tokenizer, length, kMeasuredWindows, run);

  const CodedLayers coded = encode_layers(llm::tensors_of(model, shape), shape, seen,
                                          config.quantize->group_size, run, model.string());
  write_gguf(run.folder() / kOutput, head.metadata,
             llm::gguf_outputs(llm::gguf_tensors(coded.source, shape), GgufType::iq4_nl));
  Report report;
  report.model = kOutput;
  report.parameters = {llm::parameter_count(shape), llm::parameter_count(shape)};
  report.bytes = {weight_bytes(model), weight_bytes(run.folder() / kOutput)};
  report.output_error = coded.error;
  if (config.measure) {
    const fs::path written = run.folder() / kOutput;
    report.language = measure_language(
        {{"fp32", model, {}}, {"w4", written, {}}, {"w4a8", written, llm::stored_format(written)}},
        measured, config.measure->runs, run);
  }
  return report;
}

}  // namespace cupel::compress
