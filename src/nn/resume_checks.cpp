#include "nn/resume_checks.h"

#include <string_view>

#include "base/error.h"
#include "kernels/kernels.h"

namespace cupel::nn {
namespace {

void require_world_size(const json::Value& state, const std::string& where, int size) {
  const json::Value* kept = state.find("world_size");
  const int64_t then = kept != nullptr ? kept->as_int(where) : 1;
  if (then == size) return;
  fail(ErrorKind::config, where,
       "the checkpoint is of a run with " + std::to_string(then) +
           " processes and would go on with " + std::to_string(size) +
           ", whose steps take other batches",
       "resume with --nproc=" + std::to_string(then) + ", or choose another folder with --out");
}

}  // namespace

json::Object arithmetic_of(const Run& run, Precision compute) {
  return {{"isa_row", kernels().name},
          {"threads", run.threads()},
          {"world_size", run.peers().size},
          {"precision", name_of(compute)}};
}

void check_arithmetic(const json::Value& state, const std::string& where, Precision compute,
                      Run& run) {
  require_world_size(state, where, run.peers().size);
  const auto compare = [&](const std::string& what, const std::string& then, std::string_view now) {
    if (then == now) return;
    run.log(LogLevel::warning,
            "the checkpoint was made with " + what + " " + then + " and the run goes on with " +
                std::string(now) +
                ": it is no longer bit for bit the run that was not interrupted");
  };
  const auto text = [&](std::string_view key) { return state.at(key, where).as_string(where); };
  compare("kernel row", text("isa_row"), kernels().name);
  compare("precision", text("precision"), name_of(compute));
  compare("threads:", std::to_string(state.at("threads", where).as_int(where)),
          std::to_string(run.threads()));
}

}  // namespace cupel::nn
