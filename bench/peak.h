/* What the programs that find a peak of one core share: independent chains of one instruction in
 * registers, timed by the thread's own processor time. Defines best_rate(): instructions a second,
 * of CHAIN(0) … CHAIN(11), which add into registers 0 to 11 and read register 15. */
#define _GNU_SOURCE
#include <stdio.h>
#include <time.h>

static double cpu_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#define CLEAR(n) "vxorps %%xmm" #n ",%%xmm" #n ",%%xmm" #n "\n\t"

static double best_rate(void) {
  enum { kChains = 12, kRounds = 15 };
  const long count = 10 * 1000 * 1000;
  double best = 0;
  for (int round = 0; round < kRounds; ++round) {
    double start = cpu_seconds();
    long left = count;
    __asm__ volatile(CLEAR(0) CLEAR(1) CLEAR(2) CLEAR(3) CLEAR(4) CLEAR(5) CLEAR(6) CLEAR(7)
                         CLEAR(8) CLEAR(9) CLEAR(10) CLEAR(11) CLEAR(15) "1:\n\t" CHAIN(0) CHAIN(1)
                             CHAIN(2) CHAIN(3) CHAIN(4) CHAIN(5) CHAIN(6) CHAIN(7) CHAIN(8) CHAIN(9)
                                 CHAIN(10) CHAIN(11) "dec %0\n\tjnz 1b"
                     : "+r"(left)
                     :
                     : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
                       "xmm9", "xmm10", "xmm11", "xmm15");
    double rate = (double)count * kChains / (cpu_seconds() - start);
    if (rate > best) best = rate;
  }
  return best;
}
