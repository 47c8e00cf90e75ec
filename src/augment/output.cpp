#include "augment/output.h"

#include <charconv>
#include <utility>

#include "base/atomic_file.h"
#include "base/json.h"
#include "data/safetensors.h"

namespace cupel::augment {
namespace {

constexpr std::string_view kModelFolder = "model", kRowsFile = "augmented.csv";

TensorEntry entry(std::string name, std::vector<int64_t> shape, const std::vector<float>& values) {
  return {.name = std::move(name),
          .dtype = Dtype::f32,
          .shape = std::move(shape),
          .data = reinterpret_cast<const std::byte*>(values.data()),
          .bytes = static_cast<int64_t>(values.size() * sizeof(float))};
}

json::Value config_of(const Fitted& fitted, const std::vector<Feature>& features) {
  json::Array columns, hidden;
  for (const Feature& feature : features) {
    json::Value& column = columns.emplace_back(json::Object{});
    column.set("name", feature.name);
    column.set("mean", feature.mean);
    column.set("deviation", feature.deviation);
  }
  for (const int64_t width : fitted.network.hidden()) hidden.emplace_back(width);
  json::Value out = json::Object{};
  out.set("model_type", "mlp");
  out.set("hidden", std::move(hidden));
  out.set("activation", "relu");
  out.set("threshold", static_cast<double>(fitted.threshold));
  out.set("features", std::move(columns));
  return out;
}

/// Quoted where RFC 4180 asks for it.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

void append_row(const Perturber& perturber, const float* row, uint8_t label, bool moved,
                std::string& out) {
  for (std::size_t i = 0; i < perturber.features().size(); ++i) {
    const Feature& feature = perturber.features()[i];
    char text[32];
    const auto value = static_cast<float>(row[i] * feature.deviation + feature.mean);
    const auto end =
        std::to_chars(text, text + sizeof text, value, std::chars_format::general, 6).ptr;
    out.append(text, end);
    out += ',';
  }
  out += label != 0 ? "1," : "0,";
  out += moved ? "1\n" : "0\n";
}

}  // namespace

void write_model(const Fitted& fitted, const std::vector<Feature>& features, Run& run) {
  run.write_folder(kModelFolder, [&](const std::filesystem::path& folder) {
    const std::vector<Mlp::Dense> layers = fitted.network.layers();
    std::vector<TensorEntry> entries;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const std::string name = "layers." + std::to_string(i);
      entries.push_back(entry(name + ".weight", {layers[i].out, layers[i].in}, layers[i].weight));
      entries.push_back(entry(name + ".bias", {layers[i].out}, layers[i].bias));
    }
    write_safetensors(folder / "model.safetensors", std::move(entries));
    write_file_atomically(folder / "config.json",
                          json::dump(config_of(fitted, features), 2) + "\n");
  });
}

void write_rows(const Fitted& fitted, const AdversarialAugmentation& how,
                const Perturber& perturber, const Rows& rows, Run& run) {
  std::string out;
  for (const Feature& feature : perturber.features()) out += csv_field(feature.name) + ",";
  out += "label,augmented\n";
  for (int64_t i = 0; i < rows.size(); ++i)
    append_row(perturber, rows.row(i), rows.labels[static_cast<std::size_t>(i)], false, out);
  AttackSpace space;
  std::vector<float> moved(static_cast<std::size_t>(kBatch * rows.width));
  for (int64_t first = 0; first < rows.size(); first += kBatch) {
    const int64_t count = std::min(kBatch, rows.size() - first);
    Rng rng = run.stream("augment rows", static_cast<uint64_t>(first));
    attack(how, perturber, fitted.network, rows.row(first), rows.labels.data() + first, count, rng,
           space, moved.data());
    for (int64_t i = 0; i < count; ++i) {
      append_row(perturber, moved.data() + i * rows.width,
                 rows.labels[static_cast<std::size_t>(first + i)], true, out);
    }
  }
  run.write(kRowsFile, out);
}

}  // namespace cupel::augment
