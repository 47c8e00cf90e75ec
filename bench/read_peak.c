// Bytes a second that THREADS threads read from SIZE bytes, in thousands of millions: the bound of
// what goes once through weights. Requests as in the benches: "round STEPS" reads all of it STEPS
// times.
#include <immintrin.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct part {
  const char* begin;
  size_t size;
  long steps;
  int64_t sum;
};

static void* read_part(void* argument) {
  struct part* part = argument;
  __m256i sums[4] = {0};
  for (long step = 0; step < part->steps; ++step)
    for (size_t at = 0; at + 128 <= part->size; at += 128)
      for (int i = 0; i < 4; ++i)
        sums[i] = _mm256_add_epi64(
            sums[i], _mm256_load_si256((const __m256i*)(part->begin + at + 32 * (size_t)i)));
  int64_t values[4];
  memcpy(values, &sums[0], sizeof values);
  part->sum = values[0];
  return NULL;
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const size_t size = strtoull(argv[1], NULL, 10) / 4096 * 4096;
  const int threads = atoi(argv[2]);
  char* data = aligned_alloc(4096, size);
  if (data == NULL || threads < 1 || threads > 64) return 2;
  memset(data, 1, size);
  printf("{\"version\": \"read loop\"}\n");
  fflush(stdout);
  char word[16];
  long steps;
  while (scanf("%15s %ld", word, &steps) == 2) {
    struct part parts[64];
    pthread_t ids[64];
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int i = 0; i < threads; ++i) {
      const size_t share = size / (size_t)threads / 128 * 128;
      parts[i] = (struct part){data + share * (size_t)i, share, steps, 0};
      pthread_create(&ids[i], NULL, read_part, &parts[i]);
    }
    for (int i = 0; i < threads; ++i) pthread_join(ids[i], NULL);
    clock_gettime(CLOCK_MONOTONIC, &end);
    const double seconds =
        (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
    printf("{\"seconds\": %.6f, \"gigabytes\": %.6f}\n", seconds,
           1e-9 * (double)size * (double)steps);
    fflush(stdout);
  }
  return 0;
}
