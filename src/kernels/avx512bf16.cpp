// The bf16 slots of the row avx512vnni: a product that multiplies pairs of bf16 as they are.
#include "kernels/bf16_pairs_inl.h"
#include "kernels/rows.h"

namespace cupel {
namespace {

void gemm(const GemmArgs& args, void* workspace) {
  const bool pairs = args.a_type == Element::bf16 && args.b_type == Element::bf16;
  return pairs ? gemm_by<Bf16Pairs>(args, workspace) : kAvx512Row.gemm(args, workspace);
}

}  // namespace

constinit const Kernels kAvx512Bf16Row = {.name = "avx512vnni", .gemm = gemm};

}  // namespace cupel
