#include <algorithm>
#include <cmath>

#include "base/atomic_file.h"
#include "base/error.h"
#include "data/adapter_folder.h"
#include "data/tokenizer/gguf_tokenizer.h"
#include "nn/device_nn.h"
#include "nn/llm/adapter_nn.h"
#include "nn/llm/generation_config.h"
#include "nn/llm/gguf_beside.h"
#include "nn/llm/gguf_file_nn.h"
#include "nn/llm/load_weights_nn.h"
#include "nn/llm/model_files.h"
#include "nn/llm/weights_nn.h"
#include "pipeline/export_model.h"

namespace cupel::pipeline::exporter {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kRows = 4, kMostLength = 64;
constexpr const char* kFolderOutput = "model";
constexpr const char* kGgufOutput = "model.gguf";

/// Plain English of the product's own, for tokens as a model meets them.
constexpr std::string_view kText =
    "The miller counted his sacks twice before the rain came. Nine of them were dry, and two had "
    "stood under the broken tiles since Sunday. He asked his daughter to write the number down, "
    "because numbers that nobody writes down tend to grow. She took the pencil from behind the "
    "clock and drew nine straight lines, then two that were bent. If a cart can carry four sacks, "
    "how many journeys does he need, and how many of the eleven are worth the toll at the bridge? "
    "In the evening the river had risen by a hand, the mill wheel turned without being asked, and "
    "the cat slept on the only bag that was still warm. Nothing was lost that could be counted.";

/// [kRows, length] ids, the same for every run with this tokenizer and length.
at::Tensor parity_ids(const Tokenizer& tokenizer, const llm::ModelConfig& model) {
  const int64_t length = std::min(kMostLength, model.max_position_embeddings);
  std::vector<int32_t> text;
  try {
    text = tokenizer.encode(kText);
  } catch (const Error&) {  // a vocabulary without these letters
  }
  Rng rng(0, "parity");
  while (text.size() < 2)
    text.push_back(static_cast<int32_t>(rng.below(static_cast<uint64_t>(model.vocab_size))));
  std::vector<int64_t> ids;
  for (int64_t i = 0; i < kRows * length; ++i)
    ids.push_back(text[static_cast<std::size_t>(i) % text.size()]);
  return at::tensor(ids, at::kLong).view({kRows, length});
}

/// exp of the mean loss of the next token. logits [rows, length, vocabulary].
double perplexity(const at::Tensor& logits, const at::Tensor& ids) {
  const int64_t length = ids.size(1);
  if (length < 2) return 1;
  const at::Tensor loss =
      at::cross_entropy_loss(logits.narrow(1, 0, length - 1).flatten(0, 1).to(at::kDouble),
                             ids.narrow(1, 1, length - 1).flatten());
  return std::exp(loss.item<double>());
}

Parity compare(const at::Tensor& before, const at::Tensor& after, const at::Tensor& ids) {
  Parity parity;
  parity.tokens = ids.numel();
  const double largest = before.abs().max().item<double>();
  parity.max_logit_error = (after - before).abs().max().item<double>() / largest;
  parity.top1_agreement =
      before.argmax(-1).eq(after.argmax(-1)).to(at::kDouble).mean().item<double>();
  parity.perplexity_before = perplexity(before, ids);
  parity.perplexity_after = perplexity(after, ids);
  parity.perplexity_delta = parity.perplexity_after - parity.perplexity_before;
  return parity;
}

int64_t adapted_layers(const llm::Decoder& decoder) {
  const auto names = decoder.named_parameters().keys();
  return std::ranges::count_if(
      names, [](const std::string& name) { return name.ends_with(".lora_A.weight"); });
}

/// An adapter is left beside its base model's weights.
std::shared_ptr<llm::Decoder> load(const fs::path& model, const llm::ModelConfig& config) {
  auto decoder = std::make_shared<llm::Decoder>(config);
  if (is_adapter(model)) {
    llm::load_weights(base_of_adapter(model), *decoder);
    llm::load_adapters(model, *decoder);
  } else {
    llm::load_weights(model, *decoder);
  }
  return decoder;
}

Dtype dtype_of(WeightType type) {
  return type == WeightType::f32 ? Dtype::f32 : type == WeightType::f16 ? Dtype::f16 : Dtype::bf16;
}

/// Chat template and what ends an answer, where the model has them.
void copy_beside(const fs::path& model, const Tokenizer& tokenizer, int64_t vocab_size,
                 const fs::path& folder) {
  tokenizer.save(folder);
  for (const char* name : {"chat_template.jinja", "generation_config.json"}) {
    const fs::path from = file_of_model(model, name);
    if (fs::exists(from)) write_file_atomically(folder / name, read_file(from));
  }
  const fs::path generation = folder / "generation_config.json";
  std::vector<int32_t> endings = llm::ending_tokens(model, vocab_size);
  if (fs::exists(generation) || endings.empty()) return;
  if (const auto eos = tokenizer.eos_id(); eos && std::ranges::find(endings, *eos) == endings.end())
    endings.insert(endings.begin(), *eos);
  const json::Array ids(endings.begin(), endings.end());
  write_file_atomically(generation, json::dump(json::Object{{"eos_token_id", ids}}, 2) + "\n");
}

GgufType gguf_type_of(WeightType type) {
  return type == WeightType::f32   ? GgufType::f32
         : type == WeightType::f16 ? GgufType::f16
                                   : GgufType::bf16;
}

/// What the file will say beside weights: refused before they are read, if it cannot.
llm::GgufHead head_of(const fs::path& model, const llm::ModelConfig& shape,
                      const Tokenizer& tokenizer, WeightType type, Run& run) {
  const GgufBeside beside = llm::gguf_beside(model, tokenizer, shape.vocab_size);
  llm::GgufHead head = llm::gguf_head(shape, tokenizer, beside, gguf_type_of(type));
  for (const std::string& note : head.notes)
    run.log(LogLevel::warning, std::string(kGgufOutput) + ": " + note);
  return head;
}

int64_t bytes_below(const fs::path& folder) {
  if (fs::is_regular_file(folder)) return static_cast<int64_t>(fs::file_size(folder));
  int64_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(folder))
    bytes += static_cast<int64_t>(entry.file_size());
  return bytes;
}

}  // namespace

