/* Preloaded shim that counts the bytes of live heap blocks of 16 KiB and more, and their peak: the same
 * measure of tensor memory for any program. Build: cc -O2 -shared -fPIC count_allocs.c -o libcount_allocs.so
 * Blocks that a program maps itself (mmap) are not seen. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

/* glibc's own entry points: no lookup at run time, so the first malloc of the process is safe. */
extern void* __libc_malloc(size_t size);
extern void* __libc_calloc(size_t count, size_t size);
extern void* __libc_realloc(void* block, size_t size);
extern void* __libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void* block);

enum { kSmallestCounted = 16 * 1024 };

static atomic_llong live_bytes;
static atomic_llong peak_bytes;

static void* counted(void* block) {
  size_t size = block ? malloc_usable_size(block) : 0;
  if (size < kSmallestCounted) return block;
  long long live = atomic_fetch_add(&live_bytes, (long long)size) + (long long)size;
  long long peak = atomic_load(&peak_bytes);
  while (live > peak && !atomic_compare_exchange_weak(&peak_bytes, &peak, live)) {
  }
  return block;
}

static void uncount(void* block) {
  size_t size = block ? malloc_usable_size(block) : 0;
  if (size >= kSmallestCounted) atomic_fetch_sub(&live_bytes, (long long)size);
}

/* Bytes now alive, the most that ever were since the last reset, and the reset itself. */
long long count_allocs_live(void) { return atomic_load(&live_bytes); }
long long count_allocs_peak(void) { return atomic_load(&peak_bytes); }
void count_allocs_reset(void) { atomic_store(&peak_bytes, atomic_load(&live_bytes)); }

void* malloc(size_t size) { return counted(__libc_malloc(size)); }
void* calloc(size_t count, size_t size) { return counted(__libc_calloc(count, size)); }
void* memalign(size_t alignment, size_t size) { return counted(__libc_memalign(alignment, size)); }
void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void** out, size_t alignment, size_t size) {
  if (alignment < sizeof(void*) || (alignment & (alignment - 1))) return EINVAL;
  void* block = memalign(alignment, size);
  if (!block) return ENOMEM;
  *out = block;
  return 0;
}

void* realloc(void* block, size_t size) {
  uncount(block);
  void* moved = __libc_realloc(block, size);
  if (!moved && size) { /* the old block is still there */
    counted(block);
    return NULL;
  }
  return counted(moved);
}

void free(void* block) {
  uncount(block);
  __libc_free(block);
}
