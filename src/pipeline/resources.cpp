#include "pipeline/resources.h"

#include "base/config_doc.h"
#include "base/error.h"
#include "base/machine.h"
#include "base/parallel.h"
#include "kernels/kernels.h"

namespace cupel::pipeline {
namespace {

/// A verb that only looks is not ended by a CUPEL_ISA that it never uses.
std::optional<std::string> isa_row() {
  try {
    return kernels().name;
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

void add_resources(json::Value& report, double seconds, int threads) {
  const Resources used{seconds, peak_memory_bytes(), threads == 0 ? available_threads() : threads,
                       isa_row()};
  const json::Value fields = to_json(used);
  for (const auto& [key, value] : fields.as_object("")) report.set(key, value);
}

}  // namespace cupel::pipeline
