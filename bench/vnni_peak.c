/* Prints the peak of one core in dot products of four bytes (VPDPBUSD), in TOPS: independent chains
 * in registers, timed by the thread's own processor time. Build for the machine it runs on: cc -O2
 * -march=native vnni_peak.c */
#define _GNU_SOURCE
#include <stdio.h>
#include <time.h>

#ifndef __AVX512VNNI__
#error "needs AVX-512 VNNI: build with -march=native on a machine that has it"
#endif

enum { kChains = 12, kRounds = 15 };

static double cpu_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#define DOT(n) "vpdpbusd %%zmm15,%%zmm15,%%zmm" #n "\n\t"
#define CLEAR(n) "vxorps %%xmm" #n ",%%xmm" #n ",%%xmm" #n "\n\t"

int main(void) {
  const long count = 10 * 1000 * 1000;
  double best = 0;
  for (int round = 0; round < kRounds; ++round) {
    double start = cpu_seconds();
    long left = count;
    __asm__ volatile(CLEAR(0) CLEAR(1) CLEAR(2) CLEAR(3) CLEAR(4) CLEAR(5) CLEAR(6) CLEAR(7)
                         CLEAR(8) CLEAR(9) CLEAR(10) CLEAR(11) CLEAR(15) "1:\n\t" DOT(0) DOT(1)
                             DOT(2) DOT(3) DOT(4) DOT(5) DOT(6) DOT(7) DOT(8) DOT(9) DOT(10)
                                 DOT(11) "dec %0\n\tjnz 1b"
                     : "+r"(left)
                     :
                     : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
                       "xmm9", "xmm10", "xmm11", "xmm15");
    double rate = (double)count * kChains * 64 * 2 / (cpu_seconds() - start) / 1e12;
    if (rate > best) best = rate;
  }
  printf("%.4f\n", best);
  return 0;
}
