// Asks the CPU and the operating system once, fills the table, keeps it.
#include "kernels/dispatch.h"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/error.h"
#include "kernels/blocking.h"
#include "kernels/rows.h"

namespace cupel {
namespace {

constexpr std::array<std::string_view, 5> kRowNames = {"amx", "avx512vnni", "avx512", "avx2",
                                                       "scalar"};

struct CpuFeatures {
  bool avx2 = false, avx512 = false, vnni = false, bf16 = false, amx = false;
  bool fast_bf16_pairs = false;  // VDPBF16PS beats two fused multiply-adds
};

/// The register states that the operating system saves (XCR0).
uint64_t saved_states() {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<uint64_t>(high) << 32) | low;
}

/// Linux gives the 8 KiB tile registers only to a process that asks (ARCH_REQ_XCOMP_PERM,
/// XTILEDATA).
bool tile_permission() { return syscall(SYS_arch_prctl, 0x1023, 18) == 0; }

bool made_by_intel() {
  uint32_t most, name[3];
  if (!__get_cpuid(0, &most, &name[0], &name[2], &name[1])) return false;
  return std::memcmp(name, "GenuineIntel", sizeof name) == 0;
}

CpuFeatures detect() {
  CpuFeatures has;
  uint32_t a, b, c, d, b7, c7, d7, a71 = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return has;
  const bool xsave = c & bit_OSXSAVE, fma = c & bit_FMA, f16c = c & bit_F16C;
  if (!xsave || !__get_cpuid_count(7, 0, &a, &b7, &c7, &d7)) return has;
  const bool leaf71 = a >= 1 && __get_cpuid_count(7, 1, &a71, &b, &c, &d);
  const uint64_t states = saved_states();
  const auto bit = [](uint32_t word, int at) { return (word >> at & 1) != 0; };
  const auto saves = [&](uint64_t wanted) { return (states & wanted) == wanted; };
  has.avx2 = saves(0x6) && fma && f16c && bit(b7, 5);
  has.avx512 = has.avx2 && saves(0xe6) && bit(b7, 16) && bit(b7, 17) && bit(b7, 30) && bit(b7, 31);
  has.vnni = has.avx512 && bit(c7, 11);
  has.bf16 = has.vnni && leaf71 && bit(a71, 5);
  // Intel's cores begin one VDPBF16PS in the time of four VFMADD, which is half the products
  // (measured: 43 and 88 billion a second on a Xeon whose AMX is switched off); AMD's begin as
  // many.
  has.fast_bf16_pairs = has.bf16 && !made_by_intel();
  const bool tiles = bit(d7, 24) && bit(d7, 25) && bit(d7, 22) && saves(0x60000);
  has.amx = has.bf16 && tiles && tile_permission();
  return has;
}

template <class Slot>
void fill_slot(Slot& slot, Slot slower) {
  if (slot == nullptr) slot = slower;
}

/// Each empty slot of `row` takes the entry of `slower`, which has none empty.
Kernels filled(Kernels row, const Kernels& slower) {
  fill_slot(row.gemm, slower.gemm);
  fill_slot(row.ordered_product, slower.ordered_product);
  fill_slot(row.gemm_int8, slower.gemm_int8);
  fill_slot(row.quantize_rows, slower.quantize_rows);
  fill_slot(row.gemm_cb4, slower.gemm_cb4);
  fill_slot(row.quantize_signed, slower.quantize_signed);
  fill_slot(row.to_16bit, slower.to_16bit);
  fill_slot(row.from_16bit, slower.from_16bit);
  fill_slot(row.adamw, slower.adamw);
  fill_slot(row.adamw8, slower.adamw8);
  fill_slot(row.sum_of_squares, slower.sum_of_squares);
  fill_slot(row.rms_norm, slower.rms_norm);
  fill_slot(row.rms_norm_backward, slower.rms_norm_backward);
  fill_slot(row.layer_norm, slower.layer_norm);
  fill_slot(row.add_bias, slower.add_bias);
  fill_slot(row.softmax, slower.softmax);
  fill_slot(row.swiglu, slower.swiglu);
  fill_slot(row.swiglu_backward, slower.swiglu_backward);
  fill_slot(row.rope, slower.rope);
  fill_slot(row.attention, slower.attention);
  fill_slot(row.attention_backward, slower.attention_backward);
  fill_slot(row.cross_entropy, slower.cross_entropy);
  fill_slot(row.topic_sweep, slower.topic_sweep);
  fill_slot(row.minhash, slower.minhash);
  return row;
}

const CpuFeatures& features() {
  static const CpuFeatures has = detect();
  return has;
}

std::vector<Kernels> build_rows(const CpuFeatures& has) {
  std::vector<Kernels> rows = {kScalarRow};
  if (has.avx2) rows.push_back(filled(kAvx2Row, rows.back()));
  if (has.avx512) rows.push_back(filled(kAvx512Row, rows.back()));
  if (has.vnni) {
    const Kernels slower = has.fast_bf16_pairs ? filled(kAvx512Bf16Row, rows.back()) : rows.back();
    rows.push_back(filled(kAvx512VnniRow, slower));
  }
  if (has.amx) rows.push_back(filled(kAmxRow, rows.back()));
  std::reverse(rows.begin(), rows.end());
  return rows;
}

}  // namespace

std::span<const std::string_view> row_names() { return kRowNames; }

const std::vector<Kernels>& available_rows() {
  static const std::vector<Kernels> rows = build_rows(features());
  return rows;
}

bool multiplies_bf16(const Kernels& row) {
  const std::string_view name = row.name;
  return name == kAmxRow.name || (name == kAvx512VnniRow.name && features().fast_bf16_pairs);
}

const Kernels& choose_row(const char* name, const std::vector<Kernels>& rows) {
  if (name == nullptr || *name == '\0') return rows.front();
  std::string available;
  for (const Kernels& row : rows) {
    if (std::string_view(row.name) == name) return row;
    available += (available.empty() ? "" : ", ") + std::string(row.name);
  }
  const bool known = std::find(kRowNames.begin(), kRowNames.end(), name) != kRowNames.end();
  fail(ErrorKind::config, "CUPEL_ISA",
       known ? "this machine cannot run kernel row " + std::string(name)
             : "no kernel row is called " + std::string(name),
       "set it to one of " + available + ", or unset it for the fastest");
}

const Kernels& kernels() {
  static const Kernels& row = choose_row(std::getenv("CUPEL_ISA"), available_rows());
  return row;
}

int64_t gemm_workspace_bytes() {
  return kGemmWorkspaceFloats * static_cast<int64_t>(sizeof(float));
}

int64_t attention_workspace_bytes(int64_t length, int64_t qk_dim, int64_t v_dim) {
  const int64_t positions = length + kMaxTileCols;
  const int64_t operands = 3 * (qk_dim + kMaxTileCols) + 2 * (v_dim + kMaxTileCols);  // of backward
  const int64_t scores = 2 * kMaxQueryBlock * kScoreStride;
  return (positions * operands + scores + 5 * kPackSlack) * static_cast<int64_t>(sizeof(float));
}

}  // namespace cupel