Report run(const Config& config, Run& run) {
  nn::use_threads(run.threads());
  at::NoGradGuard no_grad;
  const fs::path model = config.model.text;
  llm::record_model(model, run);
  const llm::ModelConfig shape = llm::model_config_of(model);
  const Tokenizer tokenizer = load_tokenizer(model);
  llm::require_vocabulary(model, tokenizer, shape);
  const bool gguf = config.format == Format::gguf;
  llm::GgufHead head;
  if (gguf) head = head_of(model, shape, tokenizer, config.weight_type(), run);
  const at::Tensor ids = parity_ids(tokenizer, shape);
  Report report;
  auto decoder = load(model, shape);
  const at::Tensor before = decoder->logits(ids);
  report.adapted_layers = adapted_layers(*decoder);
  llm::merge_adapters(*decoder);
  run.stop_if_asked();
  if (gguf) {
    llm::save_gguf(run.folder() / kGgufOutput, *decoder, head);
  } else {
    run.write_folder(kFolderOutput, [&](const fs::path& folder) {
      llm::save_model(folder, *decoder, {tokenizer.bos_id(), tokenizer.eos_id()},
                      dtype_of(config.weight_type()));
      copy_beside(model, tokenizer, shape.vocab_size, folder);
    });
  }
  decoder.reset();  // two models need not stand at once
  report.model = gguf ? kGgufOutput : kFolderOutput;
  const fs::path written = run.folder() / report.model;
  const llm::ModelConfig again = llm::model_config_of(written);
  decoder = load(written, again);
  report.parity = compare(before, decoder->logits(ids), ids);
  report.parity.limit = config.error_limit();
  report.parity.pass = report.parity.max_logit_error <= report.parity.limit;  // no for NaN
  report.parameters = llm::parameter_count(again);
  report.bytes = bytes_below(written);
  return report;
}

}  // namespace cupel::pipeline::exporter
