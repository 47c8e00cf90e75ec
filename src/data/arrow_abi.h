// The Arrow C data and stream interfaces, as the Arrow specification gives them ("The Arrow C data
// interface"): a stable layout in which libraries hand each other columns without linking.
#pragma once

#include <cstdint>

// The guards are the specification's, so that Arrow's own header may be read beside this one.
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

extern "C" {

struct ArrowSchema {
  const char* format;  // type of the column: "u" = UTF-8, "l" = int64, "+s" = struct, …
  const char* name;
  const char* metadata;
  int64_t flags;
  int64_t n_children;
  ArrowSchema** children;
  ArrowSchema* dictionary;
  void (*release)(ArrowSchema*);
  void* private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;  // -1 = not counted
  int64_t offset;      // of the first value, in values
  int64_t n_buffers;
  int64_t n_children;
  const void** buffers;
  ArrowArray** children;
  ArrowArray* dictionary;
  void (*release)(ArrowArray*);
  void* private_data;
};

}  // extern "C"

#endif

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

extern "C" {

struct ArrowArrayStream {
  int (*get_schema)(ArrowArrayStream*, ArrowSchema* out);  // 0, or an errno
  int (*get_next)(ArrowArrayStream*, ArrowArray* out);     // at the end out->release is null
  const char* (*get_last_error)(ArrowArrayStream*);
  void (*release)(ArrowArrayStream*);
  void* private_data;
};

}  // extern "C"

#endif
