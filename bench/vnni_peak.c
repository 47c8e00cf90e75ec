/* Prints the peak of one core in dot products of four bytes (VPDPBUSD), in TOPS. Build for the machine it runs on:
 * cc -O2 -march=native vnni_peak.c */
#ifndef __AVX512VNNI__
#error "needs AVX-512 VNNI: build with -march=native on a machine that has it"
#endif

#define CHAIN(n) "vpdpbusd %%zmm15,%%zmm15,%%zmm" #n "\n\t"
#include "peak.h"

int main(void) {
  printf("%.4f\n", best_rate() * 64 * 2 / 1e12);
  return 0;
}
