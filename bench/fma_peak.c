/* Prints the fp32 multiply-add peak of one core in GFLOP/s. Build for the machine it runs on:
 * cc -O2 -march=native fma_peak.c */
#if defined(__AVX512F__)
enum { kBytes = 64 };
#define REGISTER "%%zmm"
#elif defined(__FMA__)
enum { kBytes = 32 };
#define REGISTER "%%ymm"
#else
#error "needs FMA: build with -march=native on a machine that has it"
#endif

#define CHAIN(n) "vfmadd231ps " REGISTER "15," REGISTER "15," REGISTER #n "\n\t"
#include "peak.h"

int main(void) {
  printf("%.1f\n", best_rate() * (kBytes / 4) * 2 / 1e9);
  return 0;
}
