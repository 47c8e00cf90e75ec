#include "data/byte_stream.h"

#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/input_file.h"

namespace cupel {

namespace {

constexpr std::size_t kInputBytes = 1 << 16;
constexpr int kGzipOnly = 15 + 16;  // zlib's window bits: full window, gzip wrapper required

enum class Compression { none, gzip, zstd };

Compression compression_of(const std::filesystem::path& path) {
  const std::filesystem::path extension = path.extension();
  if (extension == ".gz") return Compression::gzip;
  if (extension == ".zst") return Compression::zstd;
  return Compression::none;
}

struct InflateEnd {
  void operator()(z_stream* stream) const {
    inflateEnd(stream);
    delete stream;
  }
};

struct DctxFree {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

}  // namespace

struct ByteStream::Impl {
  explicit Impl(const std::filesystem::path& path);
  std::size_t read_gzip(char* out, std::size_t size);
  std::size_t read_zstd(char* out, std::size_t size);
  std::size_t read_file(char* out, std::size_t size);
  bool refill();
  void check_expansion(std::size_t produced);
  int64_t offset() const { return read_ - static_cast<int64_t>(end_ - begin_); }
  [[noreturn]] void fail_truncated(const char* format) const;
  [[noreturn]] void fail_damaged(const char* format, const std::string& cause) const;

  InputFile file_;
  std::string name_;
  Compression compression_;
  std::unique_ptr<z_stream, InflateEnd> gzip_;
  std::unique_ptr<ZSTD_DCtx, DctxFree> zstd_;
  std::vector<char> input_;
  std::size_t begin_ = 0, end_ = 0;  // what is left of input_
  int64_t read_ = 0, written_ = 0;   // bytes of the file; bytes handed out
  bool inside_ = false;              // a member or frame has begun and not ended
};

ByteStream::Impl::Impl(const std::filesystem::path& path)
    : file_(path), name_(path.string()), compression_(compression_of(path)) {
  if (compression_ == Compression::none) return;
  input_.resize(kInputBytes);
  if (compression_ == Compression::gzip) {
    auto stream = std::make_unique<z_stream>();
    if (inflateInit2(stream.get(), kGzipOnly) != Z_OK) {
      fail(ErrorKind::resource, name_, "no memory to decompress", "end other programs");
    }
    gzip_.reset(stream.release());
  } else {
    zstd_.reset(ZSTD_createDCtx());
    if (zstd_ == nullptr)
      fail(ErrorKind::resource, name_, "no memory to decompress", "end other programs");
  }
}

std::size_t ByteStream::Impl::read_file(char* out, std::size_t size) {
  ssize_t got = 0;
  do {
    got = ::read(file_.fd(), out, size);
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    fail(ErrorKind::resource, name_, std::string("cannot be read: ") + std::strerror(errno),
         "check the disk");
  }
  read_ += got;
  return static_cast<std::size_t>(got);
}

bool ByteStream::Impl::refill() {
  if (begin_ < end_) return true;
  begin_ = 0;
  end_ = read_file(input_.data(), input_.size());
  return end_ > 0;
}

void ByteStream::Impl::check_expansion(std::size_t produced) {
  written_ += static_cast<int64_t>(produced);
  if (written_ > kFreeExpansionBytes + kMaxExpansion * read_) {
    fail(ErrorKind::data, name_,
         "expands to more than " + std::to_string(kMaxExpansion) + " times its size (at byte " +
             std::to_string(offset()) + ")",
         "decompress it by hand if you trust it");
  }
}

void ByteStream::Impl::fail_truncated(const char* format) const {
  fail(ErrorKind::data, name_,
       std::string("truncated: the ") + format + " stream breaks off at byte " +
           std::to_string(offset()),
       "fetch or write the file again");
}

void ByteStream::Impl::fail_damaged(const char* format, const std::string& cause) const {
  fail(ErrorKind::data, name_,
       std::string("damaged ") + format + " stream at byte " + std::to_string(offset()) + " (" +
           cause + ")",
       "fetch or write the file again, or correct its extension");
}

std::size_t ByteStream::Impl::read_gzip(char* out, std::size_t size) {
  gzip_->next_out = reinterpret_cast<Bytef*>(out);
  gzip_->avail_out = static_cast<uInt>(std::min(size, kInputBytes));
  const uInt wanted = gzip_->avail_out;
  while (gzip_->avail_out == wanted) {
    if (!refill()) {
      if (inside_) fail_truncated("gzip");
      return 0;
    }
    inside_ = true;
    gzip_->next_in = reinterpret_cast<Bytef*>(input_.data() + begin_);
    gzip_->avail_in = static_cast<uInt>(end_ - begin_);
    const int status = inflate(gzip_.get(), Z_NO_FLUSH);
    begin_ = end_ - gzip_->avail_in;
    if (status == Z_STREAM_END) {
      inside_ = false;
      inflateReset(gzip_.get());
    } else if (status == Z_MEM_ERROR) {
      fail(ErrorKind::resource, name_, "no memory to decompress", "end other programs");
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      fail_damaged("gzip", gzip_->msg != nullptr ? gzip_->msg : "unknown cause");
    }
  }
  return wanted - gzip_->avail_out;
}

std::size_t ByteStream::Impl::read_zstd(char* out, std::size_t size) {
  ZSTD_outBuffer target{out, std::min(size, kInputBytes), 0};
  while (target.pos == 0) {
    // A frame that has ended its input may still hold output back.
    if (!refill() && !inside_) return 0;
    const bool at_end = begin_ == end_;
    ZSTD_inBuffer source{input_.data() + begin_, end_ - begin_, 0};
    const std::size_t status = ZSTD_decompressStream(zstd_.get(), &target, &source);
    begin_ += source.pos;
    if (ZSTD_isError(status)) fail_damaged("zstd", ZSTD_getErrorName(status));
    inside_ = status != 0;
    if (at_end && target.pos == 0 && inside_) fail_truncated("zstd");
  }
  return target.pos;
}

ByteStream::ByteStream(const std::filesystem::path& path) : impl_(std::make_unique<Impl>(path)) {}
ByteStream::~ByteStream() = default;
ByteStream::ByteStream(ByteStream&&) noexcept = default;

std::size_t ByteStream::read(char* out, std::size_t size) {
  if (size == 0) return 0;
  if (impl_->compression_ == Compression::none) return impl_->read_file(out, size);
  const std::size_t produced = impl_->compression_ == Compression::gzip
                                   ? impl_->read_gzip(out, size)
                                   : impl_->read_zstd(out, size);
  impl_->check_expansion(produced);
  return produced;
}

}  // namespace cupel
